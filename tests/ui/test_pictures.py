"""A picture of every screen, in both languages, three themes and three sizes, for eyes to judge.

The pictures go to `build/pictures/`; the test holds that every scene can be drawn, without a Qt warning.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from window_fakes import CLERK, LI, MORNING, ZHAO
from window_hall import Hall, hall

from clerk_app.desk.ports import (
    CardFailed,
    Check,
    CommandState,
    Level,
    LinkState,
    LinkStatus,
    PaperState,
    PrinterStatus,
    PrintOutcome,
    PrintResult,
)
from clerk_app.devices.printer.templates.loading import Templates
from clerk_app.ui.pieces import FittingScroll
from clerk_app.ui.services import Look
from tests.unit.page_samples import encoded, photograph, sheet

FOLDER = Path("build/pictures")
PASSPORT = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F3204153ZE184226B<<<<<16"
LOOKS = [
    (Look("zh", "light", 100), (1366, 768)),
    (Look("en", "light", 100), (1366, 768)),
    (Look("zh", "dark", 100), (1366, 768)),
    (Look("en", "dark", 100), (1366, 768)),
    (Look("zh", "contrast", 100), (1366, 768)),
    (Look("en", "contrast", 100), (1366, 768)),
    (Look("zh", "light", 100), (1920, 1080)),
    (Look("en", "light", 150), (1366, 768)),
    (Look("zh", "light", 150), (1920, 1080)),
]


def sign_in(hall: Hall) -> None:
    hall.type(CLERK)
    hall.press(Qt.Key.Key_Return)
    hall.type("wrong")
    hall.press(Qt.Key.Key_Return)


def ready(hall: Hall) -> None:
    hall.sign_in()


def called(hall: Hall) -> None:
    hall.sign_in()
    hall.press(Qt.Key.Key_F1)


def searching(hall: Hall) -> None:
    called(hall)
    hall.lay_card(LI)
    hall.type("sbk bl")
    hall.press(Qt.Key.Key_Right)
    hall.press(Qt.Key.Key_Down)


def filling(hall: Hall) -> None:
    called(hall)
    hall.lay_card(LI)
    hall.type("sbk bl")
    hall.press(Qt.Key.Key_Return)
    hall.type("1381234")
    hall.press(Qt.Key.Key_Return)


def long_form(hall: Hall) -> None:
    called(hall)
    hall.lay_card(ZHAO)
    hall.type("住房")
    hall.press(Qt.Key.Key_Return)
    hall.press(Qt.Key.Key_F9)


def materials(hall: Hall) -> None:
    called(hall)
    hall.lay_card(LI)
    hall.type("sbk bl")
    hall.press(Qt.Key.Key_Return)
    hall.type("13812345678")
    hall.press(Qt.Key.Key_Return)
    hall.press(Qt.Key.Key_Down)
    hall.press(Qt.Key.Key_5, Qt.KeyboardModifier.AltModifier)
    hall.press(Qt.Key.Key_Space)
    hall.press(Qt.Key.Key_Tab)


def scanning(hall: Hall) -> None:
    materials(hall)
    hall.camera.sees = encoded(photograph(sheet(), 3.0, (900, 1200)))
    hall.press(Qt.Key.Key_S, Qt.KeyboardModifier.AltModifier)
    hall.press(Qt.Key.Key_Return)
    hall.press(Qt.Key.Key_Return)


def scanned(hall: Hall) -> None:
    scanning(hall)
    hall.press(Qt.Key.Key_Escape)


def checks(hall: Hall) -> None:
    materials(hall)
    for row in hall.counter.steps.material._rows.values():
        if not row._tick.isChecked():
            row._tick.click()
            hall.settle()
    hall.counter.steps.open_step(6)
    hall.settle()


def filed(hall: Hall) -> None:
    checks(hall)
    hall.press(Qt.Key.Key_F9)
    hall.press(Qt.Key.Key_C, Qt.KeyboardModifier.AltModifier)


def again(hall: Hall) -> None:
    filed(hall)
    hall.press(Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    hall.type("sbk bl")
    hall.press(Qt.Key.Key_Return)
    hall.counter.steps.open_step(2)
    hall.settle()


def print_doubt(hall: Hall) -> None:
    checks(hall)
    hall.printer.outcomes.append(PrintResult(PrintOutcome.UNKNOWN, "PRINTER-UNCONFIRMED"))
    hall.press(Qt.Key.Key_F9)


def no_paper(hall: Hall) -> None:
    checks(hall)
    hall.printer.outcomes.append(PrintResult(PrintOutcome.FAILED, "PRINTER-PAPER-OUT"))
    hall.printer.now = PrinterStatus(PaperState.OUT, "PRINTER-PAPER-OUT")
    hall.press(Qt.Key.Key_F9)


def typed(hall: Hall) -> None:
    called(hall)
    hall.reader.lay(CardFailed("CARD-PULLED", detail="SW 6A82"))
    hall.settle()
    hall.press(Qt.Key.Key_T, Qt.KeyboardModifier.AltModifier)


def agent(hall: Hall) -> None:
    called(hall)
    hall.lay_card(LI)
    hall.lay_card(ZHAO)


def with_agent(hall: Hall) -> None:
    called(hall)
    hall.lay_card(LI)
    hall.press(Qt.Key.Key_A, Qt.KeyboardModifier.AltModifier)
    hall.lay_card(ZHAO)
    hall.press(Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)


def zone(hall: Hall) -> None:
    called(hall)
    hall.scan(PASSPORT)
    hall.press(Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)


def zone_read_badly(hall: Hall) -> None:
    called(hall)
    hall.scan(PASSPORT.replace("740812", "740813"))


def typed_passport(hall: Hall) -> None:
    called(hall)
    hall.press(Qt.Key.Key_T, Qt.KeyboardModifier.AltModifier)
    hall.type("ERIKSSON ANNA MARIA")
    for key in (Qt.Key.Key_Tab, Qt.Key.Key_Tab, Qt.Key.Key_Down, Qt.Key.Key_Return):
        hall.press(key)


def lost_card(hall: Hall) -> None:
    called(hall)
    hall.report_lost(LI)
    hall.lay_card(LI)


def minor(hall: Hall) -> None:
    """With an agent who is no adult either, and whose card has expired."""
    called(hall)
    hall.lay_card(replace(LI, birth=date(2015, 3, 7)))
    hall.press(Qt.Key.Key_A, Qt.KeyboardModifier.AltModifier)
    hall.lay_card(replace(ZHAO, birth=date(2010, 3, 7), long_term=False, valid_until=date(2021, 1, 1)))
    hall.press(Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)


def expired(hall: Hall) -> None:
    called(hall)
    hall.lay_card(replace(LI, valid_until=date(2020, 3, 7)))
    hall.press(Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)


def scanned_ticket(hall: Hall) -> None:
    hall.sign_in()
    hall.scan("Y012")


def scanned_nothing(hall: Hall) -> None:
    called(hall)
    hall.press(Qt.Key.Key_2, Qt.KeyboardModifier.AltModifier)
    hall.scan("91510700MA6200001X")


def offline(hall: Hall) -> None:
    filed(hall)
    hall.press(Qt.Key.Key_F7)
    hall.offline()
    hall.press(Qt.Key.Key_F1)
    hall.type("B052")
    hall.press(Qt.Key.Key_Return)
    hall.press(Qt.Key.Key_O, Qt.KeyboardModifier.ControlModifier)


def revoked(hall: Hall) -> None:
    """Nothing is sent, and waiting does not mend it."""
    hall.sign_in()
    hall.broken("SYNC-FENCED")
    hall.press(Qt.Key.Key_O, Qt.KeyboardModifier.ControlModifier)


def tasks(hall: Hall) -> None:
    """The office refused a case and a ticket, and keeps another case."""
    again(hall)
    hall.press(Qt.Key.Key_F8)
    hall.press(Qt.Key.Key_F7)
    hall.refuse("case.file", "OFFICE-NUMBER-FOREIGN")
    hall.refuse("ticket.serving", "OFFICE-TICKET-STATE")
    hall.refuse("ticket.done", "SYNC-HELD", CommandState.HELD)
    hall.press(Qt.Key.Key_O, Qt.KeyboardModifier.ControlModifier)


def receive_only(hall: Hall) -> None:
    """Offline, with an item that is received only: said at the item, at the button and on the page after."""
    hall.receive()


def awaiting(hall: Hall) -> None:
    """Between two visits: what is still to be accepted, and limits that the calendar moved."""
    case = hall.receive()
    hall.press(Qt.Key.Key_F7)
    hall.register(case)
    hall.clock.at += timedelta(days=6)
    hall.store.write(lambda tx: tx.meta.set("due_moved", '["MY01-00001207-6"]'))
    hall.changed("due")


def accept_later(hall: Hall) -> None:
    awaiting(hall)
    hall.press(Qt.Key.Key_C, Qt.KeyboardModifier.AltModifier)


def accepted_later(hall: Hall) -> None:
    accept_later(hall)
    hall.press(Qt.Key.Key_F9)


def offline_tickets(hall: Hall) -> None:
    hall.office.rights |= {"issue"}
    hall.sign_in()
    hall.offline()
    hall.press(Qt.Key.Key_I, Qt.KeyboardModifier.AltModifier)
    hall.press(Qt.Key.Key_L)
    hall.press(Qt.Key.Key_I, Qt.KeyboardModifier.AltModifier)


def offline_ready(hall: Hall) -> None:
    hall.sign_in()
    hall.offline()
    hall.press(Qt.Key.Key_F1)


def void(hall: Hall) -> None:
    filed(hall)
    hall.press(Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)


def session(hall: Hall) -> None:
    hall.sign_in()
    hall.office.in_session = False
    hall.press(Qt.Key.Key_F1)


def issuing(hall: Hall) -> None:
    hall.office.rights |= {"issue"}
    hall.sign_in()
    hall.press(Qt.Key.Key_I, Qt.KeyboardModifier.AltModifier)


def ticket_without_paper(hall: Hall) -> None:
    for _ in range(2):
        hall.printer.outcomes.append(PrintResult(PrintOutcome.FAILED, "PRINTER-PAPER-OUT"))
    issuing(hall)
    hall.press(Qt.Key.Key_A)
    hall.press(Qt.Key.Key_I, Qt.KeyboardModifier.AltModifier)
    hall.press(Qt.Key.Key_P)
    hall.press(Qt.Key.Key_F1)


def ticket_in_doubt(hall: Hall) -> None:
    hall.printer.outcomes.append(PrintResult(PrintOutcome.UNKNOWN, "PRINTER-UNCONFIRMED"))
    issuing(hall)
    hall.press(Qt.Key.Key_A)


def locked(hall: Hall) -> None:
    filling(hall)
    hall.press(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    hall.type("wrong")
    hall.press(Qt.Key.Key_Return)


def locked_other(hall: Hall) -> None:
    filling(hall)
    hall.offline()
    hall.press(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    hall.click("换一位工作人员")
    hall.type("3001")
    hall.press(Qt.Key.Key_Return)
    hall.type("word")
    hall.press(Qt.Key.Key_Return)


def second_person(hall: Hall) -> None:
    filed(hall)
    hall.offline()
    hall.press(Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    hall.type("同一事项重复收件，申请人要求撤回。")
    hall.click("确认作废")
    hall.type(CLERK)
    hall.press(Qt.Key.Key_Return)
    hall.type("right")
    hall.press(Qt.Key.Key_Return)


def void_offline(hall: Hall) -> None:
    filed(hall)
    hall.offline()
    hall.press(Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)


def clock_off(hall: Hall) -> None:
    checks(hall)
    hall.link[:] = [LinkStatus(LinkState.OFFLINE, since=MORNING, jumped_seconds=-90_000.0)]
    hall.changed("link")


def barred(hall: Hall) -> None:
    hall.office.failure = "OFFICE-REVOKED"
    sign_in(hall)


def undo(hall: Hall) -> None:
    filling(hall)
    hall.press(Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)


def doctor(hall: Hall) -> None:
    hall.sign_in()
    hall.doctor.found[:] = [
        Check("settings"),
        Check("reader_service"),
        Check("reader", values=(("readers", "Virtual PCD 00 00"), ("driver", "pcsc"))),
        Check("card", said="read", values=(("document", "resident_id"),)),
        Check("printer", Level.FAIL, "PRINTER-PAPER-OUT"),
        Check("templates"),
        Check("database"),
        Check("clock", Level.WARN, "DOCTOR-CLOCK", detail="the office is 305 s ahead"),
        Check("catalogue", values=(("items", 66_774), ("version", "2026-11-20"), ("days", 2))),
    ]
    hall.press(Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    sheet = hall.window.doctor
    hall.bot.waitUntil(lambda: sheet is not None and not sheet.page.busy)
    sheet.page._lines["clock"]._more.click()


def slips(hall: Hall) -> None:
    filed(hall)
    hall.press(Qt.Key.Key_J, Qt.KeyboardModifier.ControlModifier)
    hall.press(Qt.Key.Key_Down)


def slips_in_doubt(hall: Hall) -> None:
    """A closing sheet nobody knows of, and a hall's template with a mistake."""
    folder = Path(tempfile.mkdtemp())
    (folder / "closing.slip").write_text("centre {hall}\nfeild x = {day}\n", encoding="utf-8")
    hall.printer.templates = Templates(folder)
    hall.sign_in()
    hall.press(Qt.Key.Key_J, Qt.KeyboardModifier.ControlModifier)
    hall.press(Qt.Key.Key_Down)
    hall.printer.outcomes.append(PrintResult(PrintOutcome.UNKNOWN, "PRINTER-UNCONFIRMED"))
    hall.press(Qt.Key.Key_P, Qt.KeyboardModifier.ControlModifier)


