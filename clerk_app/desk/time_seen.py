"""The latest time this workstation has seen: a clock that is turned back makes nothing last longer.

Kept in the store, so that a restart does not forget it. It only grows, by the wall clock and by the time the
program has run since; the office alone sets it back, because it knows the time.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from clerk_app.desk.ports import Transaction

_KEY = "highest_time"


def latest(tx: Transaction, now: datetime | None = None) -> datetime | None:
    """The later of `now` and what was seen; None when neither is known."""
    stored = tx.meta.get(_KEY)
    seen = datetime.fromisoformat(stored) if stored else None
    if now is None or seen is None:
        return now or seen
    return max(now, seen)


def note(tx: Transaction, now: datetime, ran: float = 0.0) -> datetime:
    """It is `now`, and the program has run `ran` seconds since it was noted last. Returns the latest."""
    before = latest(tx)
    seen = now if before is None else max(now, before + timedelta(seconds=ran))
    if seen != before:
        tx.meta.set(_KEY, seen.isoformat())
    return seen


def confirm(tx: Transaction, now: datetime) -> None:
    """The office has just confirmed that it is `now`, even where that is earlier than what was seen."""
    tx.meta.set(_KEY, now.isoformat())
