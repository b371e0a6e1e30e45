"""Column types of the cache: moments with their zone, words, and values as JSON that come back equal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from functools import cache
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Dialect, String, type_coerce
from sqlalchemy.types import TypeDecorator

from clerk_app.domain.applicant import Applicant, Organisation, Person

T = TypeVar("T")
W = TypeVar("W", bound=StrEnum)

_UTC_LENGTH = len("2026-11-21T01:02:03.000004Z")
_WALL_LENGTH = len("2026-11-21T09:02:03.000004+08:00")


def moment_text(moment: datetime) -> str:
    """`2026-11-21T01:02:03.000004Z+08:00`: the instant in UTC, then the offset of the wall it was read from.

    Text sorts by instant, and the wall time comes back as it was. Raises ValueError for a moment without a
    zone, or with an offset that is not in whole minutes.
    """
    wall = moment.isoformat(timespec="microseconds")
    if len(wall) != _WALL_LENGTH:
        raise ValueError("a moment needs its zone, with an offset in whole minutes")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z" + wall[-6:]


def moment_of(text: str) -> datetime:
    """The moment that `moment_text` wrote, with a fixed offset."""
    return datetime.fromisoformat(text[:_UTC_LENGTH]).astimezone(_zone(text[_UTC_LENGTH:]))


@cache
def _zone(offset: str) -> timezone:
    ahead = timedelta(hours=int(offset[1:3]), minutes=int(offset[4:6]))
    return timezone(-ahead if offset.startswith("-") else ahead)


class Moment(TypeDecorator[datetime]):
    """A legal fact's time: sorts by instant, keeps its zone."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        return None if value is None else moment_text(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        return None if value is None else moment_of(value)


def since(column: ColumnElement[Any], moment: datetime) -> ColumnElement[bool]:
    """`column` is at or after the instant of `moment`, whatever zones the two were read in."""
    return type_coerce(column, String) >= moment_text(moment)[:_UTC_LENGTH]


def before(column: ColumnElement[Any], moment: datetime) -> ColumnElement[bool]:
    """`column` is earlier than the instant of `moment`."""
    return type_coerce(column, String) < moment_text(moment)[:_UTC_LENGTH]


class Word(TypeDecorator[W], Generic[W]):
    """A member of a StrEnum, stored by its value."""

    impl = String
    cache_ok = True

    def __init__(self, words: type[W]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: W | None, dialect: Dialect) -> str | None:
        return None if value is None else value.value

    def process_result_value(self, value: Any | None, dialect: Dialect) -> W | None:
        return None if value is None else self.words(value)


class Json(TypeDecorator[T], Generic[T]):
    """A value of a declared type as JSON text; reading validates it against that type."""

    impl = String
    cache_ok = True

    def __init__(self, shape: Any) -> None:
        super().__init__()
        self.shape = shape
        self._decoder = msgspec.json.Decoder(shape)

    def process_bind_param(self, value: T | None, dialect: Dialect) -> str | None:
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: Any | None, dialect: Dialect) -> T | None:
        return None if value is None else self._decoder.decode(value)


class _StoredApplicant(msgspec.Struct, omit_defaults=True):
    """An applicant with the party's two possible shapes told apart by name."""

    person: Person | None = None
    organisation: Organisation | None = None
    agent: Person | None = None


class ApplicantJson(TypeDecorator[Applicant]):
    """An applicant as JSON: `{"person": …}` or `{"organisation": …, "agent": …}`."""

    impl = String
    cache_ok = True

    _decoder = msgspec.json.Decoder(_StoredApplicant)

    def process_bind_param(self, value: Applicant | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        if isinstance(value.party, Person):
            stored = _StoredApplicant(person=value.party, agent=value.agent)
        else:
            stored = _StoredApplicant(organisation=value.party, agent=value.agent)
        return msgspec.json.encode(stored).decode()

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Applicant | None:
        if value is None:
            return None
        stored = self._decoder.decode(value)
        party = stored.person or stored.organisation
        if party is None:
            raise ValueError("an applicant without a party")
        return Applicant(party=party, agent=stored.agent)
