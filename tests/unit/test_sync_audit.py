"""The audit chain goes up with the pushes, or alone; no case waits for it."""

from __future__ import annotations

import json
from dataclasses import replace

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sync_hall import DEVICE, NOW, HandClock, PaperOffice, file_case, no_beat, open_store

from clerk_app.sync.audit import COUNTERSIGN_KEY, MAX_BYTES, REFUSED_SECONDS
from clerk_app.sync.protocol import MAX_AUDIT, MAX_PUSH_BYTES, Sealed
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


def act(store, count: int, detail: str = "") -> None:
    def add(tx) -> None:
        for number in range(count):
            tx.audit.add(at=NOW, actor="1024", act="reveal", subject=f"MY01-{number}", detail=detail)

    store.write(add)


def hashes(store) -> list[str]:
    return [record.hash for record in store.read(lambda tx: tx.audit.after(0, 10_000))]


def meta(store, key: str) -> str | None:
    return store.read(lambda tx: tx.meta.get(key))


def test_links_go_with_the_commands_and_alone(store, office):
    push = Push(store, DEVICE, HandClock())
    act(store, 3)
    file_case(store, 1)
    push.drain(office, no_beat)
    assert [(len(p.commands), len(p.audit)) for p in office.pushes] == [(1, 3)]
    act(store, 2)
    assert not push.drain(office, no_beat)
    assert [(len(p.commands), len(p.audit)) for p in office.pushes] == [(1, 3), (0, 2)]
    push.drain(office, no_beat)
    assert len(office.pushes) == 2
    assert office.audit == hashes(store)


def test_all_pushes_of_a_cache_name_one_chain(store, office):
    for _ in range(2):  # a restart in between
        act(store, 1)
        Push(store, DEVICE, HandClock()).drain(office, no_beat)
    chains = {push.audit_chain for push in office.pushes}
    assert len(chains) == 1
    assert "" not in chains


def test_a_long_chain_goes_in_pieces(store, office):
    act(store, MAX_AUDIT + 10)
    Push(store, DEVICE, HandClock()).drain(office, no_beat)
    assert [len(push.audit) for push in office.pushes] == [MAX_AUDIT, 10]


def test_long_details_leave_room_for_the_commands(store, office):
    act(store, 60, "x" * 10_000)
    for serial in range(1, 101):
        file_case(store, serial)
    Push(store, DEVICE, HandClock()).drain(office, no_beat)
    assert all(len(msgspec.json.encode(push.audit)) <= MAX_BYTES for push in office.pushes)
    assert len(office.pushes[0].commands) == 100
    assert office.audit == hashes(store)


def test_links_and_long_cases_together_are_no_longer_than_a_push_may_be(store, office):
    act(store, 12, "x" * 10_000)
    for serial in range(1, 9):
        file_case(store, serial, {"note": "x" * 60_000})
    Push(store, DEVICE, HandClock()).drain(office, no_beat)
    assert len(office.pushes[0].audit) == 12
    assert all(len(msgspec.json.encode(push)) <= MAX_PUSH_BYTES for push in office.pushes)


@pytest.mark.parametrize("work", [act, file_case], ids=["with a link to send", "with none"])
def test_a_restored_office_gets_again_the_links_it_lost(store, office, work):
    push = Push(store, DEVICE, HandClock())
    act(store, 5)
    push.drain(office, no_beat)
    del office.audit[2:]
    work(store, 1)
    push.drain(office, no_beat)
    assert office.audit == hashes(store)


def test_links_the_office_does_not_take_are_not_sent_all_day(store, office, caplog):
    clock = HandClock()
    push = Push(store, DEVICE, clock)
    office.audit = ["another chain"] * 3
    act(store, 3)
    file_case(store, 1)
    office.push = stubborn(office)
    push.drain(office, no_beat)
    pushes = len(office.pushes)
    push.drain(office, no_beat)
    assert len(office.pushes) == pushes
    assert "did not take audit links" in caplog.text
    assert len(office.applied) == 1
    clock.pass_(REFUSED_SECONDS)
    push.drain(office, no_beat)
    assert len(office.pushes) == pushes + 1


def stubborn(office):
    honest = office.push
    return lambda request: replace(honest(request), audit_through=0)


def test_a_chain_shorter_than_the_offices_is_told_and_stops_nothing(store, office, caplog):
    office.audit = ["known before this cache was put back"] * 9
    act(store, 3)
    file_case(store, 1)
    Push(store, DEVICE, HandClock()).drain(office, no_beat)
    assert "more audit links than this workstation" in caplog.text
    assert len(office.applied) == 1


def test_a_slow_link_carries_fewer_links_along(store, office):
    push = Push(store, DEVICE, HandClock())
    act(store, 100)
    for serial in range(1, 21):
        file_case(store, serial)

    def slow(name: str) -> None:
        raise OfficeFailure("SYNC-SLOW")

    office.before = slow
    for _ in range(3):
        with pytest.raises(OfficeFailure):
            push.drain(office, no_beat)
    office.before = lambda name: None
    push.drain(office, no_beat)
    assert (len(office.pushes[0].commands), len(office.pushes[0].audit)) == (2, 10)


def countersigning(office, key, **changes):
    honest = office.push

    def push(request):
        answer = honest(request)
        told = {"what": "head", "device": "dev-1", "chain": request.audit_chain, "n": answer.audit_through}
        text = json.dumps(told | {"head": office.audit[-1]} | changes)
        return replace(answer, countersign=Sealed(text, key.sign(text.encode()).hex()))

    return push


@pytest.mark.parametrize("lie", [{}, {"head": "00" * 32}, {"chain": "another"}, {"device": "dev-2"}])
def test_only_the_offices_word_on_this_chain_is_kept(store, office, lie):
    key = Ed25519PrivateKey.generate()
    device = replace(DEVICE, seal_key=key.public_key().public_bytes_raw().hex())
    office.push = countersigning(office, key, **lie)
    act(store, 2)
    Push(store, device, HandClock()).drain(office, no_beat)
    assert bool(meta(store, COUNTERSIGN_KEY)) == (not lie)


def test_a_countersign_by_another_key_is_not_kept(store, office):
    key = Ed25519PrivateKey.generate()
    device = replace(DEVICE, seal_key=key.public_key().public_bytes_raw().hex())
    office.push = countersigning(office, Ed25519PrivateKey.generate())
    act(store, 2)
    Push(store, device, HandClock()).drain(office, no_beat)
    assert meta(store, COUNTERSIGN_KEY) is None
