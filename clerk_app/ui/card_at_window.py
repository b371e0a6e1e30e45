"""What a card on the reader, or a scanned zone, means: the applicant, the agent, the same person, another."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any

from clerk_app.desk.ports import CardFailed
from clerk_app.desk.views import DraftView, PersonView, VisitView
from clerk_app.domain import masking, mrz
from clerk_app.domain.applicant import CardRecord
from clerk_app.failures import Failure
from clerk_app.ui.acts import Acts
from clerk_app.ui.announce import announce
from clerk_app.ui.async_action import Actions
from clerk_app.ui.banner import Answer, Message
from clerk_app.ui.portraits import Portraits
from clerk_app.ui.snapshots import Snapshots
from clerk_app.ui.steps_panel import StepsPanel
from clerk_app.ui.words import tr


@dataclass(frozen=True, slots=True)
class _Shown:
    """Whose document was shown, and the act that takes the person in a role."""

    name: str
    number: str
    birth: date | None
    take: Callable[[str], Coroutine[Any, Any, None]]


class CardAtWindow:
    """Decides what a document does. A second person's never replaces the first without a word.

    One is taken after the other: of two that come at once the second meets who was taken from the first.
    """

    def __init__(
        self, steps: StepsPanel, acts: Acts, shown: Snapshots, actions: Actions, portraits: Portraits
    ) -> None:
        self._steps = steps
        self._now = shown
        self._taking = False
        self._waiting: list[tuple[str, _Shown]] = []  # the visit each was shown in
        self._acts = acts
        self._actions = actions
        self._portraits = portraits

    def read(self, record: CardRecord, visit: VisitView | None, draft: DraftView | None) -> None:
        """A card was read."""
        if visit is None:
            self._steps.banner.tell(Message("warn", "card.no_visit", seconds=12))
            return
        self._portraits.offer(record)
        record = replace(record, photo=None)  # a question about the card may stand longer than its visit
        take = partial(self._acts.card, record)
        self._meet(_Shown(record.name, record.number, record.birth, take), visit, draft)

    def scanned(self, zone: str, visit: VisitView | None, draft: DraftView | None) -> None:
        """The machine-readable zone of a passport or permit was scanned."""
        if visit is None:
            self._steps.banner.tell(Message("warn", "scan.no_visit", seconds=12))
            return
        try:
            document = mrz.parse(zone, self._actions.desk.clock.now().date())
        except Failure as failure:
            self._fail(failure)
            return
        take = partial(self._acts.zone, zone)
        self._meet(_Shown(document.name, document.number, document.birth, take), visit, draft)

    def left_behind(self) -> None:
        """A card was read again that lies there since an earlier visit: it goes back, not into this one."""
        self._steps.banner.tell(Message("warn", "card.left_behind", seconds=20))

    def failed(self, event: CardFailed) -> None:
        """A card that could not be read: why, and what to do with it."""
        self._fail(Failure(event.code, event.detail))

    def _fail(self, failure: Failure) -> None:
        self._steps.applicant.banner.tell_failure(failure)
        if self._steps.open_number:
            self._steps.open_step(1, focus=False)

    def _meet(self, shown: _Shown, visit: VisitView, draft: DraftView | None) -> None:
        if self._taking:
            self._waiting.append((visit.id, shown))
            return
        if draft is None:
            self._steps.banner.tell(Message("primary", "card.no_draft", seconds=12))
            return
        role = self._steps.applicant.awaits
        party, agent = (draft.applicant.party, draft.applicant.agent) if draft.applicant else (None, None)
        if agent is not None and (role == "agent" or party is None):
            if _same(agent, shown):
                self._tell_same()
            else:
                self._ask(shown, "card.other_agent", (("card.replace_agent", "agent"),))
            return
        if party is not None and role == "party":
            if _same(party, shown) or (agent is not None and _same(agent, shown)):
                self._tell_same()
            else:
                self._ask(shown, "card.other", (("card.as_agent", "agent"), ("card.replace", "party")))
            return
        self._take(shown, role)

    def _take(self, shown: _Shown, role: str) -> None:
        self._forget_undo()
        banner = self._steps.applicant.banner
        banner.withdraw()
        announce(self._steps, tr("card.read", name=shown.name))
        self._taking = True
        self._actions.start(self._taken(shown, role), banner)

    async def _taken(self, shown: _Shown, role: str) -> None:
        try:
            await shown.take(role)
        finally:
            self._taking = False
            waiting, self._waiting = self._waiting, []
        visit = self._now.visit
        for visit_id, other in waiting:
            if visit is not None and visit.id == visit_id:
                self._meet(other, visit, self._now.draft)

    def _forget_undo(self) -> None:
        """Somebody else is here by now: what was taken away cannot be given back over them."""
        before = self._steps.banner.message
        if before is not None and before.words in ("undo.applicant", "undo.draft"):
            self._steps.banner.withdraw()

    def _tell_same(self) -> None:
        self._steps.applicant.banner.tell(Message("ok", "card.same", seconds=6))

    def _ask(self, shown: _Shown, words: str, ways: Sequence[tuple[str, str]]) -> None:
        """Ask what the document of somebody else means; `ways` are the words of an answer and a role."""
        answers = tuple(
            Answer(said, partial(self._take, shown, role), primary=place == 0)
            for place, (said, role) in enumerate(ways)
        )
        self._steps.applicant.banner.tell(Message("warn", words, {"name": shown.name}, answers=answers))


def _same(person: PersonView, shown: _Shown) -> bool:
    """The birth date is what the mask of a number leaves out; not every document has one."""
    births = {day for day in (person.birth, shown.birth) if day is not None}
    return (person.name, person.number) == (shown.name, masking.number(shown.number)) and len(births) < 2
