"""What every card reader does, the simulated and the real one: the same stories on both."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

import pytest
import sdt_lines
from card_events import Events
from pcscd import SECOND_READER, Bench
from sdt_lines import SdtHand

from clerk_app.desk.ports import CardReader, ReaderState, ReaderStatus
from clerk_app.devices.card.monitor import PcscReader
from clerk_app.devices.card.reading import ReadingLane
from clerk_app.devices.card.samples import sample_cards
from clerk_app.devices.card.sdt.simulator import SdtModule
from clerk_app.devices.card.simulator import Fault, SimulatedReader
from clerk_app.domain.applicant import CardRecord

CARDS = sample_cards()


class Hand(Protocol):
    """The citizen's hand."""

    reader: CardReader

    def lay(self, card_id: str) -> None: ...
    def lay_and_pull(self, card_id: str) -> None: ...
    def lay_dirty(self, card_id: str) -> None: ...
    def take(self) -> None: ...


SOCIAL_SECURITY = {  # the cards of the stories -> those laid where social security cards are read
    "resident": "social-security-1",
    "resident-woman": "social-security-minor",
    "resident-rare-ji": "social-security-3",
    "resident-long-term": "social-security-2-long-name",
    "permit-taiwan": "social-security-expired",
    "foreign-2017": "social-security-minor",
    "foreign-2023": "social-security-3",
}


class SimulatedHand:
    def __init__(self, cards: Mapping[str, str] = MappingProxyType({})) -> None:
        self._reader = SimulatedReader()
        self.reader: CardReader = self._reader
        self.take = self._reader.remove
        self.cards = cards

    def lay(self, card_id: str, fault: Fault | None = None) -> None:
        self._reader.lay(self.cards.get(card_id, card_id), fault)

    def lay_and_pull(self, card_id: str) -> None:
        self.lay(card_id, Fault.PULLED)

    def lay_dirty(self, card_id: str) -> None:
        self.lay(card_id, Fault.UNREADABLE)


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


@dataclass
class SocialSecurityHand:
    """Lays contact cards that speak T=0: version 1.00 is read by number, the others by tag."""

    bench: Bench
    reader: CardReader
    cards: Mapping[str, str] = field(default_factory=lambda: SOCIAL_SECURITY)

    def lay(self, card_id: str, faults: dict[int, str] | None = None) -> None:
        card = self.cards[card_id]
        by = "number" if card.endswith("-1") else "tag"
        self.bench.lay_social_security(CARDS[card].chip, by=by, t0=True, faults=faults)

    def lay_and_pull(self, card_id: str) -> None:
        self.lay(card_id, {0x0234: "pull", 0x0930: "pull"})  # the name, by number and by tag

    def lay_dirty(self, card_id: str) -> None:
        self.lay(card_id, {0x0400: "6300"})

    def take(self) -> None:
        self.bench.take()


def says(hand: Hand, card_id: str) -> CardRecord:
    """What the card says that `hand` lays as `card_id`."""
    return CARDS[getattr(hand, "cards", {}).get(card_id, card_id)].record


ON_PCSC = {"pcsc", "social-security", "sdt-tunnel"}
HANDS = ["simulated", "simulated-social-security", "pcsc", "social-security", *sdt_lines.LINES]


@pytest.fixture(params=[pytest.param(n, marks=[pytest.mark.pcsc] * (n in ON_PCSC)) for n in HANDS])
def hand(request: pytest.FixtureRequest) -> Iterator[Hand]:
    with ExitStack() as peers:
        if request.param == "simulated":
            made: Hand = SimulatedHand()
        elif request.param == "simulated-social-security":
            made = SimulatedHand(SOCIAL_SECURITY)
        elif request.param == "social-security":
            made = SocialSecurityHand(request.getfixturevalue("pcscd"), PcscReader())
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
    assert events.record() == says(hand, card_id)
    assert events.state() is ReaderState.PRESENT
    hand.take()
    assert events.state() is ReaderState.EMPTY


def test_a_card_already_there_is_read_at_the_start(hand: Hand, events: Events) -> None:
    hand.lay("resident")

    hand.reader.start(events)

    assert events.record() == says(hand, "resident")


def test_a_card_pulled_in_the_middle(hand: Hand, events: Events) -> None:
    hand.reader.start(events)
    assert events.state() is ReaderState.EMPTY

    hand.lay_and_pull("resident")

    assert events.state() is ReaderState.READING
    assert events.failure() == "CARD-PULLED"
    assert events.state() is ReaderState.EMPTY
    hand.lay("resident")
    assert events.record() == says(hand, "resident")


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
    assert events.record() == says(hand, "foreign-2023")
    assert events.state() is ReaderState.PRESENT

    hand.reader.read_again()

    assert events.state() is ReaderState.READING
    assert events.record() == says(hand, "foreign-2023")


def test_a_fast_swap_is_two_people(hand: Hand, events: Events) -> None:
    hand.reader.start(events)
    hand.lay("resident")
    assert events.record() == says(hand, "resident")

    hand.take()
    hand.lay("resident-woman")

    assert events.record() == says(hand, "resident-woman")


def test_a_listener_that_raises_hears_the_next_event(
    hand: Hand, events: Events, caplog: pytest.LogCaptureFixture
) -> None:
    def listener(event: object) -> None:
        events(event)  # type: ignore[arg-type]
        raise ValueError(says(hand, "resident").name)

    hand.reader.start(listener)
    hand.lay("resident")
    assert events.record() == says(hand, "resident")
    hand.take()
    events.until(ReaderState.EMPTY)

    hand.lay("resident-woman")

    assert events.record() == says(hand, "resident-woman")
    assert "bug in the listener of CardRead: ValueError" in caplog.text
    assert says(hand, "resident").name not in caplog.text


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


def test_what_comes_in_the_moment_of_closing_is_dropped(events: Events) -> None:
    """A monitor reports on a thread of its own while another closes the lane."""
    lane = ReadingLane(events)
    lane._lane.close()
    lane.report(ReaderStatus(ReaderState.EMPTY, "reader"))
    assert lane.close(1)
    assert events.rest() == []
