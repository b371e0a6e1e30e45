"""What the doctor finds, line by line as it finds it: icon, word and colour, what to do, details for IT."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QPushButton, QWidget

from clerk_app.desk.ports import Check, Doctor, Level
from clerk_app.ui import doctor_words, theme
from clerk_app.ui.announce import announce
from clerk_app.ui.pieces import (
    Chip,
    FittingScroll,
    IconLabel,
    KeyButton,
    clear,
    column,
    label,
    on_click,
    row,
)
from clerk_app.ui.words import tr

_LOOKS = {Level.OK: ("ok", "ok"), Level.WARN: ("warn", "warn"), Level.FAIL: ("bad", "bad")}


class _Ear(QObject):
    """Brings what the doctor says on its threads to the window's own."""

    began = Signal(object)
    told = Signal(object)
    ended = Signal()


class DoctorPage(QWidget):
    """One round after another. Signals: rested (a round has ended)."""

    rested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._doctor: Doctor | None = None
        self._ear: _Ear | None = None
        self._checks: dict[str, Check] = {}
        self._lines: dict[str, _Line] = {}
        self._note = ""
        self._hint = label(role="muted", wrap=True)
        self._summary = Chip()
        self._said = label(role="muted", wrap=True)
        inside = QWidget()
        self._list = column(inside, gap=6)
        self._scroll = FittingScroll(inside)
        self.again, self.test_page, self.copy = KeyButton("primary"), KeyButton(), KeyButton()
        on_click(self.again, self._again)
        on_click(self.test_page, lambda: self._examine(test_page=True))
        on_click(self.copy, self._copy)
        page = column(self, gap=10)
        page.addWidget(self._hint)
        top = row()
        top.addWidget(self._summary)
        top.addWidget(self._said, 1)
        page.addLayout(top)
        page.addWidget(self._scroll, 1)
        foot = row()
        foot.addWidget(self.copy)
        foot.addStretch()
        foot.addWidget(self.test_page)
        foot.addWidget(self.again)
        page.addLayout(foot)

    @property
    def busy(self) -> bool:
        """Whether a round is under way."""
        return self._ear is not None

    @property
    def checks(self) -> tuple[Check, ...]:
        """What was found so far, in the order it is shown."""
        return tuple(self._checks[key] for key in self._lines if key in self._checks)

    def examine(self, doctor: Doctor) -> None:
        """Begin a round of `doctor`, unless one is under way."""
        self._doctor = doctor
        self._again()

    def _again(self) -> None:
        self._examine(test_page=False)

    def _examine(self, *, test_page: bool) -> None:
        doctor = self._doctor
        if doctor is None or self.busy:
            return
        ear = _Ear()
        ear.began.connect(self._began)
        ear.told.connect(self._told)
        ear.ended.connect(self._ended)
        self._ear, self._note = ear, ""

        def work() -> None:
            ear.began.emit(doctor.keys)
            try:
                doctor.run(ear.told.emit, test_page=test_page)
            finally:
                ear.ended.emit()

        threading.Thread(target=work, name="doctor", daemon=True).start()
        self.retranslate()

    @Slot(object)
    def _began(self, keys: Iterable[str]) -> None:
        self._checks.clear()
        self._lines.clear()
        clear(self._list)
        for key in keys:
            self._add(key)
        self._list.addStretch()
        self.retranslate()

    def _add(self, key: str) -> None:
        line = _Line(key)
        self._lines[key] = line
        self._list.insertWidget(len(self._lines) - 1, line)

    @Slot(object)
    def _told(self, check: Check) -> None:
        self._checks[check.key] = check
        if check.key not in self._lines:  # the test page, which only some rounds print
            self._add(check.key)
        self._lines[check.key].show_check(check)
        self.retranslate()

    @Slot()
    def _ended(self) -> None:
        self._ear = None
        self.retranslate()
        if bad := [check.key for check in self.checks if check.level is not Level.OK]:
            self._scroll.ensureWidgetVisible(self._lines[bad[0]], 0, 8)
        announce(self, doctor_words.summary(self.checks), urgent=True)
        self.rested.emit()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(doctor_words.report(self.checks))
        self._note = "doctor.copied"
        self.retranslate()

    def retranslate(self) -> None:
        self._hint.setText(tr("doctor.hint"))
        if self.busy:
            self._summary.tell("wait", tr("doctor.looking"))
        else:
            icon, tone = _LOOKS[doctor_words.worst(self.checks)]
            self._summary.tell(icon, doctor_words.summary(self.checks), tone)
        self._said.setText(tr(self._note) if self._note else "")
        self.again.tell(tr("doctor.looking" if self.busy else "doctor.again"))
        self.test_page.tell(tr("doctor.test_page"), icon="print")
        self.copy.tell(tr("doctor.copy"))
        for line in self._lines.values():
            line.retranslate()


class _Line(QFrame):
    """One part, waiting until it is told."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.setProperty("piece", "card")
        self._key = key
        self._check: Check | None = None
        self._folded = True
        self._icon = IconLabel("wait", "muted", 18)
        self._name, self._level = label(role="title"), Chip()
        self._found = label(role="muted", wrap=True)  # beside the name of a part that is well
        self._sentence = label(wrap=True)
        self._action = label(wrap=True)
        self._code = label(role="faint", wrap=True, selectable=True)
        self._more = QPushButton()
        self._more.setProperty("kind", "link")
        on_click(self._more, self._fold)
        line = self._across = row(self, gap=10)
        line.setContentsMargins(12, 8, 12, 8)
        line.addWidget(self._icon)
        words = column(gap=2)
        top = row()
        top.addWidget(self._name)
        top.addWidget(self._found, 1)
        top.addWidget(self._more)
        top.addWidget(self._level)
        words.addLayout(top)
        for part in (self._sentence, self._action, self._code):
            words.addWidget(part)
        line.addLayout(words, 1)

    def show_check(self, check: Check) -> None:
        self._check = check
        self.retranslate()

    def _fold(self) -> None:
        self._folded = not self._folded
        self.retranslate()

    def retranslate(self) -> None:
        check = self._check
        name = doctor_words.name(self._key)
        self._name.setText(name)
        self._name.setFixedWidth(theme.current().px(124))
        well = check is None or check.level is Level.OK
        beside = Qt.AlignmentFlag.AlignVCenter if well else Qt.AlignmentFlag.AlignTop
        self._across.setAlignment(self._icon, beside)
        self._level.setVisible(check is not None)
        for part in (self._sentence, self._action, self._more):
            part.setVisible(not well)
        self._code.setVisible(not well and not self._folded)
        if check is None:
            self._icon.redraw()
            self._found.setText(tr("doctor.waiting"))
            self.setAccessibleName(f"{name} {tr('doctor.waiting')}")
            return
        said = doctor_words.line(check)
        icon, tone = _LOOKS[check.level]
        self._icon.show_icon(icon, tone)
        self._level.tell("", said.level, tone)
        self._found.setText(said.sentence if well else "")
        self._sentence.setText(said.sentence)
        self._action.setText(said.action)
        self._code.setText("\n".join(part for part in (check.code, check.detail) if part))
        self._more.setText(tr("doctor.details" if self._folded else "doctor.no_details"))
        self._more.setAccessibleName(f"{name} {self._more.text()}")
        words = (name, said.level, said.sentence, said.action, check.code)
        self.setAccessibleName(" · ".join(word for word in words if word))
