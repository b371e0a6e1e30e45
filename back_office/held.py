"""Held commands: the office met an error of its own and owes the answer.

It keeps the whole command and tries again by itself, in order within one case or visit. The answer comes down
as a "command" change of the device's scope; what was answered "held" in a push stays that push's answer.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.exc import InterfaceError, OperationalError

from back_office import applying, logs
from back_office.access import Device
from back_office.accounts import Grants
from back_office.applying import Outcome
from back_office.feed import News
from back_office.office import Office, Transaction, compact, to_json
from back_office.tables import command, delivery, device
from clerk_app.sync.protocol import CommandMessage, OwedAnswer

TRY_SECONDS = 300
"""Between two rounds. A restart tries at once: an error of ours mostly ends with another version of us."""

_message = TypeAdapter(CommandMessage)
_owed = TypeAdapter(OwedAnswer)
_HELD = command.c.status == "held"


@dataclass(frozen=True, slots=True)
class Tally:
    """What a round of trying came to, in commands."""

    applied: int
    refused: int
    held: int


@dataclass(frozen=True, slots=True)
class Owed:
    """A held command as IT sees it: nothing of its contents."""

    id: str
    device: str
    type: str
    aggregate: str
    code: str
    since: datetime


def kept(message: CommandMessage) -> str:
    """The whole command as it is kept while its answer is owed."""
    return to_json(_message, message)


def behind(tx: Transaction, sender: Device) -> set[str]:
    """The aggregates of the device whose next commands must wait."""
    query = sa.select(command.c.aggregate).where(command.c.device == sender.id, _HELD).distinct()
    return set(tx.connection.scalars(query)) - {""}


def listed(connection: sa.Connection) -> Sequence[Owed]:
    """Every answer the office owes, the oldest first."""
    query = sa.select(
        command.c.id,
        command.c.device,
        command.c.type,
        command.c.aggregate,
        command.c.code,
        command.c.answered_at,
    )
    return [Owed(*row) for row in connection.execute(query.where(_HELD).order_by(command.c.answered_at))]


def retry(office: Office) -> Tally:
    """Try every held command once, one transaction a case or visit. Safe beside windows that push."""
    groups = sa.select(command.c.device, command.c.aggregate).where(_HELD).distinct()
    found = office.read(lambda connection: connection.execute(groups).all())
    count = {"applied": 0, "refused": 0, "held": 0}
    for one in found:
        try:
            outcomes = office.write(partial(try_again, device_id=one.device, aggregate=one.aggregate))
        except (OperationalError, InterfaceError) as error:
            logs.error("held-retry", error)
            break
        except Exception as error:  # one case that cannot even be tried stops no other
            logs.error("held-retry", error, device=one.device)
            continue
        for outcome in outcomes:
            count[outcome.status] += 1
    tally = Tally(**count)
    if found:
        logs.info("held-retried", applied=tally.applied, refused=tally.refused, held=tally.held)
    return tally


def try_again(tx: Transaction, device_id: str, aggregate: str) -> list[Outcome]:
    """Apply what is held of one case or visit, in order, as far as it goes; tell each answer."""
    lock = sa.select(device).where(device.c.id == device_id).with_for_update()
    row = tx.connection.execute(lock).one()
    sender = Device(row.id, row.hall, row.epoch, row.window, row.queue)
    waiting = _in_order(tx, sender, aggregate)
    messages = [_message.validate_json(one.message) for one in waiting]
    grants = Grants(tx, sender, applying.persons(messages))
    outcomes: list[Outcome] = []
    for one, message in zip(waiting, messages, strict=True):
        stuck = bool(aggregate) and bool(outcomes) and outcomes[-1].status == "held"
        if stuck:
            outcomes.append(Outcome("held", "OFFICE-HELD-BEFORE", {}))
            continue
        outcome = applying.run(tx, sender, message, grants)
        outcomes.append(outcome)
        if outcome.status != "held":
            _answer(tx, sender, one.id, outcome)
    return outcomes


def _in_order(tx: Transaction, sender: Device, aggregate: str) -> Sequence[Any]:
    """The held rows as they were first sent; whoever came in an older epoch comes first."""
    first = (
        sa.select(delivery.c.epoch, delivery.c.seq, command.c.id, command.c.message)
        .join(delivery, sa.and_(delivery.c.device == command.c.device, delivery.c.command == command.c.id))
        .where(command.c.device == sender.id, command.c.aggregate == aggregate, _HELD)
        .where(command.c.message.is_not(None))  # one from before they were kept: its window sends it again
        .order_by(delivery.c.epoch, delivery.c.seq)
    )
    found: dict[str, Any] = {}
    for row in tx.connection.execute(first):
        found.setdefault(row.id, row)
    return list(found.values())


def keep(tx: Transaction, sender: Device, message: CommandMessage, aggregate: str) -> None:
    """A command that an office of before held without keeping it came again: it is kept now."""
    mine = sa.and_(command.c.hall == sender.hall, command.c.id == message.id)
    values = {"message": kept(message), "aggregate": aggregate}
    tx.connection.execute(sa.update(command).where(mine).values(values))


def _answer(tx: Transaction, sender: Device, command_id: str, outcome: Outcome) -> None:
    mine = sa.and_(command.c.hall == sender.hall, command.c.id == command_id)
    values = {"status": outcome.status, "code": outcome.code, "data": compact(outcome.data)}
    settled = sa.update(command).where(mine).values(**values, answered_at=tx.now, message=None)
    tx.connection.execute(settled)
    assert outcome.status != "held"
    owed = OwedAnswer(outcome.status, outcome.code, outcome.data)
    data = json.loads(to_json(_owed, owed))
    tx.tell(News((sender.hall, f"device:{sender.id}"), "command", command_id, 1, "put", data))
