"""Readers that come and go, played by a service whose every answer the test decides."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from queue import Empty, SimpleQueue

import pytest
from card_events import Events
from smartcard import scard

from clerk_app.desk.ports import ReaderState, ReaderStatus
from clerk_app.devices.card import monitor, pcsc
from clerk_app.devices.card.monitor import PcscReader
from clerk_app.devices.card.pcsc import PcscError, ReaderNow
from clerk_app.domain.applicant import CardRecord
from clerk_app.failures import Failure

EMPTY = ReaderNow(0x10, b"")


class Service:
    """Stands in for PC/SC: `becomes` changes the list of readers and ends the wait, as plug and play does."""

    def __init__(self, *names: str) -> None:
        self._names = names
        self._new_names: SimpleQueue[tuple[str, ...] | PcscError] = SimpleQueue()
        self.asked: list[Mapping[str, int]] = []

    def becomes(self, *names: str) -> None:
        self._new_names.put(names)

    def fails(self, code: int) -> None:
        self._new_names.put(PcscError(code))

    @contextmanager
    def open_context(self) -> Iterator[object]:
        yield self

    def readers(self, _context: object) -> tuple[str, ...]:
        return self._names

    def wait(self, _context: object, known: Mapping[str, int], seconds: float) -> Mapping[str, ReaderNow]:
        self.asked.append(known)
        unaware = [name for name in self._names if known.get(name) == pcsc.UNAWARE]
        if unaware:
            return dict.fromkeys(unaware, EMPTY)
        try:
            change = self._new_names.get(timeout=seconds)
        except Empty:
            return {}
        if isinstance(change, PcscError):
            raise change
        self._names = change
        return {pcsc.PLUG_AND_PLAY: ReaderNow(len(change) << 16, b"")}

    def cancel(self, _context: object) -> None:
        self._new_names.put(self._names)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    service = Service("left", "right")
    for name in ("open_context", "readers", "wait", "cancel"):
        monkeypatch.setattr(pcsc, name, getattr(service, name))
    return service


@pytest.fixture
def reader(service: Service, events: Events) -> Iterator[PcscReader]:
    made = PcscReader(backoff=(0.01, 0.02))
    made.start(events)
    assert [events.next(), events.next()] == [
        ReaderStatus(ReaderState.EMPTY, "left"),
        ReaderStatus(ReaderState.EMPTY, "right"),
    ]
    yield made
    made.stop()


def test_one_of_two_readers_goes_and_comes_back(service: Service, reader: PcscReader, events: Events) -> None:
    service.becomes("right")
    assert events.next() == ReaderStatus(ReaderState.EMPTY, "left")

    service.becomes("left", "right")
    assert events.next() == ReaderStatus(ReaderState.EMPTY, "left")
    assert events.rest() == []


def test_the_last_reader_goes(service: Service, reader: PcscReader, events: Events) -> None:
    service.becomes()
    assert events.next() == ReaderStatus(ReaderState.NO_READER)

    service.becomes("left")
    assert events.next() == ReaderStatus(ReaderState.EMPTY, "left")


def test_a_reader_that_vanishes_after_it_was_listed_is_listed_again(
    service: Service, reader: PcscReader, events: Events
) -> None:
    service.fails(scard.SCARD_E_UNKNOWN_READER)
    service.becomes("right")

    assert events.next() == ReaderStatus(ReaderState.EMPTY, "left")


@pytest.mark.parametrize(
    "code",
    [
        scard.SCARD_E_NO_SERVICE,
        scard.SCARD_E_SERVICE_STOPPED,
        scard.SCARD_E_SYSTEM_CANCELLED,
        scard.SCARD_F_COMM_ERROR,
        scard.SCARD_E_INVALID_HANDLE,
    ],
)
def test_whatever_ends_the_service_is_a_loss_and_a_new_beginning(
    service: Service, reader: PcscReader, events: Events, code: int
) -> None:
    service.fails(code)

    assert events.next() == ReaderStatus(ReaderState.SERVICE_LOST)
    assert events.next() == ReaderStatus(ReaderState.EMPTY, "left")


def test_the_pauses_grow_to_ten_seconds(
    service: Service, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: SimpleQueue[float] = SimpleQueue()

    class Stopping(threading.Event):
        """Counts nothing but the monitor's pauses, and does not wait for them."""

        def wait(self, timeout: float | None = None) -> bool:
            if threading.current_thread().name != "card-monitor":
                return super().wait(timeout)
            assert timeout is not None
            pauses.put(timeout)
            return super().wait(0.001)

    @contextmanager
    def nobody() -> Iterator[object]:
        raise PcscError(scard.SCARD_E_NO_SERVICE)
        yield

    monkeypatch.setattr(pcsc, "open_context", nobody)
    made = PcscReader()
    made._stopping = Stopping()
    made.start(events)

    assert [pauses.get(timeout=5) for _ in range(6)] == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]

    made.stop()
    assert events.rest() == [ReaderStatus(ReaderState.SERVICE_LOST)]  # once


