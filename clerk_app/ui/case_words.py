"""How a case is told everywhere: legal state, sync state and paper, each as icon, words and tone."""

from __future__ import annotations

from clerk_app.desk.ports import PrintState
from clerk_app.desk.views import CaseRow
from clerk_app.domain.case import LegalState, SyncState
from clerk_app.ui.words import tr

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
    SyncState.HELD: ("outbox", ""),
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
    icon, tone = _SYNC[case.sync_state]
    return icon, tr(f"sync.{case.sync_state.value}"), tone


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
