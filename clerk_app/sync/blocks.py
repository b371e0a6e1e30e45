"""Blocks of case numbers: one in use and one in reserve, so that a window never stops for want of a number.

Behind both stands a block of emergency numbers, taken from only when no ordinary number is left. The
request's number is on disk before the question leaves. An answer that was lost is asked for again under the
same number and gives the same block: no serial leaks, none is leased twice.
"""

from __future__ import annotations

from datetime import datetime
from typing import cast

from clerk_app.desk.ports import Device, Store, Transaction
from clerk_app.domain.numbering import FIRST_EMERGENCY, NumberBlock
from clerk_app.failures import Failure
from clerk_app.sync.client import OfficeClient
from clerk_app.sync.protocol import BlockAnswer, BlockKind, BlockRequest, Sealed
from clerk_app.sync.seals import kept, read_seal

SIZE = 500
AHEAD = 1.5
"""Ordinary numbers kept ahead, in blocks: when half of the block in use is gone, the next is asked for."""
SYSTEM = ""
"""Operator of what the workstation itself reports."""

_ASKED = "block_asked"
_KIND = "block_asked_kind"
_ANSWERED = "block_answered"
_AT_ONCE = 3
"""Blocks asked for in one go; an office that gives tiny ones is asked again in the next cycle."""


def keep_ahead(
    client: OfficeClient, store: Store, device: Device, size: int = SIZE, *, emergency: bool = False
) -> bool:
    """Ask for blocks until enough numbers are ahead; whether one arrived.

    `emergency` also keeps a block of emergency numbers, at an office that has them. Failures: SYNC-BAD-BLOCK
    for a block that is not one of this device, STORE-BLOCK-OVERLAP for numbers this workstation has had
    before (printed twice, they could not be taken back), and those of `transport`.
    """
    arrived = False
    for _ in range(_AT_ONCE):
        kind = store.read(lambda tx: _wanted(tx, device, size, emergency))
        if kind is None:
            break
        request_no, kind = store.write(lambda tx, wanted=kind: _request(tx, wanted))  # type: ignore[misc]
        answer = client.block(BlockRequest(request_no, size, kind))
        _keep(store, device, request_no, kind, answer)
        arrived = True
    return arrived


def report_void(store: Store, now: datetime) -> bool:
    """Report the unused rest of blocks of earlier epochs, once: no case will ever bear those numbers."""

    def report(tx: Transaction) -> bool:
        rest = tx.numbers.void_rest()
        for low, high in rest:
            body = {"low": low, "high": high, "reason": "new-epoch"}
            tx.outbox.add("numbers.void", "", body, at=now, operator=SYSTEM)
            tx.audit.add(
                at=now, actor="workstation", act="numbers-void", subject=f"{low}-{high}", detail="new-epoch"
            )
        return bool(rest)

    return store.write(report)


def _wanted(tx: Transaction, device: Device, size: int, emergency: bool) -> BlockKind | None:
    """The kind of block to ask for now; the ordinary ones first."""
    if _left(tx, device, "case") < AHEAD * size:
        return "case"
    if emergency and _left(tx, device, "emergency") < size / 2:
        return "emergency"
    return None


def _left(tx: Transaction, device: Device, kind: BlockKind) -> int:
    blocks = tx.numbers.blocks()
    return sum(block.left for block in blocks if block.epoch == device.epoch and block.kind == kind)


def _request(tx: Transaction, wanted: BlockKind) -> tuple[int, BlockKind]:
    """Number and kind of the open request, or of a new one."""
    asked, answered = int(tx.meta.get(_ASKED) or 0), int(tx.meta.get(_ANSWERED) or 0)
    if asked != answered:
        return asked, cast(BlockKind, tx.meta.get(_KIND) or "case")
    tx.meta.set(_ASKED, str(asked + 1))
    tx.meta.set(_KIND, wanted)
    return asked + 1, wanted


def _keep(store: Store, device: Device, request_no: int, kind: BlockKind, answer: BlockAnswer) -> None:
    block = NumberBlock(answer.id, answer.low, answer.high, answer.low, answer.epoch, answer.kind)
    ordinary = block.high < FIRST_EMERGENCY
    if (
        not 0 < block.low <= block.high
        or block.epoch != device.epoch
        or block.kind != kind
        or ordinary != (kind == "case")
    ):
        raise Failure("SYNC-BAD-BLOCK", f"{kind} {block.low}-{block.high} epoch {block.epoch}")
    if answer.lease is not None and device.seal_key:
        _check_lease(device, block, answer.lease)

    def record(tx: Transaction) -> None:
        tx.numbers.add(block, kept(answer.lease))
        answered(tx)

    def answered(tx: Transaction) -> None:
        tx.meta.set(_ANSWERED, str(request_no))

    try:
        store.write(record)
    except Failure as failure:
        if failure.code == "STORE-BLOCK-OVERLAP":  # asked for again it would be the same block for ever
            store.write(answered)
        raise


def _check_lease(device: Device, block: NumberBlock, lease: Sealed) -> None:
    """The signed lease is of this block and this device, or an office restored later would not believe it."""
    told = read_seal(device.seal_key, lease)
    meant = {
        "what": "lease",
        "device": device.id,
        "epoch": block.epoch,
        "kind": block.kind,
        "low": block.low,
        "high": block.high,
    }
    if {key: told.get(key) for key in meant} != meant:
        raise Failure("SYNC-BAD-BLOCK", f"lease of another block than {block.low}-{block.high}")
