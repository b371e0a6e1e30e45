"""The locked window: who is locked since when, and a password; nothing of the citizen is to be seen."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from clerk_app.desk.ports import Operator
from clerk_app.failures import Failure
from clerk_app.ui import icons, theme
from clerk_app.ui.announce import announce
from clerk_app.ui.banner import BannerSlot
from clerk_app.ui.credentials import WRONG, Credentials
from clerk_app.ui.keys import Key
from clerk_app.ui.pieces import Card, IconLabel, KeyButton, column, label, on_click, row
from clerk_app.ui.words import either, language, tr


class LockPage(QWidget):
    """Covers the counter. Its own clerk opens it, or another one takes over. A `Place` for its failures.

    Signals: opened(password), changed(staff number, password of another clerk), language_asked, look_asked.
    """

    opened = Signal(str)
    changed = Signal(str, str)
    language_asked = Signal()
    look_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._clerk: Operator | None = None
        self._since: datetime | None = None
        self._other = self._busy = False
        self._emblem = IconLabel("lock", "primary", 40)
        self._title, self._who = label(role="heading", wrap=True), label(role="muted", wrap=True)
        self._hint = label(role="muted", wrap=True)
        self._fields = Credentials(staff=False)
        self.banner = BannerSlot()
        self._enter = KeyButton("primary", large=True, wide=True)
        self._change, self._language, self._look = QPushButton(), QPushButton(), QPushButton()
        self._lay_out()
        self._fields.given.connect(self._give)
        self.banner.taken.connect(lambda taken: self._hint.setVisible(not taken))  # large text fills the card
        on_click(self._enter, self._press)
        on_click(self._change, lambda: self.ask_another(not self._other))
        on_click(self._language, self.language_asked.emit)
        on_click(self._look, self.look_asked.emit)

    def _lay_out(self) -> None:
        page = column(self, margin=24)
        corner: QHBoxLayout = row()
        corner.addStretch()
        for button in (self._language, self._look, self._change):
            button.setProperty("kind", "link")
        for button in (self._language, self._look):
            corner.addWidget(button)
        page.addLayout(corner)
        page.addStretch(2)
        self._card = Card()
        body = column(self._card, margin=28, gap=6)
        head = row(gap=14)
        head.addWidget(self._emblem)
        titles = column(gap=2)
        titles.addWidget(self._title)
        titles.addWidget(self._who)
        head.addLayout(titles, 1)
        body.addLayout(head)
        body.addSpacing(12)
        body.addWidget(self._fields)
        body.addWidget(self.banner)
        body.addSpacing(12)
        body.addWidget(self._enter)
        body.addWidget(self._change, 0, Qt.AlignmentFlag.AlignHCenter)
        body.addSpacing(6)
        body.addWidget(self._hint)
        middle = row()
        middle.addStretch()
        middle.addWidget(self._card)
        middle.addStretch()
        page.addLayout(middle)
        page.addStretch(3)

    def show_locked(self, clerk: Operator, since: datetime) -> None:
        """Whose work lies below, and since when nobody may see it."""
        self._clerk, self._since = clerk, since
        self.ask_another(False)
        announce(self, f"{self._title.text()} {self._who.text()}", urgent=True)

    def ask_another(self, other: bool) -> bool:
        """Ask for another clerk, or for the one who is locked again; whether that changed anything."""
        changed, self._other = self._other != other, other
        self._fields.ask(staff=other)
        self.banner.withdraw()
        self.retranslate()
        self._fields.focus_first()
        return changed

    def focus_first(self) -> None:
        self._fields.focus_first()

    def show_busy(self, busy: bool) -> None:
        """Somebody is being proved."""
        self._busy = busy
        self.retranslate()

    def forget(self) -> None:
        """Empty what was typed."""
        self._fields.ask(staff=False)
        self.banner.withdraw()

    def _press(self) -> None:
        if not self._busy:
            self._fields.give()

    def _give(self, staff: str, password: str) -> None:
        if self._busy:
            return
        self.banner.withdraw()
        if self._other:
            self.changed.emit(staff, password)
        else:
            self.opened.emit(password)

    # --- a Place for the failures of opening --------------------------------------------------------------

    def tell_failure(self, failure: Failure) -> None:
        if failure.code in WRONG:
            self._fields.tell_wrong(failure.code)
        else:
            self.banner.tell_failure(failure)

    def tell_bug(self, name: str) -> None:
        self.banner.tell_bug(name)

    def tell_worked(self) -> None:
        self.banner.tell_worked()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter on the button, too: it says so."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._enter.hasFocus():
            self._press()
        else:
            super().keyPressEvent(event)

    def retranslate(self) -> None:
        self._card.setFixedWidth(theme.current().px(420))
        self._emblem.redraw()
        self._title.setText(tr("lock.change" if self._other else "lock.title"))
        if self._clerk is not None and self._since is not None:
            name = either(self._clerk.name, self._clerk.name_en)
            time = f"{self._since:%m-%d %H:%M}"
            self._who.setText(tr("lock.who", name=name, staff=self._clerk.staff_no, time=time))
        self._hint.setText(tr("lock.change_hint" if self._other else "lock.hint"))
        self._fields.retranslate()
        words = "lock.enter_other" if self._other else "lock.enter"
        self._enter.tell(tr("signin.busy" if self._busy else words), "Enter")
        self._enter.setEnabled(not self._busy)
        self._change.setText(tr("lock.back" if self._other else "lock.other"))
        self._change.setIcon(icons.icon("undo" if self._other else "agent", "primary"))
        self._language.setText("English" if language() == "zh" else "中文")
        self._language.setIcon(icons.icon("language", "primary"))
        self._language.setToolTip(Key.LANGUAGE)
        self._look.setText(tr("header.look"))
        self._look.setIcon(icons.icon(theme.current().name, "primary"))
        self._look.setToolTip(Key.LOOK)
        self.banner.retranslate()

    @property
    def look_button(self) -> QPushButton:
        return self._look
