"""Intents on their way up. A row stays until the office has answered, and after; there is no last attempt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import and_, func, insert, select, update

from clerk_app.desk.ports import Command, CommandState, OutboxState
from clerk_app.domain.case import LegalState, SyncState
from clerk_app.domain.ids import uuid7
from clerk_app.store.repositories.meta import EPOCH, NEXT_SEQ, PURGED_THROUGH, UNANSWERED
from clerk_app.store.repositories.rows import Prepared, Statements, columns, each, one
from clerk_app.store.tables import attachments, cases, outbox
from clerk_app.sync.protocol import SCHEMA

_ADD = Prepared(
    insert(outbox)
    .values(epoch=EPOCH, seq=NEXT_SEQ, schema=SCHEMA, state=CommandState.WAITING, code="", attempts=0)
    .returning(outbox.c.seq),
    ("id", "type", "aggregate", "body", "at", "operator"),
)
_ALL = select(*columns(outbox, Command))


class SqlOutbox:
    """Sequence numbers are dense within an epoch: 1, 2, 3 and none left out, because a transaction that
    rolls back gives its number back with the rest.
    """

    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    def add(
        self, type_: str, aggregate: str, body: Mapping[str, Any], *, at: datetime, operator: str
    ) -> Command:
        """Append with a new id and the next sequence number; `body` is kept as its JSON."""
        plain = msgspec.to_builtins(body, str_keys=True)
        given = {
            "id": uuid7(),
            "type": type_,
            "aggregate": aggregate,
            "body": plain,
            "at": at,
            "operator": operator,
        }
        added = self._sql.run(_ADD, given)
        assert added is not None
        return Command(
            seq=added[0], id=given["id"], type=type_, schema=SCHEMA, aggregate=aggregate, body=plain, at=at,
            operator=operator,
        )  # fmt: skip

    def next_batch(self, limit: int = 100) -> Sequence[Command]:
        """Commands of this epoch that have no answer yet, in order of sequence."""
        query = _ALL.where(outbox.c.epoch == EPOCH, outbox.c.state.in_(UNANSWERED))
        return self._commands(query.order_by(outbox.c.seq).limit(limit))

    def since(self, seq: int, limit: int = 100) -> Sequence[Command]:
        """Commands of this epoch from `seq` on, answered or not."""
        query = _ALL.where(outbox.c.epoch == EPOCH, outbox.c.seq >= seq)
        return self._commands(query.order_by(outbox.c.seq).limit(limit))

    def mark(self, ids: Sequence[str], state: CommandState, code: str = "") -> None:
        """Set the state of commands; `SENT` counts an attempt. What was applied stays applied.

        Raises LookupError when one of them is not here.
        """
        wanted = set(ids)
        known = select(func.count()).select_from(outbox).where(outbox.c.id.in_(wanted))
        if self._sql.execute(known).scalar_one() != len(wanted):
            raise LookupError("a command that is not in the outbox")
        attempts = outbox.c.attempts + (1 if state is CommandState.SENT else 0)
        change = update(outbox).where(outbox.c.id.in_(wanted), outbox.c.state != CommandState.APPLIED)
        self._sql.execute(change.values(state=state, code=code, attempts=attempts))

    def taken_back(self, command_id: str, code: str) -> None:
        """An office restored from a backup refuses what it had applied before."""
        change = update(outbox).where(outbox.c.id == command_id)
        self._sql.execute(change.values(state=CommandState.REFUSED, code=code))

    def get(self, command_id: str) -> Command | None:
        return one(Command, self._sql.execute(_ALL.where(outbox.c.id == command_id)))

    def of_aggregate(self, aggregate: str) -> Sequence[Command]:
        return self._commands(_ALL.where(outbox.c.aggregate == aggregate).order_by(outbox.c.n))

    def pending(self) -> Sequence[Command]:
        """Everything neither applied nor settled, oldest first: waiting, sent, refused, held."""
        over = (CommandState.APPLIED, CommandState.SETTLED)
        return self._commands(_ALL.where(outbox.c.state.not_in(over)).order_by(outbox.c.n))

    def next_seq(self) -> int:
        """The sequence number the next command gets."""
        return int(self._sql.execute(select(NEXT_SEQ)).scalar_one())

    def again(self, lost: Sequence[str], kept: Sequence[str] = ()) -> int:
        """Applied commands of earlier epochs go once more, as the next of this one; how many.

        All of the aggregates `lost`; of those `kept` whatever followed the filing. Those of this epoch stay
        where they are: an office that misses them asks for them in order.
        """
        later = outbox.c.type.like("case.%") & (outbox.c.type != "case.file")
        wanted = outbox.c.aggregate.in_(set(lost)) | (outbox.c.aggregate.in_(set(kept)) & later)
        lost_there = wanted & (outbox.c.state == CommandState.APPLIED)
        query = select(outbox.c.n).where(lost_there, outbox.c.epoch != EPOCH).order_by(outbox.c.n)
        found = self._sql.execute(query).scalars().all()
        for n in found:
            moved = update(outbox).where(outbox.c.n == n)
            self._sql.execute(moved.values(epoch=EPOCH, seq=NEXT_SEQ, state=CommandState.SENT))
        return len(found)

    def purged_through(self) -> int:
        return int(self._sql.execute(select(PURGED_THROUGH)).scalar_one())

    def stuck(self) -> Sequence[Command]:
        """Refused and held commands only, oldest first."""
        stuck = outbox.c.state.in_((CommandState.REFUSED, CommandState.HELD))
        return self._commands(_ALL.where(stuck).order_by(outbox.c.n))

    def state(self) -> OutboxState:
        """What has not reached the office, for the status strip."""
        unsent = outbox.c.state.in_(UNANSWERED)
        row = self._sql.execute(
            select(
                func.count().filter(unsent),
                func.count().filter(outbox.c.state == CommandState.REFUSED),
                func.count().filter(outbox.c.state == CommandState.HELD),
            )
        ).one()
        first = select(outbox.c.at).where(unsent).order_by(outbox.c.n).limit(1)
        settled = and_(  # refused and voided here: the office never heard of the case
            cases.c.legal_state == LegalState.VOID,
            cases.c.sync_state == SyncState.REFUSED,
            cases.c.official_number.is_(None),
        )
        pages = select(func.count()).where(
            attachments.c.uploaded_at.is_(None), attachments.c.case_id == cases.c.id, ~settled
        )
        return OutboxState(
            unsent=row[0],
            oldest=self._sql.execute(first).scalar_one_or_none(),
            tasks=row[1],
            held=row[2],
            pages=self._sql.execute(pages).scalar_one(),
        )

    def _commands(self, query: Any) -> tuple[Command, ...]:
        return each(Command, self._sql.execute(query))
