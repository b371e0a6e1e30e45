"""Looking into a cache without opening it for work: nothing is made or changed, no lock stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from store_samples import enrol
from test_store_opening import spoil

from clerk_app.desk.ports import Device
from clerk_app.failures import Failure
from clerk_app.store import schema
from clerk_app.store.cache import SqlStore
from clerk_app.store.vault import GivenKey, throw_away_key


@pytest.fixture
def key() -> GivenKey:
    return throw_away_key()


@pytest.fixture
def folder(tmp_path: Path, key: GivenKey) -> Path:
    store = SqlStore.open(tmp_path / "cache", key)
    store.write(enrol)
    store.close()
    return tmp_path / "cache"


def device(folder: Path, key: GivenKey) -> Device | None:
    return SqlStore.examine(folder, key, lambda tx: tx.meta.device())


def refusal(folder: Path, key: GivenKey) -> str:
    with pytest.raises(Failure) as failure:
        device(folder, key)
    return failure.value.code


def test_where_no_cache_is_none_is_made(tmp_path: Path, key: GivenKey) -> None:
    assert device(tmp_path / "cache", key) is None
    assert not (tmp_path / "cache").exists()


def test_the_device_is_read_and_the_window_can_open_afterwards(folder: Path, key: GivenKey) -> None:
    found = device(folder, key)
    store = SqlStore.open(folder, key)
    assert found == store.read(lambda tx: tx.meta.device())
    assert found is not None
    store.close()


def test_an_open_window_keeps_its_cache(folder: Path, key: GivenKey) -> None:
    store = SqlStore.open(folder, key)
    try:
        assert refusal(folder, key) == "STORE-IN-USE"
        store.write(enrol)
    finally:
        store.close()


def test_another_key_and_a_damaged_page_are_told_and_leave_no_lock(folder: Path, key: GivenKey) -> None:
    assert refusal(folder, throw_away_key()) == "STORE-WRONG-KEY"
    whole = (folder / "cache.db").read_bytes()
    spoil(folder / "cache.db", 4096 * 2 + 200)
    assert refusal(folder, key) == "STORE-DAMAGED"
    (folder / "cache.db").write_bytes(whole)
    assert device(folder, key) is not None


def test_a_cache_of_a_newer_program_is_told_and_an_older_one_stays_as_it_is(
    folder: Path, key: GivenKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (folder / "cache.db").read_bytes()
    monkeypatch.setattr(schema, "HEAD", "9999")  # this program would bring the cache up to date
    assert device(folder, key) is not None
    assert (folder / "cache.db").read_bytes() == before
    monkeypatch.undo()
    store = SqlStore.open(folder, key)
    store.lane.run(store._driver.execute, "UPDATE alembic_version SET version_num = '9998'")
    store.close()
    assert refusal(folder, key) == "STORE-NEWER"
