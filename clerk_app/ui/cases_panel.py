"""The cases of this window, newest first, and what may still be done to the chosen one."""

from __future__ import annotations

from PySide6.QtCore import QItemSelectionModel, QRect, Signal
from PySide6.QtGui import QFont, QPainter
from PySide6.QtWidgets import QWidget

from clerk_app.desk.views import CaseRow
from clerk_app.ui import case_words, painting, theme
from clerk_app.ui.flow import FlowLayout
from clerk_app.ui.keys import Key
from clerk_app.ui.long_number import LongNumber
from clerk_app.ui.pieces import KeyButton, column, label, on_click
from clerk_app.ui.row_painter import RowPainter
from clerk_app.ui.rows import ROW, RowsModel, SteadyList
from clerk_app.ui.words import tr


class CasesPanel(QWidget):
    """Signals: reprint(case id), void(case id)."""

    reprint = Signal(str)
    void = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.model = RowsModel[CaseRow](lambda case: case.id, words, self)
        self._list = SteadyList(self.model, _CaseLine())
        self._list.setUniformItemSizes(True)
        self._list.selectionModel().currentChanged.connect(lambda *_: self._tell_acts())
        self._empty = label(role="muted", wrap=True)
        self._why = label(role="faint", wrap=True)
        self._official_label = label(role="faint")
        self._official = LongNumber()
        self._reprint, self._void = KeyButton(), KeyButton("danger")
        on_click(self._reprint, lambda: self._emit(self.reprint))
        on_click(self._void, lambda: self._emit(self.void))
        body = column(self, gap=8)
        body.addWidget(self._empty)
        body.addWidget(self._list, 1)
        body.addStretch(0)
        told = column(gap=2)
        for part in (self._official_label, self._official, self._why):
            told.addWidget(part)
        body.addLayout(told)
        self._acts = QWidget()
        flow = FlowLayout(self._acts)
        flow.addWidget(self._reprint)
        flow.addWidget(self._void)
        body.addWidget(self._acts)

    def show_cases(self, cases: tuple[CaseRow, ...]) -> None:
        known = {case.id for case in self.model.rows}
        self._list.update_rows(cases)
        if cases and cases[0].id not in known:
            # What is told below the list is of the newest case, not of somebody who has left.
            self.choose(cases[0].id)
        self.retranslate()

    @property
    def chosen(self) -> CaseRow | None:
        """The case the list stands on, if any."""
        case = self._list.currentIndex().data(ROW)
        return case if isinstance(case, CaseRow) else None

    def choose(self, case_id: str) -> None:
        for place, case in enumerate(self.model.rows):
            if case.id == case_id:
                index = self.model.index(place)
                self._list.selectionModel().setCurrentIndex(
                    index, QItemSelectionModel.SelectionFlag.ClearAndSelect
                )

    def focus_first(self) -> None:
        self._list.setFocus()
        if self.chosen is None and self.model.rows:
            self._list.setCurrentIndex(self.model.index(0))

    def _emit(self, signal: object) -> None:
        if (case := self.chosen) is not None:
            signal.emit(case.id)  # type: ignore[attr-defined]

    def retranslate(self) -> None:
        self._list.setAccessibleName(tr("cases.title"))
        self._empty.setText(tr("cases.empty"))
        self._empty.setVisible(not self.model.rows)
        self._list.setVisible(bool(self.model.rows))
        self.model.say_again()
        self._tell_acts()

    def _tell_acts(self) -> None:
        case = self.chosen
        self._acts.setVisible(case is not None and (case.reprint.open or case.void.open))
        reasons: list[str] = []
        if case is not None:
            self._reprint.tell(tr("cases.reprint"), Key.REPRINT)
            self._reprint.setVisible(case.reprint.open)
            self._void.tell(tr("cases.void"), Key.VOID)
            self._void.setVisible(case.void.open)
            reasons += [tr(gate.reason) for gate in (case.reprint, case.void) if gate.reason]
        official = case.official_number if case else None
        self._official_label.setText(tr("cases.official"))
        self._official.setAccessibleName(tr("cases.official"))
        self._official.tell(official or "")
        self._official_label.setVisible(bool(official))
        self._official.setVisible(bool(official))
        self._why.setText("\n".join(reasons))
        self._why.setVisible(bool(reasons))


def words(case: CaseRow) -> str:
    """A case in one breath, for the screen reader and the tooltip."""
    told = [case_words.legal(case), case_words.sync(case), case_words.paper(case)]
    states = " · ".join(chip[1] for chip in told if chip)
    return f"{case.number} {case.item} {case.applicant} {case.received_at:%H:%M} {states}"


class _CaseLine(RowPainter[CaseRow]):
    """Number and legal state; item; person, time and who knows of it."""

    def height(self, row: CaseRow) -> int:
        return 80

    def draw(self, painter: QPainter, room: QRect, row: CaseRow, base: QFont) -> None:
        look = theme.current()
        third = room.height() // 3
        top = QRect(room.left(), room.top(), room.width(), third)
        middle, low = top.translated(0, third), top.translated(0, 2 * third)
        painter.setFont(painting.font(base, 13))
        _, state, tone = case_words.legal(row)
        taken = painting.write(painter, top, state, tone or "muted", painting.RIGHT)
        painter.setFont(painting.font(base, 14, bold=True))
        painting.write(painter, top.adjusted(0, 0, -taken - look.px(8), 0), row.number, "text")
        painter.setFont(painting.font(base, 14))
        painting.write(painter, middle, row.item, "text")
        painter.setFont(painting.font(base, 13))
        icon, state, tone = _urgent(row)
        taken = painting.write(painter, low, state, tone or "muted", painting.RIGHT)
        side = look.px(14)
        painting.icon(
            painter, low.adjusted(low.width() - taken - side - look.px(4), 0, 0, 0), icon, tone or "muted", 14
        )
        low.setRight(low.right() - taken - side - look.px(10))
        painting.write(painter, low, f"{row.applicant} · {row.received_at:%H:%M}", "muted")


def _urgent(case: CaseRow) -> case_words.Told:
    """The paper when it needs a person, else who knows of the case."""
    paper = case_words.paper(case)
    return paper if paper and paper[2] in ("bad", "warn") else case_words.sync(case)
