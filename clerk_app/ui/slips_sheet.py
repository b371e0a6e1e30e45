"""Slips that can be asked for, each with a picture of its paper before it is printed."""

from __future__ import annotations

from datetime import date

from PySide6.QtCore import (
    QByteArray,
    QDate,
    QEvent,
    QItemSelectionModel,
    QObject,
    QRect,
    QSignalBlocker,
    Qt,
    Signal,
)
from PySide6.QtGui import QFont, QPainter, QPixmap
from PySide6.QtWidgets import (
    QApplication,
    QDateEdit,
    QLabel,
    QScrollArea,
    QWidget,
)

from clerk_app.desk import spelling
from clerk_app.desk.ports import Preview
from clerk_app.desk.views import CaseRow, Paper, PaperView
from clerk_app.ui import case_words, painting, theme
from clerk_app.ui.banner import BannerSlot
from clerk_app.ui.keys import Key
from clerk_app.ui.pieces import ElidedLabel, KeyButton, column, label, on_click, row
from clerk_app.ui.row_painter import RowPainter
from clerk_app.ui.rows import ROW, RowsModel, SteadyList
from clerk_app.ui.side_sheet import SideSheet
from clerk_app.ui.words import tr

_ICONS = {
    Paper.RECEIPT: "paper",
    Paper.MATERIAL_LIST: "case",
    Paper.PICK_UP: "ticket",
    Paper.SHIFT: "clock",
    Paper.CLOSING: "done",
    Paper.TEST: "print",
}


class SlipsSheet(SideSheet):
    """Signals: chosen(paper to be shown), wanted(paper to be printed)."""

    chosen = Signal(object)
    wanted = Signal(object)

    def __init__(self, over: QWidget) -> None:
        super().__init__(over, "slips.title", 900)
        self._case: CaseRow | None = None
        self._preview: Preview | None = None
        self._before: QWidget | None = None
        self._of = ElidedLabel(role="muted")
        self.banner = BannerSlot()
        self.model = RowsModel[PaperView](lambda view: view.paper, words, self)
        self._list = SteadyList(self.model, _PaperLine())
        self._list.setUniformItemSizes(True)
        self._list.activated.connect(lambda _index: self.print())
        self._list.selectionModel().currentChanged.connect(lambda *_: self._choose())
        self._day_label, self._day = label(role="label"), QDateEdit()
        self._day.setDisplayFormat("yyyy-MM-dd")
        self._day.setButtonSymbols(QDateEdit.ButtonSymbols.NoButtons)  # Up and Down change it
        self._day.dateChanged.connect(lambda _day: self._choose())
        self._why = label(role="muted", wrap=True)
        self._print = KeyButton("primary", wide=True)
        on_click(self._print, self.print)
        self._problem = label(role="problem", wrap=True)
        self._picture = _Picture()
        self.body.addWidget(self._of)
        self.body.addWidget(self.banner)
        sides = row(gap=16)
        self._left = QWidget()
        left = column(self._left, gap=10)
        left.addWidget(self._list, 1)
        left.addWidget(self._day_label)
        left.addWidget(self._day)
        left.addWidget(self._why)
        left.addWidget(self._print)
        right = column(gap=8)
        right.addWidget(self._problem)
        right.addWidget(self._picture, 1)
        sides.addWidget(self._left)
        sides.addLayout(right, 1)
        self.body.addLayout(sides, 1)

    @property
    def current(self) -> PaperView | None:
        """The paper that is chosen."""
        view = self._list.currentIndex().data(ROW)
        return view if isinstance(view, PaperView) else None

    @property
    def day(self) -> date:
        """The day a closing sheet is of."""
        chosen = self._day.date()
        return date(chosen.year(), chosen.month(), chosen.day())

    def close_at(self, today: date) -> None:
        """A closing sheet is of `today` until another day before it is chosen."""
        with QSignalBlocker(self._day):
            self._day.setMaximumDate(QDate(today.year, today.month, today.day))
            self._day.setDate(self._day.maximumDate())

    @property
    def preview(self) -> Preview | None:
        """The paper on show; None while it is drawn."""
        return self._preview

    def show_papers(self, papers: tuple[PaperView, ...], case: CaseRow | None) -> None:
        """What can be asked for now; the choice stays where it was."""
        self._case = case
        self._list.update_rows(papers)
        if self.current is None and papers:
            index = self.model.index(0)
            self._list.selectionModel().setCurrentIndex(
                index, QItemSelectionModel.SelectionFlag.ClearAndSelect
            )
        self.retranslate()

    def forget(self) -> None:
        """Nothing is chosen and nothing shown: what was may be of somebody else."""
        self._list.selectionModel().clear()
        self._list.update_rows(())
        self.show_preview(None)

    def show_preview(self, preview: Preview | None) -> None:
        """The paper of the chosen slip; None while it is drawn, or when it cannot be."""
        self._preview = preview
        self._picture.show_png(preview.png if preview else b"")
        self._picture.setAccessibleDescription(preview.text if preview else "")
        self._tell_preview()

    def show_up(self) -> None:
        if self.isHidden():
            self._before = QApplication.focusWidget()
        super().show_up()
        self._list.setFocus()

    def put_away(self) -> bool:
        """Close the sheet; the hand is where it was before."""
        was_open = super().put_away()
        self.forget()  # a paper with a name on it
        before, self._before = self._before, None
        if was_open and before is not None and before.isVisible():
            before.setFocus()
        return was_open

    def print(self) -> None:
        """Print the chosen slip, if it may be printed now."""
        view = self.current
        if view is not None and view.gate.open:
            self.wanted.emit(view)

    def _choose(self) -> None:
        self._tell_choice()
        if (view := self.current) is not None:
            self.show_preview(None)
            self.chosen.emit(view)

    def retranslate(self) -> None:
        super().retranslate()
        self._left.setFixedWidth(theme.current().px(310))
        case = self._case
        told = tr("slips.of", number=case.number, item=case.item, applicant=case.applicant) if case else ""
        self._of.set_whole(told or tr("slips.no_case"))
        self._list.setAccessibleName(tr("slips.title"))
        self._picture.setAccessibleName(tr("slips.picture"))
        self.model.say_again()
        self.banner.retranslate()
        self._tell_choice()
        self._tell_preview()

    def _tell_choice(self) -> None:
        view = self.current
        self._print.tell(tr("slips.print"), Key.REPRINT, "print", "on")
        self._print.setVisible(view is not None and view.gate.open)
        closing = view is not None and view.paper is Paper.CLOSING
        self._day_label.setText(tr("slips.day"))
        self._day.setAccessibleName(tr("slips.day"))
        self._day_label.setVisible(closing)
        self._day.setVisible(closing)
        self._why.setText(tr(view.gate.reason) if view and view.gate.reason else "")
        self._why.setVisible(bool(self._why.text()))

    def _tell_preview(self) -> None:
        preview = self._preview
        told = []
        if preview is not None and preview.problem:
            told.append(tr("slips.problem", problem=preview.problem))
        if preview is not None and preview.missing:
            told.append(tr("slips.lacking", characters=spelling.named(preview.missing)))
        self._problem.setText("\n".join(told))
        self._problem.setVisible(bool(told))
        self._picture.say("" if preview else tr("slips.drawing"))


