"""The mirror of the queue: facts of the authority, never changed by what the clerk does here."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.sqlite import insert

from clerk_app.domain.ticket import Ticket, TicketState
from clerk_app.store.repositories.rows import Statements, columns, each, one, values
from clerk_app.store.tables import tickets

_NEW = insert(tickets)
_PUT = _NEW.on_conflict_do_update(
    index_elements=["id"],
    set_={column.name: _NEW.excluded[column.name] for column in tickets.c if column.name != "id"},
    where=_NEW.excluded.version > tickets.c.version,  # a late page of the feed brings old news
)
_ALL = select(*columns(tickets, Ticket))


class SqlTickets:
    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    def put(self, tickets: Sequence[Ticket]) -> None:
        if tickets:
            self._sql.execute(_PUT, [values(ticket) for ticket in tickets])

    def remove(self, ticket_id: str, version: int) -> None:
        """The authority put the ticket away. It stays to be found by its paper, as done."""
        older = (tickets.c.id == ticket_id) & (tickets.c.version < version)
        gone = update(tickets).where(older).values(state=TicketState.DONE, version=version, gone=True)
        self._sql.execute(gone)

    def versions(self) -> Sequence[tuple[str, int]]:
        """(id, version) of every ticket the authority still has."""
        query = select(tickets.c.id, tickets.c.version).where(tickets.c.gone.is_(False))
        return tuple((str(id_), int(version)) for id_, version in self._sql.execute(query))

    def waiting(self, limit: int | None = None) -> Sequence[Ticket]:
        """Waiting tickets in the order they were issued; who is next is the authority's to say."""
        query = _ALL.where(tickets.c.state == TicketState.WAITING)
        in_order = query.order_by(tickets.c.issued_at, tickets.c.number).limit(limit)
        return each(Ticket, self._sql.execute(in_order))

    def get(self, ticket_id: str) -> Ticket | None:
        return one(Ticket, self._sql.execute(_ALL.where(tickets.c.id == ticket_id)))

    def by_number(self, number: str) -> Ticket | None:
        """The ticket that bears `number`; the newest, because numbers begin anew every day."""
        query = _ALL.where(tickets.c.number == number)
        return one(Ticket, self._sql.execute(query.order_by(tickets.c.issued_at.desc()).limit(1)))

    def count(self, state: str) -> int:
        query = select(func.count()).select_from(tickets)
        return int(self._sql.execute(query.where(tickets.c.state == TicketState(state))).scalar_one())

    def clear(self) -> None:
        self._sql.execute(delete(tickets))
