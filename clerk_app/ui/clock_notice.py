"""The clock of this computer, when a date is about to be printed and it cannot be relied on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clerk_app.desk.ports import LinkStatus
from clerk_app.ui.banner import Message
from clerk_app.ui.words import tr

if TYPE_CHECKING:
    from clerk_app.ui.counter import Counter

_TOLERATED = 120.0
"""Seconds: what a clerk need not know of, as the office's time corrects it."""


def clock_message(link: LinkStatus) -> Message | None:
    """What is wrong with the clock: set while nobody could correct it, or far off the office's time."""
    if abs(link.jumped_seconds) > _TOLERATED:
        words = "clock.set_ahead" if link.jumped_seconds > 0 else "clock.set_back"
        return _message(words, link.jumped_seconds)
    if abs(link.skew_seconds) > _TOLERATED:
        return _message("clock.slow" if link.skew_seconds > 0 else "clock.fast", link.skew_seconds)
    return None


def _message(words: str, seconds: float) -> Message:
    return Message("warn", words, {"span": Span(round(abs(seconds) / 60) * 60)}, closable=False)


class Span(float):
    """Seconds, told as a clerk would tell them in the language on screen."""

    def __str__(self) -> str:
        minutes = round(self / 60)
        if minutes < 120:
            return tr("clock.minutes", count=minutes)
        hours = round(self / 3600)
        return tr("clock.hours", count=hours) if hours < 48 else tr("clock.days", count=round(hours / 24))

    def __format__(self, spec: str) -> str:
        return str(self)


class ClockNotice:
    """Says so at the step where a case is received or accepted: the slip bears a date that counts in law."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        counter.shown.status_changed.connect(self._tell)
        counter.shown.draft_changed.connect(self._tell)
        counter.steps.opened.connect(lambda _step: self._tell())

    def _tell(self) -> None:
        status, slot = self._counter.shown.status, self._counter.steps.clock
        at_the_end = self._counter.shown.draft is not None and self._counter.steps.open_number == 6
        message = clock_message(status.link) if status is not None and at_the_end else None
        if message is None:
            slot.withdraw()
        elif slot.message != message:
            slot.tell(message)
