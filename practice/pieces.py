"""Headings, buttons and switches of the practice console. Every label is in both languages."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from clerk_app.ui.pieces import ChoiceBox, mark


def heading(text: str) -> QLabel:
    made = QLabel(text)
    font = QFont(made.font())
    font.setBold(True)
    made.setFont(font)
    return made


def note(text: str) -> QLabel:
    made = QLabel(text)
    made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return made


def box(title: str) -> tuple[QWidget, QGridLayout]:
    """A heading with a grid of twelve equal columns below."""
    made = QWidget()
    column = QVBoxLayout(made)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(4)
    column.addWidget(heading(title))
    grid = QGridLayout()
    grid.setSpacing(6)
    for place in range(12):
        grid.setColumnStretch(place, 1)
    column.addLayout(grid)
    return made, grid


def button(words: str, act: Callable[[], object]) -> QPushButton:
    made = QPushButton(words)
    made.setAccessibleName(words.replace("\n", " "))
    made.clicked.connect(lambda _checked: act())
    return made


def switch(words: str, act: Callable[[bool], object]) -> QPushButton:
    """A button that stays down while what it says is so."""
    made = QPushButton(words)
    made.setAccessibleName(words.replace("\n", " "))
    made.setCheckable(True)
    made.toggled.connect(lambda down: mark(made, kind="primary" if down else ""))
    made.toggled.connect(act)
    return made


class Choice(ChoiceBox):
    """A drop-down that gives way to its neighbours; its list is as wide as its longest line."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.shrink()

    def showPopup(self) -> None:
        self.view().setMinimumWidth(self.view().sizeHintForColumn(0) + 24)
        super().showPopup()
