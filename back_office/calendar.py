"""The working-day calendar of the halls, seeded from chinesecalendar and carried by the feed from there.

The State Council announces holidays and working weekends (调休) year by year; years not announced are absent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pydantic import TypeAdapter

from back_office.feed import News
from back_office.office import Transaction
from clerk_app.sync.protocol import CalendarMessage

_message = TypeAdapter(CalendarMessage)


@dataclass(frozen=True, slots=True)
class Announced:
    """The official notices as data: every day off and every working weekend day of some years."""

    days_off: frozenset[date]
    working_weekends: frozenset[date]


def announced() -> Announced:
    """What chinesecalendar knows."""
    from chinese_calendar import constants

    return Announced(frozenset(constants.holidays), frozenset(constants.workdays))


def calendar_from(source: Announced, first_year: int) -> CalendarMessage:
    """The years from `first_year` to the last one announced: weekday holidays and working weekends."""
    last = max(day.year for day in source.days_off)
    years = range(first_year, last + 1)
    return CalendarMessage(
        years=list(years),
        holidays=sorted(day for day in source.days_off if day.year in years and day.weekday() < 5),
        make_up_days=sorted(day for day in source.working_weekends if day.year in years),
    )


def tell(tx: Transaction, hall: str) -> None:
    """Put the calendar from last year on into the hall's scope."""
    message = calendar_from(announced(), tx.today.year - 1)
    data = _message.dump_python(message, mode="json")
    tx.tell(News((hall, f"hall:{hall}"), "calendar", "working-days", tx.today.toordinal(), "put", data))
