"""The header: which hall, which window, who; and the state of everything that can fail, in words."""

from __future__ import annotations

from enum import IntEnum

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QPushButton, QWidget

from clerk_app import failures
from clerk_app.desk.ports import LinkState, LinkStatus, PaperState, PrinterStatus, ReaderState, ReaderStatus
from clerk_app.desk.views import StatusView
from clerk_app.ui import icons, theme
from clerk_app.ui.clock_notice import clock_message
from clerk_app.ui.keys import Key
from clerk_app.ui.moments import moment
from clerk_app.ui.pieces import Chip, ElidedLabel, label, mark, on_click, row
from clerk_app.ui.words import either, language, sentences, tr, window_name


class Room(IntEnum):
    """How much the header says: the most that the width has room for. The tooltips always say all of it."""

    WHOLE = 0
    SHORT = 1  # the practice mark is one word
    BRIEF = 2  # the link leaves out when it last synced
    ICONS = 3  # a reader and a printer that are well show their icon only
    TERSE = 4  # numbers without words; the link leaves out since when, the printer what is wrong


_SILENT = "PRINTER-SILENT"
"""The code of a printer that answers nothing: it may be ready, it may not."""

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
    """Signals: outbox_asked, doctor_asked, language_asked, look_asked, lock_asked, sign_out_asked."""

    outbox_asked = Signal()
    doctor_asked = Signal()
    language_asked = Signal()
    look_asked = Signal()
    lock_asked = Signal()
    sign_out_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("header")
        self._status: StatusView | None = None
        self._reader = ReaderStatus(ReaderState.NO_READER)
        self._printer = PrinterStatus()
        self._hall = ElidedLabel(role="hall", least=140)
        self._window = label(role="window")
        self._clerk = label()
        self._practice = label(role="practice")
        self._link, self._reader_chip, self._printer_chip = Chip(), Chip(), Chip()
        self._clock = Chip()
        self._outbox = QPushButton()
        self._doctor = QPushButton()
        self._language = QPushButton()
        self._look = QPushButton()
        self._lock = QPushButton()
        self._sign_out = QPushButton()
        self._lay_out()
        on_click(self._outbox, self.outbox_asked.emit)
        on_click(self._doctor, self.doctor_asked.emit)
        on_click(self._language, self.language_asked.emit)
        on_click(self._look, self.look_asked.emit)
        on_click(self._lock, self.lock_asked.emit)
        on_click(self._sign_out, self.sign_out_asked.emit)

    def _lay_out(self) -> None:
        line = row(self, gap=4)
        line.setContentsMargins(16, 6, 8, 6)
        for part in (self._hall, self._window, self._clerk, self._practice):
            line.addWidget(part)
        line.addStretch(1)
        states: tuple[QWidget, ...] = (
            self._link,
            self._clock,
            self._outbox,
            self._reader_chip,
            self._printer_chip,
            self._doctor,
            self._language,
            self._look,
            self._lock,
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
        self._window.setText(window_name(status.window))
        self._clerk.setText(f"{either(status.operator, status.operator_en)} {status.staff_no}")
        self._practice.setToolTip(tr("header.practice"))
        self._practice.setAccessibleName(tr("header.practice"))
        self._practice.setVisible(status.practice)
        self._tell_buttons()
        self._make_room(status)

    def _make_room(self, status: StatusView) -> None:
        """Say as much as there is room for. The hall's name shortens itself, then goes; the clerk's never."""
        line = self.layout()
        assert line is not None, "laid out from the beginning"
        self._hall.show()
        for room in Room:
            self._practice.setText(tr("header.practice" if room < Room.SHORT else "header.practice_short"))
            self._tell_link(status.link, room)
            self._tell_clock(status.link, room)
            self._tell_outbox(status, room)
            self._tell_reader(room)
            self._tell_printer(room)
            needed = line.totalSizeHint() if room < Room.ICONS else line.totalMinimumSize()
            if needed.width() <= self.width():
                return
        if line.totalMinimumSize().width() > self.width():
            self._hall.hide()

    def _tell_link(self, link: LinkStatus, room: Room) -> None:
        icon, tone = _LINK[link.state]
        today = self._status.today if self._status else None
        words = whole = tr(f"link.{link.state.value}")
        if link.state is LinkState.OFFLINE and link.since:
            whole = tr("link.offline_since", time=moment(link.since, today))
            words = whole if room < Room.TERSE else words
        elif link.synced_at:
            whole = tr("link.synced", state=words, time=moment(link.synced_at, today))
            words = whole if room < Room.BRIEF else words
        self._tell_chip(self._link, icon, words, whole, tone)

    def _tell_clock(self, link: LinkStatus, room: Room) -> None:
        """Nothing while the clock is right enough: what is printed bears the office's time."""
        wrong = clock_message(link)
        self._clock.setVisible(wrong is not None)
        if wrong is not None:
            words = tr("clock.chip") if room < Room.ICONS else ""
            self._tell_chip(self._clock, "clock", words, wrong.sentence()[0], "warn")

    def _tell_reader(self, room: Room) -> None:
        icon, tone = _READER[self._reader.state]
        whole = tr(f"reader.{self._reader.state.value}")
        words = whole if room < Room.ICONS or tone else ""
        self._tell_chip(self._reader_chip, icon, words, whole, tone)

    def _tell_printer(self, room: Room) -> None:
        """What the printer itself last said; unknown until it was asked, and when it does not answer."""
        printer = self._printer
        key, tone = "ready", ""
        if printer.code == _SILENT:
            key, tone = "unknown", "warn"
        elif printer.code:
            key, tone = "problem", "warn"
        elif printer.paper is PaperState.UNKNOWN:
            key = "unknown"
        elif printer.paper is PaperState.NEAR_END:
            key, tone = "near_end", "warn"
        words = whole = tr(f"printer.{key}")
        if room >= Room.ICONS and not tone:
            words = ""
        elif room >= Room.TERSE:
            words = tr("printer.name")
        if printer.code:
            text = failures.text(printer.code, language())
            whole = f"{whole}\n{sentences(text.sentence, text.action)}\n{printer.code}"
        self._tell_chip(self._printer_chip, "warn" if tone else "print", words, whole, tone)

    def _tell_chip(self, chip: Chip, icon: str, words: str, whole: str, tone: str) -> None:
        chip.tell(icon, words, tone)
        chip.setToolTip(whole)
        chip.setAccessibleName(whole)
        if not tone:
            chip.tint(icon, self._ink())

    def _tell_outbox(self, status: StatusView, room: Room) -> None:
        words, brief = tr("header.unsent", count=status.unsent), f"{status.unsent}"
        if status.oldest_unsent and room < Room.SHORT:
            time = moment(status.oldest_unsent, status.today)
            words = tr("header.unsent_since", count=status.unsent, time=time)
        if status.tasks:
            words = tr("header.with_tasks", words=words, tasks=status.tasks)
            brief = f"{status.unsent} · {status.tasks}"
        self._outbox.setText(words if room < Room.TERSE else brief)
        self._outbox.setIcon(icons.icon("warn" if status.tasks else "outbox", self._ink()))
        tip = "\n".join((words, *_rest(status), tr("header.open_outbox", key=Key.OUTBOX)))
        self._outbox.setToolTip(tip)
        self._outbox.setAccessibleName(tip)

    def _tell_buttons(self) -> None:
        self._doctor.setIcon(icons.icon("doctor", self._ink()))
        self._language.setText("EN" if language() == "zh" else "中")
        self._look.setIcon(icons.icon(theme.current().name, self._ink()))
        self._lock.setIcon(icons.icon("lock", self._ink()))
        self._sign_out.setIcon(icons.icon("sign_out", self._ink()))
        for button, key, press in (
            (self._doctor, "doctor.open", Key.DOCTOR),
            (self._language, "header.language", Key.LANGUAGE),
            (self._look, "header.look", Key.LOOK),
            (self._lock, "header.lock", Key.LOCK),
            (self._sign_out, "header.sign_out", Key.SIGN_OUT),
        ):
            button.setToolTip(f"{tr(key)}  {press}")
            button.setAccessibleName(f"{tr(key)} {press}")

    def _ink(self) -> str:
        return "practice_text" if self._status and self._status.practice else "header_text"

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


def _rest(status: StatusView) -> list[str]:
    """What else of this workstation has not come to its end at the office."""
    told = []
    if status.oldest_unsent:
        told.append(tr("header.oldest", time=f"{status.oldest_unsent:%m-%d %H:%M}"))
    for words, count in (("header.held", status.held), ("header.pages", status.pages)):
        if count:
            told.append(tr(words, count=count))
    return told
