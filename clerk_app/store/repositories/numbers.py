"""Serials for case numbers, from blocks the office leases to this device for one epoch."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import select, update
from sqlalchemy.dialects.sqlite import insert

from clerk_app.desk.ports import Seal
from clerk_app.domain.numbering import NumberBlock
from clerk_app.failures import Failure
from clerk_app.store.repositories.meta import EPOCH
from clerk_app.store.repositories.rows import Prepared, Statements, columns, each, values
from clerk_app.store.tables import number_blocks as blocks

_IN_USE = (
    select(blocks.c.id)
    .where(blocks.c.epoch == EPOCH, blocks.c.next <= blocks.c.high)
    .order_by(blocks.c.kind == "emergency", blocks.c.low)
    .limit(1)
    .scalar_subquery()
)
_TAKE = Prepared(
    update(blocks).where(blocks.c.id == _IN_USE).values(next=blocks.c.next + 1).returning(blocks.c.next - 1)
)
_ADD = insert(blocks).on_conflict_do_nothing(index_elements=["id"])
_ALL = select(*columns(blocks, NumberBlock)).order_by(blocks.c.low)


class SqlNumbers:
    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    def take(self) -> int:
        """The next serial; it counts as used if and only if the caller's transaction commits.

        Blocks of an earlier epoch are void: the office has closed them. Raises Failure("STORE-NO-NUMBERS").
        """
        taken = self._sql.run(_TAKE)
        if taken is None:
            raise Failure("STORE-NO-NUMBERS", "every block of this epoch is used up")
        return int(taken[0])

    def add(self, block: NumberBlock, lease: Seal | None = None) -> None:
        """Keep a leased block. The same block again changes nothing: its `next` here is ahead.

        Raises Failure("STORE-BLOCK-OVERLAP") when a serial in it was ever leased in another block.
        """
        meets = (blocks.c.low <= block.high) & (blocks.c.high >= block.low) & (blocks.c.id != block.id)
        if other := self._sql.execute(select(blocks.c.id).where(meets).limit(1)).scalar_one_or_none():
            raise Failure("STORE-BLOCK-OVERLAP", f"{block.id} meets {other}")
        self._sql.execute(_ADD, values(block) | {"lease": lease})

    def blocks(self) -> Sequence[NumberBlock]:
        """The blocks of the present epoch in the order they are used, used-up ones included."""
        return each(NumberBlock, self._sql.execute(_ALL.where(blocks.c.epoch == EPOCH)))

    def void_rest(self) -> Sequence[tuple[int, int]]:
        """The unused rest (low, high) of every block of an earlier epoch. Told once: it is used up after."""
        unused = (blocks.c.epoch != EPOCH) & (blocks.c.next <= blocks.c.high)
        query = select(blocks.c.next, blocks.c.high).where(unused).order_by(blocks.c.low)
        rest = tuple((int(low), int(high)) for low, high in self._sql.execute(query))
        if rest:
            self._sql.execute(update(blocks).where(unused).values(next=blocks.c.high + 1))
        return rest

    def proofs(self, serials: Collection[int]) -> Sequence[Seal]:
        """The signed leases that `serials` came from, and those of the blocks that have numbers left."""
        open_ = (blocks.c.epoch == EPOCH) & (blocks.c.next <= blocks.c.high)
        near = open_
        if serials:
            near |= (blocks.c.high >= min(serials)) & (blocks.c.low <= max(serials))
        query = select(blocks.c.low, blocks.c.high, blocks.c.lease, open_)
        rows = self._sql.execute(query.where(near, blocks.c.lease.is_not(None)).order_by(blocks.c.low))
        return tuple(
            lease
            for low, high, lease, left in rows
            if left or any(low <= serial <= high for serial in serials)
        )

    def leases(self) -> Sequence[Seal]:
        """The office's signed word on every block of this device, earlier epochs included."""
        signed = select(blocks.c.lease).where(blocks.c.lease.is_not(None)).order_by(blocks.c.low)
        return tuple(self._sql.execute(signed).scalars())
