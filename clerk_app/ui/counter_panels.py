"""The panels of the counter, each in its place; Tab goes through them as one reads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QHBoxLayout, QWidget

from clerk_app.ui import reading_order, theme
from clerk_app.ui.action_bar import ActionBar
from clerk_app.ui.banner import BannerSlot
from clerk_app.ui.header import Header
from clerk_app.ui.outbox_sheet import OutboxSheet
from clerk_app.ui.pieces import column, row
from clerk_app.ui.scan_sheet import ScanSheet
from clerk_app.ui.second_person_sheet import SecondPersonSheet
from clerk_app.ui.side_panel import SidePanel
from clerk_app.ui.slips_sheet import SlipsSheet
from clerk_app.ui.steps_panel import StepsPanel
from clerk_app.ui.ticket_panel import TicketPanel
from clerk_app.ui.timeline_panel import TimelinePanel
from clerk_app.ui.void_sheet import VoidSheet
from clerk_app.ui.waiting_panel import WaitingPanel


class CounterPanels(QWidget):
    """Header, offline band, three columns, bottom bar, and the sheets that slide over them."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__()
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.header = Header()
        self.band = BannerSlot()
        self.ticket = TicketPanel(now)
        self.waiting = WaitingPanel()
        self.steps = StepsPanel()
        self.side = SidePanel()
        self.timeline = TimelinePanel()
        self.bar = ActionBar()
        self._lay_out()
        self.outbox = OutboxSheet(self)
        self.slips = SlipsSheet(self)
        self.scan = ScanSheet(self)
        self.void = VoidSheet(self)
        self.second = SecondPersonSheet(self)

    def _lay_out(self) -> None:
        page = column(self, gap=0)
        page.addWidget(self.header)
        page.addWidget(self.band)
        middle: QHBoxLayout = row(margin=12, gap=12)
        self._left, self._right = QWidget(), QWidget()
        left, right = column(self._left, gap=12), column(self._right, gap=12)
        left.addWidget(self.ticket)
        left.addWidget(self.waiting, 1)
        right.addWidget(self.side, 3)
        right.addWidget(self.timeline, 2)
        middle.addWidget(self._left)
        middle.addWidget(self.steps, 1)
        middle.addWidget(self._right)
        page.addLayout(middle, 1)
        page.addWidget(self.bar)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab in reading order, whatever was built anew meanwhile; an open sheet is read by itself."""
        sheets = (self.second, self.void, self.scan, self.slips, self.outbox)
        sheet = next((sheet for sheet in sheets if sheet.isVisible()), None)
        return reading_order.step(sheet or self, QApplication.focusWidget(), forward=forward)

    def retranslate(self) -> None:
        """Say everything again in the language and theme on screen."""
        look = theme.current()
        # The side columns grow slower than the text, so that the steps keep their room at 150 %.
        growth = 1 + (look.scale - 100) / 250
        self._left.setFixedWidth(round(272 * growth))
        self._right.setFixedWidth(round(286 * growth))
        self.header.retranslate()
        self.band.retranslate()
        self.ticket.retranslate()
        self.waiting.retranslate()
        self.steps.retranslate()
        self.side.retranslate()
        self.timeline.retranslate()
        self.bar.retranslate()
        self.outbox.retranslate()
        self.slips.retranslate()
        self.scan.retranslate()
        self.void.retranslate()
        self.second.retranslate()
