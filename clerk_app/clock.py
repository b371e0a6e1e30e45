"""The clock of the hall: this machine's, corrected by what the office last said, and watched for jumps."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from clerk_app.domain.hall_time import HALL_TIME


class HallClock:
    """Implements `desk.ports.Clock`. `skew` is how many seconds the office is ahead."""

    def __init__(self, skew: float = 0.0, machine: Callable[[], datetime] | None = None) -> None:
        self.skew = skew
        self._machine = machine or wall

    def now(self) -> datetime:
        return self._machine() + timedelta(seconds=self.skew)

    def monotonic(self) -> float:
        return time.monotonic()


class ClockWatch:
    """Notices that somebody, or something, set the machine's clock while nobody could ask the office.

    The wall clock is compared with the time since the machine was started: what they differ by from one look
    to the next is a jump. `jumped` adds them up, in seconds, until the office is asked again (`measured`).
    """

    def __init__(self, wall: Callable[[], datetime], running: Callable[[], float]) -> None:
        self._wall = wall
        self._running = running
        self._seen = wall(), running()
        self.jumped = 0.0

    def look(self) -> float:
        """How many seconds the machine has run since the last look; a jump is noted."""
        (wall, running), self._seen = self._seen, (self._wall(), self._running())
        ran = self._seen[1] - running
        jump = (self._seen[0] - wall).total_seconds() - ran
        if abs(jump) > _STEP:
            self.jumped += jump
        return ran

    def measured(self) -> None:
        """The office has told the time: what happened to the clock before is corrected."""
        self.look()
        self.jumped = 0.0


_STEP = 2.0
"""Less between two looks is a clock that is being slewed, or a look that was held up."""


def wall() -> datetime:
    """The machine's own wall time, told in hall time, uncorrected."""
    return datetime.now(HALL_TIME)


def running() -> float:
    """Seconds since the machine was started, the time it slept included."""
    if sys.platform == "linux":  # elsewhere the monotonic clock does not stop in sleep
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()
