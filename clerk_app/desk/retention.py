"""Registered cases leave the workstation after some days; the index of their receipts stays.

PIPL art. 19 asks for the shortest retention, a citizen with a receipt for an answer years later. What the
office has not confirmed stays whatever its age; the rule is in `store.retention`.

Days are counted to the last time everything was in step with the office, by the office's clock: a
workstation whose clock jumps a year ahead, or that was out of reach for a month, takes nothing before that.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from clerk_app.desk.context import Desk
from clerk_app.desk.ports import Changed, Transaction
from clerk_app.domain.hall_time import HALL_TIME

CONFIRMED_KEY = "synced_at"
"""Meta: the office's time when everything was last in step, ISO 8601. Written by the sync."""


def purge(desk: Desk, keep_days: int) -> int:
    """Let everything go that may; returns how many cases left. Desk lane, or any without other work."""
    gone = 0
    while (left := purge_some(desk, keep_days)) is not None:
        gone += left
    return gone


def purge_some(desk: Desk, keep_days: int) -> int | None:
    """One short transaction of the purge: how many cases left in it; None when there is no more to do."""

    def write(tx: Transaction) -> int | None:
        if (now := _confirmed(tx)) is None:
            return None
        before = now - timedelta(days=keep_days)
        if left := tx.retention.cases(before, now.date(), desk.clock.now()):
            return left
        return 0 if tx.retention.rest(before) else None

    left = desk.store.write(write)
    if left:
        desk.changed(Changed(frozenset({"cases"})))
    return left


def limit(desk: Desk, keep_days: int) -> datetime | None:
    """What is older than this is not kept; None before the first sync."""
    now = desk.store.read(_confirmed)
    return None if now is None else now - timedelta(days=keep_days)


def _confirmed(tx: Transaction) -> datetime | None:
    told = tx.meta.get(CONFIRMED_KEY)
    return None if told is None else datetime.fromisoformat(told).astimezone(HALL_TIME)
