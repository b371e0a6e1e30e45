"""Elements of a slip as ESC/POS bytes for printers with a Chinese font.

python-escpos is not used for text: it sends full-width punctuation as question marks, loses hanzi beyond the
first block and switches code pages in the middle of a line. Here every character either is in the printer's
declared set, in exactly the columns it was laid out in, or its whole line is drawn as dots. Code pages are
not used at all, so that Chinese mode (FS &) is never left (FS .).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from enum import StrEnum
from functools import cache

from PIL import Image

from clerk_app.devices.printer import codes
from clerk_app.devices.printer.columns import clean, clusters, columns
from clerk_app.devices.printer.dots import bands, line_dots, raster, without_margin
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
from clerk_app.devices.printer.status import REPORTS_OFF, REPORTS_ON


class Encoding(StrEnum):
    """The set of characters a printer declares to hold, and how they are sent.

    UTF8 is for printers that have been set to UTF-8 (by their own tool: there is no common command): the
    two-byte part of GB 18030, which is what their fonts hold, sent as UTF-8, without the signs of ambiguous
    width (é, “, ·), which some of them take from a Latin font in half the columns.

    RASTER sends nothing but dots, codes included, for printers without Chinese or of unknown make.
    """

    GB18030 = "gb18030"
    GBK = "gbk"
    GB2312 = "gb2312"
    UTF8 = "utf8"
    RASTER = "raster"


INITIALISE = b"\x1b@"
CHINESE_ON = b"\x1c&"  # off at power-on in models for other markets
HANZI_SPACING_NONE = b"\x1cS\x00\x00"
_QR_CORRECTION = 1  # M, of L, M, Q, H
CUT = b"\x1dVB\x18"
OPEN_DRAWER = b"\x1bp\x00\x19\xfa"  # ESC p: connector pin 2, 50 ms on, 500 ms off

PROLOGUE = INITIALISE + CHINESE_ON + HANZI_SPACING_NONE + REPORTS_OFF


def reporting(job: bytes) -> bytes:
    """`job` with automatic reports switched on where it switches off those another program left on."""
    begin = len(PROLOGUE) - len(REPORTS_OFF)
    return job[:begin] + REPORTS_ON + job[len(PROLOGUE) :]


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
                self._set_align(Align.LEFT)  # the picture begins where the paper does
                self._draw(without_margin(line_dots(element, self._roll)))
            case QrCode() if self._encoding is Encoding.RASTER:
                self._set_align(Align.CENTRE)
                self._draw(codes.qr(element.data, element.module, _QR_CORRECTION))
            case Barcode() if self._encoding is Encoding.RASTER:
                self._set_align(Align.CENTRE)
                self._draw(codes.code128(element.data, element.module, element.height))
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
                self._draw(Image.frombytes("1", (element.width, element.height), element.rows))
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

    def _draw(self, picture: Image.Image) -> None:
        for band in bands(picture):
            if band.getbbox() is None:
                self.data += b"\x1bJ" + bytes([band.height])
            else:
                self.data += raster(band)

    def _set_align(self, align: Align) -> None:
        if align is not self._align:
            self.data += b"\x1ba" + bytes([align.value])
            self._align = align


# GB 2312 is sent in the bytes of GBK, its superset: Python's gb2312 gives "·" and "—" to other characters.
_CODEC = {Encoding.GB18030: "gb18030", Encoding.GBK: "gbk", Encoding.GB2312: "gbk", Encoding.UTF8: "utf-8"}
_SET = {**_CODEC, Encoding.UTF8: "gb18030"}


def _writable(line: Line, encoding: Encoding) -> bool:
    """Whether the printer's own letters can write the whole line."""
    return encoding is not Encoding.RASTER and all(
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
    if encoding is Encoding.RASTER:
        return False
    try:
        code = cluster.encode(_SET[encoding])
        if encoding is Encoding.GB2312:
            code.decode("gb2312")
    except UnicodeError:
        return False
    if encoding is Encoding.UTF8 and any(unicodedata.east_asian_width(sign) == "A" for sign in cluster):
        return False
    return len(code) == columns(cluster) and cluster.isprintable()


def _style(style: Style) -> bytes:
    """Size, weight and line for Latin, and again for hanzi in each way a printer may know them by.

    Clones scale hanzi by FS !, by FS W (double in both directions), by ESC ! or by GS !, and underline them
    by FS ! or FS -; what one does not know it ignores. GS ! has the last word: all that know it agree on it.
    FS knows double only; text of three times and more is Latin by `_writable`.
    """
    wide, high, line = style.width > 1, style.height > 1, style.underline
    return (
        b"\x1b!" + bytes([0x10 * high + 0x20 * wide + 0x08 * style.bold + 0x80 * line])
        + b"\x1b-" + bytes([line])
        + b"\x1cW" + bytes([wide and high])
        + b"\x1c!" + bytes([0x04 * wide + 0x08 * high + 0x80 * line])
        + b"\x1c-" + bytes([line])
        + b"\x1d!" + bytes([(style.width - 1) << 4 | (style.height - 1)])
        + b"\x1dB" + bytes([style.reverse])
    )  # fmt: skip


def _qr(code: QrCode) -> bytes:
    """GS ( k: model 2, side of a module, error correction M, data, print."""
    data = code.data.encode("ascii")
    length = (len(data) + 3).to_bytes(2, "little")
    return (
        b"\x1d(k\x04\x001A2\x00"
        + b"\x1d(k\x03\x001C" + bytes([code.module])
        + b"\x1d(k\x03\x001E" + bytes([48 + _QR_CORRECTION])
        + b"\x1d(k" + length + b"1P0" + data
        + b"\x1d(k\x03\x001Q0"
    )  # fmt: skip


def _code128(code: Barcode) -> bytes:
    """GS k in set B only. Set C would be shorter but sends digit pairs as values: "1604" becomes DLE EOT."""
    data = b"{B" + code.data.encode("ascii").replace(b"{", b"{{")
    height, module = bytes([code.height]), bytes([code.module])
    return b"\x1dh" + height + b"\x1dw" + module + b"\x1dH\x00" + b"\x1dkI" + bytes([len(data)]) + data
