"""The header: which hall, which window, who; and the state of everything that can fail, in words."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QPushButton, QWidget

from clerk_app.desk.ports import LinkState, LinkStatus, PaperState, PrinterStatus, ReaderState, ReaderStatus
from clerk_app.desk.views import StatusView
from clerk_app.ui import icons, theme
from clerk_app.ui.keys import Key
from clerk_app.ui.pieces import Chip, ElidedLabel, label, mark, on_click, row
from clerk_app.ui.words import either, language, tr

_ROOMY = 1180
"""Below this width (at 100 %) what is well shows its icon only; words come back with a problem."""

_LINK = {
    LinkState.ONLINE: ("link_online", ""),
    LinkState.SLOW: ("link_slow", "warn"),
    LinkState.OFFLINE: ("link_offline", "warn"),
}
_READER = {
    ReaderState.SERVICE_LOST: ("bad", "bad"),
    ReaderState.NO_READER: ("warn", "warn"),
    ReaderState.EMPTY: ("reader", ""),
    ReaderState.READING: ("wait", ""),
    ReaderState.PRESENT: ("card", ""),
}


class Header(QFrame):
    """Signals: outbox_asked, language_asked, look_asked, sign_out_asked."""

    outbox_asked = Signal()
    language_asked = Signal()
    look_asked = Signal()
    sign_out_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("header")
        self._status: StatusView | None = None
        self._reader = ReaderStatus(ReaderState.NO_READER)
        self._printer = PrinterStatus()
        self._hall = ElidedLabel(role="hall")
        self._window = label(role="window")
        self._clerk = ElidedLabel()
        self._practice = label(role="practice")
        self._link, self._reader_chip, self._printer_chip = Chip(), Chip(), Chip()
        self._outbox = QPushButton()
        self._language = QPushButton()
        self._look = QPushButton()
        self._sign_out = QPushButton()
        self._lay_out()
        on_click(self._outbox, self.outbox_asked.emit)
        on_click(self._language, self.language_asked.emit)
        on_click(self._look, self.look_asked.emit)
        on_click(self._sign_out, self.sign_out_asked.emit)

    def _lay_out(self) -> None:
        line = row(self, gap=6)
        line.setContentsMargins(16, 6, 12, 6)
        for part in (self._hall, self._window, self._clerk, self._practice):
            line.addWidget(part)
        line.addStretch(1)
        states: tuple[QWidget, ...] = (
            self._link,
            self._outbox,
            self._reader_chip,
            self._printer_chip,
            self._language,
            self._look,
            self._sign_out,
        )
        for state in states:
            line.addWidget(state)

    def show_status(self, status: StatusView) -> None:
        self._status = status
        self.retranslate()

    def show_reader(self, reader: ReaderStatus) -> None:
        self._reader = reader
        self.retranslate()

    def show_printer(self, printer: PrinterStatus) -> None:
        self._printer = printer
        self.retranslate()

    def retranslate(self) -> None:
        status = self._status
        self.setVisible(status is not None)
        if status is None:
            return
        mark(self, practice="true" if status.practice else "false")
        for part in self.findChildren(QFrame):
            mark(part, within="practice" if status.practice else "real")
        self._hall.set_whole(either(status.hall, status.hall_en))
        self._window.setText(tr("header.window", window=status.window))
        self._clerk.set_whole(f"{either(status.operator, status.operator_en)} {status.staff_no}")
        self._practice.setText(tr("header.practice" if self._roomy else "header.practice_short"))
        self._practice.setToolTip(tr("header.practice"))
        self._practice.setVisible(status.practice)
        self._tell_link(status.link)
        self._tell_outbox(status)
        self._tell_devices()
        self._tell_buttons()
        self._make_room()

    def _make_room(self) -> None:
        """The hall's name gives way first: everybody in the hall knows it."""
        line = self.layout()
        self._hall.show()
        if line is not None and line.totalMinimumSize().width() > self.width():
            self._hall.hide()

    def _tell_link(self, link: LinkStatus) -> None:
        icon, tone = _LINK[link.state]
        words = tr(f"link.{link.state.value}")
        if link.state is LinkState.OFFLINE and link.since:
            words = tr("link.offline_since", time=f"{link.since:%H:%M}")
        elif link.synced_at and self._roomy:
            words = tr("link.synced", state=words, time=f"{link.synced_at:%H:%M}")
        self._link.tell(icon, words, tone)
        self._tint(self._link, icon, tone)

    def _tell_outbox(self, status: StatusView) -> None:
        words = tr("header.unsent", count=status.unsent)
        if status.tasks:
            words = tr("header.unsent_tasks", count=status.unsent, tasks=status.tasks)
        self._outbox.setText(words)
        self._outbox.setIcon(icons.icon("warn" if status.tasks else "outbox", self._ink()))
        tip = tr("header.open_outbox", key=Key.OUTBOX)
        if status.oldest_unsent:
            tip += "\n" + tr("header.oldest", time=f"{status.oldest_unsent:%m-%d %H:%M}")
        self._outbox.setToolTip(tip)
        self._outbox.setAccessibleName(f"{words}. {tip}")

    def _tell_devices(self) -> None:
        icon, tone = _READER[self._reader.state]
        words = tr(f"reader.{self._reader.state.value}")
        self._reader_chip.tell(icon, words if self._roomy or tone else "", tone)
        self._reader_chip.setToolTip(words)
        self._reader_chip.setAccessibleName(words)
        self._tint(self._reader_chip, icon, tone)
        near_end = self._printer.paper is PaperState.NEAR_END
        problem = not self._printer.ready or near_end
        key = (
            "near_end" if near_end and self._printer.ready else "ready" if self._printer.ready else "problem"
        )
        words = tr(f"printer.{key}", code=self._printer.code)
        tone = "warn" if problem else ""
        self._printer_chip.tell("warn" if problem else "print", words if self._roomy or tone else "", tone)
        self._printer_chip.setToolTip(words)
        self._printer_chip.setAccessibleName(words)
        self._tint(self._printer_chip, "warn" if problem else "print", tone)

    def _tell_buttons(self) -> None:
        self._language.setIcon(icons.icon("language", self._ink()))
        self._language.setText("EN" if language() == "zh" else "中")
        self._look.setIcon(icons.icon(theme.current().name, self._ink()))
        self._sign_out.setIcon(icons.icon("sign_out", self._ink()))
        for button, key, press in (
            (self._language, "header.language", Key.LANGUAGE),
            (self._look, "header.look", Key.LOOK),
            (self._sign_out, "header.sign_out", Key.SIGN_OUT),
        ):
            button.setToolTip(f"{tr(key)}  {press}")
            button.setAccessibleName(f"{tr(key)} {press}")

    @property
    def _roomy(self) -> bool:
        return self.width() >= theme.current().px(_ROOMY)

    def _ink(self) -> str:
        return "practice_text" if self._status and self._status.practice else "header_text"

    def _tint(self, chip: Chip, icon: str, tone: str) -> None:
        if not tone:
            chip.tint(icon, self._ink())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.retranslate()

    def minimumSizeHint(self) -> QSize:
        """Narrower than its words: they shorten themselves to whatever the window leaves."""
        return QSize(theme.current().px(400), super().minimumSizeHint().height())

    @property
    def look_button(self) -> QPushButton:
        """Where the menu of themes and sizes opens."""
        return self._look
