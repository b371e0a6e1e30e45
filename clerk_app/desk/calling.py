"""The call loop: call, recall, no-show, serve by paper, finish.

The queue has one authority, the office. A window that does not reach it announces nothing new: it finishes
its visit and serves by the paper ticket in the citizen's hand, recorded as such (architecture, rule 6).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from clerk_app.desk import case_rows, due_dates, rights
from clerk_app.desk.context import Desk
from clerk_app.desk.ports import LinkState, Transaction
from clerk_app.desk.views import QueueView, TicketRow, VisitView
from clerk_app.domain.case import TimelineEvent, TimelineKind
from clerk_app.domain.ticket import Ticket, Visit, VisitState, parse
from clerk_app.failures import Failure

LISTED = 200
"""How many of those who wait the list shows: thousands of rows would hold up the window's event loop."""


def call_next(desk: Desk, operator: str) -> Visit | None:
    """The visit of the ticket the authority assigns to this window, or None when nobody waits.

    The request id is kept until the answer is in the store: a call whose answer was lost is asked for again
    under the same id and gives the same ticket. One of an earlier day is called no more: its number is
    somebody else's today. Failures: DESK-VISIT-OPEN, or SYNC-… when nothing answers.
    """

    def begin(tx: Transaction, *, anew: bool = False) -> tuple[str, bool]:
        rights.require(tx, operator, rights.CALL)
        if tx.visits.current(operator) is not None:
            raise Failure("DESK-VISIT-OPEN")
        kept = "" if anew else tx.meta.get("call_request")
        request = kept or desk.new_id()
        tx.meta.set("call_request", request)
        return request, bool(kept)

    request, kept = desk.store.write(begin)
    ticket = desk.office.call_next(request)
    if kept and ticket and due_dates.day_of(ticket.issued_at) != due_dates.day_of(desk.clock.now()):
        request, _ = desk.store.write(lambda tx: begin(tx, anew=True))
        ticket = desk.office.call_next(request)

    def record(tx: Transaction) -> Visit | None:
        if tx.visits.current(operator) is not None:
            # A visit by paper began while the answer was on its way. The request stays: the ticket that the
            # authority gave this window comes at its next call, and nobody is forgotten.
            raise Failure("DESK-VISIT-OPEN")
        tx.meta.set("call_request", "")
        if ticket is None:
            return None
        tx.tickets.put([ticket])
        now = desk.clock.now()
        visit = Visit(
            id=desk.new_id(),
            ticket_number=ticket.number,
            state=VisitState.CALLED,
            operator=operator,
            started_at=now,
            ticket_id=ticket.id,
            reason=ticket.reason,
        )
        tx.visits.save(visit)
        _note(tx, visit, now, TimelineKind.TICKET_CALLED)
        return visit

    visit = desk.store.write(record)
    if visit is not None:
        _announce(desk, visit)
    return visit


def recall(desk: Desk, visit_id: str) -> Visit:
    """Announce the called ticket once more."""
    visit = desk.store.read(lambda tx: _called(tx, visit_id))
    if visit.by_paper or visit.ticket_id is None:
        raise Failure("DESK-BY-PAPER")
    ticket = desk.office.recall(desk.new_id(), visit.ticket_id)

    def record(tx: Transaction) -> Visit:
        tx.tickets.put([ticket])
        again = replace(_called(tx, visit_id), calls=ticket.calls)
        tx.visits.save(again)
        _note(tx, again, desk.clock.now(), TimelineKind.TICKET_RECALLED, str(ticket.calls))
        return again

    again = desk.store.write(record)
    _announce(desk, again)
    return again


def no_show(desk: Desk, visit_id: str) -> None:
    """The citizen did not come (过号): the ticket goes to the missed list and the window is free."""

    def record(tx: Transaction) -> None:
        visit = _called(tx, visit_id)
        if tx.cases.of_visit(visit_id):
            raise Failure("DESK-VISIT-HAS-CASES")
        _end(desk, tx, visit, VisitState.NO_SHOW)

    desk.store.write(record)
    desk.poke()


def serve_paper(desk: Desk, operator: str, ticket_number: str) -> Visit:
    """Serve by the ticket in the citizen's hand while the queue's authority is out of reach."""
    try:
        number = parse(ticket_number)
    except ValueError:
        raise Failure("DESK-TICKET-NUMBER") from None

    def record(tx: Transaction) -> Visit:
        rights.require(tx, operator, rights.CALL)
        if tx.visits.current(operator) is not None:
            raise Failure("DESK-VISIT-OPEN")
        now = desk.clock.now()
        known = tx.tickets.by_number(number)
        if known is not None and due_dates.day_of(known.issued_at) != due_dates.day_of(now):
            known = None  # the mirror stands still while offline: this is somebody else's of an earlier day
        visit = Visit(
            id=desk.new_id(),
            ticket_number=number,
            state=VisitState.SERVING,
            operator=operator,
            started_at=now,
            ticket_id=known.id if known else None,
            by_paper=True,
            serving_since=now,
        )
        tx.visits.save(visit)
        _command(desk, tx, visit, "ticket.by_paper", now)
        _note(tx, visit, now, TimelineKind.TICKET_BY_PAPER)
        return visit

    visit = desk.store.write(record)
    desk.poke()
    return visit


