"""Workstations become devices: a one-time code from IT, then a token bound to the device's epoch."""

from __future__ import annotations

import secrets
from datetime import timedelta

import sqlalchemy as sa
from fastapi import APIRouter

from back_office import feed, logs
from back_office.access import OfficeHere, digest, new_token
from back_office.office import Transaction
from back_office.problems import Refused
from back_office.tables import device, device_token, enrol_code, hall, queue
from clerk_app.domain.ids import uuid7
from clerk_app.failures import Failure
from clerk_app.sync.protocol import EnrolAnswer, EnrolRequest

CODE_LIFE = timedelta(minutes=30)
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # nothing that looks like something else
_GROUPS, _GROUP = 3, 4

router = APIRouter()


def new_code(tx: Transaction, hall_code: str, window: str, queue_code: str, again: str | None = None) -> str:
    """A code for one enrolment within half an hour; only its hash is kept, so it is shown once.

    `again` is a device already enrolled: the code gives it a new epoch and fences the old one.
    Raises Failure("OFFICE-NO-QUEUE") or ("OFFICE-NO-DEVICE").
    """
    known = sa.select(queue.c.code).where(queue.c.hall == hall_code, queue.c.code == queue_code)
    if tx.connection.scalar(known) is None:
        raise Failure("OFFICE-NO-QUEUE", queue_code)
    if again is not None:
        mine = sa.select(device.c.id).where(device.c.id == again, device.c.hall == hall_code)
        if tx.connection.scalar(mine) is None:
            raise Failure("OFFICE-NO-DEVICE", again)
    code = "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
    row = {
        "hash": digest(code),
        "hall": hall_code,
        "window": window,
        "queue": queue_code,
        "device": again,
        "expires_at": tx.now + CODE_LIFE,
    }
    tx.connection.execute(sa.insert(enrol_code), row)
    return code


def enrol(tx: Transaction, code: str, machine: str) -> EnrolAnswer:
    """Use up `code`. Raises Refused 403 when it was used, is too old or never existed."""
    written = code.strip().upper().replace(" ", "")
    used = (
        sa.update(enrol_code)
        .where(
            enrol_code.c.hash == digest(written),
            enrol_code.c.used_at.is_(None),
            enrol_code.c.expires_at > tx.now,
        )
        .values(used_at=tx.now)
        .returning(enrol_code)
    )
    grant = tx.connection.execute(used).one_or_none()
    if grant is None:
        raise Refused("OFFICE-CODE", status=403)
    device_id = grant.device or uuid7()
    epoch = _next_epoch(tx, grant, device_id, machine)
    token = new_token()
    tx.connection.execute(
        sa.insert(device_token), {"hash": digest(token), "device": device_id, "epoch": epoch}
    )
    place = tx.connection.execute(sa.select(hall).where(hall.c.code == grant.hall)).one()
    return EnrolAnswer(
        device=device_id,
        epoch=epoch,
        token=token,
        hall_code=place.code,
        hall_name=place.name,
        hall_name_en=place.name_en,
        region=place.region,
        window=grant.window,
        queue=grant.queue,
        practice=place.practice,
    )


def _next_epoch(tx: Transaction, grant: sa.Row[tuple[object, ...]], device_id: str, machine: str) -> int:
    values = {
        "machine": machine,
        "window": grant.window,
        "queue": grant.queue,
        "last_seq": 0,
        "enrolled_at": tx.now,
    }
    if grant.device is None:
        tx.connection.execute(sa.insert(device), {"id": device_id, "hall": grant.hall, "epoch": 1, **values})
        feed.open_scope(tx.connection, (grant.hall, f"device:{device_id}"))
        return 1
    again = sa.update(device).where(device.c.id == device_id).values(epoch=device.c.epoch + 1, **values)
    return int(tx.connection.execute(again.returning(device.c.epoch)).scalar_one())


@router.post("/enrol")
def enrol_device(body: EnrolRequest, office: OfficeHere) -> EnrolAnswer:
    """Turn a one-time code into a device and its token."""
    answer = office.write(lambda tx: enrol(tx, body.code, body.machine))
    logs.info("enrolled", device=answer.device, epoch=answer.epoch)
    return answer
