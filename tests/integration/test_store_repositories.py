"""What goes into the cache comes out equal, and each repository keeps its rule."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlcipher3.dbapi2 import IntegrityError
from store_samples import (
    CST,
    DEVICE,
    IDENTITY,
    ITEM,
    NOW,
    PERSON,
    block,
    enrol,
    file_case,
    sample_case,
    slip_of,
)

from clerk_app.desk.ports import CommandState, Operator, PrintState, Store, Transaction
from clerk_app.domain.applicant import Applicant, Organisation, Person
from clerk_app.domain.case import Case, Draft, LegalState, SyncState, TimelineEvent, TimelineKind
from clerk_app.domain.documents import ReceiptSlip, Slip, TicketSlip, VoidSlip
from clerk_app.domain.ticket import Ticket, TicketState, Visit, VisitState
from clerk_app.domain.working_days import WorkingCalendar
from clerk_app.failures import Failure
from clerk_app.store.cache import SqlStore

T = Any
MINUTE = timedelta(minutes=1)

zones = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=zones).map(
    lambda moment: moment.replace(fold=0)  # means nothing beside a fixed offset
)
words = st.text(max_size=12)
answers = st.dictionaries(words, words, max_size=3)
people = st.builds(Person, name=words, number=words, address=words, birth=st.none() | st.dates())
parties = people | st.builds(Organisation, name=words, uscc=words)
applicants = st.builds(Applicant, party=parties, agent=st.none() | people)
slips: st.SearchStrategy[Slip] = (
    st.builds(ReceiptSlip, received_at=moments, accepted_at=st.none() | moments, due=st.none() | st.dates())
    | st.builds(VoidSlip, voided_at=moments)
    | st.builds(TicketSlip, issued_at=moments)
)
drafts = st.builds(
    Draft,
    started_at=moments,
    updated_at=moments,
    applicant=st.none() | applicants,
    situations=answers,
    form=answers,
    item_version=st.none() | st.integers(0, 2**31),
)
cases = st.builds(
    Case,
    applicant=applicants,
    situations=answers,
    form=answers,
    received_at=moments,
    accepted_at=st.none() | moments,
    item=st.builds(type(ITEM), version=st.integers(0, 2**31), legal_days=st.integers(0, 999)),
    printed=st.integers(0, 99),
)


@pytest.fixture(scope="module")
def shared() -> Iterator[Store]:
    store = SqlStore.in_memory()
    yield store
    store.close()


@pytest.fixture
def store() -> Iterator[Store]:
    store = SqlStore.in_memory()
    store.write(enrol)
    yield store
    store.close()


def undone(store: Store, work: Callable[[Transaction], T]) -> T:
    """What `work` answers in a transaction that is then given up, so that examples do not meet."""

    class GivenUp(Exception):
        pass

    answer = []

    def tried(tx: Transaction) -> None:
        answer.append(work(tx))
        raise GivenUp

    with pytest.raises(GivenUp):
        store.write(tried)
    return answer[0]


@given(case=cases)
@settings(deadline=None)
def test_a_case_comes_back_equal_with_its_zones(shared: Store, case: Case) -> None:
    def there_and_back(tx: Transaction) -> Case | None:
        tx.cases.add(case)
        return tx.cases.get(case.id)

    back = undone(shared, there_and_back)
    assert back == case
    assert repr(back) == repr(case)  # == on moments does not see the zone


@given(draft=drafts)
@settings(deadline=None)
def test_a_draft_comes_back_equal(shared: Store, draft: Draft) -> None:
    def there_and_back(tx: Transaction) -> Draft | None:
        tx.drafts.save(replace(draft, form={"before": "this"}))
        tx.drafts.save(draft)
        return tx.drafts.get(draft.id)

    assert repr(undone(shared, there_and_back)) == repr(draft)


@given(slip=slips, reprint=st.integers(0, 9))
@settings(deadline=None)
def test_a_slip_comes_back_equal_so_that_a_reprint_is_the_same_paper(
    shared: Store, slip: Slip, reprint: int
) -> None:
    def there_and_back(tx: Transaction) -> tuple[Any, Any]:
        job = tx.print_jobs.add(slip, case_id=None, at=NOW, reprint=reprint)
        return job, tx.print_jobs.get(job.id)

    added, back = undone(shared, there_and_back)
    assert added.slip == slip
    assert repr(back) == repr(added)


@given(one=moments, other=moments)
@settings(deadline=None)
def test_cases_are_counted_by_instant_whatever_the_zone(
    shared: Store, one: datetime, other: datetime
) -> None:
    def count(tx: Transaction) -> int:
        tx.cases.add(sample_case(received_at=one))
        return tx.cases.count_since(other)

    assert undone(shared, count) == (one >= other)


def test_a_moment_without_a_zone_is_refused(store: Store) -> None:
    with pytest.raises(Exception, match="needs its zone"):
        store.write(lambda tx: tx.cases.add(sample_case(received_at=datetime(2026, 11, 23, 9))))


# --- cases and numbers ---------------------------------------------------------------------------------


def test_a_case_keeps_its_number_for_life(store: Store) -> None:
    case = store.write(file_case)
    registered = replace(case, sync_state=SyncState.REGISTERED, official_number="51070-1", printed=1)
    store.write(lambda tx: tx.cases.save(registered))
    assert store.read(lambda tx: tx.cases.by_number(case.number)) == registered
    renumbered = replace(case, number=sample_case(99).number)
    with pytest.raises(LookupError):
        store.write(lambda tx: tx.cases.save(renumbered))
    with pytest.raises(LookupError):
        store.write(lambda tx: tx.cases.save(sample_case(98)))


def test_one_number_is_never_two_cases(store: Store) -> None:
    store.write(lambda tx: tx.cases.add(sample_case(7)))
    with pytest.raises(IntegrityError):
        store.write(lambda tx: tx.cases.add(sample_case(7)))


def test_cases_are_found_by_visit_newest_first_and_by_person(store: Store) -> None:
    other = Applicant(replace(PERSON, number="510704198502020029"))
    first, second, void, refused, stranger = (
        sample_case(1),
        sample_case(2, visit_id="visit-2"),
        sample_case(3, legal_state=LegalState.VOID),
        sample_case(4, sync_state=SyncState.REFUSED),
        sample_case(5, applicant=other),
    )

    def add(tx: Transaction) -> None:
        for case in (first, second, void, refused, stranger):
            tx.cases.add(case)

    store.write(add)
    assert store.read(lambda tx: tx.cases.of_visit("visit-2")) == (second,)
    assert store.read(lambda tx: tx.cases.recent(2)) == (stranger, refused)
    assert store.read(lambda tx: tx.cases.same_open(IDENTITY.lower(), ITEM.kind)) == (first, second)
    assert store.read(lambda tx: tx.cases.same_open(IDENTITY, "000999")) == ()
    changed = replace(first, legal_state=LegalState.VOID)
    store.write(lambda tx: tx.cases.save(changed))
    assert store.read(lambda tx: tx.cases.same_open(IDENTITY, ITEM.kind)) == (second,)


def test_the_index_of_people_shows_no_number(store: SqlStore) -> None:
    store.write(file_case)
    listed = store.lane.run(lambda: store._driver.execute("SELECT identity FROM cases").fetchone()[0])
    assert IDENTITY not in listed
    assert listed != hashlib.blake2b(IDENTITY.encode(), digest_size=16).hexdigest()  # not without the key


def test_used_kinds_are_newest_first_with_their_times(store: Store) -> None:
    def add(tx: Transaction) -> None:
        for serial, kind in enumerate(["a", "b", "a", "c", "b"], 1):
            tx.cases.add(sample_case(serial, item=replace(ITEM, kind=kind)))

    store.write(add)
    newest, times = store.read(lambda tx: tx.cases.used_kinds())
    assert newest == ("b", "c", "a")
    assert times == {"a": 2, "b": 2, "c": 1}


def test_numbers_go_from_block_to_block_and_end(store: Store) -> None:
    store.write(lambda tx: enrol(tx, block(501, 502), block(701, 701)))
    taken = [store.write(lambda tx: tx.numbers.take()) for _ in range(503)]
    assert taken == [*range(1, 503), 701][: len(taken)] == [*range(1, 501), 501, 502, 701]
    with pytest.raises(Failure) as failure:
        store.write(lambda tx: tx.numbers.take())
    assert failure.value.code == "STORE-NO-NUMBERS"
    assert [b.left for b in store.read(lambda tx: tx.numbers.blocks())] == [0, 0, 0]


def test_a_number_is_used_only_when_the_transaction_commits(store: Store) -> None:
    assert undone(store, lambda tx: (tx.numbers.take(), tx.numbers.take())) == (1, 2)
    assert store.write(lambda tx: tx.numbers.take()) == 1


def test_the_same_block_again_does_not_give_its_numbers_again(store: Store) -> None:
    assert store.write(lambda tx: tx.numbers.take()) == 1
    store.write(lambda tx: tx.numbers.add(block()))
    assert store.write(lambda tx: tx.numbers.take()) == 2


@pytest.mark.parametrize(("low", "high"), [(500, 900), (1, 1), (200, 300), (1, 9999)])
def test_a_block_that_meets_another_is_refused(store: Store, low: int, high: int) -> None:
    meeting = replace(block(low, high), id="other")
    with pytest.raises(Failure) as failure:
        store.write(lambda tx: tx.numbers.add(meeting))
    assert failure.value.code == "STORE-BLOCK-OVERLAP"


def test_a_new_epoch_voids_the_blocks_of_the_old_one(store: Store) -> None:
    store.write(lambda tx: tx.meta.set_device(replace(DEVICE, epoch=2)))
    with pytest.raises(Failure, match="STORE-NO-NUMBERS"):
        store.write(lambda tx: tx.numbers.take())
    store.write(lambda tx: tx.numbers.add(block(501, 600, epoch=2)))
    assert store.write(lambda tx: tx.numbers.take()) == 501
    assert [b.low for b in store.read(lambda tx: tx.numbers.blocks())] == [501]


# --- outbox --------------------------------------------------------------------------------------------


def add_commands(store: Store, count: int) -> list[str]:
    def add(tx: Transaction) -> list[str]:
        return [
            tx.outbox.add("case.file", f"case-{n}", {"n": n}, at=NOW, operator="1007").id
            for n in range(count)
        ]

    return store.write(add)


def seqs(store: Store, which: str = "next_batch") -> list[int]:
    return [command.seq for command in store.read(lambda tx: getattr(tx.outbox, which)())]


def test_sequence_numbers_are_dense_although_transactions_are_given_up(store: Store) -> None:
    add_commands(store, 2)
    undone(store, lambda tx: tx.outbox.add("case.file", "c", {}, at=NOW, operator="1007"))
    add_commands(store, 1)
    assert seqs(store) == [1, 2, 3]


def test_a_command_comes_back_as_it_was_answered(store: Store) -> None:
    body = {"form": {"a": "乙"}, "n": 1, "list": [1, 2.5, None, True], "due": date(2026, 11, 30)}
    added = store.write(lambda tx: tx.outbox.add("case.file", "case-1", body, at=NOW, operator="1007"))
    assert added.body["due"] == "2026-11-30"
    assert store.read(lambda tx: tx.outbox.get(added.id)) == added
    assert store.read(lambda tx: tx.outbox.get("none")) is None


def test_commands_leave_the_queue_only_when_they_are_answered(store: Store) -> None:
    first, second, third, fourth = add_commands(store, 4)
    store.write(lambda tx: tx.outbox.mark([first, second], CommandState.SENT))
    assert seqs(store) == [1, 2, 3, 4]
    store.write(lambda tx: tx.outbox.mark([first], CommandState.APPLIED))
    store.write(lambda tx: tx.outbox.mark([second], CommandState.REFUSED, "CASE-DOUBLE"))
    store.write(lambda tx: tx.outbox.mark([third], CommandState.HELD))
    assert seqs(store) == [4]
    assert seqs(store, "pending") == [2, 3, 4]
    refused = store.read(lambda tx: tx.outbox.get(second))
    assert refused is not None
    assert (refused.state, refused.code, refused.attempts) == (CommandState.REFUSED, "CASE-DOUBLE", 1)
    assert [c.seq for c in store.read(lambda tx: tx.outbox.since(2, limit=2))] == [2, 3]
    assert fourth


def test_what_was_applied_stays_applied(store: Store) -> None:
    (only,) = add_commands(store, 1)
    store.write(lambda tx: tx.outbox.mark([only], CommandState.APPLIED))
    store.write(lambda tx: tx.outbox.mark([only], CommandState.WAITING))
    assert seqs(store, "pending") == []


def test_marking_a_command_that_is_not_here_is_a_bug(store: Store) -> None:
    (only,) = add_commands(store, 1)
    with pytest.raises(LookupError):
        store.write(lambda tx: tx.outbox.mark([only, "unknown"], CommandState.APPLIED))
    assert seqs(store) == [1]


def test_a_new_epoch_gives_unanswered_commands_new_numbers_and_keeps_their_ids(store: Store) -> None:
    ids = add_commands(store, 5)
    store.write(lambda tx: tx.outbox.mark([ids[0]], CommandState.APPLIED))
    store.write(lambda tx: tx.outbox.mark([ids[2]], CommandState.REFUSED, "CASE-DOUBLE"))
    store.write(lambda tx: tx.outbox.mark([ids[3]], CommandState.SENT))
    store.write(lambda tx: tx.meta.set_device(replace(DEVICE, epoch=2)))
    batch = store.read(lambda tx: tx.outbox.next_batch())
    assert [(c.seq, c.id) for c in batch] == [(1, ids[1]), (2, ids[3]), (3, ids[4])]
    assert [c.id for c in store.read(lambda tx: tx.outbox.pending())] == ids[1:]
    add_commands(store, 1)
    assert seqs(store) == [1, 2, 3, 4]


# --- tickets, visits, drafts ---------------------------------------------------------------------------


def ticket(number: str = "A001", version: int = 1, **changes: Any) -> Ticket:
    return replace(Ticket(f"t-{number}", number, "A", TicketState.WAITING, NOW, version), **changes)


def test_an_older_version_never_replaces_a_newer_ticket(store: Store) -> None:
    called = ticket(version=3, state=TicketState.CALLED, window="07", called_at=NOW)
    store.write(lambda tx: tx.tickets.put([ticket(version=1), called, ticket(version=2)]))
    store.write(lambda tx: tx.tickets.put([ticket(version=3)]))
    assert store.read(lambda tx: tx.tickets.get("t-A001")) == called
    assert store.read(lambda tx: tx.tickets.waiting()) == ()


def test_tickets_wait_in_the_order_they_were_issued(store: Store) -> None:
    late = ticket("A001", issued_at=NOW + MINUTE)
    early = ticket("Y001", issued_at=(NOW - MINUTE).astimezone(timezone(timedelta(hours=-5))))
    store.write(lambda tx: tx.tickets.put([late, early]))
    store.write(lambda tx: tx.tickets.put([]))
    assert store.read(lambda tx: tx.tickets.waiting()) == (early, late)
    assert store.read(lambda tx: tx.tickets.count("waiting")) == 2
    assert store.read(lambda tx: tx.tickets.by_number("Y001")) == early
    yesterday = replace(early, id="old", issued_at=NOW - timedelta(days=1))
    store.write(lambda tx: tx.tickets.put([yesterday]))
    assert store.read(lambda tx: tx.tickets.by_number("Y001")) == early
    store.write(lambda tx: tx.tickets.clear())
    assert store.read(lambda tx: tx.tickets.count("waiting")) == 0


def test_the_current_visit_is_the_one_that_is_not_over(store: Store) -> None:
    visit = Visit("v1", "A001", VisitState.CALLED, "1007", NOW, ticket_id="t1", reason="order")
    store.write(lambda tx: tx.visits.save(visit))
    assert store.read(lambda tx: tx.visits.current("1007")) == visit
    assert store.read(lambda tx: tx.visits.current("1008")) is None
    ended = replace(visit, state=VisitState.FINISHED, ended_at=NOW + MINUTE)
    store.write(lambda tx: tx.visits.save(ended))
    store.write(
        lambda tx: tx.visits.save(replace(visit, id="v2", state=VisitState.NO_SHOW, ended_at=NOW + MINUTE))
    )
    assert store.read(lambda tx: tx.visits.get("v1")) == ended
    assert store.read(lambda tx: tx.visits.current("1007")) is None
    assert store.read(lambda tx: tx.visits.finished_since(NOW)) == 1
    assert store.read(lambda tx: tx.visits.finished_since(NOW + 2 * MINUTE)) == 0


def test_drafts_are_listed_oldest_first_until_they_are_removed(store: Store) -> None:
    old = Draft("d-old", None, "1007", NOW - MINUTE, NOW)
    new = Draft("d-new", "v1", "1007", NOW, NOW, applicant=Applicant(PERSON))
    for draft in (new, old):
        store.write(lambda tx, draft=draft: tx.drafts.save(draft))
    assert store.read(lambda tx: tx.drafts.open()) == (old, new)
    store.write(lambda tx: tx.drafts.remove("d-old"))
    assert store.read(lambda tx: tx.drafts.open()) == (new,)


# --- printing, timeline, audit -------------------------------------------------------------------------


def test_print_jobs_are_unfinished_until_the_paper_is_confirmed(store: Store) -> None:
    case = store.write(file_case)
    (job,) = store.read(lambda tx: tx.print_jobs.unfinished())
    assert (job.case_id, job.state, job.slip) == (case.id, PrintState.QUEUED, slip_of(case))
    for state in (PrintState.PRINTING, PrintState.FAILED, PrintState.UNKNOWN):
        store.write(lambda tx, state=state: tx.print_jobs.mark(job.id, state, "PRINTER-PAPER-OUT"))
        assert [j.state for j in store.read(lambda tx: tx.print_jobs.unfinished())] == [state]
    store.write(lambda tx: tx.print_jobs.mark(job.id, PrintState.PRINTED))
    assert store.read(lambda tx: tx.print_jobs.unfinished()) == ()
    again = store.write(lambda tx: tx.print_jobs.add(job.slip, case_id=case.id, at=NOW, reprint=1))
    assert [j.id for j in store.read(lambda tx: tx.print_jobs.of_case(case.id))] == [job.id, again.id]
    with pytest.raises(LookupError):
        store.write(lambda tx: tx.print_jobs.mark("none", PrintState.PRINTED))


def test_the_timeline_is_in_the_order_of_writing(store: Store) -> None:
    lines = [
        TimelineEvent(NOW, TimelineKind.CARD_READ, visit_id="v1"),
        TimelineEvent(NOW - MINUTE, TimelineKind.RECEIVED, "n", "v1", "c1"),
        TimelineEvent(NOW, TimelineKind.REGISTERED, case_id="c1"),
    ]
    store.write(lambda tx: [tx.timeline.add(line) for line in lines])
    assert store.read(lambda tx: tx.timeline.of_visit("v1")) == tuple(lines[:2])
    assert store.read(lambda tx: tx.timeline.of_case("c1")) == tuple(lines[1:])


def audit(store: Store, *acts: str) -> list[str]:
    return [
        store.write(lambda tx, act=act: tx.audit.add(at=NOW, actor="1007", act=act, subject="MY0100000001X"))
        for act in acts
    ]


def test_every_audit_link_holds_the_hash_of_the_one_before(store: Store) -> None:
    assert store.read(lambda tx: tx.audit.head()) == ""
    heads = audit(store, "case.file", "slip.reprint")
    expected = b""
    for n, act in enumerate(["case.file", "slip.reprint"], 1):
        record = json.dumps([n, NOW.isoformat(), "1007", act, "MY0100000001X", ""], separators=(",", ":"))
        expected = hashlib.sha256(expected + record.encode()).digest()
        assert heads[n - 1] == expected.hex()
    assert store.read(lambda tx: (tx.audit.head(), tx.audit.verify())) == (heads[-1], 2)


def test_the_audit_chain_only_grows(store: SqlStore) -> None:
    audit(store, "a")
    for statement in ("UPDATE audit SET actor = '1'", "DELETE FROM audit"):
        with pytest.raises(IntegrityError, match="only grows"):
            store.lane.run(store._driver.execute, statement)


@pytest.mark.parametrize(
    ("tampering", "bad"),
    [
        ("UPDATE audit SET actor = '9999' WHERE n = 2", 2),
        ("UPDATE audit SET at = at || ' ' WHERE n = 1", 1),
        ("UPDATE audit SET hash = upper(hash) WHERE n = 3", 3),
        ("DELETE FROM audit WHERE n = 1", 1),
        ("DELETE FROM audit WHERE n = 2", 2),
        ("DELETE FROM audit WHERE n = 4", 4),
        ("DELETE FROM audit", 1),
        ("UPDATE audit SET n = 9 WHERE n = 4", 4),
    ],
)
def test_a_changed_or_removed_link_is_found_and_named(store: SqlStore, tampering: str, bad: int) -> None:
    audit(store, "a", "b", "c", "d")
    assert store.read(lambda tx: tx.audit.verify()) == 4
    for statement in ("DROP TRIGGER audit_refuses_update", "DROP TRIGGER audit_refuses_delete", tampering):
        store.lane.run(store._driver.execute, statement)
    with pytest.raises(Failure) as failure:
        store.read(lambda tx: tx.audit.verify())
    assert (failure.value.code, failure.value.detail) == ("STORE-AUDIT-BROKEN", f"link {bad}")


# --- operators, feed, meta -----------------------------------------------------------------------------


def test_operators_and_their_failures(store: Store) -> None:
    operator = Operator("1007", "测试员", frozenset({"accept", "void"}), NOW + timedelta(hours=72), "Tester")
    store.write(lambda tx: tx.operators.save(operator, "verifier-1"))
    assert store.read(lambda tx: tx.operators.get("1007")) == (operator, "verifier-1")
    assert store.read(lambda tx: tx.operators.get("1008")) is None
    assert store.read(lambda tx: tx.operators.failures("1007")) == (0, None)
    counts = [store.write(lambda tx, n=n: tx.operators.failed("1007", NOW + n * MINUTE)) for n in range(3)]
    assert counts == [1, 2, 3]
    store.write(lambda tx: tx.operators.save(operator, "verifier-2"))  # does not unlock
    assert store.read(lambda tx: tx.operators.failures("1007")) == (3, NOW + 2 * MINUTE)
    assert store.write(lambda tx: tx.operators.failed("unknown", NOW)) == 1
    store.write(lambda tx: tx.operators.succeeded("1007"))
    assert store.read(lambda tx: tx.operators.failures("1007")) == (0, None)
    assert store.read(lambda tx: tx.operators.failures("unknown")) == (1, NOW)


def test_cursors_only_go_forward_within_a_generation(store: Store) -> None:
    assert store.read(lambda tx: tx.feed.cursor("hall")) is None
    store.write(lambda tx: tx.feed.advance("hall", "g1", 7))
    with pytest.raises(ValueError, match="go back"):
        store.write(lambda tx: tx.feed.advance("hall", "g1", 6))
    store.write(lambda tx: tx.feed.advance("hall", "g2", 1))
    assert store.read(lambda tx: tx.feed.cursor("hall")) == ("g2", 1)
    store.write(lambda tx: tx.feed.reset("hall"))
    assert store.read(lambda tx: tx.feed.cursor("hall")) is None


def test_device_calendar_and_facts_are_remembered(store: Store) -> None:
    assert store.read(lambda tx: tx.meta.device()) == DEVICE
    with pytest.raises(ValueError, match="epoch 0 after 1"):
        store.write(lambda tx: tx.meta.set_device(replace(DEVICE, epoch=0)))
    assert store.read(lambda tx: tx.meta.calendar()) == WorkingCalendar()
    calendar = WorkingCalendar(
        frozenset({2026}), frozenset({date(2026, 10, 1)}), frozenset({date(2026, 10, 10)})
    )
    store.write(lambda tx: tx.meta.set_calendar(calendar))
    assert store.read(lambda tx: tx.meta.calendar()) == calendar
    assert store.read(lambda tx: tx.meta.get("synced_at")) is None
    for value in ("one", "two"):
        store.write(lambda tx, value=value: tx.meta.set("synced_at", value))
    assert store.read(lambda tx: tx.meta.get("synced_at")) == "two"
    assert NOW.tzinfo is CST
