"""What a template may say of each slip: the names in braces, the kind of each value, and what must be said.

Values come from the slip as it is stored; no name reveals more than the slip holds, so a template cannot put
a person on a ticket or unmask a number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from operator import attrgetter, itemgetter
from types import MappingProxyType
from typing import Any

from clerk_app.devices.printer.wording import MODES, VOID_REASONS
from clerk_app.domain import numbering
from clerk_app.domain.documents import (
    ClosingSlip,
    MaterialListSlip,
    PickUpSlip,
    ReceiptSlip,
    ShiftSlip,
    Slip,
    SlipMaterial,
    TestSlip,
    TicketSlip,
    VoidSlip,
)


class Kind(Enum):
    """What a value is; the formats a template may ask for hang on it."""

    TEXT = "text"
    CODE = "code"  # short, Latin letters and digits: a ticket number
    NUMBER = "case number"
    COUNT = "count"
    MOMENT = "moment"
    DAY = "day"
    DIGEST = "digest"
    FLAG = "flag"  # asked with "if", has no text
    LIST = "list"  # gone through with "for"; its text is how many there are


FORMATS: Mapping[Kind, frozenset[str]] = MappingProxyType(
    {
        Kind.NUMBER: frozenset({"code"}),
        Kind.MOMENT: frozenset({"date", "time", "chinese"}),
        Kind.DAY: frozenset({"chinese"}),
    }
)


@dataclass(frozen=True, slots=True)
class Day:
    """A day on a slip; a provisional one is never printed as certain."""

    day: date
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class Word:
    """A name of the vocabulary: its kind, where its value comes from, and the names inside a list."""

    kind: Kind
    value: Callable[[Any], Any]
    inside: Mapping[str, Word] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SlipWords:
    """The vocabulary of one slip. `file` is the name of its template without the ending.

    `required` names must be printed outside every condition but one on the name itself, or on the list it
    belongs to. `statement` tells that the program has a sentence of the law for this slip, which the template
    must give a place. `only_if` are words that a template may use only where the name beside them has a
    value, or nowhere (no name): a voucher must not look like a notice.
    """

    file: str
    words: Mapping[str, Word]
    required: frozenset[str] = frozenset()
    statement: bool = False
    only_if: Mapping[str, str] = field(default_factory=dict)


def told(kind: Kind, value: Any, format_: str = "") -> str:
    """`value` as it is printed; nothing for a value that is not there."""
    if value is None or value == "":
        return ""
    match kind:
        case Kind.NUMBER:
            return str(value) if format_ == "code" else numbering.printed(value)
        case Kind.MOMENT:
            return _moment(value, format_)
        case Kind.DAY:
            day: Day = value
            return f"{'预计 ' if day.provisional else ''}{_day(day.day, format_)}"
        case Kind.DIGEST:  # to be compared by eye: in groups of eight
            return " ".join(value[at : at + 8] for at in range(0, len(value), 8))
        case Kind.LIST:
            return str(len(value))
        case _:
            return str(value)


def _moment(value: datetime, format_: str) -> str:
    if format_ == "chinese":
        return f"{_day(value, format_)} {value:%H:%M}"
    return value.strftime({"date": "%Y-%m-%d", "time": "%H:%M"}.get(format_, "%Y-%m-%d %H:%M"))


def _day(value: date, format_: str) -> str:
    return f"{value.year}年{value.month}月{value.day}日" if format_ == "chinese" else f"{value:%Y-%m-%d}"


def handed(material: SlipMaterial) -> str:
    """Form and count: `收取纸质 原件1 复印2`. A count of none is left out."""
    words = [MODES[material.mode][0]]
    if material.originals:
        words.append(f"原件{material.originals}")
    if material.copies:
        words.append(f"复印{material.copies}")
    return " ".join(words)


def _own(kind: Kind, *names: str) -> dict[str, Word]:
    """Names whose value is the field of the slip with that name."""
    return {name: Word(kind, attrgetter(name)) for name in names}


def _inside(**kinds: Kind) -> dict[str, Word]:
    """Names of a row of a list, which is a dictionary."""
    return {name: Word(kind, itemgetter(name)) for name, kind in kinds.items()}


def _material_rows(slip: ReceiptSlip | MaterialListSlip) -> tuple[dict[str, object], ...]:
    return tuple(
        {
            "place": place,
            "material": material.name,
            "handed": handed(material),
            "until": Day(material.due, material.due_provisional) if material.due else None,
        }
        for place, material in enumerate(slip.materials, 1)
    )


def _item_rows(slip: ShiftSlip) -> tuple[dict[str, object], ...]:
    return tuple({"place": n, "name": name, "cases": count} for n, (name, count) in enumerate(slip.items, 1))


def _void_rows(slip: ClosingSlip) -> tuple[dict[str, object], ...]:
    reasons = slip.void_reasons or ("",) * len(slip.voided)  # a slip kept from before has none
    return tuple(
        {"void_number": number, "void_reason": reason}
        for number, reason in zip(slip.voided, reasons, strict=True)
    )


def _rest_rows(slip: ClosingSlip) -> tuple[dict[str, object], ...]:
    return tuple(
        {
            "rest_first": rest.low,
            "rest_last": rest.high,
            "rest_reason": VOID_REASONS.get(rest.reason, rest.reason),
        }
        for rest in slip.void_numbers
    )


def _due(slip: ReceiptSlip) -> Day | None:
    """The limit runs from acceptance: before it there is no day to be printed."""
    return Day(slip.due, slip.due_provisional) if slip.due and slip.accepted_at else None


def _ready(slip: PickUpSlip) -> Day | None:
    return Day(slip.ready, slip.ready_provisional) if slip.ready else None


_HERE = _own(Kind.TEXT, "hall", "window", "operator")
_CASE = _own(Kind.NUMBER, "number") | _HERE | _own(Kind.TEXT, "item")
_MATERIALS = {
    "materials": Word(
        Kind.LIST,
        _material_rows,
        _inside(place=Kind.COUNT, material=Kind.TEXT, handed=Kind.TEXT, until=Kind.DAY),
    )
}

VOCABULARY: Mapping[type[Slip], SlipWords] = MappingProxyType(
    {
        TicketSlip: SlipWords(
            "ticket",
            _own(Kind.CODE, "number")
            | _own(Kind.TEXT, "hall", "queue")
            | _own(Kind.MOMENT, "issued_at")
            | _own(Kind.FLAG, "offline")
            # nobody knows how many stand before a number the authority has not heard of
            | {"ahead": Word(Kind.COUNT, lambda slip: None if slip.offline else slip.ahead)},
            frozenset({"number"}),
        ),
        ReceiptSlip: SlipWords(
            "receipt",
            _CASE
            | _own(Kind.TEXT, "body", "applicant", "identity", "agent", "advice_phone", "supervision_phone")
            | _own(Kind.MOMENT, "received_at", "accepted_at")
            | _own(Kind.FLAG, "due_provisional", "offline", "typed_identity", "check_later")
            | {"due": Word(Kind.DAY, _due)}
            | _MATERIALS,
            frozenset({"number", "applicant", "item", "received_at", "material", "handed", "typed_identity"}),
            statement=True,
            only_if={
                "受理": "accepted_at",
                "accept": "accepted_at",
                "通知书": "",
                "决定书": "",
                "notice of": "",
            },
        ),
        VoidSlip: SlipWords(
            "void",
            _CASE | _own(Kind.MOMENT, "voided_at") | _own(Kind.TEXT, "reason"),
            frozenset({"number", "voided_at"}),
            statement=True,
        ),
        MaterialListSlip: SlipWords(
            "material-list",
            _CASE
            | _own(Kind.TEXT, "body", "applicant")
            | _own(Kind.MOMENT, "received_at", "printed_at")
            | _MATERIALS,
            frozenset({"number", "material", "handed"}),
        ),
        PickUpSlip: SlipWords(
            "pick-up",
            _CASE
            | _own(Kind.TEXT, "body", "applicant", "result", "place", "hours", "advice_phone")
            | _own(Kind.MOMENT, "printed_at")
            | {"ready": Word(Kind.DAY, _ready)}
            | _own(Kind.FLAG, "ready_provisional"),
            frozenset({"number", "item"}),
        ),
        ShiftSlip: SlipWords(
            "shift",
            _HERE
            | _own(Kind.MOMENT, "began_at", "ended_at")
            | _own(Kind.COUNT, "visits", "no_shows", "received", "accepted", "voided", "reprints", "unsent")
            | {
                "items": Word(
                    Kind.LIST, _item_rows, _inside(place=Kind.COUNT, name=Kind.TEXT, cases=Kind.COUNT)
                )
            },
            frozenset({"operator", "began_at", "ended_at"}),
        ),
        ClosingSlip: SlipWords(
            "closing",
            _HERE
            | {"day": Word(Kind.DAY, lambda slip: Day(slip.day))}
            | _own(Kind.MOMENT, "closed_at", "oldest_unsent")
            | _own(Kind.COUNT, "visits", "received", "accepted", "registered", "refused")
            | _own(Kind.COUNT, "unsent", "not_printed", "audit_links", "awaiting", "tasks", "held", "pages")
            | _own(Kind.COUNT, "numbers_left", "emergency_left", "emergency_used", "offline_tickets")
            | _own(Kind.CODE, "first_offline", "last_offline")
            | _own(Kind.NUMBER, "first_number", "last_number")
            | _own(Kind.DIGEST, "audit_head")
            | {
                "voided": Word(
                    Kind.LIST, _void_rows, _inside(void_number=Kind.NUMBER, void_reason=Kind.TEXT)
                ),
                "void_numbers": Word(
                    Kind.LIST,
                    _rest_rows,
                    _inside(rest_first=Kind.NUMBER, rest_last=Kind.NUMBER, rest_reason=Kind.TEXT),
                ),
            },
            frozenset({"day", "unsent", "not_printed", "void_number", "audit_links", "audit_head"}),
        ),
        TestSlip: SlipWords(
            "test",
            _own(Kind.TEXT, "hall", "window", "printer", "encoding", "rare")
            | _own(Kind.MOMENT, "printed_at")
            | _own(Kind.COUNT, "width"),
        ),
    }
)
