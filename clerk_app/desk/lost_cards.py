"""Whether the card on the reader is on the office's list of lost cards."""

from __future__ import annotations

from clerk_app.desk.ports import Transaction
from clerk_app.domain.applicant import CardRecord
from clerk_app.domain.lost_cards import SALT_KEY, digests

REPORTED = "CARD-REPORTED-LOST"
"""The warning such a card bears; it stops nothing by itself, the clerk decides (see the failure text)."""


def reported(tx: Transaction, record: CardRecord) -> bool:
    """As the mirror knows it, online or not. Takes some 20 ms where the office keeps a list, else nothing."""
    salt = tx.meta.get(SALT_KEY)
    if not salt:
        return False
    wanted = digests(record, salt)
    return bool(wanted) and tx.lost_cards.holds(wanted)
