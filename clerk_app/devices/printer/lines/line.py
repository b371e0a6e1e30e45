"""The line to a printer: one connection for one job, with limits, and one kind of failure.

What lies under it (network, serial port, device file, USB, a spooler) differs in four verbs: open, close,
write, read. `transports` chooses by the address.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from clerk_app.devices.printer.status import Answers, Kind
from clerk_app.failures import Failure


class Line(ABC):
    """A context manager: entering opens, leaving hangs up; used once, on one thread.

    Failures: PRINTER-UNREACHABLE when it cannot be opened, PRINTER-LOST when it breaks later or takes
    nothing for `send_limit` seconds. A printer that said by itself why it stopped is named instead.
    """

    two_way = True  # whether the printer can be heard; known once open

    def __init__(self, *, send_limit: float) -> None:
        self._send_limit = send_limit
        self.answers = Answers()

    # --- what lies under it ----------------------------------------------------------------------------

    @abstractmethod
    def _open(self) -> None:
        """Raises OSError."""

    @abstractmethod
    def _close(self) -> None:
        """Never raises, never waits."""

    @abstractmethod
    def _write(self, data: bytes, seconds: float) -> None:
        """Hand over all of `data`. Raises OSError, TimeoutError among them."""

    @abstractmethod
    def _read(self, seconds: float) -> bytes:
        """What came within `seconds`, empty when nothing did. Raises OSError when the line is gone."""

    def _refusal(self) -> str:
        """Why a job would be of no use, as far as a line without answers can know: a code or nothing."""
        return ""

    def seconds_for(self, size: int) -> float:
        """How long `size` bytes are on their way, where that is not next to nothing."""
        return 0.0

    # --- for the printer -------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        try:
            self._open()
        except OSError as error:
            self._close()
            raise Failure("PRINTER-UNREACHABLE", type(error).__name__) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def refusal(self) -> str:
        """For one-way lines: the code of what is known to be wrong on this side of the printer, or empty."""
        return self._refusal()

    def send(self, data: bytes) -> None:
        """Hand over all of `data` within the limit."""
        try:
            self._write(data, self._send_limit + self.seconds_for(len(data)))
        except OSError as error:
            raise Failure(self._last_words() or "PRINTER-LOST", type(error).__name__) from error

    def ask(self, question: bytes, kind: Kind, seconds: float) -> int | None:
        """Send `question` and wait for its answer; None when none came in time."""
        self.answers.forget(kind)
        self.send(question)
        return self.wait_for(kind, seconds)

    def wait_for(self, kind: Kind, seconds: float) -> int | None:
        """The next answer of `kind`; None when none came in time. Answers of the other kind are kept.

        The wait for a buffered answer ends early when the printer reports that it has stopped.
        """
        end = time.monotonic() + seconds
        while (answer := self.answers.take(kind)) is None:
            left = end - time.monotonic()
            if left <= 0 or (kind is Kind.BUFFERED and self.answers.trouble):
                return None
            try:
                self.answers.hear(self._read(left))
            except OSError as error:
                raise Failure("PRINTER-LOST", type(error).__name__) from error
        return answer

    def _last_words(self) -> str:
        """What the printer reported before it took no more: out of paper it stops reading, too."""
        try:
            while heard := self._read(0.01):
                self.answers.hear(heard)
        except OSError:
            pass
        return self.answers.trouble
