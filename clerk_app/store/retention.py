"""What leaves the workstation, and when: the rows nobody needs here any more, a few at a time.

A case leaves when the office has it (or it was made void here), nothing of it is unsent, refused, held, not
uploaded or not printed, its days for being accepted are over, and nothing has happened to it for the days
the hall keeps cases. Age alone never takes anything: what the office has not confirmed stays. An open draft
and the audit chain stay too.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, Table, and_, delete, exists, func, or_, select

from clerk_app.desk.ports import CommandState, PrintState, Receipt
from clerk_app.domain.case import Case, LegalState, SyncState
from clerk_app.domain.hall_time import HALL_TIME
from clerk_app.domain.ticket import VisitState
from clerk_app.store.columns import before, since
from clerk_app.store.repositories.meta import EPOCH, SqlMeta, purged_key
from clerk_app.store.repositories.receipts import SqlReceipts
from clerk_app.store.repositories.rows import Statements, columns, each
from clerk_app.store.tables import (
    attachments,
    cases,
    drafts,
    outbox,
    print_jobs,
    tickets,
    timeline,
    visits,
)

CASES = 2
"""Cases that leave in one transaction, with all their pages: about 10 ms."""
UNDECIDED_DAYS = 60
"""A received case that nobody accepted stays so long, in days: its five working days, whatever holidays lie
between, and time for the clerk to see that they are over."""
ROWS = 100
"""Other rows that leave in one transaction."""

_OPEN_COMMANDS = (CommandState.WAITING, CommandState.SENT, CommandState.REFUSED, CommandState.HELD)
_OPEN_PAPERS = (PrintState.QUEUED, PrintState.PRINTING, PrintState.FAILED, PrintState.UNKNOWN)
_OPEN_VISITS = (VisitState.CALLED, VisitState.SERVING)

_WITH_COMMANDS = select(outbox.c.aggregate).where(outbox.c.state.in_(_OPEN_COMMANDS))
_WITH_PAPERS = select(print_jobs.c.case_id).where(
    print_jobs.c.state.in_(_OPEN_PAPERS), print_jobs.c.case_id.is_not(None)
)


class SqlRetention:
    """Implements `desk.ports.Retention`."""

    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    def cases(self, limit: datetime, today: date, at: datetime) -> int:
        """Let a few cases go that nothing happened to since `limit`; how many. A receipt of each stays."""
        query = select(*columns(cases, Case)).where(_over(limit, today)).order_by(cases.c.n).limit(CASES)
        leaving = each(Case, self._sql.execute(query))
        receipts = SqlReceipts(self._sql)
        for case in leaving:
            for table in (attachments, print_jobs, timeline):
                self._sql.execute(delete(table).where(table.c.case_id == case.id))
            self._sql.execute(delete(cases).where(cases.c.id == case.id))
            receipts.add(_receipt(case, at))
        return len(leaving)

    def rest(self, limit: datetime) -> int:
        """Let some of the rest go that is older than `limit` and belongs to no case or draft here."""
        return self._commands(limit) or self._visits(limit) or self._loose(limit)

    def _commands(self, limit: datetime) -> int:
        """Answered commands; how far the outbox was emptied is noted with them."""
        over = and_(
            outbox.c.state.not_in(_OPEN_COMMANDS),
            before(outbox.c.at, limit),
            outbox.c.aggregate.not_in(select(cases.c.id)),
        )
        chosen = select(outbox.c.n).where(over).order_by(outbox.c.n).limit(ROWS)
        numbers = [int(row[0]) for row in self._sql.execute(chosen)]
        if not numbers:
            return 0
        gone = outbox.c.n.in_(numbers)
        highest = select(outbox.c.epoch, func.max(outbox.c.seq)).where(gone, outbox.c.epoch == EPOCH)
        for epoch, seq in self._sql.execute(highest.group_by(outbox.c.epoch)):
            self._note_purged(int(epoch), int(seq))
        self._sql.execute(delete(outbox).where(gone))
        return len(numbers)

    def _note_purged(self, epoch: int, seq: int) -> None:
        meta, key = SqlMeta(self._sql), purged_key(epoch)
        meta.set(key, str(max(seq, int(meta.get(key) or 0))))

    def _visits(self, limit: datetime) -> int:
        """Visits that ended, with what happened in them."""
        kept = or_(
            visits.c.id.in_(select(cases.c.visit_id)),
            visits.c.id.in_(select(drafts.c.visit_id).where(drafts.c.visit_id.is_not(None))),
            visits.c.id.in_(_WITH_COMMANDS),
        )
        over = and_(visits.c.state.not_in(_OPEN_VISITS), before(visits.c.ended_at, limit), ~kept)
        return self._some(visits, visits.c.id, over)

    def _loose(self, limit: datetime) -> int:
        """Lines of visits that are no more, slips of no case, tickets the authority has put away."""
        lines = and_(
            before(timeline.c.at, limit),
            ~exists().where(visits.c.id == timeline.c.visit_id),
            ~exists().where(cases.c.id == timeline.c.case_id),
            ~exists().where(drafts.c.visit_id == timeline.c.visit_id),
        )
        slips = and_(
            print_jobs.c.case_id.is_(None),
            print_jobs.c.state.not_in(_OPEN_PAPERS),
            before(print_jobs.c.created_at, limit),
        )
        past = and_(tickets.c.gone, before(tickets.c.issued_at, limit))
        return (
            self._some(timeline, timeline.c.n, lines)
            or self._some(print_jobs, print_jobs.c.n, slips)
            or self._some(tickets, tickets.c.id, past)
        )

    def _some(self, table: Table, key: ColumnElement[object], over: ColumnElement[bool]) -> int:
        chosen = select(key).where(over).limit(ROWS)
        return self._sql.execute(delete(table).where(key.in_(chosen))).rowcount


def _over(limit: datetime, today: date) -> ColumnElement[bool]:
    """Which cases may leave. See the rule at the head of this module."""
    settled = or_(cases.c.sync_state == SyncState.REGISTERED, cases.c.legal_state == LegalState.VOID)
    decided_by = datetime.combine(today - timedelta(days=UNDECIDED_DAYS), time(), HALL_TIME)
    awaits_acceptance = and_(
        cases.c.legal_state == LegalState.RECEIVED, since(cases.c.received_at, decided_by)
    )
    pages_to_upload = and_(
        cases.c.sync_state == SyncState.REGISTERED,
        exists().where(attachments.c.case_id == cases.c.id, attachments.c.uploaded_at.is_(None)),
    )
    lately = exists().where(timeline.c.case_id == cases.c.id, since(timeline.c.at, limit))
    return and_(
        before(cases.c.received_at, limit),
        settled,
        ~awaits_acceptance,
        cases.c.id.not_in(_WITH_COMMANDS),
        cases.c.id.not_in(_WITH_PAPERS),
        ~pages_to_upload,
        ~lately,
    )


def _receipt(case: Case, at: datetime) -> Receipt:
    return Receipt(
        number=case.number,
        case_id=case.id,
        item=case.item.name,
        received_at=case.received_at,
        official_number=case.official_number,
        legal_state=case.legal_state,
        purged_at=at,
    )
