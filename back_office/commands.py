"""The push: commands come up in order, each is applied exactly once and its answer stored.

One transaction a request, one savepoint a command. What a command does, its answer, the device's sequence and
the feed's changes commit together; a batch that comes again is answered with the stored bytes.

What the office does not remember, because it was restored from an older backup, comes again: it is asked for
(409), shown by proofs, or, where retention has taken it from the window, passed over and recorded.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import Field, TypeAdapter, ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import PydanticCustomError

from back_office import applying, audit, held, proofs, restoring
from back_office.access import Device, fenced
from back_office.accounts import Grants
from back_office.applying import KINDS, Kind, Outcome
from back_office.asked import Name, OrElse, Whole, whole
from back_office.audit import Link
from back_office.office import Transaction, compact, to_json
from back_office.problems import Refused
from back_office.proofs import MAX_PROOFS, Proof
from back_office.tables import command, delivery, device
from clerk_app.sync.protocol import MAX_COMMANDS, CommandMessage, CommandResult, Sealed

__all__ = ["KINDS", "Kind", "PushEnvelope", "Pushed", "Unreadable", "push"]

LAST_SEQ = 2**53
"""No window comes that far; the numbers of JSON end there."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A command that does not fit its description; refused alone, so that it never blocks the queue."""

    seq: int
    id: str
    hash: str
    places: str


