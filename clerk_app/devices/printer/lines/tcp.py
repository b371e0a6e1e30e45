"""A printer on the network: python-escpos' transport with limits of its own."""

from __future__ import annotations

import contextlib
import socket
from typing import Any

from clerk_app.devices.printer.lines.line import Line


class TcpLine(Line):
    """One TCP connection to `host`:`port`."""

    def __init__(self, host: str, port: int, *, connect_limit: float, send_limit: float) -> None:
        super().__init__(send_limit=send_limit)
        self._host, self._port = host, port
        self._connect_limit = connect_limit
        self._driver: Any = None

    def _open(self) -> None:
        from escpos.printer import Network  # 0.2 s to import: on the printer's lane, not at start

        # The socket is opened here because `Network.open` leaks it when it is refused, and knows no IPv6.
        device = socket.create_connection((self._host, self._port), self._connect_limit)
        device.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or each question waits 40 ms
        self._driver = Network(self._host, self._port, timeout=self._connect_limit)
        self._driver.device = device

    def _close(self) -> None:
        if self._driver is None:
            return
        # Not `Network.close`: it writes a line into the log, and the printer is looked at every few seconds.
        device, self._driver.device = self._driver.device, False
        with contextlib.suppress(OSError):  # the line may be broken already
            device.shutdown(socket.SHUT_RDWR)
        device.close()

    def _write(self, data: bytes, seconds: float) -> None:
        self._driver.device.settimeout(seconds)
        self._driver._raw(data)

    def _read(self, seconds: float) -> bytes:
        self._driver.device.settimeout(seconds)
        try:
            data: bytes = self._driver._read()
        except TimeoutError:
            return b""
        if not data:
            raise ConnectionResetError("hung up")
        return data
