"""Slips on demand: the list of a case, the report of a shift, shown before they are printed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from window_fakes import LI
from window_hall import Hall

from clerk_app.desk.ports import PrintOutcome, PrintResult, PrintState
from clerk_app.desk.views import Paper
from clerk_app.devices.printer.templates.loading import Templates
from clerk_app.domain.documents import ClosingSlip, MaterialListSlip, ReceiptSlip, ShiftSlip
from clerk_app.domain.documents import TestSlip as PageOfTests
from clerk_app.failures import Failure
from clerk_app.ui.pieces import Chip

CTRL = Qt.KeyboardModifier.ControlModifier
ALT = Qt.KeyboardModifier.AltModifier


def file(hall: Hall, name: str = "李晓明") -> None:
    hall.press(Qt.Key.Key_F1)
    hall.lay_card(replace(LI, name=name))
    hall.type("补领")
    hall.press(Qt.Key.Key_Return)
    hall.type("13812345678")
    hall.press(Qt.Key.Key_Return)
    hall.press(Qt.Key.Key_Down)
    hall.press(Qt.Key.Key_F9)
    for material in ("id", "form"):
        hall.counter.steps.material._rows[material]._tick.click()
    hall.settle()
    hall.press(Qt.Key.Key_F9)


def choose(hall: Hall, wanted: Paper) -> None:
    """With the arrow keys, as a clerk does."""
    sheet = hall.counter.slips
    while sheet.current.paper is not wanted:
        hall.press(Qt.Key.Key_Down)


def printed(hall: Hall) -> list[type]:
    return [type(slip) for slip, _ in hall.printer.papers]


def test_the_material_list_of_the_case_is_shown_and_printed_by_key(window_hall: Hall) -> None:
    hall = window_hall
    counter = hall.sign_in()
    file(hall)
    before = QApplication.focusWidget()
    hall.press(Qt.Key.Key_J, CTRL)
    sheet = counter.slips
    assert sheet.isVisible()
    assert sheet.current.paper is Paper.RECEIPT
    choose(hall, Paper.MATERIAL_LIST)
    assert "材料清单" in sheet._preview.text
    assert "李晓明" in sheet._preview.text
    assert not sheet._picture._shown.pixmap().isNull()
    assert "材料清单" in sheet._picture.accessibleDescription(), "a screen reader reads the paper"
    assert printed(hall) == [ReceiptSlip], "looking prints nothing"
    hall.press(Qt.Key.Key_P, CTRL)
    assert printed(hall) == [ReceiptSlip, MaterialListSlip]
    assert sheet.current.state is PrintState.PRINTED
    assert "补打 第1次" in sheet._preview.text, "the next one would be a reprint"
    hall.press(Qt.Key.Key_Return)
    assert hall.printer.papers[-1][1] == 1
    hall.press(Qt.Key.Key_Escape)
    assert sheet.isHidden()
    assert QApplication.focusWidget() is before
    hall.press(Qt.Key.Key_P, CTRL)
    assert printed(hall)[-1] is ReceiptSlip, "with the sheet closed the key means the voucher again"


def test_the_shift_report_and_the_closing_sheet_need_no_case(window_hall: Hall) -> None:
    hall = window_hall
    counter = hall.sign_in()
    hall.press(Qt.Key.Key_J, CTRL)
    sheet = counter.slips
    assert [view.paper for view in sheet.model.rows] == [Paper.SHIFT, Paper.CLOSING, Paper.TEST]
    assert "班次小结" in sheet._preview.text
    hall.press(Qt.Key.Key_P, CTRL)
    choose(hall, Paper.CLOSING)
    hall.press(Qt.Key.Key_P, CTRL)
    assert printed(hall) == [ShiftSlip, ClosingSlip]
    slip, _ = hall.printer.papers[-1]
    assert slip.audit_links == hall.store.read(lambda tx: tx.audit.links()) - 1, "all before the sheet itself"


def test_a_case_that_left_is_not_printed_for_who_stands_here(window_hall: Hall) -> None:
    hall = window_hall
    counter = hall.sign_in()
    file(hall)
    hall.press(Qt.Key.Key_F7)
    hall.press(Qt.Key.Key_J, CTRL)
    assert counter.slips.current.paper is Paper.RECEIPT, "nobody is here: the chosen case, and it says so"
    assert counter.shown.cases[0].number in counter.slips._of.whole
    hall.press(Qt.Key.Key_Escape)
    hall.press(Qt.Key.Key_F1)
    hall.press(Qt.Key.Key_J, CTRL)
    assert [view.paper for view in counter.slips.model.rows] == [Paper.SHIFT, Paper.CLOSING, Paper.TEST]


def test_paper_in_doubt_is_asked_about_where_it_was_printed(window_hall: Hall) -> None:
    hall = window_hall
    counter = hall.sign_in()
    hall.press(Qt.Key.Key_J, CTRL)
    hall.printer.outcomes.append(PrintResult(PrintOutcome.UNKNOWN, "PRINTER-UNCONFIRMED"))
    hall.press(Qt.Key.Key_P, CTRL)
    sheet = counter.slips
    assert sheet.banner.message is not None
    assert sheet.banner.message.words == "slips.question"
    assert not sheet._print.isVisible(), "one at a time"
    hall.press(Qt.Key.Key_N, ALT)
    assert sheet.banner.message is None
    assert hall.printer.papers[-1][1] == 1, "marked as a reprint"
    hall.printer.outcomes.append(PrintResult(PrintOutcome.FAILED, "PRINTER-PAPER-OUT"))
    hall.press(Qt.Key.Key_P, CTRL)
    assert sheet.banner.message.failure == "PRINTER-PAPER-OUT"
    hall.press(Qt.Key.Key_Y, ALT)
    assert sheet.banner.message is None
    assert sheet.current.state is PrintState.PRINTED


def test_a_mistake_in_the_halls_template_is_told_with_its_line(window_hall: Hall, tmp_path: Path) -> None:
    hall = window_hall
    (tmp_path / "shift.slip").write_text("centre 班次\nfeld x = y\n", encoding="utf-8")
    hall.printer.templates = Templates(tmp_path)
    counter = hall.sign_in()
    hall.press(Qt.Key.Key_J, CTRL)
    problem = counter.slips._problem
    assert problem.isVisible()
    assert "shift.slip:2: unknown directive feld" in problem.text()
    assert "班次小结" in counter.slips._preview.text, "by the built-in template"
    (tmp_path / "shift.slip").unlink()
    hall.press(Qt.Key.Key_Down)
    hall.press(Qt.Key.Key_Up)
    assert not problem.isVisible()


def test_a_preview_that_cannot_be_drawn_says_why(window_hall: Hall) -> None:
    hall = window_hall
    counter = hall.sign_in()
    hall.printer.preview = _not_set
    hall.press(Qt.Key.Key_J, CTRL)
    assert counter.slips.banner.message.failure == "PRINTER-NOT-SET"


def _not_set(slip: object, *, reprint: int = 0) -> None:
    raise Failure("PRINTER-NOT-SET")


def test_a_name_nobody_can_print_is_spelled_out_when_the_clerk_says_so(
    window_hall: Hall,
) -> None:
    hall = window_hall
    counter = hall.sign_in()
    hall.printer.unprintable = "\U000f0000"
    hall.printer.outcomes.append(PrintResult(PrintOutcome.FAILED, "PRINTER-NO-GLYPH", "U+F0000"))
    file(hall, "李\U000f0000明")
    message = counter.steps.paper.message
    assert message.failure == "PRINTER-NO-GLYPH"
    assert hall.printer.papers == []
    hall.press(Qt.Key.Key_Y, ALT)
    ((slip, count),) = hall.printer.papers
    assert (slip.applicant, count) == ("李[U+F0000]明", 0)
    assert counter.steps.paper.message is None


def test_what_no_screen_shows_is_named_by_its_code(window_hall: Hall) -> None:
    hall = window_hall
    counter = hall.sign_in()
    hall.printer.unprintable = "\ue863"
    hall.press(Qt.Key.Key_F1)
    hall.lay_card(replace(LI, name="李\ue863明"))
    hall.type("补领")
    hall.press(Qt.Key.Key_Return)
    hall.press(Qt.Key.Key_6, ALT)
    said = [chip.text for chip in counter.steps.check.findChildren(Chip)]
    assert any("打不出的字：U+E863" in text for text in said)


def test_the_warning_stands_in_the_checks_before_filing(window_hall: Hall) -> None:
    hall = window_hall
    counter = hall.sign_in()
    hall.printer.unprintable = "明"
    hall.press(Qt.Key.Key_F1)
    hall.lay_card(LI)
    hall.type("补领")
    hall.press(Qt.Key.Key_Return)
    hall.press(Qt.Key.Key_6, ALT)
    said = [chip.text for chip in counter.steps.check.findChildren(Chip)]
    assert any("打不出的字：明" in text for text in said)


def test_choices_made_quickly_show_the_last(window_hall: Hall) -> None:
    hall = window_hall
    counter = hall.sign_in()
    file(hall)
    counter.show_slips()
    hall.settle()
    sheet = counter.slips
    shown: list[str] = []
    show = sheet.show_preview
    sheet.show_preview = lambda preview: (shown.append(preview.text) if preview else None, show(preview))
    for row in (1, 2, 3, 2):
        sheet._list.setCurrentIndex(sheet.model.index(row))
    hall.settle()
    assert len(shown) == 1, "what a newer choice has overtaken is never on the screen"
    assert "取件单" in sheet._preview.text


def test_the_paper_of_one_citizen_is_never_shown_for_the_next(window_hall: Hall) -> None:
    hall = window_hall
    counter = hall.sign_in()
    file(hall)
    hall.press(Qt.Key.Key_J, CTRL)
    choose(hall, Paper.MATERIAL_LIST)
    sheet = counter.slips
    hall.press(Qt.Key.Key_Escape)
    assert sheet._preview is None, "nothing with a name on it stays behind"
    assert "李晓明" not in sheet._picture.accessibleDescription()
    hall.press(Qt.Key.Key_F7)
    file(hall, "张建国")
    hall.press(Qt.Key.Key_J, CTRL)
    assert sheet.current.case_id == counter.shown.cases[0].id
    assert "张建国" in sheet._preview.text
    drawing, closed, preview = Event(), Event(), hall.printer.preview

    def slowly(slip: object, **marks: int) -> object:
        drawing.set()
        assert closed.wait(5)
        return preview(slip, **marks)

    hall.printer.preview = slowly
    sheet._list.setCurrentIndex(sheet.model.index(1))
    while not drawing.is_set():
        QApplication.processEvents()
    sheet.put_away()
    closed.set()
    hall.settle()
    assert sheet._preview is None, "nor does one that was still being drawn"


def test_pictures_that_were_overtaken_keep_no_slip_waiting(window_hall: Hall) -> None:
    hall = window_hall
    counter = hall.sign_in()
    file(hall)
    hall.press(Qt.Key.Key_J, CTRL)
    drawn: list[object] = []
    preview = hall.printer.preview
    hall.printer.preview = lambda slip, **marks: (drawn.append(slip), preview(slip, **marks))[1]
    for row in (1, 2, 3, 4, 5):
        counter.slips._list.setCurrentIndex(counter.slips.model.index(row))
    hall.settle()
    assert len(drawn) < 5
    assert isinstance(drawn[-1], PageOfTests)


def test_the_closing_sheet_of_another_day(window_hall: Hall) -> None:
    hall = window_hall
    counter = hall.sign_in()
    hall.press(Qt.Key.Key_J, CTRL)
    choose(hall, Paper.CLOSING)
    counter.slips._day.setFocus()
    hall.press(Qt.Key.Key_End)
    hall.press(Qt.Key.Key_Down)  # one day back
    hall.press(Qt.Key.Key_P, CTRL)
    slip, _ = hall.printer.papers[-1]
    assert isinstance(slip, ClosingSlip) and slip.day == hall.clock.at.date() - timedelta(days=1)
    hall.press(Qt.Key.Key_Escape)
    hall.press(Qt.Key.Key_J, CTRL)
    assert counter.slips.day == hall.clock.at.date(), "the next time it is of today again"
