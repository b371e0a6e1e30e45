"""Paper and cases: the case stands whatever the printer does; every doubt is one question."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from window_fakes import LI
from window_hall import Hall

from clerk_app.desk.ports import PrintOutcome, PrintResult, PrintState
from clerk_app.desk.views import Gate
from clerk_app.domain.case import LegalState, SyncState
from clerk_app.domain.numbering import printed
from clerk_app.ui.services import Look

CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
ALT = Qt.KeyboardModifier.AltModifier


@pytest.fixture
def ready(window_hall: Hall) -> Hall:
    """Everything is filled in; F9 files it."""
    hall = window_hall
    hall.sign_in()
    hall.press(Qt.Key.Key_F1)
    hall.lay_card(LI)
    hall.type("补领")
    hall.press(Qt.Key.Key_Return)
    hall.type("13812345678")
    hall.press(Qt.Key.Key_Return)
    hall.press(Qt.Key.Key_Down)
    hall.press(Qt.Key.Key_5, ALT)
    hall.press(Qt.Key.Key_Space)
    hall.counter.steps.open_step(5)
    hall.press(Qt.Key.Key_Space)
    draft = hall.counter.shown.draft
    assert draft is not None and draft.accept.open, draft.accept
    return hall


def newest(hall: Hall):
    return hall.counter.shown.cases[0]


def test_accepted_printed_and_the_number_is_on_the_screen(ready: Hall) -> None:
    ready.press(Qt.Key.Key_F9)
    assert newest(ready).legal_state is LegalState.ACCEPTED
    assert newest(ready).print_state is PrintState.PRINTED
    assert ready.counter.steps.filed.isVisible()
    assert len(ready.printer.papers) == 1


def test_after_filing_the_focus_is_on_the_case_and_the_keys_go_on(ready: Hall) -> None:
    ready.press(Qt.Key.Key_F9)
    case = newest(ready)
    assert ready.focus().accessibleName() == f"已受理，办件号 {case.number}"
    ready.press(Qt.Key.Key_P, CTRL)
    assert ready.focus().accessibleName() == f"已受理，办件号 {case.number}", "redrawn, and still there"
    ready.press(Qt.Key.Key_N, CTRL)
    assert ready.counter.shown.draft is not None


def test_the_official_number_breaks_in_its_panel_and_is_copied_whole(ready: Hall) -> None:
    ready.press(Qt.Key.Key_F9)
    number = "1151070300000007814510707009001202611220001"
    gate = Gate(open=False, reason="gate.registered")
    case = replace(newest(ready), official_number=number, sync_state=SyncState.REGISTERED, void=gate)
    panel = ready.counter.side.cases
    panel.show_cases((case,))
    for look in (Look("zh"), Look("en"), Look("en", scale=150)):
        ready.window.set_look(look)
        ready.counter.show_cases()
        ready.settle()
        shown = panel._official
        assert shown.document().size().height() <= shown.height()
        assert shown.geometry().bottom() < panel._why.geometry().top() <= panel.height()
        assert panel._why.height() >= panel._why.heightForWidth(panel._why.width())
        assert panel._acts.geometry().bottom() <= panel.height()
        shown.selectAll()
        assert shown.textCursor().selectedText() == number
    ready.window.set_look(Look("zh"))


def test_pressing_accept_twice_files_one_case(ready: Hall, caplog: pytest.LogCaptureFixture) -> None:
    ready.bot.keyClick(ready.focus(), Qt.Key.Key_F9)
    ready.bot.keyClick(ready.focus(), Qt.Key.Key_F9)
    ready.settle()
    assert len(ready.counter.shown.cases) == 1
    assert "failed" not in caplog.text, "the second press was begun, and refused by the desk"


def test_nobody_knows_whether_it_came_out_and_the_clerk_says_yes(ready: Hall) -> None:
    ready.printer.outcomes.append(PrintResult(PrintOutcome.UNKNOWN, "PRINTER-UNCONFIRMED"))
    ready.press(Qt.Key.Key_F9)
    assert ready.counter.steps.paper.message.words == "paper.question"
    ready.click("已打出")
    assert ready.counter.steps.paper.message is None
    assert newest(ready).print_state is PrintState.PRINTED
    assert len(ready.printer.papers) == 1


def test_nobody_knows_and_the_clerk_says_no(ready: Hall) -> None:
    ready.printer.outcomes.append(PrintResult(PrintOutcome.UNKNOWN, "PRINTER-UNCONFIRMED"))
    ready.press(Qt.Key.Key_F9)
    ready.click("没有，补打一张")
    assert [reprint for _, reprint in ready.printer.papers] == [0, 1]
    assert newest(ready).reprints == 1


def test_the_question_about_the_slip_is_answered_by_a_key(ready: Hall) -> None:
    ready.printer.outcomes.append(PrintResult(PrintOutcome.UNKNOWN, "PRINTER-SILENT"))
    ready.press(Qt.Key.Key_F9)
    ready.press(Qt.Key.Key_N, ALT)
    assert [reprint for _, reprint in ready.printer.papers] == [0, 1]


def test_out_of_paper_the_case_stands_and_prints_again(ready: Hall) -> None:
    ready.printer.outcomes.append(PrintResult(PrintOutcome.FAILED, "PRINTER-PAPER-OUT"))
    ready.press(Qt.Key.Key_F9)
    assert newest(ready).legal_state is LegalState.ACCEPTED
    assert ready.counter.steps.paper.message.failure == "PRINTER-PAPER-OUT"
    ready.click("重新打印")
    assert newest(ready).print_state is PrintState.PRINTED
    assert ready.counter.steps.paper.message is None


def test_receive_only(ready: Hall) -> None:
    ready.press(Qt.Key.Key_F8)
    assert newest(ready).legal_state is LegalState.RECEIVED


def test_reprint_counts(ready: Hall) -> None:
    ready.press(Qt.Key.Key_F9)
    ready.press(Qt.Key.Key_P, CTRL)
    assert [reprint for _, reprint in ready.printer.papers] == [0, 1]


def test_the_key_prints_the_slip_of_who_stands_here_whatever_the_list_has_chosen(ready: Hall) -> None:
    ready.press(Qt.Key.Key_F9)
    first = newest(ready).number
    ready.press(Qt.Key.Key_C, ALT)  # the list is open on the case of the one who leaves
    ready.press(Qt.Key.Key_F7)
    ready.press(Qt.Key.Key_F1)
    ready.settle()
    ready.counter.ticket.setFocus()
    ready.press(Qt.Key.Key_P, CTRL)
    assert [reprint for _, reprint in ready.printer.papers] == [0], "nothing was filed in this visit yet"
    ready.press(Qt.Key.Key_C, ALT)
    ready.press(Qt.Key.Key_P, CTRL)
    assert [reprint for _, reprint in ready.printer.papers] == [0, 1], "in the list: the chosen one"
    assert printed(ready.printer.papers[-1][0].number) == first


def test_the_list_stands_on_the_newest_case_after_each_filing(ready: Hall) -> None:
    ready.press(Qt.Key.Key_F9)
    ready.press(Qt.Key.Key_C, ALT)
    first = ready.counter.side.cases.chosen
    ready.press(Qt.Key.Key_N, CTRL)
    ready.type("补领")
    ready.press(Qt.Key.Key_Return)
    ready.press(Qt.Key.Key_5, ALT)
    ready.press(Qt.Key.Key_Space)
    ready.press(Qt.Key.Key_F8)
    assert len(ready.counter.shown.cases) == 2
    chosen = ready.counter.side.cases.chosen
    assert chosen is not None and first is not None
    assert chosen.id == newest(ready).id != first.id


def test_voiding_needs_the_chord_and_a_written_reason(ready: Hall) -> None:
    ready.press(Qt.Key.Key_F9)
    ready.press(Qt.Key.Key_D, CTRL | SHIFT)
    sheet = ready.counter.void
    assert sheet.isVisible()
    sheet._void.click()
    ready.settle()
    assert newest(ready).legal_state is LegalState.ACCEPTED
    assert sheet._problem.isVisible()
    ready.type("录错事项")
    sheet._void.click()
    ready.settle()
    assert newest(ready).legal_state is LegalState.VOID
    assert not sheet.isVisible()


def test_another_case_keeps_the_person_and_warns_of_the_same_item(ready: Hall) -> None:
    ready.press(Qt.Key.Key_F9)
    ready.press(Qt.Key.Key_N, CTRL)
    assert ready.counter.steps.open_number == 2
    ready.type("补领")
    ready.press(Qt.Key.Key_Return)
    draft = ready.counter.shown.draft
    assert draft is not None and draft.applicant.party.name == "李晓明"
    assert len(draft.same_open) == 1
    assert ready.counter.steps.item._warnings.count() == 1


def test_finishing_clears_the_window_for_the_next(ready: Hall) -> None:
    ready.press(Qt.Key.Key_F9)
    ready.press(Qt.Key.Key_F7)
    assert ready.counter.shown.visit is None
    assert ready.counter.steps.ready.isVisible()
