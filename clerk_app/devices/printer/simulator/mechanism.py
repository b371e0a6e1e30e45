"""The simulated printer without its network: print buffer, sensors, faults, and the real-time commands.

Real-time commands (DLE) are obeyed the moment they arrive, wherever they stand, also inside a picture; all
other bytes wait in the buffer until the head may move. Once switched on by GS a, every change is reported.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from clerk_app.devices.printer.simulator.interpreter import Interpreter
from clerk_app.devices.printer.simulator.paper import Paper

_DLE = 0x10
# Length of each real-time command by its second byte: DLE EOT n, DLE ENQ n, DLE DC4 fn m t.
_REAL_TIME = {0x04: 3, 0x05: 3, 0x14: 5}


@dataclass(frozen=True, slots=True)
class Faults:
    """What is wrong with the printer. The default is nothing."""

    paper_out: bool = False
    paper_near_end: bool = False
    paper_out_after_lines: int | None = None  # text lines, counted from the moment the fault is set
    cover_open: bool = False
    cutter_jammed: bool = False
    broken: bool = False  # an error only a technician clears
    overheated: bool = False
    offline: bool = False  # by its own button, no reason given
    silent: bool = False  # takes and prints everything, never answers
    lies: bool = False  # says it is well, whatever is wrong with it
    no_buffered_answer: bool = False  # answers DLE EOT, not GS r: some cheap models
    refuses: bool = False  # nobody listens on the port
    half_closed: bool = False  # accepts the connection and never reads from it
    hangs_up_after_bytes: int | None = None  # of one connection, real-time commands not counted
    bytes_per_second: int | None = None


NO_FAULTS = Faults()


class Mechanism:
    """Buffer, head and sensors of a printer `dots` wide. `answer` sends bytes to whoever is connected."""

    def __init__(
        self, dots: int, charset: str, deliver: Callable[[Paper], None], answer: Callable[[bytes], None]
    ) -> None:
        self._interpreter = Interpreter(dots, charset, deliver, self._answer_buffered, self._set_reports)
        self._answer = answer
        self._buffer: deque[int] = deque()
        self._command = b""  # a real-time command of which not all bytes have come
        self._lines_at_fault = 0
        self._reports = False
        self._reported = b""  # the newest report sent
        self.faults = NO_FAULTS
        self.received = 0  # bytes of the present connection that are not real-time commands

    @property
    def unknown(self) -> list[bytes]:
        return self._interpreter.unknown

    def connected(self) -> None:
        self.received = 0

    def disconnected(self) -> None:
        """Half a real-time command is lost with its line."""
        self._command = b""

    def set_faults(self, faults: Faults) -> None:
        """Break or repair. Repaired, it goes on with what its buffer still holds, as real ones do."""
        self.faults = faults
        self._lines_at_fault = self._interpreter.burnt
        self._report()
        self._work()

    def receive(self, data: bytes) -> bool:
        """Bytes from the line. False once the printer hangs up by its fault; the rest is then lost."""
        limit = self.faults.hangs_up_after_bytes
        for byte in data:
            self._filter(byte)
            if limit is not None and self.received >= limit:
                return False
        return True

    def tear_off(self) -> Paper:
        return self._interpreter.tear_off()

    # --- inside ----------------------------------------------------------------------------------------

    def _filter(self, byte: int) -> None:
        """Take real-time commands out of the stream and obey them; store everything else."""
        command = self._command + bytes([byte])
        if command[0] != _DLE or (len(command) > 1 and command[1] not in _REAL_TIME):
            self._command = b""
            self._store(command)
        elif len(command) > 1 and len(command) == _REAL_TIME[command[1]]:
            self._command = b""
            self._obey(command)
        else:
            self._command = command

    def _obey(self, command: bytes) -> None:
        """DLE EOT n: a question. DLE DC4 1 m t: the drawer, at once. DLE ENQ has nothing to recover here."""
        if command[1] == 0x04 and not self.faults.silent:
            self._answer(bytes([self._status(command[2])]))
        elif command[1] == 0x14 and command[2] == 1:
            self._interpreter.kick()

    def _store(self, data: bytes) -> None:
        self.received += len(data)
        self._buffer.extend(data)
        self._work()

    def _work(self) -> None:
        while self._buffer and not self._stopped:
            self._interpreter.take(self._buffer.popleft())
        self._report()

    @property
    def _paper_out(self) -> bool:
        after = self.faults.paper_out_after_lines
        burnt = self._interpreter.burnt - self._lines_at_fault
        return self.faults.paper_out or (after is not None and burnt >= after)

    @property
    def _stopped(self) -> bool:
        """Whether the head stands still."""
        faults = self.faults
        error = faults.cutter_jammed or faults.broken or faults.overheated
        return self._paper_out or faults.cover_open or faults.offline or error

    def _status(self, question: int) -> int:
        """The answer to DLE EOT `question`: bits 1 and 4 are always set."""
        faults, answer = self.faults, 0x12
        if faults.lies:
            return answer
        error = faults.cutter_jammed or faults.broken or faults.overheated
        match question:
            case 1:
                answer |= 0x08 * self._stopped
            case 2:
                answer |= 0x04 * faults.cover_open + 0x20 * self._paper_out + 0x40 * error
            case 3:
                answer |= 0x08 * faults.cutter_jammed + 0x20 * faults.broken + 0x40 * faults.overheated
            case 4:
                answer |= 0x0C * (faults.paper_near_end or self._paper_out) + 0x60 * self._paper_out
        return answer

    def _set_reports(self, n: int) -> None:
        """GS a: 0 switches reports off, anything else on, with one about now."""
        self._reports = bool(n)
        self._reported = b""
        self._report()

    def _report(self) -> None:
        """Four bytes when they are not those of the last time: printer, error, paper, nothing."""
        faults = self.faults
        if not self._reports or faults.silent:
            return
        printer = 0x10 + 0x08 * self._stopped + 0x20 * faults.cover_open
        error = 0x08 * faults.cutter_jammed + 0x20 * faults.broken + 0x40 * faults.overheated
        paper = 0x03 * (faults.paper_near_end or self._paper_out) + 0x0C * self._paper_out
        report = b"\x10\x00\x00\x00" if faults.lies else bytes([printer, error, paper, 0])
        if report != self._reported:
            self._reported = report
            self._answer(report)

    def _answer_buffered(self) -> None:
        if not self.faults.silent and not self.faults.no_buffered_answer:
            self._answer(bytes([0x03 * self.faults.paper_near_end]))
