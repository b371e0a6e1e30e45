"""The disk gives out under the desk, full or broken: no number is used, no paper printed."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import desk_kit
import pytest
from desk_kit import PERSON, Bench, bench
from test_desk_acceptance import CODE, ready

from clerk_app.desk import acceptance, calling, drafting, following, printing, scanning
from clerk_app.desk.ports import CommandState, Page, Transaction
from clerk_app.failures import Failure
from clerk_app.store import cache
from clerk_app.store.cache import SqlStore
from clerk_app.store.vault import throw_away_key


@pytest.fixture
def hall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """The desk over a cache on a real disk."""
    opened = SimpleNamespace(in_memory=lambda: SqlStore.open(tmp_path / "cache", throw_away_key()))
    monkeypatch.setattr(desk_kit, "SqlStore", opened)
    with bench() as made:
        made.desk = replace(made.desk, room=made.store.check_room)
        yield made


def counts(hall: Bench) -> tuple[int, ...]:
    def look(tx: Transaction) -> tuple[int, ...]:
        (block,) = tx.numbers.blocks()
        return block.next, len(tx.cases.recent()), len(tx.outbox.pending()), len(tx.print_jobs.unfinished())

    return hall.store.read(look)


@contextmanager
def no_file_may_grow(folder: Path) -> Iterator[None]:
    """Every write beyond the present end of the log is an error of the kernel, as from a dying disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((folder / "cache.db-wal").stat().st_size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_fault_10_a_nearly_full_disk_refuses_new_work_before_a_number_is_used(
    hall: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    filed = acceptance.accept(hall.desk, ready(hall))
    printing.run(hall.desk)
    calling.finish(hall.desk, filed.visit_id)
    draft = ready(hall)
    before = counts(hall)
    monkeypatch.setattr(cache, "RESERVE", 1 << 60)
    for act in (acceptance.accept, acceptance.receive):
        with pytest.raises(Failure, match=r"^STORE-FULL"):
            act(hall.desk, draft)
    with pytest.raises(Failure, match=r"^STORE-FULL"):
        scanning.add(hall.desk, draft, "id", [Page(b"\xff\xd8", 1, 1)], "camera")
    assert counts(hall) == before
    # What is here can still be sent and answered, and the citizen's words are kept.
    waiting = [command.id for command in hall.store.read(lambda tx: tx.outbox.pending())]
    hall.store.write(lambda tx: tx.outbox.mark(waiting, CommandState.SENT))
    hall.store.write(lambda tx: tx.outbox.mark(waiting, CommandState.APPLIED))
    assert following.outbox(hall.desk) == ()
    drafting.fill(hall.desk, draft, "phone", "13900000000")
    monkeypatch.undo()
    assert acceptance.accept(hall.desk, draft).number > filed.number


def test_fault_11_an_io_error_in_the_middle_files_nothing_and_prints_nothing(
    hall: Bench, tmp_path: Path
) -> None:
    draft = ready(hall)
    before = counts(hall)
    with no_file_may_grow(tmp_path / "cache"):
        for _ in range(3):
            with pytest.raises(Failure, match=r"^STORE-(IO|FULL)"):
                acceptance.accept(hall.desk, draft)
        assert counts(hall) == before  # reading goes on
        printing.run(hall.desk)
        assert hall.printer.papers == []
    case = acceptance.accept(hall.desk, draft)
    assert case.number[4:12] == "00000001"
    printing.run(hall.desk)
    assert len(hall.printer.papers) == 1
    assert hall.store.read(lambda tx: tx.audit.verify()) > 0
    assert (PERSON.number, CODE) == (case.applicant.number, case.item.code)
