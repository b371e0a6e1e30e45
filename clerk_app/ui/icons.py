"""Icons by meaning, drawn from one icon font and coloured by the theme."""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QIconEngine, QPainter, QPixmap

from clerk_app.ui import theme

_FONT, _CHARACTERS = "phosphor-1.3.0.ttf", "phosphor-charmap-1.3.0.json"
_OF_THE_HEIGHT = 0.875
"""How large a glyph is drawn: the rest is the bearing of the font."""

_GLYPHS = {
    "accepted": "circle-wavy-check-fill",
    "agent": "users",
    "add": "plus-bold",
    "appointment": "calendar-check",
    "bad": "x-circle-fill",
    "call": "megaphone-simple",
    "card": "identification-card",
    "caret_down": "caret-down-bold",
    "caret_right": "caret-right-bold",
    "case": "file-text",
    "clock": "clock",
    "close": "x-bold",
    "cloud": "cloud-check",
    "contrast": "circle-half-fill",
    "dark": "moon",
    "doctor": "first-aid-kit",
    "done": "check-bold",
    "info": "info-fill",
    "language": "translate",
    "light": "sun",
    "link_offline": "wifi-slash",
    "link_online": "wifi-high",
    "link_slow": "wifi-low",
    "lock": "lock-key",
    "off": "prohibit",
    "ok": "check-circle-fill",
    "organisation": "buildings",
    "outbox": "cloud-arrow-up",
    "page": "file",
    "paper": "receipt",
    "person": "user-fill",
    "phone": "phone",
    "priority": "arrow-fat-up",
    "print": "printer",
    "reader": "identification-badge",
    "scale": "text-aa",
    "scan": "camera",
    "search": "magnifying-glass",
    "sign_out": "sign-out",
    "ticket": "ticket",
    "typed": "keyboard",
    "undo": "arrow-counter-clockwise",
    "wait": "clock-fill",
    "warn": "warning-fill",
    "zone": "barcode",
}


@cache
def _font() -> tuple[str, dict[str, str]]:
    """The family of the icon font, and its characters by name.

    The font is one of QtAwesome's, read where it lies: importing the package loads every class of Qt, 0.1 s
    of the start, and its `icon()` loads a dozen fonts.
    """
    package = find_spec("qtawesome")
    assert package is not None and package.submodule_search_locations, "QtAwesome is not installed"
    fonts = Path(package.submodule_search_locations[0]) / "fonts"
    families = QFontDatabase.applicationFontFamilies(QFontDatabase.addApplicationFont(str(fonts / _FONT)))
    characters = json.loads((fonts / _CHARACTERS).read_text(encoding="utf-8"))
    return families[0], {name: chr(int(code, 16)) for name, code in characters.items()}


class _Glyph(QIconEngine):
    """One character of the icon font in one colour, at any size."""

    def __init__(self, name: str, colour: str) -> None:
        super().__init__()
        self._family, characters = _font()
        self._character = characters[name]
        self._colour = QColor(colour)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        font = QFont(self._family)
        font.setPixelSize(max(1, round(_OF_THE_HEIGHT * rect.height())))
        painter.save()
        painter.setFont(font)
        painter.setPen(self._colour)
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, self._character)
        painter.restore()

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        drawn = QPixmap(size)
        drawn.fill(Qt.GlobalColor.transparent)
        painter = QPainter(drawn)
        self.paint(painter, drawn.rect(), mode, state)
        painter.end()
        return drawn


def icon(name: str, ink: str = "text") -> QIcon:
    """The icon called `name` in the colour `ink` of the theme on screen."""
    return _coloured(name, theme.current().colours[ink])


@cache
def _coloured(name: str, colour: str) -> QIcon:
    return QIcon(_Glyph(_GLYPHS[name], colour))


def pixmap(name: str, ink: str = "text", size: int = 16) -> QPixmap:
    """The same as a picture, `size` pixels at 100 %."""
    length = theme.current().px(size)
    return icon(name, ink).pixmap(length, length)
