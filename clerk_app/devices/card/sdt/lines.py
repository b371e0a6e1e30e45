"""The wire to an SDT reader: a serial port, a TCP connection, or PC/SC control codes.

    serial:///dev/ttyUSB0?baud=115200    serial://COM3
    tcp://host:port
    pcsc://part of the reader's name?code=1

A line carries bytes; what they mean is `exchange`'s. It raises Failure CARD-NO-READER when nothing is there
or what was there has gone, CARD-BUSY when another program holds it, CARD-LINE when it takes no bytes.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from clerk_app.failures import Failure

BAUDS = (115200, 57600, 38400, 19200, 9600)  # what the module can be set to; the first is its default
_SERIAL_WAIT = 0.05  # seconds of one look; a change of it would set the whole port up again
_WRITE_SECONDS = 1.0
_CONNECT_SECONDS = 3.0
_CHUNK = 4096


class Line(Protocol):
    """Bytes there and back. One thread uses it."""

    def write(self, data: bytes) -> None: ...

    def read(self, seconds: float) -> bytes:
        """What is there, after waiting for at most about `seconds`; empty when nothing came."""

    def discard(self) -> None:
        """Forget what came and was not read."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Port:
    """Where a reader is. `name` is its address without options, as it is shown.

    `number` is the speed of a serial line, the port of a TCP address, or the function number of a control
    code (0: the usual one of this system).
    """

    kind: str
    name: str
    place: str
    number: int


def port(url: str) -> Port:
    """The port a settings' URL means. Failure SETTINGS-INVALID names reader.port and what is wrong."""
    kind, marked, rest = url.partition("://")
    address, _, query = rest.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    place = unquote(address)
    if not marked or kind not in {"serial", "tcp", "pcsc"}:
        raise _invalid("must begin with serial://, tcp:// or pcsc://")
    if not place:
        raise _invalid("names no reader")
    if kind == "tcp":
        place, number = _host_and_port(address)
    elif kind == "serial":
        number = _number(options, "baud", BAUDS[0])
        if number not in BAUDS:
            raise _invalid(f"baud must be one of {', '.join(map(str, BAUDS))}")
    else:
        number = _number(options, "code", 0)
    if options:
        raise _invalid(f"unknown option {min(options)}")
    return Port(kind, f"{kind}://{unquote(address)}", place, number)


def open_line(where: Port) -> Line:
    """The open line to a reader. Raises Failure as the module says; CARD-SERVICE-LOST without PC/SC."""
    if where.kind == "serial":
        return SerialLine(where.place, where.number)
    if where.kind == "tcp":
        return TcpLine(where.place, where.number)
    from clerk_app.devices.card.sdt.tunnel import TunnelLine  # needs the PC/SC library

    return TunnelLine(where.place, where.number)


class SerialLine:
    """A serial port, 8 data bits, no parity, one stop bit; held for this program alone."""

    def __init__(self, device: str, baud: int) -> None:
        import serial

        self._gone = _gone_errors()
        self._timed_out = serial.SerialTimeoutException
        try:
            self._port = serial.Serial(
                device, baud, timeout=_SERIAL_WAIT, write_timeout=_WRITE_SECONDS, exclusive=True
            )
        except self._gone as error:
            # pyserial tells only in words: its lock on Linux, the refusal of a port that is open on Windows
            held = any(words in str(error) for words in ("exclusively lock", "PermissionError"))
            raise Failure("CARD-BUSY" if held else "CARD-NO-READER", str(error)) from error

    def write(self, data: bytes) -> None:
        try:
            self._port.write(data)
        except self._timed_out as error:
            raise Failure("CARD-LINE", "the port takes no bytes") from error
        except self._gone as error:
            raise _gone(error) from error

    def read(self, seconds: float) -> bytes:
        try:
            first: bytes = self._port.read(1)
            return first + self._port.read(self._port.in_waiting) if first else b""
        except self._gone as error:
            raise _gone(error) from error

    def discard(self) -> None:
        try:
            self._port.reset_input_buffer()
        except self._gone as error:
            raise _gone(error) from error

    def close(self) -> None:
        self._port.close()


class TcpLine:
    """A connection to a reader on the network, or to a serial server before it."""

    def __init__(self, host: str, number: int) -> None:
        try:
            self._socket = socket.create_connection((host, number), _CONNECT_SECONDS)
        except OSError as error:
            raise _gone(error) from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def write(self, data: bytes) -> None:
        try:
            self._socket.settimeout(_WRITE_SECONDS)
            self._socket.sendall(data)
        except TimeoutError as error:
            raise Failure("CARD-LINE", "the connection takes no bytes") from error
        except OSError as error:
            raise _gone(error) from error

    def read(self, seconds: float) -> bytes:
        try:
            self._socket.settimeout(seconds)
            data = self._socket.recv(_CHUNK)
        except (TimeoutError, BlockingIOError):
            return b""
        except OSError as error:
            raise _gone(error) from error
        if not data:
            raise Failure("CARD-NO-READER", "the connection was closed")
        return data

    def discard(self) -> None:
        for _ in range(16):  # a reader that chatters without end is not waited for
            if not self.read(0):
                return

    def close(self) -> None:
        self._socket.close()


def _gone_errors() -> tuple[type[Exception], ...]:
    """What pyserial lets through when its port has gone or been closed underneath."""
    from serial import SerialException

    try:
        import termios
    except ImportError:  # Windows
        return (SerialException, OSError, TypeError, ValueError)
    return (SerialException, OSError, TypeError, ValueError, termios.error)


def _gone(error: Exception) -> Failure:
    return Failure("CARD-NO-READER", str(error))


def _host_and_port(address: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{address}")
        if parts.hostname and parts.port and parts.netloc == address and "@" not in address:
            return parts.hostname, parts.port
    except ValueError:
        pass
    raise _invalid("must be tcp://host:port")


def _number(options: dict[str, str], key: str, usual: int) -> int:
    """The option `key`, taken out of `options`."""
    told = options.pop(key, str(usual))
    try:
        return int(told, 0)
    except ValueError:
        raise _invalid(f"{key} must be a number") from None


def _invalid(what: str) -> Failure:
    return Failure("SETTINGS-INVALID", f"reader.port {what}")
