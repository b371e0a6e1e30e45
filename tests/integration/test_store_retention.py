"""Registered cases leave the workstation after some days; what the office has not confirmed never does."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from hypothesis import given, settings
from hypothesis import strategies as st
from store_samples import DEVICE, IDENTITY, NAME, NOW, enrol, file_case, slip_of

from clerk_app.desk import looking_up, retention
from clerk_app.desk.ports import Attachment, Changed, CommandState, PrintState, Transaction
from clerk_app.desk.views import ReceiptRow
from clerk_app.domain import documents
from clerk_app.domain.case import Case, Draft, LegalState, SyncState, TimelineEvent, TimelineKind
from clerk_app.domain.ids import uuid7
from clerk_app.domain.ticket import Ticket, TicketState, Visit, VisitState
from clerk_app.store.cache import SqlStore
from clerk_app.store.vault import GivenKey, throw_away_key

KEEP = 7
LATER = NOW + timedelta(days=30)
PHONE = "13800000000"


@dataclass
class Window:
    """As much of a desk as the purge needs."""

    store: SqlStore
    at: datetime = LATER

    @property
    def clock(self) -> Window:
        return self

    def now(self) -> datetime:
        return self.at

    def changed(self, _: Changed) -> None:
        pass

    def purge(self) -> int:
        return retention.purge(self, KEEP)  # type: ignore[arg-type]


def in_step(store: SqlStore, at: datetime = LATER) -> Window:
    """A window whose last full sync was at `at`."""
    store.write(lambda tx: tx.meta.set(retention.CONFIRMED_KEY, at.isoformat()))
    return Window(store)


def page_of(case: Case, uploaded: datetime | None = NOW) -> tuple[Attachment, bytes]:
    content = b"\xff\xd8" + NAME.encode()
    digest = hashlib.sha256(content).hexdigest()
    page = Attachment(uuid7(), case.id, "id", 1, 1240, 1754, len(content), digest, NOW, "camera", uploaded)
    return page, content


def registered(tx: Transaction, **changes: object) -> Case:
    """A case the office has: command applied, slip printed, page uploaded."""
    case = file_case(tx)
    case = replace(
        case, legal_state=LegalState.ACCEPTED, sync_state=SyncState.REGISTERED, official_number="8"
    )
    case = replace(case, **changes)  # type: ignore[arg-type]
    tx.cases.save(case)
    tx.outbox.mark([tx.outbox.pending()[-1].id], CommandState.APPLIED)
    for job in tx.print_jobs.of_case(case.id):
        tx.print_jobs.mark(job.id, PrintState.PRINTED)
    tx.attachments.add(*page_of(case))
    return case


@pytest.fixture
def store() -> Iterator[SqlStore]:
    store = SqlStore.in_memory()
    store.write(enrol)
    yield store
    store.close()


def here(store: SqlStore, case: Case) -> bool:
    return store.read(lambda tx: tx.cases.get(case.id)) is not None


def test_a_registered_case_leaves_with_all_that_belongs_to_it(store: SqlStore) -> None:
    case = store.write(registered)
    links = store.read(lambda tx: tx.audit.verify())
    window = in_step(store)
    assert window.purge() == 1

    def left(tx: Transaction) -> tuple[int, ...]:
        return (
            len(tx.cases.recent()), len(tx.outbox.since(0)), len(tx.print_jobs.of_case(case.id)),
            len(tx.attachments.of_case(case.id)), len(tx.timeline.of_case(case.id)),
        )  # fmt: skip

    assert store.read(left) == (0, 0, 0, 0, 0)
    assert store.read(lambda tx: tx.audit.verify()) == links == 1
    receipt = store.read(lambda tx: tx.receipts.by_number(case.number))
    assert receipt is not None
    assert (receipt.official_number, receipt.received_at, receipt.purged_at) == ("8", NOW, LATER)
    assert receipt.item == case.item.name


def test_the_receipt_is_found_by_its_number(store: SqlStore) -> None:
    case = store.write(registered)
    window = in_step(store)
    assert looking_up.receipt(window, case.number) is None  # type: ignore[arg-type]
    window.purge()
    assert looking_up.case(window, case.number) is None  # type: ignore[arg-type]
    assert looking_up.receipt(window, case.number) == ReceiptRow(  # type: ignore[arg-type]
        "MY01-00000001-" + case.number[-1], case.item.name, LegalState.ACCEPTED, NOW, "8", LATER
    )


def test_a_case_stays_for_the_days_it_is_kept(store: SqlStore) -> None:
    case = store.write(registered)
    assert in_step(store, NOW + timedelta(days=KEEP)).purge() == 0
    assert here(store, case)
    assert in_step(store, NOW + timedelta(days=KEEP, seconds=1)).purge() == 1


def test_a_case_stays_while_something_happens_to_it(store: SqlStore) -> None:
    case = store.write(registered)
    lately = TimelineEvent(LATER - timedelta(days=2), TimelineKind.REPRINTED, "", "visit-1", case.id)
    store.write(lambda tx: tx.timeline.add(lately))
    assert in_step(store).purge() == 0
    assert here(store, case)


def test_a_case_stays_until_its_days_for_being_accepted_are_over(store: SqlStore) -> None:
    """A case that was only received has no limit of its own yet."""
    case = store.write(lambda tx: registered(tx, legal_state=LegalState.RECEIVED, due=None))
    assert in_step(store).purge() == 0
    assert here(store, case)
    assert in_step(store, NOW + timedelta(days=62)).purge() == 1


def _unsent(tx: Transaction, case: Case) -> None:
    tx.outbox.add("case.accept", case.id, {}, at=NOW, operator="1007")


def _sent(tx: Transaction, case: Case) -> None:
    sent = tx.outbox.add("case.accept", case.id, {}, at=NOW, operator="1007")
    tx.outbox.mark([sent.id], CommandState.SENT)


def _refused(tx: Transaction, case: Case) -> None:
    command = tx.outbox.add("case.accept", case.id, {}, at=NOW, operator="1007")
    tx.outbox.mark([command.id], CommandState.REFUSED, "OFFICE-RULE")


def _held(tx: Transaction, case: Case) -> None:
    command = tx.outbox.add("case.accept", case.id, {}, at=NOW, operator="1007")
    tx.outbox.mark([command.id], CommandState.HELD)


def _page_to_upload(tx: Transaction, case: Case) -> None:
    tx.attachments.add(*page_of(case, uploaded=None))


def _slip_to_print(tx: Transaction, case: Case) -> None:
    tx.print_jobs.add(slip_of(case), case_id=case.id, at=NOW)


def _only_here(tx: Transaction, case: Case) -> None:
    tx.cases.save(replace(case, sync_state=SyncState.HERE))


def _refused_here(tx: Transaction, case: Case) -> None:
    tx.cases.save(replace(case, sync_state=SyncState.REFUSED, refusal="OFFICE-RULE"))


KEPT = (_unsent, _sent, _refused, _held, _page_to_upload, _slip_to_print, _only_here, _refused_here)


@pytest.mark.parametrize("why", KEPT, ids=lambda why: why.__name__.strip("_"))
def test_age_alone_takes_nothing(store: SqlStore, why: Callable[[Transaction, Case], None]) -> None:
    case = store.write(registered)
    store.write(lambda tx: why(tx, case))
    assert in_step(store, NOW + timedelta(days=3650)).purge() == 0
    assert here(store, case)
    assert store.read(lambda tx: len(tx.attachments.of_case(case.id))) >= 1


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sets(st.sampled_from(KEPT)), max_size=8), st.integers(0, 4000))
def test_nothing_unconfirmed_ever_leaves(reasons: list[set[Callable[..., None]]], days: int) -> None:
    """Whatever cases there are and however old: exactly those without a reason to stay are gone."""
    store = SqlStore.in_memory()
    try:
        store.write(enrol)
        cases = []
        for whys in reasons:
            case = store.write(registered)
            for why in sorted(whys, key=lambda each: each.__name__):
                store.write(lambda tx, case=case, why=why: why(tx, case))  # type: ignore[misc]
            cases.append(case)
        open_commands = store.read(lambda tx: [command.id for command in tx.outbox.pending()])
        in_step(store, NOW + timedelta(days=days)).purge()
        stay = [bool(whys) or days <= KEEP for whys in reasons]
        assert [here(store, case) for case in cases] == stay
        assert store.read(lambda tx: [command.id for command in tx.outbox.pending()]) == open_commands
        assert store.read(lambda tx: tx.audit.verify()) == len(cases)
    finally:
        store.close()


def test_what_a_visit_has_not_told_the_office_stays(store: SqlStore) -> None:
    visit = Visit("visit-9", "A001", VisitState.FINISHED, "1007", NOW, ended_at=NOW)

    def fill(tx: Transaction) -> None:
        tx.visits.save(visit)
        tx.outbox.add("ticket.done", visit.id, {}, at=NOW, operator="1007")

    store.write(fill)
    in_step(store).purge()
    assert store.read(lambda tx: len(tx.outbox.pending())) == 1
    assert store.read(lambda tx: tx.visits.get(visit.id)) == visit


def test_the_commands_of_a_case_stay_as_long_as_it_does(store: SqlStore) -> None:
    """An office restored from a backup asks for them again."""
    case = store.write(registered)
    store.write(lambda tx: _refused(tx, case))
    in_step(store).purge()
    assert [command.seq for command in store.read(lambda tx: tx.outbox.since(0))] == [1, 2]


def test_a_void_case_whose_refusal_was_settled_leaves_with_pages_nobody_wants(store: SqlStore) -> None:
    case = store.write(file_case)

    def settle(tx: Transaction) -> None:
        tx.cases.save(replace(case, legal_state=LegalState.VOID, sync_state=SyncState.REFUSED))
        tx.outbox.mark([tx.outbox.pending()[0].id], CommandState.SETTLED)
        tx.print_jobs.mark(tx.print_jobs.of_case(case.id)[0].id, PrintState.PRINTED)
        tx.attachments.add(*page_of(case, uploaded=None))

    store.write(settle)
    assert in_step(store).purge() == 1
    assert store.read(lambda tx: tx.attachments.of_case(case.id)) == ()


def test_visits_lines_slips_and_tickets_of_past_days_leave_too(store: SqlStore) -> None:
    long_ago = NOW
    today = LATER - timedelta(hours=1)

    def fill(tx: Transaction) -> None:
        for day, word in ((long_ago, "old"), (today, "new")):
            visit = Visit(f"visit-{word}", "A001", VisitState.FINISHED, "1007", day, ended_at=day)
            tx.visits.save(visit)
            tx.timeline.add(TimelineEvent(day, TimelineKind.CARD_READ, "王*", visit.id))
            job = tx.print_jobs.add(documents.TestSlip("hall", "07", day, "", 80, ""), case_id=None, at=day)
            tx.print_jobs.mark(job.id, PrintState.PRINTED)
            tx.tickets.put([Ticket(f"t-{word}", "A001", "A", TicketState.DONE, day, 1)])
            command = tx.outbox.add("ticket.done", visit.id, {}, at=day, operator="1007")
            tx.outbox.mark([command.id], CommandState.APPLIED)
        tx.visits.save(Visit("visit-open", "A002", VisitState.SERVING, "1007", long_ago))
        tx.timeline.add(TimelineEvent(long_ago, TimelineKind.CARD_READ, "", "visit-open"))
        tx.drafts.save(Draft("draft", "visit-of-draft", "1007", long_ago, long_ago))
        ended = Visit("visit-of-draft", "A003", VisitState.FINISHED, "1007", long_ago, ended_at=long_ago)
        tx.visits.save(ended)
        tx.tickets.remove("t-old", 2)
        tx.tickets.put([Ticket("t-done", "A008", "A", TicketState.DONE, long_ago, 1)])  # the office has it
        tx.tickets.put([Ticket("t-waiting", "A009", "A", TicketState.WAITING, long_ago, 1)])

    store.write(fill)
    in_step(store).purge()

    def left(tx: Transaction) -> dict[str, list[bool]]:
        ids = ("old", "new", "open", "of-draft")
        return {
            "visits": [tx.visits.get(f"visit-{word}") is not None for word in ids],
            "lines": [bool(tx.timeline.of_visit(f"visit-{word}")) for word in ids],
            "tickets": [
                tx.tickets.get(f"t-{word}") is not None for word in ("old", "new", "done", "waiting")
            ],
            "draft": [tx.drafts.get("draft") is not None],
        }

    assert store.read(left) == {
        "visits": [False, True, True, True],
        "lines": [False, True, True, False],
        "tickets": [False, True, True, True],
        "draft": [True],
    }
    assert [command.seq for command in store.read(lambda tx: tx.outbox.since(0))] == [2]


def test_the_outbox_goes_on_counting_after_everything_left_it(store: SqlStore) -> None:
    for _ in range(3):
        store.write(registered)
    in_step(store).purge()
    assert store.read(lambda tx: tx.outbox.purged_through()) == 3
    store.write(file_case)
    assert [command.seq for command in store.read(lambda tx: tx.outbox.pending())] == [4]
    store.write(lambda tx: tx.meta.set_device(replace(DEVICE, epoch=2)))
    assert [command.seq for command in store.read(lambda tx: tx.outbox.pending())] == [1]
    assert store.read(lambda tx: tx.outbox.purged_through()) == 0  # counted by epoch


def test_a_clock_a_year_ahead_takes_no_case_of_today(store: SqlStore) -> None:
    case = store.write(registered)
    window = in_step(store, NOW + timedelta(minutes=5))
    window.at = NOW + timedelta(days=365)
    assert window.purge() == 0
    assert here(store, case)


def test_a_case_filed_while_the_clock_was_a_year_behind_stays_its_days_from_registration(
    store: SqlStore,
) -> None:
    case = store.write(lambda tx: registered(tx, received_at=NOW - timedelta(days=365)))
    told = TimelineEvent(NOW, TimelineKind.REGISTERED, "", case.visit_id, case.id)
    store.write(lambda tx: tx.timeline.add(told))
    assert in_step(store, NOW + timedelta(days=1)).purge() == 0
    assert here(store, case)


def test_without_the_office_nothing_leaves(store: SqlStore) -> None:
    case = store.write(registered)
    assert Window(store).purge() == 0  # never in step
    assert here(store, case)


def test_a_slice_is_short(store: SqlStore) -> None:
    """A search or an accept never waits long behind the purge (20 ms on the reference machine)."""
    for _ in range(60):
        store.write(registered)
    window = in_step(store)
    longest = 0.0
    while True:
        begun = perf_counter()
        left = retention.purge_some(window, KEEP)  # type: ignore[arg-type]
        longest = max(longest, perf_counter() - begun)
        if left is None:
            break
    assert longest < 0.2  # generous: machines that run tests are busy


@pytest.fixture
def key() -> GivenKey:
    return throw_away_key()


def decrypted(database: Path, key: GivenKey) -> bytes:
    """Every page of the file in clear, also those in no use: AES-256-CBC, the IV 80 bytes before the end.

    The first page begins with the salt (https://www.zetetic.net/sqlcipher/design/).
    """
    content, size, reserve = database.read_bytes(), 4096, 80
    clear = []
    for at in range(0, len(content), size):
        page = content[at : at + size]
        cipher = Cipher(AES(key.secret), CBC(page[-reserve:][:16])).decryptor()
        clear.append(cipher.update(page[0 if at else 16 : -reserve]))
    return b"".join(clear)


def test_the_file_holds_nobody_any_more(tmp_path: Path, key: GivenKey) -> None:
    store = SqlStore.open(tmp_path / "cache", key)
    store.write(enrol)
    for _ in range(5):
        store.write(registered)
    store.close()
    before = decrypted(tmp_path / "cache" / "cache.db", key)
    store = SqlStore.open(tmp_path / "cache", key)
    assert in_step(store).purge() == 5
    store.close()
    after = decrypted(tmp_path / "cache" / "cache.db", key)
    for word in (NAME, IDENTITY, PHONE, "测试小店"):
        assert word.encode() in before
        assert word.encode() not in after


def test_a_purge_killed_in_the_middle_leaves_whole_cases_only(tmp_path: Path, key: GivenKey) -> None:
    """Killed at random moments until it is through: each case is whole here, or gone with a receipt."""
    store = SqlStore.open(tmp_path / "cache", key)
    store.write(enrol)
    numbers = {store.write(registered).number for _ in range(40)}
    unsent = store.write(file_case)
    in_step(store)
    store.close()
    chance = random.Random(5)
    kills = 0
    while kills < 12:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            _purge_slowly(tmp_path / "cache", key, writing)
        os.close(writing)
        with os.fdopen(reading) as told:
            for _ in range(chance.randrange(1, 3)):
                told.readline()
            until = perf_counter() + chance.random() * 0.004
            while perf_counter() < until:
                pass  # a kill lands anywhere in a slice
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        kills += 1
        store = SqlStore.open(tmp_path / "cache", key)
        _check_whole(store, numbers)
        store.close()
    store = SqlStore.open(tmp_path / "cache", key)
    Window(store).purge()
    assert [case.number for case in store.read(lambda tx: tx.cases.recent())] == [unsent.number]
    assert [command.seq for command in store.read(lambda tx: tx.outbox.since(0))] == [41]
    store.close()


def _purge_slowly(folder: Path, key: GivenKey, told: int) -> None:
    store = SqlStore.open(folder, key)
    while True:
        retention.purge_some(Window(store), KEEP)  # type: ignore[arg-type]
        os.write(told, b"slice\n")


def _check_whole(store: SqlStore, numbers: set[str]) -> None:
    def look(tx: Transaction) -> None:
        for number in numbers:
            case, receipt = tx.cases.by_number(number), tx.receipts.by_number(number)
            assert (case is None) == (receipt is not None)
            parts = (tx.print_jobs.of_case(case.id), tx.attachments.of_case(case.id)) if case else ()
            assert all(len(part) == 1 for part in parts)
        sent = [command.seq for command in tx.outbox.since(0)]
        assert tx.outbox.purged_through() in (0, sent[0] - 1)

    store.read(look)


def test_what_stays_of_a_case_names_nobody(store: SqlStore) -> None:
    case = store.write(registered)
    in_step(store).purge()
    rows = store.lane.run(lambda: store._driver.execute("SELECT * FROM receipts").fetchall())
    told = json.dumps(rows, ensure_ascii=False)
    assert case.number in told
    assert NAME not in told
    assert IDENTITY not in told


def test_a_copy_of_the_cache_is_kept_no_longer_than_its_cases(tmp_path: Path, key: GivenKey) -> None:
    store = SqlStore.open(tmp_path / "cache", key)
    store.write(enrol)
    copies = [tmp_path / "cache" / name for name in ("cache-at-0002.db", "cache-damaged-1.db")]
    for copy in copies:
        copy.write_bytes(b"an encrypted copy")
        os.utime(copy, (NOW.timestamp(), NOW.timestamp()))
    store.tidy(NOW - timedelta(days=1))
    assert all(copy.exists() for copy in copies)
    store.tidy(NOW + timedelta(days=1))
    assert not any(copy.exists() for copy in copies)
    assert (tmp_path / "cache" / "cache.db-wal").stat().st_size == 0
    store.close()
