"""The way up: commands, their answers, the audit beside them, and an outbox that another window carries."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from clerk_app.sync.protocol.common import Sealed

MAX_COMMANDS = 100
MAX_PUSH_BYTES = 512 * 1024
MAX_AUDIT = 500
"""Audit records in one push."""

CommandType = Literal[
    "case.file",
    "case.accept",
    "case.void",
    "ticket.serving",
    "ticket.no_show",
    "ticket.done",
    "ticket.by_paper",
    "ticket.issued",
    "numbers.void",
]


@dataclass(frozen=True, slots=True)
class CommandMessage:
    """One intent. `hash` covers id, type and body, not seq: a new epoch gives the same commands new seqs."""

    seq: int
    id: str
    type: str
    schema: int
    at: datetime
    operator: str
    body: dict[str, Any]
    hash: str
    earlier: dict[str, Any] = field(default_factory=dict)
    """What the office had answered before it lost its memory: `official_number` of a filed case."""


def command_text(id_: str, type_: str, body: Mapping[str, Any]) -> bytes:
    """The canonical JSON (sorted keys, no spaces, UTF-8) of id, type and body."""
    told = json.dumps([id_, type_, body], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return told.encode()


def command_hash(id_: str, type_: str, body: Mapping[str, Any]) -> str:
    """Hex SHA-256 over `command_text`."""
    return hashlib.sha256(command_text(id_, type_, body)).hexdigest()


@dataclass(frozen=True, slots=True)
class AuditMessage:
    """One link of the device's audit chain as it was hashed; `at` is ISO 8601 with offset, never reformatted.

    hash = SHA-256(bytes of the hash before, then the compact JSON [n, at, actor, act, subject, detail])
    """

    n: int
    at: str
    actor: str
    act: str
    subject: str
    detail: str
    hash: str


@dataclass(frozen=True, slots=True)
class PushRequest:
    """Commands in dense order from `base_seq`; at most MAX_COMMANDS and MAX_PUSH_BYTES. May be empty.

    `purged_through`: commands up to this sequence number were answered and have left the workstation by its
    retention; an office restored from an older backup goes on after them and reports the hole.
    `proofs`: grants and leases the office may have forgotten. `audit`: links it has not confirmed yet, of the
    chain `audit_chain` (one a cache, whatever its epoch); `audit_after` is the last one it confirmed here, so
    that an office that holds less knows whether its question has been heard.
    """

    device: str
    epoch: int
    base_seq: int
    commands: list[CommandMessage]
    audit_head: str = ""
    purged_through: int = 0
    proofs: list[Sealed] = field(default_factory=list)
    audit_chain: str = ""
    audit: list[AuditMessage] = field(default_factory=list)
    audit_after: int | None = None


@dataclass(frozen=True, slots=True)
class CommandResult:
    """Stored by the office and replayed byte for byte.

    `held`: an error of its own, or a command behind a held one of the same case. Nothing was applied; the
    office keeps the command and owes the answer: it comes as a "command" change of the device's scope.
    """

    seq: int
    id: str
    status: Literal["applied", "refused", "held"]
    code: str = ""
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PushAnswer:
    """`audit_through`: the last link of the chain the office holds; `countersign`: its word on that."""

    last_seq: int
    results: list[CommandResult]
    audit_through: int = 0
    countersign: Sealed | None = None


@dataclass(frozen=True, slots=True)
class CarryRequest:
    """Another workstation's exported outbox, encrypted to the office and signed by its origin; base64."""

    envelope: str


@dataclass(frozen=True, slots=True)
class CarryAnswer:
    """`device` and `epoch` of the origin, which is fenced from now on; how its commands were answered."""

    device: str
    epoch: int
    applied: int
    refused: int
    held: int
