"""What a printer says about itself: the bytes of DLE EOT and GS r, told apart and put into words."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from enum import Enum, auto

from clerk_app.desk.ports import PaperState, PrinterStatus

# DLE EOT n: 1 printer, 2 cause of being offline, 3 error, 4 paper.
QUESTIONS = (1, 2, 3, 4)
BUFFERED_QUESTION = b"\x1dr\x01"  # GS r 1: answered when everything before it has been worked on


def real_time_question(which: int) -> bytes:
    """DLE EOT `which`: answered at once, past everything in the buffer."""
    return b"\x10\x04" + bytes([which])


class Kind(Enum):
    """Which question an answer belongs to."""

    REAL_TIME = auto()
    BUFFERED = auto()


class Answers:
    """Sorts the bytes a printer sends by their fixed bits and keeps each kind until it is asked for.

    0xx1xx10 answers DLE EOT, 0xx0xxxx answers GS r. 0xx1xx00 begins an automatic report of four bytes, which
    another program may have switched on: dropped whole, or its end would pass for an answer to GS r. XON,
    XOFF and everything else is dropped.
    """

    def __init__(self) -> None:
        self._kept: dict[Kind, deque[int]] = {kind: deque() for kind in Kind}
        self._report = 0  # bytes of an automatic report still to come

    def hear(self, data: bytes) -> None:
        for byte in data:
            if self._report:
                self._report -= 1
            elif byte & 0x93 == 0x12:
                self._kept[Kind.REAL_TIME].append(byte)
            elif byte & 0x93 == 0x10:
                self._report = 3
            elif byte & 0x90 == 0x00:
                self._kept[Kind.BUFFERED].append(byte)

    def take(self, kind: Kind) -> int | None:
        kept = self._kept[kind]
        return kept.popleft() if kept else None

    def forget(self, kind: Kind) -> None:
        """Drop answers that came too late for their question."""
        self._kept[kind].clear()


def read_status(answers: Mapping[int, int]) -> PrinterStatus:
    """The state told by the answers to DLE EOT 1 to 4 (question -> byte), causes a hand can cure first."""
    printer, cause, error, paper = (answers[question] for question in QUESTIONS)
    if cause & 0x04:
        code = "PRINTER-COVER-OPEN"
    elif cause & 0x20 or paper & 0x60:
        code = "PRINTER-PAPER-OUT"
    elif error & 0x08:
        code = "PRINTER-CUTTER"
    elif error & 0x24:
        code = "PRINTER-ERROR"
    elif error & 0x40:
        code = "PRINTER-HOT"
    elif printer & 0x08 or cause & 0x40:
        code = "PRINTER-OFFLINE"
    else:
        code = ""
    return PrinterStatus(_paper(cause, paper), code)


def _paper(cause: int, paper: int) -> PaperState:
    if cause & 0x20 or paper & 0x60:
        return PaperState.OUT
    return PaperState.NEAR_END if paper & 0x0C else PaperState.OK
