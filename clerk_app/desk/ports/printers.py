"""Slip printers: how they are, and what became of a slip."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from clerk_app.domain.documents import Slip


class PaperState(StrEnum):
    OK = "ok"
    NEAR_END = "near_end"
    OUT = "out"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PrinterStatus:
    """`code` is empty when the printer can print; otherwise a failure code (PRINTER-...)."""

    paper: PaperState = PaperState.UNKNOWN
    code: str = ""

    @property
    def ready(self) -> bool:
        return not self.code


class PrintOutcome(StrEnum):
    PRINTED = "printed"  # the printer confirmed after the last byte
    FAILED = "failed"  # nothing, or visibly not all, reached the paper
    UNKNOWN = "unknown"  # all bytes went out, nobody confirmed


@dataclass(frozen=True, slots=True)
class PrintResult:
    outcome: PrintOutcome
    code: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """A slip as its paper would look: a PNG at one pixel a dot, its text, and what is wrong with it.

    `missing` are the characters that neither the printer nor a font of this machine can write; with one of
    them the slip cannot be printed as it is. `problem` tells why the hall's own template was not used.
    """

    png: bytes
    text: str
    missing: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class PrinterSetup:
    """How a printer is set up: its address without a password, millimetres of paper, character set."""

    address: str
    width: int
    encoding: str


class Printer(Protocol):
    """One slip printer. Calls block for seconds at most and run on the printer lane only."""

    @property
    def setup(self) -> PrinterSetup: ...

    def status(self) -> PrinterStatus: ...

    def preview(self, slip: Slip, *, reprint: int = 0) -> Preview:
        """What `print` would put on paper; the printer itself is not asked."""

    def missing(self, text: str) -> tuple[str, ...]:
        """The characters of `text` that could not be put on paper, each once. Quick; any thread."""

    def print(self, slip: Slip, *, reprint: int = 0) -> PrintResult:
        """Lay out, encode and send `slip`; `reprint` > 0 marks it 补打 with that count."""
