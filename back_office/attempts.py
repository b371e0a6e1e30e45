"""Guessing is slow: after ten failures of one origin within a quarter of an hour it waits for the rest of it.

Enrolment and recovery count by network address, for whoever asks is nobody yet. Sign-in counts by
workstation: behind a proxy a whole hall may share one address, and each account has a lock of its own.
"""

from __future__ import annotations

import ipaddress
import math
from datetime import timedelta

import sqlalchemy as sa
from fastapi import Request

from back_office.office import Transaction
from back_office.problems import Refused
from back_office.tables import attempt

FAILURES = 10
PERIOD = timedelta(minutes=15)


def origin_of(request: Request) -> str:
    """The address an attempt comes from. Whoever owns one IPv6 address owns its /64.

    The server has already put the address a trusted proxy tells in the place of the proxy's own.
    """
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return host
    if address.ipv4_mapped is not None:  # a port open for both: every IPv4 address shares that /64
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))


def count(tx: Transaction, kind: str, origin: str) -> None:
    """Count an attempt before it is looked at, so that those sent at once count too. Refused 429.

    Whoever counts takes it back with `forgive` when the attempt was right.
    """
    here = sa.and_(attempt.c.kind == kind, attempt.c.origin == origin)
    over = (attempt.c.since <= tx.now - PERIOD) | (attempt.c.since > tx.now + PERIOD)  # of a clock put back
    tx.connection.execute(sa.delete(attempt).where(over))
    query = sa.select(attempt.c.count.label("failures"), attempt.c.since).where(here).with_for_update()
    row = tx.connection.execute(query).one_or_none()
    if row is None:
        first = {"kind": kind, "origin": origin, "count": 1, "since": tx.now}
        tx.connection.execute(sa.insert(attempt), first)
        return
    if row.failures >= FAILURES:
        left = math.ceil((row.since + PERIOD - tx.now).total_seconds())
        raise Refused("OFFICE-ATTEMPTS", f"{left} s", status=429, retry_after=left)
    tx.connection.execute(sa.update(attempt).where(here).values(count=attempt.c.count + 1))


def forgive(tx: Transaction, kind: str, origin: str) -> None:
    """The attempt counted was no failure."""
    here = sa.and_(attempt.c.kind == kind, attempt.c.origin == origin, attempt.c.count > 0)
    tx.connection.execute(sa.update(attempt).where(here).values(count=attempt.c.count - 1))
