"""What a printer says about itself: DLE EOT, GS r and automatic reports (GS a), told apart, put into words.

The bits are those of the ESC/POS references; a bit that only says what somebody does (the feed button, the
drawer's switch) is no reason to keep a slip back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from enum import Enum, auto

from clerk_app.desk.ports import PaperState, PrinterStatus

# DLE EOT n: 1 printer, 2 cause of being offline, 3 error, 4 paper.
QUESTIONS = (1, 2, 3, 4)
BUFFERED_QUESTION = b"\x1dr\x01"  # GS r 1: answered when everything before it has been worked on
REPORTS_OFF = b"\x1da\x00"
REPORTS_ON = b"\x1da\x0e"  # GS a: report when online, error or paper change; the drawer's switch is nobody's


def real_time_question(which: int) -> bytes:
    """DLE EOT `which`: answered at once, past everything in the buffer."""
    return b"\x10\x04" + bytes([which])


class Kind(Enum):
    """Which question an answer belongs to."""

    REAL_TIME = auto()
    BUFFERED = auto()


class Answers:
    """Sorts the bytes a printer sends by their fixed bits and keeps each kind until it is asked for.

    0xx1xx10 answers DLE EOT, 0xx0xxxx answers GS r. 0xx1xx00 begins an automatic report, whose other three
    bytes are 0xx0xxxx too: they are counted off, or its end would pass for an answer to GS r. XON, XOFF and
    everything else is dropped, also in the middle of a report.
    """

    def __init__(self) -> None:
        self._kept: dict[Kind, deque[int]] = {kind: deque() for kind in Kind}
        self._report = bytearray()  # the beginning of a report
        self.reported: PrinterStatus | None = None  # by the newest complete report

    @property
    def trouble(self) -> str:
        """The code of what the newest report complains of; empty when of nothing, or without a report."""
        return self.reported.code if self.reported else ""

    def hear(self, data: bytes) -> None:
        for byte in data:
            if byte & 0x93 == 0x12:
                self._kept[Kind.REAL_TIME].append(byte)
            elif byte & 0x93 == 0x10:
                self._report = bytearray([byte])
            elif byte & 0x90 == 0x00:
                self._hear_low(byte)

    def _hear_low(self, byte: int) -> None:
        if not self._report:
            self._kept[Kind.BUFFERED].append(byte)
            return
        self._report.append(byte)
        if len(self._report) == 4:
            self.reported = read_report(bytes(self._report))
            self._report.clear()

    def take(self, kind: Kind) -> int | None:
        kept = self._kept[kind]
        return kept.popleft() if kept else None

    def forget(self, kind: Kind) -> None:
        """Drop answers that came too late for their question."""
        self._kept[kind].clear()


def read_status(answers: Mapping[int, int]) -> PrinterStatus:
    """The state told by the answers to DLE EOT 1 to 4 (question -> byte), causes a hand can cure first."""
    printer, cause, error, paper = (answers[question] for question in QUESTIONS)
    return _status(
        cover=bool(cause & 0x04),
        out=bool(cause & 0x20 or paper & 0x60),
        near_end=bool(paper & 0x0C),
        cutter=bool(error & 0x08),
        broken=bool(error & 0x24),
        hot=bool(error & 0x40),
        # 0x20 of the first: paper is back, and it waits for its button to go on.
        offline=bool(printer & 0x28 or cause & 0x40),
    )


def read_report(report: bytes) -> PrinterStatus:
    """The state told by the four bytes of an automatic report."""
    printer, error, paper, _ = report
    return _status(
        cover=bool(printer & 0x20),
        out=bool(paper & 0x0C),
        near_end=bool(paper & 0x03),
        cutter=bool(error & 0x08),
        broken=bool(error & 0x24),
        hot=bool(error & 0x40),
        offline=bool(printer & 0x08),
    )


def _status(
    *, cover: bool, out: bool, near_end: bool, cutter: bool, broken: bool, hot: bool, offline: bool
) -> PrinterStatus:
    if cover:
        code = "PRINTER-COVER-OPEN"
    elif out:
        code = "PRINTER-PAPER-OUT"
    elif cutter:
        code = "PRINTER-CUTTER"
    elif broken:
        code = "PRINTER-ERROR"
    elif hot:
        code = "PRINTER-HOT"
    else:
        code = "PRINTER-OFFLINE" if offline else ""
    paper = PaperState.OUT if out else PaperState.NEAR_END if near_end else PaperState.OK
    return PrinterStatus(paper, code)
