"""Intents go up once each, in order, and a refusal stops nobody else."""

from __future__ import annotations

import pytest
from sync_hall import DEVICE, HandClock, PaperOffice, add_command, file_case, no_beat, open_store

from clerk_app.desk.ports import CommandState
from clerk_app.domain.case import SyncState, TimelineKind
from clerk_app.failures import Failure
from clerk_app.sync.protocol import MAX_PUSH_BYTES, CommandResult, Problem, PushAnswer
from clerk_app.sync.push import Push
from clerk_app.sync.transport import OfficeFailure


@pytest.fixture
def store():
    store = open_store()
    yield store
    store.close()


@pytest.fixture
def office():
    return PaperOffice()


def drain(store, office) -> bool:
    return Push(store, DEVICE, HandClock()).drain(office, no_beat)


def state(store, case):
    return store.read(lambda tx: tx.cases.get(case.id)).sync_state


def test_everything_waiting_is_sent_in_dense_batches(store, office):
    for serial in range(1, 251):
        file_case(store, serial)
    assert drain(store, office)
    assert [(seqs[0], seqs[-1]) for seqs in office.batches] == [(1, 100), (101, 200), (201, 250)]
    assert store.read(lambda tx: tx.outbox.pending()) == ()
    assert not drain(store, office)


def test_a_push_stays_within_its_bytes(store, office):
    for serial in range(1, 9):
        file_case(store, serial, {"note": "宽" * (MAX_PUSH_BYTES // 3 // 3)})
    drain(store, office)
    assert [len(seqs) for seqs in office.batches] == [2, 2, 2, 2]


def test_a_command_beyond_the_limit_goes_alone(store, office):
    file_case(store, 1)
    file_case(store, 2, {"note": "x" * (MAX_PUSH_BYTES + 1)})
    file_case(store, 3)
    drain(store, office)
    assert office.batches == [[1], [2], [3]]


def test_commands_are_marked_sent_before_the_first_byte_leaves(store, office):
    case = file_case(store, 1)
    seen = []

    def look(name: str) -> None:
        command = store.read(lambda tx: tx.outbox.pending())[0]
        seen.append((command.state, state(store, case)))

    office.before = look
    drain(store, office)
    assert seen == [(CommandState.SENT, SyncState.SENT)]
    events = store.read(lambda tx: tx.timeline.of_case(case.id))
    assert [event.kind for event in events] == [TimelineKind.SENT]


def test_a_lost_answer_is_replayed_and_nothing_is_doubled(store, office):
    case = file_case(store, 1)
    lost = OfficeFailure("SYNC-OFFLINE")

    def lose(name: str) -> None:
        raise lost

    office.after = lose
    with pytest.raises(OfficeFailure):
        drain(store, office)
    assert state(store, case) is SyncState.SENT
    office.after = lambda name: None
    drain(store, office)
    assert office.applied == [case.id]
    assert office.batches == [[1], [1]]
    assert store.read(lambda tx: tx.outbox.pending()) == ()


def test_a_refused_case_holds_back_its_own_commands_only(store, office):
    bad, good = file_case(store, 1), None
    add_command(store, "case.accept", bad.id)
    good = file_case(store, 2)
    office.refuse[bad.id] = "DESK-ITEM-RETIRED"
    drain(store, office)

    assert office.applied == [good.id]
    refused = store.read(lambda tx: tx.cases.get(bad.id))
    assert (refused.sync_state, refused.refusal) == (SyncState.REFUSED, "DESK-ITEM-RETIRED")
    assert state(store, good) is SyncState.SENT
    pending = store.read(lambda tx: tx.outbox.pending())
    assert [(command.state, command.code) for command in pending] == [
        (CommandState.REFUSED, "DESK-ITEM-RETIRED"),
        (CommandState.REFUSED, "SYNC-REFUSED"),
    ]
    events = [event.kind for event in store.read(lambda tx: tx.timeline.of_case(bad.id))]
    assert TimelineKind.REFUSED in events
    later = file_case(store, 3)
    drain(store, office)
    assert office.applied == [good.id, later.id]


def test_an_unknown_code_is_shown_as_one_the_clerk_can_act_on(store, office):
    case = file_case(store, 1)
    office.refuse[case.id] = "SOME-NEWER-CODE"
    drain(store, office)
    assert store.read(lambda tx: tx.cases.get(case.id)).refusal == "SYNC-REFUSED"
    events = store.read(lambda tx: tx.timeline.of_case(case.id))
    assert events[-1].detail == "SOME-NEWER-CODE"


def test_an_office_restored_from_a_backup_gets_what_it_lost(store, office):
    cases = [file_case(store, serial) for serial in range(1, 6)]
    drain(store, office)
    office.last_seq = 2
    for result in list(office.commands.values())[2:]:
        del office.commands[result.id]
    del office.applied[2:]
    cases.append(file_case(store, 6))
    drain(store, office)
    assert office.applied == [case.id for case in cases]
    assert store.read(lambda tx: tx.outbox.pending()) == ()


def test_an_office_that_asks_for_the_impossible_is_told_to_a_person(store, office):
    file_case(store, 1)

    def ahead(name: str) -> None:
        raise OfficeFailure("SYNC-GAP", problem=Problem("GAP", expected_seq=5))

    office.before = ahead
    with pytest.raises(Failure) as caught:
        drain(store, office)
    assert caught.value.code == "SYNC-GAP"


def test_a_slow_link_carries_shorter_batches_until_it_is_well_again(store, office):
    for serial in range(1, 13):
        file_case(store, serial)
    push = Push(store, DEVICE, HandClock())

    def slow(name: str) -> None:
        raise OfficeFailure("SYNC-SLOW")

    office.before = slow
    with pytest.raises(OfficeFailure):
        push.drain(office, no_beat)
    office.before = lambda name: None
    push.drain(office, no_beat)
    assert [len(seqs) for seqs in office.batches] == [6, 6]


def test_results_of_other_commands_are_not_believed(store, office):
    case = file_case(store, 1)
    office.push = lambda request: PushAnswer(1, [CommandResult(1, "someone-else", "applied")])
    with pytest.raises(Failure) as caught:
        drain(store, office)
    assert caught.value.code == "SYNC-NOT-OFFICE"
    assert state(store, case) is SyncState.SENT
