"""SDT readers beyond the contract: presence, readers that go and come back, stopping, settings."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from card_events import Events
from pcscd import Bench
from sdt_lines import quick_reader, tunnel_peer

from clerk_app.desk.ports import CardFailed, ReaderState, ReaderStatus
from clerk_app.devices.card.samples import sample_cards
from clerk_app.devices.card.sdt import reader as sdt
from clerk_app.devices.card.sdt.lines import port
from clerk_app.devices.card.sdt.peer import pty_peer, tcp_peer
from clerk_app.devices.card.sdt.reader import SdtReader, sdt_reader
from clerk_app.devices.card.sdt.simulator import FIND, READ, SAM_ID, SELECT, STATUS, Fault, SdtModule
from clerk_app.failures import Failure

CARDS = sample_cards()
CHIP = CARDS["resident"].chip
WOMAN = CARDS["resident-woman"].chip


class Desk:
    """A reader at a TCP port with its module; `start` begins watching and waits until it is known empty."""

    def __init__(self, stack: ExitStack, events: Events) -> None:
        self._stack = stack
        self.events = events

    def start(self, module: SdtModule | None = None, **options: bool) -> SdtModule:
        self.module = module or SdtModule()
        self.reader = quick_reader(self._stack.enter_context(tcp_peer(self.module)), **options)
        self._stack.callback(self.reader.stop)
        self.reader.start(self.events)
        assert self.events.state() is ReaderState.EMPTY
        return self.module

    def looks(self, times: int = 3) -> None:
        """Wait until the reader has looked some more times."""
        wanted = self.module.asked.count(FIND) + times
        deadline = time.monotonic() + 10
        while self.module.asked.count(FIND) < wanted:
            assert time.monotonic() < deadline
            threading.Event().wait(0.005)


@pytest.fixture
def desk(events: Events) -> Iterator[Desk]:
    with ExitStack() as stack:
        yield Desk(stack, events)


def read_and_present(events: Events, card_id: str = "resident") -> None:
    assert events.state() is ReaderState.READING
    assert events.record() == CARDS[card_id].record
    assert events.state() is ReaderState.PRESENT


def test_a_card_that_lies_there_is_read_once(desk: Desk, events: Events) -> None:
    desk.start().lay(CHIP)
    read_and_present(events)

    desk.looks()

    assert events.rest() == []
    assert desk.module.asked.count(READ) == 1


def test_a_card_laid_on_another_is_another_person(desk: Desk, events: Events) -> None:
    """Between two looks, as when a card is pushed away by the next one."""
    module = desk.start()
    module.lay(CHIP)
    read_and_present(events)

    module.lay(WOMAN)

    assert events.state() is ReaderState.EMPTY
    read_and_present(events, "resident-woman")


def test_serial_numbers_of_nothing_but_zeros_tell_nothing(desk: Desk, events: Events) -> None:
    module = desk.start()
    module.lay(CHIP, serial=bytes(8))
    read_and_present(events)

    desk.looks()

    assert events.rest() == []


def test_a_card_with_a_new_serial_number_each_time_is_not_read_for_ever(
    desk: Desk, events: Events, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = sdt.Talk.select
    monkeypatch.setattr(sdt.Talk, "select", lambda talk: real(talk) and os.urandom(8))
    desk.start().lay(CHIP)
    read_and_present(events)
    assert events.state() is ReaderState.EMPTY
    read_and_present(events)

    desk.looks(5)

    assert events.rest() == []
    assert "serial numbers change" in caplog.text


def test_a_card_that_does_not_hold_still_is_not_another_one(desk: Desk, events: Events) -> None:
    module = desk.start()
    module.lay(CHIP)
    read_and_present(events)
    module.fail(SELECT, 0x81, times=3)
    module.fail(FIND, 0x41, times=4)

    desk.looks(8)

    assert events.rest() == []


def test_a_reader_that_finds_once_keeps_the_card_until_the_next(desk: Desk, events: Events) -> None:
    module = desk.start(SdtModule(finds_again=False), finds_again=False)
    module.lay(CHIP)
    read_and_present(events)
    desk.looks()
    module.take()
    desk.looks()
    assert events.rest() == []  # nobody can tell

    module.lay(WOMAN)

    assert events.state() is ReaderState.EMPTY
    read_and_present(events, "resident-woman")
    desk.looks()
    for _ in range(4):  # lifted and laid again: read again
        module.take()
        module.lay(WOMAN)
        assert events.state() is ReaderState.EMPTY
        read_and_present(events, "resident-woman")
        desk.looks()


def test_reading_again_where_a_card_is_found_once_asks_to_lift_it(desk: Desk, events: Events) -> None:
    module = desk.start(SdtModule(finds_again=False), finds_again=False)
    desk.reader.read_again()
    assert events.failure() == "CARD-NONE"
    module.lay(CHIP)
    read_and_present(events)

    desk.reader.read_again()

    assert events.failure() == "CARD-LIFT"


def test_a_reader_said_to_find_once_that_finds_again_is_not_reading_for_ever(
    desk: Desk, events: Events, caplog: pytest.LogCaptureFixture
) -> None:
    module = desk.start(finds_again=False)
    module.lay(CHIP)
    read_and_present(events)
    for _ in range(2):
        assert events.state() is ReaderState.EMPTY
        read_and_present(events)

    desk.looks(5)

    assert events.rest() == []
    assert "presence = poll" in caplog.text
    module.take()
    assert events.state() is ReaderState.EMPTY


class Wobbling(SdtModule):
    """Its card leaves the field for a moment right after the first read."""

    def _read(self, request: bytes) -> bytes:
        answer = super()._read(request)
        if self.asked.count(READ) == 1:
            self._spent = False
        return answer


def test_a_card_that_wobbles_does_not_make_a_reader_that_finds_once_another(
    desk: Desk, events: Events
) -> None:
    desk.start(Wobbling(finds_again=False), finds_again=False).lay(CHIP)
    read_and_present(events)
    assert events.state() is ReaderState.EMPTY
    read_and_present(events)
    desk.looks()
    assert events.rest() == []

    desk.reader.read_again()

    assert events.failure() == "CARD-LIFT"


def test_two_cards_on_a_reader_that_finds_once_are_two_people(desk: Desk, events: Events) -> None:
    module = desk.start(SdtModule(finds_again=False), finds_again=False)
    module.lay(CHIP)
    assert events.record() == CARDS["resident"].record
    module.lay(WOMAN)  # found at the very next look

    events.until(ReaderState.EMPTY)
    read_and_present(events, "resident-woman")


def test_a_card_of_another_kind(desk: Desk, events: Events) -> None:
    module = desk.start()
    module.lay(CHIP)
    module.fail(FIND, 0x40, times=50)

    assert events.failure() == "CARD-UNKNOWN"
    assert events.state() is ReaderState.PRESENT


def test_the_appended_address_and_the_fingerprint(desk: Desk, events: Events) -> None:
    module = desk.start(fingerprint=True, address=False)
    module.lay(CHIP, fingerprint=bytes(1024), address="明县新城路九号")

    assert events.record() == CARDS["resident"].record


def test_the_module_is_known_by_its_number(
    desk: Desk, events: Events, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    module = desk.start()
    module.lay(CHIP)
    read_and_present(events)
    desk.looks()

    assert desk.reader.module == "05.03-20261121-0000000042-0000004711"
    assert CARDS["resident"].record.name not in caplog.text
    assert CARDS["resident"].record.number not in caplog.text


def test_a_reader_that_does_not_tell_its_number_works(desk: Desk, events: Events) -> None:
    module = SdtModule()
    module.fail(SAM_ID, 0x21)
    desk.start(module).lay(CHIP)
    assert events.record() == CARDS["resident"].record
    desk.looks()
    assert desk.reader.module == "-"
    assert module.asked.count(SAM_ID) == 1


@pytest.mark.parametrize(
    ("code", "failure"),
    [(0x60, "CARD-SAM-BROKEN"), (0x66, "CARD-SAM-UNAUTHORISED"), (0x24, "CARD-READER-ERROR")],
)
def test_a_module_that_cannot_work_says_so_once(events: Events, code: int, failure: str) -> None:
    module = SdtModule()
    module.fail(STATUS, code, times=3)
    with tcp_peer(module) as url:
        reader = quick_reader(url)
        reader.start(events)
        try:
            assert isinstance(told := events.next(), CardFailed)
            assert told.code == failure
            assert events.state() is ReaderState.NO_READER
            assert events.state() is ReaderState.EMPTY
        finally:
            reader.stop()


def test_a_reader_on_the_network_goes_and_comes_back(events: Events) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        number = free.getsockname()[1]
    module = SdtModule()
    reader = quick_reader(f"tcp://127.0.0.1:{number}")
    reader.start(events)
    try:
        assert events.next() == ReaderStatus(ReaderState.NO_READER, f"tcp://127.0.0.1:{number}")
        for _ in range(3):
            with tcp_peer(module, number):
                assert events.state() is ReaderState.EMPTY
                module.lay(CHIP)
                read_and_present(events)
                reader.read_again()
                read_and_present(events)
            assert events.state() is ReaderState.NO_READER
            module.take()
        reader.read_again()
        assert events.failure() == "CARD-NO-READER"
    finally:
        reader.stop()


def test_a_reader_on_a_serial_port_is_pulled_out_and_plugged_in(events: Events, tmp_path: Path) -> None:
    module, plug = SdtModule(), tmp_path / "reader"
    reader = quick_reader(f"serial://{plug}")
    reader.start(events)
    try:
        assert events.state() is ReaderState.NO_READER
        for _ in range(3):
            with pty_peer(module) as url:
                plug.unlink(missing_ok=True)
                plug.symlink_to(url.removeprefix("serial://"))
                assert events.state() is ReaderState.EMPTY
                module.lay(CHIP)
                read_and_present(events)
            events.until(ReaderState.NO_READER)
            module.take()
    finally:
        reader.stop()


@pytest.mark.pcsc
def test_the_service_behind_the_tunnel_goes_and_comes_back(card_bench: Bench, events: Events) -> None:
    module = SdtModule()
    reader = quick_reader("pcsc://Hall SDT")
    reader.start(events)
    try:
        assert events.state() is ReaderState.SERVICE_LOST
        for _ in range(2):
            with tunnel_peer(module, card_bench):
                events.until(ReaderState.EMPTY)
                module.lay(CHIP)
                read_and_present(events)
            events.until(ReaderState.SERVICE_LOST)
            module.take()
    finally:
        reader.stop()


def test_a_reader_that_is_switched_off_behind_its_port(desk: Desk, events: Events) -> None:
    module = desk.start()
    for _ in range(2):
        module.fail(STATUS, Fault.SILENCE)
        module.fail(FIND, Fault.SILENCE, times=2)

        assert isinstance(told := events.next(), CardFailed)
        assert told.code == "CARD-TIMEOUT"
        assert events.state() is ReaderState.NO_READER
        assert events.state() is ReaderState.EMPTY


def test_one_unanswered_look_is_not_told(desk: Desk, events: Events) -> None:
    module = desk.start()
    module.fail(FIND, Fault.SILENCE)

    desk.looks(4)

    assert events.rest() == []


def test_attempts_to_reach_a_reader_become_rarer(events: Events, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    def rest(reader: SdtReader, seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 7:
            reader._stopping.set()

    monkeypatch.setattr(SdtReader, "_rest", rest)
    reader = SdtReader(port("serial:///dev/no-such-port"))
    reader.start(events)
    assert events.state() is ReaderState.NO_READER
    assert reader._poller is not None
    reader._poller.join(5)
    reader._stopping.clear()

    assert pauses == [1, 2, 4, 8, 10, 10, 10]
    assert events.rest() == []
    reader.stop()


def test_a_bug_is_logged_and_outlived(
    events: Events, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real, broken = sdt.open_line, [True]

    def open_line(where: Any) -> Any:
        if broken:
            broken.pop()
            raise ZeroDivisionError
        return real(where)

    monkeypatch.setattr(sdt, "open_line", open_line)
    with tcp_peer(SdtModule()) as url:
        reader = quick_reader(url)
        reader.start(events)
        assert events.failure() == "CARD-BUG"
        events.until(ReaderState.EMPTY)
        reader.stop()
    assert "bug in the card poller: ZeroDivisionError" in caplog.text


def stops_within_a_second(reader: SdtReader) -> bool:
    began = time.monotonic()
    reader.stop()
    return time.monotonic() - began < 1.0


def test_stop_while_a_card_is_read_tells_nothing_and_leaves_no_thread(desk: Desk, events: Events) -> None:
    module = desk.start()
    module.fail(READ, Fault.SILENCE, times=2)
    module.lay(CHIP)
    assert events.state() is ReaderState.READING

    assert stops_within_a_second(desk.reader)

    assert events.rest() == []
    assert not {thread.name for thread in threading.enumerate()} & {"card-poller", "lane-card"}
    assert stops_within_a_second(desk.reader)
    with pytest.raises(RuntimeError):
        desk.reader.start(events)


def test_stop_while_nothing_answers(events: Events) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        reader = quick_reader(f"tcp://127.0.0.1:{silent.getsockname()[1]}")
        reader.start(events)
        connection, _ = silent.accept()
        connection.recv(1)

        assert stops_within_a_second(reader)
        connection.close()
    assert events.rest() == []


def test_stop_while_the_port_hangs(
    events: Events, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    entered, released = threading.Event(), threading.Event()

    def hang(_: Any) -> Any:
        entered.set()
        released.wait(10)
        raise Failure("CARD-NO-READER")

    monkeypatch.setattr(sdt, "open_line", hang)
    reader = quick_reader("tcp://127.0.0.1:1")
    reader.start(events)
    entered.wait(10)

    assert stops_within_a_second(reader)
    assert "the port of the reader hangs" in caplog.text
    released.set()
    assert reader._poller is not None
    reader._poller.join(5)
    assert events.rest() == []


def test_stop_while_waiting_to_try_again(events: Events) -> None:
    reader = SdtReader(port("serial:///dev/no-such-port"), backoff=(60, 60))
    reader.start(events)
    assert events.state() is ReaderState.NO_READER

    assert stops_within_a_second(reader)


def test_settings() -> None:
    usual = sdt_reader({"port": "serial:///dev/ttyUSB0"})
    assert (usual.name, usual._poll, usual._wanted.fingerprint, usual._wanted.address) == (
        "serial:///dev/ttyUSB0",
        0.3,
        False,
        True,
    )
    assert usual._wanted.finds_again
    assert usual._backoff == (1.0, 10.0)

    told = sdt_reader(
        {
            "driver": "sdt",
            "port": "pcsc://Hall",
            "fingerprint": True,
            "address": False,
            "presence": "once",
            "poll_ms": 500,
        }
    )
    assert (told._poll, told._wanted) == (0.5, sdt.Wanted(fingerprint=True, address=False, finds_again=False))


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ({}, "reader.port"),
        ({"port": 9}, "reader.port"),
        ({"port": "lpt://1"}, "reader.port"),
        ({"port": "tcp://h:1", "fingerprint": 1}, "reader.fingerprint"),
        ({"port": "tcp://h:1", "address": "yes"}, "reader.address"),
        ({"port": "tcp://h:1", "presence": "always"}, "reader.presence"),
        ({"port": "tcp://h:1", "poll_ms": 20}, "reader.poll_ms"),
        ({"port": "tcp://h:1", "poll_ms": True}, "reader.poll_ms"),
        ({"port": "tcp://h:1", "atr_mark": ""}, "reader.atr_mark"),
    ],
)
def test_settings_that_are_wrong(table: dict[str, Any], key: str) -> None:
    with pytest.raises(Failure, match="SETTINGS-INVALID") as raised:
        sdt_reader(table)
    assert key in raised.value.detail
