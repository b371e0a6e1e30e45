"""The printer: how it says it is, what is wrong with the hall's templates, and on request a test page."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol

from clerk_app.desk.ports import Check, Level, PaperState, PrinterStatus, PrintOutcome, PrintResult
from clerk_app.doctor.rounds import Asked, Look, Tell, not_checked
from clerk_app.domain.documents import Slip, TestSlip
from clerk_app.failures import Failure

PRINTER, TEMPLATES, TEST_PAGE = "printer", "templates", "test_page"

_ASK, _PRINT = 10.0, 14.0
_NOBODY = frozenset({"PRINTER-NOT-SET", "PRINTER-SETTING"})
_ONLY_WARN = frozenset({"PRINTER-NOT-SET", "PRINTER-SILENT"})
"""Without a printer cases are filed and slips wait; a silent one may well print."""


class Prints(Protocol):
    """What is asked of a printer here."""

    def status(self) -> PrinterStatus: ...
    def print(self, slip: Slip, *, reprint: int = 0) -> PrintResult: ...


def look(printer: Callable[[], Prints], slip: Callable[[], TestSlip], asked: Asked) -> Look:
    """`printer` gives the port, or raises Failure; its calls are made here, one after the other."""

    def look(tell: Tell) -> None:
        try:
            port = printer()
        except Failure as failure:
            status = PrinterStatus(code=failure.code)
            tell(_status(status, failure.detail))
        else:
            status = port.status()
            tell(_status(status))
            if asked.test_page and status.code not in _NOBODY:
                tell(_printed(port, slip))
                return
        if asked.test_page:
            tell(not_checked(TEST_PAGE))

    if asked.test_page:
        return Look((PRINTER, TEST_PAGE), _ASK + _PRINT, look)
    return Look((PRINTER,), _ASK, look)


def templates_look(problems: Callable[[], tuple[str, ...]]) -> Look:
    """`problems` are the lines of what is wrong with the hall's own slip templates: "file:line: what"."""

    def look(tell: Tell) -> None:
        broken = problems()
        tell(
            Check(TEMPLATES, Level.WARN, "DOCTOR-TEMPLATES", detail="; ".join(broken))
            if broken
            else Check(TEMPLATES)
        )

    return Look((TEMPLATES,), _ASK, look)


def _status(status: PrinterStatus, detail: str = "") -> Check:
    if status.code:
        level = Level.WARN if status.code in _ONLY_WARN else Level.FAIL
        return Check(PRINTER, level, status.code, detail=detail)
    if status.paper is PaperState.NEAR_END:
        return Check(PRINTER, Level.WARN, "DOCTOR-PAPER-LOW")
    return Check(PRINTER, said="unknown" if status.paper is PaperState.UNKNOWN else "")


def _printed(port: Prints, slip: Callable[[], TestSlip]) -> Check:
    result = port.print(slip())
    if result.outcome is PrintOutcome.PRINTED:
        return Check(TEST_PAGE)
    level = Level.FAIL if result.outcome is PrintOutcome.FAILED else Level.WARN
    return Check(TEST_PAGE, level, result.code, detail=result.detail)


def address(url: str) -> str:
    """The printer's address without a name and a password in it."""
    return re.sub("(?<=://)[^/@]*@", "", url)
