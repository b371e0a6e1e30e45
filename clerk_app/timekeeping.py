"""The time of a workstation: corrected by the office, watched for jumps, and never forgotten backwards.

What is printed on a slip is a legal fact. While the office answers, its time corrects the machine's; while it
does not, the last correction stays and a clock that is set meanwhile is noticed and told.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from clerk_app.clock import ClockWatch, HallClock, running, wall
from clerk_app.desk import time_seen
from clerk_app.desk.ports import LinkStatus, Store, Transaction
from clerk_app.failures import Failure

_log = logging.getLogger(__name__)

JUMPED_KEY = "clock_jumped"
"""Meta: seconds the machine's clock was set by since the office last told the time."""

_NOTE_SECONDS = 60.0
_STEP = 2.0
_BACK = 120.0
"""Seconds a start may lie before the latest time seen: corrections of the clock are smaller."""


class Timekeeper:
    """`skew` is the correction as last measured, in seconds. `on_jump` is called when the clock was set."""

    def __init__(
        self,
        store: Store,
        skew: float,
        on_jump: Callable[[], None],
        *,
        wall: Callable[[], datetime] = wall,
        running: Callable[[], float] = running,
    ) -> None:
        self.clock = HallClock(skew, wall)
        self._store = store
        self._on_jump = on_jump
        self._watch = ClockWatch(wall, running)
        self._ran = 0.0
        self._told = False
        self._synced: datetime | None = None
        seen, kept = store.read(lambda tx: (time_seen.latest(tx), tx.meta.get(JUMPED_KEY)))
        self._watch.jumped = float(kept or 0.0)
        behind = (seen - self.clock.now()).total_seconds() if seen else 0.0
        if behind > _BACK:
            self._watch.jumped = -behind

    def corrected(self, status: LinkStatus) -> LinkStatus:
        """`status` with the correction in force, measured or remembered, and what the clock was set by."""
        return replace(status, skew_seconds=self.clock.skew, jumped_seconds=self._watch.jumped)

    def heard(self, status: LinkStatus) -> None:
        """A cycle of the sync has ended; after a complete one the office's time is known. Sync thread."""
        if status.code or status.synced_at in (None, self._synced):
            return
        self.clock.skew = status.skew_seconds
        self._synced = status.synced_at
        self._watch.measured()
        self._told = True

    def look(self) -> None:
        """Compare the clocks; once a minute the latest time goes into the store. One thread, often."""
        before = self._watch.jumped
        self._ran += self._watch.look()
        if abs(self._watch.jumped - before) > _STEP:
            _log.warning("the clock of this machine was set by %.0f s", self._watch.jumped - before)
            self._on_jump()
        elif self._ran < _NOTE_SECONDS:
            return
        ran, self._ran = self._ran, 0.0
        told, self._told = self._told, False
        now, jumped = self.clock.now(), f"{self._watch.jumped:.0f}"

        def write(tx: Transaction) -> None:
            if told:
                time_seen.confirm(tx, now)
            else:
                time_seen.note(tx, now, ran)
            if tx.meta.get(JUMPED_KEY) != jumped:
                tx.meta.set(JUMPED_KEY, jumped)

        try:
            self._store.write(write)
        except Failure as failure:  # a full disk is told elsewhere
            _log.warning("the time was not kept: %s", failure.code)
