"""The authority over the queues of a hall: it numbers the tickets and assigns each to one window.

Every act locks the queue's row first, so two windows that call at once are served one after the other. The
client's request id is stored with the answer: a call whose answer was lost gives the same ticket again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

import sqlalchemy as sa
from pydantic import TypeAdapter

from back_office import feed
from back_office.access import Device
from back_office.feed import News
from back_office.office import Transaction, compact, to_json
from back_office.problems import Refused
from back_office.tables import queue, request, series, ticket
from clerk_app.domain.hall_time import HALL_TIME
from clerk_app.domain.ids import uuid7
from clerk_app.domain.ticket import TicketState
from clerk_app.failures import Failure
from clerk_app.sync.protocol import (
    CallAnswer,
    SeriesAnswer,
    SeriesMessage,
    TicketMessage,
    VoidReason,
)

_ticket = TypeAdapter(TicketMessage)
_call = TypeAdapter(CallAnswer)


def issue(tx: Transaction, hall: str, letter: str, *, queue_code: str | None = None) -> TicketMessage:
    """The next ticket of a series. Raises Refused 404 OFFICE-NO-SERIES."""
    mine = sa.and_(series.c.hall == hall, series.c.code == letter)
    known = tx.connection.execute(sa.select(series).where(mine)).one_or_none()
    if known is None or queue_code not in (None, known.queue):
        raise Refused("OFFICE-NO-SERIES", letter, status=404)
    open_day(tx, hall, known.queue)
    begun = 1 if known.day == tx.today else _highest(tx, hall, letter) + 1
    last = sa.case((series.c.day == tx.today, series.c.last + 1), else_=begun)
    counted = sa.update(series).where(mine).values(last=last, day=tx.today).returning(series.c.last)
    serial = tx.connection.execute(counted).scalar_one()
    placed = sa.update(queue).where(queue.c.hall == hall, queue.c.code == known.queue)
    position = tx.connection.execute(placed.values(tail=queue.c.tail + 1).returning(queue.c.tail))
    row = {
        "id": uuid7(),
        "hall": hall,
        "queue": known.queue,
        "series": letter,
        "kind": known.kind,
        "day": tx.today,
        "number": f"{letter}{serial:03d}",
        "position": position.scalar_one(),
        "state": TicketState.WAITING,
        "version": 1,
        "issued_at": tx.now,
        "calls": 0,
        "reason": "order" if known.kind == "general" else known.kind,
    }
    written = tx.connection.execute(sa.insert(ticket).values(row).returning(ticket)).one()
    return tell(tx, written)


def _highest(tx: Transaction, hall: str, letter: str) -> int:
    """The last serial of the series today: none on a new day, but the clock may have been elsewhere."""
    query = sa.select(ticket.c.number).where(
        ticket.c.hall == hall, ticket.c.day == tx.today, ticket.c.series == letter
    )
    return max((int(number[len(letter) :]) for number in tx.connection.scalars(query)), default=0)


class OfflineTicket(Protocol):
    """What `join` needs of a ticket issued without the authority."""

    @property
    def ticket_id(self) -> str: ...
    @property
    def number(self) -> str: ...
    @property
    def series(self) -> str: ...
    @property
    def issued_at(self) -> datetime: ...
    @property
    def queue(self) -> str: ...


def join(tx: Transaction, hall: str, paper: OfflineTicket) -> str:
    """Put a ticket issued offline at the tail of its queue; its state, by the hall's own day.

    One of an earlier day is recorded as missed: its citizen has gone home.
    """
    day = paper.issued_at.astimezone(HALL_TIME).date()
    still = day == tx.today
    mine = sa.and_(queue.c.hall == hall, queue.c.code == paper.queue)
    position = 0
    if still:
        placed = sa.update(queue).where(mine).values(tail=queue.c.tail + 1).returning(queue.c.tail)
        position = tx.connection.execute(placed).scalar_one()
    row = {
        "id": paper.ticket_id,
        "hall": hall,
        "queue": paper.queue,
        "series": paper.series,
        "kind": "general",
        "day": day,
        "number": paper.number,
        "position": position,
        "state": TicketState.WAITING if still else TicketState.NO_SHOW,
        "version": 1,
        "issued_at": paper.issued_at,
        "calls": 0,
        "reason": "order",
    }
    written = tx.connection.execute(sa.insert(ticket).values(row).returning(ticket)).one()
    if still:
        tell(tx, written)
    return str(written.state)


def series_of(connection: sa.Connection, hall: str, queue_code: str) -> SeriesAnswer:
    """The series of a queue: general ones first. Raises Refused 404 OFFICE-NO-QUEUE."""
    mine = sa.select(series.c.code, series.c.kind).where(series.c.hall == hall, series.c.queue == queue_code)
    first = sa.case((series.c.kind == "general", 0), else_=1)
    found = connection.execute(mine.order_by(first, series.c.kind, series.c.code)).all()
    if not found:
        raise Refused("OFFICE-NO-QUEUE", queue_code, status=404)
    return SeriesAnswer([SeriesMessage(row.code, row.kind) for row in found])


def void(tx: Transaction, hall: str, queue_code: str, ticket_id: str, reason: VoidReason) -> TicketMessage:
    """Withdraw a ticket nobody has called; its number is not given again today. Once is enough.

    Raises Refused 409 OFFICE-TICKET-STATE when it was called, or is unknown.
    """
    open_day(tx, hall, queue_code)
    row = find(tx, hall, ticket_id)
    if row is None or row.queue != queue_code or row.state not in (TicketState.WAITING, TicketState.VOID):
        raise Refused("OFFICE-TICKET-STATE", row.state if row else "unknown", status=409)
    if row.state == TicketState.VOID:
        return _message(row)
    ended = sa.update(ticket).where(ticket.c.id == row.id)
    ended = ended.values(state=TicketState.VOID, reason=reason, version=ticket.c.version + 1)
    written = tx.connection.execute(ended.returning(ticket)).one()
    tx.tell(News((hall, f"queue:{queue_code}"), "ticket", row.id, written.version, "del"))
    return _message(written)


def void_number(tx: Transaction, hall: str, number: str, reason: VoidReason) -> TicketMessage:
    """`void` for the ticket that bears `number` today. Raises Failure("OFFICE-NO-TICKET") too."""
    query = sa.select(ticket).where(
        ticket.c.hall == hall, ticket.c.day == tx.today, ticket.c.number == number.strip().upper()
    )
    row = tx.connection.execute(query).one_or_none()
    if row is None:
        raise Failure("OFFICE-NO-TICKET", number)
    return void(tx, hall, row.queue, row.id, reason)


def call(tx: Transaction, hall: str, queue_code: str, window: str) -> CallAnswer:
    """Assign the next ticket to `window`, with the reason why it is next; None when nobody waits."""
    line = open_day(tx, hall, queue_code)
    chosen = _next(tx, line)
    if chosen is None:
        return CallAnswer(None)
    waits = line.since_priority
    if chosen.reason != "appointment":
        waits = 0 if chosen.reason == "priority" else min(waits + 1, line.priority_every)
    counted = sa.update(queue).where(queue.c.hall == hall, queue.c.code == queue_code)
    tx.connection.execute(counted.values(since_priority=waits))
    values = {"state": TicketState.CALLED, "window": window, "called_at": tx.now, "calls": 1}
    return CallAnswer(move(tx, chosen.ticket, **values, reason=chosen.reason))


def recall(tx: Transaction, hall: str, queue_code: str, ticket_id: str, window: str) -> CallAnswer:
    """Announce a called ticket once more. Raises Refused 409 when this window did not call it."""
    open_day(tx, hall, queue_code)
    row = find(tx, hall, ticket_id)
    if row is None or row.queue != queue_code or row.window != window or row.state != TicketState.CALLED:
        raise Refused("OFFICE-TICKET-STATE", row.state if row else "unknown", status=409)
    return CallAnswer(move(tx, row.id, calls=row.calls + 1))


@dataclass(frozen=True, slots=True)
class _Chosen:
    ticket: str
    reason: str


def _next(tx: Transaction, line: Any) -> _Chosen | None:
    """Appointments that arrived, then priority one in N, then the order of issue (queue.md, 5.5).

    A priority ticket waits while fewer than N-1 calls in order came since the last one, unless nobody else
    waits: nobody jumps for ever and nobody starves.
    """
    appointment = _first(tx, line, "appointment")
    if appointment is not None:
        return _Chosen(appointment, "appointment")
    priority, general = _first(tx, line, "priority"), _first(tx, line, "general")
    if priority is not None and (general is None or line.since_priority >= line.priority_every - 1):
        return _Chosen(priority, "priority")
    return None if general is None else _Chosen(general, "order")


def _first(tx: Transaction, line: Any, kind: str) -> str | None:
    query = sa.select(ticket.c.id).where(
        ticket.c.hall == line.hall,
        ticket.c.queue == line.code,
        ticket.c.day == tx.today,
        ticket.c.state == TicketState.WAITING,
        ticket.c.kind == kind,
    )
    # A ticket that a report by paper holds just now is somebody else's already.
    first = query.order_by(ticket.c.position).limit(1).with_for_update(skip_locked=True)
    found = tx.connection.scalar(first)
    return None if found is None else str(found)


def open_day(tx: Transaction, hall: str, queue_code: str) -> Any:
    """The queue's row, locked; on the first act of a day the tickets of other days are put away.

    Ticket numbers begin anew each day of the hall's own clock. Raises Refused 404 OFFICE-NO-QUEUE.
    """
    mine = sa.and_(queue.c.hall == hall, queue.c.code == queue_code)
    line = tx.connection.execute(sa.select(queue).where(mine).with_for_update()).one_or_none()
    if line is None:
        raise Refused("OFFICE-NO-QUEUE", queue_code, status=404)
    if line.day == tx.today:
        return line
    _put_away(tx, hall, queue_code)
    # Positions go on where a clock that was elsewhere meanwhile left them; on a new day there are none.
    here = sa.and_(ticket.c.hall == hall, ticket.c.queue == queue_code, ticket.c.day == tx.today)
    tail = tx.connection.scalar(sa.select(sa.func.coalesce(sa.func.max(ticket.c.position), 0)).where(here))
    fresh = sa.update(queue).where(mine)
    fresh = fresh.values(day=tx.today, tail=tail, since_priority=queue.c.priority_every)
    return tx.connection.execute(fresh.returning(queue)).one()


def _put_away(tx: Transaction, hall: str, queue_code: str) -> None:
    """What the feed still holds of other days, not of the last one alone: a clock may have been elsewhere.

    Tomorrow's stay: around midnight another machine of the office may be there already.
    """
    scope = (hall, f"queue:{queue_code}")
    shown = [one.id for one in feed.standing(tx.connection, scope, "ticket")]
    tomorrow = tx.today + timedelta(days=1)
    old = sa.and_(ticket.c.id.in_(shown), (ticket.c.day < tx.today) | (ticket.c.day > tomorrow))
    for row in tx.connection.execute(sa.select(ticket.c.id, ticket.c.version).where(old)).all():
        tx.tell(News(scope, "ticket", row.id, row.version + 1, "del"))
    waiting = sa.update(ticket).where(old, ticket.c.state == TicketState.WAITING)
    tx.connection.execute(waiting.values(state=TicketState.NO_SHOW, version=ticket.c.version + 1))


def find(tx: Transaction, hall: str, ticket_id: str) -> Any:
    """The ticket's row, locked, or None."""
    query = sa.select(ticket).where(ticket.c.id == ticket_id, ticket.c.hall == hall)
    return tx.connection.execute(query.with_for_update()).one_or_none()


