"""The line to a network printer: python-escpos' transport with limits of its own and one kind of failure."""

from __future__ import annotations

import contextlib
import socket
import time
from types import TracebackType
from typing import Any

from clerk_app.devices.printer.status import Answers, Kind
from clerk_app.failures import Failure


class TcpLine:
    """One connection for one job. A context manager: entering connects, leaving hangs up.

    Failures: PRINTER-UNREACHABLE when nobody answers the door, PRINTER-LOST when the line breaks later.
    """

    def __init__(self, host: str, port: int, *, connect_limit: float, send_limit: float) -> None:
        self._host, self._port = host, port
        self._connect_limit, self._send_limit = connect_limit, send_limit
        self._driver: Any = None
        self.answers = Answers()

    def __enter__(self) -> TcpLine:
        from escpos.printer import Network  # 0.2 s to import: on the printer's lane, not at start

        # The socket is opened here because `Network.open` leaks it when it is refused, and knows no IPv6.
        try:
            device = socket.create_connection((self._host, self._port), self._connect_limit)
            device.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or each question waits 40 ms
        except OSError as error:
            raise Failure("PRINTER-UNREACHABLE", type(error).__name__) from error
        self._driver = Network(self._host, self._port, timeout=self._connect_limit)
        self._driver.device = device
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Not `Network.close`: it writes a line into the log, and the printer is looked at every few seconds.
        device, self._driver.device = self._driver.device, False
        with contextlib.suppress(OSError):  # the line may be broken already
            device.shutdown(socket.SHUT_RDWR)
        device.close()

    def send(self, data: bytes) -> None:
        """Hand all of `data` to the network within the limit."""
        self._driver.device.settimeout(self._send_limit)
        try:
            self._driver._raw(data)
        except OSError as error:
            raise Failure("PRINTER-LOST", type(error).__name__) from error

    def ask(self, question: bytes, kind: Kind, seconds: float) -> int | None:
        """Send `question` and wait for its answer; None when none came in time."""
        self.answers.forget(kind)
        self.send(question)
        return self.wait_for(kind, seconds)

    def wait_for(self, kind: Kind, seconds: float) -> int | None:
        """The next answer of `kind`; None when none came in time. Answers of the other kind are kept."""
        end = time.monotonic() + seconds
        while (answer := self.answers.take(kind)) is None:
            left = end - time.monotonic()
            if left <= 0:
                return None
            self._driver.device.settimeout(left)
            try:
                data = self._driver._read()
            except TimeoutError:
                return None
            except OSError as error:
                raise Failure("PRINTER-LOST", type(error).__name__) from error
            if not data:
                raise Failure("PRINTER-LOST", "hung up")
            self.answers.hear(data)
        return answer
