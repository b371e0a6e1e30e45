"""The readers of the settings: ours, several at once, and those a hall brings in a package of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from card_events import Events
from installed import install
from pcscd import READER, SECOND_READER, Bench

from clerk_app.desk.ports import (
    CardEvent,
    CardFailed,
    CardRead,
    CardReader,
    ReaderState,
    ReaderStatus,
)
from clerk_app.devices.card.combined import CombinedReader
from clerk_app.devices.card.drivers import reader_from_settings
from clerk_app.devices.card.monitor import PcscReader
from clerk_app.devices.card.samples import sample_cards
from clerk_app.devices.card.sdt.reader import SdtReader
from clerk_app.devices.card.simulator import SimulatedReader
from clerk_app.devices.card.vendor import VendorReader
from clerk_app.failures import Failure

CARDS = sample_cards()
GROUP = "clerk_app__card_readers"


def stops_within_a_second(reader: CardReader) -> bool:
    began = time.monotonic()
    reader.stop()
    return time.monotonic() - began < 1.0


# --- the settings ------------------------------------------------------------------------------------------


def test_without_a_table_the_reader_is_pcsc() -> None:
    assert isinstance(reader_from_settings(()), PcscReader)
    assert isinstance(reader_from_settings([{"page": 128, "social_security": False}]), PcscReader)


def test_a_table_names_its_driver() -> None:
    tables = [
        {"driver": "sdt", "port": "tcp://127.0.0.1:9"},
        {"readers": "Hall", "atr_mark": ""},
        {"driver": "acme", "port": 1001},
    ]

    assert isinstance(reader_from_settings(tables[:1]), SdtReader)
    assert isinstance(reader_from_settings(tables[2:]), VendorReader)
    assert isinstance(reader_from_settings(tables), CombinedReader)


@pytest.mark.parametrize(
    ("tables", "key"),
    [
        ([{"driver": 1}], "reader.driver"),
        ([{"driver": ""}], "reader.driver"),
        ([{"readers": 1}], "reader.readers"),
        ([{"social_security": "yes"}], "reader.social_security"),
        ([{"porte": 1}], "reader.porte"),
        ([{"driver": "sdt", "porte": 1}], "reader.porte"),
        ([{}, {"readers": "Hall"}], "reader.readers"),
        ([{"offset_step": 3, "page": 256}], "reader.offset_step"),
        ([{"offset_step": 0}], "reader.offset_step"),
        ([{"stream_length": 200}], "reader.stream_length"),
        ([{"header_length": 2}], "reader.header_length"),
    ],
)
def test_a_table_that_cannot_be_meant(tables: list[dict[str, Any]], key: str) -> None:
    with pytest.raises(Failure, match=f"SETTINGS-INVALID.*{key}"):
        reader_from_settings(tables)


@pytest.mark.pcsc
def test_two_tables_watch_a_reader_each(pcscd: Bench, events: Events) -> None:
    reader = reader_from_settings(
        [{"readers": READER, "social_security": False}, {"readers": SECOND_READER, "atr_mark": "FFFF"}]
    )
    reader.start(events)
    try:
        assert {events.next(), events.next()} == {
            ReaderStatus(ReaderState.EMPTY, READER),
            ReaderStatus(ReaderState.EMPTY, SECOND_READER),
        }
        pcscd.lay(CARDS["resident"].chip)
        events.until(ReaderState.READING, READER)
        assert events.next() == CardRead(CARDS["resident"].record, READER)
        pcscd.lay_social_security(CARDS["social-security-3"].chip, slot=1)
        events.until(ReaderState.READING, SECOND_READER)
        assert events.next() == CardRead(CARDS["social-security-3"].record, SECOND_READER)
        pcscd.take(slot=0)
        events.until(ReaderState.EMPTY, READER)

        pcscd.lay_social_security(CARDS["social-security-3"].chip, slot=0)
        assert events.failure() == "CARD-UNKNOWN"  # the first table wants none
    finally:
        assert stops_within_a_second(reader)


# --- several readers ---------------------------------------------------------------------------------------


class Puppet:
    """A reader that reports what the test tells it."""

    def __init__(self, *, hangs: bool = False) -> None:
        self._hangs = hangs
        self.released = threading.Event()
        self.asked = 0

    def start(self, listener: Callable[[CardEvent], None]) -> None:
        self.report = listener

    def read_again(self) -> None:
        self.asked += 1

    def stop(self) -> None:
        if self._hangs:
            self.released.wait(10)


@pytest.fixture
def pair(events: Events) -> Iterator[tuple[Puppet, Puppet, CombinedReader]]:
    left, right = Puppet(), Puppet()
    reader = CombinedReader([left, right])
    reader.start(events)
    yield left, right, reader
    reader.stop()


LEFT, RIGHT = ReaderStatus(ReaderState.EMPTY, "left"), ReaderStatus(ReaderState.EMPTY, "right")
NO_READER, LOST = ReaderStatus(ReaderState.NO_READER), ReaderStatus(ReaderState.SERVICE_LOST)


def told(events: Events, reader: CombinedReader) -> list[CardEvent]:
    reader.stop()  # everything reported before is told first
    return events.rest()


def test_no_reader_is_told_when_none_has_one(
    pair: tuple[Puppet, Puppet, CombinedReader], events: Events
) -> None:
    left, right, _ = pair
    left.report(NO_READER)
    right.report(RIGHT)
    assert events.next() == RIGHT
    right.report(NO_READER)
    assert events.next() == NO_READER
    left.report(LOST)
    left.report(LEFT)
    assert events.next() == LEFT
    left.report(NO_READER)
    assert events.next() == NO_READER


def test_the_service_is_lost_when_all_have_lost_it(
    pair: tuple[Puppet, Puppet, CombinedReader], events: Events
) -> None:
    left, right, _ = pair
    left.report(LEFT)
    right.report(RIGHT)
    assert [events.next(), events.next()] == [LEFT, RIGHT]

    right.report(ReaderStatus(ReaderState.READING, "right"))
    right.report(LOST)
    assert [events.next(), events.next()] == [ReaderStatus(ReaderState.READING, "right"), RIGHT]
    left.report(LOST)
    assert events.next() == LOST
    right.report(RIGHT)
    assert events.next() == RIGHT


def test_nothing_lies_when_nothing_lies_on_any(
    pair: tuple[Puppet, Puppet, CombinedReader], events: Events
) -> None:
    left, right, reader = pair
    nothing = CardFailed("CARD-NONE")
    card = CardRead(CARDS["resident"].record, "left")

    reader.read_again()
    left.report(nothing)
    right.report(nothing)
    assert events.next() == nothing

    reader.read_again()
    right.report(nothing)
    left.report(card)
    assert events.next() == card

    reader.read_again()
    left.report(card)
    right.report(nothing)
    assert events.next() == card
    assert (left.asked, right.asked) == (3, 3)
    assert told(events, reader) == []


def test_events_come_one_at_a_time(pair: tuple[Puppet, Puppet, CombinedReader]) -> None:
    inside, most, counted = 0, [0], threading.Semaphore(0)

    def listener(event: CardEvent) -> None:
        nonlocal inside
        inside += 1
        most[0] = max(most[0], inside)
        threading.Event().wait(0.001)
        inside -= 1
        counted.release()

    left, right = Puppet(), Puppet()
    reader = CombinedReader([left, right])
    reader.start(listener)
    threads = [
        threading.Thread(target=lambda p=p: [p.report(LEFT) for _ in range(20)]) for p in (left, right)
    ]
    for thread in threads:
        thread.start()
    for _ in range(40):
        assert counted.acquire(timeout=10)
    reader.stop()
    assert most == [1]


def test_readers_that_do_not_stop_are_left_behind_within_a_second(
    events: Events, caplog: pytest.LogCaptureFixture
) -> None:
    stuck = [Puppet(hangs=True) for _ in range(3)]
    reader = CombinedReader(stuck)
    reader.start(events)

    assert stops_within_a_second(reader)

    assert "does not stop" in caplog.text
    stuck[0].report(LEFT)
    assert events.rest() == []
    for puppet in stuck:
        puppet.released.set()


def test_a_combined_reader_is_started_once_and_stopped_any_time(events: Events) -> None:
    never = CombinedReader([SimulatedReader(CARDS)])
    never.stop()
    reader = CombinedReader([SimulatedReader(CARDS), SimulatedReader(CARDS)])
    before = set(threading.enumerate())
    reader.start(events)
    with pytest.raises(RuntimeError):
        reader.start(events)
    assert stops_within_a_second(reader)
    assert stops_within_a_second(reader)
    assert set(threading.enumerate()) <= before


# --- the vendor slot ---------------------------------------------------------------------------------------

ACME = """
from clerk_app.desk.ports import CardRead, CardFailed, ReaderState, ReaderStatus
from clerk_app.devices.card.samples import sample_cards

