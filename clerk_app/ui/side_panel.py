"""The right side: the guide and the cases behind two tabs."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QPushButton, QStackedWidget

from clerk_app.ui.cases_panel import CasesPanel
from clerk_app.ui.guide_panel import GuidePanel
from clerk_app.ui.keys import Key
from clerk_app.ui.pieces import Card, column, on_click, row
from clerk_app.ui.words import tr


class SidePanel(Card):
    def __init__(self) -> None:
        super().__init__()
        self.guide = GuidePanel()
        self.cases = CasesPanel()
        self._pages = QStackedWidget()
        self._pages.addWidget(self.guide)
        self._pages.addWidget(self.cases)
        self._tabs = (QPushButton(), QPushButton())
        body = column(self, gap=8)
        body.setContentsMargins(14, 8, 6, 12)
        line = row(gap=4)
        for place, tab in enumerate(self._tabs):
            tab.setProperty("kind", "tab")
            tab.setCheckable(True)
            on_click(tab, partial(self.show_page, place))
            line.addWidget(tab)
        line.addStretch()
        body.addLayout(line)
        body.addWidget(self._pages, 1)
        self.show_page(0)

    @property
    def shows_cases(self) -> bool:
        return self._pages.currentIndex() == 1

    def show_page(self, place: int) -> None:
        """0 is the guide, 1 the cases."""
        self._pages.setCurrentIndex(place)
        for number, tab in enumerate(self._tabs):
            tab.setChecked(number == place)

    def retranslate(self) -> None:
        for tab, key, press in zip(
            self._tabs, ("guide.title", "cases.title"), (Key.GUIDE, Key.CASES), strict=True
        ):
            tab.setText(tr(key))
            tab.setToolTip(press)
            tab.setAccessibleName(f"{tr(key)} {press}")
        self.guide.retranslate()
        self.cases.retranslate()
