"""Clerks: their sign-in, their rights, and whether a command may carry their name.

A sign-in here is also the grant for work without the office: rights as they were, until `grant_until`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from fastapi import APIRouter, Response

from back_office import attempts, logs, seals
from back_office.access import Device, DeviceHere, OfficeHere, SessionToken, digest, new_token
from back_office.asked import SessionRequest
from back_office.document import refusals
from back_office.office import Office, Transaction, compact
from back_office.problems import Refused
from back_office.tables import session, staff
from clerk_app.failures import Failure
from clerk_app.sync.protocol import SessionAnswer

RIGHTS = ("accept", "call", "issue", "void")
"""file cases; call and serve tickets; issue tickets; void a case before it is decided"""

SESSION = timedelta(hours=12)
GRANT = timedelta(hours=72)
ATTEMPTS = 5
LOCKED = timedelta(minutes=15)
SKEW = timedelta(minutes=10)
"""How far a workstation's clock may be off before its grant counts as over."""

MIN_PASSWORD = 8

_hasher = PasswordHasher()  # Argon2id, the library's parameters (RFC 9106, low memory)

router = APIRouter()


@cache
def _nobody() -> str:
    """Checked when nobody has that number, so that the time of the answer does not tell."""
    return _hasher.hash(new_token())


def verifier_of(password: str) -> str:
    """The Argon2id verifier; slow on purpose, so outside of transactions. Failure("OFFICE-PASSWORD")."""
    if len(password) < MIN_PASSWORD:
        raise Failure("OFFICE-PASSWORD", f"shorter than {MIN_PASSWORD} characters")
    return _hasher.hash(password)


def add_user(
    tx: Transaction,
    hall: str,
    staff_no: str,
    name: str,
    verifier: str,
    *,
    name_en: str = "",
    rights: Iterable[str] = RIGHTS,
) -> None:
    """Raises Failure("OFFICE-RIGHT-UNKNOWN"), ("OFFICE-USER-KNOWN"), ("OFFICE-NAME") for an empty name, or
    ("OFFICE-STAFF-NUMBER") for a number that nobody could type at the sign-in."""
    if not staff_no or any(letter.isspace() for letter in staff_no):
        raise Failure("OFFICE-STAFF-NUMBER", repr(staff_no))
    if not name.strip():
        raise Failure("OFFICE-NAME", "name of the clerk")
    told = _known(rights)
    if tx.connection.scalar(sa.select(staff.c.staff_no).where(_is(hall, staff_no))) is not None:
        raise Failure("OFFICE-USER-KNOWN", staff_no)
    row = {
        "hall": hall,
        "staff_no": staff_no,
        "name": name,
        "name_en": name_en,
        "verifier": verifier,
        "rights": compact(told),
    }
    tx.connection.execute(sa.insert(staff), row)


def staff_numbers(tx: Transaction, hall: str) -> frozenset[str]:
    return frozenset(tx.connection.scalars(sa.select(staff.c.staff_no).where(staff.c.hall == hall)))


def disable_user(tx: Transaction, hall: str, staff_no: str) -> None:
    """No sign-in from now on; what the grant already covers is kept and marked. Failure("OFFICE-NO-USER")."""
    _change(tx, hall, staff_no, disabled_at=tx.now)


def enable_user(tx: Transaction, hall: str, staff_no: str) -> None:
    """Sign-in as before; a lock after wrong passwords ends too. Failure("OFFICE-NO-USER")."""
    _change(tx, hall, staff_no, disabled_at=None, failures=0, locked_until=None)


def set_password(tx: Transaction, hall: str, staff_no: str, verifier: str) -> None:
    """Another password from now on: open sessions end, a lock ends. Failure("OFFICE-NO-USER").

    A window where the clerk had signed in knows the old one until its grant ends or it reaches the office.
    """
    _change(tx, hall, staff_no, verifier=verifier, failures=0, locked_until=None)
    mine = sa.and_(session.c.hall == hall, session.c.staff_no == staff_no, session.c.closed_at.is_(None))
    tx.connection.execute(sa.update(session).where(mine).values(closed_at=tx.now))


def set_rights(tx: Transaction, hall: str, staff_no: str, rights: Iterable[str]) -> None:
    """Other rights, at once wherever the office is asked. OFFICE-RIGHT-UNKNOWN or OFFICE-NO-USER."""
    _change(tx, hall, staff_no, rights=compact(_known(rights)))


@dataclass(frozen=True, slots=True)
class Listed:
    """A clerk as IT sees it."""

    staff_no: str
    name: str
    rights: tuple[str, ...]
    disabled_at: datetime | None
    locked_until: datetime | None


def listed(connection: sa.Connection, hall: str) -> list[Listed]:
    query = sa.select(staff).where(staff.c.hall == hall).order_by(staff.c.staff_no)
    return [
        Listed(row.staff_no, row.name, tuple(json.loads(row.rights)), row.disabled_at, row.locked_until)
        for row in connection.execute(query)
    ]


def _known(rights: Iterable[str]) -> list[str]:
    """Sorted. Raises Failure("OFFICE-RIGHT-UNKNOWN") for one nobody knows."""
    unknown = set(rights) - set(RIGHTS)
    if unknown:
        raise Failure("OFFICE-RIGHT-UNKNOWN", f"{', '.join(sorted(unknown))}; known: {', '.join(RIGHTS)}")
    return sorted(set(rights))


def _change(tx: Transaction, hall: str, staff_no: str, **values: object) -> None:
    if not tx.connection.execute(sa.update(staff).where(_is(hall, staff_no)).values(**values)).rowcount:
        raise Failure("OFFICE-NO-USER", staff_no)