import threading
from dataclasses import replace

tables, done = [], []
loading, go = threading.Event(), threading.Event()
ODD = {
    "no-name": {"name": ""},
    "birth": {"birth": "1990-01-01"},
    "number": {"number": None},
    "warnings": {"warnings": ("ACME-ODD",)},
    "photo": {"photo": "photo"},
}

class Reader:
    def __init__(self, table):
        self.table = table

    def start(self, listener):
        done.append("started")
        self.listener = listener
        if self.table.get("starts") == "slowly":
            loading.set()
            go.wait(10)
        listener(ReaderStatus(ReaderState.EMPTY, "acme"))

    def read_again(self):
        what = self.table.get("reports")
        if what == "raises":
            raise OSError("quotes " + "a card")
        if what == "bytes":
            return self.listener(b"card")
        if what in ODD:
            record = replace(sample_cards()["resident"].record, **ODD[what])
            return self.listener(CardRead(record, "acme"))
        if what == "code":
            return self.listener(CardFailed("ACME-17", "acme"))
        self.listener(CardRead(sample_cards()["resident"].record, "acme"))

    def stop(self):
        done.append("stopped")
        if self.table.get("hangs"):
            import threading
            threading.Event().wait(10)

def reader(table):
    tables.append(table)
    if table.get("fails") == "exit":
        raise SystemExit(3)
    if table.get("fails") == "key":
        raise KeyError("quotes " + "a card")
    if table.get("fails") == "other":
        return None
    if table.get("loads") == "slowly":
        loading.set()
        go.wait(10)
    return Reader(table)
