"""The menu of themes and sizes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from clerk_app.ui import icons, theme
from clerk_app.ui.services import Look
from clerk_app.ui.words import tr


def look_menu(parent: QWidget, look: Look, choose: Callable[[Look], None]) -> QMenu:
    """A menu that gives the chosen look to `choose`."""
    menu = QMenu(parent)
    themes, scales = QActionGroup(menu), QActionGroup(menu)
    for name in theme.THEMES:
        action = themes.addAction(tr(f"look.{name}"))
        action.setIcon(icons.icon(name))
        action.setCheckable(True)
        action.setChecked(name == look.theme)
        action.triggered.connect(lambda _on=False, to=name: choose(replace(look, theme=to)))
        menu.addAction(action)
    menu.addSeparator()
    for scale in theme.SCALES:
        action = scales.addAction(tr("look.scale", percent=scale))
        action.setCheckable(True)
        action.setChecked(scale == look.scale)
        action.triggered.connect(lambda _on=False, to=scale: choose(replace(look, scale=to)))
        menu.addAction(action)
    return menu
