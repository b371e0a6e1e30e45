"""Issuing tickets in the waiting panel: the key, the choice of a series, and what became of the paper."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import isValid

from clerk_app.domain.ticket import OFFLINE, Series
from clerk_app.ui import painting
from clerk_app.ui.banner import BannerSlot
from clerk_app.ui.flow import FlowLayout
from clerk_app.ui.keys import Key
from clerk_app.ui.pieces import FittingScroll, KeyButton, clear, column, label, on_click
from clerk_app.ui.words import tr

_KINDS = ("general", "appointment", "priority", OFFLINE)
"""What the window has words for; a hall's own kind goes by its letter."""


class Issuing(QWidget):
    """Absent for a clerk who may not issue; offline the workstation's own series is offered.

    Signals: asked (the series, please), chosen(series).
    """

    asked = Signal()
    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._series: tuple[Series, ...] = ()
        self._allowed = False
        self._offline = False
        self._back: QWidget | None = None
        self._buttons: list[KeyButton] = []
        self.banner, self.paper = BannerSlot(narrow=True), BannerSlot(narrow=True)
        self._ask = KeyButton("link")
        self._choice = QWidget()
        self._title = label(role="muted")
        self._letters = FlowLayout()
        inside = column(self._choice, gap=6)
        inside.addWidget(self._title)
        inside.addLayout(self._letters)
        inside.addStretch()
        self._choice.hide()
        told = QWidget()
        messages = column(told, gap=6)
        messages.addWidget(self.paper)
        messages.addWidget(self.banner)
        messages.addStretch()
        self._told = FittingScroll(told, least=40)
        self._told.hide()
        body = column(self, gap=6)
        body.setContentsMargins(painting.AIR, 0, 8, 0)
        for part in (self._told, self._choice, self._ask):
            body.addWidget(part)
        on_click(self._ask, self.asked.emit)
        for slot in (self.banner, self.paper):
            slot.taken.connect(self._make_room)
        self.hide()

    @property
    def asks(self) -> bool:
        """Whether something stands here that wants an answer: which series, or what of a paper."""
        return bool(self._series) or self.paper.message is not None

    def allow(self, allowed: bool) -> None:
        """Whether the clerk may issue tickets."""
        self._allowed = allowed
        self.retranslate()

    def show_offline(self, offline: bool) -> None:
        if offline != self._offline:
            self._offline = offline
            self.retranslate()

    def offer(self, series: Sequence[Series]) -> None:
        """Ask which series; the focus is on the first, and comes back after the choice."""
        self._series = tuple(series)
        if not self._choice.isAncestorOf(QApplication.focusWidget() or self):
            self._back = QApplication.focusWidget()
        self.retranslate()
        if self._buttons:
            self._buttons[0].setFocus()

    def put_away(self) -> bool:
        """Close the choice; whether it was open."""
        was_open = not self._choice.isHidden()
        focused = self._choice.isAncestorOf(QApplication.focusWidget() or self)
        self._series = ()
        self.retranslate()
        if was_open and focused and self._back is not None and isValid(self._back):
            self._back.setFocus()
        return was_open

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The letter of a series chooses it, the first one of the workstation's own."""
        plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier)
        for series in self._series if plain else ():
            if event.text() and series.code.startswith(event.text().upper()):
                self._choose(series)
                return
        super().keyPressEvent(event)

    def _choose(self, series: Series) -> None:
        self.put_away()
        self.chosen.emit(series)

    def _make_room(self, _taken: bool) -> None:
        self._told.setVisible(any(slot.message is not None for slot in (self.banner, self.paper)))
        self._appear()

    def _appear(self) -> None:
        # The answers need the room; the key works all the same.
        self._ask.setVisible(self._allowed and not self.asks)
        self._choice.setVisible(bool(self._series))
        parts = (self._told, self._choice, self._ask)
        self.setVisible(any(not part.isHidden() for part in parts))

    def retranslate(self) -> None:
        place = next((n for n, button in enumerate(self._buttons) if button.hasFocus()), None)
        clear(self._letters)
        self._buttons.clear()
        for series in self._series:
            button = KeyButton()
            words = tr(f"series.{series.kind}") if series.kind in _KINDS else tr("series.other")
            button.tell(words, series.code)
            on_click(button, partial(self._choose, series))
            self._letters.addWidget(button)
            self._buttons.append(button)
        self._title.setText(tr("issue.which"))
        self._ask.tell(tr("issue.issue_offline" if self._offline else "issue.issue"), Key.ISSUE)
        self._appear()
        if place is not None and place < len(self._buttons):
            self._buttons[place].setFocus()
        self.banner.retranslate()
        self.paper.retranslate()
