"""The simulated reader and the sample cards: what practice mode needs beyond the contract."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from card_events import Events

from clerk_app.desk.ports import ReaderState
from clerk_app.devices.card.layouts import LAYOUTS
from clerk_app.devices.card.samples import sample_cards
from clerk_app.devices.card.simulator import SimulatedReader
from clerk_app.devices.card.social_security import VERSION
from clerk_app.devices.card.social_security import records as records_of
from clerk_app.domain import identity
from clerk_app.domain.applicant import DocumentKind

CARDS = sample_cards()


@pytest.fixture
def reader(events: Events) -> Iterator[SimulatedReader]:
    made = SimulatedReader(CARDS)
    made.start(events)
    assert events.state() is ReaderState.EMPTY
    yield made
    made.stop()


@pytest.mark.parametrize("card_id", CARDS)
def test_a_sample_card_is_a_sound_card(card_id: str) -> None:
    card = CARDS[card_id]

    assert identity.problem(card.record.number, card.record.kind) is None
    assert card.record.warnings == ()
    assert card.title
    assert card.title_en.isascii() or card.id.startswith("resident-rare")
    if card.record.kind is not DocumentKind.SOCIAL_SECURITY:
        assert len(card.chip) == 1284


def test_the_samples_cover_what_a_hall_meets() -> None:
    records = [card.record for card in CARDS.values()]
    everything = "".join(record.name + record.address for record in records)

    assert {record.kind for record in records} == {*LAYOUTS, DocumentKind.SOCIAL_SECURITY}
    social = [card for card in CARDS.values() if card.record.kind is DocumentKind.SOCIAL_SECURITY]
    versions = {records_of(card.chip)[VERSION] for card in social}
    assert versions == {b"1.00", b"2.00", b"3.00"}
    assert any(record.long_term for record in records)
    assert {"〇", "䶮", "㐱", "𠮷"} <= set(everything)
    assert max(len(record.name) for record in records if record.kind is DocumentKind.RESIDENT_ID) == 15
    assert max(len(record.address) for record in records) == 35
    latin = {kind: [r.latin_name for r in records if r.kind is kind] for kind in LAYOUTS}
    assert max(map(len, latin[DocumentKind.FOREIGN_PR_2017])) == 60
    assert max(map(len, latin[DocumentKind.FOREIGN_PR_2023])) == 46
    assert max(len(card.record.name.encode("gb18030")) for card in social) > 30
    assert any(record.former_number for record in records)


def test_an_unknown_card_is_a_mistake_of_the_caller(reader: SimulatedReader, events: Events) -> None:
    with pytest.raises(KeyError):
        reader.lay("nobody")
    assert events.rest() == []


def test_laying_a_card_on_another_swaps_them(reader: SimulatedReader, events: Events) -> None:
    reader.lay("resident")
    assert events.record() == CARDS["resident"].record
    assert events.state() is ReaderState.PRESENT

    reader.lay("permit-macao")

    assert events.state() is ReaderState.EMPTY
    assert events.record() == CARDS["permit-macao"].record


def test_the_plug(reader: SimulatedReader, events: Events) -> None:
    reader.unplug()
    reader.unplug()
    assert events.state() is ReaderState.NO_READER
    reader.lay("resident")
    reader.read_again()
    assert events.failure() == "CARD-NONE"

    reader.plug_in()

    assert events.record() == CARDS["resident"].record
    reader.remove()
    reader.remove()
    events.until(ReaderState.EMPTY)
    assert events.rest() == []


def test_the_reader_service_is_stopped_and_started(reader: SimulatedReader, events: Events) -> None:
    reader.stop_service()
    reader.stop_service()
    assert events.state() is ReaderState.SERVICE_LOST
    reader.lay("resident")
    reader.read_again()
    assert events.failure() == "CARD-NONE"
    reader.unplug()
    assert events.state() is ReaderState.SERVICE_LOST, "without the service nobody knows of a plug"

    reader.start_service()

    assert events.state() is ReaderState.NO_READER
    reader.plug_in()
    assert events.record() == CARDS["resident"].record


def test_a_card_taken_while_it_is_read_was_pulled(events: Events) -> None:
    reader = SimulatedReader(CARDS, seconds=60)
    reader.lay("resident")
    reader.start(events)
    events.until(ReaderState.READING)

    reader.remove()

    assert events.failure() == "CARD-PULLED"
    assert events.state() is ReaderState.EMPTY
    reader.stop()


def test_stop_does_not_wait_for_a_read(events: Events) -> None:
    reader = SimulatedReader(CARDS, seconds=60)
    reader.lay("resident")
    reader.start(events)
    events.until(ReaderState.READING)

    reader.stop()

    assert events.rest() == []


def test_a_reader_is_started_once(reader: SimulatedReader, events: Events) -> None:
    with pytest.raises(RuntimeError):
        reader.start(events)