"""


@pytest.fixture
def acme(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    points = {"acme": "acme_reader:reader", "lacking": "acme_reader:nothing", "broken": "acme_missing:reader"}
    install(monkeypatch, tmp_path / "site", "acme_reader", ACME, **{GROUP: points})


def started(events: Events, **table: Any) -> CardReader:
    reader = reader_from_settings([table])
    reader.start(events)
    return reader


def test_a_driver_of_the_hall_is_a_reader_like_ours(acme: None, events: Events) -> None:
    reader = started(events, driver="acme", port=1001)
    assert events.next() == ReaderStatus(ReaderState.EMPTY, "acme")

    reader.read_again()

    assert events.next() == CardRead(CARDS["resident"].record, "acme")
    assert stops_within_a_second(reader)
    reader.read_again()
    assert events.rest() == []
    import acme_reader  # type: ignore[import-not-found]

    assert acme_reader.tables == [{"port": 1001}]


@pytest.mark.parametrize(
    ("table", "detail"),
    [
        ({"driver": "nobody"}, "nobody: start: nobody is not installed; installed: acme, broken, lacking"),
        ({"driver": "broken"}, "broken: start: No module named 'acme_missing'"),
        ({"driver": "lacking"}, "lacking: start: AttributeError"),
        ({"driver": "acme", "fails": "key"}, "acme: start: KeyError"),
        ({"driver": "acme", "fails": "exit"}, "acme: start: SystemExit"),
        ({"driver": "acme", "fails": "other"}, "acme: start: AttributeError"),
    ],
)
def test_a_driver_that_does_not_start_is_a_failure_that_names_it(
    acme: None, events: Events, caplog: pytest.LogCaptureFixture, table: dict[str, Any], detail: str
) -> None:
    reader = started(events, **table)

    assert events.next() == ReaderStatus(ReaderState.NO_READER)
    assert events.next() == CardFailed("CARD-DRIVER", detail=detail)
    reader.read_again()
    assert events.failure() == "CARD-DRIVER"
    assert stops_within_a_second(reader)
    assert "quotes a card" not in caplog.text


@pytest.mark.parametrize(
    ("reports", "detail"),
    [
        ("raises", "acme: read_again: OSError"),
        ("bytes", "acme: reported bytes"),
        ("code", "acme: reported CardFailed"),
        ("no-name", "acme: reported CardRead"),
        ("birth", "acme: reported CardRead"),
        ("number", "acme: reported CardRead"),
        ("warnings", "acme: reported CardRead"),
        ("photo", "acme: reported CardRead"),
    ],
)
def test_what_a_driver_does_wrong_is_a_failure_and_not_ours(
    acme: None, events: Events, caplog: pytest.LogCaptureFixture, reports: str, detail: str
) -> None:
    reader = started(events, driver="acme", reports=reports)
    events.until(ReaderState.EMPTY)

    reader.read_again()

    assert events.next() == CardFailed("CARD-DRIVER", detail=detail)
    assert stops_within_a_second(reader)
    assert "quotes a card" not in caplog.text


def test_a_driver_that_hangs_is_left_behind(
    acme: None, events: Events, caplog: pytest.LogCaptureFixture
) -> None:
    reader = started(events, driver="acme", hangs=True)
    events.until(ReaderState.EMPTY)

    assert stops_within_a_second(reader)
    assert "the card driver acme does not stop" in caplog.text


@pytest.mark.parametrize(
    ("table", "done"), [({"loads": "slowly"}, []), ({"starts": "slowly"}, ["started", "stopped"])]
)
def test_a_driver_that_is_ready_after_the_end_is_not_left_running(
    acme: None, events: Events, table: dict[str, Any], done: list[str]
) -> None:
    import acme_reader

    before = set(threading.enumerate())
    reader = started(events, driver="acme", **table)
    assert acme_reader.loading.wait(10)
    assert stops_within_a_second(reader)

    acme_reader.go.set()

    for thread in set(threading.enumerate()) - before:
        thread.join(10)
    assert acme_reader.done == done


def test_a_vendor_reader_is_started_once_and_stopped_any_time(acme: None, events: Events) -> None:
    reader = VendorReader("acme", {})
    reader.read_again()
    reader.stop()
    reader.start(events)
    with pytest.raises(RuntimeError):
        reader.start(events)
    assert stops_within_a_second(reader)
    assert stops_within_a_second(reader)
