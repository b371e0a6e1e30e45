"""The office after its memory was lost: restored from a backup that is older than what the windows know.

`restored` makes sure that nothing given out after the backup is given out twice: feeds get new generations,
every counter passes over what may have been used. IT says it once (`back-office restored`, which a restore
runs by itself). Where IT forgot, the first window gives it away: one that is further in its commands than the
office remembers, or that shows a lease beyond the counter, both of which only a lost memory explains.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from back_office import feed, logs, queues
from back_office.access import Device
from back_office.feed import News
from back_office.office import Transaction
from back_office.tables import (
    enrol_code,
    gap,
    hall,
    item,
    official_serial,
    recovery_code,
    restoration,
    series,
    ticket,
)
from clerk_app.domain.numbering import FIRST_EMERGENCY
from clerk_app.domain.ticket import TicketState

SERIALS = 50_000
"""Case numbers passed over in each hall: a hundred windows that each took a block since the backup."""

EMERGENCY_SERIALS = 10_000
"""Twenty windows that took an emergency block each."""

ENROLMENTS = 50
"""Offline series of the hall: workstations enrolled since the backup."""

FIRST_MINUTE = datetime(2026, 1, 1, tzinfo=UTC)
"""An epoch given out in place of forgotten ones counts the minutes from here, see `epoch_after`."""

TICKETS = 100
"""Tickets of a series, at least; else as many as on its busiest day of the last thirty."""

OFFICIAL = 1_000
"""Official numbers of an item today, or half of what is left of the 9,999 where that is less."""

LAST_OFFICIAL = 9_999

LEASE = "lease"
"""The cause that a signature of this office vouches for: a lease beyond the counter."""

SEQUENCE = "sequence"
"""The cause that no signature vouches for: a window says that it is ahead."""

QUIET = timedelta(days=1)
"""A lost memory noticed by itself is acted upon once in this time, so that no device can burn numbers."""


def latest(connection: sa.Connection) -> datetime | None:
    """When the office last learned that its memory is older than what the windows know."""
    return connection.scalar(sa.select(restoration.c.at).order_by(restoration.c.at.desc()).limit(1))


def restored(tx: Transaction, cause: str = "told") -> None:
    """Pass over everything that may have been given out since the backup, in every hall.

    No cursor of before is valid; codes that may have been used since end; who waited is not called again,
    unless only a window's word says that the memory was lost: no device can empty the queues of a hall.
    """
    halls = sa.update(hall).values(
        next_serial=_past(hall.c.next_serial, SERIALS, FIRST_EMERGENCY),
        next_emergency=_past(hall.c.next_emergency, EMERGENCY_SERIALS, 100_000_000),
        enrolments=hall.c.enrolments + ENROLMENTS,
    )
    tx.connection.execute(halls)
    for table in (enrol_code, recovery_code):
        tx.connection.execute(sa.update(table).where(table.c.used_at.is_(None)).values(used_at=tx.now))
    if cause != SEQUENCE:
        _put_waiting_aside(tx)
    _skip_tickets(tx)
    _skip_official_numbers(tx)
    tx.connection.execute(sa.insert(restoration), {"at": tx.now, "cause": cause})
    feed.new_generations(tx.connection)
    for key in feed.positions(tx.connection):
        tx.tell(News(key))  # moves, so that who waits looks and finds the new generation
    logs.alarm("restored-from-backup", cause=cause)
    tx.count("event", "restored-from-backup")


def epoch_after(tx: Transaction, known: int) -> int:
    """An epoch of a device beyond all that were given out since the backup.

    It is taken from the clock: a second restore of the same backup must not give the same one again.
    """
    return max(known + 1, int((tx.now - FIRST_MINUTE) / timedelta(minutes=1)))


def noticed(tx: Transaction, cause: str) -> bool:
    """`restored`, unless that was done within a day; whether it was done now."""
    last = latest(tx.connection)
    if last is not None and tx.now - last < QUIET:
        return False
    restored(tx, cause)
    return True


def missing(tx: Transaction, sender: Device, low: int, high: int, *, lost: bool) -> None:
    """Commands `low`..`high` of a window were answered once and are unknown here.

    Not `lost`: the window is asked for them again. `lost`: they left it by its retention, so the office goes
    on behind the hole, and the row stays for IT.
    """
    mine = sa.and_(gap.c.device == sender.id, gap.c.epoch == sender.epoch, gap.c.low == low)
    values = {"high": high, "at": tx.now, "lost": lost}
    if not tx.connection.execute(sa.update(gap).where(mine).values(values)).rowcount:
        row = {"device": sender.id, "epoch": sender.epoch, "low": low, **values}
        tx.connection.execute(sa.insert(gap), row)
    event = "commands-lost" if lost else "window-ahead"
    logs.alarm(event, device=sender.id, epoch=sender.epoch, low=low, high=high)
    tx.count("event", event)


def _past(counter: sa.Column[int], count: int, limit: int) -> sa.ColumnElement[int]:
    return sa.case((counter + count < limit, counter + count), else_=counter)


def _put_waiting_aside(tx: Transaction) -> None:
    """Who waits here may have been called since the backup: nobody is announced a second time.

    Their tickets are missed ones: served by the paper in the hand, or replaced by a new one.
    """
    waits = sa.and_(ticket.c.day == tx.today, ticket.c.state == TicketState.WAITING)
    for row in tx.connection.execute(sa.select(ticket.c.id).where(waits).order_by(ticket.c.id)).all():
        queues.move(tx, row.id, state=TicketState.NO_SHOW)


def _skip_tickets(tx: Transaction) -> None:
    since = tx.today - timedelta(days=30)
    counted = sa.select(ticket.c.hall, ticket.c.series, sa.func.count()).where(ticket.c.day >= since)
    busiest: defaultdict[tuple[str, str], int] = defaultdict(lambda: TICKETS)
    for place, letter, count in tx.connection.execute(
        counted.group_by(ticket.c.hall, ticket.c.series, ticket.c.day)
    ):
        busiest[place, letter] = max(busiest[place, letter], count)
    for row in tx.connection.execute(sa.select(series)).all():
        last = (row.last if row.day == tx.today else 0) + busiest[row.hall, row.code]
        mine = sa.and_(series.c.hall == row.hall, series.c.code == row.code)
        tx.connection.execute(sa.update(series).where(mine).values(day=tx.today, last=last))


def _skip_official_numbers(tx: Transaction) -> None:
    counter = official_serial.c.last
    roomy = counter + 2 * OFFICIAL <= LAST_OFFICIAL
    past = sa.case((roomy, counter + OFFICIAL), else_=(counter + LAST_OFFICIAL) // 2)
    today = official_serial.c.day == tx.today
    tx.connection.execute(sa.update(official_serial).where(today).values(last=past))
    known = sa.select(official_serial.c.item_code).where(today)
    begun = sa.select(item.c.code, sa.literal(tx.today, sa.Date), sa.literal(OFFICIAL, sa.Integer)).distinct()
    begun = begun.where(item.c.code.not_in(known))
    tx.connection.execute(sa.insert(official_serial).from_select(["item_code", "day", "last"], begun))