def _readable_or_not(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    if not isinstance(value, dict):
        raise PydanticCustomError("command", "not a table")
    seq = whole(value.get("seq"))  # without one there is no place for an answer
    try:
        message: CommandMessage = validate(value)
        if message.at.tzinfo is None:
            return Unreadable(message.seq, message.id, message.hash, "at")
        text = compact([message.id, message.type, message.operator, message.hash, message.body])
        text.encode()
        if "\\u0000" in text.replace("\\\\", ""):  # PostgreSQL stores no NUL
            return Unreadable(message.seq, _text(message.id), _text(message.hash), "text")
    except (ValidationError, UnicodeEncodeError, RecursionError) as error:
        places = applying.places(error) if isinstance(error, ValidationError) else "text"
        return Unreadable(seq, _text(value.get("id")), _text(value.get("hash")), places)
    return message


def _text(value: Any) -> str:
    """What can be stored of something that should have been a text."""
    said = str(value) if isinstance(value, (str, int, float)) else type(value).__name__
    return said[:64].replace("\0", "?").encode(errors="replace").decode()


Command = Annotated[
    CommandMessage,
    WrapValidator(_readable_or_not),
    OrElse("refused alone: its sequence number is answered and used", required="seq"),
]
"""One command as a push brings it."""


@dataclass(frozen=True, slots=True)
class PushEnvelope:
    """Commands in dense order from `base_seq`; one that cannot be read does not spoil the others.

    `purged_through`: commands up to this sequence number were answered and have left the workstation by its
    retention. `proofs`: grants and leases the office may have forgotten. `audit`: links it has not confirmed
    yet, of the chain `audit_chain`; 500 are taken at a time. `audit_after`: the last link that the
    workstation has heard to be confirmed.
    """

    device: Name
    epoch: Whole
    base_seq: Whole
    commands: Annotated[list[Command], Field(json_schema_extra={"maxItems": MAX_COMMANDS})]
    audit_head: str = ""
    audit_chain: str = ""
    audit: list[Link] = field(default_factory=list)
    audit_after: Whole | None = None
    purged_through: Whole = 0
    proofs: Annotated[list[Proof], Field(json_schema_extra={"maxItems": MAX_PROOFS})] = field(
        default_factory=list
    )


_result = TypeAdapter(CommandResult)
_sealed = TypeAdapter(Sealed)


@dataclass(slots=True)
class _Batch:
    """What one request leaves to be written at its end."""

    deliveries: list[dict[str, Any]] = field(default_factory=list)
    commands: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push comes to: `PushAnswer`, its results as the texts that are stored."""

    last_seq: int
    answers: list[str]
    audit_through: int
    countersign: Sealed | None

    def text(self) -> str:
        sealed = "null" if self.countersign is None else to_json(_sealed, self.countersign)
        results = f'"last_seq":{self.last_seq},"results":[{",".join(self.answers)}]'
        return f'{{{results},"audit_through":{self.audit_through},"countersign":{sealed}}}'


def push(tx: Transaction, sender: Device, envelope: PushEnvelope) -> Pushed:
    """Apply a batch, then take the links of the audit that came with it.

    Raises Refused for the whole request only when it cannot be placed: 403 another device's name, 409 a gap,
    423 an old epoch or two workstations with one identity, 413 too many commands or proofs.
    """
    if envelope.device != sender.id:
        raise Refused("OFFICE-DEVICE", "not the sender's", status=403)
    if len(envelope.commands) > MAX_COMMANDS:
        raise Refused("OFFICE-TOO-LARGE", f"{len(envelope.commands)} commands", status=413)
    if len(envelope.proofs) > MAX_PROOFS:
        raise Refused("OFFICE-TOO-LARGE", f"{len(envelope.proofs)} proofs", status=413)
    lock = sa.select(device.c.epoch, device.c.last_seq).where(device.c.id == sender.id).with_for_update()
    epoch, known_seq = tx.connection.execute(lock).one()
    if envelope.epoch != epoch or sender.epoch != epoch:
        raise fenced(envelope.epoch, epoch)
    last_seq = _placed(tx, sender, envelope, known_seq)

    if proofs.take(
        tx, sender, envelope.proofs
    ):  # before a number is given out, and with the proof or not at all
        restoring.noticed(tx, restoring.LEASE)
    stored = _stored_deliveries(tx, sender, envelope)
    earlier = _earlier_commands(tx, sender, envelope.commands)
    readable = [message for message in envelope.commands if isinstance(message, CommandMessage)]
    grants = Grants(tx, sender, applying.persons(readable))
    waiting = held.behind(tx, sender)
    batch = _Batch()
    answers = []
    for message in envelope.commands:
        if message.seq in stored:
            answers.append(_replayed(message, stored[message.seq]))
        else:  # new, or in a hole that was passed over: late, but not lost
            answers.append(_deliver(tx, sender, message, grants, earlier, waiting, batch))
    if batch.deliveries:
        last_seq = max(last_seq, batch.deliveries[-1]["seq"])
        _write(tx, sender, batch)
    moved = sa.update(device).where(device.c.id == sender.id)
    tx.connection.execute(moved.values(last_seq=last_seq, seen_at=tx.now))
    links = audit.Links(envelope.audit_chain, envelope.audit, envelope.audit_head, envelope.audit_after)
    new = last_seq if batch.deliveries and last_seq > known_seq else None
    return Pushed(last_seq, answers, *audit.take(tx, sender, links, new))


def _placed(tx: Transaction, sender: Device, envelope: PushEnvelope, last_seq: int) -> int:
    """The last sequence number before the batch. It is dense, and follows what the office has.

    A hole in between is passed over only where the window says that those commands were answered once and
    have left it by its retention: they are nowhere any more. What was applied here is before the hole.
    """
    sent = [message.seq for message in envelope.commands]
    wanted = range(envelope.base_seq, envelope.base_seq + len(sent))
    if not 1 <= envelope.base_seq <= LAST_SEQ or sent != list(wanted):
        raise Refused("OFFICE-GAP", status=409, expected_seq=last_seq + 1)
    if envelope.base_seq <= last_seq + 1:
        return last_seq
    if envelope.base_seq > envelope.purged_through + 1:
        raise Refused("OFFICE-GAP", status=409, expected_seq=last_seq + 1)
    restoring.missing(tx, sender, last_seq + 1, envelope.base_seq - 1, lost=True)
    return envelope.base_seq - 1


def ahead(tx: Transaction, sender: Device, envelope: PushEnvelope, expected_seq: int) -> None:
    """After the 409 of a window that is further than this office remembers: it was restored from a backup.

    In a transaction of its own, for the refused push left nothing. IT may have forgotten to say so.
    """
    restoring.missing(tx, sender, expected_seq, envelope.base_seq - 1, lost=False)
    shown = proofs.take(tx, sender, envelope.proofs)
    restoring.noticed(tx, restoring.LEASE if shown else restoring.SEQUENCE)


def _stored_deliveries(tx: Transaction, sender: Device, envelope: PushEnvelope) -> dict[int, Any]:
    query = sa.select(delivery).where(
        delivery.c.device == sender.id,
        delivery.c.epoch == sender.epoch,
        delivery.c.seq.between(envelope.base_seq, envelope.base_seq + len(envelope.commands) - 1),
    )
    return {row.seq: row for row in tx.connection.execute(query)}


def _earlier_commands(
    tx: Transaction, sender: Device, messages: Sequence[CommandMessage | Unreadable]
) -> dict[str, dict[str, Any]]:
    """What the hall already knows under these ids: sent in an earlier epoch, or carried by another device."""
    query = sa.select(command).where(
        command.c.hall == sender.hall, command.c.id.in_([message.id for message in messages])
    )
    return {row.id: row._asdict() for row in tx.connection.execute(query)}


def _replayed(message: CommandMessage | Unreadable, row: Any) -> str:
    """The stored answer. Raises Refused 423 when this place in the order holds another command.

    Then two workstations share one identity (a copied or restored disk); a new enrolment tells them apart.
    """
    if row.command != message.id:
        raise Refused("OFFICE-FORKED", f"sequence {message.seq}", status=423)
    if row.hash != message.hash:
        return _answer(message, Outcome("refused", "OFFICE-HASH", {}))
    return str(row.answer)


def _deliver(
    tx: Transaction,
    sender: Device,
    message: CommandMessage | Unreadable,
    grants: Grants,
    earlier: dict[str, dict[str, Any]],
    waiting: set[str],
    batch: _Batch,
) -> str:
    """Apply one new command, or answer it as before when its id is known. Its sequence number is consumed.

    `waiting` are the cases and visits with a held command; what follows in them is held behind it.
    """
    known = batch.commands.get(message.id) or earlier.get(message.id)
    if isinstance(message, Unreadable):
        outcome = applying.refused(Refused("OFFICE-MALFORMED", message.places))
    elif known is not None and known["hash"] != message.hash:
        outcome = Outcome("refused", "OFFICE-HASH", {})
    elif known is not None:
        if known["status"] == "held" and message.id in earlier and known["device"] == sender.id:
            if known["message"] is None:
                known["aggregate"] = applying.aggregate_of(message)
                held.keep(tx, sender, message, known["aggregate"])
            known = _tried_again(tx, sender, known, waiting)
            waiting.update(one["aggregate"] for one in batch.commands.values() if one["status"] == "held")
        outcome = Outcome(known["status"], known["code"], json.loads(known["data"]))
    else:
        outcome = _new(tx, sender, message, grants, waiting, batch)
    answer = _answer(message, outcome)
    tx.count("command", outcome.status)
    batch.deliveries.append(
        {
            "device": sender.id,
            "epoch": sender.epoch,
            "seq": message.seq,
            "command": message.id,
            "hash": message.hash,
            "answer": answer,
        }
    )
    return answer


def _tried_again(tx: Transaction, sender: Device, known: dict[str, Any], waiting: set[str]) -> dict[str, Any]:
    """A held command came again, under a new sequence number: its answer now, after one more try."""
    held.try_again(tx, sender.id, known["aggregate"])
    waiting.clear()
    waiting.update(held.behind(tx, sender))
    mine = sa.select(command).where(command.c.hall == sender.hall, command.c.id == known["id"])
    return tx.connection.execute(mine).one()._asdict()


def _new(
    tx: Transaction,
    sender: Device,
    message: CommandMessage,
    grants: Grants,
    waiting: set[str],
    batch: _Batch,
) -> Outcome:
    aggregate = applying.aggregate_of(message)
    if aggregate and aggregate in waiting:
        outcome = Outcome("held", "OFFICE-HELD-BEFORE", {})
    else:
        outcome = applying.run(tx, sender, message, grants)
    owed = outcome.status == "held"
    if owed and aggregate:
        waiting.add(aggregate)
    batch.commands[message.id] = {
        "hall": sender.hall,
        "id": message.id,
        "hash": message.hash,
        "type": message.type,
        "device": sender.id,
        "operator": message.operator,
        "at": message.at,
        "status": outcome.status,
        "code": outcome.code,
        "data": compact(outcome.data),
        "answered_at": tx.now,
        "aggregate": aggregate,
        "message": held.kept(message) if owed else None,
    }
    return outcome


def _answer(message: CommandMessage | Unreadable, outcome: Outcome) -> str:
    result = CommandResult(message.seq, message.id, outcome.status, outcome.code, outcome.data)
    return to_json(_result, result)


def _write(tx: Transaction, sender: Device, batch: _Batch) -> None:
    tx.connection.execute(sa.insert(delivery), batch.deliveries)
    if batch.commands:
        tx.connection.execute(sa.insert(command), list(batch.commands.values()))
