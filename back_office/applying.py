"""What each type of command needs and does, and how one is applied: in a savepoint of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError
from sqlalchemy.exc import DataError, InterfaceError, OperationalError

from back_office import blocks, cases, logs, upcasting, visits
from back_office.access import Device
from back_office.accounts import Grants
from back_office.office import Transaction
from back_office.problems import NotYet, Refused, malformed
from clerk_app.sync.protocol import CommandMessage, command_text

MAX_COMMAND_BYTES = 128 * 1024

Status = Literal["applied", "refused", "held"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command was answered."""

    status: Status
    code: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What surrounds a body: `flags` for who reads the record later, `earlier` as in CommandMessage."""

    flags: list[str]
    earlier: Mapping[str, Any]


Apply = Callable[[Transaction, Device, Any, Circumstances], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a type of command needs: a right of its operator ("" for none), a body, and what it does."""

    right: str
    body: TypeAdapter[Any]
    apply: Apply


def _plainly(apply: Callable[[Transaction, Device, Any], dict[str, Any]]) -> Apply:
    def with_flags(tx: Transaction, sender: Device, body: Any, around: Circumstances) -> dict[str, Any]:
        data = apply(tx, sender, body)
        return {**data, "flags": around.flags} if around.flags else data

    return with_flags


def _register(tx: Transaction, sender: Device, body: Any, around: Circumstances) -> dict[str, Any]:
    return cases.register(tx, sender, body, around.flags, around.earlier.get("official_number"))


def _void(tx: Transaction, sender: Device, body: Any, around: Circumstances) -> dict[str, Any]:
    return {**cases.void(tx, sender, body, around.flags), **({"flags": around.flags} if around.flags else {})}


_visit = TypeAdapter(visits.TicketBody)

KINDS: dict[str, Kind] = {
    "case.file": Kind("accept", TypeAdapter(cases.FileBody), _register),
    "case.accept": Kind("accept", TypeAdapter(cases.AcceptBody), _plainly(cases.accept)),
    "case.void": Kind("void", TypeAdapter(cases.VoidBody), _void),
    "ticket.serving": Kind("call", _visit, _plainly(visits.serving)),
    "ticket.no_show": Kind("call", _visit, _plainly(visits.no_show)),
    "ticket.done": Kind("call", _visit, _plainly(visits.done)),
    "ticket.by_paper": Kind("call", _visit, _plainly(visits.by_paper)),
    "ticket.issued": Kind("issue", TypeAdapter(visits.IssuedBody), _plainly(visits.issued)),
    "numbers.void": Kind("", TypeAdapter(blocks.VoidNumbersBody), _plainly(blocks.void)),
}

_AGGREGATE = {"case.file": "id", "numbers.void": "", "ticket.issued": ""}


def aggregate_of(message: CommandMessage) -> str:
    """Whose commands stay in order: the case or the visit a command is about, "" when it is about neither."""
    usual = {"case": "case_id", "ticket": "visit_id"}.get(message.type.partition(".")[0], "")
    found = message.body.get(_AGGREGATE.get(message.type, usual))
    return found if isinstance(found, str) else ""


def persons(messages: Iterable[CommandMessage]) -> set[str]:
    """Everybody in whose name a command comes: its operator, and who approved it."""
    found = set()
    for message in messages:
        found.add(message.operator)
        second = message.body.get("approved_by")
        if isinstance(second, str):
            found.add(second)
    return found - {""}


def run(tx: Transaction, sender: Device, message: CommandMessage, grants: Grants) -> Outcome:
    """Apply a command in its own savepoint. A refusal is an answer; an error of ours holds the command.

    A database that cannot work (full disk, lost connection) is neither: it fails the request, which the
    window sends again.
    """
    try:
        with tx.savepoint():
            kind, body = _understood(message)
            around = Circumstances(_allowed(kind, body, message, grants), message.earlier)
            return Outcome("applied", "", kind.apply(tx, sender, body, around))
    except Refused as refusal:
        twice = refusal.code == "OFFICE-NUMBER-USED" and cases.number_leased_twice(tx, sender, refusal.detail)
        if twice:  # our own doing: said as such, and IT is called
            logs.alarm("number-twice", device=sender.id, seq=message.seq)
            tx.count("event", "number-twice")
            return refused(Refused("OFFICE-NUMBER-TWICE", refusal.detail))
        return refused(refusal)
    except NotYet as waiting:
        logs.alarm("command-waits", device=sender.id, seq=message.seq, code=waiting.code)
        return Outcome("held", waiting.code, {})
    except (OperationalError, InterfaceError):
        raise
    except DataError as error:  # a number beyond its column: PostgreSQL says so, SQLite finds nothing there
        return refused(Refused("OFFICE-MALFORMED", type(error.orig).__name__))
    except Exception as error:
        logs.error("command-held", error, device=sender.id, seq=message.seq, type=message.type)
        return Outcome("held", "OFFICE-ERROR", {})


def refused(refusal: Refused) -> Outcome:
    return Outcome("refused", refusal.code, {"detail": refusal.detail} if refusal.detail else {})


def _understood(message: CommandMessage) -> tuple[Kind, Any]:
    """The kind and the typed body. Raises Refused."""
    text = command_text(message.id, message.type, message.body)
    if len(text) > MAX_COMMAND_BYTES:
        raise Refused("OFFICE-TOO-LARGE", "command")
    if hashlib.sha256(text).hexdigest() != message.hash:
        raise Refused("OFFICE-HASH", "contents")
    if message.body.get("operator", message.operator) != message.operator:
        raise Refused("OFFICE-OPERATOR", "not the one of the body")
    kind = KINDS.get(message.type)
    told = upcasting.upcast(message.type, message.schema, message.body)
    if kind is None or told is None:
        raise Refused("OFFICE-UNKNOWN-COMMAND", f"schema {message.schema}")
    try:
        return kind, kind.body.validate_python(told)
    except ValidationError as error:
        raise Refused("OFFICE-MALFORMED", places(error)) from None


def _allowed(kind: Kind, body: Any, message: CommandMessage, grants: Grants) -> list[str]:
    """Flags for the record. Raises Refused OFFICE-OPERATOR.

    What a second person approved needs the right of that person; the operator is then anybody who files.
    """
    if not kind.right:
        return []
    second = getattr(body, "approved_by", "")
    if not second:
        return grants.check(message.operator, kind.right, message.at)
    if second == message.operator:
        raise Refused("OFFICE-OPERATOR", "approved by the same person")
    flags = grants.check(message.operator, "accept", message.at)
    return sorted({*flags, *grants.check(second, kind.right, message.at), "second-person"})


def places(error: ValidationError) -> str:
    """Where a message does not fit, never what stood there."""
    return malformed([entry["loc"] for entry in error.errors(include_input=False)]).detail
