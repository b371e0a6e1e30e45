"""The practice console: what its buttons do to the simulated devices; it fits beside the window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from queue import SimpleQueue
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot
from window_hall import Hall

from clerk_app.desk.ports import (
    CameraEvent,
    CameraFrame,
    CameraPhoto,
    CardEvent,
    CardFailed,
    CardRead,
    ReaderState,
    ReaderStatus,
)
from clerk_app.devices.card.simulator import SimulatedReader
from clerk_app.devices.printer.printer import printer_from_url
from clerk_app.devices.printer.sample_slips import sample
from clerk_app.devices.printer.simulator.mechanism import NO_FAULTS
from clerk_app.devices.printer.simulator.paper import Paper
from clerk_app.devices.printer.simulator.printer import SimulatedPrinter
from clerk_app.devices.scanner.page import pages
from clerk_app.domain.applicant import EntrySource
from clerk_app.lanes import Lane
from clerk_app.ui import theme
from practice.camera import PracticeCamera
from practice.console import PracticeConsole
from practice.faults import PRINTER_FAULTS
from practice.hand_scanner import SAMPLES, code_on

ERRS = "后台出错 Office errs"


@dataclass
class Office:
    """What was asked of the office."""

    tickets: list[str] = field(default_factory=list)
    happened: list[str] = field(default_factory=list)

    def take_ticket(self, series: str) -> None:
        self.tickets.append(series)

    def err(self, on: bool) -> None:
        self.happened.append("errs" if on else "works")

    def go_back(self) -> None:
        self.happened.append("restored")


@dataclass
class Devices:
    """What the console plays with: the simulated devices of a hall, and its office."""

    reader: SimulatedReader
    printer: SimulatedPrinter
    errands: Lane
    office: Office = field(default_factory=Office)
    cable: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(pull=lambda: None))
    on_paper: Callable[[Paper], None] | None = None
    on_said: Callable[[str], None] | None = None

    def shut_out(self) -> None:
        self.office.happened.append("shut out")


@pytest.fixture
def devices() -> Iterator[Devices]:
    made: list[Devices] = []
    printer = SimulatedPrinter(listener=lambda paper: made[0].on_paper and made[0].on_paper(paper))
    with printer:
        made.append(Devices(SimulatedReader(), printer, Lane("errands")))
        yield made[0]
        made[0].errands.close()


@pytest.fixture
def console(devices: Devices, window_hall: Hall) -> Iterator[PracticeConsole]:
    made = PracticeConsole(devices, window_hall.window)
    yield made
    made.close()
    made.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def click(console: PracticeConsole, name: str) -> None:
    (button,) = [each for each in console.findChildren(QPushButton) if each.accessibleName() == name]
    button.click()


def choose(console: PracticeConsole, words: str) -> None:
    place = console.scan.findText(words, Qt.MatchFlag.MatchContains)
    assert place >= 0, words
    console.scan.setCurrentIndex(place)


def test_the_reader_does_what_the_buttons_say(
    console: PracticeConsole, devices: Devices, qtbot: QtBot
) -> None:
    heard: list[CardEvent] = []
    devices.reader.start(heard.append)
    cards = devices.reader.cards

    def comes(name: str, event: CardEvent) -> None:
        heard.clear()
        click(console, name)
        qtbot.waitUntil(lambda: event in heard)

    def is_read(card: str) -> CardEvent:
        return CardRead(cards[card].record, devices.reader.name)

    def fails(name: str) -> str:
        heard.clear()
        click(console, name)
        qtbot.waitUntil(lambda: any(isinstance(event, CardFailed) for event in heard))
        return next(event.code for event in heard if isinstance(event, CardFailed))

    comes("放卡 Lay card", is_read("resident"))
    for card in ("resident-lost", "social-security-3"):
        console.card.setCurrentIndex(console.card.findData(card))
        comes("放卡 Lay card", is_read(card))
    comes("取卡 Take card", ReaderStatus(ReaderState.EMPTY, devices.reader.name))
    assert fails("读时抽走 Pull early") == "CARD-PULLED"
    assert fails("读不出 Unreadable") not in ("", "CARD-PULLED")
    comes("拔下读卡器 Reader out", ReaderStatus(ReaderState.NO_READER))
    comes("停读卡服务 Service off", ReaderStatus(ReaderState.SERVICE_LOST))
    comes("停读卡服务 Service off", ReaderStatus(ReaderState.NO_READER))
    devices.reader.stop()


def test_every_fault_breaks_the_printer_and_repair_mends_it(
    console: PracticeConsole, devices: Devices, qtbot: QtBot
) -> None:
    for place, (words, faults) in enumerate(PRINTER_FAULTS):
        assert console.fault.itemText(place) == words
        console.fault.setCurrentIndex(place)
        qtbot.waitUntil(lambda faults=faults: devices.printer.faults == faults)
    click(console, "修好 Repair")
    qtbot.waitUntil(lambda: devices.printer.faults == NO_FAULTS)


def test_citizens_take_tickets(console: PracticeConsole, devices: Devices, qtbot: QtBot) -> None:
    for name in ("综合 General", "预约 Booked", "优先 Priority"):
        click(console, name)
    qtbot.waitUntil(lambda: devices.office.tickets == ["A", "Y", "P"])


def test_the_office_has_its_bad_days(console: PracticeConsole, devices: Devices, qtbot: QtBot) -> None:
    for name in (
        "后台出错 Office errs",
        "后台出错 Office errs",
        "恢复旧备份 Old backup",
        "吊销本机 Shut out",
    ):
        click(console, name)
    qtbot.waitUntil(lambda: devices.office.happened == ["errs", "works", "restored", "shut out"])
    click(console, "吊销本机 Shut out")
    devices.errands.run(lambda: None)
    assert devices.office.happened[-2:] == ["restored", "shut out"], "once is for good"


def test_slips_are_leafed_through_and_torn_off(
    console: PracticeConsole, devices: Devices, qtbot: QtBot
) -> None:
    printer = printer_from_url(devices.printer.url)
    for kind in ("receipt", "ticket"):
        printer.print(sample(kind))
    qtbot.waitUntil(lambda: console.slips.shown is not None and "2 / 2" in console.slips._number.text())
    receipt, ticket = devices.printer.papers
    assert console.slips.shown == ticket
    click(console, "上一张 · Slip before")
    assert console.slips.shown == receipt
    click(console, "下一张 · Slip after")
    assert console.slips.shown == ticket
    click(console, "撕下 Tear off")  # nothing hangs out: nothing is added
    devices.errands.run(lambda: None)
    QApplication.processEvents()
    assert console.slips.shown == ticket


def test_a_passport_is_scanned_into_the_window_of_the_clerk(
    console: PracticeConsole, window_hall: Hall
) -> None:
    hall = window_hall
    hall.sign_in()
    hall.press(Qt.Key.Key_F1)
    console.show()
    console.activateWindow()
    hall.bot.waitUntil(lambda: QApplication.focusWindow() is console.windowHandle())
    choose(console, "Specimen passport")
    click(console, "扫描 Scan")
    draft = hall.counter.shown
    hall.bot.waitUntil(lambda: draft.draft is not None and draft.draft.applicant is not None)
    hall.settle()
    party = draft.draft.applicant.party
    assert (party.name, party.source) == ("ERIKSSON ANNA MARIA", EntrySource.MRZ)


def test_the_code_of_the_slip_on_show_is_scanned(
    console: PracticeConsole, devices: Devices, window_hall: Hall
) -> None:
    window_hall.sign_in()
    click(console, "扫描 Scan")  # no slip yet: nothing happens
    printer_from_url(devices.printer.url).print(sample("receipt"))
    window_hall.bot.waitUntil(lambda: console.slips.shown is not None)
    assert code_on(console.slips.shown)
    click(console, "扫描 Scan")
    banner = window_hall.counter.steps.banner
    window_hall.bot.waitUntil(lambda: banner.message is not None)
    window_hall.settle()
    assert banner.message.words.startswith("scan.case_")


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.words)
def test_every_sample_is_taken_for_a_scan(
    console: PracticeConsole, window_hall: Hall, sample: object
) -> None:
    scanned: list[str] = []
    window_hall.sign_in()
    window_hall.window._shift._scanner.scanned.connect(scanned.append)
    choose(console, sample.words)
    click(console, "扫描 Scan")
    window_hall.bot.waitUntil(lambda: "".join(scanned).count("\n") == len(sample.text.splitlines()))
    window_hall.settle()
    assert "".join(scanned).strip() == sample.text


@pytest.mark.parametrize("scale", [100, 125])
def test_it_fits_beside_the_window(console: PracticeConsole, scale: int) -> None:
    app = QApplication.instance()
    theme.apply(app, "light", scale)
    console.show()
    for name in (
        "断网 Network down",
        "拔下读卡器 Reader out",
        "停读卡服务 Service off",
        "后台出错 Office errs",
    ):
        click(console, name)  # in bold while they are down
    QApplication.processEvents()
    least = console.minimumSizeHint()
    assert least.width() <= theme.current().px(440)
    assert least.height() <= 768
    theme.apply(app, "light", 100)


def test_the_camera_shows_a_page_that_becomes_straight_and_then_another() -> None:
    camera = PracticeCamera()
    heard: SimpleQueue[CameraEvent] = SimpleQueue()
    camera.open(heard.put)
    first = heard.get(timeout=10)
    assert isinstance(first, CameraFrame)
    camera.take()
    photo, second = heard.get(timeout=10), heard.get(timeout=10)
    assert isinstance(photo, CameraPhoto)
    assert isinstance(second, CameraFrame)
    assert second.content != first.content, "the next page lies there"
    (page,) = pages(photo.content)
    assert page.height / page.width == pytest.approx(297 / 210, rel=0.03), "cut to the paper"
    camera.close()
    camera.take()
    camera.open(heard.put)
    assert isinstance(heard.get(timeout=10), CameraFrame)
    assert heard.empty(), "nothing is taken by a camera that was switched off"
    camera.close()
