"""After filing: the number in large, what is on paper, who knows of it, and what comes next."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from clerk_app.desk.views import CaseRow
from clerk_app.ui import case_words
from clerk_app.ui.flow import FlowLayout
from clerk_app.ui.keys import Key
from clerk_app.ui.long_number import LongNumber
from clerk_app.ui.pieces import Card, Chip, IconLabel, clear, column, label, row
from clerk_app.ui.words import tr


class FiledPage(QWidget):
    """The cases of this visit, the newest first."""

    def __init__(self) -> None:
        super().__init__()
        self._cases: tuple[CaseRow, ...] = ()
        self._newest: Card | None = None
        inside = QWidget()
        inside.setObjectName("inside")
        within = column(inside, gap=8)
        self._lines: QVBoxLayout = column(gap=8)
        self._next = label(role="muted", wrap=True)
        within.addLayout(self._lines)
        within.addWidget(self._next)
        within.addStretch(1)
        room = QScrollArea()
        room.setWidgetResizable(True)
        room.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        room.setWidget(inside)
        column(self).addWidget(room)

    def show_cases(self, cases: tuple[CaseRow, ...]) -> None:
        if cases != self._cases:
            self._cases = cases
            self.retranslate()

    def focus_first(self) -> None:
        """The case just filed: a screen reader says its state and number."""
        if self._newest is not None:
            self._newest.setFocus()

    def retranslate(self) -> None:
        had_focus = self._newest is not None and self._newest.hasFocus()
        self._newest = None
        clear(self._lines)
        for case in reversed(self._cases):
            card = _drawn(case)
            self._lines.addWidget(card)
            self._newest = self._newest or card
        if had_focus:
            self.focus_first()
        self._next.setText(tr("filed.next", another=Key.ANOTHER, finish=Key.FINISH))


def _drawn(case: CaseRow) -> Card:
    card = Card()
    card.setProperty("filed", "true")
    card.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    card.setAccessibleName(case_words.spoken(case))
    line = row(card, gap=16)
    line.setContentsMargins(18, 14, 18, 14)
    icon, state, tone = case_words.legal(case)
    line.addWidget(IconLabel(icon, tone or "muted", 40), 0, Qt.AlignmentFlag.AlignTop)
    words = column(gap=4)
    words.addWidget(label(tr("filed.title", state=state), "muted"))
    words.addWidget(label(case.number, "name", selectable=True))
    words.addWidget(label(case.item, "title", wrap=True))
    words.addWidget(label(f"{case.applicant} · {case.received_at:%Y-%m-%d %H:%M}", "muted"))
    place = QWidget()
    chips = FlowLayout(place)
    for told in (case_words.paper(case), case_words.sync(case), case_words.until(case)):
        if told:
            chips.addWidget(Chip(*told))
    words.addWidget(place)
    if limit := case_words.limit(case):
        words.addWidget(label(limit, "muted"))
    if case.accept_by is not None and case.accept.reason:
        words.addWidget(label(tr("cases.not_yet", reason=tr(case.accept.reason)), "muted", wrap=True))
    if why := case_words.refusal(case):
        words.addWidget(label(why, "problem", wrap=True))
    if case.official_number:
        official = LongNumber()
        official.tell(case.official_number)
        official.setAccessibleName(tr("cases.official"))
        words.addSpacing(2)
        words.addWidget(label(tr("cases.official"), "faint"))
        words.addWidget(official)
    line.addLayout(words, 1)
    return card
