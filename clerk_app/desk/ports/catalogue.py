"""The catalogue of service items: searching and reading it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from clerk_app.domain.catalogue import ServiceItem


@dataclass(frozen=True, slots=True)
class BodyChoice:
    """One implementing body inside a hit."""

    item_code: str
    body_name: str
    region: str
    level: str


@dataclass(frozen=True, slots=True)
class Hit:
    """One row of a search: an item kind with its bodies inside, the proposed one first.

    `marks` are (start, length) runs of `name` that matched, for the eye.
    """

    kind_code: str
    name: str
    name_en: str
    department: str
    type: str
    marks: tuple[tuple[int, int], ...]
    bodies: tuple[BodyChoice, ...]
    acceptable: bool


@dataclass(frozen=True, slots=True)
class SearchContext:
    """What the proposal of a body and the order of hits may use."""

    region: str = ""  # of the window's hall
    applicant_region: str = ""  # first six digits of the applicant's number or address
    audience: str = ""  # "person" or "organisation" when the applicant is known
    recent: tuple[str, ...] = ()  # kind codes, newest first
    frequent: Mapping[str, int] = field(default_factory=dict)  # kind code -> times accepted here


class Catalogue(Protocol):
    """The catalogue file. Searching and reading happen on the catalogue lane."""

    @property
    def count(self) -> int:
        """Number of implementations (66,774 in the sample)."""

    @property
    def version(self) -> str: ...

    def search(self, text: str, context: SearchContext, limit: int = 20) -> tuple[Hit, ...]:
        """Ranked hits for what the clerk typed; with no text, the window's recent and frequent kinds."""

    def item(self, item_code: str) -> ServiceItem:
        """One item in full. Raises Failure("CATALOGUE-NO-ITEM")."""
