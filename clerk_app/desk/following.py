"""Following what was filed: timeline, cases of the window, outbox, status strip."""

from __future__ import annotations

from clerk_app.desk import case_rows
from clerk_app.desk.context import Desk
from clerk_app.desk.ports import Command, CommandState, LinkStatus, Operator, Transaction
from clerk_app.desk.views import CaseRow, OutboxRow, StatusView, TimelineRow
from clerk_app.domain.numbering import printed


def timeline(desk: Desk, visit_id: str) -> tuple[TimelineRow, ...]:
    """The visit as it happened, oldest first; equal to the event log."""
    events = desk.store.read(lambda tx: tuple(tx.timeline.of_visit(visit_id)))
    return tuple(TimelineRow(event.at, event.kind, event.detail) for event in events)


def cases(desk: Desk, limit: int = 50, *, also: str | None = None) -> tuple[CaseRow, ...]:
    """The newest cases of this window, masked; `also` is the id of an older one that was asked for."""

    def look(tx: Transaction) -> tuple[CaseRow, ...]:
        found = list(tx.cases.recent(limit))
        asked = tx.cases.get(also) if also and also not in {case.id for case in found} else None
        return tuple(case_rows.row(tx, case) for case in [*found, *([asked] if asked else [])])

    return desk.store.read(look)


def outbox(desk: Desk) -> tuple[OutboxRow, ...]:
    """Every intent the office has not applied, oldest first."""
    return desk.store.read(lambda tx: tuple(_row(command) for command in tx.outbox.pending()))


def status(desk: Desk, operator: Operator, link: LinkStatus) -> StatusView:
    """The status strip, read from the store."""

    def look(tx: Transaction) -> StatusView:
        pending = tx.outbox.pending()
        unsent = [c for c in pending if c.state in (CommandState.WAITING, CommandState.SENT)]
        return StatusView(
            hall=desk.device.hall_name,
            hall_en=desk.device.hall_name_en,
            window=desk.device.window,
            operator=operator.name,
            operator_en=operator.name_en,
            staff_no=operator.staff_no,
            practice=desk.device.practice,
            link=link,
            unsent=len(unsent),
            oldest_unsent=unsent[0].at if unsent else None,
            tasks=len(pending) - len(unsent),
            papers_waiting=len(tx.print_jobs.unfinished()),
            numbers_left=sum(block.left for block in tx.numbers.blocks()),
            items=desk.catalogue.count,
        )

    return desk.store.read(look)


def _row(command: Command) -> OutboxRow:
    number = command.body.get("number")
    subject = printed(str(number)) if number else str(command.body.get("ticket_number", ""))
    return OutboxRow(command.seq, command.type, subject, command.state, command.code, command.at)
