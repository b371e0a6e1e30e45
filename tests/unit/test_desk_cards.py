"""Validity and age of whoever's card was read, whatever kind of card it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from desk_kit import CLERK, FRIDAY, ITEM, Bench, bench

from clerk_app.desk import calling, drafting
from clerk_app.desk.draft_view import draft_view
from clerk_app.desk.views import CheckState, DraftView, PersonView
from clerk_app.devices.card.samples import sample_cards
from clerk_app.domain.applicant import CardRecord

CARDS = sample_cards()
TODAY = FRIDAY.date()
KINDS = {card.record.kind: card.record for card in CARDS.values() if card.record.valid_until}


@pytest.fixture
def hall() -> Iterator[Bench]:
    with bench() as made:
        calling.call_next(made.desk, CLERK)
        yield made


def shown(hall: Bench, record: CardRecord) -> tuple[DraftView, PersonView]:
    draft = drafting.open_draft(hall.desk, CLERK)
    drafting.applicant_from_card(hall.desk, draft, record)
    drafting.choose_item(hall.desk, draft, ITEM.implementation.code)
    view = draft_view(hall.desk, draft)
    assert view.applicant is not None
    assert view.applicant.party is not None
    return view, view.applicant.party


def checks(view: DraftView) -> dict[str, CheckState]:
    return {check.key: check.state for check in view.checks}


@pytest.mark.parametrize("card_id", CARDS)
def test_every_practice_card_says_what_it_is_there_for(hall: Bench, card_id: str) -> None:
    record = CARDS[card_id].record
    view, person = shown(hall, record)

    assert (person.kind, person.name, person.long_term) == (record.kind, record.name, record.long_term)
    assert person.age == (TODAY - record.birth) // timedelta(days=365.2425)
    assert ("DESK-CARD-EXPIRED" in person.notes) is ("expired" in card_id)
    assert ("DESK-MINOR" in person.notes) is ("minor" in card_id)
    assert (checks(view).get("check.guardian") is CheckState.BAD) is ("minor" in card_id)


@pytest.mark.parametrize("kind", KINDS)
def test_the_day_after_the_last_day_every_card_is_expired(hall: Bench, kind: str) -> None:
    record = replace(KINDS[kind], birth=date(1980, 1, 1), valid_until=TODAY)
    assert "check.card_expired" not in checks(shown(hall, record)[0])

    view, person = shown(hall, replace(record, valid_until=TODAY - timedelta(days=1)))

    assert person.notes[:1] == ("DESK-CARD-EXPIRED",)
    assert checks(view)["check.card_expired"] is CheckState.BAD


@pytest.mark.parametrize("kind", KINDS)
def test_on_the_eighteenth_birthday_nobody_is_a_minor(hall: Bench, kind: str) -> None:
    birthday = TODAY.replace(year=TODAY.year - 18)
    record = replace(KINDS[kind], birth=birthday + timedelta(days=1), valid_until=None, long_term=True)
    assert shown(hall, record)[1].notes == ("DESK-MINOR",)

    view, person = shown(hall, replace(record, birth=birthday))

    assert (person.age, person.notes, person.long_term) == (18, (), True)
    assert "check.guardian" not in checks(view)
