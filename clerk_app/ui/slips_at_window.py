"""What the sheet of slips does: read what there is, draw the chosen one, print it, ask about its paper."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from clerk_app.desk import slips
from clerk_app.desk.context import Desk
from clerk_app.desk.ports import Preview, PrintState
from clerk_app.desk.printing import NO_GLYPH
from clerk_app.desk.slips import Proposed
from clerk_app.desk.views import CaseRow, PaperView
from clerk_app.ui.async_action import Actions
from clerk_app.ui.banner import Answer, Message

if TYPE_CHECKING:
    from clerk_app.ui.counter import Counter

Act = Callable[[], Coroutine[Any, Any, None]]


class SlipsAtWindow:
    """Ties the sheet to the desk. A picture that a newer choice has overtaken is dropped."""

    def __init__(self, counter: Counter, actions: Actions) -> None:
        self._counter = counter
        self._do = actions
        self._sheet = counter.slips
        self._case: CaseRow | None = None
        self._latest = 0
        self._asked: PaperView | None = None
        self._sheet.chosen.connect(lambda _view: self._draw())
        self._sheet.wanted.connect(self._print)
        for changed in (counter.shown.cases_changed, counter.shown.status_changed):
            changed.connect(self._again)

    def open(self, case: CaseRow | None) -> None:
        """Show what can be printed: of `case`, and of the window."""
        self._case = case
        self._sheet.forget()
        self._sheet.close_at(self._do.desk.clock.now().date())
        self._sheet.banner.withdraw()
        self._asked = None
        self._do.look(self._opened(), self._sheet.banner)

    async def _opened(self) -> None:
        await self._read()
        self._sheet.show_up()

    def _again(self) -> None:
        if self._sheet.isVisible():
            self._do.look(self._read(), self._sheet.banner)

    async def _read(self) -> None:
        case = self._case
        papers = await self._do.at_desk(slips.papers, case.id if case else None)
        if case is self._case:
            self._sheet.show_papers(papers, case)
            self._ask()

    def _draw(self) -> None:
        self._ask()
        self._do.look(self._drawn(), self._sheet.banner)

    async def _drawn(self) -> None:
        self._latest += 1
        mine, view = self._latest, self._sheet.current
        if view is None:
            return
        operator = self._counter.shown.operator.staff_no
        day = self._sheet.day
        proposed = await self._do.at_desk(slips.propose, view.paper, view.case_id, operator, day)
        preview = await self._do.printer(_preview, proposed, lambda: mine == self._latest)
        if mine == self._latest and not self._sheet.isHidden():
            self._sheet.show_preview(preview)

    def _print(self, view: PaperView) -> None:
        self._do.start(self._printed(view), self._sheet.banner, "print_slip")

    async def _printed(self, view: PaperView) -> None:
        operator = self._counter.shown.operator.staff_no
        await self._do.at_desk(slips.issue, view.paper, view.case_id, operator, self._sheet.day)
        await self._counter.acts.print_queued()
        await self._read()
        await self._drawn()

    # --- paper in doubt ----------------------------------------------------------------------------------

    def _ask(self) -> None:
        """What the last paper of the chosen kind needs of the clerk, while it needs something."""
        view = self._sheet.current
        doubtful = view is not None and view.state in (PrintState.FAILED, PrintState.UNKNOWN)
        wanted = view if doubtful else None
        if wanted == self._asked:
            return
        self._asked = wanted
        if wanted is None:
            self._sheet.banner.withdraw()
        else:
            self._sheet.banner.tell(self._question(wanted))

    def _question(self, view: PaperView) -> Message:
        acts, job = self._counter.acts, view.job or ""
        if view.state is PrintState.UNKNOWN:
            yes = self._answer("paper.yes", lambda: acts.answer_print(job, True), primary=True)
            no = self._answer("paper.no", lambda: acts.answer_print(job, False))
            return Message("warn", "slips.question", answers=(yes, no), closable=False)
        again = self._answer("paper.again", lambda: acts.retry_print(job), primary=view.code != NO_GLYPH)
        answers: tuple[Answer, ...] = (again,)
        if view.code == NO_GLYPH:
            spelled = self._answer("paper.spell_out", lambda: acts.spell_out(job), primary=True)
            answers = (spelled, again)
        return Message("bad", "slips.failed", failure=view.code, answers=answers, closable=False)

    def _answer(self, words: str, act: Act, *, primary: bool = False) -> Answer:
        async def settled() -> None:
            await act()
            await self._read()

        return Answer(words, lambda: self._do.start(settled(), self._sheet.banner, "print"), primary=primary)


def _preview(desk: Desk, proposed: Proposed, wanted: Callable[[], bool]) -> Preview | None:
    """Slips wait for the same lane: a picture that nobody wants any more is not drawn."""
    return desk.printer.preview(proposed.slip, reprint=proposed.reprint) if wanted() else None
