"""What the office answered to a command becomes what this workstation shows.

A refusal is a visible task for a person; the case and its receipt stay. A held command is the office's: it
keeps it, owes the answer and asks nothing of the clerk. A final answer is never taken back by a held one that
was on its way longer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from clerk_app import failures
from clerk_app.desk.ports import Command, CommandState, Transaction
from clerk_app.domain.case import Case, SyncState, TimelineEvent, TimelineKind
from clerk_app.sync.protocol import CommandResult

STATES = {
    "applied": CommandState.APPLIED,
    "refused": CommandState.REFUSED,
    "held": CommandState.HELD,
}
_UNANSWERED = (CommandState.WAITING, CommandState.SENT)
_OPEN = (*_UNANSWERED, CommandState.HELD)
_UNTOLD = (SyncState.HERE, SyncState.SENT)


def mark_sent(tx: Transaction, commands: Sequence[Command], now: datetime) -> None:
    """Before the first byte leaves: from here on the office may have them, whatever happens to us."""
    tx.outbox.mark([command.id for command in commands], CommandState.SENT)
    new = [c.aggregate for c in commands if c.state is CommandState.WAITING and of_case(c)]
    for case_id, visit_id in tx.cases.sent(new):
        tx.timeline.add(TimelineEvent(now, TimelineKind.SENT, visit_id=visit_id, case_id=case_id))


def settle(tx: Transaction, answered: Iterable[tuple[Command, CommandResult]], now: datetime) -> None:
    """Write the answers of a push. A batch that comes again changes nothing the second time."""
    marks: dict[tuple[CommandState, str], list[str]] = defaultdict(list)
    for sent, result in answered:
        state = STATES[result.status]
        command = sent if _as_ever(sent, state) else tx.outbox.get(sent.id) or sent
        if state is CommandState.HELD and command.state not in _OPEN:
            continue
        if command.state is CommandState.SETTLED:
            _settled_before(tx, command, state, now)
            continue
        code = "" if state is CommandState.APPLIED else clerk_code(result.status, result.code)
        if state is CommandState.REFUSED and command.state is CommandState.APPLIED:
            _taken_back(tx, command, code, result.code, now)
            continue
        marks[state, code].append(command.id)
        if of_case(command) and command.state in _OPEN:
            if state is CommandState.REFUSED:
                _show_refusal(tx, command, code, result.code, now)
            elif state is CommandState.HELD:
                _show_held(tx, command)
    for (state, code), ids in marks.items():
        tx.outbox.mark(ids, state, code)


def settle_owed(tx: Transaction, command_id: str, status: str, code: str, now: datetime) -> bool:
    """Write the answer the office owed for a held command; whether it told anything new."""
    command = tx.outbox.get(command_id)
    if command is None or command.state is CommandState.SETTLED:
        return False
    if command.state is CommandState.APPLIED:
        if status == "refused":
            _taken_back(tx, command, clerk_code(status, code), code, now)
        return status == "refused" and of_case(command)
    if status == "applied":
        tx.outbox.mark([command.id], CommandState.APPLIED)
        if of_case(command):
            _show_applied(tx, command)
        return True
    if command.state is CommandState.REFUSED:
        return False
    known = clerk_code(status, code)
    tx.outbox.mark([command.id], CommandState.REFUSED, known)
    if of_case(command):
        _show_refusal(tx, command, known, code, now)
    return True


def _as_ever(command: Command, state: CommandState) -> bool:
    """Whether nothing else can have become of it while it was away; a clerk settles only what is refused."""
    return state is CommandState.APPLIED and command.state in (*_UNANSWERED, CommandState.APPLIED)


def of_case(command: Command) -> bool:
    return command.type.startswith("case.")


def clerk_code(status: str, code: str) -> str:
    """The office's code where this program has a text for it, else one that says what to do."""
    if status == "held":
        return "SYNC-HELD"
    return code if code in failures.codes() else "SYNC-REFUSED"


def _show_refusal(tx: Transaction, command: Command, code: str, told: str, now: datetime) -> None:
    case = tx.cases.get(command.aggregate)
    if case is None:
        return
    if case.refusal is None:  # the first refusal says why; what was refused behind it does not
        tx.cases.save(replace(case, sync_state=SyncState.REFUSED, refusal=code))
    event = TimelineEvent(now, TimelineKind.REFUSED, told, visit_id=case.visit_id, case_id=case.id)
    tx.timeline.add(event)


def _taken_back(tx: Transaction, command: Command, code: str, told: str, now: datetime) -> None:
    """The office applied it once, lost its memory, and refuses it now: without a word the case would be lost.

    What became of a ticket is over.
    """
    if of_case(command):
        tx.outbox.taken_back(command.id, code)
        _show_refusal(tx, command, code, told, now)


def _show_held(tx: Transaction, command: Command) -> None:
    case = tx.cases.get(command.aggregate)
    if case is not None and case.sync_state in _UNTOLD:
        tx.cases.save(replace(case, sync_state=SyncState.HELD))


def _show_applied(tx: Transaction, command: Command) -> None:
    """The case is as if the office had applied the command at once; its registration comes by itself."""
    case = tx.cases.get(command.aggregate)
    if case is None or case.sync_state not in (SyncState.HELD, SyncState.REFUSED):
        return
    left = {c.state for c in tx.outbox.stuck() if c.aggregate == case.id}
    if CommandState.REFUSED in left or (case.sync_state is SyncState.HELD and left):
        return
    there = SyncState.REGISTERED if case.official_number else SyncState.SENT
    tx.cases.save(replace(case, sync_state=there, refusal=None))


def _settled_before(tx: Transaction, command: Command, state: CommandState, now: datetime) -> None:
    """A person settled this refusal by voiding the case here.

    An office that forgot the refusal and applies the filing now has to hear of the voiding.
    """
    case = tx.cases.get(command.aggregate)
    if state is not CommandState.APPLIED or command.type != "case.file" or case is None:
        return
    tx.outbox.mark([command.id], CommandState.APPLIED)
    tx.outbox.add("case.void", case.id, _void_body(case, now), at=now, operator=command.operator)


def _void_body(case: Case, now: datetime) -> dict[str, str]:
    return {
        "case_id": case.id,
        "number": case.number,
        "reason": case.void_reason or "",
        "voided_at": now.isoformat(),
        "approved_by": "",
    }
