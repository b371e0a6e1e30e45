"""Reported lost cards: the digest tells the card, and nobody who has the list."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest
from desk_kit import PERSON, Bench, bench

from clerk_app.desk import lost_cards as desk_lost_cards
from clerk_app.desk.ports import LostCard, Transaction
from clerk_app.domain.applicant import CardRecord, DocumentKind
from clerk_app.domain.lost_cards import SALT_KEY, digest, digests

SALT = "a salt of the tests"
ISSUED = date(2016, 5, 11)
CARD = replace(PERSON, valid_from=ISSUED)


@pytest.fixture
def hall() -> Iterator[Bench]:
    with bench() as made:
        yield made


def reported(hall: Bench, card: CardRecord) -> bool:
    return hall.store.read(lambda tx: desk_lost_cards.reported(tx, card))


def listed(hall: Bench, *reports: str) -> None:
    cards = [LostCard(f"lost-{n}", report, 1) for n, report in enumerate(reports)]

    def write(tx: Transaction) -> None:
        tx.meta.set(SALT_KEY, SALT)
        tx.lost_cards.put(cards)

    hall.store.write(write)


def test_the_digest_is_the_same_in_every_program() -> None:
    # Fixed: the office writes it, windows of other versions read it.
    assert digest("51070419890604123X", ISSUED, SALT) == "adefe0f8b67f22f3b9989c1b0f324ca0"
    assert digest(" 51070419890604123x ", None, SALT) == "0e90441c2b7ead41f4b29203d8763dee"


def test_number_day_and_salt_each_make_another_digest() -> None:
    made = {
        digest("51070419890604123X", ISSUED, SALT),
        digest("51070419890604123X", None, SALT),
        digest("51070419890604123X", date(2016, 5, 12), SALT),
        digest("510704198906041256", ISSUED, SALT),
        digest("51070419890604123X", ISSUED, "another salt"),
    }
    assert len(made) == 5


def test_it_is_slow_enough_to_matter_and_quick_enough_for_a_counter() -> None:
    begun = time.process_time()
    digests(CARD, SALT)
    taken = time.process_time() - begun
    assert 0.002 < taken < 0.2  # some 20 ms; a plain hash takes a thousandth of that


def test_a_report_with_its_day_is_of_that_card_alone(hall: Bench) -> None:
    listed(hall, digest(CARD.number, ISSUED, SALT))
    assert reported(hall, CARD)
    assert not reported(hall, replace(CARD, valid_from=date(2024, 3, 1)))  # issued anew
    assert not reported(hall, replace(CARD, valid_from=None))


def test_a_report_without_a_day_is_of_every_card_of_the_number(hall: Bench) -> None:
    listed(hall, digest(CARD.number, None, SALT))
    assert reported(hall, CARD)
    assert reported(hall, replace(CARD, valid_from=date(2024, 3, 1)))
    assert reported(hall, replace(CARD, valid_from=None))
    assert not reported(hall, replace(CARD, number="510704198906041256"))


def test_a_lost_identity_card_is_no_lost_social_security_card(hall: Bench) -> None:
    listed(hall, digest(CARD.number, None, SALT))
    assert not reported(hall, replace(CARD, kind=DocumentKind.SOCIAL_SECURITY))


def test_a_report_taken_back_is_forgotten(hall: Bench) -> None:
    listed(hall, digest(CARD.number, None, SALT))
    hall.store.write(lambda tx: tx.lost_cards.remove("lost-0", 2))
    assert not reported(hall, CARD)


def test_without_a_list_nothing_is_reported(hall: Bench) -> None:
    assert not reported(hall, CARD)
