"""Tickets of a workstation's own series, while it reaches no authority of the queue (architecture, rule 6).

The office gave the series at enrolment ("L12"); no other workstation has it. The numbers of a day run from 1
by the hall's own clock. Each day has a counter of its own that only grows, so that a clock turned back gives
no number twice. Counter, command and slip are one transaction: a kill leaves all of them or none, and what
was not printed is printed again, never numbered again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from clerk_app.desk import rights
from clerk_app.desk.context import Desk
from clerk_app.desk.ports import PrintJob, PrintState, Transaction
from clerk_app.domain.documents import TicketSlip
from clerk_app.domain.hall_time import HALL_TIME
from clerk_app.domain.ticket import OFFLINE, OFFLINE_A_DAY, Series, offline_number
from clerk_app.failures import Failure

_ON_PAPER = "离线取号 凭票办理"


@dataclass(frozen=True, slots=True)
class Given:
    """The tickets of one day in the workstation's own series: how many, the first and the last."""

    count: int
    first: str = ""
    last: str = ""


def series(tx: Transaction) -> Series | None:
    """The workstation's own series; None for one enrolled by an office that gives none."""
    device = tx.meta.device()
    return Series(device.offline_series, OFFLINE) if device and device.offline_series else None


def issue(desk: Desk, operator: str) -> str:
    """A new ticket in the workstation's own series, its slip queued with it: its number.

    Failures: DESK-RIGHT, DESK-NO-OFFLINE-SERIES, DESK-OFFLINE-TICKETS when all of the day are given.
    """

    def record(tx: Transaction) -> str:
        rights.require(tx, operator, rights.ISSUE)
        own = series(tx)
        if own is None:
            raise Failure("DESK-NO-OFFLINE-SERIES")
        now = desk.clock.now()
        serial = _count(tx, own.code, _day(now)) + 1
        if serial > OFFLINE_A_DAY:
            raise Failure("DESK-OFFLINE-TICKETS", own.code)
        tx.meta.set(_key(own.code, _day(now)), str(serial))
        number, ticket = offline_number(own.code, serial), desk.new_id()
        body = {
            "ticket_id": ticket,
            "number": number,
            "series": own.code,
            "issued_at": now.isoformat(),
            "queue": desk.device.queue,
        }
        tx.outbox.add("ticket.issued", ticket, body, at=now, operator=operator)
        slip = TicketSlip(
            number=number,
            hall=desk.device.hall_name,
            queue=_ON_PAPER,
            issued_at=now.astimezone(HALL_TIME),
            ahead=0,
            practice=desk.device.practice,
            offline=True,
        )
        tx.print_jobs.add(slip, case_id=None, at=now)
        tx.audit.add(at=now, actor=operator, act="ticket-issue", subject=number, detail=OFFLINE)
        return number

    number = desk.store.write(record)
    desk.poke()
    return number


def withdraw(desk: Desk, tx: Transaction, operator: str, job: PrintJob) -> None:
    """A number whose paper never came out: nobody holds it. Part of the caller's transaction.

    The office, which may have put it into its queue, hears that this window took the number by paper and
    that nobody came: then no window calls it.
    """
    assert isinstance(job.slip, TicketSlip), "a ticket"
    now, visit = desk.clock.now(), desk.new_id()
    body = {
        "ticket_id": None,
        "ticket_number": job.slip.number,
        "visit_id": visit,
        "window": desk.device.window,
        "at": job.slip.issued_at.isoformat(),
    }
    for kind in ("ticket.by_paper", "ticket.no_show"):
        tx.outbox.add(kind, visit, body, at=now, operator=operator)
    tx.print_jobs.mark(job.id, PrintState.REPLACED)
    tx.audit.add(at=now, actor=operator, act="ticket-void", subject=job.slip.number, detail="not printed")


def given(tx: Transaction, day: date) -> Given:
    """What was given on `day` of the hall's clock."""
    own = series(tx)
    count = _count(tx, own.code, day) if own else 0
    if own is None or not count:
        return Given(0)
    return Given(count, offline_number(own.code, 1), offline_number(own.code, count))


def _count(tx: Transaction, code: str, day: date) -> int:
    return int(tx.meta.get(_key(code, day)) or 0)


def _key(code: str, day: date) -> str:
    return f"offline_tickets:{code}:{day.isoformat()}"


def _day(moment: datetime) -> date:
    return moment.astimezone(HALL_TIME).date()
