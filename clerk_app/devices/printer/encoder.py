"""Elements of a slip as ESC/POS bytes for printers with a Chinese font.

python-escpos is not used for text: it sends full-width punctuation as question marks, loses hanzi beyond the
first block and switches code pages in the middle of a line. Here every character either is in the printer's
declared set, in exactly the columns it was laid out in, or its whole line is drawn as dots.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from functools import cache

from clerk_app.devices.printer.columns import clean, clusters, columns
from clerk_app.devices.printer.dots import bands, line_dots, raster
from clerk_app.devices.printer.fonts import font_for
from clerk_app.devices.printer.layout import (
    LEADING_DOTS,
    PLAIN,
    ROW_DOTS,
    Align,
    Barcode,
    Cut,
    Drawer,
    Element,
    Line,
    Picture,
    QrCode,
    Roll,
    Space,
    Style,
)


class Encoding(StrEnum):
    """The set of characters a printer declares to hold."""

    GB18030 = "gb18030"
    GBK = "gbk"
    GB2312 = "gb2312"


INITIALISE = b"\x1b@"
CHINESE_ON = b"\x1c&"  # off at power-on in models for other markets
HANZI_SPACING_NONE = b"\x1cS\x00\x00"
REPORTS_OFF = b"\x1da\x00"  # automatic status, perhaps left on by another program, would mix with our answers
CUT = b"\x1dVB\x18"
OPEN_DRAWER = b"\x1bp\x00\x19\xfa"  # ESC p: connector pin 2, 50 ms on, 500 ms off

PROLOGUE = INITIALISE + CHINESE_ON + HANZI_SPACING_NONE + REPORTS_OFF


def encode(elements: Sequence[Element], roll: Roll, encoding: Encoding) -> bytes:
    """The job of one slip, complete from initialising to the cut.

    Raises Failure("PRINTER-NO-GLYPH", "U+XXXX") for a character that neither the printer nor a font holds,
    and ValueError for a line wider than the paper (a bug of the layout).
    """
    job = _Job(roll, encoding)
    for element in elements:
        job.add(element)
    return bytes(job.data)


def missing(text: str, encoding: Encoding) -> tuple[str, ...]:
    """The characters of `text` that neither the declared set nor a font of this machine holds, each once."""
    unwritten = (c for c in clusters(clean(text)) if c != " " and not _in_set(c, encoding))
    return tuple(dict.fromkeys(c for c in unwritten if font_for(c, ROW_DOTS) is None))


class _Job:
    """The bytes so far and what the printer has been set to by them."""

    def __init__(self, roll: Roll, encoding: Encoding) -> None:
        self.data = bytearray(PROLOGUE)
        self._roll = roll
        self._encoding = encoding
        self._align = Align.LEFT
        self._pitch = 0
        self._style = PLAIN

    def add(self, element: Element) -> None:
        match element:
            case Line() if element.columns > self._roll.columns:
                raise ValueError(f"{element.columns} columns on paper of {self._roll.columns}")
            case Line() if _writable(element, self._encoding):
                self._write(element)
            case Line():
                self._set_align(Align.LEFT)  # the picture is as wide as the paper
                self.data += raster(line_dots(element, self._roll))
            case QrCode():
                self._set_align(Align.CENTRE)
                self.data += _qr(element)
            case Barcode():
                self._set_align(Align.CENTRE)
                self.data += _code128(element)
            case Picture() if element.width > self._roll.dots:
                raise ValueError(f"a picture of {element.width} dots on paper of {self._roll.dots}")
            case Picture():
                self._set_align(Align.CENTRE)
                self.data += b"".join(raster(band) for band in bands(element))
            case Drawer():
                self.data += OPEN_DRAWER
            case Space():
                self.data += b"\x1bJ" + bytes([element.dots])
            case Cut():
                self.data += CUT

    def _write(self, line: Line) -> None:
        self._set_align(line.align)
        pitch = ROW_DOTS * line.height + LEADING_DOTS
        if pitch != self._pitch:
            self.data += b"\x1b3" + bytes([pitch])
            self._pitch = pitch
        for run in line.runs:
            if run.style != self._style:
                self.data += _style(run.style)
                self._style = run.style
            self.data += run.text.encode(_CODEC[self._encoding])
        self.data += b"\n"

    def _set_align(self, align: Align) -> None:
        if align is not self._align:
            self.data += b"\x1ba" + bytes([align.value])
            self._align = align


# GB 2312 is sent in the bytes of GBK, its superset: Python's gb2312 gives "·" and "—" to other characters.
_CODEC = {Encoding.GB18030: "gb18030", Encoding.GBK: "gbk", Encoding.GB2312: "gbk"}


def _writable(line: Line, encoding: Encoding) -> bool:
    """Whether the printer's own letters can write the whole line."""
    return all(
        _in_set(cluster, encoding) and (run.style.width <= 2 >= run.style.height or cluster.isascii())
        for run in line.runs
        for cluster in clusters(run.text)
    )


@cache
def _in_set(cluster: str, encoding: Encoding) -> bool:
    """Whether `cluster` is one character of the declared set with a glyph as wide as its columns.

    Four-byte GB 18030 is left out on purpose: printers that declare it draw digits and boxes there.
    A private-use character (not "printable" to Python) is never sent: its glyph is whatever the printer's
    maker wanted.
    """
    try:
        code = cluster.encode(_CODEC[encoding])
        if encoding is Encoding.GB2312:
            code.decode("gb2312")
    except UnicodeError:
        return False
    return len(code) == columns(cluster) and cluster.isprintable()


def _style(style: Style) -> bytes:
    """Size, weight and line for Latin (ESC !, GS !) and again for hanzi (FS !): many clones scale them apart.

    FS ! knows double only; text of three times and more is Latin by `_writable`.
    """
    double = 0x10 * (style.height > 1) + 0x20 * (style.width > 1)
    latin = double + 0x08 * style.bold + 0x80 * style.underline
    size = (style.width - 1) << 4 | (style.height - 1)
    hanzi = 0x04 * (style.width > 1) + 0x08 * (style.height > 1) + 0x80 * style.underline
    reverse = bytes([style.reverse])
    return bytes([0x1B, 0x21, latin, 0x1C, 0x21, hanzi, 0x1D, 0x21, size]) + b"\x1dB" + reverse


def _qr(code: QrCode) -> bytes:
    """GS ( k: model 2, side of a module, error correction M, data, print."""
    data = code.data.encode("ascii")
    length = (len(data) + 3).to_bytes(2, "little")
    return (
        b"\x1d(k\x04\x001A2\x00"
        + b"\x1d(k\x03\x001C" + bytes([code.module])
        + b"\x1d(k\x03\x001E1"
        + b"\x1d(k" + length + b"1P0" + data
        + b"\x1d(k\x03\x001Q0"
    )  # fmt: skip


def _code128(code: Barcode) -> bytes:
    """GS k in set B only. Set C would be shorter but sends digit pairs as values: "1604" becomes DLE EOT."""
    data = b"{B" + code.data.encode("ascii").replace(b"{", b"{{")
    height, module = bytes([code.height]), bytes([code.module])
    return b"\x1dh" + height + b"\x1dw" + module + b"\x1dH\x00" + b"\x1dkI" + bytes([len(data)]) + data