def words(view: PaperView) -> str:
    """A slip in one breath, for the screen reader and the tooltip."""
    return f"{tr(f'slips.{view.paper.value}')} · {_last(view)}"


def _last(view: PaperView) -> str:
    if view.state is None or view.at is None:
        return tr("slips.never")
    return f"{view.at:%m-%d %H:%M}  {tr(f'paper.{view.state.value}')}"


class _Picture(QScrollArea):
    """The paper, as wide as there is room for and never blown up; the rest of it by scrolling."""

    def __init__(self) -> None:
        super().__init__()
        self._whole = QPixmap()
        self._shown = QLabel()
        self._shown.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self._shown.setObjectName("inside")
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)  # or the width would jump
        self.setWidget(self._shown)
        self.viewport().installEventFilter(self)

    def show_png(self, png: bytes) -> None:
        self._whole = QPixmap()
        if png:
            self._whole.loadFromData(QByteArray(png))
        self.verticalScrollBar().setValue(0)
        self._fit()

    def say(self, text: str) -> None:
        """Words in place of the picture."""
        if self._whole.isNull():
            self._shown.setText(text)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.viewport() and event.type() == QEvent.Type.Resize:
            self._fit()
        return bool(super().eventFilter(watched, event))

    def _fit(self) -> None:
        if self._whole.isNull():
            self._shown.clear()
            return
        ratio = self.devicePixelRatioF()
        width = min(round((self.viewport().width() - 16) * ratio), self._whole.width())
        fitted = self._whole.scaledToWidth(max(width, 1), Qt.TransformationMode.SmoothTransformation)
        fitted.setDevicePixelRatio(ratio)
        self._shown.setPixmap(fitted)


class _PaperLine(RowPainter[PaperView]):
    """Name; below, what became of the last one."""

    def height(self, row: PaperView) -> int:
        return 62

    def draw(self, painter: QPainter, room: QRect, row: PaperView, base: QFont) -> None:
        look = theme.current()
        half = room.height() // 2
        top = QRect(room.left(), room.top(), room.width(), half)
        painting.icon(painter, top, _ICONS[row.paper], "primary" if row.gate.open else "muted")
        painter.setFont(painting.font(base, 15, bold=True))
        beside = top.adjusted(look.px(26), 0, 0, 0)
        painting.write(painter, beside, tr(f"slips.{row.paper.value}"), "text")
        painter.setFont(painting.font(base, 13))
        ink = (case_words.PAPER[row.state][1] or "muted") if row.state else "muted"
        painting.write(painter, beside.translated(0, half), _last(row), ink)
