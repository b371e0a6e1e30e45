"""What a screen reader hears at once: the called number, the card read, the result count, every failure."""

from __future__ import annotations

from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QWidget

_send = QAccessible.updateAccessibility


def announce(widget: QWidget, words: str, *, urgent: bool = False) -> None:
    """Say `words` for `widget`; an urgent announcement interrupts what is being read.

    Not for a part that lies below another page: what a locked window covers is not read out either.
    """
    if not widget.isWindow() and not widget.isVisibleTo(widget.window()):
        return
    event = QAccessibleAnnouncementEvent(widget, words)
    if urgent:
        event.setPoliteness(QAccessible.AnnouncementPoliteness.Assertive)
    _send(event)
