"""What an auditor asks of the chains: does each still hold, and who did what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from back_office import halls, seals
from back_office.office import Transaction
from back_office.tables import audit_chain, audit_head, audit_record, hall
from back_office.tables import device as workstation
from clerk_app.domain.audit_chain import link
from clerk_app.failures import Failure
from clerk_app.sync.protocol import Sealed

_BATCH = 5000


@dataclass(frozen=True, slots=True)
class Verdict:
    """One chain looked through: `trouble` names the first bad link, empty when every link holds.

    `uncovered`: heads that pushes brought and whose links have not come yet. `practice`: of a workstation in
    a hall for practice, where a trial breaks a chain on purpose and nobody is to be alarmed.
    """

    device: str
    chain: str
    links: int
    head: str
    trouble: str
    uncovered: int
    practice: bool


def verify(tx: Transaction, device: str | None = None) -> list[Verdict]:
    """Compute every chain anew, and compare it with the signed heads and with the heads of the pushes.

    Raises Failure("OFFICE-NO-DEVICE") for a device without a chain.
    """
    query = sa.select(audit_chain, hall.c.practice).select_from(_CHAINS)
    query = query.order_by(audit_chain.c.device, audit_chain.c.chain)
    if device is not None:
        query = query.where(audit_chain.c.device == device)
    rows = tx.connection.execute(query).all()
    if device is not None and not rows:
        raise Failure("OFFICE-NO-DEVICE", device)
    return [_verified(tx.connection, row) for row in rows]


_CHAINS = audit_chain.outerjoin(workstation, workstation.c.id == audit_chain.c.device).outerjoin(
    hall, hall.c.code == workstation.c.hall
)
"""With the hall of the workstation; the chains of the office itself are of none."""


def _verified(connection: sa.Connection, row: Any) -> Verdict:
    heads, sealed = _heads(connection, row), _sealed(connection, row)
    n, head, trouble, known, signed = 0, "", row.broken or "", -1, sealed is None
    for record in _links(connection, row):
        if not trouble and record.n != n + 1:
            trouble = f"link {n + 1} is missing"
        elif not trouble and record.hash != link(head, record.n, *_words(record)):
            trouble = f"link {record.n} does not follow"
        n, head = record.n, record.hash
        known = max(known, heads.pop(head, -1))
        signed = signed or sealed == (n, head)
    if not trouble and (row.n, row.head) != (n, head):
        trouble = f"ends at link {n}, held to {row.n}"
    if not trouble and not signed:
        trouble = "not what the office signed"
    if not trouble and any(place < known for place in heads.values()):
        trouble = "the head of an earlier push is of no link"
    uncovered = sum(place > known for place in heads.values())
    return Verdict(row.device, row.chain, n, head, trouble, uncovered, bool(row.practice))


def _links(connection: sa.Connection, row: Any) -> Iterator[Any]:
    """Every record in order, some at a time: a chain of years does not fit in one answer."""
    where, after = sa.and_(audit_record.c.device == row.device, audit_record.c.chain == row.chain), 0
    while True:
        query = sa.select(audit_record).where(where, audit_record.c.n > after).order_by(audit_record.c.n)
        page = connection.execute(query.limit(_BATCH)).all()
        yield from page
        if len(page) < _BATCH:
            return
        after = page[-1].n


def _words(record: Any) -> tuple[str, str, str, str, str]:
    return record.at, record.actor, record.act, record.subject, record.detail


def _heads(connection: sa.Connection, row: Any) -> dict[str, int]:
    """The heads pushes brought of this chain, each with its place in the order they came."""
    query = sa.select(audit_head.c.head).where(
        audit_head.c.device == row.device, audit_head.c.chain == row.chain
    )
    heads: dict[str, int] = {}
    for place, head in enumerate(connection.scalars(query.order_by(audit_head.c.epoch, audit_head.c.seq))):
        heads.setdefault(head, place)
    return heads


def _sealed(connection: sa.Connection, row: Any) -> tuple[int, str] | None:
    """The link and the head the office signed last; None before the first."""
    if not row.seal:
        return None
    sealed = Sealed(row.sealed, row.seal)
    told = seals.claims(sealed) if seals.genuine(connection, sealed) else None
    if told is None or (told["device"], told["chain"]) != (row.device, row.chain):
        return -1, ""
    return told["n"], told["head"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What an auditor looks for; an empty text is any. `until` is not included any more."""

    since: datetime | None = None
    until: datetime | None = None
    hall: str = ""
    device: str = ""
    actor: str = ""
    act: str = ""
    subject: str = ""
    limit: int = 1000


@dataclass(frozen=True, slots=True)
class Found:
    """One act, in the words it was hashed with."""

    at: str
    hall: str
    device: str
    actor: str
    act: str
    subject: str
    detail: str
    chain: str
    n: int


_FOUND = [getattr(audit_record.c, name) for name in Found.__dataclass_fields__]


def search(tx: Transaction, asked: Asked) -> Sequence[Found]:
    """The acts asked for, oldest first, of the workstations and of the office itself.

    Raises Failure("OFFICE-NO-HALL") or ("OFFICE-NO-DEVICE") for a hall or workstation that is not there.
    """
    if asked.hall:
        halls.the_hall(tx, asked.hall)
    if asked.device and not _heard_of(tx.connection, asked.device):
        raise Failure("OFFICE-NO-DEVICE", asked.device)
    query = sa.select(*_FOUND)
    for name in ("hall", "device", "actor", "act", "subject"):
        if wanted := getattr(asked, name):
            query = query.where(audit_record.c[name] == wanted)
    if asked.since is not None:
        query = query.where(audit_record.c.moment >= asked.since)
    if asked.until is not None:
        query = query.where(audit_record.c.moment < asked.until)
    order = (audit_record.c.moment, audit_record.c.device, audit_record.c.chain, audit_record.c.n)
    return [Found(*row) for row in tx.connection.execute(query.order_by(*order).limit(asked.limit))]


def _heard_of(connection: sa.Connection, device: str) -> bool:
    """Enrolled here, or with a chain: a restored office may lack the one and hold the other."""
    chained = sa.select(audit_chain.c.device).where(audit_chain.c.device == device)
    enrolled = sa.select(workstation.c.id).where(workstation.c.id == device)
    return connection.scalar(sa.union_all(enrolled, chained).limit(1)) is not None
