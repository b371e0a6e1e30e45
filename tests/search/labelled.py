"""The labelled queries and how a search is judged by them; shared by the test and `bench.search`.

`queries.tsv` holds one query a line: what a clerk types, the name of the item kind that is meant (several
names joined by "|" when what was typed leaves it open), and a category. The set is split by a fixed rule: odd
lines are the development half, on which a ranking may be looked at; even lines are held out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

QUERIES = Path(__file__).with_name("queries.tsv")
NEVER = 99
"""Keystrokes of a query that never brings the meant kind to the top five."""

Search = Callable[[str], Sequence[str]]
"""What was typed -> names of the kinds shown, best first."""


@dataclass(frozen=True, slots=True)
class Query:
    text: str
    names: frozenset[str]
    category: str
    development: bool


@dataclass(frozen=True, slots=True)
class Quality:
    """Shares of 1 for the first and the first five hits; keystrokes until the kind is in the top five."""

    queries: int
    first: float
    five: float
    keystrokes: float


def queries() -> tuple[Query, ...]:
    """All labelled queries in the order of the file."""
    found: list[Query] = []
    for line in QUERIES.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            text, names, category = line.split("\t")
            found.append(Query(text, frozenset(names.split("|")), category, len(found) % 2 == 0))
    return tuple(found)


def rank(query: Query, search: Search) -> int | None:
    """1 for the first hit, None when the meant kind is not among the first five."""
    shown = search(query.text)[:5]
    return next((place for place, name in enumerate(shown, 1) if name in query.names), None)


def keystrokes(query: Query, search: Search) -> int:
    """How many signs of the query are typed before the meant kind is among the first five."""
    for length in range(1, len(query.text) + 1):
        if query.names & set(search(query.text[:length])[:5]):
            return length
    return NEVER


def judge(asked: Iterable[Query], search: Search) -> Quality:
    """The quality of `search` over some queries."""
    asked = tuple(asked)
    ranks = [rank(query, search) for query in asked]
    return Quality(
        len(asked),
        sum(place == 1 for place in ranks) / len(asked),
        sum(place is not None for place in ranks) / len(asked),
        median(keystrokes(query, search) for query in asked),
    )
