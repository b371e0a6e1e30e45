"""The clock of the hall: this machine's, corrected by what the office last said."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from clerk_app.domain.hall_time import HALL_TIME


class HallClock:
    """Implements `desk.ports.Clock`. `skew` is how many seconds the office is ahead."""

    def __init__(self, skew: float = 0.0) -> None:
        self.skew = skew

    def now(self) -> datetime:
        return wall() + timedelta(seconds=self.skew)

    def monotonic(self) -> float:
        return time.monotonic()


def wall() -> datetime:
    """The machine's own wall time, told in hall time, uncorrected."""
    return datetime.now(HALL_TIME)
