"""A damaged cache gives up what can still be read, and never gives a number or a sequence number twice."""

from __future__ import annotations

import os
import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlcipher3 import dbapi2
from store_samples import DEVICE, NOW, block, enrol, file_case
from test_store_opening import refusal, spoil

from clerk_app.desk.ports import CommandState, Transaction
from clerk_app.failures import Failure
from clerk_app.store import salvage as salvaging
from clerk_app.store.cache import SqlStore
from clerk_app.store.salvage import Salvaged, salvage
from clerk_app.store.vault import GivenKey, throw_away_key

CASES = 60
PAGE = 4096


@pytest.fixture
def key() -> GivenKey:
    return throw_away_key()


@pytest.fixture
def folder(tmp_path: Path, key: GivenKey) -> Path:
    store = SqlStore.open(tmp_path / "cache", key)
    store.write(enrol)
    for _ in range(CASES):
        store.write(file_case)
    store.write(lambda tx: tx.feed.advance("hall:MY01", "g", 5))
    store.close()
    return tmp_path / "cache"


def pages_of(folder: Path, key: GivenKey, table: str) -> list[int]:
    """The pages that hold rows of `table`, its root last: found by spoiling one after another."""
    database = folder / "cache.db"
    whole = database.read_bytes()
    found = []
    for page in range(2, len(whole) // PAGE + 1):
        spoil(database, PAGE * (page - 1) + 200)
        if readable(database, key, "sqlite_schema") and not readable(database, key, f"{table} NOT INDEXED"):
            found.append(page)
        database.write_bytes(whole)
    return found


def readable(database: Path, key: GivenKey, table: str) -> bool:
    connection = dbapi2.connect(str(database))
    connection.execute("PRAGMA cipher_log_level = NONE")
    connection.execute(f"PRAGMA key = \"x'{key.secret.hex()}'\"")
    try:
        connection.execute(f"SELECT * FROM {table}").fetchall()
    except dbapi2.Error:
        return False
    else:
        return True
    finally:
        connection.close()


def opened(folder: Path, key: GivenKey) -> SqlStore:
    return SqlStore.open(folder, key)


def salvaged(folder: Path, key: GivenKey) -> Salvaged:
    done = salvage(folder, key, NOW)
    assert done is not None
    return done


def rows(store: SqlStore, query: str) -> list[tuple[Any, ...]]:
    return store.lane.run(lambda: store._driver.execute(query).fetchall())


def test_a_lost_page_of_cases_costs_its_cases_and_no_command(folder: Path, key: GivenKey) -> None:
    pages = pages_of(folder, key, "cases")
    spoil(folder / "cache.db", PAGE * (pages[len(pages) // 2] - 1) + 200)
    assert refusal(folder, key) == "STORE-DAMAGED"
    done = salvaged(folder, key)
    assert not done.enrol_again
    assert done.rows["outbox"] == CASES
    assert "cases" in done.partly
    assert done.cases_missing is not None
    assert 0 < done.cases_missing < CASES
    assert done.rows["cases"] + done.cases_missing == CASES
    store = opened(folder, key)
    assert len(store.read(lambda tx: tx.outbox.pending())) == CASES
    assert store.read(lambda tx: tx.audit.verify()) == CASES
    assert store.read(lambda tx: tx.feed.cursor("hall:MY01")) is None  # everything mirrored comes anew
    assert store.read(lambda tx: tx.numbers.blocks())[0].next == CASES + 1
    assert store.write(file_case).number.startswith(f"MY01{CASES + 1:08d}")
    assert [command.seq for command in store.read(lambda tx: tx.outbox.pending())][-1] == CASES + 1
    store.close()


def test_a_lost_page_of_the_outbox_asks_for_a_new_epoch_in_which_it_is_dense(
    folder: Path, key: GivenKey
) -> None:
    pages = pages_of(folder, key, "outbox")
    spoil(folder / "cache.db", PAGE * (pages[1] - 1) + 200)
    done = salvaged(folder, key)
    assert done.enrol_again
    assert "outbox" in done.partly
    assert done.cases_missing == 0
    store = opened(folder, key)
    assert store.read(lambda tx: tx.meta.device()) is None
    left = [command.id for command in store.read(lambda tx: tx.outbox.pending())]
    store.write(lambda tx: tx.meta.set_device(replace(DEVICE, epoch=2)))
    pending = store.read(lambda tx: tx.outbox.pending())
    assert [command.id for command in pending][: len(left)] == left
    assert [command.seq for command in pending] == list(range(1, len(pending) + 1))
    with pytest.raises(Failure, match="STORE-NO-NUMBERS"):  # the blocks of the old epoch are void
        store.read(lambda tx: tx.numbers.take())
    store.close()


@pytest.mark.parametrize("table", ["number_blocks", "facts", "device"])
def test_what_says_who_and_how_far_must_be_whole(folder: Path, key: GivenKey, table: str) -> None:
    spoil(folder / "cache.db", PAGE * (pages_of(folder, key, table)[0] - 1) + 200)
    assert salvaged(folder, key).enrol_again
    store = opened(folder, key)
    assert store.read(lambda tx: tx.meta.device()) is None
    assert len(store.read(lambda tx: tx.outbox.pending())) == CASES
    store.close()


def test_a_chain_with_a_hole_ends_and_a_new_one_begins(folder: Path, key: GivenKey) -> None:
    store = opened(folder, key)
    store.write(lambda tx: tx.meta.set("audit_chain", "old"))
    store.write(lambda tx: tx.meta.set("audit_through", "7"))
    store.close()
    pages = pages_of(folder, key, "audit")
    spoil(folder / "cache.db", PAGE * (pages[len(pages) // 2] - 1) + 200)
    assert salvaged(folder, key).new_audit_chain
    store = opened(folder, key)
    store.write(lambda tx: tx.audit.add(at=NOW, actor="os:it", act="salvage", subject="cache"))
    assert store.read(lambda tx: tx.audit.verify()) == 1
    assert store.read(lambda tx: (tx.meta.get("audit_chain"), tx.meta.get("audit_through"))) == (None, None)
    store.close()


@pytest.mark.parametrize("seed", range(8))
def test_whatever_page_is_damaged_the_new_cache_is_sound(folder: Path, key: GivenKey, seed: int) -> None:
    """Up to three damaged pages of every seed; those that hold the names of the tables are another test."""
    chance = random.Random(seed)
    size = (folder / "cache.db").stat().st_size // PAGE
    before = (folder / "cache.db").read_bytes()
    for _ in range(3):
        damaged = (folder / "cache.db").read_bytes()
        spoil(folder / "cache.db", PAGE * chance.randrange(1, size) + chance.randrange(4000))
        if not readable(folder / "cache.db", key, "sqlite_schema"):
            (folder / "cache.db").write_bytes(damaged)
    damaged = (folder / "cache.db").read_bytes()
    assert damaged != before
    done = salvaged(folder, key)
    store = opened(folder, key)
    assert rows(store, "PRAGMA integrity_check") == [("ok",)]
    assert rows(store, "PRAGMA foreign_key_check") == []
    read = store.read(lambda tx: len(tx.cases.recent(1000)))
    assert read == done.rows["cases"] >= CASES // 2
    store.read(lambda tx: tx.audit.verify())
    if done.enrol_again:
        store.write(lambda tx: tx.meta.set_device(replace(DEVICE, epoch=2)))
        store.write(lambda tx: tx.numbers.add(block(501, 600, epoch=2)))
    numbers = {case.number for case in store.read(lambda tx: tx.cases.recent(1000))}
    assert store.write(file_case).number not in numbers
    waiting = (CommandState.WAITING, CommandState.SENT)
    seqs = [c.seq for c in store.read(lambda tx: tx.outbox.pending()) if c.state in waiting]
    assert seqs == list(range(1, len(seqs) + 1))
    store.close()
    assert done.kept_as.read_bytes() == damaged
    assert not done.kept_as.read_bytes().startswith(b"SQLite format 3")


@pytest.mark.parametrize("which", [0, 1])
def test_without_the_names_of_the_tables_nothing_can_be_read_and_nothing_is_touched(
    folder: Path, key: GivenKey, which: int
) -> None:
    whole = (folder / "cache.db").read_bytes()
    pages = []
    for page in range(1, 30):
        spoil(folder / "cache.db", PAGE * (page - 1) + 200)
        if not readable(folder / "cache.db", key, "sqlite_schema"):
            pages.append(page)
        (folder / "cache.db").write_bytes(whole)
    spoil(folder / "cache.db", PAGE * (pages[which] - 1) + 200)
    damaged = (folder / "cache.db").read_bytes()
    with pytest.raises(Failure, match=r"^STORE-DAMAGED"):
        salvage(folder, key, NOW)
    assert (folder / "cache.db").read_bytes() == damaged


def test_what_was_committed_last_is_in_the_log_and_is_saved_too(folder: Path, key: GivenKey) -> None:
    """The process died before the log was folded in."""
    pages = pages_of(folder, key, "cases")
    damaged = pages[len(pages) // 2]  # one that the log has no newer copy of
    child = os.fork()
    if child == 0:
        store = SqlStore.open(folder, key)
        for _ in range(5):
            store.write(file_case)
        os._exit(0)
    os.waitpid(child, 0)
    assert (folder / "cache.db-wal").stat().st_size > 0
    spoil(folder / "cache.db", PAGE * (damaged - 1) + 200)
    done = salvaged(folder, key)
    assert done.rows["outbox"] == CASES + 5
    assert done.rows["cases"] + (done.cases_missing or 0) == CASES + 5
    store = opened(folder, key)
    assert len(store.read(lambda tx: tx.outbox.pending())) == CASES + 5
    store.close()


def test_a_cache_that_is_whole_is_left_alone(folder: Path, key: GivenKey) -> None:
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert salvage(folder, key, NOW) is None
    after = {file.name: file.read_bytes() for file in folder.iterdir() if not file.name.endswith("-wal")}
    assert after == before


def test_where_there_is_no_cache_there_is_nothing_to_rescue(tmp_path: Path, key: GivenKey) -> None:
    with pytest.raises(Failure, match=r"^SETTINGS-NOT-ENROLLED"):
        salvage(tmp_path / "cache", key, NOW)
    assert not (tmp_path / "cache").exists()


def test_of_a_run_of_lost_pages_no_count_is_made_up(tmp_path: Path, key: GivenKey) -> None:
    """All eleven cases are gone with their table: the numbers that were given out tell so, no page does."""
    store = SqlStore.open(tmp_path / "cache", key)
    store.write(enrol)
    for _ in range(11):
        store.write(file_case)
    store.close()
    for page in pages_of(tmp_path / "cache", key, "cases"):
        spoil(tmp_path / "cache" / "cache.db", PAGE * (page - 1) + 200)
    done = salvaged(tmp_path / "cache", key)
    assert (done.rows["cases"], done.cases_missing) == (0, 11)
    assert "cases" in done.partly


def test_where_receipts_are_lost_too_nobody_knows_how_many_cases_are(folder: Path, key: GivenKey) -> None:
    """A number without a case may be of one that left long ago."""
    for page in (pages_of(folder, key, "cases")[0], pages_of(folder, key, "receipts")[0]):
        spoil(folder / "cache.db", PAGE * (page - 1) + 200)
    done = salvaged(folder, key)
    assert {"cases", "receipts"} <= set(done.partly)
    assert done.cases_missing is None


def test_a_case_that_left_is_not_missing(folder: Path, key: GivenKey) -> None:
    store = opened(folder, key)
    store.lane.run(lambda: leave(store, 3))
    store.close()
    spoil(folder / "cache.db", PAGE * (pages_of(folder, key, "cases")[-1] - 1) + 200)
    done = salvaged(folder, key)
    assert done.rows["cases"] + (done.cases_missing or 0) == CASES - 3


def leave(store: SqlStore, count: int) -> None:
    """What retention does with the first `count` cases, as far as their numbers go."""
    store._driver.execute(
        "INSERT INTO receipts SELECT number, id, kind, received_at, official_number, legal_state, received_at"
        " FROM cases WHERE n <= ?", (count,),
    )  # fmt: skip
    for table, key in (("print_jobs", "case_id"), ("timeline", "case_id"), ("outbox", "aggregate")):
        gone = f"DELETE FROM {table} WHERE {key} IN (SELECT id FROM cases WHERE n <= ?)"
        store._driver.execute(gone, (count,))
    store._driver.execute("DELETE FROM cases WHERE n <= ?", (count,))


def test_a_salvage_cut_short_leaves_the_damaged_cache_and_can_be_done_again(
    folder: Path, key: GivenKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(folder / "cache.db", PAGE * (pages_of(folder, key, "timeline")[0] - 1) + 200)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(salvaging, "_keep", die)
        with pytest.raises(KeyboardInterrupt):
            salvage(folder, key, NOW)
    assert refusal(folder, key) == "STORE-DAMAGED"
    assert salvaged(folder, key).rows["cases"] == CASES
    assert sorted(path.name for path in folder.iterdir() if "new" in path.name) == []


def test_the_wrong_key_and_an_open_window_are_refused(folder: Path, key: GivenKey) -> None:
    with pytest.raises(Failure, match=r"^STORE-WRONG-KEY"):
        salvage(folder, throw_away_key(), NOW)
    store = opened(folder, key)
    with pytest.raises(Failure, match=r"^STORE-IN-USE"):
        salvage(folder, key, NOW)
    store.close()


def test_a_page_of_a_print_job_whose_case_is_lost_goes_with_it(folder: Path, key: GivenKey) -> None:
    pages = pages_of(folder, key, "cases")
    spoil(folder / "cache.db", PAGE * (pages[1] - 1) + 200)
    salvage(folder, key, NOW)
    store = opened(folder, key)

    def look(tx: Transaction) -> bool:
        known = {case.id for case in tx.cases.recent(1000)}
        return {job.case_id for job in tx.print_jobs.unfinished()} == known

    assert store.read(look)
    store.close()


def test_the_damaged_file_is_kept_for_its_days_however_long_the_window_was_closed(
    folder: Path, key: GivenKey
) -> None:
    spoil(folder / "cache.db", PAGE * (pages_of(folder, key, "cases")[0] - 1) + 200)
    weeks_ago = (NOW - timedelta(days=30)).timestamp()
    os.utime(folder / "cache.db", (weeks_ago, weeks_ago))
    done = salvaged(folder, key)
    store = opened(folder, key)
    store.tidy(NOW - timedelta(days=7))
    assert done.kept_as.exists(), "what could not be read may be wanted from it"
    store.tidy(NOW + timedelta(seconds=1))
    assert not done.kept_as.exists()
    store.close()
