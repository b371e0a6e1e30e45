"""At the window's counter: the calls about tickets that need the authority's answer at once."""

from __future__ import annotations

from fastapi import APIRouter, Response

from back_office import queues
from back_office.access import ClerkHere, Device, DeviceHere, OfficeHere, demand
from back_office.asked import CallRequest, IssueRequest, RecallRequest, VoidTicketRequest
from back_office.document import refusals
from back_office.problems import Refused
from clerk_app.sync.protocol import CallAnswer, SeriesAnswer, TicketMessage

router = APIRouter(prefix="/queues/{queue}")

_UNKNOWN = {404: "OFFICE-NO-QUEUE"}
_REUSED = {422: "OFFICE-REQUEST-REUSED"}
_CALL = refusals(_UNKNOWN | _REUSED | {403: "OFFICE-WINDOW"})
_RECALL = refusals(_UNKNOWN | _REUSED | {403: "OFFICE-WINDOW", 409: "OFFICE-TICKET-STATE"})
_ISSUE = refusals(_REUSED | {404: "OFFICE-NO-QUEUE, OFFICE-NO-SERIES"})
_VOID = refusals(_UNKNOWN | _REUSED | {409: "OFFICE-TICKET-STATE"})


def _at_its_own_window(device: Device, window: str) -> None:
    if window != device.window:
        raise Refused("OFFICE-WINDOW", status=403)


def _json(answer: str) -> Response:
    return Response(answer, media_type="application/json")


@router.post("/call", response_model=CallAnswer, responses=_CALL)
def call(queue: str, body: CallRequest, office: OfficeHere, device: DeviceHere, clerk: ClerkHere) -> Response:
    """Assign the next ticket to this window. Right: call."""
    demand(clerk, "call")
    _at_its_own_window(device, body.window)
    return _json(office.write(lambda tx: queues.call_once(tx, device, body.request_id, queue, body.window)))


@router.post("/recall", response_model=CallAnswer, responses=_RECALL)
def recall(
    queue: str, body: RecallRequest, office: OfficeHere, device: DeviceHere, clerk: ClerkHere
) -> Response:
    """Announce the ticket this window called once more. Right: call."""
    demand(clerk, "call")
    _at_its_own_window(device, body.window)
    return _json(
        office.write(
            lambda tx: queues.recall_once(tx, device, body.request_id, queue, body.ticket, body.window)
        )
    )


@router.get("/series", responses=refusals(_UNKNOWN))
def series(queue: str, office: OfficeHere, device: DeviceHere) -> SeriesAnswer:
    """The series of tickets of this queue."""
    return office.read(lambda connection: queues.series_of(connection, device.hall, queue))


@router.post("/tickets", response_model=TicketMessage, responses=_ISSUE)
def issue(
    queue: str, body: IssueRequest, office: OfficeHere, device: DeviceHere, clerk: ClerkHere
) -> Response:
    """Issue a ticket of a series of this queue. Right: issue."""
    demand(clerk, "issue")
    return _json(office.write(lambda tx: queues.issue_once(tx, device, body.request_id, queue, body.series)))


@router.post("/tickets/{ticket}/void", response_model=TicketMessage, responses=_VOID)
def void(
    queue: str,
    ticket: str,
    body: VoidTicketRequest,
    office: OfficeHere,
    device: DeviceHere,
    clerk: ClerkHere,
) -> Response:
    """Withdraw a ticket of this queue that nobody has called. Right: issue."""
    demand(clerk, "issue")
    return _json(
        office.write(lambda tx: queues.void_once(tx, device, body.request_id, queue, ticket, body.reason))
    )
