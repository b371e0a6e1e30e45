"""A number that a command shows in full is a record with a reason, or it is not shown."""

from __future__ import annotations

from collections.abc import Callable
from getpass import getuser
from pathlib import Path

import pytest
from store_samples import DEVICE

from clerk_app import bootstrap
from clerk_app.failures import Failure
from clerk_app.store.cache import SqlStore
from clerk_app.store.vault import GivenKey, throw_away_key

NUMBER = "51070419900307123X"


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> GivenKey:
    source = throw_away_key()
    monkeypatch.setattr(bootstrap, "cache_key", lambda _settings: source)
    return source


@pytest.fixture
def enrolled(tmp_path: Path, key: GivenKey) -> Callable[[], SqlStore]:
    """Opens the cache of an enrolled workstation."""

    def opened() -> SqlStore:
        return SqlStore.open(tmp_path / "cache", key)

    made = opened()
    made.write(lambda tx: tx.meta.set_device(DEVICE))
    made.close()
    return opened


def test_a_reveal_is_a_link_of_the_audit(tmp_path: Path, enrolled: Callable[[], SqlStore]) -> None:
    bootstrap.record_reveal(tmp_path, NUMBER, "trying the reader")

    again = enrolled()
    try:
        rows = again.lane.run(
            lambda: again._driver.execute("SELECT actor, act, subject, detail FROM audit").fetchall()
        )
        assert [tuple(row) for row in rows] == [
            (f"os:{getuser()}", "card-reveal", "510704********123X", "trying the reader")
        ]
        assert again.read(lambda tx: tx.audit.verify()) == 1
    finally:
        again.close()


def test_while_the_window_is_open_nothing_is_revealed(
    tmp_path: Path, enrolled: Callable[[], SqlStore]
) -> None:
    store = enrolled()
    try:
        with pytest.raises(Failure, match="STORE-IN-USE"):
            bootstrap.record_reveal(tmp_path, NUMBER, "trying the reader")
        assert store.read(lambda tx: tx.audit.head()) == ""
    finally:
        store.close()


def test_a_workstation_that_is_not_enrolled_reveals_nothing_and_makes_nothing(
    tmp_path: Path, key: GivenKey
) -> None:
    with pytest.raises(Failure, match="SETTINGS-NOT-ENROLLED"):
        bootstrap.record_reveal(tmp_path, NUMBER, "trying the reader")

    assert list(tmp_path.iterdir()) == []
