"""Refused commands are tasks of a person: what can be done about each, and putting one away when it is done.

A case the office never registered is settled by voiding it (and filing it anew). Everything else the office
refused (a void that came too late, a ticket another window had) is put right with the supervisor; then the
clerk says so here, in the audit. Nothing is erased: the command stays, and the other cases go on meanwhile.
"""

from __future__ import annotations

from dataclasses import replace

from clerk_app.desk import rights
from clerk_app.desk.context import Desk
from clerk_app.desk.ports import Changed, Command, CommandState, Transaction
from clerk_app.desk.views import Gate
from clerk_app.domain import masking
from clerk_app.domain.case import Case, LegalState, SyncState, TimelineEvent, TimelineKind
from clerk_app.failures import Failure


def is_task(command: Command) -> bool:
    """Whether a person has to act: refused. What is held the office works on."""
    return command.state is CommandState.REFUSED


def gate(command: Command, case: Case | None) -> Gate:
    """Whether the task can be put away as settled; a filing the office does not have is voided instead.

    One that was voided before the office refused it is over on both sides.
    """
    if not is_task(command):
        return Gate(open=False)
    unknown = case is not None and case.official_number is None and case.legal_state is not LegalState.VOID
    if command.type == "case.file" and unknown:
        return Gate(open=False, reason="gate.settle_by_void")
    return Gate(open=True)


def settle(desk: Desk, command_id: str, how: str, operator: str) -> None:
    """Put a refused command away: `how` it was settled, in the clerk's words, goes into the audit.

    Failures: DESK-SETTLE-HOW without words, DESK-NOT-A-TASK, DESK-RIGHT.
    """
    told = masking.reason(how)
    if not told:
        raise Failure("DESK-SETTLE-HOW")

    def record(tx: Transaction) -> None:
        now = desk.clock.now()
        command = tx.outbox.get(command_id)
        if command is None:
            raise Failure("DESK-NOT-A-TASK")
        of_case = command.type.startswith("case.")
        rights.require(tx, operator, rights.VOID if of_case else rights.CALL)
        case = tx.cases.get(command.aggregate) if of_case else None
        if not gate(command, case).open:
            raise Failure("DESK-NOT-A-TASK")
        tx.outbox.mark([command.id], CommandState.SETTLED, command.code)
        subject = case.number if case else command.aggregate
        tx.audit.add(at=now, actor=operator, act="task-settled", subject=subject, detail=told)
        if case is not None:
            _show(tx, case)
            tx.timeline.add(TimelineEvent(now, TimelineKind.SETTLED, command.code, case.visit_id, case.id))

    desk.store.write(record)
    desk.changed(Changed(frozenset({"outbox", "cases"})))


def _show(tx: Transaction, case: Case) -> None:
    """The case is what the office has of it again, when no other refusal is left."""
    left = any(command.aggregate == case.id for command in tx.outbox.stuck())
    if not left and case.official_number is not None:
        tx.cases.save(replace(case, sync_state=SyncState.REGISTERED, refusal=None))