def closing(hall: Hall) -> None:
    """The closing sheet of a day with offline tickets, a case only received and one void."""
    awaiting(hall)
    hall.store.write(lambda tx: tx.meta.set(f"offline_tickets:L12:{MORNING.date()}", "7"))
    hall.clock.at = MORNING
    hall.press(Qt.Key.Key_J, Qt.KeyboardModifier.ControlModifier)
    for _ in range(4):
        hall.press(Qt.Key.Key_Down)


SCENES: dict[str, Callable[[Hall], None]] = {
    scene.__name__: scene
    for scene in (
        sign_in,
        ready,
        called,
        searching,
        filling,
        long_form,
        materials,
        scanning,
        scanned,
        checks,
        filed,
        again,
        print_doubt,
        no_paper,
        typed,
        agent,
        with_agent,
        zone,
        zone_read_badly,
        typed_passport,
        lost_card,
        minor,
        expired,
        scanned_ticket,
        scanned_nothing,
        offline,
        revoked,
        tasks,
        receive_only,
        awaiting,
        accept_later,
        accepted_later,
        offline_tickets,
        offline_ready,
        void,
        session,
        locked,
        locked_other,
        void_offline,
        second_person,
        clock_off,
        barred,
        issuing,
        ticket_without_paper,
        ticket_in_doubt,
        undo,
        slips,
        slips_in_doubt,
        closing,
        doctor,
    )
}


