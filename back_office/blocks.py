"""Blocks of case numbers, leased to devices so that a window alone can number its cases."""

from __future__ import annotations

import sqlalchemy as sa
from fastapi import APIRouter

from back_office.access import Device, DeviceHere, OfficeHere, fenced
from back_office.office import Transaction
from back_office.problems import Refused
from back_office.tables import block, device, hall
from clerk_app.domain.ids import uuid7
from clerk_app.sync.protocol import BlockAnswer, BlockRequest

MAX_SIZE = 5_000
LAST_SERIAL = 99_999_999
LAST_REQUEST = 2**53

# Built once: a statement made anew for each of a thousand commands costs more than its run.
_HOLDING = sa.select(block.c.id).where(
    block.c.device == sa.bindparam("owner"),
    sa.bindparam("serial", type_=sa.BigInteger).between(block.c.low, block.c.high),
)

router = APIRouter()


def lease(tx: Transaction, owner: Device, request_no: int, size: int) -> BlockAnswer:
    """The block of `request_no`: the same one however often it is asked for, touching no other.

    The hall's counter moves in one UPDATE, so two requests cannot get the same serials. Raises Refused
    for a size that is not 1..5000, and when the hall has used its numbers up.
    """
    if not (1 <= size <= MAX_SIZE and 0 <= request_no <= LAST_REQUEST):
        raise Refused("OFFICE-BLOCK-SIZE", str(size), status=422)
    lock = sa.select(device.c.epoch).where(device.c.id == owner.id).with_for_update()
    epoch = tx.connection.execute(lock).scalar_one()
    if epoch != owner.epoch:
        raise fenced(owner.epoch, epoch)
    same = sa.select(block).where(
        block.c.device == owner.id, block.c.epoch == epoch, block.c.request_no == request_no
    )
    row = tx.connection.execute(same).one_or_none()
    if row is not None:
        return BlockAnswer(row.id, row.low, row.high, row.epoch)
    taken = sa.update(hall).where(hall.c.code == owner.hall).values(next_serial=hall.c.next_serial + size)
    high = tx.connection.execute(taken.returning(hall.c.next_serial)).scalar_one() - 1
    if high > LAST_SERIAL:
        raise Refused("OFFICE-NUMBERS-USED-UP", status=409)
    leased = {
        "id": uuid7(),
        "hall": owner.hall,
        "device": owner.id,
        "epoch": epoch,
        "request_no": request_no,
        "low": high - size + 1,
        "high": high,
        "leased_at": tx.now,
    }
    tx.connection.execute(sa.insert(block), leased)
    return BlockAnswer(leased["id"], leased["low"], leased["high"], epoch)


def holds(tx: Transaction, owner: Device, serial: int) -> bool:
    """Whether `serial` was leased to the device, in this epoch or an earlier one.

    Earlier ones count: a case filed before a new enrolment keeps the number on its slip.
    """
    return tx.connection.scalar(_HOLDING, {"owner": owner.id, "serial": serial}) is not None


@router.post("/blocks")
def lease_block(body: BlockRequest, office: OfficeHere, device: DeviceHere) -> BlockAnswer:
    """Lease case numbers to this device. Ask again with the same `request_no` when the answer was lost."""
    return office.write(lambda tx: lease(tx, device, body.request_no, body.size))
