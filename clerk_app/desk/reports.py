"""What a clerk's shift and a window's day came to, as slips: read from the store in one transaction.

The counts are of what the store holds, what was done is counted from the audit chain, and the closing sheet
carries the chain's head: with the paper signed and kept, a chain rewritten afterwards does not match it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from clerk_app.desk import offline_tickets, ticketing
from clerk_app.desk.context import Desk
from clerk_app.desk.ports import AuditAct, PrintJob, Transaction
from clerk_app.domain.case import Case, SyncState
from clerk_app.domain.documents import ClosingSlip, ShiftSlip, Slip, TestSlip, VoidNumbers
from clerk_app.domain.hall_time import HALL_TIME
from clerk_app.domain.numbering import FIRST_EMERGENCY, case_number, serial
from clerk_app.domain.ticket import VisitState

_RARE = "〇㐱䶮𠮷"


def shift(desk: Desk, operator: str, began: datetime | None = None) -> PrintJob:
    """Print what `operator` did since `began`, left out: since the first sign-in here today."""

    def record(tx: Transaction) -> PrintJob:
        slip = shift_slip(desk, tx, operator, began)
        tx.audit.add(at=slip.ended_at, actor=operator, act="shift-report", subject=slip.began_at.isoformat())
        return tx.print_jobs.add(slip, case_id=None, at=slip.ended_at)

    return desk.store.write(record)


def closing(desk: Desk, operator: str, day: date) -> PrintJob:
    """Print the closing sheet of `day`, with the audit chain verified link by link.

    The head is that before this act; the act records it in the chain. Failure STORE-AUDIT-BROKEN.
    """

    def record(tx: Transaction) -> PrintJob:
        tx.audit.verify()
        slip = closing_slip(desk, tx, operator, day)
        tx.audit.add(
            at=slip.closed_at,
            actor=operator,
            act="closing-sheet",
            subject=day.isoformat(),
            detail=slip.audit_head,
        )
        return tx.print_jobs.add(slip, case_id=None, at=slip.closed_at)

    return desk.store.write(record)


def test_page(desk: Desk) -> PrintJob:
    """Print the test page."""
    slip = test_slip(desk)
    return desk.store.write(lambda tx: tx.print_jobs.add(slip, case_id=None, at=slip.printed_at))


def shift_slip(desk: Desk, tx: Transaction, operator: str, began: datetime | None = None) -> ShiftSlip:
    """The shift of `operator` as it stands now. Part of the caller's transaction."""
    now = desk.clock.now()
    since = began or _began(tx, operator, now)
    until = now + timedelta(microseconds=1)  # what was done at this very moment belongs to it
    own = [case for case in tx.cases.filed(since, until) if case.operator == operator]
    visits = [visit for visit in tx.visits.ended(since, until) if visit.operator == operator]
    acts = Counter(act.act for act in tx.audit.acts(since, until) if act.actor == operator)
    items = Counter(case.item.name for case in own)
    return ShiftSlip(
        hall=desk.device.hall_name,
        window=desk.device.window,
        operator=operator,
        began_at=since,
        ended_at=now,
        visits=sum(visit.state is VisitState.FINISHED for visit in visits),
        no_shows=sum(visit.state is VisitState.NO_SHOW for visit in visits),
        received=len(own),
        accepted=_accepted(own),
        voided=acts["case-void"],
        reprints=acts["reprint"],
        unsent=tx.outbox.state().unsent,
        items=tuple(sorted(items.items(), key=lambda pair: -pair[1])),
        practice=desk.device.practice,
    )


def closing_slip(desk: Desk, tx: Transaction, operator: str, day: date) -> ClosingSlip:
    """The day of this window as it stands now, of every clerk. Part of the caller's transaction."""
    since = datetime.combine(day, time(), HALL_TIME)
    until = since + timedelta(days=1)
    filed = tx.cases.filed(since, until)
    voided = _voided(tx.audit.acts(since, until))
    blocks, tickets, waits = tx.numbers.blocks(), offline_tickets.given(tx, day), tx.outbox.state()
    return ClosingSlip(
        hall=desk.device.hall_name,
        window=desk.device.window,
        operator=operator,
        day=day,
        closed_at=desk.clock.now(),
        visits=sum(visit.state is VisitState.FINISHED for visit in tx.visits.ended(since, until)),
        received=len(filed),
        accepted=_accepted(filed),
        registered=sum(case.sync_state is SyncState.REGISTERED for case in filed),
        refused=sum(case.sync_state is SyncState.REFUSED for case in filed),
        first_number=filed[0].number if filed else "",
        last_number=filed[-1].number if filed else "",
        voided=voided,
        unsent=waits.unsent,
        not_printed=sum(_counts(desk, tx, job.slip) for job in tx.print_jobs.unfinished()),
        audit_links=tx.audit.links(),
        audit_head=tx.audit.head(),
        oldest_unsent=waits.oldest,
        practice=desk.device.practice,
        void_reasons=tuple(_why_void(tx, number) for number in voided),
        void_numbers=_void_numbers(desk, tx.audit.acts(since, until)),
        numbers_left=sum(block.left for block in blocks if block.low < FIRST_EMERGENCY),
        emergency_left=sum(block.left for block in blocks if block.low >= FIRST_EMERGENCY),
        emergency_used=sum(serial(case.number) >= FIRST_EMERGENCY for case in filed),
        offline_tickets=tickets.count,
        first_offline=tickets.first,
        last_offline=tickets.last,
        awaiting=len(tx.cases.unaccepted()),
        tasks=waits.tasks,
        held=waits.held,
        pages=waits.pages,
    )


def test_slip(desk: Desk) -> TestSlip:
    """The test page of this window's printer, with the rare characters that it or a font here can write."""
    setup = desk.printer.setup
    lacking = desk.printer.missing(_RARE)
    return TestSlip(
        hall=desk.device.hall_name,
        window=desk.device.window,
        printed_at=desk.clock.now(),
        printer=setup.address,
        width=setup.width,
        encoding=setup.encoding,
        rare="".join(sign for sign in _RARE if sign not in lacking),
        practice=desk.device.practice,
    )


def _counts(desk: Desk, tx: Transaction, slip: Slip) -> bool:
    """Whether a slip without paper is missed by anybody."""
    return not isinstance(slip, TestSlip) and not ticketing.over(desk, tx, slip)


def _began(tx: Transaction, operator: str, now: datetime) -> datetime:
    """The first sign-in of `operator` here today; a window that never heard of one counts from midnight."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    acts = tx.audit.acts(midnight, now + timedelta(microseconds=1))
    return next((act.at for act in acts if act.actor == operator and act.act == "sign-in"), midnight)


def _accepted(cases: Sequence[Case]) -> int:
    return sum(case.accepted_at is not None for case in cases)


def _voided(acts: Sequence[AuditAct]) -> tuple[str, ...]:
    return tuple(act.subject for act in acts if act.act == "case-void")


def _why_void(tx: Transaction, number: str) -> str:
    """The reason the clerk wrote; empty when retention has taken the case, the audit still has it."""
    case = tx.cases.by_number(number)
    return (case.void_reason or "") if case else ""


def _void_numbers(desk: Desk, acts: Sequence[AuditAct]) -> tuple[VoidNumbers, ...]:
    """The rests of blocks reported to the office as never to be used; the audit outlives the commands."""
    hall, told = desk.device.hall_code, [act for act in acts if act.act == "numbers-void"]
    rests = (tuple(map(int, act.subject.split("-"))) for act in told)
    return tuple(
        VoidNumbers(case_number(hall, low), case_number(hall, high), "new-epoch") for low, high in rests
    )
