"""What is printed as dots: lines with characters a printer has no letters for, and the hall's logo.

A line is drawn as a whole, so that its columns stand where the printer's own letters would have put them:
column graphics between letters (ESC *) would save dots, but printers differ in where they put the baseline.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps

from clerk_app.devices.printer.columns import clusters, columns
from clerk_app.devices.printer.fonts import font_for
from clerk_app.devices.printer.layout import (
    COLUMN_DOTS,
    LEADING_DOTS,
    ROW_DOTS,
    Align,
    Line,
    Picture,
    Roll,
    Run,
)
from clerk_app.failures import Failure

_BAND = 240  # rows a raster command may have: printers hold one in memory, and some count them in a byte
_LARGEST = _BAND * 576 // 8  # on the widest paper
_SIZES = re.compile(rb"\x1dv0[\x00-\x03\x30-\x33](.{4})", re.DOTALL)
_LOGO_ROWS = 480  # 60 mm: a logo, not a poster
_LOGO_POINTS = 25_000_000  # a camera's whole picture; more would hold the printer up
_INK = 110  # grey above this becomes a dot: thin strokes survive, curves do not clot


def line_dots(line: Line, roll: Roll) -> Image.Image:
    """`line` as black (255) on white (0), as wide as the paper and as high as the line with its leading.

    Raises Failure("PRINTER-NO-GLYPH") naming the first character that no font draws.
    """
    height = ROW_DOTS * line.height
    picture = Image.new("L", (roll.dots, height + LEADING_DOTS), 0)
    free = (roll.columns - line.columns) * COLUMN_DOTS
    x = {Align.LEFT: 0, Align.CENTRE: free // 2, Align.RIGHT: free}[line.align]
    for run in line.runs:
        drawn = _run_dots(run)
        picture.paste(drawn, (x, height - drawn.height))
        x += drawn.width
    return picture.point(lambda grey: 255 if grey > _INK else 0)


def _run_dots(run: Run) -> Image.Image:
    style = run.style
    width, height = COLUMN_DOTS * style.width, ROW_DOTS * style.height
    picture = Image.new("L", (run.columns * COLUMN_DOTS, height), 0)
    x = 0
    for cluster in clusters(run.text):
        glyph = _glyph(cluster, style.bold, style.height)
        cell = columns(cluster) * width
        picture.paste(glyph.resize((cell, height)) if glyph.width != cell else glyph, (x, 0))
        x += cell
    if style.underline:
        ImageDraw.Draw(picture).rectangle((0, height - 2, picture.width, height), fill=255)
    return ImageOps.invert(picture) if style.reverse else picture


@lru_cache(maxsize=2048)
def _glyph(cluster: str, bold: bool, scale: int) -> Image.Image:
    """One character in its cell (12 or 24 dots wide at scale 1), drawn at the size of its height."""
    size = ROW_DOTS * scale
    picture = Image.new("L", (columns(cluster) * COLUMN_DOTS * scale, size), 0)
    if cluster == " ":
        return picture
    font = font_for(cluster, size - 2 * scale, bold=bold)
    if font is None:
        raise Failure("PRINTER-NO-GLYPH", " ".join(f"U+{ord(c):04X}" for c in cluster))
    baseline = round(size * 0.84)
    ImageDraw.Draw(picture).text((picture.width / 2, baseline), cluster, fill=255, font=font, anchor="ms")
    return picture


def logo(file: Path, roll: Roll) -> Picture:
    """The picture in `file` (black on white, PNG or what else Pillow reads), made to fit `roll`, dithered.

    Raises Failure("PRINTER-LOGO") when there is no such file, or it holds no picture or one too large.
    """
    try:
        with Image.open(file) as opened:
            seen = opened.convert("RGBA") if opened.width * opened.height <= _LOGO_POINTS else None
    except Exception as error:  # a broken picture breaks its decoder in many ways
        raise Failure("PRINTER-LOGO", type(error).__name__) from error
    if seen is None:
        raise Failure("PRINTER-LOGO", f"more than {_LOGO_POINTS} points")
    white = Image.new("RGBA", seen.size, "white")
    grey = Image.alpha_composite(white, seen).convert("L")
    grey.thumbnail((roll.dots, _LOGO_ROWS))
    width = -(-grey.width // 8) * 8
    ink = Image.new("L", (width, grey.height), 0)
    ink.paste(ImageOps.invert(grey), ((width - grey.width) // 2, 0))
    return Picture(width, ink.convert("1").tobytes())


def bands(picture: Image.Image) -> Iterator[Image.Image]:
    """`picture` in pieces, from the top, each low enough for one raster command."""
    for top in range(0, picture.height, _BAND):
        yield picture.crop((0, top, picture.width, min(top + _BAND, picture.height)))


def without_margin(picture: Image.Image) -> Image.Image:
    """`picture` without the white right of its ink: half the bytes of most lines, seconds on a port."""
    box = picture.getbbox()
    return picture.crop((0, 0, -(-box[2] // 8) * 8, picture.height)) if box else picture


def raster(picture: Image.Image) -> bytes:
    """GS v 0: `picture` (of any mode, ink is not 0) as dots. Its height is below 256.

    A printer obeys DLE EOT, DLE ENQ and DLE DC4 wherever it meets them, pictures included. Where dots would
    spell one, its first byte gets one dot more: 1/8 mm beside an inked dot.
    """
    rows = picture.convert("1", dither=Image.Dither.NONE).tobytes()
    for command in (b"\x10\x04", b"\x10\x05", b"\x10\x14"):
        rows = rows.replace(command, b"\x18" + command[1:])
    size = (-(-picture.width // 8)).to_bytes(2, "little") + picture.height.to_bytes(2, "little")
    return b"\x1dv0\x00" + size + rows


def longest_command(job: bytes) -> int:
    """How many bytes the longest command of `job` has, or a few more: a picture, or else a code's data."""
    found = (
        int.from_bytes(size[:2], "little") * int.from_bytes(size[2:], "little")
        for size in _SIZES.findall(job)
    )
    return 64 + min(max(found, default=0), _LARGEST)
