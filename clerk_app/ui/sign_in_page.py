"""Signing in: staff number, password, and what went wrong beside the field it concerns."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from clerk_app import failures
from clerk_app.failures import Failure
from clerk_app.ui import icons, theme
from clerk_app.ui.announce import announce
from clerk_app.ui.banner import BannerSlot
from clerk_app.ui.credentials import WRONG, Credentials
from clerk_app.ui.keys import Key
from clerk_app.ui.pieces import Card, Chip, IconLabel, KeyButton, column, label, on_click, row
from clerk_app.ui.words import either, language, tr, window_name

BARRED = frozenset({"OFFICE-REVOKED", "SYNC-REVOKED", "OFFICE-FENCED", "SYNC-FENCED", "OFFICE-DEVICE"})
"""The office takes nothing from this workstation any more: no password changes that."""


class SignInPage(QWidget):
    """Takes staff number and password from its first moment; `stand_at` tells it where, once that is known.

    Signals: asked(staff number, password), doctor_asked, language_asked, look_asked. A `Place` for its own
    failures.
    """

    asked = Signal(str, str)
    doctor_asked = Signal()
    language_asked = Signal()
    look_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._hall = self._hall_en = self._window = ""
        self._practice = False
        self._barred = ""
        self._busy = False
        self._title, self._where = label(role="heading", wrap=True), label(role="muted", wrap=True)
        self._chip = Chip()
        self._fields = Credentials()
        self._why, self._action = label(role="title", wrap=True), label(wrap=True)
        self._code = label(role="faint", selectable=True)
        self.banner = BannerSlot()
        self._enter = KeyButton("primary", large=True, wide=True)
        self._doctor, self._language, self._look = QPushButton(), QPushButton(), QPushButton()
        self._doctor.hide()  # until there is a workstation to look at
        self._lay_out()
        self._fields.given.connect(self._ask)
        on_click(self._enter, self._press)
        on_click(self._doctor, self.doctor_asked.emit)
        on_click(self._language, self.language_asked.emit)
        on_click(self._look, self.look_asked.emit)

    def _lay_out(self) -> None:
        page = column(self, margin=24)
        corner: QHBoxLayout = row()
        corner.addStretch()
        for button in (self._doctor, self._language, self._look):
            button.setProperty("kind", "link")
            corner.addWidget(button)
        page.addLayout(corner)
        page.addStretch(2)
        card = Card()
        body = column(card, margin=32, gap=6)
        head = row(gap=14)
        self._emblem = IconLabel("ticket", "primary", 40)
        head.addWidget(self._emblem)
        titles = column(gap=2)
        titles.addWidget(self._title)
        titles.addWidget(self._where)
        head.addLayout(titles, 1)
        body.addLayout(head)
        body.addWidget(self._chip)
        body.addSpacing(12)
        body.addWidget(self._fields)
        for part in (self._why, self._action, self._code):
            body.addWidget(part)
        body.addWidget(self.banner)
        body.addSpacing(12)
        body.addWidget(self._enter)
        self._card = card
        middle = row()  # an alignment would keep the card from growing with wrapped lines
        middle.addStretch()
        middle.addWidget(card)
        middle.addStretch()
        page.addLayout(middle)
        page.addStretch(3)
        self._foot = label(role="faint")
        page.addWidget(self._foot, 0, Qt.AlignmentFlag.AlignHCenter)

    def stand_at(self, hall: str, hall_en: str, window: str, *, practice: bool) -> None:
        """Say at which window of which hall somebody signs in here."""
        self._hall, self._hall_en, self._window, self._practice = hall, hall_en, window, practice
        self._doctor.show()
        self.retranslate()

    def focus_first(self) -> None:
        self._enter.setFocus() if self._barred else self._fields.focus_first()

    def show_busy(self, busy: bool) -> None:
        """The office is being asked."""
        self._busy = busy
        self.retranslate()
        if self._barred and not busy:
            self._enter.setFocus()  # while it was grey it could not have it

    def forget(self) -> None:
        """Empty the password: nobody is signed in here any more."""
        self._fields.forget()
        self.withdraw()

    # --- a Place for the failures of signing in ---------------------------------------------------------

    def tell_failure(self, failure: Failure) -> None:
        if failure.code in WRONG:
            self._fields.tell_wrong(failure.code)
        elif failure.code in BARRED:
            self._bar(failure.code)
        else:
            self.banner.tell_failure(failure)
        self.retranslate()

    def _bar(self, code: str) -> None:
        """Instead of a form that leads nowhere: what happened to this workstation, and who can help."""
        self._barred = code
        self._fields.forget()
        self.retranslate()
        text = failures.text(code, language())
        announce(self, f"{text.sentence} {text.action}", urgent=True)

    def tell_bug(self, name: str) -> None:
        self.banner.tell_bug(name)

    def tell_worked(self) -> None:
        self.withdraw()

    def withdraw(self) -> None:
        """Take the failure of the last attempt away."""
        self._barred = ""
        self._fields.withdraw()
        self.banner.withdraw()
        self.retranslate()

    def _press(self) -> None:
        if self._barred:
            self.withdraw()
            self._fields.focus_first()
        elif not self._busy:
            self._fields.give()

    def _ask(self, staff: str, password: str) -> None:
        if not self._busy:
            self.withdraw()
            self.asked.emit(staff, password)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter on the button, too: it says so."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._enter.hasFocus():
            self._press()
        else:
            super().keyPressEvent(event)

    def retranslate(self) -> None:
        self._card.setFixedWidth(theme.current().px(420))
        barred = bool(self._barred)
        self._title.setText(tr("signin.barred" if barred else "signin.title"))
        where = tr("signin.where", hall=either(self._hall, self._hall_en), window=window_name(self._window))
        self._where.setText(where if self._window else tr("signin.opening"))
        self._chip.tell("warn", tr("header.practice"), "warn")
        self._chip.setVisible(self._practice)
        self._fields.retranslate()
        self._fields.setVisible(not barred)
        for part in (self._why, self._action, self._code):
            part.setVisible(barred)
        if barred:
            text = failures.text(self._barred, language())
            self._why.setText(text.sentence)
            self._action.setText(text.action)
            self._code.setText(tr("banner.code", code=self._barred))
        self._emblem.show_icon("off" if barred else "ticket", "bad" if barred else "primary")
        words = "signin.again" if barred else "signin.busy" if self._busy else "signin.enter"
        self._enter.tell(tr(words), "Enter")
        self._enter.setEnabled(not self._busy)
        self._doctor.setText(tr("doctor.open"))
        self._doctor.setIcon(icons.icon("doctor", "primary"))
        self._doctor.setToolTip(Key.DOCTOR)
        self._language.setText("English" if language() == "zh" else "中文")
        self._language.setIcon(icons.icon("language", "primary"))
        self._language.setToolTip(Key.LANGUAGE)
        self._look.setText(tr("header.look"))
        self._look.setIcon(icons.icon(theme.current().name, "primary"))
        self._look.setToolTip(Key.LOOK)
        self._foot.setText(tr("signin.foot"))
        self.banner.retranslate()

    @property
    def look_button(self) -> QPushButton:
        return self._look
