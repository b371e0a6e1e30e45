"""A block in use, one in reserve, emergency numbers behind both; no answer that was lost costs a number."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sync_hall import DEVICE, NOW, PaperOffice, open_store

from clerk_app.domain.numbering import FIRST_EMERGENCY
from clerk_app.failures import Failure
from clerk_app.sync.blocks import keep_ahead, report_void
from clerk_app.sync.protocol import BlockAnswer, Sealed
from clerk_app.sync.transport import OfficeFailure


@pytest.fixture
def store():
    store = open_store()
    yield store
    store.close()


def take(store, count: int) -> list[int]:
    return store.write(lambda tx: [tx.numbers.take() for _ in range(count)])


def test_one_block_in_use_and_one_in_reserve(store):
    office = PaperOffice()
    assert keep_ahead(office, store, DEVICE, size=10)
    assert office.next_serial == 21
    take(store, 5)
    assert not keep_ahead(office, store, DEVICE, size=10)
    take(store, 1)  # half of the block in use is gone
    assert keep_ahead(office, store, DEVICE, size=10)
    assert take(store, 24) == [*range(7, 31)]


def test_fault_22_a_lost_answer_is_asked_for_under_the_same_number_also_after_a_restart(store):
    office = PaperOffice()

    def lose(name: str) -> None:
        raise OfficeFailure("SYNC-OFFLINE")

    office.after = lose
    for _ in range(3):
        with pytest.raises(OfficeFailure):
            keep_ahead(office, store, DEVICE, size=10)
    assert list(office.blocks) == [1]
    office.after = lambda name: None
    assert keep_ahead(office, store, DEVICE, size=10)
    assert office.next_serial == 21
    assert take(store, 20) == [*range(1, 21)]


def test_a_lost_answer_about_emergency_numbers_is_asked_for_as_such(store):
    office = PaperOffice()

    def lose(name: str) -> None:
        if len(office.blocks) == 3:
            raise OfficeFailure("SYNC-OFFLINE")

    office.after = lose
    with pytest.raises(OfficeFailure):
        keep_ahead(office, store, DEVICE, size=10, emergency=True)
    take(store, 12)  # ordinary ones are short again, but the open request is of the other kind
    office.after = lambda name: None
    assert keep_ahead(office, store, DEVICE, size=10, emergency=True)
    assert [block.kind for block in office.blocks.values()] == ["case", "case", "emergency", "case"]


def test_the_requests_number_is_on_disk_before_the_question_leaves(store):
    office = PaperOffice()
    seen = []
    office.before = lambda name: seen.append(store.read(lambda tx: tx.meta.get("block_asked")))
    keep_ahead(office, store, DEVICE, size=10)
    assert seen == ["1", "2"]


def test_fault_21_emergency_numbers_are_used_only_when_no_other_is_left(store):
    office = PaperOffice()
    keep_ahead(office, store, DEVICE, size=10, emergency=True)
    taken = take(store, 30)
    assert taken == [*range(1, 21), *range(FIRST_EMERGENCY, FIRST_EMERGENCY + 10)]
    with pytest.raises(Failure) as caught:
        take(store, 1)
    assert caught.value.code == "STORE-NO-NUMBERS"
    keep_ahead(office, store, DEVICE, size=10, emergency=True)
    assert take(store, 1) == [21]


def test_an_office_that_has_no_emergency_numbers_is_not_asked_for_them(store):
    office = PaperOffice()
    keep_ahead(office, store, DEVICE, size=10)
    assert {block.kind for block in store.read(lambda tx: tx.numbers.blocks())} == {"case"}


def test_the_rest_of_an_old_epochs_blocks_is_never_used_and_reported_once(store):
    office = PaperOffice()
    keep_ahead(office, store, DEVICE, size=10)
    take(store, 3)
    store.write(lambda tx: tx.meta.set_device(replace(DEVICE, epoch=2)))
    with pytest.raises(Failure) as caught:
        take(store, 1)
    assert caught.value.code == "STORE-NO-NUMBERS"
    assert report_void(store, NOW)
    assert not report_void(store, NOW)
    told = [(c.type, dict(c.body)) for c in store.read(lambda tx: tx.outbox.next_batch())]
    assert told == [
        ("numbers.void", {"low": 4, "high": 10, "reason": "new-epoch"}),
        ("numbers.void", {"low": 11, "high": 20, "reason": "new-epoch"}),
    ]


@pytest.mark.parametrize(
    ("block", "code"),
    [
        (BlockAnswer("b2", 5, 14, 1), "STORE-BLOCK-OVERLAP"),
        (BlockAnswer("b2", 30, 21, 1), "SYNC-BAD-BLOCK"),
        (BlockAnswer("b2", 21, 30, 2), "SYNC-BAD-BLOCK"),
        (BlockAnswer("b2", 21, 30, 1, "emergency"), "SYNC-BAD-BLOCK"),
        (BlockAnswer("b2", FIRST_EMERGENCY, FIRST_EMERGENCY + 9, 1), "SYNC-BAD-BLOCK"),
    ],
    ids=["overlap", "upside down", "another epoch", "another kind", "emergency numbers as ordinary ones"],
)
def test_numbers_that_are_not_ours_are_not_used(store, block, code):
    office = PaperOffice()
    keep_ahead(office, store, DEVICE, size=10)
    take(store, 6)
    office.block = lambda request: block
    with pytest.raises(Failure) as caught:
        keep_ahead(office, store, DEVICE, size=10)
    assert caught.value.code == code
    assert len(store.read(lambda tx: tx.numbers.blocks())) == 2


def test_a_lease_of_another_block_is_not_kept(store):
    key = Ed25519PrivateKey.generate()
    device = replace(DEVICE, seal_key=key.public_key().public_bytes_raw().hex())

    def sealed(**changes: object) -> Sealed:
        told = {"what": "lease", "device": "dev-1", "epoch": 1, "kind": "case", "low": 1, "high": 10}
        text = json.dumps(told | changes)
        return Sealed(text, key.sign(text.encode()).hex())

    office = PaperOffice()
    office.block = lambda request: BlockAnswer("b1", 1, 10, 1, "case", sealed(high=20))
    with pytest.raises(Failure) as caught:
        keep_ahead(office, store, device, size=10)
    assert caught.value.code == "SYNC-BAD-BLOCK"
    office.block = lambda request: BlockAnswer("b1", 1, 10, 1, "case", Sealed(sealed().text, "00" * 64))
    with pytest.raises(Failure) as caught:
        keep_ahead(office, store, device, size=10)
    assert caught.value.code == "SYNC-SEAL"
    office.block = lambda request: BlockAnswer("b1", 1, 10, 1, "case", sealed())
    keep_ahead(office, store, device, size=10)
    assert [seal.text for seal in store.read(lambda tx: tx.numbers.leases())] == [sealed().text]


def test_an_office_that_forgot_its_leases_gets_past_the_numbers_that_are_here(store):
    office = PaperOffice()
    keep_ahead(office, store, DEVICE, 10)
    for _ in range(15):
        store.write(lambda tx: tx.numbers.take())
    answers = iter(
        [BlockAnswer("again-1", 1, 10, 1), BlockAnswer("again-2", 11, 20, 1), BlockAnswer("new", 21, 30, 1)]
    )
    by_request: dict[int, BlockAnswer] = {}
    office.block = lambda request: by_request.setdefault(request.request_no, next(answers, None))
    for _ in range(2):
        with pytest.raises(Failure, match="STORE-BLOCK-OVERLAP"):
            keep_ahead(office, store, DEVICE, 10)
    keep_ahead(office, store, DEVICE, 10)
    assert [(b.low, b.next) for b in store.read(lambda tx: tx.numbers.blocks())] == [
        (1, 11),
        (11, 16),
        (21, 21),
    ]
