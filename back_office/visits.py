"""What the windows report of their visits: the ticket is served, finished, missed, or was taken by paper."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import AwareDatetime, Field

from back_office import queues, restoring
from back_office.access import Device
from back_office.office import Transaction
from back_office.problems import Refused
from back_office.tables import device as devices
from back_office.tables import paper_visit, ticket
from clerk_app.domain.hall_time import HALL_TIME
from clerk_app.domain.ticket import TicketState


@dataclass(frozen=True, slots=True)
class TicketBody:
    """The body of every `ticket.*` command. `ticket_id` is null when the window knew the paper only."""

    ticket_id: str | None
    ticket_number: str
    visit_id: str
    window: str
    at: AwareDatetime


@dataclass(frozen=True, slots=True)
class IssuedBody:
    """The body of `ticket.issued`: a window that reached no authority issued a ticket of its own series."""

    ticket_id: Annotated[str, Field(min_length=1, max_length=64)]
    number: str  # the series and three digits: "L12001"
    series: str
    issued_at: AwareDatetime
    queue: str


_OPEN = (TicketState.CALLED, TicketState.SERVING)


def serving(tx: Transaction, device: Device, body: TicketBody) -> dict[str, Any]:
    """The citizen appeared."""
    return _step(tx, device, body, TicketState.SERVING)


def done(tx: Transaction, device: Device, body: TicketBody) -> dict[str, Any]:
    """The visit is over."""
    return _step(tx, device, body, TicketState.DONE)


def no_show(tx: Transaction, device: Device, body: TicketBody) -> dict[str, Any]:
    """The citizen did not come (过号)."""
    return _step(tx, device, body, TicketState.NO_SHOW)


def by_paper(tx: Transaction, device: Device, body: TicketBody) -> dict[str, Any]:
    """A window without the office served the ticket in the citizen's hand: a fact, never refused.

    When the ticket still waits it becomes this window's; when another window had it, both sides are kept
    and shown. `found` says what the office knew.
    """
    told = _told_by_paper(tx, device.hall, body.visit_id)
    if told is not None:  # the first report stands: a second row could never be written, nor what follows it
        return {"ticket": told.ticket, "found": told.found}
    row = _ticket(tx, device, body)
    found = row.state if row is not None else ""
    report = {
        "hall": device.hall,
        "visit": body.visit_id,
        "day": body.at.astimezone(HALL_TIME).date(),
        "number": body.ticket_number,
        "device": device.id,
        "window": device.window,
        "ticket": row.id if row is not None else None,
        "found": found,
    }
    tx.connection.execute(sa.insert(paper_visit), report)
    free = found in (TicketState.WAITING, TicketState.NO_SHOW)
    if row is None or not (free or (found in _OPEN and row.window == device.window)):
        return {"ticket": report["ticket"], "found": found}
    values = {"state": TicketState.SERVING, "window": device.window, "called_at": body.at}
    message = queues.move(tx, row.id, **values, reason="by_paper")
    return {"ticket": row.id, "found": found, "version": message.version}


def issued(tx: Transaction, device: Device, body: IssuedBody) -> dict[str, Any]:
    """A ticket the citizen has on paper joins its queue, at the tail, on the day it was issued.

    On a later day it is recorded as not served. Raises Refused OFFICE-TICKET-STATE for a number that is not
    of a series of this device or is taken, OFFICE-NO-QUEUE.
    """
    queues.open_day(tx, device.hall, body.queue)
    taken = sa.select(ticket.c.id).where(
        (ticket.c.id == body.ticket_id)
        | (
            (ticket.c.hall == device.hall)
            & (ticket.c.day == body.issued_at.astimezone(HALL_TIME).date())
            & (ticket.c.number == body.number)
        )
    )
    if tx.connection.scalar(taken) is not None or not _own_series(tx, device, body):
        raise Refused("OFFICE-TICKET-STATE", "number")
    return {"ticket": body.ticket_id, "state": queues.join(tx, device.hall, body)}


def _own_series(tx: Transaction, device: Device, body: IssuedBody) -> bool:
    """Of this epoch, or of one before: then at least of no other workstation of the hall."""
    if not re.fullmatch(re.escape(body.series) + "[0-9]{3}", body.number, re.ASCII):
        return False
    other = sa.select(devices.c.id).where(
        devices.c.hall == device.hall, devices.c.id != device.id, devices.c.offline_series == body.series
    )
    written = re.fullmatch("L[1-9][0-9]{0,5}", body.series, re.ASCII)
    return written is not None and tx.connection.scalar(other) is None


def _step(tx: Transaction, device: Device, body: TicketBody, state: TicketState) -> dict[str, Any]:
    """Move the ticket of this window to `state`. Raises Refused when it is unknown or not this window's.

    A visit by paper moves only a ticket that became this window's; where another window had it too, both
    reports stand and nothing is refused.
    """
    row = _ticket(tx, device, body)
    if row is not None and row.window == device.window and row.state == state:
        return {"ticket": row.id, "version": row.version}
    if row is not None and row.window == device.window and row.state in _OPEN:
        message = queues.move(tx, row.id, state=state)
        return {"ticket": row.id, "version": message.version}
    if _was_forgotten(tx, body):
        # A visit of before this office lost its memory: its ticket was put aside, and is this window's.
        if row is None or row.state not in (TicketState.WAITING, TicketState.NO_SHOW):
            return {"ticket": row.id if row is not None else None}
        message = queues.move(tx, row.id, state=state, window=device.window, called_at=body.at)
        return {"ticket": row.id, "version": message.version}
    if not _was_by_paper(tx, device, body.visit_id):
        detail = f"{row.state} at {row.window or 'no window'}" if row is not None else "unknown"
        raise Refused("OFFICE-TICKET-STATE", detail)
    return {"ticket": row.id if row is not None else None}


def _was_forgotten(tx: Transaction, body: TicketBody) -> bool:
    lost_at = restoring.latest(tx.connection)
    return lost_at is not None and body.at <= lost_at


def _was_by_paper(tx: Transaction, device: Device, visit: str) -> bool:
    told = _told_by_paper(tx, device.hall, visit)
    return told is not None and told.device == device.id


def _told_by_paper(tx: Transaction, hall: str, visit: str) -> Any:
    mine = sa.and_(paper_visit.c.hall == hall, paper_visit.c.visit == visit)
    return tx.connection.execute(sa.select(paper_visit).where(mine)).one_or_none()


def _ticket(tx: Transaction, device: Device, body: TicketBody) -> Any:
    """The row by its id, else by its number on the day the window says; None when the office has neither."""
    if body.ticket_id is not None:
        return queues.find(tx, device.hall, body.ticket_id)
    day = body.at.astimezone(HALL_TIME).date()
    query = sa.select(ticket).where(
        ticket.c.hall == device.hall, ticket.c.day == day, ticket.c.number == body.ticket_number
    )
    return tx.connection.execute(query.with_for_update()).one_or_none()
