"""What the repositories share: how a statement is run, and how a dataclass becomes a row and back.

A table names its columns as the dataclass names its fields, so neither direction needs a list of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from types import MappingProxyType
from typing import Any, TypeVar

from sqlalchemy import Column, Connection, CursorResult, Executable, Select, Table, Update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import Insert, ReturningInsert, ReturningUpdate

T = TypeVar("T")

Rows = CursorResult[*tuple[Any, ...]]
"""The answer to a statement: rows of any width."""


Row = tuple[Any, ...]
Preparable = Insert | Update | ReturningInsert[*Row] | ReturningUpdate[*Row] | Select[*Row]

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_DIALECT = SQLiteDialect_pysqlite()


class Prepared:
    """A statement compiled once, for what is written at every step of a clerk.

    SQLAlchemy's work for one execution costs more than SQLite's; a filed case runs seven statements.
    `names` are the columns whose values come with the execution; all else is fixed here.
    """

    def __init__(
        self, statement: Insert | Update | Select[*tuple[Any, ...]], names: Sequence[str] = ()
    ) -> None:
        compiled = statement.compile(dialect=_DIALECT, column_keys=list(names))
        self.sql = str(compiled)
        self._binds = [self._bind(compiled, name, names) for name in compiled.positiontup or ()]
        read = statement.selected_columns if isinstance(statement, Select) else ()
        self._readers = [
            column.type.dialect_impl(_DIALECT).result_processor(_DIALECT, None) for column in read
        ]

    @staticmethod
    def _bind(
        compiled: SQLCompiler, name: str, names: Sequence[str]
    ) -> tuple[str, Callable[[Any], Any] | None, Any]:
        to_driver = compiled.binds[name].type.dialect_impl(_DIALECT).bind_processor(_DIALECT)
        if name in names:
            return name, to_driver, None
        fixed = compiled.params[name]
        return "", None, to_driver(fixed) if to_driver else fixed

    def parameters(self, given: Mapping[str, Any]) -> list[Any]:
        """The values for the driver, in the order of the statement."""
        return [
            fixed if not name else to_driver(given[name]) if to_driver else given[name]
            for name, to_driver, fixed in self._binds
        ]

    def read(self, row: tuple[Any, ...]) -> list[Any]:
        """The values of a row as the driver gave it, in the order of the columns."""
        return [
            from_driver(value) if from_driver else value
            for from_driver, value in zip(self._readers, row, strict=True)
        ]


class Statements:
    """Runs statements in the transaction at work, and refuses them when it is over."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Connection | None = connection
        self._driver: Any = connection.connection.driver_connection

    def end(self) -> None:
        self._connection = None

    def execute(
        self,
        statement: Executable,
        parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    ) -> Rows:
        """Run one statement; many rows of parameters run it once each."""
        return self._open().execute(statement, parameters)

    def run(
        self, prepared: Prepared, given: Mapping[str, Any] = MappingProxyType({})
    ) -> tuple[Any, ...] | None:
        """Run a prepared statement; returns its row, if it has one, as the driver gives it."""
        self._open()
        cursor = self._driver.execute(prepared.sql, prepared.parameters(given))
        rows: list[tuple[Any, ...]] = cursor.fetchall()  # to the end, or the statement stays open
        return rows[0] if rows else None

    def find(self, prepared: Prepared, shape: Callable[..., T], given: Mapping[str, Any]) -> T | None:
        """The only row of a prepared query as a `shape`; None when there is no row."""
        row = self.run(prepared, given)
        return shape(*prepared.read(row)) if row else None

    def _open(self) -> Connection:
        if self._connection is None:
            raise RuntimeError("a repository was used after its transaction")
        return self._connection


def values(record: Any) -> dict[str, Any]:
    """The fields of a dataclass as the parameters of a statement; nested values stay what they are."""
    return {field.name: getattr(record, field.name) for field in fields(record)}


def columns(table: Table, shape: type[Any]) -> list[Column[Any]]:
    """The columns of `table` that make a `shape`, in the order of its fields: `shape(*row)` is the value."""
    return [table.c[field.name] for field in fields(shape)]


def one(shape: Callable[..., T], rows: Rows) -> T | None:
    """The only row as a `shape`; None when there is no row."""
    row = rows.one_or_none()
    return shape(*row) if row else None


def each(shape: Callable[..., T], rows: Rows) -> tuple[T, ...]:
    """Every row as a `shape`."""
    return tuple(shape(*row) for row in rows)


def adding(table: Table) -> Prepared:
    """Insert a row of every column but the running number."""
    return Prepared(insert(table), _given(table))


def upsert(table: Table, key: str) -> Prepared:
    """Insert a row, or replace every other column of the row that has the same `key`."""
    statement = insert(table)
    kept = {name: statement.excluded[name] for name in _given(table) if name != key}
    return Prepared(statement.on_conflict_do_update(index_elements=[key], set_=kept), _given(table))


def _given(table: Table) -> list[str]:
    return [column.name for column in table.c if column.name != "n"]
