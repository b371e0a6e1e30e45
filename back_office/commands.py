"""The push: commands come up in order, each is applied exactly once and its answer stored.

One transaction a request, one savepoint a command. What a command does, its answer, the device's sequence and
the feed's changes commit together; a batch that comes again is answered with the stored bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from pydantic import TypeAdapter, ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from sqlalchemy.exc import InterfaceError, OperationalError

from back_office import audit, cases, logs, visits
from back_office.access import Device, fenced
from back_office.accounts import Grants
from back_office.audit import Link as AuditLink
from back_office.office import Transaction, compact, to_json
from back_office.problems import Refused, malformed
from back_office.tables import command, delivery, device
from clerk_app.sync.protocol import (
    MAX_COMMANDS,
    SCHEMA,
    CommandMessage,
    CommandResult,
    Sealed,
    command_hash,
)

MAX_COMMAND_BYTES = 128 * 1024
SCHEMAS = (SCHEMA, SCHEMA - 1)
"""What this office accepts: its own version of the bodies and the one before."""

Status = Literal["applied", "refused", "held"]
Apply = Callable[[Transaction, Device, Any, list[str]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A command that does not fit its description; refused alone, so that it never blocks the queue."""

    seq: int
    id: str
    hash: str
    places: str


def _readable_or_not(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    try:
        message: CommandMessage = validate(value)
        if message.at.tzinfo is None:
            return Unreadable(message.seq, message.id, message.hash, "at")
        compact([message.id, message.type, message.operator, message.hash, message.body]).encode()
    except (ValidationError, UnicodeEncodeError) as error:
        if not isinstance(value, dict) or not isinstance(value.get("seq"), int):
            raise  # without a sequence number there is no place for an answer
        places = _places(error) if isinstance(error, ValidationError) else "text"
        return Unreadable(value["seq"], _text(value.get("id")), _text(value.get("hash")), places)
    return message


def _text(value: Any) -> str:
    """What can be stored of something that should have been a text."""
    return str(value)[:64].encode(errors="replace").decode()


def _places(error: ValidationError) -> str:
    return malformed([entry["loc"] for entry in error.errors(include_input=False)]).detail


@dataclass(frozen=True, slots=True)
class PushEnvelope:
    """`PushRequest` as the office reads it: one command that cannot be read does not spoil the others."""

    device: str
    epoch: int
    base_seq: int
    commands: list[Annotated[CommandMessage, WrapValidator(_readable_or_not)]]
    audit_head: str = ""
    audit_chain: str = ""
    audit: list[AuditLink] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Kind:
    """What a type of command needs: a right of its operator, a body, and what it does."""

    right: str
    body: TypeAdapter[Any]
    apply: Apply


def _without_flags(apply: Callable[[Transaction, Device, Any], dict[str, Any]]) -> Apply:
    def with_flags(tx: Transaction, sender: Device, body: Any, flags: list[str]) -> dict[str, Any]:
        data = apply(tx, sender, body)
        return {**data, "flags": flags} if flags else data

    return with_flags


_visit = TypeAdapter(visits.TicketBody)

KINDS: dict[str, Kind] = {
    "case.file": Kind("accept", TypeAdapter(cases.FileBody), cases.register),
    "case.accept": Kind("accept", TypeAdapter(cases.AcceptBody), _without_flags(cases.accept)),
    "case.void": Kind("void", TypeAdapter(cases.VoidBody), _without_flags(cases.void)),
    "ticket.serving": Kind("call", _visit, _without_flags(visits.serving)),
    "ticket.no_show": Kind("call", _visit, _without_flags(visits.no_show)),
    "ticket.done": Kind("call", _visit, _without_flags(visits.done)),
    "ticket.by_paper": Kind("call", _visit, _without_flags(visits.by_paper)),
}

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
    423 an old epoch or two workstations with one identity, 413 too many commands.
    """
    if envelope.device != sender.id:
        raise Refused("OFFICE-DEVICE", "not the sender's", status=403)
    if len(envelope.commands) > MAX_COMMANDS:
        raise Refused("OFFICE-TOO-LARGE", f"{len(envelope.commands)} commands", status=413)
    lock = sa.select(device.c.epoch, device.c.last_seq).where(device.c.id == sender.id).with_for_update()
    epoch, last_seq = tx.connection.execute(lock).one()
    if envelope.epoch != epoch or sender.epoch != epoch:
        raise fenced(envelope.epoch, epoch)
    _in_order(envelope, last_seq)

    stored = _stored_deliveries(tx, sender, envelope)
    earlier = _earlier_commands(tx, sender, envelope.commands)
    grants = Grants(tx, sender, (c.operator for c in envelope.commands if isinstance(c, CommandMessage)))
    batch = _Batch()
    answers = []
    for message in envelope.commands:
        if message.seq <= last_seq:
            answers.append(_replayed(message, stored[message.seq]))
        else:
            answers.append(_deliver(tx, sender, message, grants, earlier, batch))
    if batch.deliveries:
        last_seq = batch.deliveries[-1]["seq"]
        _write(tx, sender, batch, last_seq)
    links = audit.Links(envelope.audit_chain, envelope.audit, envelope.audit_head)
    new = last_seq if batch.deliveries else None
    return Pushed(last_seq, answers, *audit.take(tx, sender, links, new))


def _in_order(envelope: PushEnvelope, last_seq: int) -> None:
    """Dense from `base_seq`, and no hole between what the office has and what comes."""
    wanted = range(envelope.base_seq, envelope.base_seq + len(envelope.commands))
    gap = envelope.base_seq > last_seq + 1 or envelope.base_seq < 1
    if gap or [message.seq for message in envelope.commands] != list(wanted):
        raise Refused("OFFICE-GAP", status=409, expected_seq=last_seq + 1)


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
        return _answer(message, "refused", "OFFICE-HASH")
    return str(row.answer)


def _deliver(
    tx: Transaction,
    sender: Device,
    message: CommandMessage | Unreadable,
    grants: Grants,
    earlier: dict[str, dict[str, Any]],
    batch: _Batch,
) -> str:
    """Apply one new command, or answer it as before when its id is known. Its sequence number is consumed."""
    known = batch.commands.get(message.id) or earlier.get(message.id)
    if isinstance(message, Unreadable):
        status, code, data = _refused(Refused("OFFICE-MALFORMED", message.places))
    elif known is not None and known["hash"] != message.hash:
        status, code, data = "refused", "OFFICE-HASH", {}
    elif known is not None and known["status"] != "held":
        status, code, data = known["status"], known["code"], json.loads(known["data"])
    else:
        # New, or held by an error of ours: nothing was applied then, so it may be tried now.
        status, code, data = _apply(tx, sender, message, grants)
        batch.commands[message.id] = {
            "hall": sender.hall,
            "id": message.id,
            "hash": message.hash,
            "type": message.type,
            "device": sender.id,
            "operator": message.operator,
            "at": message.at,
            "status": status,
            "code": code,
            "data": compact(data),
            "answered_at": tx.now,
        }
    answer = _answer(message, status, code, data)
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


def _apply(
    tx: Transaction, sender: Device, message: CommandMessage, grants: Grants
) -> tuple[Status, str, dict[str, Any]]:
    """Run the command in its own savepoint. A refusal is an answer; an error of ours holds the command.

    A database that cannot work (full disk, lost connection) is neither: it fails the request, which the
    window sends again.
    """
    try:
        with tx.savepoint():
            kind, body = _understood(message)
            flags = grants.check(message.operator, kind.right, message.at)
            return "applied", "", kind.apply(tx, sender, body, flags)
    except Refused as refusal:
        return _refused(refusal)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        logs.error("command-held", error, device=sender.id, seq=message.seq, type=message.type)
        return "held", "OFFICE-ERROR", {}


def _understood(message: CommandMessage) -> tuple[Kind, Any]:
    """The kind and the typed body. Raises Refused."""
    if len(compact(message.body).encode()) > MAX_COMMAND_BYTES:
        raise Refused("OFFICE-TOO-LARGE", "command")
    if command_hash(message.id, message.type, message.body) != message.hash:
        raise Refused("OFFICE-HASH", "contents")
    if message.body.get("operator", message.operator) != message.operator:
        raise Refused("OFFICE-OPERATOR", "not the one of the body")
    kind = KINDS.get(message.type)
    if kind is None or message.schema not in SCHEMAS:
        raise Refused("OFFICE-UNKNOWN-COMMAND", f"schema {message.schema}")
    try:
        return kind, kind.body.validate_python(message.body)
    except ValidationError as error:
        raise Refused("OFFICE-MALFORMED", _places(error)) from None


def _refused(refusal: Refused) -> tuple[Status, str, dict[str, Any]]:
    return "refused", refusal.code, {"detail": refusal.detail} if refusal.detail else {}


def _answer(
    message: CommandMessage | Unreadable, status: Status, code: str, data: dict[str, Any] | None = None
) -> str:
    return to_json(_result, CommandResult(message.seq, message.id, status, code, data or {}))


def _write(tx: Transaction, sender: Device, batch: _Batch, last_seq: int) -> None:
    tx.connection.execute(sa.insert(delivery), batch.deliveries)
    if batch.commands:
        retried = sa.delete(command).where(
            command.c.hall == sender.hall, command.c.id.in_(batch.commands), command.c.status == "held"
        )
        tx.connection.execute(retried)
        tx.connection.execute(sa.insert(command), list(batch.commands.values()))
    moved = sa.update(device).where(device.c.id == sender.id)
    tx.connection.execute(moved.values(last_seq=last_seq))
