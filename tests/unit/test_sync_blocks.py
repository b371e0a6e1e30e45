"""Half a block of numbers is always ahead, and no answer that was lost costs a number."""

from __future__ import annotations

import pytest
from sync_hall import DEVICE, PaperOffice, open_store

from clerk_app.failures import Failure
from clerk_app.sync.blocks import keep_ahead
from clerk_app.sync.protocol import BlockAnswer
from clerk_app.sync.transport import OfficeFailure


@pytest.fixture
def store():
    store = open_store()
    yield store
    store.close()


def take(store, count: int) -> list[int]:
    return store.write(lambda tx: [tx.numbers.take() for _ in range(count)])


def test_the_next_block_is_asked_for_when_less_than_half_of_one_is_left(store):
    office = PaperOffice()
    assert keep_ahead(office, store, DEVICE, size=10)
    take(store, 5)
    assert not keep_ahead(office, store, DEVICE, size=10)
    take(store, 1)
    assert keep_ahead(office, store, DEVICE, size=10)
    assert take(store, 14) == [*range(7, 21)]


def test_a_lost_answer_is_asked_for_under_the_same_number_also_after_a_restart(store):
    office = PaperOffice()

    def lose(name: str) -> None:
        raise OfficeFailure("SYNC-OFFLINE")

    office.after = lose
    for _ in range(3):
        with pytest.raises(OfficeFailure):
            keep_ahead(office, store, DEVICE, size=10)
    office.after = lambda name: None
    assert keep_ahead(office, store, DEVICE, size=10)
    assert list(office.blocks) == [1]
    assert office.next_serial == 11
    assert take(store, 10) == [*range(1, 11)]


def test_the_requests_number_is_on_disk_before_the_question_leaves(store):
    office = PaperOffice()
    seen = []
    office.before = lambda name: seen.append(store.read(lambda tx: tx.meta.get("block_asked")))
    keep_ahead(office, store, DEVICE, size=10)
    assert seen == ["1"]


@pytest.mark.parametrize(
    ("block", "code"),
    [
        (BlockAnswer("b2", 5, 14, 1), "STORE-BLOCK-OVERLAP"),
        (BlockAnswer("b2", 20, 11, 1), "SYNC-BAD-BLOCK"),
        (BlockAnswer("b2", 11, 20, 2), "SYNC-BAD-BLOCK"),
    ],
    ids=["overlap", "upside down", "another epoch"],
)
def test_numbers_that_are_not_ours_are_not_used(store, block, code):
    office = PaperOffice()
    keep_ahead(office, store, DEVICE, size=10)
    take(store, 6)
    office.block = lambda request: block
    with pytest.raises(Failure) as caught:
        keep_ahead(office, store, DEVICE, size=10)
    assert caught.value.code == code
    assert len(store.read(lambda tx: tx.numbers.blocks())) == 1
