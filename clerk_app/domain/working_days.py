"""Working days with a calendar that may end.

Periods in the licensing law are working days without statutory holidays (行政许可法 art. 82). The State
Council announces holidays and make-up workdays (调休) year by year, so the calendar is data from the feed.
Beyond its last year a due date is counted by weekdays and marked provisional: a case is never blocked by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta


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
