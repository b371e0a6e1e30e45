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
        self._reason = ""
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
        counter = self._counter
        try:
            await counter.acts.void(case_id, reason)
        except Failure as failure:
            if failure.code != "DESK-SECOND-PERSON" or counter.void.case is None:
                raise
            self._reason = reason
            counter.second.ask(counter.void.case, reason)
        else:
            counter.void.put_away()

    async def _void_by_two(self, staff_no: str, password: str) -> None:
        counter = self._counter
        if (case := counter.void.case) is None:
            return
        approval = await counter.acts.approve_void(case.id, staff_no, password)
        await counter.acts.void(case.id, self._reason, approval)
        counter.second.put_away()
        counter.void.put_away()
