"""Direct calls to the office: signing in, and the calls of the queue's authority.

Each act carries a client-made id. An answer that was lost is asked for once more under the same id at once,
and by the desk whenever it likes: the office gives the same ticket.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from clerk_app import failures
from clerk_app.desk.ports import Device, Operator, SignedIn
from clerk_app.domain.ticket import Series, Ticket
from clerk_app.failures import Failure
from clerk_app.sync.client import OfficeClient
from clerk_app.sync.messages import ticket
from clerk_app.sync.protocol import (
    CallRequest,
    IssueRequest,
    RecallRequest,
    SessionAnswer,
    SessionRequest,
    VoidTicketRequest,
)
from clerk_app.sync.seals import kept
from clerk_app.sync.transport import OfficeFailure

_log = logging.getLogger(__name__)

T = TypeVar("T")


class DirectOffice:
    """The `Office` port over HTTP. Runs on its own network lane; holds the clerk's session in memory only."""

    def __init__(self, client: OfficeClient, device: Device) -> None:
        self._client = client
        self._device = device
        self._session = ""

    def sign_in(self, staff_no: str, password: str) -> SignedIn:
        answer = self._open(staff_no, password)
        before, self._session = self._session, answer.token
        self._close(before)
        return SignedIn(_operator(answer), answer.token)

    def prove(self, staff_no: str, password: str) -> Operator:
        answer = self._open(staff_no, password)
        self._close(answer.token)
        return _operator(answer)

    def sign_out(self) -> None:
        session, self._session = self._session, ""
        if session:
            _ask(lambda: self._client.close_session(session))

    def _open(self, staff_no: str, password: str) -> SessionAnswer:
        request = SessionRequest(staff_no, password)
        return _ask(lambda: self._client.open_session(request))

    def _close(self, session: str) -> None:
        """End a session nobody needs any more; one that cannot be ended now ends by its own time."""
        try:
            if session:
                _ask(lambda: self._client.close_session(session))
        except Failure as failure:
            _log.info("a session was left open: %s", failure.code)

    def call_next(self, request_id: str) -> Ticket | None:
        request = CallRequest(request_id, self._device.window)
        answer = _ask(lambda: self._client.call(self._device.queue, request, self._session))
        return None if answer.ticket is None else ticket(answer.ticket)

    def recall(self, request_id: str, ticket_id: str) -> Ticket:
        request = RecallRequest(request_id, ticket_id, self._device.window)
        answer = _ask(lambda: self._client.recall(self._device.queue, request, self._session))
        if answer.ticket is None:
            raise Failure("SYNC-NOT-OFFICE", "recall without a ticket")
        return ticket(answer.ticket)

    def series(self) -> tuple[Series, ...]:
        answer = _ask(lambda: self._client.series(self._device.queue))
        return tuple(Series(one.code, one.kind) for one in answer.series)

    def issue_ticket(self, request_id: str, series: str) -> Ticket:
        request = IssueRequest(request_id, series)
        return ticket(_ask(lambda: self._client.issue(self._device.queue, request, self._session)))

    def void_ticket(self, request_id: str, ticket_id: str) -> Ticket:
        request = VoidTicketRequest(request_id, "not_printed")
        queue = self._device.queue
        return ticket(_ask(lambda: self._client.void_ticket(queue, ticket_id, request, self._session)))


def _operator(answer: SessionAnswer) -> Operator:
    return Operator(
        staff_no=answer.staff_no,
        name=answer.name,
        rights=frozenset(answer.rights),
        grant_until=answer.not_after,
        name_en=answer.name_en,
        grant=kept(answer.grant),
    )


def _ask(call: Callable[[], T]) -> T:
    """The answer, asked for twice when the line broke; a refusal under the office's own code if known."""
    try:
        try:
            return call()
        except OfficeFailure as failure:
            if failure.code != "SYNC-OFFLINE":
                raise
            return call()
    except OfficeFailure as failure:
        if failure.problem is not None and failure.problem.code in failures.codes():
            raise Failure(failure.problem.code, failure.detail) from failure
        raise
