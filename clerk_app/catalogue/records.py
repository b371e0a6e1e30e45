"""The exchange format of catalogues: JSON lines, or a table of one item a row (`docs/catalogue-format.md`).

Readers take any file: a bad row is left out and listed with its line, field and reason; no content raises.
A file that cannot be opened raises Failure("IMPORT-UNREADABLE").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, get_type_hints

import msgspec

from clerk_app.catalogue import record_rules as rules
from clerk_app.catalogue.record_rules import CODE_PROFILES, Fault, RowProblem
from clerk_app.catalogue.record_table import table_rows
from clerk_app.domain.catalogue import Implementation, ItemKind
from clerk_app.failures import Failure

MAX_ROW_BYTES = 1024 * 1024
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_DATES = frozenset({"valid_from", "valid_to"})
_WORDS = frozenset({"type", "audience", "offline", "status"})

T = TypeVar("T", ItemKind, Implementation)
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ImportReading:
    """What a file gave: good kinds and items in file order, rows left out, and remarks on rows taken."""

    kinds: tuple[ItemKind, ...]
    items: tuple[Implementation, ...]
    problems: tuple[RowProblem, ...]
    warnings: tuple[RowProblem, ...] = ()


class _Shape:
    """The fields of one kind of record, for the slow path that says which of them are wrong."""

    def __init__(self, record: type) -> None:
        self.hints = get_type_hints(record)
        self.required = frozenset(
            each.name
            for each in fields(record)
            if each.default is MISSING and each.default_factory is MISSING
        )
        self.known = frozenset(self.hints) | {"record", "handling"}


_SHAPES: dict[type, _Shape] = {ItemKind: _Shape(ItemKind), Implementation: _Shape(Implementation)}


@dataclass(slots=True)
class _Pending:
    """An item whose kind may still come further down the file."""

    line: int
    item: Implementation
    handling: str


@dataclass(slots=True)
class _Collector:
    known: Mapping[str, ItemKind]
    profile: rules.CodeProfile
    kinds: dict[str, ItemKind] = field(default_factory=dict)
    pending: dict[str, _Pending] = field(default_factory=dict)
    problems: list[RowProblem] = field(default_factory=list)
    warnings: list[RowProblem] = field(default_factory=list)

    def refuse(self, line: int, faults: Iterable[Fault]) -> bool:
        """List the faults; True when there was one."""
        before = len(self.problems)
        self.problems.extend(RowProblem(line, *fault) for fault in faults)
        return len(self.problems) > before

    def warn(self, line: int, faults: Iterable[Fault]) -> None:
        self.warnings.extend(RowProblem(line, *fault) for fault in faults)

    def add(self, line: int, row: object) -> None:
        """Take one decoded row of JSON lines."""
        if not isinstance(row, dict) or row.get("record") not in ("kind", "item"):
            self.refuse(line, [Fault("record", "IMPORT-NOT-A-RECORD")])
        elif row["record"] == "kind":
            self.add_kind(line, row)
        else:
            self.add_item(line, row)

    def add_kind(self, line: int, row: Row, *, strict: bool = True) -> None:
        kind = self._converted(line, row, ItemKind, strict)
        if kind is None or self.refuse(line, rules.kind_faults(kind, row.get("handling") or "")):
            return
        if kind.code in self.kinds:
            self.refuse(line, [Fault("code", "IMPORT-DUPLICATE", kind.code[:60])])
            return
        self.warn(line, rules.kind_warnings(kind, self.profile))
        self.kinds[kind.code] = kind

    def add_item(self, line: int, row: Row, *, strict: bool = True) -> None:
        item = self._converted(line, row, Implementation, strict)
        if item is None or self.refuse(line, rules.item_faults(item)):
            return
        if item.code in self.pending:
            self.refuse(line, [Fault("code", "IMPORT-DUPLICATE", item.code[:60])])
            return
        self.warn(line, rules.item_warnings(item, self.profile))
        self.pending[item.code] = _Pending(line, item, row.get("handling") or "")

    def _converted(self, line: int, row: Row, record: type[T], strict: bool) -> T | None:
        shape = _SHAPES[record]
        if not row.keys() <= shape.known:
            unknown = sorted(str(key) for key in row.keys() - shape.known)
            self.warn(line, [Fault(key[:60], "IMPORT-UNKNOWN-FIELD") for key in unknown])
        if not isinstance(row.get("handling", ""), str):
            self.refuse(line, [Fault("handling", "IMPORT-WRONG-TYPE")])
            return None
        try:
            return msgspec.convert(row, record, strict=strict)
        except msgspec.ValidationError:
            self.refuse(line, _wrong_fields(row, shape, strict))
            return None

    def reading(self) -> ImportReading:
        items = []
        for waiting in self.pending.values():
            item = waiting.item
            kind = self.kinds.get(item.kind) or self.known.get(item.kind)
            if not self.refuse(waiting.line, rules.item_kind_faults(item, kind, waiting.handling)):
                items.append(item)
        self.problems.sort(key=lambda problem: problem.line)
        return ImportReading(
            tuple(self.kinds.values()), tuple(items), tuple(self.problems), tuple(self.warnings)
        )


def _wrong_fields(row: Row, shape: _Shape, strict: bool) -> Iterator[Fault]:
    """Every field of a row that did not convert, not only the first."""
    for name in sorted(shape.hints.keys() & row.keys()):
        try:
            msgspec.convert(row[name], shape.hints[name], strict=strict)
        except msgspec.ValidationError as error:
            reason = "IMPORT-WRONG-TYPE"
            if isinstance(row[name], str):
                reason = "IMPORT-BAD-DATE" if name in _DATES else reason
                reason = "IMPORT-UNKNOWN-WORD" if name in _WORDS else reason
            yield Fault(name, reason, str(error)[:120])
    for name in sorted(shape.required - row.keys()):
        yield Fault(name, "IMPORT-MISSING")


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise Failure("IMPORT-UNREADABLE", error.strerror or "") from error


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """(line number, line) without ends; None for a line beyond MAX_ROW_BYTES, which is skipped."""
    number = 0
    while line := file.readline(MAX_ROW_BYTES):
        number += 1
        if len(line) == MAX_ROW_BYTES and not line.endswith(b"\n"):
            while (rest := file.readline(MAX_ROW_BYTES)) and not rest.endswith(b"\n"):
                continue
            yield number, None
        else:
            yield number, line.removeprefix(_BYTE_ORDER_MARK if number == 1 else b"").strip()


def read_jsonl(path: Path, *, known: Iterable[ItemKind] = (), profile: str = "national") -> ImportReading:
    """Read JSON lines: `{"record": "kind", …}` and `{"record": "item", …}`, in any order.

    `known` are kinds already in the catalogue, for a file of changes. `profile` names the shape of codes that
    raises no warning (CODE_PROFILES). Raises Failure("IMPORT-UNREADABLE") when the file cannot be opened.
    """
    collector = _Collector({kind.code: kind for kind in known}, CODE_PROFILES[profile])
    decode = msgspec.json.Decoder().decode
    with _opened(path) as file:
        for number, line in _lines(file):
            if line is None:
                collector.refuse(number, [Fault("", "IMPORT-ROW-TOO-LONG")])
            elif line:
                try:
                    row = decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                    collector.refuse(number, [Fault("", "IMPORT-NOT-JSON", str(error)[:120])])
                else:
                    collector.add(number, row)
    return collector.reading()


def read_csv(path: Path, *, known: Iterable[ItemKind] = (), profile: str = "national") -> ImportReading:
    """Read a table of one item a row, UTF-8 (with or without byte order mark) or GB18030.

    Columns are named in English or Chinese (`record_table.COLUMNS`). A row with `name`, `type` and `audience`
    creates its kind; a later row that describes the same kind otherwise is a warning and changes nothing.
    Arguments and failures as `read_jsonl`.
    """
    collector = _Collector({kind.code: kind for kind in known}, CODE_PROFILES[profile])
    first_said: dict[str, dict[str, Any]] = {}
    with _opened(path) as file:
        data = file.read()
    for row in table_rows(data):
        if row.faults:
            collector.refuse(row.line, row.faults)
            continue
        code = row.kind.get("code", "")
        if code and row.kind.get("name"):
            earlier = first_said.get(code)
            if earlier is None:
                first_said[code] = row.kind
                collector.add_kind(row.line, row.kind, strict=False)
            else:
                different = [name for name, value in row.kind.items() if earlier.get(name) != value]
                collector.warn(row.line, [Fault(name, "IMPORT-KIND-DIFFERS", code) for name in different])
        collector.add_item(row.line, row.item, strict=False)
    return collector.reading()


def _worth(record: ItemKind | Implementation) -> dict[str, Any]:
    """The fields that are not their default, as JSON would have them."""
    values = {}
    for each in fields(record):
        value = getattr(record, each.name)
        if each.default is MISSING or value != each.default:
            values[each.name] = value
    return values


def kind_line(kind: ItemKind) -> bytes:
    """A kind as one line of the exchange format, with its handling spelt out."""
    values = _worth(kind)
    values["handling"] = "promise" if kind.promised_days else "on_the_spot"
    return msgspec.json.encode({"record": "kind", **values}) + b"\n"


def item_line(item: Implementation) -> bytes:
    """An item as one line of the exchange format."""
    return msgspec.json.encode({"record": "item", **_worth(item)}) + b"\n"
