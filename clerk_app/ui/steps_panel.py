"""The middle of the window: six steps on one page, or what stands there when no case is in hand."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QScrollArea, QStackedWidget, QWidget

from clerk_app.desk.views import DraftRow, DraftView, QueueView, VisitView
from clerk_app.ui import theme
from clerk_app.ui.banner import BannerSlot
from clerk_app.ui.filed_page import FiledPage
from clerk_app.ui.pieces import column
from clerk_app.ui.ready_page import ReadyPage
from clerk_app.ui.steps.applicant_step import ApplicantStep
from clerk_app.ui.steps.check_step import CheckStep
from clerk_app.ui.steps.form_step import FormStep
from clerk_app.ui.steps.item_step import ItemStep
from clerk_app.ui.steps.material_step import MaterialStep
from clerk_app.ui.steps.progress import next_step, progress
from clerk_app.ui.steps.situation_step import SituationStep
from clerk_app.ui.steps.step_card import StepCard

_LOW = 520
"""Below this height (at 100 %) the lines of the steps are thin."""


class StepsPanel(QWidget):
    """Signals: opened(step)."""

    opened = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._draft: DraftView | None = None
        self._visit = ""
        self._open = 0
        self.banner, self.paper, self.left = BannerSlot(), BannerSlot(), BannerSlot()
        self.clock = BannerSlot()
        self.applicant, self.item, self.situation = ApplicantStep(), ItemStep(), SituationStep()
        self.form, self.material, self.check = FormStep(), MaterialStep(), CheckStep()
        self.ready, self.filed = ReadyPage(), FiledPage()
        self._steps: tuple[StepCard, ...] = (
            self.applicant,
            self.item,
            self.situation,
            self.form,
            self.material,
            self.check,
        )
        self._pages = QStackedWidget()
        for page in (self.ready, self._page_of_steps(), self.filed):
            self._pages.addWidget(page)
        body = column(self, gap=8)
        for slot in (self.clock, self.banner, self.paper, self.left):
            body.addWidget(slot)
        body.addWidget(self._pages, 1)
        for step in self._steps:
            step.asked.connect(lambda number=step.number: self.toggle(number))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._thin_out()

    def _thin_out(self) -> None:
        thin = self.height() < theme.current().px(_LOW)
        self._lines.setSpacing(3 if thin else 8)
        for step in self._steps:
            step.set_thin(thin)

    def _page_of_steps(self) -> QScrollArea:
        inside = QWidget()
        inside.setObjectName("inside")
        self._lines = lines = column(inside, gap=8)
        for step in self._steps:
            lines.addWidget(step)
        lines.addStretch(0)
        page = QScrollArea()
        page.setWidgetResizable(True)
        page.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        page.setWidget(inside)
        return page

    # --- what is shown -------------------------------------------------------------------------------

    def show_work(self, visit: VisitView | None, draft: DraftView | None) -> None:
        """The six steps of `draft`; the filed cases of the visit; or the page between two visits."""
        fresh = (self._draft.id if self._draft else None) != (draft.id if draft else None)
        was_unwritten = self._draft is not None and not self._draft.id
        self._draft = draft
        self._end_visit(visit.id if visit is not None else "")
        self._pages.setCurrentIndex(0 if visit is None else 2 if draft is None else 1)
        self.filed.show_cases(visit.cases if visit else ())
        if draft is None:
            self._open = 0
            return
        self._show_draft(draft)
        if self._open == 0 or (fresh and not was_unwritten):
            self.open_step(next_step(draft), focus=False)

    def _end_visit(self, now: str) -> None:
        """What was said, asked and half typed of a citizen goes with the visit, before the next one comes."""
        if self._visit not in ("", now):
            for step in self._steps:
                step.banner.withdraw()
            self.applicant.forget()
        self._visit = now

    def show_between(self, queue: QueueView | None, left: tuple[DraftRow, ...]) -> None:
        self.ready.show_queue(queue, left)

    def _show_draft(self, draft: DraftView) -> None:
        has_item = draft.item is not None
        self.applicant.show_applicant(draft.applicant)
        self.item.show_item(draft.item, draft.same_open)
        self.situation.show_situations(draft.situations, has_item=has_item)
        self.form.show_fields(draft.fields, has_item=has_item)
        self.material.show_materials(draft.materials, has_item=has_item)
        self.check.show_checks(draft.checks, draft.same_open)
        for step, state in zip(self._steps, progress(draft), strict=True):
            step.set_progress(state)

    # --- which step is open --------------------------------------------------------------------------

    @property
    def open_number(self) -> int:
        """The open step, 1 to 6; 0 when none is."""
        return self._open

    def open_step(self, number: int, *, focus: bool = True) -> None:
        """Open one step and fold the others."""
        if self._draft is None:
            return
        self._open = number
        for step in self._steps:
            step.set_left_behind(number == 0 or step.number < number)
            if step.is_open != (step.number == number):
                step.set_open(step.number == number)
        if focus and number:
            self._steps[number - 1].focus_first()
        self.opened.emit(number)

    def toggle(self, number: int) -> None:
        self.open_step(0 if self._open == number else number, focus=self._open != number)

    def advance(self, done: int) -> None:
        """Step `done` was finished: go where the work goes on."""
        if self._draft is not None:
            self.open_step(next_step(self._draft, done))

    def go_to(self, number: int) -> None:
        """Lead to the step that must be mended and show what is wrong in it."""
        self.open_step(number, focus=False)
        self._steps[number - 1].focus_problem()

    @property
    def slots(self) -> tuple[BannerSlot, ...]:
        """Where messages can stand here, from the top."""
        return self.banner, self.paper, self.left, *(step.banner for step in self._steps)

    def retranslate(self) -> None:
        self._thin_out()
        for slot in (self.clock, self.banner, self.paper, self.left):
            slot.retranslate()
        self.ready.retranslate()
        self.filed.retranslate()
        for step in self._steps:
            step.retranslate()
