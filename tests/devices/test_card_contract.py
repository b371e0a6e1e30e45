"""What every card reader does, the simulated and the real one: the same stories on both."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Protocol

import pytest
import sdt_lines
from card_events import Events
from pcscd import SECOND_READER, Bench
from sdt_lines import SdtHand

from clerk_app.desk.ports import CardReader, ReaderState
from clerk_app.devices.card.monitor import PcscReader
from clerk_app.devices.card.samples import sample_cards
from clerk_app.devices.card.sdt.simulator import SdtModule
from clerk_app.devices.card.simulator import Fault, SimulatedReader

CARDS = sample_cards()


class Hand(Protocol):
    """The citizen's hand."""

    reader: CardReader

    def lay(self, card_id: str) -> None: ...
    def lay_and_pull(self, card_id: str) -> None: ...
    def lay_dirty(self, card_id: str) -> None: ...
    def take(self) -> None: ...


class SimulatedHand:
    def __init__(self) -> None:
        self._reader = SimulatedReader()
        self.reader: CardReader = self._reader
        self.take = self._reader.remove
        self.lay = self._reader.lay

    def lay_and_pull(self, card_id: str) -> None:
        self._reader.lay(card_id, Fault.PULLED)

    def lay_dirty(self, card_id: str) -> None:
        self._reader.lay(card_id, Fault.UNREADABLE)


@dataclass
class RealHand:
    bench: Bench
    reader: CardReader

    def lay(self, card_id: str) -> None:
        self.bench.lay(CARDS[card_id].chip)

    def lay_and_pull(self, card_id: str) -> None:
        self.bench.lay(CARDS[card_id].chip, faults={3 * 256: "pull"})

    def lay_dirty(self, card_id: str) -> None:
        self.bench.lay(CARDS[card_id].chip, faults={0: "6300"})

    def take(self) -> None:
        self.bench.take()


ON_PCSC = {"pcsc", "sdt-tunnel"}
HANDS = ["simulated", "pcsc", *sdt_lines.LINES]


@pytest.fixture(params=[pytest.param(n, marks=[pytest.mark.pcsc] * (n in ON_PCSC)) for n in HANDS])
def hand(request: pytest.FixtureRequest) -> Iterator[Hand]:
    with ExitStack() as peers:
        if request.param == "simulated":
            made: Hand = SimulatedHand()
        elif request.param in sdt_lines.LINES:
            bench = request.getfixturevalue("card_bench") if request.param in ON_PCSC else None
            module = SdtModule()
            made = SdtHand(module, peers.enter_context(sdt_lines.peer(request.param, module, bench)))
        else:
            made = RealHand(request.getfixturevalue("pcscd"), PcscReader())
        yield made
        made.reader.stop()


@pytest.fixture
def events() -> Events:
    return Events(apart_from=SECOND_READER)


@pytest.mark.parametrize(
    "card_id", ["resident-rare-ji", "resident-long-term", "permit-taiwan", "foreign-2017", "foreign-2023"]
)
def test_a_card_laid_down_is_read(hand: Hand, events: Events, card_id: str) -> None:
    hand.reader.start(events)
    assert events.state() is ReaderState.EMPTY

    hand.lay(card_id)

    assert events.state() is ReaderState.READING
    assert events.record() == CARDS[card_id].record
    assert events.state() is ReaderState.PRESENT
    hand.take()
    assert events.state() is ReaderState.EMPTY


def test_a_card_already_there_is_read_at_the_start(hand: Hand, events: Events) -> None:
    hand.lay("resident")

    hand.reader.start(events)

    assert events.record() == CARDS["resident"].record


def test_a_card_pulled_in_the_middle(hand: Hand, events: Events) -> None:
    hand.reader.start(events)
    assert events.state() is ReaderState.EMPTY

    hand.lay_and_pull("resident")

    assert events.state() is ReaderState.READING
    assert events.failure() == "CARD-PULLED"
    assert events.state() is ReaderState.EMPTY
    hand.lay("resident")
    assert events.record() == CARDS["resident"].record


def test_a_card_that_cannot_be_read(hand: Hand, events: Events) -> None:
    hand.reader.start(events)
    hand.lay_dirty("resident")

    assert events.failure() == "CARD-UNREADABLE"
    assert events.state() is ReaderState.PRESENT


def test_reading_again(hand: Hand, events: Events) -> None:
    hand.reader.start(events)
    hand.reader.read_again()
    assert events.failure() == "CARD-NONE"
    hand.lay("foreign-2023")
    assert events.record() == CARDS["foreign-2023"].record
    assert events.state() is ReaderState.PRESENT

    hand.reader.read_again()

    assert events.state() is ReaderState.READING
    assert events.record() == CARDS["foreign-2023"].record


def test_a_fast_swap_is_two_people(hand: Hand, events: Events) -> None:
    hand.reader.start(events)
    hand.lay("resident")
    assert events.record() == CARDS["resident"].record

    hand.take()
    hand.lay("resident-woman")

    assert events.record() == CARDS["resident-woman"].record


def test_a_listener_that_raises_hears_the_next_event(
    hand: Hand, events: Events, caplog: pytest.LogCaptureFixture
) -> None:
    def listener(event: object) -> None:
        events(event)  # type: ignore[arg-type]
        raise ValueError(CARDS["resident"].record.name)

    hand.reader.start(listener)
    hand.lay("resident")
    assert events.record() == CARDS["resident"].record
    hand.take()
    events.until(ReaderState.EMPTY)

    hand.lay("resident-woman")

    assert events.record() == CARDS["resident-woman"].record
    assert "bug in the listener of CardRead: ValueError" in caplog.text
    assert CARDS["resident"].record.name not in caplog.text


def test_after_stop_there_is_silence_and_no_thread(hand: Hand, events: Events) -> None:
    before = set(threading.enumerate())
    hand.reader.start(events)
    hand.lay("resident")
    events.record()
    events.until(ReaderState.PRESENT)

    hand.reader.stop()

    left = [thread.name for thread in set(threading.enumerate()) - before if thread.name != "card-cancel"]
    assert left == []
    hand.take()
    hand.reader.read_again()
    assert events.rest() == []


def test_stop_can_be_repeated_and_start_cannot(hand: Hand, events: Events) -> None:
    hand.reader.stop()  # never started: nothing to do
    hand.reader.read_again()
    assert events.rest() == []
