"""Following what was filed: timeline, cases of the window, outbox, status strip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from clerk_app.desk import case_rows, due_dates, settling
from clerk_app.desk.context import Desk
from clerk_app.desk.ports import Command, LinkStatus, Operator, Transaction
from clerk_app.desk.views import SOON, CaseRow, Gate, OutboxRow, StatusView, TimelineRow
from clerk_app.domain.numbering import FIRST_EMERGENCY, NumberBlock, case_number, printed

_SYNCED = "synced_at"
"""Meta: when everything was last up to date, as the sync keeps it over a restart."""


def timeline(desk: Desk, visit_id: str) -> tuple[TimelineRow, ...]:
    """The visit as it happened, oldest first; equal to the event log."""
    events = desk.store.read(lambda tx: tuple(tx.timeline.of_visit(visit_id)))
    return tuple(TimelineRow(event.at, event.kind, event.detail) for event in events)


def cases(desk: Desk, limit: int = 50, *, also: str | None = None) -> tuple[CaseRow, ...]:
    """The newest cases of this window, masked, and the older ones that still wait to be accepted.

    `also` is the id of an older one that was asked for.
    """

    def look(tx: Transaction) -> tuple[CaseRow, ...]:
        found = list(tx.cases.recent(limit))
        listed = {case.id for case in found}
        waiting = [case for case in reversed(tx.cases.unaccepted()) if case.id not in listed] if limit else []
        listed |= {case.id for case in waiting}
        asked = tx.cases.get(also) if also and also not in listed else None
        return case_rows.rows(desk, tx, [*found, *waiting, *([asked] if asked else [])])

    return desk.store.read(look)


def outbox(desk: Desk) -> tuple[OutboxRow, ...]:
    """Every intent the office has not applied, oldest first."""

    def look(tx: Transaction) -> tuple[OutboxRow, ...]:
        return tuple(_row(desk, tx, command) for command in tx.outbox.pending())

    return desk.store.read(look)


def status(desk: Desk, operator: Operator, link: LinkStatus) -> StatusView:
    """The status strip, read from the store."""
    now = desk.clock.now()

    def look(tx: Transaction) -> StatusView:
        state, blocks = tx.outbox.state(), tx.numbers.blocks()
        calendar, today = tx.meta.calendar(), due_dates.day_of(now)
        until = [due_dates.accept_by(calendar, case).day for case in tx.cases.unaccepted()]
        return StatusView(
            hall=desk.device.hall_name,
            hall_en=desk.device.hall_name_en,
            window=desk.device.window,
            operator=operator.name,
            operator_en=operator.name_en,
            staff_no=operator.staff_no,
            practice=desk.device.practice,
            link=remembered(tx, link),
            unsent=state.unsent,
            oldest_unsent=state.oldest,
            tasks=state.tasks,
            papers_waiting=len(tx.print_jobs.unfinished()),
            numbers_left=sum(block.left for block in blocks),
            items=desk.catalogue.count,
            held=state.held,
            pages=state.pages,
            emergency=emergency(blocks),
            today=today,
            awaiting=len(until),
            accept_by=min(until, default=None),
            urgent=sum(calendar.left(today, day) <= SOON for day in until),
            due_moved=due_dates.moved(tx),
        )

    return desk.store.read(look)


def remembered(tx: Transaction, link: LinkStatus) -> LinkStatus:
    """The link as it is; a window that began without the office says since when, not since its own start."""
    kept = tx.meta.get(_SYNCED)
    if link.synced_at is not None or not kept:
        return link
    synced = datetime.fromisoformat(kept)
    since = min(link.since, synced) if link.since else synced
    return replace(link, synced_at=synced, since=since)


def emergency(blocks: Sequence[NumberBlock]) -> bool:
    """Whether cases take emergency numbers now: every ordinary one is used up."""
    ordinary = sum(block.left for block in blocks if block.low < FIRST_EMERGENCY)
    return not ordinary and any(block.left for block in blocks)


def _row(desk: Desk, tx: Transaction, command: Command) -> OutboxRow:
    case = tx.cases.get(command.aggregate) if command.code else None
    closed = Gate(open=False)
    return OutboxRow(
        command.seq,
        command.type,
        _subject(desk, command) or (printed(case.number) if case else ""),
        command.state,
        command.code,
        command.at,
        id=command.id,
        case_id=command.aggregate if command.type.startswith("case.") else None,
        void=case_rows.void_gate(case) if case and settling.is_task(command) else closed,
        settle=settling.gate(command, case),
    )


def _subject(desk: Desk, command: Command) -> str:
    """What a command is about, as people read it: a case, a ticket, a range of numbers."""
    body, hall = command.body, desk.device.hall_code
    if command.type == "numbers.void":
        low, high = int(body["low"]), int(body["high"])
        return f"{printed(case_number(hall, low))} … {printed(case_number(hall, high))}"
    if command.type == "ticket.issued":
        return str(body.get("number", ""))
    number = body.get("number")
    return printed(str(number)) if number else str(body.get("ticket_number", ""))
