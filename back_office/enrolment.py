"""Workstations become devices: a one-time code from IT, then a token bound to the device's epoch."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import sqlalchemy as sa
from fastapi import APIRouter, Request

from back_office import attempts, audit, codes, feed, logs, restoring, seals
from back_office.access import DeviceHere, OfficeHere, digest, new_token
from back_office.asked import EnrolRequest
from back_office.document import refusals
from back_office.office import Transaction
from back_office.problems import Refused
from back_office.tables import device, device_token, enrol_code, hall, queue
from clerk_app.domain.ids import uuid7
from clerk_app.failures import Failure
from clerk_app.sync.protocol import DeviceAnswer, EnrolAnswer

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
MAX_EPOCH = 2**30

router = APIRouter()


def new_code(tx: Transaction, hall_code: str, window: str, queue_code: str, again: str | None = None) -> str:
    """A code for one enrolment within half an hour; only its hash is kept, so it is shown once.

    `again` is a device already enrolled: the code gives it a new epoch and fences the old one.
    Raises Failure("OFFICE-NO-QUEUE"), ("OFFICE-NO-DEVICE"), or ("OFFICE-NAME") for a window without one.
    """
    if not window.strip():
        raise Failure("OFFICE-NAME", "window")
    known = sa.select(queue.c.code).where(queue.c.hall == hall_code, queue.c.code == queue_code)
    if tx.connection.scalar(known) is None:
        raise Failure("OFFICE-NO-QUEUE", queue_code)
    if again is not None:
        mine = sa.select(device.c.hall).where(device.c.id == again)
        place = tx.connection.scalar(mine)
        if place is None and restoring.latest(tx.connection) is not None:
            _know_again(tx, hall_code, again, window, queue_code)
        elif place != hall_code:
            raise Failure("OFFICE-NO-DEVICE", again)
    code = codes.new()
    row = {
        "hash": codes.stored(code),
        "hall": hall_code,
        "window": window,
        "queue": queue_code,
        "device": again,
        "expires_at": tx.now + codes.LIFE,
    }
    tx.connection.execute(sa.insert(enrol_code), row)
    return code


def enrol(tx: Transaction, code: str, machine: str, last_epoch: int = 0) -> EnrolAnswer:
    """Use up `code`. The new epoch lies behind `last_epoch`, the last one the workstation had.

    Raises Refused 403 when the code was used, is too old or never existed, 422 for an epoch nobody had.
    """
    if last_epoch > MAX_EPOCH:
        raise Refused("OFFICE-MALFORMED", "epoch", status=422)
    used = (
        sa.update(enrol_code)
        .where(
            enrol_code.c.hash == codes.stored(code),
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
    epoch = _next_epoch(tx, grant, device_id, machine, last_epoch)
    token = new_token()
    tx.connection.execute(
        sa.insert(device_token), {"hash": digest(token), "device": device_id, "epoch": epoch}
    )
    audit.note(tx, f"device:{device_id}", "enrol", device_id, f"epoch {epoch}", hall=grant.hall)
    place = tx.connection.execute(sa.select(hall).where(hall.c.code == grant.hall)).one()
    keys = seals.public_keys(tx.connection)
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
        offline_series=_new_series(tx, grant.hall, device_id),
        seal_key=keys.seal,
        export_key=keys.export,
        recovery_key=seals.recovery_key(tx.connection, device_id, epoch),
    )


def _know_again(tx: Transaction, hall_code: str, device_id: str, window: str, queue_code: str) -> None:
    """A workstation enrolled after the backup this office was restored from: there again under its id.

    Its leases are signed for that id, so the numbers on its slips stay good. Failure("OFFICE-NO-DEVICE") for
    what cannot be an id of this office.
    """
    if not _ID.fullmatch(device_id):
        raise Failure("OFFICE-NO-DEVICE", device_id[:64])
    row = {"id": device_id, "hall": hall_code, "machine": "", "window": window, "queue": queue_code}
    begun = {"epoch": 0, "last_seq": 0, "enrolled_at": _LONG_AGO}
    tx.connection.execute(sa.insert(device), row | begun)
    feed.open_scope(tx.connection, (hall_code, f"device:{device_id}"))


def _new_series(tx: Transaction, hall_code: str, device_id: str) -> str:
    """The series of the tickets this epoch may issue alone: no other epoch of the hall has it."""
    counted = sa.update(hall).where(hall.c.code == hall_code).values(enrolments=hall.c.enrolments + 1)
    series = f"L{tx.connection.execute(counted.returning(hall.c.enrolments)).scalar_one()}"
    tx.connection.execute(sa.update(device).where(device.c.id == device_id).values(offline_series=series))
    return series


def standing(connection: sa.Connection, device_id: str) -> DeviceAnswer:
    """What the office has the device as."""
    query = (
        sa.select(device, hall.c.name, hall.c.name_en, hall.c.region, hall.c.practice)
        .join(hall, hall.c.code == device.c.hall)
        .where(device.c.id == device_id)
    )
    row = connection.execute(query).one()
    keys = seals.public_keys(connection)
    return DeviceAnswer(
        device=row.id,
        epoch=row.epoch,
        hall_code=row.hall,
        hall_name=row.name,
        hall_name_en=row.name_en,
        region=row.region,
        window=row.window,
        queue=row.queue,
        practice=row.practice,
        offline_series=row.offline_series,
        seal_key=keys.seal,
        export_key=keys.export,
    )


def _next_epoch(
    tx: Transaction, grant: sa.Row[tuple[object, ...]], device_id: str, machine: str, last_epoch: int
) -> int:
    values = {
        "machine": machine,
        "window": grant.window,
        "queue": grant.queue,
        "last_seq": 0,
        "enrolled_at": tx.now,
        "revoked_at": None,
    }
    if grant.device is None:
        tx.connection.execute(sa.insert(device), {"id": device_id, "hall": grant.hall, "epoch": 1, **values})
        feed.open_scope(tx.connection, (grant.hall, f"device:{device_id}"))
        return 1
    mine = device.c.id == device_id
    forgotten = restoring.latest(tx.connection)
    known = tx.connection.execute(
        sa.select(device.c.epoch, device.c.enrolled_at).where(mine).with_for_update()
    ).one()
    # Epochs given out after a backup are not known here: they are passed over, once. Where nobody has noticed
    # the restoration yet, the workstation itself knows better.
    last = max(known.epoch, last_epoch)
    lost = forgotten is not None and known.enrolled_at < forgotten
    epoch = restoring.epoch_after(tx, last) if lost else last + 1
    tx.connection.execute(sa.update(device).where(mine).values(epoch=epoch, **values))
    return epoch


@router.post("/enrol", responses=refusals({403: "OFFICE-CODE", 429: "OFFICE-ATTEMPTS"}))
def enrol_device(body: EnrolRequest, office: OfficeHere, request: Request) -> EnrolAnswer:
    """Turn a one-time code into a device and its token."""
    origin = attempts.origin_of(request)
    office.write(lambda tx: attempts.count(tx, "enrol", origin))

    def right(tx: Transaction) -> EnrolAnswer:
        attempts.forgive(tx, "enrol", origin)
        return enrol(tx, body.code, body.machine, body.epoch)

    answer = office.write(right)
    logs.info("enrolled", device=answer.device, epoch=answer.epoch)
    return answer


@router.get("/device")
def this_device(office: OfficeHere, device: DeviceHere) -> DeviceAnswer:
    """What the office has this device as: IT may have moved the window, or given it another name."""
    told = office.read(lambda connection: standing(connection, device.id))
    if told.offline_series:
        return told
    # Enrolled before there were offline series.
    return replace(told, offline_series=office.write(lambda tx: _new_series(tx, device.hall, device.id)))
