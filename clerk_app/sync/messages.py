"""Between the protocol's messages and the hall's values.

A change of the feed becomes a fact, decoded strictly and outside any transaction: what cannot be read is
found before anything is written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from clerk_app.desk.ports import Command, LostCard
from clerk_app.domain.catalogue import ItemStatus
from clerk_app.domain.ticket import Ticket, TicketState
from clerk_app.domain.working_days import WorkingCalendar
from clerk_app.failures import Failure
from clerk_app.sync.protocol import (
    CalendarMessage,
    CaseMessage,
    Change,
    CommandMessage,
    ItemMessage,
    LostCardMessage,
    LostCardSaltMessage,
    OwedAnswer,
    TicketMessage,
    command_hash,
)

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class TicketGone:
    """A ticket the authority took away, as of `version`."""

    id: str
    version: int


@dataclass(frozen=True, slots=True)
class LostCardGone:
    """A report that was taken back, as of `version`."""

    id: str
    version: int


@dataclass(frozen=True, slots=True)
class Owed:
    """The answer owed for the held command `id`."""

    id: str
    answer: OwedAnswer


@dataclass(frozen=True, slots=True)
class LostCardSalt:
    """What every digest of the list is made with; id and version as the feed has them."""

    id: str
    version: int
    salt: str


Fact = (
    Owed
    | Ticket
    | TicketGone
    | CaseMessage
    | WorkingCalendar
    | ItemMessage
    | LostCard
    | LostCardGone
    | LostCardSalt
)

_DIGEST = re.compile(r"[0-9a-f]{32}")


def command_message(command: Command, official_number: str = "") -> CommandMessage:
    """`command` as it is sent; `official_number` is what the office had given its case before."""
    body = dict(command.body)
    return CommandMessage(
        seq=command.seq,
        id=command.id,
        type=command.type,
        schema=command.schema,
        at=command.at,
        operator=command.operator,
        body=body,
        hash=command_hash(command.id, command.type, body),
        earlier={"official_number": official_number} if official_number else {},
    )


def ticket(message: TicketMessage) -> Ticket:
    """Raises Failure("SYNC-BAD-FACT") for a state this program does not know."""
    return Ticket(
        id=message.id,
        number=message.number,
        series=message.series,
        state=_known(TicketState, message.state),
        issued_at=message.issued_at,
        version=message.version,
        window=message.window,
        called_at=message.called_at,
        calls=message.calls,
        reason=message.reason,
    )


def fact(change: Change) -> Fact | None:
    """What a change of the feed says, or None for a kind a newer office sends and this window does not need.

    Raises Failure("SYNC-BAD-FACT") when a known kind cannot be read.
    """
    if change.op == "del":
        return _gone(change)
    match change.kind:
        case "ticket":
            return ticket(_convert(change, TicketMessage))
        case "case":
            return _convert(change, CaseMessage)
        case "command":
            return _owed(change)
        case "calendar":
            return _calendar(_convert(change, CalendarMessage))
        case "item":
            item = _convert(change, ItemMessage)
            _known(ItemStatus, item.status)
            return item
        case "lost_card":
            return _lost_card(change)
        case "lost_card_salt":
            return _lost_card_salt(change)
        case _:
            return None


def _gone(change: Change) -> Fact | None:
    match change.kind:
        case "ticket":
            return TicketGone(change.id, change.version)
        case "lost_card":
            return LostCardGone(change.id, change.version)
        case _:
            return None


def _lost_card(change: Change) -> LostCard:
    digest = _convert(change, LostCardMessage).digest
    if not _DIGEST.fullmatch(digest):
        raise Failure("SYNC-BAD-FACT", f"{change.kind} at {change.seq}")
    return LostCard(change.id, digest, change.version)


def _lost_card_salt(change: Change) -> LostCardSalt:
    message = _convert(change, LostCardSaltMessage)
    if not message.salt:  # every digest would be one that anybody can make
        raise Failure("SYNC-BAD-FACT", f"{change.kind} at {change.seq}")
    return LostCardSalt(change.id, change.version, message.salt)


def _owed(change: Change) -> Owed | None:
    """None for an answer that only a newer office gives."""
    if change.data.get("status") not in ("applied", "refused"):
        return None
    return Owed(change.id, _convert(change, OwedAnswer))


def _known(words: type[E], word: str) -> E:
    try:
        return words(word)
    except ValueError as error:
        raise Failure("SYNC-BAD-FACT", f"{words.__name__} {word}") from error


def _calendar(message: CalendarMessage) -> WorkingCalendar:
    return WorkingCalendar(
        frozenset(message.years), frozenset(message.holidays), frozenset(message.make_up_days)
    )


def _convert(change: Change, message: type[T]) -> T:
    data: Mapping[str, Any] = change.data
    try:
        return msgspec.convert(data, message)
    except msgspec.ValidationError as error:
        raise Failure("SYNC-BAD-FACT", f"{change.kind} at {change.seq}") from error
