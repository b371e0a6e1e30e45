"""Icons by meaning, drawn from one icon font and coloured by the theme."""

from __future__ import annotations

from functools import cache
from typing import Any

from PySide6.QtGui import QIcon, QPixmap
from qtawesome.iconic_font import IconicFont

from clerk_app.ui import theme

# One font instead of the dozen `qtawesome.icon()` would load: a fifth of a second at start.
_FONT = ("ph", "phosphor-1.3.0.ttf", "phosphor-charmap-1.3.0.json")

_GLYPHS = {
    "accepted": "ph.circle-wavy-check-fill",
    "agent": "ph.users",
    "add": "ph.plus-bold",
    "appointment": "ph.calendar-check",
    "bad": "ph.x-circle-fill",
    "call": "ph.megaphone-simple",
    "card": "ph.identification-card",
    "caret_down": "ph.caret-down-bold",
    "caret_right": "ph.caret-right-bold",
    "case": "ph.file-text",
    "clock": "ph.clock",
    "close": "ph.x-bold",
    "cloud": "ph.cloud-check",
    "contrast": "ph.circle-half-fill",
    "dark": "ph.moon",
    "done": "ph.check-bold",
    "info": "ph.info-fill",
    "language": "ph.translate",
    "light": "ph.sun",
    "link_offline": "ph.wifi-slash",
    "link_online": "ph.wifi-high",
    "link_slow": "ph.wifi-low",
    "off": "ph.prohibit",
    "ok": "ph.check-circle-fill",
    "organisation": "ph.buildings",
    "outbox": "ph.cloud-arrow-up",
    "paper": "ph.receipt",
    "phone": "ph.phone",
    "priority": "ph.arrow-fat-up",
    "print": "ph.printer",
    "reader": "ph.identification-badge",
    "scale": "ph.text-aa",
    "search": "ph.magnifying-glass",
    "sign_out": "ph.sign-out",
    "ticket": "ph.ticket",
    "typed": "ph.keyboard",
    "undo": "ph.arrow-counter-clockwise",
    "wait": "ph.clock-fill",
    "warn": "ph.warning-fill",
}


@cache
def _font() -> Any:
    return IconicFont(_FONT)


def icon(name: str, ink: str = "text") -> QIcon:
    """The icon called `name` in the colour `ink` of the theme on screen."""
    return _coloured(name, theme.current().colours[ink])


@cache
def _coloured(name: str, colour: str) -> QIcon:
    drawn: QIcon = _font().icon(_GLYPHS[name], color=colour, color_disabled=colour)
    return drawn


def pixmap(name: str, ink: str = "text", size: int = 16) -> QPixmap:
    """The same as a picture, `size` pixels at 100 %."""
    length = theme.current().px(size)
    return icon(name, ink).pixmap(length, length)
