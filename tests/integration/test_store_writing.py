"""Transactions: all or nothing, on the disk when answered, whatever happens to the disk or the process."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from store_samples import enrol, file_case, sample_case, slip_of
from test_store_opening import CHILD, in_mounts, spoil

from clerk_app.desk.ports import Transaction
from clerk_app.domain.numbering import case_number
from clerk_app.failures import Failure
from clerk_app.store import cache
from clerk_app.store.cache import SqlStore
from clerk_app.store.vault import GivenKey, throw_away_key


@pytest.fixture
def key() -> GivenKey:
    return throw_away_key()


@pytest.fixture
def store(tmp_path: Path, key: GivenKey) -> Iterator[SqlStore]:
    store = SqlStore.open(tmp_path / "cache", key)
    store.write(enrol)
    yield store
    store.close()


def pragma(store: SqlStore, name: str) -> object:
    return store.lane.run(lambda: store._driver.execute(f"PRAGMA {name}").fetchone()[0])


def test_commits_are_on_the_disk_and_keys_are_enforced(store: SqlStore) -> None:
    assert pragma(store, "journal_mode") == "wal"
    assert pragma(store, "synchronous") == 2  # FULL
    assert pragma(store, "foreign_keys") == 1
    assert pragma(store, "locking_mode") == "exclusive"


def test_work_runs_on_the_lane_of_the_store_and_nowhere_else(store: SqlStore) -> None:
    assert store.read(lambda _: threading.current_thread().name) == "lane-store"
    with pytest.raises(Exception, match="thread"):
        store._driver.execute("SELECT 1")


def test_everything_of_a_filing_or_nothing(store: SqlStore) -> None:
    def file_and_fall(tx: Transaction) -> None:
        file_case(tx)
        raise KeyError("a bug after the last statement")

    with pytest.raises(KeyError):
        store.write(file_and_fall)

    def counts(tx: Transaction) -> tuple[int, ...]:
        everything = tx.cases.recent(), tx.outbox.pending(), tx.print_jobs.unfinished()
        return (*map(len, everything), tx.audit.verify(), tx.numbers.blocks()[0].next)

    assert store.read(counts) == (0, 0, 0, 0, 1)
    assert store.write(file_case).number == case_number("MY01", 1)
    assert store.read(counts) == (1, 1, 1, 1, 2)


def test_a_statement_that_makes_tables_is_undone_with_the_rest(store: SqlStore) -> None:
    def begin_and_fall() -> None:
        with store._connection.begin():
            store._connection.exec_driver_sql("CREATE TABLE a (n)")
            store._connection.exec_driver_sql("CREATE TABLE b (n)")
            raise KeyError

    with pytest.raises(KeyError):
        store.lane.run(begin_and_fall)
    tables = store.lane.run(lambda: store._driver.execute("SELECT name FROM sqlite_master").fetchall())
    assert not {("a",), ("b",)} & set(tables)


def test_a_read_that_writes_is_a_bug_and_writes_nothing(store: SqlStore) -> None:
    with pytest.raises(RuntimeError, match="must not write"):
        store.read(lambda tx: tx.meta.set("a", "b"))
    assert store.read(lambda tx: tx.meta.get("a")) is None


def test_a_transaction_inside_a_transaction_is_a_bug(store: SqlStore) -> None:
    for inner in (store.read, store.write):
        with pytest.raises(RuntimeError, match="a transaction is open"):
            store.write(lambda tx, inner=inner: inner(lambda again: again.meta.get("a")))
    assert store.write(lambda tx: tx.meta.get("a")) is None


def test_a_repository_that_was_kept_is_refused(store: SqlStore) -> None:
    kept = store.write(lambda tx: tx)
    for use in (lambda: kept.meta.get("a"), lambda: kept.meta.set("a", "b")):
        with pytest.raises(RuntimeError, match="after its transaction"):
            store.lane.run(use)


def test_a_slip_of_no_case_is_a_bug_not_a_failure(store: SqlStore) -> None:
    case = sample_case()
    with pytest.raises(Exception, match="FOREIGN KEY") as error:
        store.write(lambda tx: tx.print_jobs.add(slip_of(case), case_id=case.id, at=case.received_at))
    assert not isinstance(error.value, Failure)
    assert store.write(file_case)  # and the store goes on


def test_what_goes_wrong_never_tells_whose_it_was(store: SqlStore) -> None:
    case = sample_case(7)
    store.write(lambda tx: tx.cases.add(case))
    nobody: str = None  # type: ignore[assignment]  # what the table refuses
    for wrong in (
        lambda tx: tx.cases.add(sample_case(7)),
        lambda tx: tx.cases.save(sample_case(8)),
        lambda tx: tx.cases.save(replace(case, operator=nobody)),
    ):
        with pytest.raises(Exception) as error:
            store.write(wrong)
        told = "".join(map(str, (error.value, error.value.__cause__, error.value.__context__)))
        assert "欧阳" not in told
        assert "19900101" not in told


def test_a_page_that_is_damaged_while_the_store_is_open(store: SqlStore, tmp_path: Path) -> None:
    for _ in range(30):
        store.write(file_case)
    store.lane.run(store._checkpoint)
    store.lane.run(lambda: store._driver.execute("PRAGMA shrink_memory").fetchall())
    file = tmp_path / "cache" / "cache.db"
    for page in range(1, file.stat().st_size // 4096):
        spoil(file, 4096 * page + 100)
    with pytest.raises(Failure) as failure:
        store.read(lambda tx: tx.cases.recent())
    assert failure.value.code == "STORE-DAMAGED"


def test_the_log_is_folded_into_the_database_between_transactions(
    store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "CHECKPOINT_ROWS", 20)
    log, database = (tmp_path / "cache" / name for name in ("cache.db-wal", "cache.db"))
    sizes = []
    for _ in range(30):
        store.write(file_case)
        store.read(lambda tx: tx.meta.get("a"))  # after the checkpoint, which is queued before it
        sizes.append(log.stat().st_size)
    assert sizes[-1] == max(sizes) < database.stat().st_size * 3
    assert len(set(sizes[15:])) == 1  # written from its start again, no longer growing


def test_a_full_disk_gives_back_the_number_and_the_store_goes_on(tmp_path: Path, key: GivenKey) -> None:
    small = 'mount -t tmpfs -o size=1200k,mode=0700 none "$(dirname "$1")"'
    (tmp_path / "disk" / "cache").mkdir(parents=True)
    told = json.loads(in_mounts(small, tmp_path / "disk" / "cache", key, "fill"))
    assert told["codes"] == ["STORE-FULL"] * 3
    filed = [case_number("MY01", serial) for serial in range(1, len(told["filed"]) + 1)]
    assert told["filed"] == filed  # no number was used by a filing that did not fit
    assert len(filed) > 3
    for state, count in ((told["before"], len(filed) - 1), (told["after"], len(filed))):
        assert state["numbers"] == filed[:count]
        assert state["seqs"] == list(range(1, count + 1))
        assert [state[what] for what in ("used", "links", "slips", "lines")] == [count] * 4


@pytest.mark.slow
def test_a_process_killed_while_it_writes_loses_nothing_it_answered(tmp_path: Path, key: GivenKey) -> None:
    seed = os.environ.get("KILL_SEED", str(random.randrange(10**9)))
    print("KILL_SEED", seed)
    command = [sys.executable, str(CHILD), "kill", str(tmp_path / "cache"), key.secret.hex(), seed]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    count = len(told["numbers"])
    assert len(told["acked"]) > 40
    assert len(set(told["acked"])) == len(told["acked"])
    assert set(told["acked"]) <= set(told["numbers"])
    assert told["numbers"] == [case_number("MY01", serial) for serial in range(1, count + 1)]
    assert told["seqs"] == list(range(1, count + 1))
    assert [told[what] for what in ("used", "links", "slips", "lines")] == [count] * 4
