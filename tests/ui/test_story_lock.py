"""The locked window: by key and by itself, opened by its clerk, taken over by another."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPlainTextEdit, QWidget
from pytestqt.qtbot import QtBot
from window_fakes import CHIEF, CLERK, LI, MORNING, PASSWORD, ZHAO
from window_hall import Hall, hall

from clerk_app.desk.ports import ReaderState, ReaderStatus
from clerk_app.ui import announce, words
from clerk_app.ui.banner import Message
from clerk_app.ui.lock_page import LockPage

CTRL, ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
WAITS = 10


@pytest.fixture
def desk(qtbot: QtBot, qapp: QApplication) -> Iterator[Hall]:
    """A form half filled for LI, the window locking itself after ten minutes."""
    with hall(qtbot, qapp, lock_minutes=WAITS) as made:
        made.sign_in()
        made.press(Qt.Key.Key_F1)
        made.lay_card(LI)
        made.type("sbk bl")
        made.press(Qt.Key.Key_Return)
        made.type("138123")
        yield made


def page(hall: Hall) -> LockPage:
    return hall.window._shift.lock_page


def locked(hall: Hall) -> bool:
    return hall.window._shift.locked


def lock(hall: Hall) -> None:
    hall.press(Qt.Key.Key_L, CTRL | SHIFT)
    assert locked(hall)


def unlock(hall: Hall, password: str = PASSWORD) -> None:
    hall.type(password)
    hall.press(Qt.Key.Key_Return)


def on_screen(hall: Hall) -> str:
    """Everything the window says or has typed into it, as far as it can be seen or heard."""
    said = [hall.window.windowTitle()]
    for part in (w for top in QApplication.topLevelWidgets() for w in [top, *top.findChildren(QWidget)]):
        if part.isVisible():
            said += [part.accessibleName(), part.toolTip(), part.windowTitle()]
            said.append(getattr(part, "words", "") or "")
            if isinstance(part, QLabel | QLineEdit):
                said.append(part.text())
            elif isinstance(part, QPlainTextEdit):
                said.append(part.toPlainText())
    return "\n".join(said)


def wait_untouched(hall: Hall, minutes: float) -> None:
    hall.clock.at += timedelta(minutes=minutes)
    hall.window._shift.idle_watch.look()
    hall.settle()


def acts(hall: Hall) -> list[tuple[str, str]]:
    records = hall.store.read(lambda tx: tx.audit.after(0, 99))
    return [(record.act, record.subject) for record in records]


def test_a_locked_window_shows_who_is_locked_and_nothing_of_the_citizen(desk: Hall) -> None:
    before = on_screen(desk)
    assert LI.name in before and "138123" in before
    lock(desk)
    said = on_screen(desk)
    for secret in (LI.name, LI.number, LI.number[-4:], "138123", "社会保障卡", "A037", "A038"):
        assert secret not in said
    assert "王芳 1024 · 自 11-20 10:42 起" in said
    assert desk.window.windowTitle() == "综合窗口 12 · 政务服务"
    assert ("lock", "asked") in acts(desk)


def test_everything_comes_back_as_it_was_the_focus_too(desk: Hall) -> None:
    here, draft, visit = desk.focus(), desk.counter.shown.draft, desk.counter.shown.visit
    lock(desk)
    field = desk.focus()
    assert isinstance(field, QLineEdit) and field.echoMode() is QLineEdit.EchoMode.Password
    unlock(desk)
    assert not locked(desk)
    assert desk.focus() is here
    assert (desk.counter.shown.visit, desk.counter.shown.draft.id) == (visit, draft.id)
    desk.type("45678")
    assert desk.focus().text() == "13812345678"
    assert acts(desk)[-1] == ("unlock", "online")
    assert page(desk)._fields._password.text() == ""


@pytest.mark.parametrize("reachable", [True, False])
def test_a_wrong_password_leaves_it_locked_and_five_lock_the_clerk_out(desk: Hall, reachable: bool) -> None:
    if not reachable:
        desk.offline()
    lock(desk)
    unlock(desk, "wrong")
    assert locked(desk)
    assert "工号或密码不正确" in on_screen(desk)
    if not reachable:
        for _ in range(4):
            unlock(desk, "wrong")
        assert page(desk).banner.message.failure == "SIGN-IN-LOCKED"
        unlock(desk)
        assert locked(desk)
        desk.clock.at += timedelta(minutes=16)
    desk.press(Qt.Key.Key_A, CTRL)
    unlock(desk)
    assert not locked(desk)


def test_it_locks_itself_when_nobody_touches_it(desk: Hall) -> None:
    wait_untouched(desk, WAITS - 1)
    assert not locked(desk)
    desk.type("4")
    wait_untouched(desk, WAITS - 1)
    assert not locked(desk), "a key is a touch"
    desk.lay_card(LI)
    wait_untouched(desk, WAITS - 1)
    assert not locked(desk), "so is a card"
    QTest.mouseClick(desk.window.windowHandle(), Qt.MouseButton.LeftButton)
    wait_untouched(desk, WAITS - 1)
    assert not locked(desk), "and a click"
    wait_untouched(desk, 1.1)
    assert locked(desk)
    assert acts(desk)[-1] == ("lock", "idle")
    unlock(desk)
    wait_untouched(desk, WAITS - 1)
    assert not locked(desk)


def test_a_reader_that_comes_and_goes_by_itself_is_no_touch(desk: Hall) -> None:
    for state in (ReaderState.NO_READER, ReaderState.EMPTY) * 2:
        wait_untouched(desk, WAITS / 4)
        desk.reader.lay(ReaderStatus(state))
        desk.settle()
    wait_untouched(desk, 0)
    assert locked(desk)


def test_what_an_input_method_composes_is_a_touch_too(desk: Hall) -> None:
    wait_untouched(desk, WAITS - 1)
    desk.type("涪城")
    wait_untouched(desk, WAITS - 1)
    assert not locked(desk)


def test_with_0_minutes_it_never_locks_itself(window_hall: Hall) -> None:
    window_hall.sign_in()
    wait_untouched(window_hall, 24 * 60)
    assert not locked(window_hall)
    lock(window_hall)


def test_no_card_scan_or_key_reaches_the_counter_below(desk: Hall) -> None:
    lock(desk)
    before = desk.counter.shown.draft
    desk.lay_card(ZHAO)
    desk.scan("Y012")
    assert page(desk)._fields._password.text() == "Y012", "a badge is scanned into the password"
    desk.press(Qt.Key.Key_A, CTRL)
    for key, modifier in (
        (Qt.Key.Key_F1, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_F7, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_X, CTRL | SHIFT),
        (Qt.Key.Key_I, CTRL | SHIFT),
        (Qt.Key.Key_Q, CTRL | SHIFT),
        (Qt.Key.Key_Y, ALT),
    ):
        desk.press(key, modifier)
        assert locked(desk) and QApplication.activeModalWidget() is None
    assert not desk.window.doctor.isVisible()
    assert desk.counter.shown.draft == before
    unlock(desk)
    assert desk.counter.shown.visit.ticket_number == "A037"
    assert desk.counter.shown.draft.applicant.party.name == LI.name
    assert desk.counter.steps.applicant.banner.message is None, "nobody asks about a card read while locked"
    assert desk.counter.header._reader.state is ReaderState.PRESENT


def test_what_floats_above_the_window_goes(desk: Hall) -> None:
    desk.press(Qt.Key.Key_F1)  # finish and call the next?
    assert QApplication.activeModalWidget() is not None
    desk.window._shift.lock(idle=True)
    desk.settle()
    assert QApplication.activeModalWidget() is None
    assert "A037" not in on_screen(desk)
    desk.bot.waitUntil(lambda: QApplication.focusWidget() is page(desk)._fields._password)
    unlock(desk)
    assert desk.counter.shown.visit.ticket_number == "A037", "nothing was answered by locking"


def test_the_camera_is_put_away(desk: Hall) -> None:
    desk.camera.sees = b"frame"
    desk.type("45678")
    desk.press(Qt.Key.Key_Return)
    desk.counter.steps.open_step(5)
    desk.settle()
    desk.press(Qt.Key.Key_S, ALT)
    assert desk.camera.listener is not None
    lock(desk)
    assert desk.camera.listener is None


def test_nothing_is_read_out_of_what_is_covered(desk: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(announce, "_send", lambda event: said.append(event.message()))
    lock(desk)
    assert said == ["窗口已锁定 王芳 1024 · 自 11-20 10:42 起"]
    desk.counter.steps.banner.tell(Message("bad", "undo.applicant"))
    unlock(desk)
    desk.counter.steps.banner.tell(Message("bad", "undo.item"))
    assert said[1:] == [words.tr("undo.item")]


def test_work_goes_on_below(desk: Hall) -> None:
    """What the background brings while nobody may see it is there after the lock."""
    lock(desk)
    desk.offline()
    desk.clock.at += timedelta(hours=1)
    desk.changed("tickets", "cases", "outbox", "printing")
    unlock(desk)
    assert desk.counter.header._link.text.startswith("离线")


def test_another_clerk_takes_over_and_the_visit_waits_for_its_own(desk: Hall) -> None:
    visit = desk.counter.shown.visit
    lock(desk)
    desk.click("换一位工作人员")
    desk.type(CHIEF)
    desk.press(Qt.Key.Key_Return)
    desk.type("wrong")
    desk.press(Qt.Key.Key_Return)
    assert locked(desk)
    assert desk.counter.shown.operator.staff_no == CLERK
    unlock(desk)
    assert not locked(desk)
    assert desk.counter.shown.operator.staff_no == CHIEF
    assert desk.counter.shown.visit is None
    assert LI.name not in on_screen(desk)
    told = [(r.actor, r.act) for r in desk.store.read(lambda tx: tx.audit.after(0, 99))]
    assert told[-2:] == [(CLERK, "sign-out"), (CHIEF, "sign-in")]
    desk.press(Qt.Key.Key_Q, CTRL | SHIFT)
    desk.press(Qt.Key.Key_A, CTRL)
    desk.window._sign_in._fields._staff.setFocus()
    desk.press(Qt.Key.Key_A, CTRL)
    desk.sign_in()
    assert desk.counter.shown.visit.id == visit.id
    assert desk.counter.shown.draft.applicant.party.name == LI.name


def test_the_same_number_on_the_take_over_is_an_unlock(desk: Hall) -> None:
    counter = desk.counter
    lock(desk)
    desk.click("换一位工作人员")
    desk.type(CLERK)
    desk.press(Qt.Key.Key_Return)
    unlock(desk)
    assert desk.counter is counter


def test_esc_leads_back_to_the_clerk_who_is_locked(desk: Hall) -> None:
    lock(desk)
    desk.click("换一位工作人员")
    desk.type(CHIEF)
    desk.press(Qt.Key.Key_Escape)
    assert desk.focus() is page(desk)._fields._password
    unlock(desk)
    assert not locked(desk)


def test_the_language_can_be_changed_while_locked(desk: Hall) -> None:
    lock(desk)
    desk.press(Qt.Key.Key_L, CTRL)
    said = on_screen(desk)
    assert "Wang Fang 1024 · since 11-20 10:42" in said
    desk.press(Qt.Key.Key_L, CTRL)
    unlock(desk)
    assert desk.counter.isVisible()


def test_the_lock_lies_on_the_header_too(desk: Hall) -> None:
    desk.click("锁定窗口 Ctrl+Shift+L")
    assert locked(desk)


def test_closing_a_locked_window_is_closing_it(desk: Hall) -> None:
    lock(desk)
    desk.window.close()
    desk.bot.waitUntil(desk.window.isHidden)
    assert desk.store.read(lambda tx: tx.visits.current(CLERK)) is not None


def test_rights_are_as_the_office_has_them_by_now(desk: Hall) -> None:
    desk.office.rights |= {"issue"}
    lock(desk)
    unlock(desk)
    assert "issue" in desk.counter.shown.operator.rights
    desk.clock.at = MORNING
