"""Building the catalogue file: at the back office, from kinds and items, in one step.

One SQLite file without a key (the catalogue is public): a few small rows a search is loaded from, the kinds
in full, the items in a narrow table. The same input gives the same bytes, so that a digest names a catalogue.
"""

from __future__ import annotations

import hashlib
import os
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import sqlcipher3

from clerk_app.catalogue.bits import packed
from clerk_app.catalogue.indexing import LineWriter, index
from clerk_app.domain.catalogue import ON_APPLICATION, Implementation, ItemKind, ItemStatus

FORMAT = 1
"""Grows when an older window could no longer read the file."""

_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE part (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
CREATE TABLE kind (
    id INTEGER PRIMARY KEY, code TEXT NOT NULL, name TEXT NOT NULL, name_en TEXT NOT NULL,
    department TEXT NOT NULL, type TEXT NOT NULL, first_item INTEGER NOT NULL, items INTEGER NOT NULL);
CREATE TABLE guide (kind INTEGER PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE body (
    id INTEGER PRIMARY KEY, code TEXT NOT NULL, name TEXT NOT NULL, region TEXT NOT NULL, level TEXT NOT NULL,
    advice_phone TEXT NOT NULL, supervision_phone TEXT NOT NULL, address TEXT NOT NULL, hours TEXT NOT NULL,
    place INTEGER NOT NULL);
CREATE TABLE item (
    id INTEGER PRIMARY KEY, code TEXT NOT NULL, kind INTEGER NOT NULL, body INTEGER NOT NULL,
    status TEXT NOT NULL, version INTEGER NOT NULL, valid_from TEXT, valid_to TEXT,
    promised_days INTEGER, window_decides INTEGER NOT NULL);
CREATE TABLE place (id INTEGER PRIMARY KEY, kinds BLOB NOT NULL);
CREATE TABLE posting (sign TEXT PRIMARY KEY, kinds BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE pair (
    lines TEXT, notation INTEGER, signs TEXT, places BLOB NOT NULL,
    PRIMARY KEY (lines, notation, signs)) WITHOUT ROWID;
CREATE TABLE reading (character TEXT PRIMARY KEY, codes TEXT NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class BuiltCatalogue:
    """A finished file: `sha256` in hex and `size` in bytes are those of the unpacked file."""

    version: str
    items: int
    kinds: int
    sha256: str
    size: int


def build(
    path: Path, kinds: Iterable[ItemKind], items: Iterable[Implementation], version: str
) -> BuiltCatalogue:
    """Write the catalogue file to `path`, aside first and moved in one step.

    Raises ValueError when two kinds or items share a code or an item names an unknown kind.
    """
    by_kind: defaultdict[str, list[Implementation]] = defaultdict(list)
    for item in items:
        by_kind[item.kind].append(item)
    ordered = _in_order_of_use(kinds, by_kind)
    _refuse_doubles(ordered, by_kind)
    aside = path.with_name(path.name + ".new")
    aside.unlink(missing_ok=True)
    connection = sqlcipher3.connect(str(aside), isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.executescript(_TABLES)
        connection.execute("BEGIN")
        count = _write(connection, ordered, by_kind, version)
        connection.execute("COMMIT")
        connection.execute("CREATE UNIQUE INDEX kind_code ON kind (code)")
        connection.execute("CREATE UNIQUE INDEX item_code ON item (code)")
        connection.execute("VACUUM")
    finally:
        connection.close()
    content = aside.read_bytes()
    with aside.open("rb+") as file:
        os.fsync(file.fileno())
    aside.replace(path)
    return BuiltCatalogue(version, count, len(ordered), hashlib.sha256(content).hexdigest(), len(content))


def _in_order_of_use(kinds: Iterable[ItemKind], by_kind: dict[str, list[Implementation]]) -> list[ItemKind]:
    """What a window accepts first; what about four times as many bodies have before the rest; then by code.

    The basic code puts the act itself before its amendments and cancellations.
    """

    def use(kind: ItemKind) -> tuple[bool, int, str]:
        published = sum(item.status is ItemStatus.PUBLISHED for item in by_kind.get(kind.code, ()))
        return kind.type not in ON_APPLICATION, -(published.bit_length() // 2), kind.code

    return sorted(kinds, key=use)


def _refuse_doubles(kinds: Sequence[ItemKind], by_kind: dict[str, list[Implementation]]) -> None:
    counts = Counter(kind.code for kind in kinds)
    counts.update(item.code for items in by_kind.values() for item in items)
    twice = sorted(code for code, times in counts.items() if times > 1)
    if twice:
        raise ValueError(f"codes used twice: {', '.join(twice[:5])}")
    unknown = sorted(by_kind.keys() - {kind.code for kind in kinds})
    if unknown:
        raise ValueError(f"items of unknown kinds: {', '.join(unknown[:5])}")


def _write(
    connection: Any, kinds: Sequence[ItemKind], by_kind: dict[str, list[Implementation]], version: str
) -> int:
    accepted = [kind for kind in kinds if kind.type in ON_APPLICATION]
    places = _Places(accepted)
    bodies = _Bodies(places)
    count = 0
    encode = msgspec.json.Encoder(order="deterministic").encode
    for number, kind in enumerate(kinds):
        items = sorted(by_kind.get(kind.code, ()), key=lambda item: (item.level, item.region, item.code))
        row = (number, kind.code, kind.name, kind.name_en, kind.department, kind.type.value)
        connection.execute("INSERT INTO kind VALUES (?,?,?,?,?,?,?,?)", (*row, count, len(items)))
        connection.execute("INSERT INTO guide VALUES (?,?)", (number, encode(kind)))
        connection.executemany(
            "INSERT INTO item VALUES (?,?,?,?,?,?,?,?,?,?)",
            [_item_row(count + i, number, item, bodies.number(item)) for i, item in enumerate(items)],
        )
        count += len(items)
        if number < len(accepted):
            places.note(number, kind, items)
    connection.executemany("INSERT INTO body VALUES (?,?,?,?,?,?,?,?,?,?)", bodies.rows)
    built = index(accepted, places.lines)
    connection.executemany(
        "INSERT INTO place VALUES (?,?)", [(i, packed(each)) for i, each in enumerate(places.kinds)]
    )
    for name, lines in (("kinds", built.lines), ("places", built.places)):
        connection.executemany("INSERT INTO pair VALUES (?,?,?,?)", [(name, *pair) for pair in lines.pairs()])
    connection.executemany("INSERT INTO posting VALUES (?,?)", built.postings)
    connection.executemany("INSERT INTO reading VALUES (?,?)", built.readings)
    parts: dict[str, str | bytes] = {
        "syllables": " ".join(built.syllables),
        "english": built.english,
        "english.starts": _bytes(built.english_starts),
        "audiences": " ".join(kind.audience.value for kind in accepted),
        **_line_parts("kinds", built.lines),
        **_line_parts("places", built.places),
        "letters": "".join(built.lines.letters),
        "letters.starts": _bytes(built.lines.letter_starts),
        "letters.lines": _bytes(built.lines.letter_lines),
    }
    connection.executemany("INSERT INTO part VALUES (?,?)", parts.items())
    facts = {"format": FORMAT, "version": version, "items": count, "kinds": len(kinds)}
    connection.executemany("INSERT INTO meta VALUES (?,?)", [(k, str(v)) for k, v in facts.items()])
    return count


def _item_row(number: int, kind: int, item: Implementation, body: int) -> tuple[object, ...]:
    return (
        number,
        item.code,
        kind,
        body,
        item.status.value,
        item.version,
        item.valid_from and item.valid_from.isoformat(),
        item.valid_to and item.valid_to.isoformat(),
        item.promised_days,
        int(item.window_decides),
    )


def _line_parts(name: str, lines: LineWriter) -> dict[str, str | bytes]:
    return {
        f"{name}.characters": "".join(lines.characters),
        f"{name}.syllables": "".join(lines.codes),
        f"{name}.initials": "".join(lines.initials),
        f"{name}.owners": _bytes(lines.owners),
        f"{name}.fields": bytes(lines.fields),
        f"{name}.ends": _bytes(lines.ends),
    }


def _bytes(numbers: array[int]) -> bytes:
    return numbers.tobytes()


class _Places:
    """Departments and bodies by name, with the kinds they have."""

    def __init__(self, kinds: Sequence[ItemKind]) -> None:
        self.lines: list[tuple[str, ...]] = []
        self.kinds: list[set[int]] = []
        self._numbers: dict[str, int] = {}
        for department in sorted({kind.department for kind in kinds if kind.department}):
            # A line of work is also called by its office: 人社 is 人社局, 卫健 is 卫健委.
            self._add(department, department, department + "局", department + "委")

    def number(self, body_name: str) -> int:
        """The number of the body called `body_name`."""
        if body_name not in self._numbers:
            self._add(body_name, body_name)
        return self._numbers[body_name]

    def note(self, number: int, kind: ItemKind, items: Sequence[Implementation]) -> None:
        """The kind `number` is of its department and its bodies."""
        for name in dict.fromkeys((kind.department, *(item.body_name for item in items))):
            if name:
                self.kinds[self.number(name)].add(number)

    def _add(self, name: str, *lines: str) -> None:
        self._numbers[name] = len(self.lines)
        self.lines.append(lines)
        self.kinds.append(set())


class _Bodies:
    """Bodies with what their items share, each combination once."""

    def __init__(self, places: _Places) -> None:
        self.rows: list[tuple[object, ...]] = []
        self._places = places
        self._numbers: dict[tuple[str, ...], int] = {}

    def number(self, item: Implementation) -> int:
        shared = (
            item.body_code,
            item.body_name,
            item.region,
            item.level,
            item.advice_phone,
            item.supervision_phone,
            item.address,
            item.hours,
        )
        if shared not in self._numbers:
            self._numbers[shared] = len(self.rows)
            self.rows.append((len(self.rows), *shared, self._places.number(item.body_name)))
        return self._numbers[shared]
