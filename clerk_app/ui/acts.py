"""What a clerk does at the window: each act asks the desk, then reads again what it touched."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from clerk_app.desk import (
    acceptance,
    calling,
    correction,
    drafting,
    due_dates,
    finding,
    looking_up,
    printing,
    rights,
    second_person,
    settling,
    sign_in,
    ticketing,
)
from clerk_app.desk.ports import Hit
from clerk_app.desk.second_person import Approval
from clerk_app.desk.views import CaseRow, ReceiptRow
from clerk_app.domain.applicant import CardRecord
from clerk_app.domain.case import Draft, MaterialMode
from clerk_app.domain.ticket import Series
from clerk_app.ui.async_action import Actions
from clerk_app.ui.snapshots import Snapshots, View
from clerk_app.ui.steps.person import is_lost
from clerk_app.ui.steps.typed_entry import TypedIdentity


class Acts(QObject):
    """The acts of one signed-in clerk; each may raise `Failure`, told where it was started.

    Signals: called(ticket number), nobody (the queue is empty), found(text, hits), advanced(step just done),
    undoable(translation key, draft before), filed (a case of the visit, shown by now), series(what tickets
    there are), issued(ticket number, its paper tried by now), withdrawn(ticket number),
    doubted(step the clerk must look at before the work goes on).
    """

    called = Signal(str)
    nobody = Signal()
    doubted = Signal(int)
    found = Signal(str, object)
    advanced = Signal(int)
    undoable = Signal(str, object)
    filed = Signal()
    series = Signal(object)
    issued = Signal(str)
    withdrawn = Signal(str)

    def __init__(self, actions: Actions, shown: Snapshots) -> None:
        super().__init__()
        self._do = actions
        self._shown = shown
        self._latest_search = 0

    @property
    def _operator(self) -> str:
        return self._shown.operator.staff_no

    # --- the visit -----------------------------------------------------------------------------------

    async def call_next(self) -> None:
        visit = await self._do.network(calling.call_next, self._operator)
        await self._shown.read(View.VISIT, View.QUEUE, View.STATUS)
        if visit is None:
            self.nobody.emit()
        else:
            self.called.emit(visit.ticket_number)

    async def renew(self, password: str) -> None:
        """Open the office's session; the clerk may have other rights by now."""
        self._shown.operator = await self._do.network(sign_in.renew, self._operator, password)

    async def finish_and_call(self) -> None:
        await self.finish()
        await self.call_next()

    async def recall(self) -> None:
        if (visit := self._shown.visit) is not None:
            await self._do.network(calling.recall, visit.id)
            await self._shown.read(View.VISIT)
            self.called.emit(visit.ticket_number)

    async def no_show(self) -> None:
        if (visit := self._shown.visit) is not None:
            await self._do.at_desk(calling.no_show, visit.id)
            await self._shown.read(View.VISIT, View.QUEUE, View.STATUS)

    async def serve_paper(self, number: str) -> None:
        visit = await self._do.at_desk(calling.serve_paper, self._operator, number)
        await self._shown.read(View.VISIT, View.QUEUE, View.STATUS)
        self.called.emit(visit.ticket_number)

    async def finish(self) -> None:
        if (visit := self._shown.visit) is not None:
            await self._do.at_desk(calling.finish, visit.id)
            await self._shown.read(View.VISIT, View.QUEUE, View.STATUS)

    # --- tickets issued here -------------------------------------------------------------------------

    async def offer_series(self) -> None:
        self.series.emit(await self._do.network(ticketing.series))

    async def issue_ticket(self, chosen: Series) -> None:
        number = await self._do.network(ticketing.issue, self._operator, chosen)
        await self._shown.read(View.QUEUE, View.STATUS)
        await self.print_queued()
        self.issued.emit(number)

    async def void_ticket(self, job_id: str, number: str) -> None:
        try:
            await self._do.network(ticketing.void, self._operator, job_id)
        finally:
            await self._shown.read(View.PAPERS, View.QUEUE, View.STATUS)
        self.withdrawn.emit(number)

    # --- the draft -----------------------------------------------------------------------------------

    async def _draft(self) -> str:
        """The draft in hand; the first act of a visit makes it."""
        return await self._do.at_desk(drafting.open_draft, self._operator)

    async def another(self) -> None:
        await self._draft()
        await self._shown.read(View.VISIT)
        self.advanced.emit(0)

    async def card(self, record: CardRecord, role: str) -> None:
        """A card reported lost keeps the clerk at the applicant: who stands here must be verified first."""
        await self._do.at_desk(drafting.applicant_from_card, await self._draft(), record, role)
        await self._touched()
        who = self._shown.draft.applicant if self._shown.draft else None
        if who is not None and is_lost(who.agent if role == "agent" or who.party is None else who.party):
            self.doubted.emit(1)
        else:
            self.advanced.emit(1)

    async def zone(self, zone: str, role: str) -> None:
        await self._do.at_desk(drafting.applicant_from_mrz, await self._draft(), zone, role)
        await self._touched(1)

    async def typed(self, given: TypedIdentity, role: str) -> None:
        draft, kind, birth = await self._draft(), given.kind, given.birth
        parts = (given.name, given.number, given.reason, role)
        await self._do.at_desk(drafting.applicant_typed, draft, *parts, kind=kind, birth=birth)
        await self._touched(1)

    async def organisation(self, name: str, uscc: str) -> None:
        await self._do.at_desk(drafting.organisation, await self._draft(), name, uscc)
        await self._touched(1)

    async def clear_applicant(self, role: str) -> None:
        before = await self._do.at_desk(drafting.clear_applicant, await self._draft(), role)
        await self._touched()
        self.undoable.emit("undo.applicant", before)

    async def search(self, text: str) -> None:
        """Look for items; an answer that a newer keystroke has overtaken is dropped."""
        self._latest_search += 1
        mine = self._latest_search
        draft = self._shown.draft
        hits: tuple[Hit, ...] = await self._do.catalogue(finding.search, text, draft.id if draft else None)
        if mine == self._latest_search:
            self.found.emit(text, hits)

    async def choose_item(self, code: str) -> None:
        await self._do.at_desk(drafting.choose_item, await self._draft(), code)
        await self._touched(2)

    async def clear_item(self) -> None:
        before = await self._do.at_desk(drafting.clear_item, await self._draft())
        await self._touched()
        self.advanced.emit(1)
        self.undoable.emit("undo.item", before)

    async def answer(self, situation: str, choice: str) -> None:
        await self._do.at_desk(drafting.answer, await self._draft(), situation, choice)
        await self._touched()

    async def fill(self, field: str, value: str) -> None:
        await self._do.at_desk(drafting.fill, await self._draft(), field, value)
        await self._touched()

    async def hand(self, material: str, mode: str) -> None:
        handed = MaterialMode(mode) if mode else None
        await self._do.at_desk(drafting.hand, await self._draft(), material, handed)
        await self._touched()
        draft = self._shown.draft
        if handed and draft and all(m.mode for m in draft.materials):
            self.advanced.emit(5)

    async def discard(self) -> None:
        if (draft := self._shown.draft) is not None and draft.id:
            before = await self._do.at_desk(drafting.discard, draft.id)
            await self._touched()
            self.undoable.emit("undo.draft", before)

    async def drop_left(self, draft_id: str) -> None:
        """Discard a draft that was left aside."""
        before = await self._do.at_desk(drafting.discard, draft_id)
        await self._touched()
        self.undoable.emit("undo.draft", before)

    async def undo(self, before: Draft) -> None:
        await self._do.at_desk(drafting.restore, before)
        await self._touched()

    async def resume(self, draft_id: str) -> None:
        await self._do.at_desk(drafting.resume, self._operator, draft_id)
        await self._touched(0)

    async def _touched(self, step: int | None = None) -> None:
        await self._shown.read(View.VISIT)
        if step is not None:
            self.advanced.emit(step)

    # --- what was scanned ------------------------------------------------------------------------------

    @property
    def hall(self) -> str:
        """The code that the case numbers of this hall begin with."""
        return self._do.desk.device.hall_code

    async def find_case(self, number: str) -> CaseRow | None:
        """The case of this number, by now in the list of cases however old it is."""
        case = await self._do.at_desk(looking_up.case, number)
        if case is not None:
            self._shown.sought = case.id
            await self._shown.read(View.CASES)
        return case

    async def find_receipt(self, number: str) -> ReceiptRow | None:
        """What is still known here of a case that has left this workstation."""
        return await self._do.at_desk(looking_up.receipt, number)

    async def find_ticket(self, number: str) -> looking_up.TicketSight | None:
        return await self._do.at_desk(looking_up.ticket, number)

    # --- the case ------------------------------------------------------------------------------------

    async def receive(self) -> None:
        if (draft := self._shown.draft) is not None:
            await self._do.at_desk(acceptance.receive, draft.id)
            await self._after_filing()

    async def accept(self) -> None:
        if (draft := self._shown.draft) is not None:
            await self._do.at_desk(acceptance.accept, draft.id)
            await self._after_filing()

    async def accept_received(self, case_id: str) -> None:
        """Accept a case that was only received."""
        await self._do.at_desk(acceptance.accept_received, case_id, self._operator)
        await self._after_filing()

    async def settle(self, command: str, how: str) -> None:
        """A refused command was settled with the supervisor."""
        await self._do.at_desk(settling.settle, command, how, self._operator)
        await self._shown.read(View.OUTBOX, View.STANDING, View.STATUS, View.CASES, View.VISIT)

    async def due_seen(self) -> None:
        await self._do.at_desk(due_dates.seen)
        await self._shown.read(View.STATUS)

    async def _after_filing(self) -> None:
        await self._shown.read(View.VISIT, View.CASES, View.QUEUE, View.OUTBOX, View.STATUS)
        self.filed.emit()
        await self.print_queued()

    async def approve_void(self, case_id: str, staff_no: str, password: str) -> Approval:
        """The word of a second person; the clerk's own session stays open."""
        act = (rights.VOID, case_id)
        return await self._do.network(second_person.approve, self._operator, staff_no, password, *act)

    async def void(self, case_id: str, reason: str, approval: Approval | None = None) -> None:
        await self._do.at_desk(correction.void, case_id, reason, self._operator, approval)
        await self._shown.read(View.VISIT, View.CASES, View.OUTBOX, View.STATUS)
        await self.print_queued()

    async def reprint(self, case_id: str) -> None:
        await self._do.at_desk(correction.reprint, case_id, self._operator)
        await self.print_queued()

    async def retry_print(self, job_id: str) -> None:
        await self._do.at_desk(printing.retry, job_id)
        await self.print_queued()

    async def answer_print(self, job_id: str, on_paper: bool) -> None:
        await self._do.at_desk(printing.answer, job_id, on_paper, self._operator)
        await self.print_queued()

    async def spell_out(self, job_id: str) -> None:
        """Print with a code in place of the character that nobody can write."""
        await self._do.at_desk(printing.spell_out, job_id, self._operator)
        await self.print_queued()

    async def print_queued(self) -> None:
        """Send what is queued to the printer and show what became of it."""
        await self._shown.read(View.CASES)
        await self._do.printer(printing.run)
        await self._shown.read(View.VISIT, View.CASES, View.STATUS, View.PRINTER, View.PAPERS)