def _is(hall: str, staff_no: str) -> sa.ColumnElement[bool]:
    return sa.and_(staff.c.hall == hall, staff.c.staff_no == staff_no)


def sign_in(office: Office, device: Device, staff_no: str, password: str) -> SessionAnswer:
    """Open a session at `device`.

    Raises Refused 401; 403 after five failures of the clerk, 429 after ten here.

    The attempt is counted before the password is looked at, so that attempts sent at once count too; the
    slow hash is computed outside the transaction, which holds the only write lock.
    """
    verifier = office.write(lambda tx: _count_attempt(tx, device, staff_no))
    try:
        _hasher.verify(verifier or _nobody(), password)
    except VerifyMismatchError:
        verifier = None
    if verifier is None:
        logs.info("sign-in-refused", device=device.id)
        raise Refused("OFFICE-SIGN-IN", status=401)
    answer = office.write(lambda tx: _open(tx, device, staff_no))
    logs.info("signed-in", device=device.id)
    return answer


def _count_attempt(tx: Transaction, device: Device, staff_no: str) -> str | None:
    attempts.count(tx, "sign-in", device.id)
    where = _is(device.hall, staff_no)
    row = tx.connection.execute(sa.select(staff).where(where).with_for_update()).one_or_none()
    if row is None or row.disabled_at is not None:
        return None
    # One that would last longer than a lock does is of a clock that was put back.
    if row.locked_until is not None and tx.now < row.locked_until <= tx.now + 2 * LOCKED:
        raise Refused("OFFICE-LOCKED", f"until {row.locked_until.isoformat()}", status=403)
    failures = (0 if row.locked_until is not None else row.failures) + 1
    locked_until = tx.now + LOCKED if failures >= ATTEMPTS else None
    counted = sa.update(staff).where(where).values(failures=failures, locked_until=locked_until)
    tx.connection.execute(counted)
    verifier: str = row.verifier
    return verifier


def _open(tx: Transaction, device: Device, staff_no: str) -> SessionAnswer:
    attempts.forgive(tx, "sign-in", device.id)
    where = _is(device.hall, staff_no)
    cleared = sa.update(staff).where(where).values(failures=0, locked_until=None)
    row = tx.connection.execute(cleared.returning(staff)).one()
    token, grant_until = new_token(), tx.now + GRANT
    opened = {
        "hash": digest(token),
        "hall": device.hall,
        "staff_no": staff_no,
        "device": device.id,
        "rights": row.rights,
        "opened_at": tx.now,
        "expires_at": tx.now + SESSION,
        "grant_until": grant_until,
    }
    tx.connection.execute(sa.insert(session), opened)
    rights = json.loads(row.rights)
    grant = {"what": "grant", "device": device.id, "staff_no": staff_no, "rights": rights}
    grant |= {"issued_at": tx.now.isoformat(), "not_after": grant_until.isoformat()}
    sealed = seals.seal(tx.connection, grant)
    return SessionAnswer(token, staff_no, row.name, row.name_en, rights, grant_until, sealed)


@dataclass(frozen=True, slots=True)
class Grant:
    """One sign-in of a clerk at the device that pushes."""

    rights: frozenset[str]
    until: datetime
    still: bool  # the clerk has these rights to this day


class Grants:
    """The sign-ins of some clerks at one device: what their commands may do."""

    def __init__(self, tx: Transaction, device: Device, operators: Iterable[str]) -> None:
        query = (
            sa.select(
                session.c.staff_no,
                session.c.rights,
                session.c.grant_until,
                staff.c.rights.label("rights_now"),
                staff.c.disabled_at,
            )
            .join(staff, sa.and_(staff.c.hall == session.c.hall, staff.c.staff_no == session.c.staff_no))
            .where(session.c.device == device.id, session.c.staff_no.in_(set(operators)))
            .where(session.c.grant_until > tx.now - timedelta(days=90))
            .distinct()
        )
        self._grants: defaultdict[str, list[Grant]] = defaultdict(list)
        for row in tx.connection.execute(query):
            rights = frozenset(json.loads(row.rights))
            still = row.disabled_at is None and rights <= set(json.loads(row.rights_now))
            self._grants[row.staff_no].append(Grant(rights, row.grant_until, still))

    def check(self, operator: str, right: str, at: datetime) -> list[str]:
        """Flags for the record. Raises Refused when no sign-in here covers `right` at `at`.

        A clerk who was disabled meanwhile did valid work until the grant ended: kept, and marked.
        """
        covering = [g for g in self._grants[operator] if right in g.rights and at <= g.until + SKEW]
        if not covering:
            raise Refused("OFFICE-OPERATOR", right)
        return [] if any(grant.still for grant in covering) else ["operator-changed"]


_REFUSED = refusals({401: "OFFICE-SIGN-IN", 403: "OFFICE-LOCKED", 429: "OFFICE-ATTEMPTS"})


@router.post("/session", responses=_REFUSED)
def open_session(body: SessionRequest, office: OfficeHere, device: DeviceHere) -> SessionAnswer:
    """Sign a clerk in at this device."""
    return sign_in(office, device, body.staff_no, body.password)


@router.delete("/session", status_code=204)
def close_session(office: OfficeHere, device: DeviceHere, token: SessionToken) -> Response:
    """Sign out. A session that is over already is no error. The grant for offline work stays."""
    mine = sa.update(session).where(session.c.hash == digest(token or ""), session.c.device == device.id)
    office.write(lambda tx: tx.connection.execute(mine.values(closed_at=tx.now)))
    return Response(status_code=204)
