"""Moments as the window writes them: the time alone today, with the day when it is another one."""

from __future__ import annotations

from datetime import date, datetime


def moment(at: datetime, today: date | None) -> str:
    """`10:42`, or `11-18 16:20` for another day; with the year when it is another one."""
    if today is None or at.date() == today:
        return f"{at:%H:%M}"
    return f"{at:%m-%d %H:%M}" if at.year == today.year else f"{at:%Y-%m-%d %H:%M}"


def day(of: date, today: date | None) -> str:
    """`11-27`, or with its year when it is another one."""
    return f"{of:%m-%d}" if today is None or of.year == today.year else f"{of:%Y-%m-%d}"
