"""An office that lost its memory is given proofs, what it had answered, and what was registered there."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest
from sync_hall import DEVICE, NOW, HandClock, PaperOffice, add_command, file_case, no_beat, open_store

from clerk_app.desk.ports import Attachment, Operator, Seal
from clerk_app.domain.ids import uuid7
from clerk_app.domain.numbering import NumberBlock
from clerk_app.failures import Failure
from clerk_app.sync.exchange import Exchange
from clerk_app.sync.protocol import Problem
from clerk_app.sync.pull import Pull
from clerk_app.sync.push import Push
from clerk_app.sync.transport import OfficeFailure

SCOPE = "device:dev-1"


@pytest.fixture
def store():
    store = open_store()
    yield store
    store.close()


@pytest.fixture
def office():
    return PaperOffice()


def drain(store, office, **options) -> bool:
    return Push(store, DEVICE, HandClock()).drain(office, no_beat, **options)


def register(store, office, case) -> None:
    data = {
        "case_id": case.id,
        "number": case.number,
        "version": 1,
        "state": "registered",
        "official_number": f"510700-{case.number}",
        "routed_to": "",
        "registered_at": NOW.isoformat(),
    }
    office.publish(SCOPE, "case", case.id, data)
    Pull(store, HandClock(), lambda items: None).scope(office, SCOPE, no_beat)


def uploaded_page(store, case) -> None:
    page = Attachment(
        uuid7(), case.id, "身份证", 1, 1240, 1754, 4, sha256(b"page").hexdigest(), NOW, "camera"
    )

    def work(tx) -> None:
        tx.attachments.add(page, b"page")
        tx.attachments.uploaded(page.id, NOW)

    store.write(work)


def restore(office, last_seq: int) -> None:
    """The office forgets everything after `last_seq`."""
    office.last_seq = last_seq
    kept = {k: r for k, r in office.commands.items() if r.seq <= last_seq}
    office.commands = kept
    office.applied = office.applied[:last_seq]


def test_a_push_brings_the_grants_and_leases_that_it_needs(store, office):
    grant = Operator("1024", "王芳", frozenset({"accept"}), NOW + timedelta(hours=72), grant=Seal("g", "00"))
    other = Operator("2048", "赵敏", frozenset(), NOW, grant=Seal("not needed", "00"))

    def prepare(tx) -> None:
        tx.operators.save(grant, "verifier")
        tx.operators.save(other, "verifier")
        tx.numbers.add(NumberBlock("b1", 1, 500, 501, 1), Seal("used", "11"))
        tx.numbers.add(NumberBlock("b2", 501, 1000, 1001, 1), Seal("long ago", "22"))
        tx.numbers.add(NumberBlock("b3", 1001, 1500, 1001, 1), Seal("in reserve", "33"))

    store.write(prepare)
    file_case(store, 7)
    drain(store, office)
    assert [proof.text for proof in office.pushes[0].proofs] == ["g", "used", "in reserve"]


def test_who_approved_without_the_office_is_vouched_for_too(store, office):
    def known(tx) -> None:
        for staff_no in ("1024", "3001"):
            clerk = Operator(staff_no, "王芳", frozenset({"accept"}), NOW, grant=Seal(f"g{staff_no}", "00"))
            tx.operators.save(clerk, "verifier")
        void = {"case_id": case.id, "approved_by": "3001"}
        tx.outbox.add("case.void", case.id, void, at=NOW, operator="1024")

    case = file_case(store, 1)
    store.write(known)
    Push(store, DEVICE, HandClock()).drain(office, no_beat)
    assert [proof.text for proof in office.pushes[0].proofs] == ["g1024", "g3001"]


def test_a_filing_that_is_sent_again_says_what_the_office_had_given_it(store, office):
    cases = [file_case(store, serial) for serial in (1, 2)]
    drain(store, office)
    register(store, office, cases[0])
    assert [c.earlier for c in office.pushes[0].commands] == [{}, {}]
    restore(office, 0)
    file_case(store, 3)
    drain(store, office)
    earlier = [c.earlier for c in office.pushes[-1].commands]
    assert earlier == [{"official_number": f"510700-{cases[0].number}"}, {}, {}]


def test_what_retention_took_is_a_hole_the_office_passes_over(store, office):
    cases = [file_case(store, serial) for serial in range(1, 7)]
    drain(store, office)
    for seq in (2, 3, 5):
        purge(store, seq)
    restore(office, 1)
    new = file_case(store, 7)
    drain(store, office)
    assert office.applied == [cases[0].id, cases[3].id, cases[5].id, new.id]
    assert store.read(lambda tx: tx.outbox.pending()) == ()


def test_a_command_kept_among_those_retention_took_is_not_passed_over(store, office):
    cases = [file_case(store, serial) for serial in range(1, 5)]
    drain(store, office)
    for seq in (1, 2, 4):
        purge(store, seq)
    restore(office, 0)
    new = file_case(store, 5)
    drain(store, office)
    assert [push.purged_through for push in office.pushes[1:]] == [2, 2, 4]
    assert office.applied == [cases[2].id, new.id]
    assert store.read(lambda tx: tx.outbox.pending()) == ()


def test_an_outbox_that_retention_emptied_blocks_nothing(store, office):
    for serial in (1, 2):
        file_case(store, serial)
    drain(store, office)
    purge(store, 1)
    purge(store, 2)
    restore(office, 0)
    assert not drain(store, office, probe=True)
    new = file_case(store, 3)
    drain(store, office)
    assert office.applied == [new.id]
    assert office.batches[-1] == [3]


def purge(store, seq: int) -> None:
    """What retention does to an answered command, in SQL of its own."""
    from sqlalchemy import delete

    from clerk_app.store.repositories.meta import purged_key
    from clerk_app.store.tables import outbox

    def work(tx) -> None:
        tx.meta._sql.execute(delete(outbox).where(outbox.c.seq == seq))
        tx.meta.set(purged_key(1), str(max(seq, int(tx.meta.get(purged_key(1)) or 0))))

    store.write(work)


def test_an_older_office_that_passes_over_no_hole_is_not_asked_in_a_ring(store, office):
    for serial in (1, 2, 3):
        file_case(store, serial)
    drain(store, office)
    purge(store, 2)

    def missing(name: str) -> None:
        raise OfficeFailure("SYNC-GAP", problem=Problem("GAP", expected_seq=2))

    office.before = missing
    file_case(store, 4)
    with pytest.raises(Failure) as caught:
        drain(store, office)
    assert caught.value.code == "SYNC-GAP"


def test_a_hole_that_nobody_made_is_told_to_a_person(store, office):
    for serial in (1, 2, 3):
        file_case(store, serial)
    drain(store, office)
    purge(store, 2)
    store.write(lambda tx: tx.meta.set("purged_through:1", "0"))
    restore(office, 1)
    file_case(store, 4)
    with pytest.raises(Failure) as caught:
        drain(store, office)
    assert caught.value.code == "SYNC-GAP"


def test_a_window_with_nothing_to_send_notices_a_restored_office_at_its_start(store, office):
    case = file_case(store, 1)
    drain(store, office)
    restore(office, 0)
    assert drain(store, office, probe=True)
    assert office.applied == [case.id]


def exchange(store) -> Exchange:
    clock = HandClock()
    return Exchange(
        store, DEVICE, clock, wall=clock.now, on_items=lambda items: None, on_changed=lambda c: None
    )


def test_a_restored_office_that_shows_itself_by_a_new_generation_gets_its_cases_again(store, office):
    sync = exchange(store)
    case = file_case(store, 1)
    sync.cycle(office, no_beat)
    register(store, office, case)
    restore(office, 0)
    office.log.clear()
    office.generation = "g2"
    sync.cycle(office, no_beat)  # nothing waits, nothing was filed
    assert office.applied == [case.id]


def test_a_case_answered_but_not_yet_registered_here_goes_up_again_in_a_new_epoch(store, office):
    case = file_case(store, 1)
    drain(store, office)
    store.write(lambda tx: tx.meta.set_device(replace(DEVICE, epoch=2)))
    restored = PaperOffice()
    Pull(store, HandClock(), lambda items: None).scope(restored, SCOPE, no_beat)
    Push(store, replace(DEVICE, epoch=2), HandClock()).drain(restored, no_beat)
    assert restored.applied == [case.id]


def test_cases_of_an_earlier_epoch_that_the_office_lost_go_up_in_this_one(store, office, caplog):
    case = file_case(store, 1)
    add_command(store, "case.accept", case.id)
    kept = file_case(store, 2)
    drain(store, office)
    register(store, office, case)
    register(store, office, kept)
    store.write(lambda tx: tx.meta.set_device(replace(DEVICE, epoch=2)))
    restored = PaperOffice()
    restored.log[SCOPE] = [change for change in office.log[SCOPE] if change.id == kept.id]
    restored.generation = "g2"
    Pull(store, HandClock(), lambda items: None).scope(restored, SCOPE, no_beat)
    assert "SYNC-RESTORED" in caplog.text
    Push(store, replace(DEVICE, epoch=2), HandClock()).drain(restored, no_beat)
    assert restored.batches == [[1, 2]]
    assert restored.applied == [case.id, case.id]
    assert restored.pushes[0].commands[0].earlier == {"official_number": f"510700-{case.number}"}
    assert store.read(lambda tx: tx.outbox.pending()) == ()


def test_what_was_done_to_a_case_the_office_still_has_goes_up_again_after_a_new_epoch(store, office):
    kept = file_case(store, 1)
    add_command(store, "case.accept", kept.id)
    add_command(store, "ticket.done", kept.id)
    drain(store, office)
    register(store, office, kept)
    store.write(lambda tx: tx.meta.set_device(replace(DEVICE, epoch=2)))
    restored = PaperOffice()
    restored.log[SCOPE] = list(office.log[SCOPE])
    restored.generation = "g2"
    Pull(store, HandClock(), lambda items: None).scope(restored, SCOPE, no_beat)
    Push(store, replace(DEVICE, epoch=2), HandClock()).drain(restored, no_beat)
    assert [command.type for command in restored.pushes[0].commands] == ["case.accept"]
    assert store.read(lambda tx: tx.outbox.pending()) == ()


def test_a_whole_device_scope_of_the_same_office_sends_nothing_again(store, office):
    kept = file_case(store, 1)
    add_command(store, "case.accept", kept.id)
    drain(store, office)
    register(store, office, kept)
    store.write(lambda tx: tx.meta.set_device(replace(DEVICE, epoch=2)))
    Pull(store, HandClock(), lambda items: None).anew(office, SCOPE, no_beat)
    assert store.read(lambda tx: tx.outbox.pending()) == ()


def test_a_kill_at_any_write_of_a_whole_scope_leaves_nothing_lost(store, office):
    class Killed(Exception):
        pass

    class MortalStore:
        def __init__(self, writes: int) -> None:
            self.read = store.read
            self._left = writes

        def write(self, work):
            result = store.write(work)
            self._left -= 1
            if self._left == 0:
                raise Killed
            return result

    case = file_case(store, 1)
    drain(store, office)
    register(store, office, case)
    uploaded_page(store, case)
    store.write(lambda tx: tx.meta.set_device(replace(DEVICE, epoch=2)))
    restored = PaperOffice()
    restored.generation = "g2"
    for writes in range(1, 4):
        with suppress(Killed):
            Pull(MortalStore(writes), HandClock(), lambda items: None).scope(restored, SCOPE, no_beat)
    Pull(store, HandClock(), lambda items: None).scope(restored, SCOPE, no_beat)
    Push(store, replace(DEVICE, epoch=2), HandClock()).drain(restored, no_beat)
    assert restored.applied == [case.id]
    (page,) = store.read(lambda tx: tx.attachments.of_case(case.id))
    assert page.uploaded_at is None, "its pages are asked for again, too"


def test_answers_of_a_restored_office_that_were_lost_are_asked_for_again(store, office):
    case = file_case(store, 1)
    office.hold.add(case.id)
    drain(store, office)
    restored = PaperOffice()  # it knows nothing of the command, and owes no answer for it

    def lose(name: str) -> None:
        if name == "push":
            restored.after = lambda _: None
            raise OfficeFailure("SYNC-OFFLINE")

    restored.after = lose
    with suppress(OfficeFailure):
        drain(store, restored, probe=True)
    assert restored.last_seq == 1, "the office counts it as answered"
    drain(store, restored)
    assert store.read(lambda tx: tx.outbox.pending()) == ()
    restored.batches.clear()
    drain(store, restored)
    assert restored.batches == []