def finish(desk: Desk, visit_id: str) -> None:
    """End the visit (办结送客). An unfinished draft stays and can be resumed."""

    def record(tx: Transaction) -> None:
        _end(desk, tx, _called(tx, visit_id), VisitState.FINISHED)

    desk.store.write(record)
    desk.poke()


def begin_serving(desk: Desk, tx: Transaction, visit_id: str, now: datetime) -> None:
    """The citizen is here: the first act on the draft says so. Part of the caller's transaction."""
    visit = tx.visits.get(visit_id)
    if visit is None or visit.state is not VisitState.CALLED:
        return
    serving = replace(visit, state=VisitState.SERVING, serving_since=now)
    tx.visits.save(serving)
    _command(desk, tx, serving, "ticket.serving", now)


def visit_view(desk: Desk, operator: str) -> VisitView | None:
    """The visit at this window with its cases, or None."""

    def look(tx: Transaction) -> VisitView | None:
        visit = tx.visits.current(operator)
        if visit is None:
            return None
        return VisitView(
            id=visit.id,
            ticket_number=visit.ticket_number,
            state=visit.state,
            since=visit.serving_since or visit.started_at,
            calls=visit.calls,
            by_paper=visit.by_paper,
            reason=visit.reason,
            cases=case_rows.rows(desk, tx, tx.cases.of_visit(visit.id)),
        )

    return desk.store.read(look)


def queue_view(desk: Desk) -> QueueView:
    """The waiting list as the authority last told it; `stale` while the link is down."""
    now = desk.clock.now()
    today = due_dates.day_of(now)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    stale = desk.link().state is LinkState.OFFLINE

    def look(tx: Transaction) -> QueueView:
        waiting = tx.tickets.waiting(None if stale else LISTED)
        if stale:  # the authority puts a day's tickets away; a mirror that stands still must not show them
            waiting = [ticket for ticket in waiting if due_dates.day_of(ticket.issued_at) == today]
        return QueueView(
            waiting=tuple(_ticket_row(ticket, now) for ticket in waiting[:LISTED]),
            people=len(waiting) if stale else tx.tickets.count("waiting"),
            missed=tx.tickets.count("no_show"),
            served_today=tx.visits.finished_since(midnight),
            cases_today=tx.cases.count_since(midnight),
            stale=stale,
        )

    return desk.store.read(look)


def _ticket_row(ticket: Ticket, now: datetime) -> TicketRow:
    waited = max(int((now - ticket.issued_at).total_seconds() // 60), 0)
    return TicketRow(ticket.number, ticket.series, waited, ticket.reason)


def _announce(desk: Desk, visit: Visit) -> None:
    """Ask the holder of the ticket here, once the call is in the store; the voice holds nothing up."""
    desk.voice.call(visit.ticket_number, desk.device.window)


def _called(tx: Transaction, visit_id: str) -> Visit:
    visit = tx.visits.get(visit_id)
    if visit is None or visit.state not in (VisitState.CALLED, VisitState.SERVING):
        raise Failure("DESK-NO-VISIT")
    return visit


def _end(desk: Desk, tx: Transaction, visit: Visit, state: VisitState) -> None:
    now = desk.clock.now()
    ended = replace(visit, state=state, ended_at=now)
    tx.visits.save(ended)
    missed = state is VisitState.NO_SHOW
    _command(desk, tx, ended, "ticket.no_show" if missed else "ticket.done", now)
    _note(tx, ended, now, TimelineKind.NO_SHOW if missed else TimelineKind.FINISHED)


def _command(desk: Desk, tx: Transaction, visit: Visit, type_: str, now: datetime) -> None:
    body = {
        "ticket_id": visit.ticket_id,
        "ticket_number": visit.ticket_number,
        "visit_id": visit.id,
        "window": desk.device.window,
        "at": now.isoformat(),
    }
    tx.outbox.add(type_, visit.id, body, at=now, operator=visit.operator)


def _note(tx: Transaction, visit: Visit, now: datetime, kind: TimelineKind, detail: str = "") -> None:
    tx.timeline.add(TimelineEvent(now, kind, detail or visit.ticket_number, visit_id=visit.id))
