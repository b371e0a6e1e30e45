"""The bottom bar: what can be done with this case and this visit, each with its key; and why not yet."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame

from clerk_app.desk.views import DraftView, Gate, VisitView
from clerk_app.ui.keys import Key
from clerk_app.ui.pieces import ElidedLabel, IconLabel, KeyButton, mark, on_click, row
from clerk_app.ui.words import tr


class ActionBar(QFrame):
    """Signals: receive, accept, another, finish, reprint, void, discard, slips.

    An act whose gate is closed stays reachable: it leads to the step that must be mended and says why.
    """

    receive = Signal()
    accept = Signal()
    another = Signal()
    finish = Signal()
    reprint = Signal()
    void = Signal()
    discard = Signal()
    slips = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("bar")
        self._visit: VisitView | None = None
        self._draft: DraftView | None = None
        self._another, self._finish, self._discard = KeyButton(), KeyButton(), KeyButton("link")
        self._slips, self._void, self._reprint = KeyButton("link"), KeyButton("danger"), KeyButton()
        self._receive, self._accept = KeyButton(), KeyButton("primary")
        self._icon = IconLabel(size=16)
        self._why = ElidedLabel(role="muted")
        line = row(self, gap=8)
        line.setContentsMargins(16, 10, 16, 10)
        for part in (self._another, self._finish, self._discard):
            line.addWidget(part)
        line.addSpacing(8)
        line.addWidget(self._icon)
        line.addWidget(self._why, 1)
        for part in (self._slips, self._void, self._reprint, self._receive, self._accept):
            line.addWidget(part)
        for button, signal in (
            (self._another, self.another),
            (self._finish, self.finish),
            (self._discard, self.discard),
            (self._slips, self.slips),
            (self._void, self.void),
            (self._reprint, self.reprint),
            (self._receive, self.receive),
            (self._accept, self.accept),
        ):
            on_click(button, signal.emit)

    def show_work(self, visit: VisitView | None, draft: DraftView | None) -> None:
        """What is at the window: the visit, and the draft in hand (None when there is none)."""
        self._visit, self._draft = visit, draft
        self.retranslate()

    def retranslate(self) -> None:
        visit, draft = self._visit, self._draft
        filed = visit.cases if visit else ()
        self._another.tell(tr("bar.another"), Key.ANOTHER)
        self._another.setVisible(bool(filed) and draft is None)
        self._finish.tell(tr("bar.finish"), Key.FINISH)
        self._finish.setVisible(visit is not None)
        self._discard.tell(tr("bar.discard"), Key.DISCARD)
        self._discard.setVisible(bool(draft and draft.id and (draft.applicant or draft.item)))
        self._slips.tell(tr("bar.slips"), Key.SLIPS)
        self._slips.setVisible(draft is None)
        self._void.tell(tr("bar.void"), Key.VOID)
        self._void.setVisible(draft is None and bool(filed) and filed[-1].void.open)
        self._reprint.tell(tr("bar.reprint"), Key.REPRINT)
        self._reprint.setVisible(draft is None and bool(filed) and filed[-1].reprint.open)
        self._receive.tell(tr("bar.receive"), Key.RECEIVE)
        self._receive.setVisible(draft is not None)
        self._accept.tell(tr("bar.accept"), Key.ACCEPT)
        self._accept.setVisible(draft is not None)
        accepts = draft is not None and draft.accept.open
        receives = draft is not None and draft.receive.open
        self._accept.set_kind("primary" if accepts else "")
        self._receive.set_kind("primary" if receives and not accepts else "")
        self._tell_why(_closed(draft))

    def _tell_why(self, gate: Gate | None) -> None:
        words = tr(gate.reason) if gate else ""
        if gate and gate.step:
            words = tr("bar.at_step", reason=words, step=gate.step)
        elif self._draft is not None and not gate:
            words = tr("bar.ready")
        elif self._visit is None:
            words = tr("gate.no_visit")
        self._why.set_whole(words)
        self._icon.setVisible(bool(words))
        ready = self._draft is not None and not gate
        self._icon.show_icon("ok" if ready else "info", "ok" if ready else "muted")
        mark(self._why, tone="ok" if ready else "")
        self._accept.setToolTip(words if gate else "")


def _closed(draft: DraftView | None) -> Gate | None:
    """The gate that stops accepting, if one does."""
    return draft.accept if draft is not None and not draft.accept.open else None
