"""What the counter says by itself: offline and since when, paper in doubt, drafts left aside, undo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clerk_app.desk.ports import LinkState, PrintState
from clerk_app.desk.printing import NO_GLYPH
from clerk_app.desk.views import CaseRow, DraftRow, Gate
from clerk_app.domain.case import Draft
from clerk_app.ui import case_words
from clerk_app.ui.announce import announce
from clerk_app.ui.banner import Answer, Message
from clerk_app.ui.keys import Key
from clerk_app.ui.moments import moment
from clerk_app.ui.ready_page import told
from clerk_app.ui.words import tr

if TYPE_CHECKING:
    from clerk_app.ui.counter import Counter

_UNDO_SECONDS = 12
TOLD = frozenset(
    {"SYNC-FENCED", "SYNC-REVOKED", "SYNC-OFFICE-OLD", "SYNC-RIGHTS", "SYNC-TLS", "SYNC-NOT-OFFICE"}
)
"""Why nothing is sent, where waiting for the network does not mend it: the clerk is told what does."""


class CounterNotices:
    """Keeps the counter's messages in step with what the store says."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._paper: tuple[str, str] | None = None
        self._left: str | None = None
        self._bands: list[Message] = []
        shown, acts = counter.shown, counter.acts
        shown.status_changed.connect(self._tell_link)
        shown.cases_changed.connect(self._tell_paper)
        shown.visit_changed.connect(self._tell_left)
        shown.draft_changed.connect(self._tell_left)
        acts.called.connect(self._called)
        acts.nobody.connect(self._nobody)
        acts.undoable.connect(self._undoable)
        acts.filed.connect(self._filed)

    def closed(self, gate: Gate) -> None:
        """An act whose gate is closed: lead to the step and say why."""
        counter = self._counter
        if gate.step:
            counter.steps.go_to(gate.step)
        else:
            counter.steps.banner.tell(Message("warn", gate.reason, seconds=10))
        announce(counter.bar, tr(gate.reason), urgent=True)

    def _tell_link(self) -> None:
        counter, status = self._counter, self._counter.shown.status
        if status is None:
            return
        offline = status.link.state is LinkState.OFFLINE
        told = status.link.code in TOLD
        if not offline and not told:
            if counter.band.message is not None and counter.band.message in self._bands:
                counter.band.withdraw()
            self._bands.clear()
            return
        since = moment(status.link.since, status.today) if status.link.since else "–"
        values: dict[str, object] = {"since": since, "count": status.unsent, "key": Key.OUTBOX}
        if told:
            message = Message("bad", failure=status.link.code, closable=False)
        else:
            message = Message("warn", "offline.band", values, closable=False)
        if counter.band.message != message:
            self._bands.append(message)
            counter.band.tell(message)

    def _tell_paper(self) -> None:
        counter = self._counter
        case = counter.shown.paper_in_doubt
        state = (case.id, f"{case.print_job}{case.print_state}") if case else None
        if state == self._paper:
            return
        self._paper = state
        if case is None:
            counter.steps.paper.withdraw()
        else:
            counter.steps.paper.tell(self._paper_message(case))

    def _paper_message(self, case: CaseRow) -> Message:
        acts, start, place = self._counter.acts, self._counter.start, self._counter.steps.paper
        job = case.print_job or ""
        if case.print_state is PrintState.FAILED:
            of_the_slip = case.print_code == NO_GLYPH  # another try ends the same way
            again = Answer(
                "paper.again", lambda: start(acts.retry_print(job), place, "print"), primary=not of_the_slip
            )
            answers: tuple[Answer, ...] = (again,)
            if of_the_slip:
                spelled = Answer(
                    "paper.spell_out", lambda: start(acts.spell_out(job), place, "print"), primary=True
                )
                answers = (spelled, again)
            return Message(
                "bad",
                "paper.failed_case",
                {"number": case.number},
                failure=case.print_code,
                answers=answers,
                closable=False,
            )
        yes = Answer("paper.yes", lambda: start(acts.answer_print(job, True), place, "print"), primary=True)
        no = Answer("paper.no", lambda: start(acts.answer_print(job, False), place, "print"))
        return Message("warn", "paper.question", {"number": case.number}, answers=(yes, no), closable=False)

    def _tell_left(self) -> None:
        """Offer a draft that was left aside, while nothing is in hand."""
        counter, shown = self._counter, self._counter.shown
        idle = shown.visit is not None and (shown.draft is None or shown.draft.applicant is None)
        row = shown.left[0] if shown.left and idle else None
        if row is None:
            self._left = None
            counter.steps.left.withdraw()
        elif row.id != self._left:
            self._left = row.id
            counter.steps.left.tell(self._left_message(row))

    def _left_message(self, row: DraftRow) -> Message:
        acts, start, place = self._counter.acts, self._counter.start, self._counter.steps.left
        resume = Answer("draft.resume", lambda: start(acts.resume(row.id), place, "resume"), primary=True)
        discard = Answer("draft.discard", lambda: start(acts.drop_left(row.id), self._counter.steps.banner))
        values: dict[str, object] = {"what": told(row), "time": f"{row.updated_at:%m-%d %H:%M}"}
        return Message("primary", "draft.left", values, answers=(resume, discard))

    def _called(self, ticket: str) -> None:
        self._counter.ticket.banner.withdraw()
        self._counter.steps.banner.withdraw()
        self._counter.steps.open_step(1)
        announce(self._counter.ticket, tr("call.called", ticket=ticket), urgent=True)

    def _nobody(self) -> None:
        self._counter.ticket.banner.tell(Message("primary", "call.nobody", seconds=8))

    def _undoable(self, words: str, before: Draft) -> None:
        acts, start, place = self._counter.acts, self._counter.start, self._counter.steps.banner

        def undo() -> None:
            place.withdraw()
            start(acts.undo(before), place, "undo")

        answer = Answer("undo.undo", undo, primary=True)
        place.tell(Message("primary", words, answers=(answer,), seconds=_UNDO_SECONDS))

    def _filed(self) -> None:
        """The newest case of the visit is the one just filed."""
        counter, visit = self._counter, self._counter.shown.visit
        counter.steps.banner.withdraw()
        if visit is not None and visit.cases:
            counter.steps.filed.focus_first()
            announce(counter.steps, case_words.spoken(visit.cases[-1]), urgent=True)
