"""Mutation of what numbers and delivers: `make mutation`, or `python -m tests.mutation back_office/held.py`.

The tests are collected once; for each mutant a child process is forked, the code of the one function is
replaced in it, and the tests run, the quick ones first, until one fails. Files are never changed. A mutant
that no test notices has survived; the known ones are explained in docs/evidence/mutation.md.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import json
import os
import random
import resource
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType

import pytest
from hypothesis import HealthCheck, Phase, settings
from sqlalchemy import Connection, text

from clerk_app.store import schema
from clerk_app.store.cache import SqlStore
from tests.mutation.operators import Mutant, mutants
from tests.mutation.targets import TARGETS, Target

CPU_SECONDS = 90
WALL_SECONDS = 900
OPTIONS = (
    "-qq",
    "--no-header",
    "--show-capture=no",
    "--tb=no",
    "--timeout=60",
    "--hypothesis-profile=mutation",
    "-pno:cacheprovider",
    "-pno:xdist",
    "-Wignore::pytest.PytestAssertRewriteWarning",  # what was imported before the fork stays
)
settings.register_profile(  # the machines end at the first failure
    "mutation",
    max_examples=20,
    stateful_step_count=25,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate,),
    report_multiple_bugs=False,
)
KILLED, SURVIVED, NOT_PLACED = 1, 0, 7


def module_of(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".")


def code_of(mutant: Mutant, path: str) -> CodeType | None:
    """The compiled function of the mutant."""
    waiting = [compile(mutant.tree, path, "exec")]
    while waiting:
        code = waiting.pop()
        if code.co_qualname == mutant.function and code.co_firstlineno == mutant.first_line:
            return code
        waiting += [const for const in code.co_consts if isinstance(const, CodeType)]
    return None


def functions_of(path: str) -> list[FunctionType]:
    """Every function of the file, wherever it is held. Asked before the freeze hides them."""
    module = module_of(path)
    return [one for one in gc.get_objects() if isinstance(one, FunctionType) and one.__module__ == module]


def replaced(functions: list[FunctionType], code: CodeType) -> bool:
    """Put `code` into the function it is of."""
    found = False
    for one in functions:
        old = one.__code__
        if (old.co_qualname, old.co_firstlineno) == (code.co_qualname, code.co_firstlineno):
            one.__code__ = code
            found = True
    return found


def forget_results() -> None:
    """What functions of the product remember of calls from before the fork."""
    for one in gc.get_objects():
        with contextlib.suppress(Exception):
            if hasattr(one, "cache_clear") and str(one.__module__).startswith(("clerk_app", "back_office")):
                one.cache_clear()


def in_child(target: Target, path: str, functions: list[FunctionType], mutant: Mutant | None) -> int:
    """Fork, change, test; how it ended."""
    child = os.fork()
    if child == 0:
        code = KILLED
        try:
            code = _test(target, path, functions, mutant)
        finally:
            os._exit(code)
    until = time.monotonic() + WALL_SECONDS
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > until:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return KILLED
        time.sleep(0.05)


def _test(target: Target, path: str, functions: list[FunctionType], mutant: Mutant | None) -> int:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    if mutant is not None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        code = code_of(mutant, path)
        if code is None or not replaced(functions, code):
            return NOT_PLACED
    for tests in target.tests:
        if pytest.main([*OPTIONS, "-x", "-k", target.only, *tests]) != pytest.ExitCode.OK:
            return KILLED
    return SURVIVED


def quick_stores() -> None:
    """Make caches in memory from one's tables: migrating each anew is most of what a unit test does."""
    first = SqlStore.in_memory()
    made = text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'")
    tables = first.read(lambda tx: list(tx.meta._sql.execute(made).scalars()))
    first.close()

    def fill(connection: Connection, folder: object, **options: object) -> None:
        if folder is not None:
            return upgrade(connection, folder, **options)  # type: ignore[arg-type]
        with connection.begin():
            for statement in tables:
                connection.exec_driver_sql(statement)
        return None

    upgrade, schema.upgrade = schema.upgrade, fill  # type: ignore[assignment]


def _prepare(target: Target, path: str) -> list[FunctionType]:
    """Everything imported, the offices that are copied made: what each child would do again.

    Returns the functions of the file.
    """
    files = [name for tests in target.tests for name in tests]
    pytest.main([*OPTIONS, "--collect-only", *files])
    for name in ("memory_office", "memory_window", "office_hall"):
        if name in sys.modules:
            sys.modules[name]._template()
    forget_results()
    quick_stores()
    functions = functions_of(path)
    gc.freeze()
    assert threading.active_count() == 1, threading.enumerate()
    return functions


def _chosen(path: str, share: float, seed: int) -> Iterator[Mutant]:
    chance = random.Random(f"{seed} {path}")
    for mutant in mutants(Path(path).read_text("utf-8")):
        if chance.random() < share:
            yield mutant


def run(path: str, share: float, seed: int, report: Path) -> None:
    target = TARGETS[path]
    importlib.import_module(module_of(path))
    functions = _prepare(target, path)
    if in_child(target, path, functions, None) != SURVIVED:
        raise SystemExit(f"{path}: the tests fail without any change")
    lines = Path(path).read_text("utf-8").splitlines()
    count = {"killed": 0, "survived": 0, "without a place": 0}
    with report.open("a", encoding="utf-8") as file:
        for mutant in _chosen(path, share, seed):
            ended = in_child(target, path, functions, mutant)
            fate = {SURVIVED: "survived", NOT_PLACED: "without a place"}.get(ended, "killed")
            count[fate] += 1
            row = {"path": path, "function": mutant.function, "line": mutant.line, "change": mutant.change}
            row |= {"fate": fate, "text": lines[mutant.line - 1].strip()}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            file.flush()
            if fate == "survived":
                print(
                    f"{path}:{mutant.line} {mutant.function}: {mutant.change}\n    {row['text']}", flush=True
                )
    print(f"{path}: " + ", ".join(f"{number} {fate}" for fate, number in count.items()), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("paths", nargs="*", help="files; all when none is named")
    parser.add_argument("--share", type=float, default=1.0, help="of the mutants, chosen by --seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", type=Path, default=Path("build/mutation.jsonl"))
    asked = parser.parse_args()
    asked.report.parent.mkdir(parents=True, exist_ok=True)
    for path in asked.paths or TARGETS:  # each with tests of its own, so in a process of its own
        child = os.fork()
        if child == 0:
            run(path, asked.share, asked.seed, asked.report)
            sys.stdout.flush()
            os._exit(0)
        if os.waitpid(child, 0)[1]:
            sys.exit(1)


if __name__ == "__main__":
    main()
