"""Limits of open cases when the calendar of another year arrives.

A limit beyond the known calendar was counted by weekdays and told as provisional, on the screen and on the
slip. With the calendar of its year it is counted again; one that moved is in the timeline and is told, so
that the clerk can tell the citizen who holds the other day on paper. Nothing ever waits for a calendar.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime

from clerk_app.desk.context import Desk
from clerk_app.desk.ports import Changed, Transaction
from clerk_app.domain.case import Case, HandedMaterial, TimelineEvent, TimelineKind
from clerk_app.domain.hall_time import HALL_TIME
from clerk_app.domain.numbering import printed
from clerk_app.domain.working_days import TO_ACCEPT, DueDate, WorkingCalendar

_MOVED = "due_moved"
"""Meta: the numbers of cases whose limit moved, as JSON, until a clerk has seen them."""
_AT_ONCE = 20
"""Cases in one transaction: an accept never waits long behind them."""


def recompute(desk: Desk) -> int:
    """Count the limits of open cases again by the calendar as it is now; how many days moved. Any lane but
    the store's. Doing it twice changes nothing the second time."""
    today = day_of(desk.clock.now())
    open_cases = desk.store.read(lambda tx: [case.id for case in tx.cases.with_limit(today)])
    moved = 0
    for begin in range(0, len(open_cases), _AT_ONCE):
        moved += desk.store.write(_counted(desk, open_cases[begin : begin + _AT_ONCE]))
    if moved:
        desk.changed(Changed(frozenset({"cases", "due"})))
    return moved


def moved(tx: Transaction) -> tuple[str, ...]:
    """The printed numbers of cases whose limit moved and that nobody has seen yet."""
    return tuple(json.loads(tx.meta.get(_MOVED) or "[]"))


def seen(desk: Desk) -> None:
    """The clerk has seen them."""
    desk.store.write(lambda tx: tx.meta.set(_MOVED, "[]"))


def limit(calendar: WorkingCalendar, case: Case) -> DueDate | None:
    """The last day of an accepted case; None before acceptance."""
    if case.accepted_at is None:
        return None
    return calendar.due(day_of(case.accepted_at), case.item.promised_days, case.item.day_unit)


def accept_by(calendar: WorkingCalendar, case: Case) -> DueDate:
    """Until when a received case must be accepted or refused: after that it counts as accepted from the day
    of receipt (行政许可法 art. 32)."""
    return calendar.due(day_of(case.received_at), TO_ACCEPT)


def day_of(moment: datetime) -> date:
    """The day of the hall's clock."""
    return moment.astimezone(HALL_TIME).date()


def _counted(desk: Desk, ids: Sequence[str]) -> Callable[[Transaction], int]:
    def write(tx: Transaction) -> int:
        calendar, now, numbers = tx.meta.calendar(), desk.clock.now(), []
        for id_ in ids:
            case = tx.cases.get(id_)
            if case is None:
                continue
            fresh = _by(calendar, case)
            if fresh == case:
                continue
            tx.cases.save(fresh)
            if fresh.due != case.due:
                detail = f"{case.due} → {fresh.due}"
                event = TimelineEvent(now, TimelineKind.DUE_CHANGED, detail, case.visit_id, case.id)
                tx.timeline.add(event)
                numbers.append(printed(case.number))
        if numbers:
            tx.meta.set(_MOVED, json.dumps([*moved(tx), *numbers]))
        return len(numbers)

    return write


def _by(calendar: WorkingCalendar, case: Case) -> Case:
    """The case with its limits by `calendar`. What is certain stays, unless the calendar of it changed."""
    last = limit(calendar, case)
    materials = tuple(_material(calendar, case, material) for material in case.materials)
    if last is None:
        return replace(case, materials=materials)
    return replace(case, due=last.day, due_provisional=last.provisional, materials=materials)


def _material(calendar: WorkingCalendar, case: Case, material: HandedMaterial) -> HandedMaterial:
    if material.due is None or not material.due_provisional:
        return material
    last = calendar.due(day_of(case.received_at), TO_ACCEPT)
    return replace(material, due=last.day, due_provisional=last.provisional)
