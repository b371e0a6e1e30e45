"""What is changed in a function, one place at a time, to see whether a test notices.

Comparisons, conditions, arithmetic, constants, and statements left out. Not changed: documentation, types,
defaults, decorators, and the words that only a log or the detail of a failure shows.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_WORDS = ("logs", "_log", "log")
_FAILURES = ("Failure", "Refused", "OfficeFailure", "NotYet", "ValueError", "LookupError", "AssertionError")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: the outermost function it is in, and the module with the change, still with its lines."""

    function: str  # qualified name
    line: int
    first_line: int  # of the function, decorators included
    change: str
    tree: ast.Module


def mutants(source: str) -> Iterator[Mutant]:
    """Every change of every function in `source`, in the order of the text."""
    tree = ast.parse(source)
    for name, function in _functions(tree, ""):
        for node, field, place, changed, change in _changes(function):
            mutated = _with(tree, node, field, place, changed)
            first = min([function.lineno, *(d.lineno for d in function.decorator_list)])
            line = getattr(changed, "lineno", getattr(node, "lineno", first))
            yield Mutant(name, line, first, change, mutated)


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, Function]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function):
            yield prefix + child.name, child
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")


_Change = tuple[ast.AST, str, int | None, ast.AST, str]
"""Whose field is changed, the field, the place in it when it is a list, the new node, words for it."""


def _changes(function: Function) -> Iterator[_Change]:
    for statement in function.body:
        yield from _inside(statement)
    yield from _left_out(function, "body", function.body)


def _inside(node: ast.AST) -> Iterator[_Change]:
    """The changes at and below `node`."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # documentation
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "args") and not isinstance(node, ast.Call):
            continue
        values = value if isinstance(value, list) else [value]
        for n, child in enumerate(values):
            if not isinstance(child, ast.AST) or _only_words(node, field, n, child):
                continue
            place = n if isinstance(value, list) else None
            for changed, change in _replacements(child):
                yield node, field, place, changed, change
            yield from _inside(child)
        if field in ("body", "orelse", "finalbody") and isinstance(value, list):
            yield from _left_out(node, field, value)


def _only_words(node: ast.AST, field: str, n: int, child: ast.AST) -> bool:
    """Whether `child` is what a log or the detail of a failure says, or an assertion of ours."""
    if isinstance(child, ast.JoinedStr) or (isinstance(child, ast.keyword) and child.arg == "strict"):
        return True  # a length that is wrong is a bug, no behaviour
    if not isinstance(node, ast.Call) or field not in ("args", "keywords"):
        return False
    called = node.func
    if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id in _WORDS:
        return True
    named = called.id if isinstance(called, ast.Name) else ""
    return named in _FAILURES and field == "args" and (n > 0 or named.endswith("Error"))


def _replacements(node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    match node:
        case ast.Compare(ops=[op]) if type(op) in _COMPARISONS:
            other = _COMPARISONS[type(op)]
            yield _like(node, ops=[other()]), f"{type(op).__name__} -> {other.__name__}"
        case ast.Compare(ops=[first, second]):
            for place, op in enumerate((first, second)):
                if type(op) in _COMPARISONS:
                    ops = [first, second]
                    ops[place] = _COMPARISONS[type(op)]()
                    yield _like(node, ops=ops), f"{type(op).__name__} -> {type(ops[place]).__name__}"
        case ast.BoolOp(op=op):
            other_op = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield _like(node, op=other_op), f"{type(op).__name__} -> {type(other_op).__name__}"
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand, "not dropped"
        case ast.UnaryOp(op=ast.Invert()):
            yield node.operand, "~ dropped"
        case ast.BinOp(op=op) if type(op) in _ARITHMETIC:
            yield _like(node, op=_ARITHMETIC[type(op)]()), f"{type(op).__name__} swapped"
        case ast.Constant(value=bool(value)):
            yield _like(node, value=not value), f"{value} -> {not value}"
        case ast.Constant(value=int(value)):
            yield _like(node, value=value + 1), f"{value} -> {value + 1}"
        case ast.Constant(value=str(value)):
            yield _like(node, value=f"{value}X"), f"{value[:24]!r} changed"
        case ast.IfExp():
            yield _like(node, test=_not(node.test)), "condition turned"
        case ast.If() | ast.While():
            yield _like(node, test=_not(node.test)), "condition turned"
        case ast.comprehension(ifs=[_, *_]):
            yield _like(node, ifs=[]), "filter dropped"
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield _like(node, value=ast.copy_location(ast.Constant(None), value)), "returns None"
        case ast.Break() | ast.Continue():
            swapped = ast.Continue() if isinstance(node, ast.Break) else ast.Break()
            yield ast.copy_location(swapped, node), "break and continue swapped"


def _left_out(node: ast.AST, field: str, statements: list[ast.AST]) -> Iterator[_Change]:
    for n, statement in enumerate(statements):
        expression = isinstance(statement, ast.Expr) and not isinstance(statement.value, ast.Constant)
        if expression and _logs(statement):
            continue
        if expression or isinstance(statement, (ast.Raise, ast.AugAssign)):
            yield node, field, n, ast.copy_location(ast.Pass(), statement), "left out"


def _logs(statement: ast.AST) -> bool:
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)))):
            return name in _WORDS
    return False


def _not(test: ast.expr) -> ast.expr:
    return ast.copy_location(ast.UnaryOp(ast.Not(), test), test)


def _like(node: ast.AST, **changes: object) -> ast.AST:
    fields = dict(ast.iter_fields(node)) | changes
    return ast.copy_location(type(node)(**fields), node)


def _with(tree: ast.Module, node: ast.AST, field: str, place: int | None, changed: ast.AST) -> ast.Module:
    """A copy of `tree` in which one field of `node` is another."""
    before = getattr(node, field)
    if place is None:
        setattr(node, field, changed)
    else:
        setattr(node, field, [*before[:place], changed, *before[place + 1 :]])
    mutated = copy.deepcopy(tree)
    setattr(node, field, before)
    return ast.fix_missing_locations(mutated)