@pytest.mark.parametrize("scene", SCENES)
def test_pictures(scene: str, qtbot: QtBot, qapp: QApplication) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    practice = scene in ("ready", "sign_in")
    with hall(qtbot, qapp, practice=practice) as made:
        SCENES[scene](made)
        for look, (width, height) in LOOKS:
            made.window.set_look(look)
            made.window.resize(width, height)
            made.settle()
            size = f"{width}x{height}-{look.scale}"
            picture = made.window.grab()
            picture.save(str(FOLDER / f"{scene}-{look.language}-{look.theme}-{size}.png"))
            header = made.window.counter and made.window.counter.header
            if header:
                assert header.layout().totalMinimumSize().width() <= width, "the header does not fit"
            assert (picture.width(), picture.height()) == (width, height), "does not fit"
            for room in made.window.findChildren(FittingScroll):
                if room.isVisible():
                    needed = room.widget().layout().totalMinimumSize().width()
                    assert needed <= room.viewport().width(), (look, "clipped at the right")


def test_at_150_per_cent_on_the_hall_pc_two_rows_of_the_form_are_in_sight(
    qtbot: QtBot, qapp: QApplication
) -> None:
    with hall(qtbot, qapp) as made:
        long_form(made)
        for name in ("zh", "en"):
            made.window.set_look(Look(name, "light", 150))
            made.window.resize(1366, 768)
            made.settle()
            form = made.counter.steps.form
            sight = form._room.viewport()
            rows = {
                editor.mapTo(sight, QPoint(0, 0)).y()
                for editor in form._editors.values()
                if sight.rect().contains(QRect(editor.mapTo(sight, QPoint(0, 0)), editor.size()))
            }
            assert len(rows) >= 2
