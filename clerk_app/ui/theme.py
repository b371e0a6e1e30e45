"""Colours, distances and type sizes, and the one style sheet built from them.

The tokens are `resources/theme/tokens.toml`; `resources/theme/window.qss` is a template in which `@name` is a
colour of the theme and `px(n)` a length at 100 % that grows with the chosen scale.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication

THEMES = ("light", "dark", "contrast")
SCALES = (100, 125, 150)
FAMILIES = ("Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei UI", "Microsoft YaHei")

_COLOUR = re.compile(r"@([a-z_]+)")
_LENGTH = re.compile(r"px\((\d+)\)")


@dataclass(frozen=True, slots=True)
class Theme:
    """One palette at one scale (100, 125 or 150 per cent)."""

    name: str
    scale: int
    colours: Mapping[str, str]

    def px(self, length: int) -> int:
        """A length in pixels at this scale."""
        return round(length * self.scale / 100)

    def colour(self, ink: str) -> QColor:
        """The colour called `ink`."""
        return QColor(self.colours[ink])


@cache
def tokens() -> dict[str, dict[str, Any]]:
    """The token file: `spacing`, `radius`, `type` and one table of colours a theme."""
    return tomllib.loads(_resource("tokens.toml"))


@cache
def theme(name: str, scale: int) -> Theme:
    """The theme `name` of THEMES at `scale` of SCALES."""
    if scale not in SCALES:
        raise ValueError(f"unknown scale: {scale}")
    return Theme(name, scale, tokens()[name])


@cache
def stylesheet(name: str, scale: int) -> str:
    """The style sheet of one theme at one scale."""
    look = theme(name, scale)
    sheet = _COLOUR.sub(lambda match: look.colours[match[1]], _resource("window.qss"))
    return _LENGTH.sub(lambda match: f"{look.px(int(match[1]))}px", sheet)


_shown: list[Theme] = []


def current() -> Theme:
    """The theme on screen; light at 100 % until one was applied."""
    return _shown[0] if _shown else theme("light", 100)


def apply(app: QApplication, name: str, scale: int) -> None:
    """Show `app` in one theme at one scale. Everything on screen follows at once."""
    look = theme(name, scale)
    if _shown == [look] and app.styleSheet():
        return
    _shown[:] = [look]
    font = QFont()
    font.setFamilies(list(FAMILIES))
    font.setPixelSize(look.px(tokens()["type"]["body"]))
    app.setFont(font)
    app.setPalette(_palette(look))
    app.setStyleSheet(stylesheet(name, scale))


def contrast(first: str, second: str) -> float:
    """The contrast ratio of two colours "#rrggbb" (WCAG 2.2, 1 to 21)."""

    def luminance(colour: str) -> float:
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)


def _palette(look: Theme) -> QPalette:
    """What Qt itself paints where no rule of the style sheet reaches: selections, placeholders, tooltips."""
    palette = QPalette()
    roles = QPalette.ColorRole
    for role, ink in (
        (roles.Window, "bg"),
        (roles.Base, "surface"),
        (roles.AlternateBase, "sunken"),
        (roles.Button, "surface"),
        (roles.Text, "text"),
        (roles.WindowText, "text"),
        (roles.ButtonText, "text"),
        (roles.PlaceholderText, "faint"),
        (roles.Highlight, "primary"),
        (roles.HighlightedText, "on"),
        (roles.ToolTipBase, "surface"),
        (roles.ToolTipText, "text"),
    ):
        palette.setColor(role, look.colour(ink))
    return palette


def _resource(name: str) -> str:
    return (resources.files("resources") / "theme" / name).read_text(encoding="utf-8")
