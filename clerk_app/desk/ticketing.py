"""Tickets issued at a window, as at the guide's desk: number from the authority, paper from the printer.

The number exists as soon as the office has given it; the paper may fail. A number without paper is never
hidden: it stands in the window until it is printed, or withdrawn at the office so that nobody calls it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from clerk_app.desk import offline_tickets, rights
from clerk_app.desk.context import Desk
from clerk_app.desk.ports import LinkState, PrintJob, PrintState, Transaction
from clerk_app.desk.sign_in import UNREACHABLE
from clerk_app.desk.views import TicketPaper
from clerk_app.domain.documents import Slip, TicketSlip
from clerk_app.domain.hall_time import HALL_TIME
from clerk_app.domain.ticket import OFFLINE, Series, Ticket, TicketState
from clerk_app.failures import Failure

_ON_PAPER = {"general": "综合业务", "appointment": "预约办理", "priority": "优先办理"}
"""What a series is called on the ticket; its letter where the office knows a kind of its own."""
VOIDING = "DESK-TICKET-VOIDING"
"""Code of a slip whose number is being withdrawn: nothing prints it but the clerk."""
_REUSED = "OFFICE-REQUEST-REUSED"
_UNPRINTED = (PrintState.QUEUED, PrintState.FAILED, PrintState.UNKNOWN)


def series(desk: Desk) -> Sequence[Series]:
    """What tickets of this window's queue there are. Network lane.

    While the authority is out of reach: the workstation's own series. Failure DESK-NO-OFFLINE-SERIES.
    """
    if desk.link().state is not LinkState.OFFLINE:
        try:
            return desk.office.series()
        except Failure as failure:
            if failure.code != "SYNC-OFFLINE":  # a slow office may be there the next moment
                raise
    own = desk.store.read(offline_tickets.series)
    if own is None:
        raise Failure("DESK-NO-OFFLINE-SERIES")
    return (own,)


def issue(desk: Desk, operator: str, chosen: Series) -> str:
    """A new ticket of a series, its slip queued with it; its number. Network lane.

    The request id of each series is kept until the answer is in the store: a ticket whose answer was lost
    comes with the next one asked for, unless it was called meanwhile or is of another day. Failures:
    DESK-RIGHT, OFFICE-RIGHT, OFFICE-NO-SERIES, or SYNC-… when nothing answers. The workstation's own series
    asks nobody, see `offline_tickets`.
    """
    if chosen.kind == OFFLINE:
        return offline_tickets.issue(desk, operator)
    while True:
        ticket, settled = _ask(desk, operator, chosen)
        if settled:
            return ticket.number


def _ask(desk: Desk, operator: str, chosen: Series) -> tuple[Ticket, bool]:
    """One request: its ticket, and whether that is the one wanted (an old one may have been fetched)."""
    key = f"issue_request:{chosen.code}"
    request, fresh = desk.store.write(lambda tx: _request(desk, tx, operator, key))
    try:
        ticket = desk.office.issue_ticket(request, chosen.code)
    except Failure as failure:
        if failure.code == _REUSED:  # it stands for a ticket of the queue this window had before
            desk.store.write(lambda tx: tx.meta.set(key, ""))
        raise

    def record(tx: Transaction) -> bool:
        tx.meta.set(key, "")
        tx.tickets.put([ticket])
        known = tx.tickets.get(ticket.id) or ticket
        today = _day(ticket.issued_at) == _day(desk.clock.now())
        wanted = fresh or (known.state is TicketState.WAITING and today)
        if wanted:
            _queue_slip(desk, tx, operator, chosen, ticket)
        return wanted

    return ticket, desk.store.write(record)


def papers(desk: Desk) -> tuple[TicketPaper, ...]:
    """The tickets issued here that still wait and are not known to be on paper, oldest first."""

    def look(tx: Transaction) -> tuple[TicketPaper, ...]:
        return tuple(
            TicketPaper(job.id, job.slip.number, job.state, job.code)
            for job in tx.print_jobs.unfinished()
            if isinstance(job.slip, TicketSlip) and waits(desk, tx, job.slip)
        )

    return desk.store.read(look)


def void(desk: Desk, operator: str, job_id: str) -> None:
    """Withdraw the ticket of an unprinted slip: no window calls the number any more. Network lane.

    While the office is asked, and as long as its answer is not known, no printer that comes back prints the
    slip by itself: a withdrawn number must not come out. The job's id is the request id, so that asking twice
    is one act. Failures: DESK-RIGHT, DESK-TICKET-PRINTED when the paper has come out or there is no such
    ticket, OFFICE-TICKET-STATE when somebody called it, SYNC-….
    """

    def begin(tx: Transaction) -> tuple[PrintJob, Ticket] | None:
        rights.require(tx, operator, rights.ISSUE)
        job = tx.print_jobs.get(job_id)
        if job is None or job.state not in _UNPRINTED or not isinstance(job.slip, TicketSlip):
            raise Failure("DESK-TICKET-PRINTED")
        if job.slip.offline:
            offline_tickets.withdraw(desk, tx, operator, job)
            return None
        ticket = tx.tickets.by_number(job.slip.number)
        # The same number is given again tomorrow, to somebody else.
        if ticket is None or _day(ticket.issued_at) != _day(job.slip.issued_at):
            raise Failure("DESK-TICKET-PRINTED")
        unknown = job.state is PrintState.UNKNOWN
        tx.print_jobs.mark(job_id, PrintState.UNKNOWN if unknown else PrintState.FAILED, VOIDING)
        return job, ticket

    begun = desk.store.write(begin)
    if begun is None:
        desk.poke()
        return
    job, ticket = begun
    try:
        gone = desk.office.void_ticket(job_id, ticket.id)
    except Failure as failure:
        if failure.code not in UNREACHABLE:  # it said no: everything is as before
            desk.store.write(lambda tx: tx.print_jobs.mark(job_id, job.state, job.code))
        raise

    def record(tx: Transaction) -> None:
        tx.tickets.put([gone])
        tx.print_jobs.mark(job_id, PrintState.REPLACED)
        now = desk.clock.now()
        tx.audit.add(at=now, actor=operator, act="ticket-void", subject=ticket.number, detail="not printed")

    desk.store.write(record)


def waits(desk: Desk, tx: Transaction, slip: TicketSlip) -> bool:
    """Whether the number on this slip is still good for anything: of today, and not called or withdrawn.

    A number the mirror has lost sight of (it takes the queue anew) is still good.
    """
    if _day(slip.issued_at) != _day(desk.clock.now()):
        return False
    known = tx.tickets.by_number(slip.number)
    return known is None or known.state in (TicketState.WAITING, TicketState.CALLED)


def over(desk: Desk, tx: Transaction, slip: Slip) -> bool:
    """Whether this is the slip of a number that nobody waits with any more: its paper is no question."""
    return isinstance(slip, TicketSlip) and not waits(desk, tx, slip)


def _request(desk: Desk, tx: Transaction, operator: str, key: str) -> tuple[str, bool]:
    """The request id to use, and whether it is a new one."""
    rights.require(tx, operator, rights.ISSUE)
    kept = tx.meta.get(key)
    if kept:
        return kept, False
    request = desk.new_id()
    tx.meta.set(key, request)
    return request, True


def _queue_slip(desk: Desk, tx: Transaction, operator: str, chosen: Series, ticket: Ticket) -> None:
    now = desk.clock.now()
    slip = TicketSlip(
        number=ticket.number,
        hall=desk.device.hall_name,
        queue=_ON_PAPER.get(chosen.kind, chosen.code),
        issued_at=ticket.issued_at.astimezone(HALL_TIME),
        ahead=_ahead(tx, ticket),
        practice=desk.device.practice,
    )
    tx.print_jobs.add(slip, case_id=None, at=now)
    tx.audit.add(at=now, actor=operator, act="ticket-issue", subject=ticket.number)


def _day(moment: datetime) -> date:
    return moment.astimezone(HALL_TIME).date()


def _ahead(tx: Transaction, ticket: Ticket) -> int:
    """How many stand before this one at most: a booked ticket waits for booked ones only."""
    booked = ticket.reason == "appointment"
    return sum(
        other.id != ticket.id and (not booked or other.reason == "appointment")
        for other in tx.tickets.waiting()
    )
