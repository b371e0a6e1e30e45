"""Commands that a damaged cache lost are made again from the cases that it still has.

A case whose filing is nowhere would stay at this workstation for ever, and its citizen would wait with a
voucher in hand. While a case is here, so are its commands (`store.retention`): one that is missing was lost.
Sent twice it is told apart by the office, under the case's id.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from clerk_app.desk import acceptance
from clerk_app.desk.ports import Transaction
from clerk_app.domain.case import Case, LegalState, SyncState

_ALL = 1_000_000
_UNTOLD = (SyncState.HERE, SyncState.SENT, SyncState.HELD)
"""What the office has of such a case is not known here."""


def refile(tx: Transaction) -> int:
    """Add what is missing of every case whose end the office has not told; how many commands."""
    added = 0
    for case in reversed(tx.cases.recent(_ALL)):
        if case.sync_state not in _UNTOLD:
            continue
        known = {command.type for command in tx.outbox.of_aggregate(case.id)}
        missing = _missing(case, known)
        if missing is not None:
            type_, body, at = missing
            tx.outbox.add(type_, case.id, body, at=at, operator=case.operator)
            added += 1
    return added


def _missing(case: Case, known: set[str]) -> tuple[str, dict[str, Any], datetime] | None:
    """The one command that tells the office how the case stands."""
    if case.legal_state is LegalState.VOID:
        unheard_of = case.sync_state is SyncState.HERE and "case.file" not in known
        if unheard_of or "case.void" in known:
            return None
        body = {
            "case_id": case.id,
            "number": case.number,
            "reason": case.void_reason or "",
            "voided_at": case.received_at.isoformat(),
            "approved_by": "",
        }
        return "case.void", body, case.received_at
    if case.official_number is None:
        filing = acceptance.filing(case)
        return None if "case.file" in known else ("case.file", filing, case.received_at)
    at = case.accepted_at  # the office has the filing: what was on its way came later
    if at is None or "case.accept" in known:
        return None
    return "case.accept", {"case_id": case.id, "accepted_at": at.isoformat()}, at
