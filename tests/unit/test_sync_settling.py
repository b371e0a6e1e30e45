"""What the office answered is what the window shows: a refusal is a task, what is held is the office's."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sync_hall import DEVICE, NOW, HandClock, PaperOffice, add_command, file_case, no_beat, open_store

from clerk_app.desk.ports import CommandState
from clerk_app.domain.case import LegalState, SyncState, TimelineKind
from clerk_app.sync.pull import Pull
from clerk_app.sync.push import Push

SCOPE = "device:dev-1"


@pytest.fixture
def store():
    store = open_store()
    yield store
    store.close()


@pytest.fixture
def office():
    return PaperOffice()


def drain(store, office) -> None:
    Push(store, DEVICE, HandClock()).drain(office, no_beat)


def pull(store, office) -> frozenset[str]:
    return Pull(store, HandClock(), lambda items: None).scope(office, SCOPE, no_beat)


def held_case(store, office):
    case = file_case(store, 1)
    office.hold.add(case.id)
    drain(store, office)
    pull(store, office)
    return case


def known(store, case):
    return store.read(lambda tx: tx.cases.get(case.id))


def commands(store):
    return store.read(lambda tx: tx.outbox.pending())


def registered(case) -> dict[str, object]:
    return {
        "case_id": case.id,
        "number": case.number,
        "version": 1,
        "state": "registered",
        "official_number": "510700-2026-0001",
        "routed_to": "绵阳市人力资源和社会保障局",
        "registered_at": NOW.isoformat(),
    }


def test_what_the_office_holds_is_not_asked_of_the_clerk_nor_sent_again(store, office):
    case = held_case(store, office)
    assert (known(store, case).sync_state, known(store, case).refusal) == (SyncState.HELD, None)
    assert [(c.state, c.code) for c in commands(store)] == [(CommandState.HELD, "SYNC-HELD")]
    assert store.read(lambda tx: tx.outbox.state()).tasks == 0
    drain(store, office)
    assert office.batches == [[1]]


def test_the_owed_answer_settles_it_as_an_answer_at_once_would_have(store, office):
    case = held_case(store, office)
    [command] = commands(store)
    office.answer_owed(command.id)
    office.publish(SCOPE, "case", case.id, registered(case))
    assert pull(store, office) == {"cases", "outbox"}
    assert commands(store) == ()
    assert known(store, case).sync_state is SyncState.REGISTERED
    kinds = [event.kind for event in store.read(lambda tx: tx.timeline.of_case(case.id))]
    assert kinds == [TimelineKind.SENT, TimelineKind.REGISTERED]


def test_an_owed_answer_alone_says_sent_not_registered(store, office):
    case = held_case(store, office)
    office.answer_owed(commands(store)[0].id)
    pull(store, office)
    assert known(store, case).sync_state is SyncState.SENT


def test_an_owed_refusal_becomes_a_task(store, office):
    case = held_case(store, office)
    office.answer_owed(commands(store)[0].id, "refused", "DESK-ITEM-RETIRED")
    pull(store, office)
    assert (known(store, case).sync_state, known(store, case).refusal) == (
        SyncState.REFUSED,
        "DESK-ITEM-RETIRED",
    )
    assert commands(store)[0].state is CommandState.REFUSED


def test_a_held_answer_that_was_on_its_way_longer_takes_nothing_back(store, office):
    case = held_case(store, office)
    [command] = commands(store)
    office.answer_owed(command.id, "refused", "DESK-ITEM-RETIRED")
    pull(store, office)
    office.last_seq = 0  # the same push once more, answered as it was
    file_case(store, 2)
    drain(store, office)
    assert known(store, case).sync_state is SyncState.REFUSED
    assert store.read(lambda tx: tx.outbox.get(command.id)).state is CommandState.REFUSED


def test_an_owed_answer_that_overtakes_the_push_settles_what_is_still_on_its_way(store, office):
    case = file_case(store, 1)
    [command] = commands(store)
    store.write(lambda tx: tx.outbox.mark([command.id], CommandState.SENT))
    office.answer_owed(command.id)
    office.publish(SCOPE, "case", case.id, registered(case))
    pull(store, office)
    assert commands(store) == ()


def test_an_answer_of_a_kind_to_come_is_passed_over(store, office):
    case = held_case(store, office)
    office.answer_owed(commands(store)[0].id, "postponed")
    pull(store, office)
    assert known(store, case).sync_state is SyncState.HELD


def test_a_held_acceptance_leaves_the_case_registered(store, office):
    case = file_case(store, 1)
    drain(store, office)
    office.publish(SCOPE, "case", case.id, registered(case))
    pull(store, office)
    add_command(store, "case.accept", case.id)
    office.hold.add(case.id)
    drain(store, office)
    assert known(store, case).sync_state is SyncState.REGISTERED
    assert [c.state for c in commands(store)] == [CommandState.HELD]


def test_held_commands_go_on_under_a_new_epoch(store, office):
    held_case(store, office)
    [command] = commands(store)
    store.write(lambda tx: tx.meta.set_device(replace(DEVICE, epoch=2)))
    [again] = store.read(lambda tx: tx.outbox.next_batch())
    assert (again.id, again.seq, again.state) == (command.id, 1, CommandState.SENT)


def test_a_settled_refusal_stays_settled_when_a_restored_office_refuses_it_again(store, office):
    case = file_case(store, 1)
    office.refuse[case.id] = "DESK-ITEM-RETIRED"
    drain(store, office)
    settle_by_hand(store, case)
    office.last_seq = 0
    office.commands.clear()
    file_case(store, 2)
    drain(store, office)
    assert commands(store) == ()


def test_a_voided_case_that_a_restored_office_registers_after_all_is_voided_there(store, office):
    case = file_case(store, 1)
    office.refuse[case.id] = "DESK-ITEM-RETIRED"
    drain(store, office)
    settle_by_hand(store, case)
    office.last_seq = 0
    office.commands.clear()
    office.refuse.clear()
    file_case(store, 2)
    drain(store, office)
    sent = [
        (c.type, c.body["case_id"], c.body.get("reason")) for push in office.pushes for c in push.commands
    ][-1]
    assert sent == ("case.void", case.id, "wrong item")


def settled_during_push(store, office, case, nth: int) -> None:
    """The clerk voids the refused case after the `nth` push was loaded, before its answer is written."""

    def count(call: str) -> None:
        if call == "push" and len(office.pushes) == nth - 1:
            settle_by_hand(store, case)

    office.before = count


def test_what_was_settled_while_its_answer_was_on_the_way_is_no_task_again(store, office):
    case = file_case(store, 1)
    office.refuse[case.id] = "DESK-ITEM-RETIRED"
    drain(store, office)
    add_command(store, "case.accept", case.id)
    settled_during_push(store, office, case, 2)
    drain(store, office)
    assert commands(store) == ()


def test_a_case_voided_while_a_restored_office_registers_it_is_voided_there(store, office):
    case = file_case(store, 1)
    office.refuse[case.id] = "DESK-ITEM-RETIRED"
    drain(store, office)
    restored = PaperOffice()
    settled_during_push(store, restored, case, 2)  # the first is told of the gap
    Push(store, DEVICE, HandClock()).drain(restored, no_beat, probe=True)
    assert [(c.type, c.body["case_id"]) for c in restored.pushes[-1].commands] == [("case.void", case.id)]


def settle_by_hand(store, case) -> None:
    def settle(tx) -> None:
        tx.outbox.mark([c.id for c in tx.outbox.pending()], CommandState.SETTLED)
        voided = replace(tx.cases.get(case.id), legal_state=LegalState.VOID, void_reason="wrong item")
        tx.cases.save(voided)

    store.write(settle)


def test_what_a_restored_office_refuses_although_it_had_applied_it_becomes_a_task(store, office):
    case = file_case(store, 1)
    drain(store, office)
    office.publish(SCOPE, "case", case.id, registered(case))
    pull(store, office)
    lost = PaperOffice()
    lost.refuse[case.id] = "OFFICE-NO-ITEM"
    Push(store, DEVICE, HandClock()).drain(lost, no_beat, probe=True)
    add_command(store, "case.void", case.id)
    drain(store, lost)
    assert known(store, case).sync_state is SyncState.REFUSED
    assert next(c.state for c in commands(store)) is CommandState.REFUSED


def test_an_owed_refusal_of_what_was_applied_before_becomes_a_task(store, office):
    case = file_case(store, 1)
    drain(store, office)
    [command] = store.read(lambda tx: tx.outbox.since(1))
    office.answer_owed(command.id, "refused", "OFFICE-NO-ITEM")
    pull(store, office)
    assert known(store, case).sync_state is SyncState.REFUSED
    assert [c.id for c in commands(store)] == [command.id]
