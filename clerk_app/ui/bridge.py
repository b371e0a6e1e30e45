"""The one way in for events of other threads: they leave as queued signals on the window's own thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot

if TYPE_CHECKING:  # the sign-in page shows before these are loaded
    from clerk_app.desk.ports import CardEvent, Changed

_GATHER_MS = 40
"""Changes that come in a burst (a feed of thousands) are shown together, at most this much later."""


class Bridge(QObject):
    """Signals: card(CardEvent), changed(frozenset of topics), both on the thread the bridge lives on."""

    card = Signal(object)
    changed = Signal(object)
    _arrived = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._topics: set[str] = set()
        self._gather = QTimer(self, singleShot=True, interval=_GATHER_MS)
        self._gather.timeout.connect(self._tell)
        self._arrived.connect(self._note)

    def on_card(self, event: CardEvent) -> None:
        """The listener of the card reader; any thread."""
        self.card.emit(event)

    def on_changed(self, changed: Changed) -> None:
        """The listener of sync and printing; any thread."""
        self._arrived.emit(changed.topics)

    @Slot(object)
    def _note(self, topics: frozenset[str]) -> None:
        self._topics |= topics
        if not self._gather.isActive():
            self._gather.start()

    @Slot()
    def _tell(self) -> None:
        topics, self._topics = frozenset(self._topics), set()
        self.changed.emit(topics)
