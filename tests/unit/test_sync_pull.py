"""Facts come down in unbroken pages, each with its cursor; anything else is a snapshot."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from sync_hall import NOW, HandClock, PaperOffice, add_command, file_case, no_beat, open_store

from clerk_app.desk.ports import CommandState
from clerk_app.domain.case import LegalState, SyncState, TimelineKind
from clerk_app.domain.lost_cards import SALT_KEY
from clerk_app.failures import Failure
from clerk_app.sync.protocol import LOST_CARDS
from clerk_app.sync.pull import Pull
from clerk_app.sync.slices import CHUNK

DEVICE_SCOPE = "device:dev-1"
QUEUE = "queue:general"


@pytest.fixture
def store():
    store = open_store()
    yield store
    store.close()


@pytest.fixture
def office():
    return PaperOffice()


class Items:
    def __init__(self):
        self.got = []

    def __call__(self, items):
        self.got += items


def pull(store, office, scope, items=None):
    return Pull(store, HandClock(), items or Items()).scope(office, scope, no_beat)


def cursor(store, scope):
    return store.read(lambda tx: tx.feed.cursor(scope))


def ticket(number: str, state: str = "waiting") -> dict[str, object]:
    return {
        "id": f"t-{number}",
        "number": number,
        "series": "A",
        "state": state,
        "issued_at": NOW.isoformat(),
        "version": 1,
    }


def registered(case, state="registered", official="510700-2026-0001"):
    return {
        "case_id": case.id,
        "number": case.number,
        "version": 1,
        "state": state,
        "official_number": official,
        "routed_to": "绵阳市人力资源和社会保障局",
        "registered_at": NOW.isoformat(),
    }


def waiting(store):
    return [ticket.number for ticket in store.read(lambda tx: tx.tickets.waiting())]


def test_the_first_pull_is_a_snapshot_and_the_next_ones_are_pages(store, office):
    office.publish(QUEUE, "ticket", "t-A001", ticket("A001"))
    assert pull(store, office, QUEUE) == {"tickets"}
    assert cursor(store, QUEUE) == ("g1", 1)
    office.page = 2
    for number in ("A002", "A003", "A004"):
        office.publish(QUEUE, "ticket", f"t-{number}", ticket(number))
    pull(store, office, QUEUE)
    assert waiting(store) == ["A001", "A002", "A003", "A004"]
    assert office.snapshots == [QUEUE]
    assert cursor(store, QUEUE) == ("g1", 4)


def test_nothing_new_changes_nothing(store, office):
    pull(store, office, QUEUE)
    assert pull(store, office, QUEUE) == frozenset()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda page: replace(page, since=page.since + 1),
        lambda page: replace(page, generation="g2"),
        lambda page: replace(page, scope="queue:other"),
        lambda page: replace(page, to=page.since),
        lambda page: replace(page, changes=[*page.changes, page.changes[0]]),
    ],
    ids=["a hole", "another generation", "another scope", "beyond its end", "out of order"],
)
def test_a_page_that_does_not_continue_the_cursor_means_a_snapshot(store, office, spoil):
    office.publish(QUEUE, "ticket", "t-A001", ticket("A001"))
    pull(store, office, QUEUE)
    office.publish(QUEUE, "ticket", "t-A002", ticket("A002"))
    honest = office.changes
    office.changes = lambda *asked: spoil(honest(*asked))
    pull(store, office, QUEUE)
    assert office.snapshots == [QUEUE, QUEUE]
    assert waiting(store) == ["A001", "A002"]


def test_a_trimmed_log_means_a_snapshot_and_the_outbox_stays(store, office):
    office.publish(QUEUE, "ticket", "t-A001", ticket("A001"))
    pull(store, office, QUEUE)
    case = file_case(store, 1)
    office.publish(QUEUE, "ticket", "t-A001", {}, op="del")
    office.publish(QUEUE, "ticket", "t-A002", ticket("A002"))
    office.floor = 2
    pull(store, office, QUEUE)
    assert waiting(store) == ["A002"]
    assert [command.aggregate for command in store.read(lambda tx: tx.outbox.pending())] == [case.id]


def test_a_ticket_the_authority_takes_away_no_longer_waits(store, office):
    pull(store, office, QUEUE)
    office.publish(QUEUE, "ticket", "t-A001", ticket("A001"))
    office.publish(QUEUE, "ticket", "t-A001", {}, op="del")
    pull(store, office, QUEUE)
    assert waiting(store) == []


def test_a_kill_inside_a_page_repeats_only_what_was_not_committed(store, office):
    pull(store, office, QUEUE)
    for n in range(3 * CHUNK):
        office.publish(QUEUE, "ticket", f"t-A{n:03}", ticket(f"A{n:03}"))
    clock, beats = HandClock(), 0

    def die_in_the_second_slice() -> None:
        nonlocal beats
        beats += 1
        if beats == 3:  # once before the page, once a slice
            raise KeyboardInterrupt

    clock.monotonic = iter(range(1000)).__next__  # every look at the clock is a second: one chunk a slice
    puller = Pull(store, clock, Items())
    with pytest.raises(KeyboardInterrupt):
        puller.scope(office, QUEUE, die_in_the_second_slice)
    assert cursor(store, QUEUE) == ("g1", CHUNK)
    assert len(waiting(store)) == CHUNK
    pull(store, office, QUEUE)
    assert len(waiting(store)) == 3 * CHUNK
    assert office.snapshots == [QUEUE]


def test_a_kill_inside_a_snapshot_leaves_no_cursor(store, office):
    office.publish(QUEUE, "ticket", "t-A001", ticket("A001"))
    beats = 0

    def die_after_the_clearing() -> None:
        nonlocal beats
        beats += 1
        if beats == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Pull(store, HandClock(), Items()).scope(office, QUEUE, die_after_the_clearing)
    assert cursor(store, QUEUE) is None
    pull(store, office, QUEUE)
    assert waiting(store) == ["A001"]


def test_a_kill_while_a_wrong_mirror_is_fetched_leaves_no_cursor_to_half_of_it(store, office):
    office.publish(QUEUE, "ticket", "t-A001", ticket("A001"))
    pull(store, office, QUEUE)

    def die_after_the_clearing() -> None:
        if not waiting(store):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Pull(store, HandClock(), Items()).anew(office, QUEUE, die_after_the_clearing)
    assert cursor(store, QUEUE) is None
    pull(store, office, QUEUE)
    assert waiting(store) == ["A001"]


def test_a_registered_case_gets_its_official_number_once(store, office):
    case = file_case(store, 1)
    office.publish(DEVICE_SCOPE, "case", case.id, registered(case))
    assert pull(store, office, DEVICE_SCOPE) == {"cases"}
    office.publish(DEVICE_SCOPE, "case", case.id, registered(case))
    pull(store, office, DEVICE_SCOPE)
    known = store.read(lambda tx: tx.cases.get(case.id))
    assert (known.sync_state, known.official_number) == (SyncState.REGISTERED, "510700-2026-0001")
    assert known.number == case.number
    events = store.read(lambda tx: tx.timeline.of_case(case.id))
    assert [(event.kind, event.detail) for event in events] == [
        (TimelineKind.REGISTERED, "绵阳市人力资源和社会保障局")
    ]


def test_a_void_case_is_void_here(store, office):
    case = file_case(store, 1)
    office.publish(DEVICE_SCOPE, "case", case.id, registered(case, "void", ""))
    pull(store, office, DEVICE_SCOPE)
    known = store.read(lambda tx: tx.cases.get(case.id))
    assert (known.legal_state, known.sync_state) == (LegalState.VOID, SyncState.REGISTERED)
    assert known.official_number is None


def test_a_case_that_was_registered_and_is_void_says_each_once(store, office):
    case = file_case(store, 1)
    office.publish(DEVICE_SCOPE, "case", case.id, registered(case))
    pull(store, office, DEVICE_SCOPE)
    office.publish(DEVICE_SCOPE, "case", case.id, registered(case, "void"))
    pull(store, office, DEVICE_SCOPE)
    events = store.read(lambda tx: tx.timeline.of_case(case.id))
    assert [event.kind for event in events] == [TimelineKind.REGISTERED, TimelineKind.VOIDED]


def refuse(store, case, command_id: str, code: str) -> None:
    def write(tx) -> None:
        tx.outbox.mark([command_id], CommandState.REFUSED, code)
        tx.cases.save(replace(tx.cases.get(case.id), sync_state=SyncState.REFUSED, refusal=code))

    store.write(write)


def test_a_refused_acceptance_stays_a_task_although_the_case_is_registered(store, office):
    case = file_case(store, 1)
    refuse(store, case, add_command(store, "case.accept", case.id).id, "SYNC-REFUSED")
    office.publish(DEVICE_SCOPE, "case", case.id, registered(case))
    pull(store, office, DEVICE_SCOPE)
    known = store.read(lambda tx: tx.cases.get(case.id))
    assert (known.sync_state, known.refusal) == (SyncState.REFUSED, "SYNC-REFUSED")
    assert known.official_number == "510700-2026-0001"


def test_a_held_filing_that_the_office_settled_is_a_task_no_longer(store, office):
    case = file_case(store, 1)
    [command] = store.read(lambda tx: tx.outbox.pending())
    refuse(store, case, command.id, "SYNC-HELD")
    office.publish(DEVICE_SCOPE, "case", case.id, registered(case))
    pull(store, office, DEVICE_SCOPE)
    known = store.read(lambda tx: tx.cases.get(case.id))
    assert (known.sync_state, known.refusal) == (SyncState.REGISTERED, None)
    assert store.read(lambda tx: tx.outbox.pending()) == ()


def test_a_case_that_is_not_here_is_passed_over(store, office):
    case = file_case(store, 1)
    stranger = registered(case) | {"case_id": "gone"}
    office.publish(DEVICE_SCOPE, "case", "gone", stranger)
    office.publish(DEVICE_SCOPE, "case", case.id, registered(case))
    pull(store, office, DEVICE_SCOPE)
    assert store.read(lambda tx: tx.cases.get(case.id)).sync_state is SyncState.REGISTERED


def test_the_calendar_of_the_hall_is_kept(store, office):
    calendar = {"years": [2026], "holidays": ["2026-10-01"], "make_up_days": ["2026-10-10"]}
    office.publish("hall:MY01", "calendar", "cn", calendar)
    assert pull(store, office, "hall:MY01") == {"calendar"}
    known = store.read(lambda tx: tx.meta.calendar())
    assert not known.is_working(date(2026, 10, 1))
    assert known.is_working(date(2026, 10, 10))


def test_items_reach_the_catalogue_before_their_cursor(store, office):
    pull(store, office, "catalogue")
    office.publish("catalogue", "item", "i1", {"code": "i1", "status": "retired", "version": 2})

    def catalogue_is_busy(items):
        raise Failure("CATALOGUE-IN-USE")

    with pytest.raises(Failure):
        pull(store, office, "catalogue", catalogue_is_busy)
    assert cursor(store, "catalogue") == ("g1", 0)
    items = Items()
    assert pull(store, office, "catalogue", items) == {"catalogue"}
    assert [(item.code, item.status) for item in items.got] == [("i1", "retired")]


def test_a_new_catalogue_file_is_told_although_no_item_came(store, office):
    pull(store, office, "catalogue")
    office.publish("catalogue", "item", "i1", {}, op="del")
    told = []
    assert pull(store, office, "catalogue", told.append) == {"catalogue"}
    assert told == [[]]
    assert pull(store, office, "catalogue", told.append) == frozenset()
    assert told == [[]]


def lost(store, digest: str) -> bool:
    return store.read(lambda tx: tx.lost_cards.holds((digest,)))


def test_lost_cards_come_with_their_salt_and_go_when_taken_back(store, office):
    office.publish(LOST_CARDS, "lost_card_salt", "salt", {"salt": "of the office"})
    office.publish(LOST_CARDS, "lost_card", "l-1", {"digest": "a" * 32})
    assert pull(store, office, LOST_CARDS) == {"lost_cards"}
    assert store.read(lambda tx: tx.meta.get(SALT_KEY)) == "of the office"
    office.publish(LOST_CARDS, "lost_card", "l-2", {"digest": "b" * 32})
    pull(store, office, LOST_CARDS)
    assert lost(store, "a" * 32)
    assert lost(store, "b" * 32)
    office.publish(LOST_CARDS, "lost_card", "l-1", {}, op="del")
    pull(store, office, LOST_CARDS)
    assert not lost(store, "a" * 32)
    assert office.snapshots == [LOST_CARDS]


def test_a_snapshot_of_lost_cards_forgets_those_that_are_not_in_it(store, office):
    office.publish(LOST_CARDS, "lost_card", "l-1", {"digest": "a" * 32})
    pull(store, office, LOST_CARDS)
    office.publish(LOST_CARDS, "lost_card", "l-1", {}, op="del")
    office.publish(LOST_CARDS, "lost_card", "l-2", {"digest": "b" * 32})
    office.floor = 2  # the tombstone is gone from the log
    pull(store, office, LOST_CARDS)
    assert (lost(store, "a" * 32), lost(store, "b" * 32)) == (False, True)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("lost_card", {"digest": "51070419900101123X"}),
        ("lost_card", {"digest": 7}),
        ("lost_card", {}),
        ("lost_card_salt", {"salt": ""}),
    ],
)
def test_a_report_that_cannot_be_read_writes_nothing(store, office, kind, data):
    office.publish(LOST_CARDS, "lost_card", "l-1", {"digest": "a" * 32})
    pull(store, office, LOST_CARDS)
    office.publish(LOST_CARDS, "lost_card", "l-2", {"digest": "b" * 32})
    office.publish(LOST_CARDS, kind, "l-3", data)
    with pytest.raises(Failure) as caught:
        pull(store, office, LOST_CARDS)
    assert caught.value.code == "SYNC-BAD-FACT"
    assert "51070" not in caught.value.detail
    assert not lost(store, "b" * 32)


def test_a_kind_of_a_newer_office_is_passed_over(store, office):
    pull(store, office, QUEUE)
    office.publish(QUEUE, "rating", "r1", {"stars": 5})
    office.publish(QUEUE, "ticket", "t-A001", ticket("A001"))
    pull(store, office, QUEUE)
    assert waiting(store) == ["A001"]
    assert cursor(store, QUEUE) == ("g1", 2)


@pytest.mark.parametrize("data", [{"number": 7}, ticket("A001") | {"state": "flying"}])
def test_a_fact_that_cannot_be_read_writes_nothing_of_its_page(store, office, data):
    pull(store, office, QUEUE)
    office.publish(QUEUE, "ticket", "t-A000", ticket("A000"))
    office.publish(QUEUE, "ticket", "t-A001", data)
    with pytest.raises(Failure) as caught:
        pull(store, office, QUEUE)
    assert caught.value.code == "SYNC-BAD-FACT"
    assert waiting(store) == []


def test_a_twin_that_was_overtaken_writes_nothing(store, office):
    pull(store, office, QUEUE)
    office.publish(QUEUE, "ticket", "t-A001", ticket("A001"))
    honest = office.changes

    def overtaken(*asked):
        page = honest(*asked)
        office.changes = honest
        pull(store, office, QUEUE)
        return page

    office.changes = overtaken
    with pytest.raises(Failure) as caught:
        pull(store, office, QUEUE)
    assert caught.value.code == "SYNC-OVERTAKEN"
    assert cursor(store, QUEUE) == ("g1", 1)
