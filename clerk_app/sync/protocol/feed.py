"""The way down: changes of a scope, the wait for them, a scope as a whole, its digest, the catalogue file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Change:
    """One fact of the feed. `data` is its kind's message.

    `kind` is "ticket", "case", "command", "calendar", "item", "lost_card" or "lost_card_salt". A kind that a
    window does not know is passed over.
    """

    seq: int
    kind: str
    id: str
    version: int
    op: Literal["put", "del"]
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChangesAnswer:
    """A page of one scope: changes with `since < seq <= to`, in commit order."""

    scope: str
    generation: str
    since: int
    to: int
    more: bool
    changes: list[Change]


@dataclass(frozen=True, slots=True)
class WaitAnswer:
    """Which scopes have news. No data: losing a poke loses nothing."""

    poke: list[str]


@dataclass(frozen=True, slots=True)
class SnapshotAnswer:
    """The whole of a small scope as of `seq`, with its `scope_digest`; the catalogue is a file of its own."""

    scope: str
    generation: str
    seq: int
    changes: list[Change]
    digest: str = ""


@dataclass(frozen=True, slots=True)
class DigestAnswer:
    """What a mirror of the scope must come to at `seq`: the last word on each thing that still exists."""

    scope: str
    generation: str
    seq: int
    count: int
    digest: str


def scope_digest(facts: Iterable[tuple[str, str, int]]) -> str:
    """Of every (kind, id, version): count and sum modulo 2**64 of their SHA-256 heads, as "count-hex16".

    A sum does not depend on the order, and a missing, doubled or outdated fact changes it.
    """
    count, total = 0, 0
    for kind, id_, version in facts:
        head = hashlib.sha256(f"{kind}\0{id_}\0{version}".encode()).digest()[:8]
        count, total = count + 1, (total + int.from_bytes(head, "big")) % 2**64
    return f"{count}-{total:016x}"


@dataclass(frozen=True, slots=True)
class CatalogueInfo:
    """The catalogue file in force: `sha256` of the unpacked file, sizes in bytes, count in `items`."""

    version: str
    sha256: str
    size: int
    packed_size: int
    items: int
