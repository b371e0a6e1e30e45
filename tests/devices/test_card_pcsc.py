"""The real PC/SC stack: two readers, other programs, a service that dies, hangs and comes back."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
from card_events import PATIENCE, Events
from pcscd import BANK_ATR, READER, SECOND_READER, Bench
from smartcard import scard

from clerk_app.desk.ports import CardRead, ReaderState, ReaderStatus
from clerk_app.devices.card import pcsc, pseudo_apdu
from clerk_app.devices.card.attempt import read_card
from clerk_app.devices.card.choice import DRIVERS
from clerk_app.devices.card.monitor import PcscReader
from clerk_app.devices.card.pseudo_apdu import IdentityCard, PseudoApduTable
from clerk_app.devices.card.samples import sample_cards
from clerk_app.failures import Failure

pytestmark = pytest.mark.pcsc

CARDS = sample_cards()
CHIP = CARDS["resident"].chip
QUICK = (0.05, 0.2)


@pytest.fixture
def reader() -> Iterator[PcscReader]:
    made = PcscReader(backoff=QUICK)
    yield made
    made.stop()


def started(reader: PcscReader, events: Events) -> None:
    """Start on two empty readers."""
    reader.start(events)
    assert {events.next(), events.next()} == {
        ReaderStatus(ReaderState.EMPTY, READER),
        ReaderStatus(ReaderState.EMPTY, SECOND_READER),
    }


def test_every_reader_is_watched(pcscd: Bench, reader: PcscReader, events: Events) -> None:
    started(reader, events)

    pcscd.lay(CARDS["resident-woman"].chip, slot=1)
    events.until(ReaderState.READING, SECOND_READER)
    assert events.next() == CardRead(CARDS["resident-woman"].record, SECOND_READER)
    pcscd.lay(CHIP, slot=0)
    events.until(ReaderState.READING, READER)
    assert events.next() == CardRead(CARDS["resident"].record, READER)
    pcscd.take(slot=1)
    events.until(ReaderState.EMPTY, SECOND_READER)
    reader.read_again()
    assert events.record() == CARDS["resident"].record


def test_a_reader_takes_identity_and_social_security_cards_in_turn(
    pcscd: Bench, reader: PcscReader, events: Events
) -> None:
    started(reader, events)
    for card_id in ("social-security-1", "resident", "social-security-2-long-name"):
        card = CARDS[card_id]
        if card_id == "resident":
            pcscd.lay(card.chip)
        else:
            by = "number" if card_id.endswith("-1") else "tag"
            pcscd.lay_social_security(card.chip, by=by, short=False, t0=True)
        assert events.record() == card.record
        pcscd.take()
        events.until(ReaderState.EMPTY, READER)


def test_a_card_no_driver_knows(pcscd: Bench, reader: PcscReader, events: Events) -> None:
    started(reader, events)
    pcscd.lay(CHIP, atr=BANK_ATR)

    assert events.failure() == "CARD-UNKNOWN"


def test_a_card_no_driver_takes_is_not_touched(pcscd: Bench, events: Events) -> None:
    reader = PcscReader([IdentityCard()])
    pcscd.lay(CHIP, atr=BANK_ATR)
    with pcsc.open_context() as context:
        card = held_by_another_program(context)  # whoever touches it is told that it is busy
        reader.start(events)
        try:
            assert events.failure() == "CARD-UNKNOWN"
        finally:
            reader.stop()
            scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)


def test_a_status_word_is_a_code_of_its_own(pcscd: Bench, reader: PcscReader, events: Events) -> None:
    started(reader, events)
    pcscd.lay(CHIP, faults={5 * 256: "6A82"})

    assert events.failure() == "CARD-NO-DATA"


@pytest.fixture
def trusting() -> Iterator[PcscReader]:
    """A reader that takes every card for an identity card."""
    made = PcscReader([IdentityCard(PseudoApduTable(atr_mark=b""))])
    yield made
    made.stop()


def test_a_table_without_a_mark_takes_every_card(pcscd: Bench, trusting: PcscReader, events: Events) -> None:
    started(trusting, events)
    pcscd.lay(CHIP, atr=BANK_ATR)

    assert events.record() == CARDS["resident"].record


def test_a_card_that_speaks_no_protocol(pcscd: Bench, trusting: PcscReader, events: Events) -> None:
    started(trusting, events)
    pcscd.lay(CHIP, atr="FFFF")

    assert events.failure() == "CARD-UNREADABLE"


def test_a_card_that_failed_is_reset_for_the_next_attempt(
    pcscd: Bench, reader: PcscReader, events: Events
) -> None:
    started(reader, events)
    pcscd.lay(CHIP, faults={512: "6F00"})
    assert events.failure() == "CARD-UNREADABLE"

    reader.read_again()

    assert events.record() == CARDS["resident"].record


def test_a_card_that_is_not_the_one_that_was_laid(
    pcscd: Bench, reader: PcscReader, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    started(reader, events)
    pcscd.lay(CHIP)
    assert events.record() == CARDS["resident"].record
    with pcsc.open_context() as context:
        lies = pcsc.look(context, READER)
    with pytest.raises(Failure, match="CARD-PULLED: gone before"):
        read_card(READER, lies.counter - 2, DRIVERS)

    looks = [lies, replace(lies, state=lies.state + 0x20000)]  # swapped while it was read
    monkeypatch.setattr(pcsc, "look", lambda *_: looks.pop(0))
    with pytest.raises(Failure, match="CARD-PULLED: changed during"):
        read_card(READER, lies.counter, DRIVERS)


@pytest.mark.parametrize(
    "faults",
    [
        {0: "0100040000" + "9000"},  # a page that is too short
        {0: "00" * 256 + "9000"},  # no header
        {256: "00"},  # no status at all
    ],
)
def test_answers_that_make_no_card(
    pcscd: Bench, reader: PcscReader, events: Events, faults: dict[int, str]
) -> None:
    started(reader, events)
    pcscd.lay(CHIP, faults=faults)

    assert events.failure() == "CARD-UNREADABLE"
    events.until(ReaderState.PRESENT)


def held_by_another_program(context: pcsc.Context) -> Any:
    """Wait for the card and take it for ourselves alone; returns its handle."""
    now = pcsc.look(context, READER)
    while not pcsc.present(now.state):
        now = pcsc.wait(context, {READER: now.state}, PATIENCE)[READER]
    code, card, _ = scard.SCardConnect(context, READER, scard.SCARD_SHARE_EXCLUSIVE, scard.SCARD_PROTOCOL_T1)
    assert code == scard.SCARD_S_SUCCESS
    return card


def test_a_reader_held_by_another_program(pcscd: Bench, reader: PcscReader, events: Events) -> None:
    pcscd.lay(CHIP)
    with pcsc.open_context() as context:
        card = held_by_another_program(context)
        reader.start(events)
        assert events.failure() == "CARD-BUSY"
        reader.read_again()
        assert events.failure() == "CARD-BUSY"
        scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)

    assert events.record() == CARDS["resident"].record  # without anybody asking
    events.until(ReaderState.PRESENT)
    reader.stop()
    assert events.rest() == []


def test_a_card_that_was_held_and_taken_is_not_read(pcscd: Bench, reader: PcscReader, events: Events) -> None:
    pcscd.lay(CHIP)
    with pcsc.open_context() as context:
        card = held_by_another_program(context)
        reader.start(events)
        assert events.failure() == "CARD-BUSY"
        pcscd.take()
        events.until(ReaderState.EMPTY, READER)
        scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)

    pcscd.lay(CARDS["resident-woman"].chip)

    assert events.record() == CARDS["resident-woman"].record


def test_a_program_that_probes_the_card_for_a_moment_is_waited_for(
    pcscd: Bench, reader: PcscReader, events: Events
) -> None:
    pcscd.lay(CHIP)
    with pcsc.open_context() as context:
        card = held_by_another_program(context)
        reader.start(events)
        events.until(ReaderState.READING)
        scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)

        assert events.record() == CARDS["resident"].record


def test_no_reader_at_all(card_bench: Bench, reader: PcscReader, events: Events) -> None:
    card_bench.start(readers=False)
    try:
        reader.start(events)
        assert events.next() == ReaderStatus(ReaderState.NO_READER)
    finally:
        card_bench.kill()


def test_the_service_dies_and_comes_back(pcscd: Bench, reader: PcscReader, events: Events) -> None:
    started(reader, events)
    for _ in range(3):
        pcscd.kill()
        assert events.state() is ReaderState.SERVICE_LOST
        pcscd.start()
        pcscd.lay(CHIP)
        assert events.record() == CARDS["resident"].record
        events.until(ReaderState.PRESENT)
        assert ReaderState.SERVICE_LOST not in [getattr(event, "state", None) for event in events.rest()]


def test_the_service_dies_in_the_middle_of_a_read(pcscd: Bench, reader: PcscReader, events: Events) -> None:
    started(reader, events)
    pcscd.lay(CHIP, faults={256: "hang"})
    events.until(ReaderState.READING)

    pcscd.kill()

    assert events.failure() == "CARD-READER-ERROR"
    events.until(ReaderState.SERVICE_LOST)
    pcscd.start()
    events.until(ReaderState.EMPTY)


def test_a_service_that_hangs_is_told_and_so_is_its_return(pcscd: Bench, events: Events) -> None:
    reader = PcscReader(poll=0.1, tick=0.05)
    try:
        started(reader, events)
        pcscd.freeze(frozen=True)
        assert events.next() == ReaderStatus(ReaderState.SERVICE_LOST)
        pcscd.freeze(frozen=False)
        events.until(ReaderState.EMPTY, READER)
        events.until(ReaderState.EMPTY, SECOND_READER)

        pcscd.freeze(frozen=True)
        assert events.next() == ReaderStatus(ReaderState.SERVICE_LOST)
        pcscd.lay(CHIP)
        pcscd.freeze(frozen=False)

        assert events.record() == CARDS["resident"].record
    finally:
        reader.stop()


def test_the_readers_change_while_the_service_is_away(
    card_bench: Bench, reader: PcscReader, events: Events
) -> None:
    card_bench.start()
    try:
        started(reader, events)
        card_bench.kill()
        assert events.state() is ReaderState.SERVICE_LOST
        card_bench.start(readers=False)
        assert events.next() == ReaderStatus(ReaderState.NO_READER)
        card_bench.kill()
        assert events.state() is ReaderState.SERVICE_LOST
    finally:
        card_bench.start()
    try:
        events.until(ReaderState.EMPTY, READER)
    finally:
        card_bench.kill()


def test_after_a_sleep_the_card_that_lies_there_is_read_again(pcscd: Bench) -> None:
    script = str(Path(__file__).with_name("card_watcher.py"))
    with subprocess.Popen(
        [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as watcher:
        assert watcher.stdin is not None
        assert watcher.stdout is not None

        def says(line: str) -> None:
            assert watcher.stdout is not None
            assert any(said.strip() == line for said in iter(watcher.stdout.readline, ""))

        says(f"empty {READER}")
        pcscd.lay(CHIP)
        says(f"CardRead {READER}")
        says(f"present {READER}")

        watcher.send_signal(signal.SIGSTOP)
        time.sleep(1.0)  # what is tested is that time passes
        watcher.send_signal(signal.SIGCONT)

        says(f"reading {READER}")
        says(f"CardRead {READER}")
        watcher.stdin.close()
        assert watcher.wait(timeout=PATIENCE) == 0


def test_the_service_is_not_there_at_the_start(card_bench: Bench, reader: PcscReader, events: Events) -> None:
    reader.start(events)
    assert events.next() == ReaderStatus(ReaderState.SERVICE_LOST)

    card_bench.start()
    try:
        events.until(ReaderState.EMPTY, READER)
    finally:
        card_bench.kill()


def test_a_bug_in_the_monitor_is_logged_and_outlived(
    pcscd: Bench,
    reader: PcscReader,
    events: Events,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    real, broken = pcsc.wait, [True]

    def wait(*args: Any) -> Any:
        if broken:
            broken.pop()
            raise ZeroDivisionError
        return real(*args)

    monkeypatch.setattr(pcsc, "wait", wait)

    reader.start(events)

    assert events.state() is ReaderState.SERVICE_LOST
    events.until(ReaderState.EMPTY, READER)
    assert "bug in the card monitor: ZeroDivisionError" in caplog.text


def test_a_bug_in_reading_is_logged_and_outlived(
    pcscd: Bench,
    reader: PcscReader,
    events: Events,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(pseudo_apdu, "parse", lambda text, photo: text / photo)
        started(reader, events)
        pcscd.lay(CHIP)
        assert events.failure() == "CARD-BUG"
    assert "bug in reading a card: TypeError" in caplog.text

    reader.read_again()

    assert events.record() == CARDS["resident"].record


def test_the_monitor_waits_and_does_not_spin(
    pcscd: Bench, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, begun = pcsc.wait, SimpleQueue[float]()

    def wait(*args: Any) -> Any:
        begun.put(time.monotonic())
        return real(*args)

    monkeypatch.setattr(pcsc, "wait", wait)
    reader = PcscReader(poll=0.1)
    try:
        started(reader, events)
        begun.get(timeout=5)  # the first look answers at once
        first = begun.get(timeout=5)
        for _ in range(3):
            last = begun.get(timeout=5)
        assert last - first >= 0.29
    finally:
        reader.stop()


def stops_within_a_second(reader: PcscReader) -> bool:
    began = time.monotonic()
    reader.stop()
    return time.monotonic() - began < 1.0


def test_stop_while_waiting(pcscd: Bench, events: Events) -> None:
    reader = PcscReader(poll=60)
    started(reader, events)

    assert stops_within_a_second(reader)
    assert "card-monitor" not in [thread.name for thread in threading.enumerate()]
    assert stops_within_a_second(reader)
    with pytest.raises(RuntimeError):
        reader.start(events)


def test_stop_while_the_service_is_lost(card_bench: Bench, events: Events) -> None:
    reader = PcscReader(backoff=(60, 60))
    reader.start(events)
    assert events.state() is ReaderState.SERVICE_LOST

    assert stops_within_a_second(reader)


def test_stop_while_a_card_hangs(pcscd: Bench, reader: PcscReader, events: Events) -> None:
    started(reader, events)
    pcscd.lay(CHIP, faults={512: "hang"})
    events.until(ReaderState.READING)

    assert stops_within_a_second(reader)
    assert events.rest() == []


def test_stop_while_the_service_hangs(pcscd: Bench, reader: PcscReader, events: Events) -> None:
    started(reader, events)
    pcscd.freeze(frozen=True)

    assert stops_within_a_second(reader)
    pcscd.freeze(frozen=False)


def test_fifty_starts_and_stops_leave_nothing(pcscd: Bench) -> None:
    before = threading.active_count()
    for _ in range(50):
        reader = PcscReader()
        events = Events()
        started(reader, events)
        assert stops_within_a_second(reader)
    for thread in threading.enumerate():
        if thread.name == "card-cancel":
            thread.join(5)
    assert threading.active_count() <= before
