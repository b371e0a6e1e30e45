"""Fonts for what a printer cannot write itself: found by file, tried in order, asked before use.

A font answers for a character it lacks with its ".notdef" box. A box is never put on paper: a character that
no font draws differently from that font's box has no glyph.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from PIL import ImageFont

# (file, face inside a collection or "" for the first): a fixed-pitch sans first, so that columns stay so;
# then the fonts that hold the rare hanzi of names, on the Linux desktops of the halls and on Windows.
_CHAIN = (
    ("NotoSansCJK-Regular.ttc", "Noto Sans Mono CJK SC"),
    ("NotoSansMonoCJKsc-Regular.otf", ""),
    ("msyh.ttc", "Microsoft YaHei"),
    ("simsun.ttc", "SimSun"),
    ("HanaMinA.ttf", ""),
    ("HanaMinB.ttf", ""),
    ("simsunb.ttf", ""),
    ("SimsunExtG.ttf", ""),
    ("NotoSans-Regular.ttf", ""),
)
_BOLD = {"NotoSansCJK-Regular.ttc": "NotoSansCJK-Bold.ttc", "msyh.ttc": "msyhbd.ttc"}
_MISSING = "\uffff"  # a noncharacter: every font answers with its .notdef


def _directories() -> tuple[Path, ...]:
    if sys.platform == "win32":
        return (Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / "Fonts",)
    return (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".local/share/fonts")


@cache
def _files() -> dict[str, Path]:
    """Every font file of the system by its name."""
    found: dict[str, Path] = {}
    for directory in _directories():
        for path in directory.rglob("*.[to]t[fc]"):
            found.setdefault(path.name, path)
    return found


@cache
def _open(file: str, face: str, size: int) -> ImageFont.FreeTypeFont | None:
    path = _files().get(file)
    if path is None:
        return None
    font = ImageFont.truetype(str(path), size)
    if not face:
        return font
    for index in range(1, 32):
        if font.getname()[0] == face:
            return font
        try:
            font = ImageFont.truetype(str(path), size, index=index)
        except OSError:  # past the last face of the collection
            return None
    return None


@cache
def _box(font: ImageFont.FreeTypeFont) -> bytes:
    return bytes(font.getmask(_MISSING))


@cache
def _draws(font: ImageFont.FreeTypeFont, character: str) -> bool:
    return bytes(font.getmask(character)) != _box(font)


def chain(size: int, *, bold: bool = False) -> Iterator[ImageFont.FreeTypeFont]:
    """The fonts of this system at `size` dots, the preferred first."""
    for file, face in _CHAIN:
        if bold and file in _BOLD and (font := _open(_BOLD[file], face, size)) is not None:
            yield font
        if (font := _open(file, face, size)) is not None:
            yield font


def font_for(cluster: str, size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont | None:
    """The first font that draws every character of `cluster`, or None. A private-use character has none."""
    if any(_private(character) for character in cluster):
        return None
    for font in chain(size, bold=bold):
        if all(_draws(font, character) for character in cluster):
            return font
    return None


def _private(character: str) -> bool:
    """Private use means whatever its font's maker wanted: never the name on somebody's card."""
    return "\ue000" <= character <= "\uf8ff" or character >= "\U000f0000"
