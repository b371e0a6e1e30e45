"""Voiding a case at the window: the reason, and without the office a second person beside the clerk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clerk_app.desk.ports import LinkState
from clerk_app.desk.views import CaseRow
from clerk_app.failures import Failure

if TYPE_CHECKING:
    from clerk_app.ui.counter import Counter


class VoidingAtWindow:
    """Leads from the sheet of the reason to the case voided, by way of a colleague where one is needed."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        void, second, start = counter.void, counter.second, counter.start
        void.given.connect(lambda *given: start(self._void(*given), void.banner, "void"))
        second.given.connect(lambda *given: start(self._void_by_two(*given), second, "second"))

    def ask(self, case: CaseRow | None) -> None:
        """Ask for the reason to void `case`, while that can be done."""
        status = self._counter.shown.status
        if case is not None and case.void.open:
            offline = status is not None and status.link.state is LinkState.OFFLINE
            self._counter.void.ask(case, offline=offline)

    async def _void(self, case_id: str, reason: str) -> None:
        counter, case = self._counter, self._counter.void.case
        try:
            await counter.acts.void(case_id, reason)
        except Failure as failure:
            if failure.code != "DESK-SECOND-PERSON" or case is None:
                raise
            counter.second.ask(case, reason)
        else:
            counter.void.put_away()

    async def _void_by_two(self, staff_no: str, password: str) -> None:
        """What the second person read is what is voided; a question put away meanwhile is not answered."""
        counter, sheet = self._counter, self._counter.second
        if (asked := sheet.asked) is None:
            return
        case, reason = asked
        approval = await counter.acts.approve_void(case.id, staff_no, password)
        if sheet.asked is not asked:
            return
        await counter.acts.void(case.id, reason, approval)
        sheet.put_away()
        if counter.void.case is case:
            counter.void.put_away()
