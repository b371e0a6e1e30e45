"""The simulator's paper: what a thermal head would burn, drawn with real fonts.

Everything is drawn at one pixel a dot (203 dots an inch), so that codes can be read back from the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter, ImageOps

from clerk_app.devices.printer import codes
from clerk_app.devices.printer.fonts import font_for

_SHEET = (251, 250, 245)
_INK = (38, 38, 42)
_DESK = (214, 216, 220)
_MARGINS = {576: 32, 384: 40}  # unprinted dots left and right: 80 mm and 58 mm rolls
_LONGEST = 24_000  # dots, three metres: what runs on beyond is garbage, and not kept
_TOOTH = 8  # dots of one tooth of the tear bar


@dataclass(frozen=True, slots=True)
class Look:
    """How a letter is to be drawn; `small` is font B, 9 x 17 dots beside the 12 x 24 of font A."""

    width: int = 1
    height: int = 1
    bold: bool = False
    underline: bool = False
    reverse: bool = False
    small: bool = False

    @property
    def rows(self) -> int:
        """Height in dots."""
        return (17 if self.small else 24) * self.height


@dataclass(frozen=True, slots=True)
class Letter:
    """One character in its cell: 24 dots wide for hanzi, 12 or 9 for Latin, times the look's width.

    With `image` it is column graphics (ESC *), which stand in the line as letters do.
    """

    character: str
    dots: int
    look: Look
    image: Image.Image | None = None

    @property
    def rows(self) -> int:
        return self.image.height if self.image else self.look.rows


@dataclass(frozen=True, slots=True)
class Paper:
    """One piece of paper: its ink (255 on 0) and its text, line by line (codes and pictures in brackets).

    Its picture is drawn when it is asked for: the printer's own thread has questions to answer.
    `cut` is "full", "partial" (a bridge holds the paper) or "torn" (by hand).
    """

    ink: Image.Image
    text: str
    cut: str = "torn"

    @property
    def image(self) -> Image.Image:
        """Ink on paper on a desk."""
        return _on_desk(self.ink, _MARGINS.get(self.ink.width, 32))

    @property
    def png(self) -> bytes:
        return together([self])

    def save(self, path: Path) -> None:
        path.write_bytes(self.png)
        path.with_suffix(".txt").write_text(self.text, encoding="utf-8")


def together(papers: Sequence[Paper]) -> bytes:
    """Pieces of one slip as a PNG, the first on top."""
    images = [paper.image for paper in papers]
    desk = Image.new("RGB", (images[0].width, sum(each.height for each in images)), _DESK)
    y = 0
    for each in images:
        desk.paste(each, (0, y))
        y += each.height
    buffer = BytesIO()
    desk.save(buffer, "PNG", compress_level=3)  # looked at once: speed before size
    return buffer.getvalue()


@dataclass(slots=True)
class Strip:
    """The paper in the printer, growing line by line. `dots` is the width the head can burn."""

    dots: int
    _bands: list[Image.Image] = field(default_factory=list)
    _text: list[str] = field(default_factory=list)
    _height: int = 0

    def note(self, text: str) -> None:
        """Something that happened and left nothing on the paper."""
        self._text.append(text)

    def letters(self, letters: list[Letter], align: int, pitch: int) -> None:
        """Burn one line and feed by `pitch` dots, or by the letters' height where that is more."""
        height = max((letter.rows for letter in letters), default=24)
        band = Image.new("L", (self.dots, max(pitch, height)), 0)
        x = self._left(sum(letter.dots for letter in letters), align)
        for letter in letters:
            drawn = _draw(letter)
            band.paste(drawn, (x, height - drawn.height))
            x += drawn.width
        self._add(band)
        self._text.append("".join(letter.character for letter in letters))

    def picture(self, picture: Image.Image, align: int) -> None:
        self._place(picture, align)
        self._text.append(f"[picture {picture.width}x{picture.height}]")

    def qr(self, data: str, module: int, correction: int, align: int) -> bool:
        """`correction` is 0 to 3 for L, M, Q, H. No quiet zone: printers leave it to the layout.

        False when the code does not exist or is wider than the paper: printers then print nothing.
        """
        return self._code(lambda: codes.qr(data, module, correction), f"[QR {data}]", align)

    def code128(self, data: str, module: int, height: int, align: int) -> bool:
        return self._code(lambda: codes.code128(data, module, height), f"[CODE128 {data}]", align)

    def _code(self, draw: Callable[[], Image.Image], text: str, align: int) -> bool:
        try:
            picture = draw()
        except ValueError:
            return False
        if picture.width > self.dots:
            return False
        self._place(picture, align)
        self._text.append(text)
        return True

    def feed(self, dots: int) -> None:
        if 0 < dots <= _LONGEST - self._height:
            self._add(Image.new("L", (self.dots, dots), 0))

    def cut(self, how: str = "torn") -> Paper:
        """Take off what has been printed and begin a new piece."""
        ink = _stacked([Image.new("L", (self.dots, 24), 0), *self._bands])
        paper = Paper(ink, "\n".join([*self._text, ""]), how)
        self._bands.clear()
        self._text.clear()
        self._height = 0
        return paper

    def _add(self, band: Image.Image) -> None:
        if self._height + band.height <= _LONGEST:
            self._height += band.height
            self._bands.append(band)

    def _place(self, picture: Image.Image, align: int) -> None:
        band = Image.new("L", (self.dots, picture.height), 0)
        band.paste(picture, (self._left(picture.width, align), 0))
        self._add(band)

    def _left(self, width: int, align: int) -> int:
        return (0, (self.dots - width) // 2, self.dots - width)[align]


def _draw(letter: Letter) -> Image.Image:
    return letter.image or _glyph(letter.character, letter.dots, letter.look)


@lru_cache(maxsize=4096)
def _glyph(character: str, dots: int, look: Look) -> Image.Image:
    """The letter in its cell, drawn at the height asked for and stretched to the width. Never changed."""
    size = look.rows
    cell = Image.new("L", (dots * look.height // look.width, size), 0)
    font = font_for(character, size - size // 12, bold=look.bold)
    if font is not None and character != " ":
        spot = (cell.width / 2, size * 0.84)
        ImageDraw.Draw(cell).text(spot, character, fill=255, font=font, anchor="ms")
    cell = cell.resize((dots, size))
    if look.underline:
        ImageDraw.Draw(cell).rectangle((0, size - 2, dots, size), fill=255)
    return ImageOps.invert(cell) if look.reverse else cell


def _stacked(bands: list[Image.Image]) -> Image.Image:
    picture = Image.new("L", (bands[0].width, sum(band.height for band in bands)), 0)
    y = 0
    for band in bands:
        picture.paste(band, (0, y))
        y += band.height
    return picture


def _on_desk(ink: Image.Image, margin: int) -> Image.Image:
    """Ink on off-white paper with a torn edge below, lying on a grey desk with a soft shadow."""
    width, height = ink.width + 2 * margin, ink.height + _TOOTH
    shape = Image.new("L", (width, height), 255)
    edge = ImageDraw.Draw(shape)
    for x in range(0, width, _TOOTH):
        tooth = ((x, height), (x + _TOOTH // 2, height - _TOOTH // 2), (x + _TOOTH, height))
        edge.polygon(tooth, fill=0)
    sheet = Image.new("RGB", (width, height), _SHEET)
    sheet.paste(Image.new("RGB", ink.size, _INK), (margin, 0), ink)
    desk = Image.new("RGB", (width + 40, height + 40), _DESK)
    shadow = Image.new("L", desk.size, 0)
    shadow.paste(90, (22, 24), shape)
    soft = shadow.reduce(4).filter(ImageFilter.GaussianBlur(2)).resize(desk.size)
    desk.paste((70, 72, 80), (0, 0), soft)
    desk.paste(sheet, (20, 20), shape)
    return desk
