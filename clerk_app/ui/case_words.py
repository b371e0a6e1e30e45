"""How a case is told everywhere: legal state, sync state and paper, each as icon, words and tone."""

from __future__ import annotations

from datetime import date

from clerk_app import failures
from clerk_app.desk.ports import PrintState
from clerk_app.desk.views import SOON, CaseRow
from clerk_app.domain.case import LegalState, SyncState
from clerk_app.ui.moments import day
from clerk_app.ui.words import language, sentences, tr

Told = tuple[str, str, str]
"""Icon, words, tone: what a chip shows."""

_LEGAL = {
    LegalState.RECEIVED: ("case", "primary"),
    LegalState.ACCEPTED: ("accepted", "ok"),
    LegalState.VOID: ("off", ""),
}
_SYNC = {
    SyncState.HERE: ("outbox", ""),
    SyncState.SENT: ("outbox", ""),
    SyncState.HELD: ("wait", "primary"),
    SyncState.REGISTERED: ("cloud", "ok"),
    SyncState.REFUSED: ("bad", "bad"),
}
PAPER = {
    PrintState.QUEUED: ("print", ""),
    PrintState.PRINTING: ("print", ""),
    PrintState.PRINTED: ("paper", "ok"),
    PrintState.FAILED: ("warn", "bad"),
    PrintState.UNKNOWN: ("warn", "warn"),
    PrintState.REPLACED: ("paper", ""),
}


def legal(case: CaseRow) -> Told:
    icon, tone = _LEGAL[case.legal_state]
    return icon, tr(f"legal.{case.legal_state.value}"), tone


def sync(case: CaseRow) -> Told:
    state = SyncState.HELD if case.held else case.sync_state
    icon, tone = _SYNC[state]
    return icon, tr(f"sync.{state.value}"), tone


def until(case: CaseRow, today: date | None = None) -> Told | None:
    """Until when a received case must be decided; None for any other."""
    if case.accept_by is None:
        return None
    last = day(case.accept_by, today or case.received_at.date())
    if case.days_left < 0:
        return "warn", tr("cases.over", date=last), "bad"
    urgent = case.days_left <= SOON
    return "clock", tr("cases.until", date=last, count=case.days_left), "warn" if urgent else ""


def limit(case: CaseRow) -> str:
    """The last day of an accepted case; told as provisional while its calendar is not known."""
    if case.due is None or case.legal_state is LegalState.VOID:
        return ""
    return tr("cases.due_provisional" if case.due_provisional else "cases.due", date=f"{case.due:%Y-%m-%d}")


def refusal(case: CaseRow) -> str:
    """Why the office refused it, what can be done now, and the code; empty when it did not."""
    if case.refusal is None or case.held:
        return ""
    try:
        text = failures.text(case.refusal, language())
    except KeyError:
        return case.refusal
    return f"{sentences(text.sentence, text.action)} {case.refusal}"


def paper(case: CaseRow) -> Told | None:
    """What became of the slip; None when none was asked for."""
    if case.print_state is None:
        return None
    icon, tone = PAPER[case.print_state]
    words = tr(f"paper.{case.print_state.value}")
    if case.reprints:
        words = f"{words} · {tr('paper.reprints', count=case.reprints)}"
    return icon, words, tone


def spoken(case: CaseRow) -> str:
    """State and number, as a screen reader says them after filing."""
    return tr("filed.spoken", state=tr(f"legal.{case.legal_state.value}"), number=case.number)
