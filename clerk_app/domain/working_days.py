"""Working days with a calendar that may end.

Periods in the licensing law are working days without statutory holidays (行政许可法 art. 82). The State
Council announces holidays and make-up workdays (调休) year by year, so the calendar is data from the feed.
Beyond its last year a due date is counted by weekdays and marked provisional: a case is never blocked by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

TO_ACCEPT = 5
"""Working days from receipt within which a window says what is missing, or the application counts as accepted
from the day of receipt (行政许可法 art. 32); what may follow later has as long."""


@dataclass(frozen=True, slots=True)
class DueDate:
    """A last day, and whether it must be recomputed when the calendar of its year arrives."""

    day: date
    provisional: bool


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """Known years, their holidays on weekdays and their working weekends."""

    years: frozenset[int] = frozenset()
    holidays: frozenset[date] = frozenset()
    make_up_days: frozenset[date] = frozenset()

    def is_working(self, day: date) -> bool:
        if day.weekday() >= 5:
            return day in self.make_up_days
        return day not in self.holidays

    def left(self, today: date, last: date) -> int:
        """Working days after `today` up to `last`; negative when it has passed, 0 on its own day."""
        begin, end, sign = (today, last, 1) if today <= last else (last, today, -1)
        days = (begin + timedelta(days=n) for n in range(1, (end - begin).days + 1))
        return sign * max(sum(map(self.is_working, days)), int(begin < end))

    def due(self, start: date, days: int, unit: str = "working") -> DueDate:
        """The last day of a period of `days` that begins after `start` (the day of receipt does not count).

        `unit` is "working" or "calendar". Zero days end on `start` itself: decided on the spot.
        """
        if unit == "calendar":
            return DueDate(start + timedelta(days=days), provisional=False)
        if unit != "working":
            raise ValueError(f"unknown unit of days: {unit!r}")
        day, left = start, days
        while left > 0:
            day += timedelta(days=1)
            left -= self.is_working(day)
        return DueDate(day, provisional=not set(range(start.year, day.year + 1)) <= self.years)
