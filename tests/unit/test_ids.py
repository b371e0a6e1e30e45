"""Identifiers: version 7, never twice, never smaller than the one before."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from clerk_app.domain import ids
from clerk_app.domain.ids import uuid7


def test_it_is_a_uuid_of_version_7_that_carries_the_time() -> None:
    before = time.time_ns() // 1_000_000
    value = uuid.UUID(uuid7())
    assert value.version == 7
    assert value.variant == uuid.RFC_4122
    assert before <= value.int >> 80 <= before + 60_000


def test_each_is_greater_than_the_one_before() -> None:
    made = [uuid7() for _ in range(20_000)]
    assert made == sorted(set(made))


def test_a_clock_turned_back_does_not_make_a_smaller_one(monkeypatch: pytest.MonkeyPatch) -> None:
    now = uuid7()
    monkeypatch.setattr(ids.time, "time_ns", lambda: 1_000_000_000)
    assert uuid7() > now


def test_two_threads_never_make_the_same() -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: uuid7(), range(20_000)))
    assert len(set(made)) == len(made)
