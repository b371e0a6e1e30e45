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
from clerk_app.domain.ticket import Ticket, TicketState
from clerk_app.domain.working_days import WorkingCalendar
from clerk_app.sync.messages import Fact, LostCardGone, TicketGone
from clerk_app.sync.protocol import CaseMessage, ItemMessage, LostCardSaltMessage


def topic(fact: Fact) -> str:
    """What the window has to refresh after this fact (see `Changed`)."""
    match fact:
        case Ticket() | TicketGone():
            return "tickets"
        case CaseMessage():
            return "cases"
        case WorkingCalendar():
            return "calendar"
        case ItemMessage():
            return "catalogue"
        case LostCard() | LostCardGone() | LostCardSaltMessage():
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
                if (known := tx.tickets.get(fact.id)) is not None:
                    tickets.append(replace(known, state=TicketState.DONE, version=fact.version))
            case CaseMessage():
                _case(tx, fact, now)
            case WorkingCalendar():
                tx.meta.set_calendar(fact)
            case ItemMessage():
                pass  # went to the catalogue before this transaction
            case LostCard():
                tx.lost_cards.put((fact,))
            case LostCardGone():
                tx.lost_cards.remove(fact.id, fact.version)
            case LostCardSaltMessage():
                tx.meta.set(SALT_KEY, fact.salt)
    _put(tx, tickets)


def _put(tx: Transaction, tickets: list[Ticket]) -> None:
    if tickets:
        tx.tickets.put(tuple(tickets))
        tickets.clear()


def _case(tx: Transaction, message: CaseMessage, now: Callable[[], datetime]) -> None:
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
        _note(
            tx, case, message.registered_at.astimezone(HALL_TIME), TimelineKind.REGISTERED, message.routed_to
        )
    if changed.legal_state is not case.legal_state:
        _note(tx, case, now(), TimelineKind.VOIDED)


def _needs_a_person(tx: Transaction, case: Case) -> bool:
    """Whether a command of the case is still refused or held.

    A held filing that the office has registered all the same was settled there.
    """
    if case.refusal is None:
        return False
    stuck = [
        command
        for command in tx.outbox.pending()
        if command.aggregate == case.id and command.state in (CommandState.REFUSED, CommandState.HELD)
    ]
    settled = [command.id for command in stuck if command.type == "case.file"]
    if settled:
        tx.outbox.mark(settled, CommandState.APPLIED)
    return len(stuck) > len(settled)


def _note(tx: Transaction, case: Case, at: datetime, kind: TimelineKind, detail: str = "") -> None:
    tx.timeline.add(TimelineEvent(at, kind, detail, visit_id=case.visit_id, case_id=case.id))