@pytest.mark.parametrize(("let_go", "asked"), [(0x10020, [1, 1]), (0x30020, [1, 3]), (0x20010, [1])])
def test_a_card_that_was_held_is_read_when_let_go_and_no_other(
    monkeypatch: pytest.MonkeyPatch, service: Service, events: Events, let_go: int, asked: list[int]
) -> None:
    """The same card, another one laid meanwhile (read because it was laid), none."""
    begun: list[int] = []
    states = SimpleQueue[int]()
    states.put(0x10000 | scard.SCARD_STATE_PRESENT | scard.SCARD_STATE_EXCLUSIVE)

    def wait(_context: object, known: Mapping[str, int], seconds: float) -> Mapping[str, ReaderNow]:
        try:
            return {"left": ReaderNow(states.get(timeout=seconds), b"")}
        except Empty:
            return {}

    def read_card(_reader: str, counter: int, _drivers: object) -> CardRecord:
        begun.append(counter)
        raise Failure("CARD-BUSY" if len(begun) == 1 else "CARD-UNKNOWN")

    service._names = ("left",)
    monkeypatch.setattr(pcsc, "wait", wait)
    monkeypatch.setattr(monitor, "read_card", read_card)
    monkeypatch.setattr(monitor, "_BUSY_ATTEMPTS", 1)
    made = PcscReader(poll=0.05)
    made.start(events)
    assert events.failure() == "CARD-BUSY"
    events.until(ReaderState.PRESENT)

    states.put(let_go)
    if len(asked) > 1:
        assert events.failure() == "CARD-UNKNOWN"
    else:
        events.until(ReaderState.EMPTY)
    states.put(let_go)  # nothing more follows
    while not states.empty():
        threading.Event().wait(0.01)
    made.stop()

    assert begun == asked


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock of the monitor, as its only element."""
    at = [1000.0]
    monkeypatch.setattr(monitor, "clock", lambda: at[0])
    return at


def test_a_wait_that_was_slept_through_looks_at_every_reader_again(
    service: Service, now: list[float], reader: PcscReader, events: Events
) -> None:
    now[0] += 3600
    service.becomes("right")

    assert {events.next(), events.next()} == {
        ReaderStatus(ReaderState.EMPTY, "left"),  # gone in the night
        ReaderStatus(ReaderState.EMPTY, "right"),
    }
    service.becomes("right", "left")  # awake: nothing is said twice
    assert events.next() == ReaderStatus(ReaderState.EMPTY, "left")
    reader.stop()
    assert events.rest() == []


def test_the_clock_goes_on_in_sleep() -> None:
    before = monitor.clock()

    assert monitor.clock() >= before
    if sys.platform == "linux":
        assert abs(monitor.clock() - time.clock_gettime(time.CLOCK_BOOTTIME)) < 1


@pytest.mark.parametrize("only", ["lef", "left"])
def test_other_readers_are_not_watched(service: Service, events: Events, only: str) -> None:
    made = PcscReader(only=only, backoff=(0.01, 0.02))
    made.start(events)
    assert events.next() == ReaderStatus(ReaderState.EMPTY, "left")
    assert all("right" not in known for known in service.asked)

    service.becomes("right")

    assert events.next() == ReaderStatus(ReaderState.NO_READER)
    made.stop()


def test_what_plug_and_play_said_is_told_back_to_it(
    service: Service, reader: PcscReader, events: Events
) -> None:
    service.becomes("right")
    events.next()
    service.becomes("left", "right")
    events.next()

    assert 1 << 16 in [known[pcsc.PLUG_AND_PLAY] for known in service.asked]
