"""Reads a template completely before it is used: every line is understood, or the file and line are named.

One directive a line, see `docs/slips.md`. What the program adds by itself (practice bars, the marks of a
reprint and a copy, the last cut) has no directive; what the law or the hall's order needs must be there: the
required names of `template_words`, and the place of the statement.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from clerk_app.devices.printer.templates.nodes import (
    BarcodeOf,
    Bilingual,
    Field,
    For,
    Gap,
    If,
    Mark,
    Node,
    Place,
    QrOf,
    Row,
    Rule,
    Said,
    Slot,
    Template,
    Text,
)
from clerk_app.devices.printer.templates.text import (
    Missing,
    Wrong,
    checked_barcode,
    checked_qr,
    literal,
    literal_columns,
    mark_columns,
    read_bilingual,
    read_look,
    read_text,
)
from clerk_app.devices.printer.templates.words import Kind, SlipWords, Word
from clerk_app.failures import Failure

MAX_LINES = 500
_DEEPEST = 6
_SHORTEST_LABEL, _LONGEST_LABEL, _LABEL_GAP = 8, 14, 2
_MARK = 8
_MOST_SPACE = 200
_BARS = range(24, 201)  # height of a barcode in dots
_USUAL_BARS = 72
_LINE = re.compile(r"(?P<word>[A-Za-z]+)(?:\((?P<options>[^()]*)\))?(?:\s+(?P<rest>.*))?")
_CELLS = re.compile(r"(?<!\|)\|(?!\|)")
_TEXTS = {place.value: place for place in Place}
_MARKS = {mark.value: mark for mark in (Mark.LOGO, Mark.DRAWER, Mark.CUT, Mark.RULER, Mark.STATEMENT)}
_STYLED = {*_TEXTS, "field", "barcode"}


def parse(source: str, slip: SlipWords, missing: Missing = lambda _: ()) -> Template:
    """The template of `slip` in `source`. `missing` tells the characters that cannot be printed here.

    Raises Failure("PRINTER-TEMPLATE", "receipt.slip:14: unknown placeholder {aplicant}").
    """
    reader = _Reader(slip, missing)
    lines = source.removeprefix("\ufeff").split("\n")
    number = 0
    try:
        for number, line in enumerate(lines, 1):
            reader.take(line.strip(), number)
        number = reader.open_since or max(number, 1)
        return reader.finish()
    except Wrong as wrong:
        raise Failure("PRINTER-TEMPLATE", f"{slip.file}.slip:{number}: {wrong}") from wrong


@dataclass(slots=True)
class _Block:
    """An open if or for, or the whole template (no word)."""

    line: int = 0
    word: str = ""
    name: str = ""
    negated: bool = False
    words: Mapping[str, Word] = field(default_factory=dict)
    body: list[Node] = field(default_factory=list)
    otherwise: list[Node] | None = None

    @property
    def into(self) -> list[Node]:
        return self.body if self.otherwise is None else self.otherwise

    @property
    def condition(self) -> str:
        """What holds for the lines taken now; the name itself, or another word where it does not hold."""
        return self.name if (self.otherwise is None) != self.negated else f"not {self.name}"

    def closed(self) -> Node:
        then, otherwise = tuple(self.body), tuple(self.otherwise or ())
        if self.word == "for":
            return For(self.name, then, otherwise)
        return If(self.name, self.negated, then, otherwise)


class _Reader:
    """Takes the lines of a file one by one."""

    def __init__(self, slip: SlipWords, missing: Missing) -> None:
        self._slip = slip
        self._missing = missing
        self._blocks = [_Block(words=slip.words)]
        self._label = _SHORTEST_LABEL
        self._sure: set[str] = set()  # names printed whenever they have a value
        self._stated = False

    @property
    def open_since(self) -> int:
        """The line of the innermost block that was not closed; 0 when all were."""
        return self._blocks[-1].line

    def take(self, line: str, number: int) -> None:
        if number > MAX_LINES:
            raise Wrong(f"more than {MAX_LINES} lines")
        if not line or line.startswith("#"):
            return
        match = _LINE.fullmatch(line)
        if match is None:
            raise Wrong("no directive: a line begins with one, for example: centre, field, rule")
        word, options, rest = match["word"], match["options"], (match["rest"] or "").strip()
        if options is not None and word not in _STYLED:
            raise Wrong(f"{word} takes nothing in parentheses")
        if word in ("if", "for"):
            self._open(word, rest, number)
        elif word in ("else", "end"):
            self._turn(word, rest)
        else:
            self._blocks[-1].into.append(self._node(word, options or "", rest))

    def finish(self) -> Template:
        if self.open_since:
            raise Wrong(f"{self._blocks[-1].word} without its end")
        for name in sorted(self._slip.required - self._sure):
            raise Wrong(f"{{{name}}} must be printed, outside any other condition")
        if self._slip.statement and not self._stated:
            raise Wrong("the line: statement is missing")
        body = self._blocks[0].body
        while body and body[-1] is Mark.CUT:  # the program cuts at the end by itself
            body.pop()
        return Template(tuple(body), self._label + _LABEL_GAP)

    # --- blocks ----------------------------------------------------------------------------------------

    def _open(self, word: str, rest: str, number: int) -> None:
        if len(self._blocks) > _DEEPEST:
            raise Wrong(f"more than {_DEEPEST} blocks in each other")
        outer = self._blocks[-1]
        negated = word == "if" and rest.startswith("not ")
        name = rest.removeprefix("not ").strip() if negated else rest
        known = outer.words.get(name)
        if known is None:
            raise Wrong(f"unknown name {name}" if name else f"{word} needs a name")
        words = outer.words
        if word == "for":
            if known.kind is not Kind.LIST:
                raise Wrong(f"{name} is no list")
            if any(block.word == "for" for block in self._blocks):
                raise Wrong("a for inside a for")
            words = {**words, **known.inside}
        self._blocks.append(_Block(number, word, name, negated, words))

    def _turn(self, word: str, rest: str) -> None:
        block = self._blocks[-1]
        if rest:
            raise Wrong(f"{word} stands alone")
        if not block.word:
            raise Wrong(f"{word} without if or for")
        if word == "else":
            if block.otherwise is not None:
                raise Wrong("a second else")
            block.otherwise = []
            block.words = self._blocks[-2].words
            return
        self._blocks.pop()
        flag = block.words[block.name].kind is Kind.FLAG and not block.negated
        if flag and any(isinstance(node, Said | Field | Row) for node in block.body):
            self._used(block.name)
        self._blocks[-1].into.append(block.closed())

    def _used(self, name: str) -> None:
        """`name` is printed here: surely, when no condition stands around but one on itself or its list."""
        lists = {block.name for block in self._blocks if block.word == "for"}
        own = {name} | (set() if name in self._slip.words else lists)
        if all(block.condition in own for block in self._blocks[1:]):
            self._sure.add(name)

    # --- lines -----------------------------------------------------------------------------------------

    def _node(self, word: str, options: str, rest: str) -> Node:
        if word in _TEXTS:
            place = _TEXTS[word]
            look = read_look(options, largest=place is Place.CENTRE)
            if not rest:
                raise Wrong(f"{word} without a text")
            return Said(place, look, self._bilingual(rest))
        if word in _MARKS:
            return self._mark(word, rest)
        match word:
            case "field":
                return self._field(options, rest)
            case "row":
                return self._row(rest)
            case "rule":
                if rest and not (len(rest) == 1 and rest.isascii() and rest.isprintable()):
                    raise Wrong("rule takes one sign of the keyboard")
                return Rule(rest or "-")
            case "space":
                return Gap(_number(rest, range(1, _MOST_SPACE + 1), "space") if rest else 8)
            case "qr":
                return QrOf(checked_qr(self._text(rest)))
            case "barcode":
                height = _number(options.strip(), _BARS, "barcode") if options else _USUAL_BARS
                return BarcodeOf(checked_barcode(self._text(rest)), height)
        raise Wrong(f"unknown directive {word}")

    def _mark(self, word: str, rest: str) -> Mark:
        if rest:
            raise Wrong(f"{word} stands alone")
        if word == Mark.STATEMENT.value:
            if not self._slip.statement:
                raise Wrong("this slip has no statement")
            if len(self._blocks) > 1:
                raise Wrong("statement stands outside every condition")
            self._stated = True
        return _MARKS[word]

    def _field(self, options: str, rest: str) -> Field:
        label, equals, value = rest.partition("=")
        if not equals:
            raise Wrong("a field is: field label = value")
        labels = read_bilingual(label, {}, self._missing) if "{" not in label else None
        if labels is None:
            raise Wrong("a label cannot hold a placeholder")
        self._check_words(labels)
        width = literal_columns(labels.zh)
        if width > _LONGEST_LABEL:
            raise Wrong(f"too wide: a label of {width} columns, there is room for {_LONGEST_LABEL}")
        self._label = max(self._label, width)
        if not value.strip():
            raise Wrong("a field without a value")
        return Field(read_look(options), labels, self._bilingual(value))

    def _row(self, rest: str) -> Row:
        cells = _CELLS.split(rest)
        if len(cells) != 3:
            raise Wrong("a row is: row number | text | detail")
        mark, text, detail = (self._bilingual(cell) for cell in cells)
        width = mark_columns(mark.zh) + mark_columns(mark.en)
        if width > _MARK:
            raise Wrong(f"too wide: a first cell of {width} columns, there is room for {_MARK}")
        return Row(mark, text, detail)

    def _bilingual(self, raw: str) -> Bilingual:
        read = read_bilingual(raw, self._blocks[-1].words, self._missing)
        self._check_words(read)
        self._note(read.zh)  # the English is not printed everywhere
        return read

    def _check_words(self, text: Bilingual) -> None:
        """Words that would make another document of the slip stand only where they are true."""
        said = literal(text.zh) + "\n" + literal(text.en).lower()
        for word, name in self._slip.only_if.items():
            if word in said and (not name or all(block.condition != name for block in self._blocks[1:])):
                raise Wrong(f"{word} stands only inside: if {name}" if name else f"this slip is no {word}")

    def _text(self, raw: str) -> Text:
        return read_text(raw, self._blocks[-1].words, self._missing)

    def _note(self, text: Text) -> None:
        for part in text:
            # A time of day alone tells no day.
            if isinstance(part, Slot) and part.kind is not Kind.LIST and part.format != "time":
                self._used(part.name)


def _number(text: str, allowed: range, word: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 5 and int(text) in allowed):
        raise Wrong(f"{word} takes a number from {allowed.start} to {allowed.stop - 1}")
    return int(text)
