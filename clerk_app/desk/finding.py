"""Finding a service item: the search, told what the window and the applicant already say."""

from __future__ import annotations

from clerk_app.desk.context import Desk
from clerk_app.desk.ports import Hit, SearchContext, Transaction
from clerk_app.domain.applicant import Applicant, DocumentKind, Organisation


def search(desk: Desk, text: str, draft_id: str | None, limit: int = 20) -> tuple[Hit, ...]:
    """Ranked item kinds for what was typed; with no text, the window's recent and frequent ones."""
    return desk.catalogue.search(text, desk.store.read(lambda tx: _context(desk, tx, draft_id)), limit)


def _context(desk: Desk, tx: Transaction, draft_id: str | None) -> SearchContext:
    draft = tx.drafts.get(draft_id) if draft_id else None
    applicant = draft.applicant if draft else None
    recent, frequent = tx.cases.used_kinds()
    return SearchContext(
        region=desk.device.region,
        applicant_region=_region(applicant),
        audience=_audience(applicant),
        recent=recent,
        frequent=frequent,
    )


def _region(applicant: Applicant | None) -> str:
    """The division the number was first issued in: a proposal, never a proof of residence."""
    if applicant is None or isinstance(applicant.party, Organisation):
        return ""
    party = applicant.party
    issued_by_division = party.kind in (DocumentKind.RESIDENT_ID, DocumentKind.SOCIAL_SECURITY)
    return party.number[:6] if issued_by_division and party.number[:6].isdigit() else ""


def _audience(applicant: Applicant | None) -> str:
    if applicant is None:
        return ""
    return "organisation" if isinstance(applicant.party, Organisation) else "person"
