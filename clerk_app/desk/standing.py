"""What of the window works at this moment and what does not: what stands above the outbox.

Said from what the store holds and what the link last met, never from hope. Printing is told by whoever asks
the printer.
"""

from __future__ import annotations

from clerk_app.desk import drafting, following, offline_tickets, rights
from clerk_app.desk.context import Desk
from clerk_app.desk.draft_view import item_or_none
from clerk_app.desk.due_dates import day_of
from clerk_app.desk.ports import LinkState, LinkStatus, Operator, Transaction
from clerk_app.desk.views import CheckState, StandingView, WorkingLine
from clerk_app.domain.catalogue import OfflineRule, ServiceItem
from clerk_app.domain.hall_time import HALL_TIME
from clerk_app.domain.numbering import FIRST_EMERGENCY

FEW_NUMBERS = 50
"""Ordinary numbers left below which the clerk is told: an hour or two of a busy window."""

_RULES = {
    OfflineRule.ACCEPT: CheckState.OK,
    OfflineRule.RECEIVE: CheckState.WARN,
    OfflineRule.NOTHING: CheckState.BAD,
}


def standing(desk: Desk, operator: Operator, link: LinkStatus) -> StandingView:
    """What works now for `operator`. Any lane but the store's and the catalogue's."""
    now = desk.clock.now()
    offline = link.state is LinkState.OFFLINE
    item = _item_in_hand(desk, operator.staff_no)

    def look(tx: Transaction) -> StandingView:
        state = tx.outbox.state()
        known = rights.granted(tx, operator.staff_no) or operator
        lines = (
            _calls(offline),
            _tickets(desk, tx, known, offline=offline),
            _cases(item, offline=offline),
            _sign_in(known, offline=offline),
            _numbers(tx),
        )
        return StandingView(
            link=following.remembered(tx, link),
            today=day_of(now),
            lines=lines,
            unsent=state.unsent,
            oldest_unsent=state.oldest,
            tasks=state.tasks,
            held=state.held,
            pages=state.pages,
        )

    return desk.store.read(look)


def _item_in_hand(desk: Desk, operator: str) -> ServiceItem | None:
    draft_id = drafting.current_draft(desk, operator)
    draft = desk.store.read(lambda tx: tx.drafts.get(draft_id)) if draft_id else None
    return item_or_none(desk, draft.item_code) if draft and draft.item_code else None


def _calls(offline: bool) -> WorkingLine:
    if offline:
        return WorkingLine("standing.call", CheckState.WARN, "standing.by_paper")
    return WorkingLine("standing.call", CheckState.OK, "standing.works")


def _tickets(desk: Desk, tx: Transaction, operator: Operator, *, offline: bool) -> WorkingLine:
    what = "standing.tickets"
    if rights.ISSUE not in operator.rights:
        return WorkingLine(what, CheckState.WAIT, "standing.no_right")
    if not offline:
        return WorkingLine(what, CheckState.OK, "standing.works")
    own = offline_tickets.series(tx)
    if own is None:
        return WorkingLine(what, CheckState.BAD, "standing.no_series")
    given = offline_tickets.given(tx, day_of(desk.clock.now()))
    values = (("series", own.code), ("count", given.count))
    return WorkingLine(what, CheckState.WARN, "standing.own_series", values)


def _cases(item: ServiceItem | None, *, offline: bool) -> WorkingLine:
    """Of the item in hand, else in general: each item has its rule."""
    what = "standing.cases"
    if not offline:
        return WorkingLine(what, CheckState.OK, "standing.works")
    if item is None:
        return WorkingLine(what, CheckState.WARN, "standing.by_item")
    rule = item.kind.offline
    return WorkingLine(what, _RULES[rule], f"standing.item_{rule.value}", (("item", item.kind.name),))


def _sign_in(operator: Operator, *, offline: bool) -> WorkingLine:
    state = CheckState.WARN if offline else CheckState.OK
    until = operator.grant_until.astimezone(HALL_TIME)  # the office signs it as UTC
    return WorkingLine("standing.sign_in", state, "standing.until", (("time", until),))


def _numbers(tx: Transaction) -> WorkingLine:
    what, blocks = "standing.numbers", tx.numbers.blocks()
    left = sum(block.left for block in blocks)
    if following.emergency(blocks):
        return WorkingLine(what, CheckState.WARN, "standing.emergency", (("count", left),))
    ordinary = sum(block.left for block in blocks if block.low < FIRST_EMERGENCY)
    state = CheckState.BAD if not ordinary else CheckState.WARN if ordinary < FEW_NUMBERS else CheckState.OK
    return WorkingLine(what, state, "standing.left", (("count", ordinary),))
