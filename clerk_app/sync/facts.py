"""Facts come down: what the feed says is written into the mirror, and nothing else writes there.

The office wins, but it never erases: a refused case stays refused until a person has settled it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from clerk_app.desk.ports import CommandState, LostCard, Transaction
from clerk_app.domain.case import Case, LegalState, SyncState, TimelineEvent, TimelineKind
from clerk_app.domain.hall_time import HALL_TIME
from clerk_app.domain.lost_cards import SALT_KEY
from clerk_app.domain.ticket import Ticket
from clerk_app.domain.working_days import WorkingCalendar
from clerk_app.sync import settling
from clerk_app.sync.messages import Fact, LostCardGone, LostCardSalt, Owed, TicketGone
from clerk_app.sync.protocol import CaseMessage, ItemMessage

SALT_FACT_KEY = "lost_cards_salt_fact"
"""Meta: version and id of the salt as the feed has them."""


def topics(fact: Fact) -> frozenset[str]:
    """What the window has to refresh after this fact (see `Changed`)."""
    return frozenset({"cases", "outbox"}) if isinstance(fact, Owed) else frozenset({_topic(fact)})


def _topic(fact: Fact) -> str:
    match fact:
        case Ticket() | TicketGone():
            return "tickets"
        case CaseMessage() | Owed():
            return "cases"
        case WorkingCalendar():
            return "calendar"
        case ItemMessage():
            return "catalogue"
        case LostCard() | LostCardGone() | LostCardSalt():
            return "lost_cards"


def apply(tx: Transaction, facts: Iterable[Fact], now: Callable[[], datetime]) -> None:
    """Write `facts` in order. Applying the same fact twice changes nothing the second time."""
    tickets: list[Ticket] = []
    for fact in facts:
        match fact:
            case Ticket():
                tickets.append(fact)
            case TicketGone():
                _put(tx, tickets)  # it may have been issued a moment ago, on the same page
                tx.tickets.remove(fact.id, fact.version)
            case CaseMessage():
                _case(tx, fact, now)
            case Owed():
                settling.settle_owed(tx, fact.id, fact.answer.status, fact.answer.code, now())
            case WorkingCalendar():
                tx.meta.set_calendar(fact)
            case ItemMessage():
                pass  # went to the catalogue before this transaction
            case LostCard():
                tx.lost_cards.put((fact,))
            case LostCardGone():
                tx.lost_cards.remove(fact.id, fact.version)
            case LostCardSalt():
                tx.meta.set(SALT_KEY, fact.salt)
                tx.meta.set(SALT_FACT_KEY, f"{fact.version} {fact.id}")
    _put(tx, tickets)


def _put(tx: Transaction, tickets: list[Ticket]) -> None:
    if tickets:
        tx.tickets.put(tuple(tickets))
        tickets.clear()


def _case(tx: Transaction, message: CaseMessage, now: Callable[[], datetime]) -> None:
    if message.state == "registered" and message.official_number:
        visit = tx.cases.register(message.case_id, message.official_number)
        if visit is not None:  # by far the most: nothing was refused, nothing void
            _note_registered(tx, message, visit)
            return
    case = tx.cases.get(message.case_id)
    if case is None:  # filed here before this workstation was set up anew
        return
    changed = replace(case, official_number=message.official_number or case.official_number)
    if not _needs_a_person(tx, case):
        changed = replace(changed, sync_state=SyncState.REGISTERED, refusal=None)
    if message.state == "void":
        changed = replace(changed, legal_state=LegalState.VOID)
    if changed == case:
        return
    tx.cases.save(changed)
    if message.official_number and case.official_number != message.official_number:
        _note_registered(tx, message, case.visit_id)
    if changed.legal_state is not case.legal_state:
        tx.timeline.add(TimelineEvent(now(), TimelineKind.VOIDED, visit_id=case.visit_id, case_id=case.id))


def _needs_a_person(tx: Transaction, case: Case) -> bool:
    """Whether a command of the case is still refused.

    A filing that the office refused or held, and registered all the same, was settled there.
    """
    if case.refusal is None:
        return False
    stuck = [command for command in tx.outbox.stuck() if command.aggregate == case.id]
    settled = [command.id for command in stuck if command.type == "case.file"]
    if settled:
        tx.outbox.mark(settled, CommandState.APPLIED)
    return any(c.state is CommandState.REFUSED and c.id not in settled for c in stuck)


def _note_registered(tx: Transaction, message: CaseMessage, visit_id: str) -> None:
    at = message.registered_at.astimezone(HALL_TIME)
    tx.timeline.add(
        TimelineEvent(
            at, TimelineKind.REGISTERED, message.routed_to, visit_id=visit_id, case_id=message.case_id
        )
    )
