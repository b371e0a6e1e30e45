"""The scanner among the keys: what is a scan, what is typing, and that neither loses a character."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QInputMethodEvent, QKeyEvent, QWindow
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLineEdit, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from clerk_app.domain.scanned import ScanKind, read
from clerk_app.ui import wedge
from clerk_app.ui.wedge import Wedge

CASE = "MY01000012076"
SHIFT = Qt.KeyboardModifier.ShiftModifier
NONE = Qt.KeyboardModifier.NoModifier


@dataclass
class Bench:
    """A window with two fields and a button, a wedge, and the time of the keys."""

    bot: QtBot
    page: QWidget
    line: QLineEdit
    other: QLineEdit
    pressed: list[str] = field(default_factory=list)
    scans: list[str] = field(default_factory=list)
    now: int = 1_000

    @property
    def window(self) -> QWindow:
        return QApplication.focusWindow() or self.page.windowHandle()

    def key(self, key: Qt.Key, after: int, modifiers: Qt.KeyboardModifier = NONE) -> None:
        """One key as the window system sends it, `after` milliseconds after the last."""
        self.now += after
        QTest.keyPress(self.window, key, modifiers)
        QTest.keyRelease(self.window, key, modifiers)

    def keys(self, text: str, after: int) -> None:
        for char in text:
            self.now += after
            QTest.keyPress(self.window, char, SHIFT if char.isupper() or char == "<" else NONE)
            QTest.keyRelease(self.window, char, NONE)

    def scan(self, text: str, end: Qt.Key | None = Qt.Key.Key_Return) -> None:
        """As a scanner: a pause before, a few milliseconds between."""
        self.now += 500
        self.keys(text, 3)
        if end is not None:
            self.key(end, 3)

    def settled(self) -> None:
        """Wait until the wedge holds nothing back."""
        self.bot.waitUntil(lambda: not self.held, timeout=2_000)

    @property
    def held(self) -> bool:
        return bool(self.wedge._held)

    wedge: Wedge = field(init=False)


@pytest.fixture
def bench(qtbot: QtBot) -> Iterator[Bench]:
    page = QWidget()
    body = QVBoxLayout(page)
    line, other, button = QLineEdit(), QLineEdit(), QPushButton("go")
    for part in (line, other, button):
        body.addWidget(part)
    made = Bench(qtbot, page, line, other)
    made.wedge = Wedge(lambda text: read(text).kind is not ScanKind.UNKNOWN, lambda _event: made.now)
    made.wedge.scanned.connect(made.scans.append)
    line.returnPressed.connect(lambda: made.pressed.append("enter"))
    button.clicked.connect(lambda: made.pressed.append("button"))
    with qtbot.waitActive(page):
        page.show()
        page.activateWindow()
    qtbot.waitUntil(lambda: QApplication.focusWindow() is not None)
    line.setFocus()
    made.wedge.start()
    yield made
    made.wedge.stop()
    page.close()
    page.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


@pytest.mark.parametrize("end", [Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab, None])
def test_a_scan_is_told_and_nothing_of_it_lands_in_the_field(bench: Bench, end: Qt.Key | None) -> None:
    bench.line.setText("12")
    bench.scan(CASE, end)
    bench.settled()
    assert [text.strip() for text in bench.scans] == [CASE]
    assert bench.line.text() == "12"
    assert bench.pressed == []
    assert bench.line.hasFocus()


def test_a_scan_is_told_when_nothing_has_the_focus(bench: Bench) -> None:
    bench.line.clearFocus()
    bench.scan(CASE)
    bench.settled()
    assert [text.strip() for text in bench.scans] == [CASE]


def test_a_scan_presses_no_button_and_no_dialogs_default(bench: Bench) -> None:
    dialog = QDialog(bench.page)
    body = QVBoxLayout(dialog)
    body.addWidget(QPushButton("finish", default=True, clicked=lambda: bench.pressed.append("finish")))
    with bench.bot.waitActive(dialog):
        dialog.open()
    bench.bot.waitUntil(lambda: QApplication.focusWindow() is dialog.windowHandle())
    bench.scan(CASE)
    bench.settled()
    assert ([text.strip() for text in bench.scans], bench.pressed) == ([CASE], [])
    assert dialog.isVisible()
    dialog.close()


def test_two_scans_are_two(bench: Bench) -> None:
    bench.scan(CASE)
    bench.scan("A037")
    bench.scan("A038")
    bench.settled()
    assert [text.strip() for text in bench.scans] == [CASE, "A037", "A038"]


def test_lines_sent_one_after_the_other_are_one_scan(bench: Bench) -> None:
    first, second = (
        "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
        "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
    )
    bench.scan(first)
    bench.keys(second, 3)
    bench.key(Qt.Key.Key_Return, 3)
    bench.settled()
    assert bench.scans == [f"{first}\n{second}\n"]


@pytest.mark.parametrize("after", [120, 60, 40, wedge.GAP_MS + 1])
def test_what_is_typed_arrives_whole_and_in_order(bench: Bench, after: int) -> None:
    bench.keys("A037Zhang", after)
    bench.key(Qt.Key.Key_Return, after)
    bench.settled()
    assert (bench.line.text(), bench.pressed, bench.scans) == ("A037Zhang", ["enter"], [])


def test_typing_is_not_held_back_for_longer_than_it_takes_to_see(bench: Bench) -> None:
    assert wedge.HOLD_MS <= 40
    bench.keys("a", 500)
    assert bench.line.text() == ""
    with bench.bot.waitSignal(bench.line.textChanged, timeout=1_000):
        pass
    assert bench.line.text() == "a"


def test_three_keys_rolled_at_once_are_typed(bench: Bench) -> None:
    bench.keys("the", 12)
    bench.key(Qt.Key.Key_Return, 12)
    bench.settled()
    assert (bench.line.text(), bench.pressed) == ("the", ["enter"])


def test_a_burst_that_means_nothing_and_does_not_end_in_enter_is_typed(bench: Bench) -> None:
    bench.keys("asdfghj", 8)
    bench.settled()
    assert (bench.line.text(), bench.scans) == ("asdfghj", [])


def test_a_burst_that_means_nothing_is_a_scan_when_it_ends_in_enter(bench: Bench) -> None:
    bench.scan("91510700MA6200001X")
    bench.settled()
    assert (bench.line.text(), [text.strip() for text in bench.scans]) == ("", ["91510700MA6200001X"])


def test_a_held_key_repeats_in_the_field(bench: Bench) -> None:
    bench.keys("a", 500)
    for _ in range(6):
        bench.now += 30
        for kind in (QEvent.Type.KeyRelease, QEvent.Type.KeyPress):
            event = QKeyEvent(kind, Qt.Key.Key_A, NONE, "a", True)
            QCoreApplication.sendEvent(bench.window, event)
    bench.key(Qt.Key.Key_Return, 30)
    assert (bench.line.text(), bench.pressed, bench.scans) == ("aaaaaaa", ["enter"], [])


def test_a_release_follows_its_press(bench: Bench) -> None:
    button = bench.page.findChild(QPushButton)
    button.setFocus()
    bench.keys(" ", 500)
    bench.settled()
    assert (bench.pressed, button.isDown()) == (["button"], False)


def test_chords_pass_at_once_and_behind_what_was_typed(bench: Bench) -> None:
    bench.keys("ab", 10)
    bench.key(Qt.Key.Key_A, 10, Qt.KeyboardModifier.ControlModifier)
    assert (bench.line.text(), bench.line.selectedText()) == ("ab", "ab")


def test_other_keys_pass_at_once_and_behind_what_was_typed(bench: Bench) -> None:
    bench.keys("ab", 10)
    bench.key(Qt.Key.Key_Backspace, 10)
    assert bench.line.text() == "a"
    bench.key(Qt.Key.Key_Tab, 10)
    assert bench.other.hasFocus()


def test_the_shift_key_of_a_scanner_belongs_to_the_scan(bench: Bench) -> None:
    for char in CASE:
        if char.isupper():
            bench.key(Qt.Key.Key_Shift, 2)
        bench.keys(char, 2)
    bench.key(Qt.Key.Key_Return, 2)
    bench.settled()
    assert [text.strip() for text in bench.scans] == [CASE]
    assert bench.line.text() == ""


def test_what_an_input_method_composes_is_left_alone(bench: Bench) -> None:
    composing = QInputMethodEvent("zhangsanfeng", [])
    QApplication.sendEvent(bench.line, composing)
    committed = QInputMethodEvent()
    committed.setCommitString("张三丰A037")
    QApplication.sendEvent(bench.line, committed)
    assert (bench.line.text(), bench.scans, bench.held) == ("张三丰A037", [], False)


@pytest.mark.parametrize(
    "layout",
    [
        dict(zip("MY01276", "ЬН01276", strict=True)),  # Russian
        dict(zip("MY01276", "?Yà&éè-", strict=True)),  # French: digits need Shift
    ],
    ids=["russian", "french"],
)
def test_a_scanner_types_american_keys_whatever_the_layout(
    bench: Bench, layout: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = {pair[0].upper(): code + 8 for code, pair in wedge._AMERICAN.items()}
    monkeypatch.setattr("sys.platform", "linux")
    bench.now += 500
    for char in CASE:
        shift = SHIFT if char.isalpha() else NONE
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            bench.now += 2
            event = QKeyEvent(kind, 0, shift, place[char], 0, 0, layout[char])
            QCoreApplication.sendEvent(bench.window, event)
    bench.key(Qt.Key.Key_Return, 2)
    bench.settled()
    assert [text.strip() for text in bench.scans] == [CASE]
    assert bench.line.text() == ""


def test_a_stumbling_radio_scanner_is_not_cut_in_two(bench: Bench) -> None:
    bench.now += 500
    bench.keys(CASE[:6], 5)
    bench.keys(CASE[6:7], wedge.LONG_GAP_MS)
    bench.keys(CASE[7:], 5)
    bench.key(Qt.Key.Key_Return, 5)
    bench.settled()
    assert [text.strip() for text in bench.scans] == [CASE]


def test_typing_right_after_a_scan_is_typed(bench: Bench) -> None:
    bench.scan(CASE)
    bench.keys("12", 120)
    bench.settled()
    assert ([text.strip() for text in bench.scans], bench.line.text()) == ([CASE], "12")


def test_what_waited_behind_a_busy_moment_is_judged_by_when_it_was_pressed(bench: Bench) -> None:
    bench.keys("A037", 130)  # all at once, and yet typed
    bench.key(Qt.Key.Key_Return, 130)
    bench.settled()
    assert (bench.line.text(), bench.scans) == ("A037", [])


def test_a_late_timer_does_not_cut_a_scan(bench: Bench) -> None:
    bench.now += 500
    bench.keys(CASE[:3], 3)
    QTest.qSleep(120)  # the window is busy; the rest of the scan waits behind the timer
    bench.wedge._lapse()
    assert bench.held
    bench.keys(CASE[3:], 3)
    bench.key(Qt.Key.Key_Return, 3)
    bench.settled()
    assert [text.strip() for text in bench.scans] == [CASE]
    assert bench.line.text() == ""


def test_when_it_stops_listening_keys_pass(bench: Bench) -> None:
    bench.keys("ab", 10)
    bench.wedge.stop()
    assert bench.line.text() == "ab"
    bench.scan("A037")
    assert (bench.line.text(), bench.scans) == ("abA037", [])
    bench.wedge.start()
