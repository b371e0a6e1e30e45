"""Readers that come and go, played by a service whose every answer the test decides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from queue import Empty, SimpleQueue

import pytest
from card_events import Events
from smartcard import scard

from clerk_app.desk.ports import ReaderState, ReaderStatus
from clerk_app.devices.card import pcsc
from clerk_app.devices.card.monitor import PcscReader
from clerk_app.devices.card.pcsc import PcscError, ReaderNow

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
        if pcsc.UNAWARE in [known[name] for name in self._names]:
            return dict.fromkeys(self._names, EMPTY)
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


def test_what_plug_and_play_said_is_told_back_to_it(
    service: Service, reader: PcscReader, events: Events
) -> None:
    service.becomes("right")
    events.next()
    service.becomes("left", "right")
    events.next()

    assert 1 << 16 in [known[pcsc.PLUG_AND_PLAY] for known in service.asked]
