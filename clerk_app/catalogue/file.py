"""The catalogue file at the window: opened read-only, searched and read on the catalogue lane.

The file never changes while it is open. What the feed says about single items since it was built lies over
it, in a small file beside it (`changes`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from sys import intern
from typing import Any, Self, TypeVar

import msgspec
import sqlcipher3

from clerk_app.catalogue import bits
from clerk_app.catalogue.bodies import Bodies
from clerk_app.catalogue.changes import ItemChange, read_changes, write_changes
from clerk_app.catalogue.lines import Lines
from clerk_app.catalogue.marking import marks
from clerk_app.catalogue.pinyin import Sounds
from clerk_app.catalogue.search import English, Index, Ranked, rank
from clerk_app.catalogue.slips import Letters
from clerk_app.desk.ports import BodyChoice, Hit, SearchContext
from clerk_app.domain.catalogue import (
    Implementation,
    ItemKind,
    ItemStatus,
    ServiceItem,
)
from clerk_app.failures import Failure

FORMAT = 1
"""The newest format this program reads."""

MOST_CODED = 200
"""Items looked at for the beginning of a code."""

T = TypeVar("T")


class CatalogueFile:
    """Implements `clerk_app.desk.ports.Catalogue`. Of several threads one at a time may use it."""

    def __init__(self, path: Path) -> None:
        """Open `path`. Raises Failure CATALOGUE-MISSING, CATALOGUE-DAMAGED or CATALOGUE-NEWER."""
        if not path.is_file():
            raise Failure("CATALOGUE-MISSING", path.name)
        self._path = path
        uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
        self._connection = sqlcipher3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        try:
            meta: dict[str, str] = dict(self._rows("SELECT key, value FROM meta"))
            _refuse_newer(int(meta["format"]))
            self._version = meta["version"]
            self._count = int(meta["items"])
            self._index = self._load()
            self.read_changes()
        except (KeyError, ValueError, IndexError) as cause:
            self._connection.close()
            raise Failure("CATALOGUE-DAMAGED", f"{path.name}: {type(cause).__name__}") from cause
        except Failure:
            self._connection.close()
            raise
        self._kind_row = lru_cache(4096)(self._read_kind_row)
        self._bodies = lru_cache(4096)(self._read_bodies)
        self._kind_number = lru_cache(4096)(self._read_kind_number)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def read_changes(self) -> None:
        """See what the feed has laid over the file, as it is now. Failure CATALOGUE-DAMAGED."""
        self._changes = read_changes(self._path)

    @property
    def count(self) -> int:
        """Number of implementations."""
        return self._count

    @property
    def version(self) -> str:
        return self._version

    def search(self, text: str, context: SearchContext, limit: int = 20) -> tuple[Hit, ...]:
        """Ranked hits for `text` (see `ranking`); without text the window's recent, then frequent kinds."""
        habits = self._habits(context)
        if not text.strip():
            usual = sorted(habits, key=lambda kind: _usual_order(habits[kind]))
            ranked = [Ranked(kind, 0.0, ()) for kind in usual]
        else:
            # Kinds whose every item was retired are dropped below: ask for a few more.
            ranked = rank(self._index, text, context, habits, limit + 10)
            ranked = self._ex_officio(text) + ranked
        code = text.strip().upper()
        hits = (self._hit(each, context, code) for each in ranked)
        return tuple(hit for hit, _ in zip((h for h in hits if h is not None), range(limit), strict=False))

    def item(self, item_code: str) -> ServiceItem:
        """One item in full, with what the feed changed. Raises Failure("CATALOGUE-NO-ITEM")."""
        rows = self._rows(
            "SELECT i.code, i.kind, b.code, b.name, b.region, b.level, i.status, i.version, i.valid_from,"
            " i.valid_to, i.promised_days, b.advice_phone, b.supervision_phone, b.address, b.hours,"
            " i.window_decides, g.content FROM item i JOIN body b ON b.id = i.body"
            " JOIN guide g ON g.kind = i.kind WHERE i.code = ?",
            item_code,
        )
        if not rows:
            raise Failure("CATALOGUE-NO-ITEM", item_code[:40])
        try:
            return self._service_item(rows[0])
        except (ValueError, msgspec.MsgspecError) as cause:
            raise Failure("CATALOGUE-DAMAGED", f"{self._path.name}: item {item_code[:40]}") from cause

    def apply(self, changes: Iterable[ItemChange]) -> int:
        """Lay item changes of the feed over the file, durably; returns how many were news.

        A change older than what is known is left out, so that a page applied twice changes nothing.
        """
        news = dict(self._changes)
        for change in changes:
            known = news.get(change.code)
            if known is None or change.version > known.version:
                news[change.code] = change
        count = sum(self._changes.get(code) != change for code, change in news.items())
        if count:
            write_changes(self._path, news)
            self._changes = news
            self._bodies.cache_clear()
        return count

    # --- reading ---------------------------------------------------------------------------------------

    def _rows(self, sql: str, *values: object) -> list[Any]:
        try:
            return list(self._connection.execute(sql, values))
        except sqlcipher3.DatabaseError as cause:
            raise Failure("CATALOGUE-DAMAGED", f"{self._path.name}: {cause}") from cause

    def _value(self, sql: str, key: object, decode: Callable[[Any], T], missing: T) -> T:
        rows = self._rows(sql, key)
        return decode(rows[0][0]) if rows else missing

    def _load(self) -> Index:
        parts = dict(self._rows("SELECT name, value FROM part"))
        readings = lru_cache(4096)(
            lambda c: self._value("SELECT codes FROM reading WHERE character = ?", c, str, "")
        )
        audiences = parts["audiences"].split()
        return Index(
            count=len(audiences),
            lines=self._lines(parts, "kinds"),
            places=self._lines(parts, "places"),
            english=English(parts["english"], _numbers(parts["english.starts"])),
            sounds=Sounds(parts["syllables"].split(), readings),
            letters=Letters(
                parts["letters"], _numbers(parts["letters.starts"]), _numbers(parts["letters.lines"])
            ),
            audiences=audiences,
            kinds_with=lru_cache(4096)(
                lambda sign: self._value("SELECT kinds FROM posting WHERE sign = ?", sign, bits.unpacked, 0)
            ),
            kinds_at=lru_cache(1024)(
                lambda place: self._value("SELECT kinds FROM place WHERE id = ?", place, bits.unpacked, 0)
            ),
            kinds_coded=self._kinds_coded,
        )

    def _lines(self, parts: Mapping[str, Any], name: str) -> Lines:
        @lru_cache(8192)
        def pairs(notation: int, signs: str) -> Sequence[int]:
            sql = "SELECT places FROM pair WHERE lines = ? AND notation = ? AND signs = ?"
            rows = self._rows(sql, name, notation, signs)
            return _numbers(rows[0][0]) if rows else ()

        return Lines(
            parts[f"{name}.characters"],
            parts[f"{name}.syllables"],
            parts[f"{name}.initials"],
            _numbers(parts[f"{name}.owners"]),
            parts[f"{name}.fields"],
            _numbers(parts[f"{name}.ends"]),
            pairs,
        )

    def _kinds_coded(self, start: str) -> Mapping[int, float]:
        """Kinds on application whose code, or an item's code, begins with `start`; with the share typed."""
        start = start.upper()
        found: dict[int, float] = {}
        for table, number in (("item", "kind"), ("kind", "id")):
            rows = self._rows(
                f"SELECT {number}, code FROM {table} WHERE code >= ? AND code < ? ORDER BY code LIMIT ?",  # noqa: S608
                start,
                start + "\x7f",
                MOST_CODED,
            )
            for kind, code in rows:
                if kind < len(self._index.audiences):
                    found[kind] = max(found.get(kind, 0.0), len(start) / len(code))
        return found

    def _ex_officio(self, text: str) -> list[Ranked]:
        """The kind no window accepts whose code, or item's code, was typed in full: shown, not acceptable."""
        code = text.strip().upper()[:64]
        if not code.isascii() or not code.isalnum():
            return []
        rows = self._rows("SELECT kind FROM item WHERE code = ?", code)
        rows = rows or self._rows("SELECT id FROM kind WHERE code = ?", code)
        return [Ranked(kind, 0.0, ()) for (kind,) in rows if kind >= self._index.count]

    def _read_kind_row(self, kind: int) -> tuple[str, str, str, str, str, int, int]:
        rows = self._rows(
            "SELECT code, name, name_en, department, type, first_item, items FROM kind WHERE id = ?", kind
        )
        row: tuple[str, str, str, str, str, int, int] = rows[0]
        return row

    def _read_bodies(self, kind: int) -> Bodies:
        """The bodies of `kind` whose item is in force."""
        first, count = self._kind_row(kind)[5:]
        rows = self._rows(
            "SELECT i.code, i.status, i.version, b.name, b.region, b.level, b.place FROM item i"
            " JOIN body b ON b.id = i.body WHERE i.id >= ? AND i.id < ?",
            first,
            first + count,
        )
        return Bodies.of(
            (BodyChoice(code, intern(name), intern(region), intern(level)), place)
            for code, status, version, name, region, level, place in rows
            if self._status(code, status, version) == ItemStatus.PUBLISHED.value
        )

    def _status(self, code: str, status: str, version: int) -> str:
        change = self._changes.get(code)
        return change.status.value if change is not None and change.version > version else status

    def _service_item(self, row: Sequence[Any]) -> ServiceItem:
        kind = msgspec.json.decode(row[16], type=ItemKind)
        implementation = Implementation(
            code=row[0],
            kind=kind.code,
            body_code=row[2],
            body_name=row[3],
            region=row[4],
            level=row[5],
            status=ItemStatus(row[6]),
            version=row[7],
            valid_from=date.fromisoformat(row[8]) if row[8] else None,
            valid_to=date.fromisoformat(row[9]) if row[9] else None,
            promised_days=row[10],
            advice_phone=row[11],
            supervision_phone=row[12],
            address=row[13],
            hours=row[14],
            window_decides=bool(row[15]),
        )
        change = self._changes.get(implementation.code)
        if change is not None and change.version > implementation.version:
            implementation = replace(
                implementation, status=change.status, version=change.version, valid_to=change.valid_to
            )
        return ServiceItem(kind, implementation)

    # --- hits ------------------------------------------------------------------------------------------

    def _habits(self, context: SearchContext) -> dict[int, tuple[int | None, int]]:
        """Kind -> (place in the recent list, times accepted) for the kinds this file still has."""
        habits: dict[int, tuple[int | None, int]] = {}
        places = {code: place for place, code in reversed(list(enumerate(context.recent)))}
        for code in dict.fromkeys((*context.recent, *context.frequent)):
            kind = self._kind_number(code)
            if kind is not None:
                habits[kind] = (places.get(code), context.frequent.get(code, 0))
        return habits

    def _read_kind_number(self, code: str) -> int | None:
        rows = self._rows("SELECT id FROM kind WHERE code = ?", code)
        return rows[0][0] if rows and rows[0][0] < self._index.count else None

    def _hit(self, ranked: Ranked, context: SearchContext, typed_code: str) -> Hit | None:
        bodies = self._bodies(ranked.kind)
        if not bodies.choices:
            return None
        code, name, name_en, department, type_, _, _ = self._kind_row(ranked.kind)
        return Hit(
            code,
            name,
            name_en,
            department,
            type_,
            marks(name, ranked, self._index.lines),
            bodies.proposed_first(typed_code, ranked.places, context),
            ranked.kind < self._index.count,
        )


def _refuse_newer(found: int) -> None:
    if found > FORMAT:
        raise Failure("CATALOGUE-NEWER", f"format {found}, read up to {FORMAT}")


def _usual_order(habit: tuple[int | None, int]) -> tuple[bool, int, int]:
    recent, times = habit
    return recent is None, recent or 0, -times


def _numbers(stored: bytes) -> Sequence[int]:
    return memoryview(stored).cast("I")
