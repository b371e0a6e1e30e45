"""Voiding a case: the consequence in words, and a written reason. Nothing happens without both hands."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from clerk_app.desk.views import CaseRow
from clerk_app.ui import theme
from clerk_app.ui.banner import BannerSlot
from clerk_app.ui.pieces import KeyButton, label, on_click, row
from clerk_app.ui.side_sheet import SideSheet
from clerk_app.ui.words import tr


class VoidSheet(SideSheet):
    """Signals: given(case id, reason)."""

    given = Signal(str, str)

    def __init__(self, over: QWidget) -> None:
        super().__init__(over, "void.title", 460)
        self._case: CaseRow | None = None
        self._what = label(role="title", wrap=True)
        self._consequence = label(role="muted", wrap=True)
        self._ask = label(role="label")
        self._reason = QPlainTextEdit()
        self._reason.setTabChangesFocus(True)
        self._problem = label(role="problem", wrap=True)
        self._second = label(role="muted", wrap=True)
        self._offline = False
        self.banner = BannerSlot()
        self._stay, self._void = KeyButton(), KeyButton("danger")
        on_click(self._stay, self.put_away)
        on_click(self._void, self._give)
        above: tuple[QWidget, ...] = (self._what, self._consequence, self._second, self._ask, self._reason)
        for part in (*above, self._problem, self.banner):
            self.body.addWidget(part)
        foot = row()
        foot.addStretch()
        foot.addWidget(self._stay)
        foot.addWidget(self._void)
        self.body.addLayout(foot)
        self.body.addStretch()

    def ask(self, case: CaseRow, *, offline: bool = False) -> None:
        """Ask for the reason to void `case`; without the office it takes a second person."""
        self._case, self._offline = case, offline
        self._reason.clear()
        self._problem.hide()
        self.banner.withdraw()
        self.show_up()
        self._reason.setFocus()

    @property
    def case(self) -> CaseRow | None:
        """The case that was asked about last."""
        return self._case

    def _give(self) -> None:
        reason = self._reason.toPlainText().strip()
        self._problem.setVisible(not reason)
        if reason and self._case is not None:
            self.given.emit(self._case.id, reason)
        else:
            self._reason.setFocus()

    def retranslate(self) -> None:
        super().retranslate()
        case = self._case
        self._what.setText(f"{case.number}  {case.item}" if case else "")
        self._consequence.setText(tr("void.consequence"))
        self._second.setText(tr("void.second"))
        self._second.setVisible(self._offline)
        self._ask.setText(tr("void.reason"))
        self._reason.setAccessibleName(tr("void.reason"))
        self._reason.setFixedHeight(theme.current().px(96))
        self._problem.setText(tr("void.missing"))
        self._stay.tell(tr("void.stay"), "Esc")
        self._void.tell(tr("void.void"))
        self.banner.retranslate()
