"""Blocks of case numbers: at least half a block ahead, so that a window never stops for want of a number.

The request's number is on disk before the question leaves. An answer that was lost is asked for again under
the same number and gives the same block: no serial leaks, none is leased twice.
"""

from __future__ import annotations

from clerk_app.desk.ports import Device, Store, Transaction
from clerk_app.domain.numbering import NumberBlock
from clerk_app.failures import Failure
from clerk_app.sync.client import OfficeClient
from clerk_app.sync.protocol import BlockRequest

SIZE = 500
_ASKED = "block_asked"
_ANSWERED = "block_answered"


def keep_ahead(client: OfficeClient, store: Store, device: Device, size: int = SIZE) -> bool:
    """Ask for a block when less than half of one is left; whether one arrived.

    Failures: SYNC-BAD-BLOCK for a block that is not one of this device, STORE-BLOCK-OVERLAP for numbers this
    workstation has had before (printed twice, they could not be taken back), and those of `transport`.
    """
    if store.read(lambda tx: _left(tx, device)) >= size / 2:
        return False
    request_no = store.write(_request_no)
    answer = client.block(BlockRequest(request_no, size))
    block = NumberBlock(answer.id, answer.low, answer.high, answer.low, answer.epoch)

    if block.low > block.high or block.epoch != device.epoch:
        raise Failure("SYNC-BAD-BLOCK", f"{block.low}-{block.high} epoch {block.epoch}")

    def record(tx: Transaction) -> None:
        tx.numbers.add(block)
        tx.meta.set(_ANSWERED, str(request_no))

    store.write(record)
    return True


def _left(tx: Transaction, device: Device) -> int:
    return sum(block.left for block in tx.numbers.blocks() if block.epoch == device.epoch)


def _request_no(tx: Transaction) -> int:
    """The number of the open request, or of a new one."""
    asked, answered = int(tx.meta.get(_ASKED) or 0), int(tx.meta.get(_ANSWERED) or 0)
    if asked == answered:
        asked += 1
        tx.meta.set(_ASKED, str(asked))
    return asked
