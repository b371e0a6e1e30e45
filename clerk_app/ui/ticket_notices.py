"""What the window says of tickets issued here: on paper, not on paper, withdrawn. One question at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clerk_app.desk.ports import PrintState
from clerk_app.desk.views import TicketPaper
from clerk_app.ui.banner import Answer, Message

if TYPE_CHECKING:
    from clerk_app.ui.counter import Counter

_DONE_SECONDS = 10


class TicketNotices:
    """Keeps the messages of the waiting panel in step with the slips of the tickets issued here."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._told: tuple[TicketPaper, ...] = ()
        counter.shown.papers_changed.connect(self._tell)
        counter.acts.series.connect(counter.waiting.issuing.offer)
        counter.acts.issued.connect(self._issued)
        counter.acts.withdrawn.connect(self._withdrawn)

    def _tell(self) -> None:
        slot = self._counter.waiting.issuing.paper
        doubtful = (PrintState.FAILED, PrintState.UNKNOWN)
        papers = tuple(paper for paper in self._counter.shown.papers if paper.state in doubtful)
        if papers == self._told:
            return
        self._told = papers
        if not papers:
            slot.withdraw()
        elif papers[0].state is PrintState.UNKNOWN:
            slot.tell(self._question(papers[0], len(papers) - 1))
        else:
            slot.tell(self._missing(papers[0], len(papers) - 1))

    def _question(self, paper: TicketPaper, others: int) -> Message:
        """Nobody knows whether it came out: the clerk looks."""
        slot = self._counter.waiting.issuing.paper
        yes = Answer("issue.yes", lambda: self._answer(paper, on_paper=True), primary=True)
        no = Answer("issue.no", lambda: slot.tell(self._missing(paper, others)))
        return Message("warn", "issue.question", {"number": paper.number}, answers=(yes, no), closable=False)

    def _missing(self, paper: TicketPaper, others: int) -> Message:
        """A number without paper: print it, or withdraw it so that nobody calls it."""
        again = Answer("issue.print", lambda: self._again(paper), primary=True)
        void = Answer("issue.void", lambda: self._void(paper))
        words = "issue.missing_more" if others else "issue.missing"
        values: dict[str, object] = {"number": paper.number} | ({"count": others} if others else {})
        return Message("bad", words, values, failure=paper.code, answers=(again, void), closable=False)

    def _answer(self, paper: TicketPaper, *, on_paper: bool) -> None:
        counter = self._counter
        act = counter.acts.answer_print(paper.job, on_paper)
        counter.start(act, counter.waiting.issuing.banner, "ticket_paper")

    def _again(self, paper: TicketPaper) -> None:
        """Part of a slip in doubt may be on paper: its successor is marked 补打. A failed one left none."""
        counter = self._counter
        if paper.state is PrintState.UNKNOWN:
            self._answer(paper, on_paper=False)
        else:
            act = counter.acts.retry_print(paper.job)
            counter.start(act, counter.waiting.issuing.banner, "ticket_paper")

    def _void(self, paper: TicketPaper) -> None:
        counter = self._counter
        act = counter.acts.void_ticket(paper.job, paper.number)
        work = counter.in_session(act, lambda: self._void(paper))
        counter.start(work, counter.waiting.issuing.banner, "ticket_paper")

    def _issued(self, number: str) -> None:
        """Said only of a number whose paper came out; what did not is a question of its own."""
        if all(paper.number != number for paper in self._counter.shown.papers):
            self._say("issue.done", number)

    def _withdrawn(self, number: str) -> None:
        self._say("issue.voided", number)

    def _say(self, words: str, number: str) -> None:
        message = Message("ok", words, {"number": number}, seconds=_DONE_SECONDS)
        self._counter.waiting.issuing.banner.tell(message)
