"""How far a draft has come, step by step: what is done, what is open, and why one cannot go on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from clerk_app.desk.views import CheckState, DraftView

STEPS = 6


class StepState(StrEnum):
    TODO = "todo"
    DONE = "done"
    BLOCKED = "blocked"  # something here stops the case; `reason` says what


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of one step and, when it stops the case, a translation key that says why."""

    state: StepState
    reason: str = ""


def progress(draft: DraftView) -> tuple[Progress, ...]:
    """The six steps of `draft` as they stand."""
    done = (
        _applicant_done(draft),
        draft.item is not None and draft.item.acceptable.open,
        draft.item is not None and all(s.answer for s in draft.situations),
        draft.item is not None and not any(f.problem or (f.required and not f.value) for f in draft.fields),
        draft.item is not None and all(m.mode for m in draft.materials if m.required),
        draft.accept.open and not any(c.state is CheckState.BAD for c in draft.checks),
    )
    return tuple(_one(draft, number, finished) for number, finished in enumerate(done, start=1))


def next_step(draft: DraftView, since: int = 1) -> int:
    """The first step from `since` on that still asks for something, then one before it, then the checks."""
    steps = progress(draft)
    for number in range(max(since, 1), STEPS):
        if steps[number - 1].state is not StepState.DONE:
            return number
    for number in range(1, STEPS):
        if steps[number - 1].state is not StepState.DONE:
            return number
    return STEPS


def _applicant_done(draft: DraftView) -> bool:
    who = draft.applicant
    return who is not None and (who.party is not None or (bool(who.organisation) and who.agent is not None))


def _one(draft: DraftView, number: int, finished: bool) -> Progress:
    for gate in (draft.receive, draft.accept):
        if not gate.open and gate.step == number and gate.reason:
            return Progress(StepState.BLOCKED, gate.reason)
    if number == 2 and draft.item is not None and not draft.item.acceptable.open:
        return Progress(StepState.BLOCKED, draft.item.acceptable.reason)
    return Progress(StepState.DONE if finished else StepState.TODO)
