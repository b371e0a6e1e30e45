"""A printer on a serial port, by pyserial."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from clerk_app.devices.printer.lines.line import Line

FLOWS = ("dsrdtr", "rtscts", "xonxoff", "none")
PARITIES = {"none": "N", "even": "E", "odd": "O"}
_BITS = 11  # of a byte on the line, with start, stop and parity
_SLICE = 0.05  # seconds of data written before the printer's readiness is looked at again


@dataclass(frozen=True, slots=True)
class SerialPort:
    """A port as printers call theirs: `/dev/ttyS0` or `COM3`, its speed, its flow control, its parity."""

    name: str
    baud: int = 9600
    flow: str = "dsrdtr"
    parity: str = "none"


def open_port(port: SerialPort) -> Any:
    """The pyserial port, exclusively ours. Without a limit of its own it would spin while it is full."""
    import serial

    return serial.Serial(
        port.name,
        port.baud,
        parity=PARITIES[port.parity],
        timeout=0,
        write_timeout=1,
        rtscts=port.flow == "rtscts",
        dsrdtr=port.flow == "dsrdtr",
        xonxoff=port.flow == "xonxoff",
        exclusive=True,
    )


class SerialLine(Line):
    """A serial line. python-escpos' `Serial` waits for ever to write, so the port is used directly.

    DTR/DSR, the flow control of most printers, is done here: Linux has none and pyserial asks for it in
    vain, so that a long slip would lose its middle in the printer's full buffer.
    """

    def __init__(
        self, port: SerialPort, *, send_limit: float, opener: Callable[[SerialPort], Any] = open_port
    ) -> None:
        super().__init__(send_limit=send_limit)
        self._port = port
        self._opener = opener
        self._device: Any = None
        self._slice = max(16, int(port.baud * _SLICE) // _BITS)

    def seconds_for(self, size: int) -> float:
        return size * _BITS / self._port.baud

    def _open(self) -> None:
        try:
            self._device = self._opener(self._port)
        except ValueError as error:  # a speed this port does not know
            raise OSError(str(error)) from error

    def _close(self) -> None:
        if self._device is None:
            return
        device, self._device = self._device, None
        with contextlib.suppress(OSError):
            device.close()

    def _write(self, data: bytes, seconds: float) -> None:
        """Until the last byte has left the port's buffer: closing would wait half a minute for the rest."""
        end = time.monotonic() + seconds
        left = memoryview(data)
        while left or self._device.out_waiting:
            if left and self._ready():
                left = left[self._device.write(left[: self._slice]) or 0 :]
                continue
            if time.monotonic() >= end:
                self._device.reset_output_buffer()
                raise TimeoutError("the port takes no more")
            time.sleep(_SLICE / 2)

    def _ready(self) -> bool:
        """Whether the printer takes more, and what was handed to the port before is on its way."""
        if self._device.out_waiting >= self._slice:
            return False
        try:
            return self._port.flow != "dsrdtr" or bool(self._device.dsr)
        except OSError:  # a port without modem lines: a pseudo-terminal, some USB adapters
            return True

    def _read(self, seconds: float) -> bytes:
        self._device.timeout = seconds
        data: bytes = self._device.read(1)
        return data + self._device.read(self._device.in_waiting) if data else data
