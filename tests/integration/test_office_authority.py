"""One authority calls: the office owns every queue, so a window that is away holds up nobody.

Faults 24 to 26 are those of a queue whose authority moves from window to window. Here it never moves; what
is left of them is a window that goes away with a ticket it has called, what it says when it is back, and two
people who decide about one ticket at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from office_hall import DATABASES, Hall, Workstation, served


@pytest.fixture(params=DATABASES)
def hall(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with served(tmp_path_factory.mktemp("office") / "data", request.param) as one:
        yield one


@pytest.fixture
def away(hall: Hall) -> Iterator[Workstation]:
    one = hall.workstation("综合窗口12")
    yield one
    one.close()


@pytest.fixture
def there(hall: Hall) -> Iterator[Workstation]:
    one = hall.workstation("综合窗口01")
    yield one
    one.close()


def called(station: Workstation) -> str:
    ticket = station.call().json()["ticket"]
    return str(ticket["number"]) if ticket else ""


def report(station: Workstation, type_: str, ticket: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return station.result(station.command(type_, station.ticket_body(ticket, **changes)))


def test_fault_24_a_window_that_went_away_holds_up_nobody_and_its_ticket_is_called_by_no_other(
    hall: Hall, away: Workstation, there: Workstation
) -> None:
    for _ in range(3):
        there.issue()
    ticket = away.call().json()["ticket"]  # and now nothing is heard of it any more
    assert ticket["number"] == "A001"
    assert [called(there) for _ in range(3)] == ["A002", "A003", ""]
    # Its citizen comes with the paper in hand: served at another window, and recorded as called before.
    told = report(there, "ticket.by_paper", ticket, visit_id="v-1")
    assert (told["status"], told["data"]["found"]) == ("applied", "called")


def test_fault_25_what_a_window_says_when_it_is_back_counts_for_its_own_ticket_only(
    hall: Hall, away: Workstation, there: Workstation
) -> None:
    for _ in range(2):
        there.issue()
    mine = away.call().json()["ticket"]
    other = there.call().json()["ticket"]
    report(there, "ticket.serving", other)
    late = [
        away.command(act, away.ticket_body(ticket))
        for act, ticket in (("ticket.serving", mine), ("ticket.done", other), ("ticket.done", mine))
    ]
    results = away.push(*late).json()["results"]
    assert [(one["status"], one["code"]) for one in results] == [
        ("applied", ""),
        ("refused", "OFFICE-TICKET-STATE"),
        ("applied", ""),
    ]
    states = {row.number: row.state for row in hall.rows("SELECT number, state FROM ticket")}
    assert states == {mine["number"]: "done", other["number"]: "serving"}


def test_fault_26_of_two_who_decide_about_one_ticket_at_once_one_wins(
    hall: Hall, away: Workstation, there: Workstation
) -> None:
    """Withdrawn from two windows and called at a third place, all at the same moment."""
    for turn in range(8):
        ticket = there.issue().json()

        def withdraw(station: Workstation, reason: str, id_: str = ticket["id"], turn: int = turn) -> Any:
            body = {"request_id": f"{reason}-{turn}", "reason": reason}
            return station.ask("POST", f"/queues/A/tickets/{id_}/void", json=body)

        with ThreadPoolExecutor(3) as threads:
            first = threads.submit(withdraw, away, "not_printed")
            second = threads.submit(withdraw, there, "not_needed")
            call = threads.submit(away.call)
        withdrawn = [answer.result() for answer in (first, second)]
        taken = call.result().json()["ticket"]
        [row] = hall.rows(f"SELECT state, reason FROM ticket WHERE id = '{ticket['id']}'")
        if taken is not None:
            assert (row.state, [answer.status_code for answer in withdrawn]) == ("called", [409, 409])
        else:  # both hear what was decided first
            assert row.state == "void"
            assert [answer.json()["reason"] for answer in withdrawn] == [row.reason, row.reason]
