"""The practice console: what the citizens, the network and the devices of a practice hall do.

A small window beside the clerk's. Every label is in both languages, so that it needs no switch of its own.
Nothing is done to the devices on its own thread: a printer that has been made slow must not stop the console.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from clerk_app.devices.card.simulator import Fault
from clerk_app.devices.printer.simulator.mechanism import Faults
from clerk_app.ui import theme
from practice.faults import PRINTER_FAULTS
from practice.hall import CLERK, PracticeHall
from practice.hand_scanner import SAMPLES, HandScanner, code_on
from practice.last_slips import LastSlips
from practice.pieces import Choice, box, button, note, switch

WIDTH, HEIGHT = 440, 768
LAST_SLIP = "凭证上的条码 · Code on the slip"
_SERIES = (("A", "综合 General"), ("Y", "预约 Booked"), ("P", "优先 Priority"))


class _News(QObject):
    """Signals, each emitted on the thread where it happened:
    paper: one fell out of the simulated printer.
    said: the voice of the window spoke a sentence.
    """

    paper = Signal(object)
    said = Signal(str)


class PracticeConsole(QWidget):
    """Lay cards, take tickets, scan slips, pull cables and break the printer beside `window`, the clerk's."""

    def __init__(self, hall: PracticeHall, window: QWidget) -> None:
        super().__init__()
        self._hall = hall
        self._window = window
        self._scanner = HandScanner(window)
        self.setWindowTitle("练习控制台 · Practice console")
        self.setObjectName("page")
        self.resize(theme.current().px(WIDTH), HEIGHT)
        self.slips = LastSlips(lambda: self._order(self._tear_off))
        column = QVBoxLayout(self)
        column.setSpacing(8)
        column.addWidget(note(f"工号 {CLERK.staff_no}，密码 {CLERK.password} · Staff number and password"))
        for part in (self._citizens(), self._wires(), self._heard()):
            column.addWidget(part)
        column.addWidget(self.slips, 1)
        self._news = _News()
        self._news.paper.connect(self.slips.add)
        self._news.said.connect(self._show_said)
        hall.on_paper = self._news.paper.emit
        hall.on_said = self._news.said.emit

    def stand_beside(self) -> None:
        """Move to the right of the clerk's window; over its edge where the screen ends there."""
        room = self._window.screen().availableGeometry()
        corner = self._window.frameGeometry().topRight()
        self.move(min(corner.x(), room.right() - self.width()), max(corner.y(), room.top()))

    # --- its parts -----------------------------------------------------------------------------------

    def _citizens(self) -> QWidget:
        part, grid = box("申请人 · Citizens")
        self.card = Choice("证件 · Card")
        for card in self._hall.reader.cards.values():
            self.card.addItem(f"{card.title} · {card.title_en}", card.id)
        self.card.setCurrentIndex(self.card.findData("resident"))
        grid.addWidget(self.card, 0, 0, 1, 12)
        acts: tuple[tuple[str, Callable[[], object]], ...] = (
            ("放卡\nLay card", self._lay),
            ("取卡\nTake card", self._hall.reader.remove),
            ("读时抽走\nPull early", partial(self._lay, Fault.PULLED)),
            ("读不出\nUnreadable", partial(self._lay, Fault.UNREADABLE)),
        )
        for place, (words, act) in enumerate(acts):
            grid.addWidget(button(words, act), 1, 3 * place, 1, 3)
        for place, (series, words) in enumerate(_SERIES):
            act = partial(self._order, partial(self._hall.office.take_ticket, series))
            grid.addWidget(button(words, act), 2, 4 * place, 1, 4)
        self.scan = Choice("扫描什么 · What to scan")
        self.scan.addItem(LAST_SLIP, "")
        for sample in SAMPLES:
            self.scan.addItem(sample.words, sample.text)
        grid.addWidget(self.scan, 3, 0, 1, 9)
        grid.addWidget(button("扫描 Scan", self._scan), 3, 9, 1, 3)
        return part

    def _wires(self) -> QWidget:
        part, grid = box("设备、网络和后台 · Devices, network, office")
        self.fault = Choice("打印机 · Printer")
        for words, faults in PRINTER_FAULTS:
            self.fault.addItem(words, faults)
        self.fault.currentIndexChanged.connect(lambda _place: self._break(self.fault.currentData()))
        grid.addWidget(self.fault, 0, 0, 1, 9)
        grid.addWidget(button("修好 Repair", lambda: self.fault.setCurrentIndex(0)), 0, 9, 1, 3)
        grid.addWidget(switch("断网\nNetwork down", self._network), 1, 0, 1, 4)
        grid.addWidget(switch("拔下读卡器\nReader out", self._reader), 1, 4, 1, 4)
        grid.addWidget(switch("停读卡服务\nService off", self._service), 1, 8, 1, 4)
        office = self._hall.office
        self._shut_out = button("吊销本机\nShut out", self._revoke)
        acts = (
            switch("后台出错\nOffice errs", lambda on: self._order(partial(office.err, on))),
            button("恢复旧备份\nOld backup", lambda: self._order(office.go_back)),
            self._shut_out,
        )
        for place, act in enumerate(acts):
            grid.addWidget(act, 2, 4 * place, 1, 4)
        return part

    def _heard(self) -> QWidget:
        part, grid = box("广播 · Heard in the hall")
        self._said = note("还没有叫号 · Nobody called yet\n")
        self._said.setWordWrap(True)
        self._sentences: deque[str] = deque(maxlen=2)
        grid.addWidget(self._said, 0, 0, 1, 12)
        return part

    # --- what they do --------------------------------------------------------------------------------

    def _order(self, act: Callable[[], object]) -> None:
        """Have `act` done; a bug in it is in the log."""
        self._hall.errands.submit(act).add_done_callback(Future.result)

    def _lay(self, fault: Fault | None = None) -> None:
        """Lay the card; the keyboard goes back to the clerk, whose turn it is now."""
        self._hall.reader.lay(self.card.currentData(), fault)
        self._window.activateWindow()

    def _scan(self) -> None:
        """The chosen text; without a slip there is nothing on it to scan."""
        paper = self.slips.shown
        if text := self.scan.currentData() or (code_on(paper) if paper else ""):
            self._scanner.scan(text)

    def _break(self, faults: Faults) -> None:
        self._order(partial(self._hall.printer.set_faults, faults))

    def _tear_off(self) -> None:
        self._news.paper.emit(self._hall.printer.tear_off())

    def _network(self, down: bool) -> None:
        if down:
            self._hall.cable.pull()
        else:
            self._hall.cable.plug()
            self._hall.workstation.scheduler.network_up()

    def _revoke(self) -> None:
        """For good: the window of this hall is not enrolled again."""
        self._shut_out.setEnabled(False)
        self._order(self._hall.shut_out)

    def _reader(self, unplugged: bool) -> None:
        if unplugged:
            self._hall.reader.unplug()
        else:
            self._hall.reader.plug_in()

    def _service(self, stopped: bool) -> None:
        if stopped:
            self._hall.reader.stop_service()
        else:
            self._hall.reader.start_service()

    def _show_said(self, sentence: str) -> None:
        """The last call, in both languages."""
        self._sentences.append(sentence)
        self._said.setText("\n".join(self._sentences))
