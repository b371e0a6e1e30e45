"""An act that takes two: a colleague types number and password beside the clerk, for this act alone."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from clerk_app.desk.views import CaseRow
from clerk_app.failures import Failure
from clerk_app.ui.announce import announce
from clerk_app.ui.banner import BannerSlot
from clerk_app.ui.credentials import WRONG, Credentials
from clerk_app.ui.pieces import KeyButton, label, on_click, row
from clerk_app.ui.side_sheet import SideSheet
from clerk_app.ui.words import tr


class SecondPersonSheet(SideSheet):
    """Signals: given(staff number, password of the second person). A `Place` for its failures."""

    given = Signal(str, str)

    def __init__(self, over: QWidget) -> None:
        super().__init__(over, "second.title", 460)
        self._asked: tuple[CaseRow, str] | None = None
        self._what = label(role="title", wrap=True)
        self._told, self._why, self._hint = (
            label(wrap=True),
            label(role="muted", wrap=True),
            label(role="faint", wrap=True),
        )
        self._fields = Credentials()
        self.banner = BannerSlot()
        self._stay, self._approve = KeyButton(), KeyButton("danger")
        self._fields.given.connect(self.given)
        on_click(self._stay, self.put_away)
        on_click(self._approve, self._fields.give)
        for part in (self._what, self._told, self._why, self._fields, self._hint, self.banner):
            self.body.addWidget(part)
        foot = row()
        foot.addStretch()
        foot.addWidget(self._stay)
        foot.addWidget(self._approve)
        self.body.addLayout(foot)
        self.body.addStretch()

    def ask(self, case: CaseRow, reason: str) -> None:
        """Ask for the approval to void `case`: the second person reads what for."""
        self._asked = case, reason
        self._fields.ask(staff=True)
        self.banner.withdraw()
        self.show_up()
        self._fields.focus_first()
        announce(self, tr("second.why"), urgent=True)

    @property
    def asked(self) -> tuple[CaseRow, str] | None:
        """The case and the reason on show; None once the question was put away."""
        return self._asked

    def put_away(self) -> bool:
        self._asked = None
        self._fields.ask(staff=True)  # a password does not wait in a closed sheet
        return super().put_away()

    def tell_failure(self, failure: Failure) -> None:
        if failure.code in WRONG:
            self._fields.tell_wrong(failure.code)
        else:
            self.banner.tell_failure(failure)

    def tell_bug(self, name: str) -> None:
        self.banner.tell_bug(name)

    def tell_worked(self) -> None:
        self.banner.tell_worked()

    def retranslate(self) -> None:
        super().retranslate()
        case, reason = self._asked or (None, "")
        self._what.setText(f"{case.number}  {case.item}" if case else "")
        self._told.setText(tr("second.reason", reason=reason))
        self._why.setText(tr("second.why"))
        self._hint.setText(tr("second.hint"))
        self._fields.retranslate()
        self._stay.tell(tr("void.stay"), "Esc")
        self._approve.tell(tr("second.approve"), "Enter")
        self.banner.retranslate()
