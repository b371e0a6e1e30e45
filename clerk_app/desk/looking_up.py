"""Looking up what a scanned slip bears: a case of this workstation, a ticket of the queue."""

from __future__ import annotations

from dataclasses import dataclass

from clerk_app.desk import case_rows
from clerk_app.desk.context import Desk
from clerk_app.desk.ports import Transaction
from clerk_app.desk.views import CaseRow, ReceiptRow
from clerk_app.domain.numbering import printed
from clerk_app.domain.ticket import TicketState


@dataclass(frozen=True, slots=True)
class TicketSight:
    """A ticket as the queue's authority last told it. `place` counts from 1 while it waits, else it is 0."""

    number: str
    state: TicketState
    place: int = 0


def case(desk: Desk, number: str) -> CaseRow | None:
    """The case with this number as stored, masked; None when another workstation filed it."""

    def look(tx: Transaction) -> CaseRow | None:
        found = tx.cases.by_number(number)
        return case_rows.row(desk, tx, found) if found else None

    return desk.store.read(look)


def receipt(desk: Desk, number: str) -> ReceiptRow | None:
    """The case with this number when retention has taken it; None when it is here or never was."""
    found = desk.store.read(lambda tx: tx.receipts.by_number(number))
    if found is None:
        return None
    return ReceiptRow(
        number=printed(found.number),
        item=found.item,
        legal_state=found.legal_state,
        received_at=found.received_at,
        official_number=found.official_number,
        left_at=found.purged_at,
    )


def ticket(desk: Desk, number: str) -> TicketSight | None:
    """The newest ticket of this number and how it stands; who is next stays the authority's to say."""

    def look(tx: Transaction) -> TicketSight | None:
        found = tx.tickets.by_number(number)
        if found is None:
            return None
        waiting = [other.id for other in tx.tickets.waiting()]
        place = waiting.index(found.id) + 1 if found.id in waiting else 0
        return TicketSight(found.number, found.state, place)

    return desk.store.read(look)
