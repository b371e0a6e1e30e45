"""A template after it was read and checked: what stands where, with places for the values of a slip."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from clerk_app.devices.printer.layout import PLAIN, Style
from clerk_app.devices.printer.templates.words import Kind


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for a value."""

    name: str
    kind: Kind
    format: str = ""


Text = tuple[str | Slot, ...]


@dataclass(frozen=True, slots=True)
class Bilingual:
    """The Chinese, and the English that joins it where the hall prints both; either may be empty."""

    zh: Text = ()
    en: Text = ()


class Size(Enum):
    """How large a text is: as its style says, or as large as the line allows."""

    GIVEN = 0
    FIT = 1  # twice the size where it stays on one line so, else normal
    LARGEST = 2  # up to seven times the size


@dataclass(frozen=True, slots=True)
class Look:
    style: Style = PLAIN
    size: Size = Size.GIVEN


class Place(Enum):
    LEFT = "left"
    CENTRE = "centre"
    RIGHT = "right"
    BANNER = "banner"


@dataclass(frozen=True, slots=True)
class Said:
    """A text on lines of its own."""

    place: Place
    look: Look
    text: Bilingual


@dataclass(frozen=True, slots=True)
class Field:
    """A label and its value; without a value nothing is printed."""

    look: Look
    label: Bilingual
    value: Bilingual


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table; rows that follow each other share their columns."""

    mark: Bilingual
    text: Bilingual
    detail: Bilingual


@dataclass(frozen=True, slots=True)
class Rule:
    sign: str


@dataclass(frozen=True, slots=True)
class Gap:
    dots: int


@dataclass(frozen=True, slots=True)
class QrOf:
    data: Text


@dataclass(frozen=True, slots=True)
class BarcodeOf:
    data: Text
    height: int


class Mark(Enum):
    """What is not text."""

    LOGO = "logo"
    DRAWER = "drawer"
    CUT = "cut"
    RULER = "ruler"
    STATEMENT = "statement"


@dataclass(frozen=True, slots=True)
class If:
    name: str
    negated: bool
    then: tuple[Node, ...]
    otherwise: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class For:
    name: str
    body: tuple[Node, ...]
    otherwise: tuple[Node, ...]


Node = Said | Field | Row | Rule | Gap | QrOf | BarcodeOf | Mark | If | For


@dataclass(frozen=True, slots=True)
class Template:
    """`label_columns` is the width of the column in which the labels of the fields stand."""

    body: tuple[Node, ...]
    label_columns: int
