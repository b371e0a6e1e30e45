"""The list of reported lost identity cards, fed to every window of every hall.

The office keeps no numbers: what a person reports becomes a digest (`clerk_app.domain.lost_cards`) before
anything is written, so that a copy of the database, or of a window's cache, names nobody.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from pydantic import TypeAdapter

from back_office.feed import News
from back_office.office import Transaction
from back_office.pokes import ScopeKey
from back_office.problems import Refused
from back_office.tables import lost_card, lost_card_salt
from clerk_app.domain import identity
from clerk_app.domain.applicant import DocumentKind
from clerk_app.domain.ids import uuid7
from clerk_app.domain.lost_cards import digest
from clerk_app.failures import Failure
from clerk_app.sync.protocol import LOST_CARDS, LostCardMessage, LostCardSaltMessage

SCOPE: ScopeKey = ("", LOST_CARDS)

_card = TypeAdapter(LostCardMessage)
_salt = TypeAdapter(LostCardSaltMessage)


@dataclass(frozen=True, slots=True)
class Report:
    """One line of the list as the office shows it."""

    id: str
    issued: date | None  # first day of validity of the card; None: every card of the number
    reported_at: datetime


def add(tx: Transaction, number: str, issued: date | None = None) -> str:
    """Report a card lost; returns the report's id, the one it has when it is on the list already.

    `issued` is the first day of validity printed on the card; without it every card of the number is meant,
    one issued since included. Failures: ID-… for a number that cannot be one, OFFICE-LOST-CARD for one that
    is no person's or a day to come.
    """
    number = identity.normalise(number)
    wrong = identity.problem(number, today=tx.today)
    if wrong is not None:
        raise Failure(wrong)
    if identity.classify(number) is DocumentKind.USCC or (issued is not None and issued > tx.today):
        raise Failure("OFFICE-LOST-CARD")
    mark = digest(number, issued, _the_salt(tx))
    known = sa.select(lost_card.c.id).where(lost_card.c.digest == mark, lost_card.c.ended_at.is_(None))
    found = tx.connection.scalar(known)
    if found is not None:
        return str(found)
    report = uuid7()
    row = {"id": report, "digest": mark, "issued": issued, "version": 1, "reported_at": tx.now}
    tx.connection.execute(sa.insert(lost_card), row)
    data = _card.dump_python(LostCardMessage(mark), mode="json")
    tx.tell(News(SCOPE, "lost_card", report, 1, "put", data))
    return report


def remove(tx: Transaction, report_id: str) -> None:
    """Take a report back: the card was found, or it was a mistake. One taken back already stays so.

    Raises Refused 404 OFFICE-NO-LOST-CARD.
    """
    row = tx.connection.execute(sa.select(lost_card).where(lost_card.c.id == report_id)).one_or_none()
    if row is None:
        raise Refused("OFFICE-NO-LOST-CARD", status=404)
    if row.ended_at is not None:
        return
    ended = sa.update(lost_card).where(lost_card.c.id == report_id)
    tx.connection.execute(ended.values(ended_at=tx.now, version=row.version + 1))
    tx.tell(News(SCOPE, "lost_card", row.id, row.version + 1, "del"))


def listed(connection: sa.Connection) -> Sequence[Report]:
    """The reports in force, oldest first."""
    query = sa.select(lost_card.c.id, lost_card.c.issued, lost_card.c.reported_at)
    found = connection.execute(query.where(lost_card.c.ended_at.is_(None)).order_by(lost_card.c.reported_at))
    return [Report(*row) for row in found]


def _the_salt(tx: Transaction) -> str:
    """The office's salt, made with the first report and told to the windows before it.

    It is never changed: the numbers behind the digests are not known any more.
    """
    salt = tx.connection.scalar(sa.select(lost_card_salt.c.salt))
    if salt is None:
        salt = secrets.token_hex(16)
        tx.connection.execute(sa.insert(lost_card_salt), {"one": 1, "salt": salt})
        data = _salt.dump_python(LostCardSaltMessage(salt), mode="json")
        tx.tell(News(SCOPE, "lost_card_salt", "salt", 1, "put", data))
    return str(salt)
