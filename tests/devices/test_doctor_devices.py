"""The doctor on real devices: readers on pcscd and the simulated printer, broken one way after another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from card_events import Events
from pcscd import BANK_ATR, READER, Bench

from clerk_app.desk.ports import Check, Level, ReaderState
from clerk_app.devices.card.drivers import reader_from_settings
from clerk_app.devices.card.samples import sample_cards
from clerk_app.devices.card.simulator import SimulatedReader
from clerk_app.devices.printer.printer import Limits, printer_from_url
from clerk_app.devices.printer.simulator.printer import NO_FAULTS, Faults, SimulatedPrinter
from clerk_app.doctor import paper, readers
from clerk_app.doctor.rounds import Asked, Look, Rounds
from clerk_app.domain import documents
from clerk_app.domain.hall_time import HALL_TIME
from clerk_app.failures import Failure

CARD = sample_cards()["resident"]
QUICK = Limits(connect=1.0, answer=0.3, send=1.0, confirm=0.6, look=0.1)
NOW = datetime(2026, 11, 20, tzinfo=HALL_TIME)
SLIP = documents.TestSlip("绵阳市政务服务中心", "12", NOW, "tcp://192.0.2.10:9100", 80, "gb18030")


def run(look: Look) -> dict[str, Check]:
    told: list[Check] = []
    Rounds(lambda _asked: (look,)).run(told.append)
    return {check.key: check for check in told}


def at_rest(*tables: dict[str, Any], card: bool = False) -> dict[str, Check]:
    return run(readers.at_rest(tables, reader_from_settings, Asked(card=card)))


def noticed() -> None:
    """Until pcscd has noticed the card: it looks every 0.4 s."""
    events, reader = Events(), reader_from_settings(())
    reader.start(events)
    events.until(ReaderState.PRESENT)
    reader.stop()


# --- readers -----------------------------------------------------------------------------------------------


@pytest.mark.pcsc
def test_no_service_is_a_failure_and_the_rest_not_looked_at(card_bench: Bench) -> None:
    told = at_rest()
    assert (told["reader_service"].level, told["reader_service"].code) == (Level.FAIL, "CARD-SERVICE-LOST")
    assert told["reader"].code == told["card"].code == "DOCTOR-NOT-CHECKED"


@pytest.mark.pcsc
def test_a_service_without_a_reader(card_bench: Bench) -> None:
    card_bench.start(readers=False)
    try:
        told = at_rest()
    finally:
        card_bench.kill()
    assert told["reader_service"].level is Level.OK
    assert told["reader"].code == "CARD-NO-READER"
    assert told["card"].code == "DOCTOR-NOT-CHECKED"


@pytest.mark.pcsc
def test_readers_are_named(pcscd: Bench) -> None:
    told = at_rest()
    assert READER in str(dict(told["reader"].values)["readers"])
    assert (told["card"].level, told["card"].said) == (Level.OK, "none")


@pytest.mark.pcsc
def test_a_card_that_lies_there_is_read_and_nobody_is_named(pcscd: Bench) -> None:
    pcscd.lay(CARD.chip)
    noticed()
    told = at_rest()
    assert told["card"] == Check("card", said="read", values=(("document", "resident_id"),))
    assert CARD.record.name not in str(told)
    assert CARD.record.number not in str(told)


@pytest.mark.pcsc
def test_a_card_that_cannot_be_read_says_why(pcscd: Bench) -> None:
    pcscd.lay(b"", atr=BANK_ATR)
    noticed()
    told = at_rest()["card"]
    assert (told.level, told.code) == (Level.FAIL, "CARD-UNKNOWN")


@pytest.mark.pcsc
def test_a_card_is_waited_for_when_asked(pcscd: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "_CARD", 0.5)
    assert at_rest(card=True)["card"].code == "CARD-NONE"


def test_a_reader_nobody_can_make_is_told_beside_the_others(card_bench: Bench) -> None:
    told = at_rest({"driver": "nobody-knows"}, {"driver": "nobody-knows-either"})
    assert told["reader.1"].code == told["reader.2"].code == "CARD-DRIVER"
    assert told["reader_service"].said == "unused"


class SilentReader(SimulatedReader):
    """A driver that says nothing: its port or its service hangs."""

    def start(self, listener: object) -> None:
        pass


@pytest.mark.parametrize(("driver", "told"), [("sdt", "reader"), ("pcsc", "reader_service")])
def test_a_reader_that_says_nothing_is_told_itself(
    monkeypatch: pytest.MonkeyPatch, driver: str, told: str
) -> None:
    """Not only that it could not be looked at: nothing else in the list would say what to mend."""
    monkeypatch.setattr(readers, "_LISTEN", 0.1)
    found = run(readers.at_rest(({"driver": driver},), lambda _tables: SilentReader(), Asked()))
    assert found[told].code == "DOCTOR-NO-ANSWER"


@dataclass
class Window:
    """A window that has the reader already."""

    events: Events
    reader: readers.RememberedReader

    def look(self) -> dict[str, Check]:
        return run(readers.at_work(self.reader.heard, "pcsc", Asked()))


@pytest.fixture
def window(events: Events):
    simulated = SimulatedReader()
    remembered = readers.RememberedReader(simulated)
    yield simulated, Window(events, remembered)
    remembered.stop()


def test_the_window_is_asked_what_its_reader_last_said(window) -> None:
    simulated, at_work = window
    assert at_work.look()["reader"].code == "DOCTOR-NOT-CHECKED"
    at_work.reader.start(at_work.events)
    at_work.events.until(ReaderState.EMPTY)
    assert at_work.look()["card"].said == "none"
    simulated.lay("resident")
    at_work.events.until(ReaderState.PRESENT)
    assert at_work.look()["card"].said == "read"
    simulated.remove()
    at_work.events.until(ReaderState.EMPTY)
    assert at_work.look()["card"].said == "none"
    simulated.unplug()
    at_work.events.until(ReaderState.NO_READER)
    assert at_work.look()["reader"].code == "CARD-NO-READER"


# --- the printer -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("faults", "level", "code"),
    [
        (NO_FAULTS, Level.OK, ""),
        (Faults(paper_near_end=True), Level.WARN, "DOCTOR-PAPER-LOW"),
        (Faults(paper_out=True), Level.FAIL, "PRINTER-PAPER-OUT"),
        (Faults(cover_open=True), Level.FAIL, "PRINTER-COVER-OPEN"),
        (Faults(cutter_jammed=True), Level.FAIL, "PRINTER-CUTTER"),
        (Faults(silent=True), Level.WARN, "PRINTER-SILENT"),
        (Faults(refuses=True), Level.FAIL, "PRINTER-UNREACHABLE"),
    ],
)
@pytest.mark.parametrize("test_page", [False, True])
def test_the_printer_says_how_it_is(faults: Faults, level: Level, code: str, test_page: bool) -> None:
    with SimulatedPrinter(faults=faults) as printer:
        port = printer_from_url(printer.url, limits=QUICK)
        told = run(paper.look(lambda: port, lambda: SLIP, Asked(test_page=test_page)))
        assert (told["printer"].level, told["printer"].code) == (level, code)
        if test_page:
            printed = told["test_page"].level is Level.OK
            assert printed is (faults in (NO_FAULTS, Faults(paper_near_end=True)))
            assert len(printer.papers) == (printed or faults.silent)
        else:
            assert printer.papers == []


def test_no_printer_in_the_settings_is_a_warning() -> None:
    def none() -> Any:
        raise Failure("PRINTER-NOT-SET")

    told = run(paper.look(none, lambda: SLIP, Asked(test_page=True)))
    assert (told["printer"].level, told["printer"].code) == (Level.WARN, "PRINTER-NOT-SET")
    assert told["test_page"].code == "DOCTOR-NOT-CHECKED"


def test_an_address_no_driver_knows_is_a_failure() -> None:
    told = run(paper.look(lambda: printer_from_url("nowhere://"), lambda: SLIP, Asked()))
    assert (told["printer"].level, told["printer"].code) == (Level.FAIL, "PRINTER-SETTING")
