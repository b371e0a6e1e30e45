"""Which line a printer's address means.

tcp://192.0.2.10:9100                         network, port 9100 when left out
serial:///dev/ttyS0?baud=9600&flow=dsrdtr     serial port; serial://COM3 on Windows
file:///dev/usb/lp0                           device file
usb://04b8:0e15                               USB by vendor and product, ?serial= for one of two
cups://queue                                  raw queue of CUPS; cups://host:631/queue on a server
windows://Printer name                        the Windows spooler
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qsl, unquote, urlsplit

from clerk_app.devices.printer.lines.file import FileLine
from clerk_app.devices.printer.lines.line import Line
from clerk_app.devices.printer.lines.serial import FLOWS, PARITIES, SerialLine, SerialPort
from clerk_app.devices.printer.lines.spooler import CupsLine, WindowsLine
from clerk_app.devices.printer.lines.tcp import TcpLine
from clerk_app.devices.printer.lines.usb import UsbLine

LineFactory = Callable[[], Line]  # a new line for each job


def line_factory(url: str, *, connect_limit: float, send_limit: float) -> LineFactory:
    """The lines to the printer at `url`; nothing is opened yet. Raises ValueError for a wrong address."""
    scheme, separator, rest = url.partition("://")
    maker = _MAKERS.get(scheme)
    if maker is None or not separator:
        raise ValueError(f"not one of {', '.join(sorted(_MAKERS))}: {scheme}")
    return maker(rest, connect_limit, send_limit)


def _tcp(rest: str, connect_limit: float, send_limit: float) -> LineFactory:
    parts = urlsplit(f"tcp://{rest}")
    host, port = parts.hostname, parts.port or 9100
    if not host or parts.path not in {"", "/"} or parts.query:
        raise ValueError(f"not tcp://host:port: {rest}")
    return lambda: TcpLine(host, port, connect_limit=connect_limit, send_limit=send_limit)


def _serial(rest: str, _: float, send_limit: float) -> LineFactory:
    name, options = _options(rest, {"baud", "flow", "parity"})
    port = SerialPort(
        name, int(options.get("baud", "9600")), options.get("flow", "dsrdtr"), options.get("parity", "none")
    )
    if not name or port.baud <= 0 or port.flow not in FLOWS or port.parity not in PARITIES:
        raise ValueError(f"not serial://port?baud=&flow={'|'.join(FLOWS)}&parity={'|'.join(PARITIES)}")
    return lambda: SerialLine(port, send_limit=send_limit)


def _file(rest: str, _: float, send_limit: float) -> LineFactory:
    path = unquote(rest)
    if not path.startswith("/"):
        raise ValueError(f"not file:///path: {rest}")
    return lambda: FileLine(path, send_limit=send_limit)


def _usb(rest: str, _: float, send_limit: float) -> LineFactory:
    name, options = _options(rest, {"serial"})
    ids = re.fullmatch("([0-9A-Fa-f]{4}):([0-9A-Fa-f]{4})", name)
    if ids is None:
        raise ValueError(f"not usb://vendor:product in four hexadecimal digits each: {name}")
    vendor, product = (int(each, 16) for each in ids.groups())
    return lambda: UsbLine(vendor, product, options.get("serial", ""), send_limit=send_limit)


def _cups(rest: str, _: float, send_limit: float) -> LineFactory:
    server, _slash, queue = rest.rpartition("/")
    queue = unquote(queue)
    # An option of lp is no queue, nor is a printer instance or a path.
    if not re.fullmatch(r"[^\s/#-][^\s/#]*", queue) or "/" in server or server.startswith("-"):
        raise ValueError(f"not cups://queue or cups://host:port/queue: {rest}")
    return lambda: CupsLine(queue, server, send_limit=send_limit)


def _windows(rest: str, _: float, send_limit: float) -> LineFactory:
    name = unquote(rest)
    if not name.strip():
        raise ValueError("not windows://printer name")
    return lambda: WindowsLine(name, send_limit=send_limit)


_MAKERS: dict[str, Callable[[str, float, float], LineFactory]] = {
    "tcp": _tcp,
    "serial": _serial,
    "file": _file,
    "usb": _usb,
    "cups": _cups,
    "windows": _windows,
}


def _options(rest: str, known: set[str]) -> tuple[str, dict[str, str]]:
    """`name?key=value&…` taken apart. Raises ValueError for a key that is not known."""
    name, _, query = rest.partition("?")
    options = dict(parse_qsl(query, strict_parsing=True)) if query else {}
    if unknown := options.keys() - known:
        raise ValueError(f"unknown option: {', '.join(sorted(unknown))}")
    return unquote(name), options
