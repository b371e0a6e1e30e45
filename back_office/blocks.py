"""Blocks of case numbers, leased to devices so that a window alone can number its cases.

Ordinary serials run below 90,000,000, emergency ones from there on. A lease is signed: an office restored
from an older backup believes it and never gives its serials out again.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter
from pydantic import Field

from back_office import logs, seals
from back_office.access import Device, DeviceHere, OfficeHere, fenced
from back_office.asked import LAST_REQUEST, MAX_BLOCK, BlockRequest
from back_office.document import refusals
from back_office.office import Transaction
from back_office.problems import Refused
from back_office.tables import block, device, doubled_block, hall, registered_case, void_numbers
from clerk_app.domain.ids import uuid7
from clerk_app.domain.numbering import FIRST_EMERGENCY, case_number
from clerk_app.sync.protocol import BlockAnswer, BlockKind

LAST_SERIAL = {"case": FIRST_EMERGENCY - 1, "emergency": 99_999_999}
_COUNTER = {"case": hall.c.next_serial, "emergency": hall.c.next_emergency}


@dataclass(frozen=True, slots=True)
class Lease:
    """What a signed lease says; serials `low`..`high`, both included."""

    id: str
    epoch: int
    kind: BlockKind
    low: int
    high: int
    request_no: int


@dataclass(frozen=True, slots=True)
class VoidNumbersBody:
    """The body of `numbers.void`: serials of this device that no case of its present epoch will bear."""

    low: Annotated[int, Field(ge=1, le=LAST_SERIAL["emergency"])]
    high: Annotated[int, Field(ge=1, le=LAST_SERIAL["emergency"])]
    reason: str


# Built once: a statement made anew for each of a thousand commands costs more than its run.
_HOLDING = sa.select(block.c.low, block.c.high).where(
    block.c.device == sa.bindparam("owner"),
    sa.bindparam("serial", type_=sa.BigInteger).between(block.c.low, block.c.high),
)

router = APIRouter()


def lease(
    tx: Transaction, owner: Device, request_no: int, size: int, kind: BlockKind = "case"
) -> BlockAnswer:
    """The block of `request_no`: the same one however often it is asked for, touching no other.

    The hall's counter moves in one UPDATE, so two requests cannot get the same serials. Raises Refused
    for a size that is not 1..5000, and when the hall has used its numbers up.
    """
    if not (1 <= size <= MAX_BLOCK and 0 <= request_no <= LAST_REQUEST):
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
        return _sealed(tx, owner, Lease(row.id, row.epoch, row.kind, row.low, row.high, request_no))
    counter = _COUNTER[kind]
    taken = sa.update(hall).where(hall.c.code == owner.hall).values({counter: counter + size})
    high = tx.connection.execute(taken.returning(counter)).scalar_one() - 1
    if high > LAST_SERIAL[kind]:
        raise Refused("OFFICE-NUMBERS-USED-UP", kind, status=409)
    leased = Lease(uuid7(), epoch, kind, high - size + 1, high, request_no)
    _insert(tx, owner, leased)
    return _sealed(tx, owner, leased)


def _insert(tx: Transaction, owner: Device, leased: Lease) -> None:
    row = asdict(leased) | {"hall": owner.hall, "device": owner.id, "leased_at": tx.now}
    tx.connection.execute(sa.insert(block), row)


def _sealed(tx: Transaction, owner: Device, leased: Lease) -> BlockAnswer:
    statement = {"what": "lease", "hall": owner.hall, "device": owner.id, **asdict(leased)}
    seal = seals.seal(tx.connection, statement)
    return BlockAnswer(leased.id, leased.low, leased.high, leased.epoch, leased.kind, seal)


def remember(tx: Transaction, owner: Device, leased: Lease) -> bool:
    """Take back into the register a genuine lease it does not know; whether the counter was behind it.

    Where some of its serials were leased again meanwhile both leases stand: the first case of a number is
    registered, a second one is a task for a person (`OFFICE-NUMBER-TWICE`).
    """
    counter = _COUNTER[leased.kind]
    first_free = tx.connection.execute(
        sa.select(counter).where(hall.c.code == owner.hall).with_for_update()
    ).scalar_one()
    if first_free <= leased.high:
        moved = sa.update(hall).where(hall.c.code == owner.hall).values({counter: leased.high + 1})
        tx.connection.execute(moved)
    overlapping = sa.select(block.c.id).where(
        block.c.hall == owner.hall, block.c.low <= leased.high, block.c.high >= leased.low
    )
    if tx.connection.scalar(overlapping.limit(1)) is None:
        asked = sa.select(block.c.id).where(
            block.c.device == owner.id,
            block.c.epoch == leased.epoch,
            block.c.request_no == leased.request_no,
        )
        if tx.connection.scalar(asked) is not None:  # that request got another block since
            leased = replace(leased, request_no=-leased.low)
        _insert(tx, owner, leased)
    else:
        row = {"hall": owner.hall, "device": owner.id, "at": tx.now}
        row |= {"id": leased.id, "low": leased.low, "high": leased.high}
        tx.connection.execute(sa.insert(doubled_block), row)
        logs.alarm("serials-leased-twice", device=owner.id, low=leased.low, high=leased.high)
        tx.count("event", "serials-leased-twice")
    return bool(first_free <= leased.high)


def declared_void(tx: Transaction, owner: Device, serial: int) -> bool | None:
    """None when `serial` was never leased to the device; else whether `numbers.void` said it stays unused.

    Blocks of earlier epochs count: a case filed before a new enrolment keeps the number on its slip.
    """
    within = tx.memo.get(_MEMO)
    if within is None or serial not in within.serials:
        row = tx.connection.execute(_HOLDING, {"owner": owner.id, "serial": serial}).first()
        within = None if row is None else _within(tx, owner, row.low, row.high)
    if within is not None:
        tx.memo[_MEMO] = within
        return any(serial in unused for unused in within.unused)
    mine = _doubled(serial).where(doubled_block.c.device == owner.id)
    return None if tx.connection.scalar(mine) is None else False


@dataclass(frozen=True, slots=True)
class _Within:
    """A block of the device that sends, and what `numbers.void` said of it; the numbers come one by one."""

    serials: range
    unused: list[range]


_MEMO = "the block in use"


def _within(tx: Transaction, owner: Device, low: int, high: int) -> _Within:
    told = sa.select(void_numbers.c.low, void_numbers.c.high).where(
        void_numbers.c.hall == owner.hall, void_numbers.c.low <= high, void_numbers.c.high >= low
    )
    unused = [range(row.low, row.high + 1) for row in tx.connection.execute(told)]
    return _Within(range(low, high + 1), unused)


def leased_twice(tx: Transaction, owner: Device, serial: int) -> bool:
    """Whether a restored office gave `serial` of this hall to a second device."""
    return tx.connection.scalar(_doubled(serial).where(doubled_block.c.hall == owner.hall)) is not None


def _doubled(serial: int) -> sa.Select[tuple[str]]:
    within = sa.literal(serial, sa.BigInteger).between(doubled_block.c.low, doubled_block.c.high)
    return sa.select(doubled_block.c.id).where(within).limit(1)


def void(tx: Transaction, owner: Device, body: VoidNumbersBody) -> dict[str, Any]:
    """Explain serials that stay unused.

    Those that bear a case, are explained, or were leased a second time to somebody else are passed over.
    A case that arrives under such a serial all the same (its slip is in somebody's hand) is registered and
    marked. Raises Refused OFFICE-NUMBER-FOREIGN for serials that are not one block of this device.
    """
    mine = sa.union_all(
        *(
            sa.select(one.c.id).where(
                one.c.device == owner.id, one.c.low <= body.low, one.c.high >= body.high
            )
            for one in (block, doubled_block)
        )
    )
    if body.low > body.high or not body.reason.strip() or tx.connection.scalar(mine) is None:
        raise Refused("OFFICE-NUMBER-FOREIGN", f"{body.low}-{body.high}")
    number = registered_case.c.number
    borne = sa.select(number).where(
        registered_case.c.hall == owner.hall,
        number.between(case_number(owner.hall, body.low), case_number(owner.hall, body.high)),
    )
    taken = {int(one[4:12]) for one in tx.connection.scalars(borne)}
    told = sa.select(void_numbers.c.low, void_numbers.c.high).where(
        void_numbers.c.hall == owner.hall,
        void_numbers.c.low <= body.high,
        void_numbers.c.high >= body.low,
    )
    theirs = sa.select(block.c.low, block.c.high).where(
        block.c.hall == owner.hall,
        block.c.device != owner.id,
        block.c.low <= body.high,
        block.c.high >= body.low,
    )
    for row in (*tx.connection.execute(told), *tx.connection.execute(theirs)):
        taken.update(range(max(row.low, body.low), min(row.high, body.high) + 1))
    rows, begun = [], body.low
    for serial in (*sorted(taken & set(range(body.low, body.high + 1))), body.high + 1):
        if begun < serial:
            rows.append({"low": begun, "high": serial - 1})
        begun = serial + 1
    if rows:
        tx.memo.pop(_MEMO, None)
        common = {"hall": owner.hall, "device": owner.id, "reason": body.reason[:200], "at": tx.now}
        tx.connection.execute(sa.insert(void_numbers), [row | common for row in rows])
    return {"void": sum(row["high"] - row["low"] + 1 for row in rows)}


_REFUSED = refusals({409: "OFFICE-NUMBERS-USED-UP", 422: "OFFICE-BLOCK-SIZE"})


@router.post("/blocks", responses=_REFUSED)
def lease_block(body: BlockRequest, office: OfficeHere, device: DeviceHere) -> BlockAnswer:
    """Lease case numbers to this device. Ask again with the same `request_no` when the answer was lost."""
    return office.write(lambda tx: lease(tx, device, body.request_no, body.size, body.kind))