def move(tx: Transaction, ticket_id: str, **values: Any) -> TicketMessage:
    """Change a ticket, one version up, and tell the queue's scope."""
    changed = sa.update(ticket).where(ticket.c.id == ticket_id)
    changed = changed.values(version=ticket.c.version + 1, **values)
    return tell(tx, tx.connection.execute(changed.returning(ticket)).one())


def tell(tx: Transaction, row: Any) -> TicketMessage:
    """Tell the queue's scope of a ticket. One of an earlier day is away, whatever is still said of it."""
    message = _message(row)
    data = _ticket.dump_python(message, mode="json") if row.day >= tx.today else {}
    op: Literal["put", "del"] = "put" if data else "del"
    tx.tell(News((row.hall, f"queue:{row.queue}"), "ticket", row.id, row.version, op, data))
    return message


def _message(row: Any) -> TicketMessage:
    return TicketMessage(
        id=row.id,
        number=row.number,
        series=row.series,
        state=row.state,
        issued_at=row.issued_at,
        version=row.version,
        window=row.window,
        called_at=row.called_at,
        calls=row.calls,
        reason=row.reason,
    )


def answered(tx: Transaction, device: Device, request_id: str, asked: list[str]) -> str | None:
    """The stored answer of a request that was made before.

    Raises Refused 422 when the same id asks for something else.
    """
    query = sa.select(request).where(request.c.device == device.id, request.c.id == request_id)
    row = tx.connection.execute(query.with_for_update()).one_or_none()
    if row is None:
        return None
    if json.loads(row.asked) != asked:
        raise Refused("OFFICE-REQUEST-REUSED", status=422)
    return str(row.answer)


