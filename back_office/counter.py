"""At the window's counter: the calls about tickets that need the authority's answer at once."""

from __future__ import annotations

from fastapi import APIRouter, Response

from back_office import queues
from back_office.access import ClerkHere, Device, DeviceHere, OfficeHere, demand
from back_office.problems import Refused
from clerk_app.sync.protocol import (
    CallAnswer,
    CallRequest,
    IssueRequest,
    RecallRequest,
    SeriesAnswer,
    TicketMessage,
    VoidTicketRequest,
)

router = APIRouter(prefix="/queues/{queue}")


def _at_its_own_window(device: Device, window: str) -> None:
    if window != device.window:
        raise Refused("OFFICE-WINDOW", status=403)


def _json(answer: str) -> Response:
    return Response(answer, media_type="application/json")


@router.post("/call", response_model=CallAnswer)
def call(queue: str, body: CallRequest, office: OfficeHere, device: DeviceHere, clerk: ClerkHere) -> Response:
    """Assign the next ticket to this window. Right: call."""
    demand(clerk, "call")
    _at_its_own_window(device, body.window)
    return _json(office.write(lambda tx: queues.call_once(tx, device, body.request_id, queue, body.window)))


@router.post("/recall", response_model=CallAnswer)
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


@router.get("/series")
def series(queue: str, office: OfficeHere, device: DeviceHere) -> SeriesAnswer:
    """The series of tickets of this queue."""
    return office.read(lambda connection: queues.series_of(connection, device.hall, queue))


@router.post("/tickets", response_model=TicketMessage)
def issue(
    queue: str, body: IssueRequest, office: OfficeHere, device: DeviceHere, clerk: ClerkHere
) -> Response:
    """Issue a ticket of a series of this queue. Right: issue."""
    demand(clerk, "issue")
    return _json(office.write(lambda tx: queues.issue_once(tx, device, body.request_id, queue, body.series)))


@router.post("/tickets/{ticket}/void", response_model=TicketMessage)
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
