"""Who asks: the device by its token, the clerk by the session. Every call but enrolment, time and health."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import Annotated

import sqlalchemy as sa
from fastapi import Depends, Request
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from back_office.office import Office
from back_office.problems import Refused
from back_office.tables import device, device_token, session, staff
from clerk_app.sync.protocol import CLERK_SESSION_HEADER

_bearer = HTTPBearer(auto_error=False, scheme_name="device", description="the device token of EnrolAnswer")
_clerk = APIKeyHeader(name=CLERK_SESSION_HEADER, auto_error=False, scheme_name="clerk")


# Asked with nearly every call: built once, so that SQLAlchemy compiles them once.
_BY_TOKEN = (
    sa.select(device, device_token.c.epoch.label("token_epoch"))
    .join(device_token, device_token.c.device == device.c.id)
    .where(device_token.c.hash == sa.bindparam("hash"))
)
_BY_SESSION = (
    sa.select(staff.c.staff_no, staff.c.rights)
    .join(session, sa.and_(session.c.hall == staff.c.hall, session.c.staff_no == staff.c.staff_no))
    .where(
        session.c.hash == sa.bindparam("hash"),
        session.c.device == sa.bindparam("device"),
        session.c.closed_at.is_(None),
        session.c.expires_at > sa.bindparam("now", type_=session.c.expires_at.type),
        staff.c.disabled_at.is_(None),
    )
)


@dataclass(frozen=True, slots=True)
class Device:
    """The workstation a token proves."""

    id: str
    hall: str
    epoch: int
    window: str
    queue: str


@dataclass(frozen=True, slots=True)
class Clerk:
    """Who is signed in at the device."""

    staff_no: str
    rights: frozenset[str]


def new_token() -> str:
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is stored of a random token or code: too long to be guessed, so no slow hash is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def the_office(request: Request) -> Office:
    office: Office = request.app.state.office
    return office


OfficeHere = Annotated[Office, Depends(the_office)]


def the_device(
    office: OfficeHere, token: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Device:
    """Raises Refused 401 for a token nobody was given, 403 for a revoked device, 423 for an earlier epoch."""
    if token is None:
        raise Refused("OFFICE-DEVICE", status=401)
    asked = {"hash": digest(token.credentials)}
    row = office.look(lambda connection: connection.execute(_BY_TOKEN, asked).one_or_none())
    if row is None:
        raise Refused("OFFICE-DEVICE", status=401)
    if row.revoked_at is not None:
        raise Refused("OFFICE-REVOKED", status=403)
    if row.token_epoch != row.epoch:
        raise fenced(row.token_epoch, row.epoch)
    return Device(row.id, row.hall, row.epoch, row.window, row.queue)


def fenced(epoch: int, current: int) -> Refused:
    return Refused("OFFICE-FENCED", f"epoch {epoch}, now {current}", status=423)


DeviceHere = Annotated[Device, Depends(the_device)]
SessionToken = Annotated[str | None, Depends(_clerk)]


def the_clerk(office: OfficeHere, at: DeviceHere, token: SessionToken) -> Clerk:
    """Raises Refused 401 for a session that is over, closed or of another device.

    The rights are the ones of this moment, not those of the sign-in: what was taken away is gone at once.
    """
    asked = {"hash": digest(token or ""), "device": at.id, "now": office.settings.clock()}
    row = office.look(lambda connection: connection.execute(_BY_SESSION, asked).one_or_none())
    if row is None:
        raise Refused("OFFICE-SESSION", status=401)
    return Clerk(row.staff_no, frozenset(json.loads(row.rights)))


ClerkHere = Annotated[Clerk, Depends(the_clerk)]


def demand(clerk: Clerk, right: str) -> None:
    """Raises Refused 403 when the clerk may not."""
    if right not in clerk.rights:
        raise Refused("OFFICE-RIGHT", right, status=403)
