"""The repositories of one transaction, and the end of it."""

from __future__ import annotations

from sqlalchemy import Connection

from clerk_app.store.repositories.attachments import SqlAttachments
from clerk_app.store.repositories.audit import SqlAudit
from clerk_app.store.repositories.cases import SqlCases
from clerk_app.store.repositories.drafts import SqlDrafts
from clerk_app.store.repositories.feed import SqlFeed
from clerk_app.store.repositories.lost_cards import SqlLostCards
from clerk_app.store.repositories.meta import SqlMeta
from clerk_app.store.repositories.numbers import SqlNumbers
from clerk_app.store.repositories.operators import SqlOperators
from clerk_app.store.repositories.outbox import SqlOutbox
from clerk_app.store.repositories.print_jobs import SqlPrintJobs
from clerk_app.store.repositories.receipts import SqlReceipts
from clerk_app.store.repositories.rows import Statements
from clerk_app.store.repositories.tickets import SqlTickets
from clerk_app.store.repositories.timeline import SqlTimeline
from clerk_app.store.repositories.visits import SqlVisits
from clerk_app.store.retention import SqlRetention


class SqlTransaction:
    """Implements `desk.ports.Transaction`. After `end` every statement is refused: a repository that was
    kept would otherwise write outside any transaction.
    """

    def __init__(self, connection: Connection, identity_key: bytes) -> None:
        run = self._statements = Statements(connection)
        self.drafts = SqlDrafts(run)
        self.visits = SqlVisits(run)
        self.cases = SqlCases(run, identity_key)
        self.numbers = SqlNumbers(run)
        self.outbox = SqlOutbox(run)
        self.tickets = SqlTickets(run)
        self.print_jobs = SqlPrintJobs(run)
        self.attachments = SqlAttachments(run)
        self.receipts = SqlReceipts(run)
        self.retention = SqlRetention(run)
        self.lost_cards = SqlLostCards(run)
        self.timeline = SqlTimeline(run)
        self.audit = SqlAudit(run)
        self.operators = SqlOperators(run)
        self.feed = SqlFeed(run)
        self.meta = SqlMeta(run)

    def end(self) -> None:
        self._statements.end()
