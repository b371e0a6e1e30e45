"""What the changes of a scope say: cases, the calendar, items, lost cards, answers that were owed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class CaseMessage:
    """What the office says of a case; the data of a "case" change in the device's scope."""

    case_id: str
    number: str
    version: int
    state: Literal["registered", "void"]
    official_number: str
    routed_to: str  # name of the implementing body
    registered_at: datetime


@dataclass(frozen=True, slots=True)
class CalendarMessage:
    """Working-day calendar; the data of a "calendar" change in the hall's scope."""

    years: list[int]
    holidays: list[date]
    make_up_days: list[date]


@dataclass(frozen=True, slots=True)
class ItemMessage:
    """An implementation whose status or version changed; the data of an "item" change in "catalogue"."""

    code: str
    status: str
    version: int
    valid_to: date | None = None


LOST_CARDS = "lost-cards"
"""The scope of the list of lost cards, the same for all halls of an office. An office may have none."""


@dataclass(frozen=True, slots=True)
class LostCardMessage:
    """A report of a lost card; the data of a "lost_card" change in "lost-cards".

    `digest`: see `clerk_app.domain.lost_cards`, 32 hex characters.
    """

    digest: str


@dataclass(frozen=True, slots=True)
class LostCardSaltMessage:
    """What every digest of the list is made with; the data of the one "lost_card_salt" change."""

    salt: str


@dataclass(frozen=True, slots=True)
class OwedAnswer:
    """The answer owed for a held command; the data of a "command" change, whose id is the command's."""

    status: Literal["applied", "refused"]
    code: str = ""
    data: dict[str, Any] = field(default_factory=dict)