def _forget_yesterday(tx: Transaction, device: Device, request_id: str) -> None:
    """A call of an earlier day is over: its ticket was put away, and its number may be somebody else's."""
    midnight = tx.now.astimezone(HALL_TIME).replace(hour=0, minute=0, second=0, microsecond=0)
    old = sa.and_(request.c.device == device.id, request.c.id == request_id, request.c.at < midnight)
    tx.connection.execute(sa.delete(request).where(old))


def remember(tx: Transaction, device: Device, request_id: str, asked: list[str], answer: str) -> str:
    row = {"device": device.id, "id": request_id, "asked": compact(asked), "answer": answer, "at": tx.now}
    tx.connection.execute(sa.insert(request), row)
    return answer


def call_once(tx: Transaction, device: Device, request_id: str, queue_code: str, window: str) -> str:
    """`call`, once for each request id; the answer as JSON."""
    asked = ["call", queue_code, window]
    _forget_yesterday(tx, device, request_id)
    before = answered(tx, device, request_id, asked)
    if before is not None:
        return before
    answer = call(tx, device.hall, queue_code, window)
    return remember(tx, device, request_id, asked, to_json(_call, answer))


def recall_once(
    tx: Transaction, device: Device, request_id: str, queue_code: str, ticket_id: str, window: str
) -> str:
    """`recall`, once for each request id; the answer as JSON."""
    asked = ["recall", queue_code, ticket_id, window]
    before = answered(tx, device, request_id, asked)
    if before is not None:
        return before
    answer = recall(tx, device.hall, queue_code, ticket_id, window)
    return remember(tx, device, request_id, asked, to_json(_call, answer))


def issue_once(tx: Transaction, device: Device, request_id: str, queue_code: str, letter: str) -> str:
    """`issue`, once for each request id; the answer as JSON."""
    asked = ["issue", queue_code, letter]
    before = answered(tx, device, request_id, asked)
    if before is not None:
        return before
    answer = issue(tx, device.hall, letter, queue_code=queue_code)
    return remember(tx, device, request_id, asked, to_json(_ticket, answer))


def void_once(
    tx: Transaction, device: Device, request_id: str, queue_code: str, ticket_id: str, reason: VoidReason
) -> str:
    """`void`, once for each request id; the answer as JSON."""
    asked = ["void", queue_code, ticket_id, reason]
    before = answered(tx, device, request_id, asked)
    if before is not None:
        return before
    answer = void(tx, device.hall, queue_code, ticket_id, reason)
    return remember(tx, device, request_id, asked, to_json(_ticket, answer))
