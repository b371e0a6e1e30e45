"""What a card on the reader means: the applicant, the agent, the same person again, or somebody else."""

from __future__ import annotations

from clerk_app.desk.ports import CardFailed
from clerk_app.desk.views import DraftView, PersonView, VisitView
from clerk_app.domain import masking
from clerk_app.domain.applicant import CardRecord
from clerk_app.failures import Failure
from clerk_app.ui.acts import Acts
from clerk_app.ui.announce import announce
from clerk_app.ui.async_action import Actions
from clerk_app.ui.banner import Answer, Message
from clerk_app.ui.steps_panel import StepsPanel
from clerk_app.ui.words import tr


class CardAtWindow:
    """Decides what a read card does. A second person's card never replaces the first without a word."""

    def __init__(self, steps: StepsPanel, acts: Acts, actions: Actions) -> None:
        self._steps = steps
        self._acts = acts
        self._actions = actions

    def read(self, record: CardRecord, visit: VisitView | None, draft: DraftView | None) -> None:
        banner = self._steps.applicant.banner
        if visit is None:
            self._steps.banner.tell(Message("warn", "card.no_visit", seconds=12))
            return
        if draft is None:
            self._steps.banner.tell(Message("primary", "card.no_draft", seconds=12))
            return
        role = self._steps.applicant.awaits
        here = draft.applicant
        if here is not None and role == "party" and here.party is not None:
            if _same(here.party, record) or (here.agent is not None and _same(here.agent, record)):
                banner.tell(Message("ok", "card.same", seconds=6))
            else:
                self._ask(record)
            return
        self._take(record, role)

    def failed(self, event: CardFailed) -> None:
        """A card that could not be read: why, and what to do with it."""
        self._steps.applicant.banner.tell_failure(Failure(event.code, event.detail))
        if self._steps.open_number:
            self._steps.open_step(1, focus=False)

    def _take(self, record: CardRecord, role: str) -> None:
        banner = self._steps.applicant.banner
        banner.withdraw()
        announce(self._steps, tr("card.read", name=record.name))
        self._actions.start(self._acts.card(record, role), banner, "card")

    def _ask(self, record: CardRecord) -> None:
        answers = (
            Answer("card.as_agent", lambda: self._take(record, "agent"), primary=True),
            Answer("card.replace", lambda: self._take(record, "party")),
        )
        message = Message("warn", "card.other", {"name": record.name}, answers=answers)
        self._steps.applicant.banner.tell(message)


def _same(person: PersonView, record: CardRecord) -> bool:
    return person.name == record.name and person.number == masking.number(record.number)
