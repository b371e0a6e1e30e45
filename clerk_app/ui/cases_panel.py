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
from clerk_app.ui.pieces import FittingScroll, KeyButton, TickBox, column, label, on_click
from clerk_app.ui.row_painter import RowPainter
from clerk_app.ui.rows import ROW, RowsModel, SteadyList
from clerk_app.ui.words import tr


class CasesPanel(QWidget):
    """Signals: accept(case id), reprint(case id), void(case id)."""

    accept = Signal(str)
    reprint = Signal(str)
    void = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.model = RowsModel[CaseRow](lambda case: case.id, words, self)
        self._list = SteadyList(self.model, _CaseLine())
        self._list.setUniformItemSizes(True)
        self._list.selectionModel().currentChanged.connect(lambda *_: self._tell_acts())
        self._cases: tuple[CaseRow, ...] = ()
        self._awaiting = TickBox()
        self._awaiting.toggled.connect(lambda _on: self._show())
        self._empty = label(role="muted", wrap=True)
        self._why = label(role="faint", wrap=True)
        self._official_label = label(role="faint")
        self._official = LongNumber()
        self._accept, self._reprint, self._void = KeyButton("primary"), KeyButton(), KeyButton("danger")
        on_click(self._accept, lambda: self._emit(self.accept))
        on_click(self._reprint, lambda: self._emit(self.reprint))
        on_click(self._void, lambda: self._emit(self.void))
        body = column(self, gap=8)
        body.addWidget(self._awaiting)
        body.addWidget(self._empty)
        body.addWidget(self._list, 1)
        body.addStretch(0)
        place = QWidget()
        told = column(place, gap=2)
        for part in (self._official_label, self._official, self._why):
            told.addWidget(part)
        body.addWidget(FittingScroll(place, least=40))
        self._acts = QWidget()
        flow = FlowLayout(self._acts)
        flow.addWidget(self._accept)
        flow.addWidget(self._reprint)
        flow.addWidget(self._void)
        body.addWidget(self._acts)

    def show_cases(self, cases: tuple[CaseRow, ...]) -> None:
        known = {case.id for case in self._cases}
        self._cases = cases
        self._show()
        if cases and cases[0].id not in known:
            # What is told below the list is of the newest case, not of somebody who has left.
            self.choose(cases[0].id)

    def show_awaiting(self) -> None:
        """Only those that wait to be accepted."""
        self._awaiting.setChecked(True)

    def _show(self) -> None:
        waiting = [case for case in self._cases if case.accept_by is not None]
        if not waiting:
            self._awaiting.setChecked(False)
        self._list.update_rows(waiting if self._awaiting.isChecked() else self._cases)
        self.retranslate()

    @property
    def chosen(self) -> CaseRow | None:
        """The case the list stands on, if any."""
        case = self._list.currentIndex().data(ROW)
        return case if isinstance(case, CaseRow) else None

    def choose(self, case_id: str) -> None:
        """Stand on this case; the list shows all of them when it is not among those on show."""
        if case_id not in {case.id for case in self.model.rows}:
            self._awaiting.setChecked(False)
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
        waiting = sum(case.accept_by is not None for case in self._cases)
        self._awaiting.setText(tr("cases.awaiting", count=waiting))
        self._awaiting.setVisible(bool(waiting))
        self._list.setAccessibleName(tr("cases.title"))
        self._empty.setText(tr("cases.empty"))
        self._empty.setVisible(not self.model.rows)
        self._list.setVisible(bool(self.model.rows))
        self.model.say_again()
        self._tell_acts()

    def _tell_acts(self) -> None:
        case = self.chosen
        self._acts.setVisible(case is not None and (case.accept.open or case.reprint.open or case.void.open))
        reasons: list[str] = []
        if case is not None:
            self._accept.tell(tr("cases.accept"), Key.ACCEPT)
            self._accept.setVisible(case.accept.open)
            reasons += [told for told in (case_words.refusal(case), case_words.limit(case)) if told]
            if waits := case_words.until(case):
                reasons.append(waits[1])
            if case.accept.reason:
                reasons.append(tr("cases.not_yet", reason=tr(case.accept.reason)))
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
    told = [case_words.legal(case), case_words.until(case), case_words.sync(case), case_words.paper(case)]
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
        waits = case_words.until(row)
        when = f"{row.received_at:%H:%M}" if waits is None else waits[1]
        ink = (waits[2] if waits else "") or "muted"
        painting.write(painter, low, f"{row.applicant} · {when}", ink)


def _urgent(case: CaseRow) -> case_words.Told:
    """The paper when it needs a person, else who knows of the case."""
    paper = case_words.paper(case)
    return paper if paper and paper[2] in ("bad", "warn") else case_words.sync(case)
