"""A hall of the office: its code, its queue with the three series, its calendar."""

from __future__ import annotations

import re

import sqlalchemy as sa

from back_office import calendar, feed
from back_office.office import Transaction
from back_office.tables import hall, queue, series
from clerk_app.failures import Failure

SERIES = (("A", "general"), ("Y", "appointment"), ("P", "priority"))
PRIORITY_EVERY = 3


def add_hall(
    tx: Transaction, code: str, name: str, region: str, *, name_en: str = "", practice: bool = False
) -> None:
    """Open a hall with queue "A", its series and its calendar; does nothing when the hall is there.

    Raises Failure("OFFICE-HALL-CODE"), ("OFFICE-NAME") or ("OFFICE-REGION"), see `check`.
    """
    check(code, name, region)
    if tx.connection.scalar(sa.select(hall.c.code).where(hall.c.code == code)) is not None:
        return
    row = {
        "code": code,
        "name": name,
        "name_en": name_en,
        "region": region,
        "practice": practice,
        "next_serial": 1,
    }
    tx.connection.execute(sa.insert(hall), row)
    line = {
        "hall": code,
        "code": "A",
        "tail": 0,
        "priority_every": PRIORITY_EVERY,
        "since_priority": PRIORITY_EVERY,
    }
    tx.connection.execute(sa.insert(queue), line)
    letters = [{"hall": code, "code": c, "queue": "A", "kind": kind, "last": 0} for c, kind in SERIES]
    tx.connection.execute(sa.insert(series), letters)
    for key in (feed.CATALOGUE, (code, f"hall:{code}"), (code, "queue:A")):
        feed.open_scope(tx.connection, key)
    calendar.tell(tx, code)


def check(code: str | None, name: str | None, region: str | None) -> None:
    """What is known of a hall to be opened.

    Raises Failure("OFFICE-HALL-CODE") for a code that is not four capitals or digits, ("OFFICE-NAME") for an
    empty name, ("OFFICE-REGION") for a region that is not six digits.
    """
    if code is not None and not re.fullmatch(r"[0-9A-Z]{4}", code):
        raise Failure("OFFICE-HALL-CODE", code)
    if name is not None and not name.strip():
        raise Failure("OFFICE-NAME", "name of the hall")
    if region is not None and not re.fullmatch(r"[0-9]{6}", region):
        raise Failure("OFFICE-REGION", region)


def names(connection: sa.Connection) -> dict[str, str]:
    """Code and name of every hall."""
    query = sa.select(hall.c.code, hall.c.name).order_by(hall.c.code)
    return {row.code: row.name for row in connection.execute(query)}


def the_hall(tx: Transaction, code: str | None) -> str:
    """The hall meant by `code`, or the only one there is. Raises Failure("OFFICE-NO-HALL")."""
    query = sa.select(hall.c.code) if code is None else sa.select(hall.c.code).where(hall.c.code == code)
    found = tx.connection.scalars(query.limit(2)).all()
    if len(found) != 1:
        raise Failure("OFFICE-NO-HALL", code or "name one with --hall")
    return str(found[0])
