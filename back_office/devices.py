"""The workstations as IT sees them: which there are, one revoked, one whose keyring was lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from fastapi import APIRouter, Request

from back_office import attempts, audit, codes, feed, logs, seals
from back_office.access import OfficeHere, digest, new_token
from back_office.asked import RecoverRequest
from back_office.document import refusals
from back_office.office import Transaction
from back_office.problems import Refused
from back_office.tables import device, device_token, enrol_code, recovery_code, session
from clerk_app.failures import Failure
from clerk_app.sync.protocol import RecoverAnswer

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of IT's list. `seen_at`: its last push; `last_seq`: the last command of the present epoch."""

    id: str
    hall: str
    machine: str
    window: str
    queue: str
    epoch: int
    last_seq: int
    offline_series: str
    enrolled_at: datetime
    seen_at: datetime | None
    revoked_at: datetime | None


_LISTED = [getattr(device.c, name) for name in Listed.__dataclass_fields__]


def listed(connection: sa.Connection, hall: str | None = None) -> Sequence[Listed]:
    """Every workstation ever enrolled, by hall and window."""
    query = sa.select(*_LISTED).order_by(device.c.hall, device.c.window, device.c.enrolled_at)
    if hall is not None:
        query = query.where(device.c.hall == hall)
    return [Listed(*row) for row in connection.execute(query)]


def revoke(tx: Transaction, device_id: str) -> str:
    """From now on every call of the device is refused and its parked wait ends; returns its hall.

    Its sessions are closed and its codes void; only a new enrolment code, made after this, lets it in again.
    What it had sent stays. Raises Failure("OFFICE-NO-DEVICE").
    """
    mine = sa.update(device).where(device.c.id == device_id)
    ended = mine.values(revoked_at=sa.func.coalesce(device.c.revoked_at, tx.now)).returning(device.c.hall)
    hall = tx.connection.scalar(ended)
    if hall is None:
        raise Failure("OFFICE-NO-DEVICE", device_id)
    for table, ends in ((session, "closed_at"), (enrol_code, "used_at"), (recovery_code, "used_at")):
        open_ones = sa.update(table).where(table.c.device == device_id, table.c[ends].is_(None))
        tx.connection.execute(open_ones.values({ends: tx.now}))
    tx.tell(feed.News((hall, f"device:{device_id}")))
    return str(hall)


def new_recovery_code(tx: Transaction, device_id: str) -> tuple[str, str]:
    """(the code, the hall): for one recovery within half an hour; only its hash is kept.

    Raises Failure("OFFICE-NO-DEVICE") or ("OFFICE-REVOKED").
    """
    row = tx.connection.execute(sa.select(device).where(device.c.id == device_id)).one_or_none()
    if row is None:
        raise Failure("OFFICE-NO-DEVICE", device_id)
    if row.revoked_at is not None:
        raise Failure("OFFICE-REVOKED", device_id)
    code = codes.new()
    tx.connection.execute(
        sa.insert(recovery_code),
        {"hash": codes.stored(code), "device": device_id, "expires_at": tx.now + codes.LIFE},
    )
    return code, row.hall


def recover(tx: Transaction, code: str, asking: str = "") -> RecoverAnswer:
    """Use up `code`: the recovery key, and a new token for the same device and epoch; the old one is void.

    Raises Refused 403 when the code was used, is too old or never existed, is not for the device `asking`,
    or the device is revoked.
    """
    used = (
        sa.update(recovery_code)
        .where(
            recovery_code.c.hash == codes.stored(code),
            recovery_code.c.used_at.is_(None),
            recovery_code.c.expires_at > tx.now,
        )
        .values(used_at=tx.now)
        .returning(recovery_code.c.device)
    )
    device_id = tx.connection.scalar(used)
    if device_id is None or asking not in ("", device_id):  # at work, the other would lose its token
        raise Refused("OFFICE-CODE", status=403)
    row = tx.connection.execute(sa.select(device).where(device.c.id == device_id).with_for_update()).one()
    # The last epoch that was enrolled: one that a carried export closed has no token and wrapped nothing.
    last = sa.select(sa.func.max(device_token.c.epoch)).where(device_token.c.device == device_id)
    epoch = tx.connection.execute(last).scalar_one()
    token = new_token()
    own = sa.and_(device_token.c.device == device_id, device_token.c.epoch == epoch)
    tx.connection.execute(sa.delete(device_token).where(own))
    renewed = {"hash": digest(token), "device": device_id, "epoch": epoch}
    tx.connection.execute(sa.insert(device_token), renewed)
    audit.note(tx, f"device:{device_id}", "recover", device_id, f"epoch {epoch}", hall=row.hall)
    return RecoverAnswer(device_id, seals.recovery_key(tx.connection, device_id, epoch), token)


@router.post("/recover", responses=refusals({403: "OFFICE-CODE", 429: "OFFICE-ATTEMPTS"}))
def recover_key(body: RecoverRequest, office: OfficeHere, request: Request) -> RecoverAnswer:
    """Give back the key of the cache to a workstation whose keyring was lost, for a one-time code of IT."""
    origin = attempts.origin_of(request)
    office.write(lambda tx: attempts.count(tx, "recover", origin))

    def right(tx: Transaction) -> RecoverAnswer:
        attempts.forgive(tx, "recover", origin)
        return recover(tx, body.code, body.device)

    answer = office.write(right)
    logs.info("recovered", device=answer.device)
    return answer
