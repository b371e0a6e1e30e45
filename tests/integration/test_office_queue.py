"""The authority over a queue: each ticket to one window, in an order that can be explained."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from office_hall import DATABASES, Hall, Workstation, served

from clerk_app.domain.hall_time import HALL_TIME


@pytest.fixture(params=DATABASES)
def hall(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with served(tmp_path_factory.mktemp("office") / "data", request.param) as one:
        yield one


@pytest.fixture
def station(hall: Hall) -> Iterator[Workstation]:
    one = hall.workstation()
    yield one
    one.close()


def _called(station: Workstation) -> tuple[str, str] | None:
    ticket = station.call().json()["ticket"]
    return ticket and (ticket["number"], ticket["reason"])


def test_tickets_are_numbered_by_series_and_called_in_order(station: Workstation) -> None:
    numbers = [station.issue().json()["number"] for _ in range(3)]
    assert numbers == ["A001", "A002", "A003"]
    assert [_called(station) for _ in range(4)] == [
        ("A001", "order"),
        ("A002", "order"),
        ("A003", "order"),
        None,
    ]


def test_appointments_first_then_priority_one_in_three_then_order(station: Workstation) -> None:
    for series in "AAAAPPPY":
        station.issue(series)
    order = [_called(station) for _ in range(8)]
    assert order == [
        ("Y001", "appointment"),
        ("P001", "priority"),
        ("A001", "order"),
        ("A002", "order"),
        ("P002", "priority"),
        ("A003", "order"),
        ("A004", "order"),
        ("P003", "priority"),
    ]


def test_priority_is_called_when_nobody_else_waits(station: Workstation) -> None:
    for series in "PPP":
        station.issue(series)
    assert [_called(station) for _ in range(3)] == [(f"P00{n}", "priority") for n in (1, 2, 3)]


def test_windows_that_call_at_once_never_get_one_ticket(hall: Hall, station: Workstation) -> None:
    for _ in range(40):
        station.issue()
    windows = [hall.workstation(f"综合窗口{n:02}") for n in range(1, 5)]

    def call_ten(window: Workstation) -> list[str]:
        return [window.call().json()["ticket"]["number"] for _ in range(10)]

    with ThreadPoolExecutor(4) as threads:
        called = [number for ten in threads.map(call_ten, windows) for number in ten]
    assert sorted(called) == [f"A{n:03}" for n in range(1, 41)]
    for window in windows:
        window.close()


def test_a_call_whose_answer_was_lost_gives_the_same_ticket(station: Workstation) -> None:
    station.issue()
    station.issue()
    first = station.call("request-1")
    assert station.call("request-1").content == first.content
    assert station.call("request-2").json()["ticket"]["number"] == "A002"
    assert station.issue("A", "issue-1").content == station.issue("A", "issue-1").content


def test_one_request_sent_at_once_calls_one_ticket(hall: Hall, station: Workstation) -> None:
    for _ in range(8):
        station.issue()
    with ThreadPoolExecutor(8) as threads:
        answers = set(threads.map(lambda _: station.call("one-request").content, range(8)))
    assert len(answers) == 1
    assert hall.rows("SELECT count(*) FROM ticket WHERE state = 'called'") == [(1,)]


def test_a_request_id_stands_for_one_act(station: Workstation) -> None:
    station.call("request-1")
    answer = station.issue("A", "request-1")
    assert (answer.status_code, answer.json()["code"]) == (422, "OFFICE-REQUEST-REUSED")


def test_recall_counts_and_is_only_for_the_window_that_called(hall: Hall, station: Workstation) -> None:
    station.issue()
    ticket = station.call().json()["ticket"]
    body = {"request_id": "again-1", "ticket": ticket["id"], "window": station.device.window}
    first = station.ask("POST", "/queues/A/recall", json=body)
    assert first.json()["ticket"]["calls"] == 2
    assert station.ask("POST", "/queues/A/recall", json=body).content == first.content

    other = hall.workstation("综合窗口01")
    theirs = {"request_id": "again-1", "ticket": ticket["id"], "window": other.device.window}
    answer = other.ask("POST", "/queues/A/recall", json=theirs)
    assert (answer.status_code, answer.json()["code"]) == (409, "OFFICE-TICKET-STATE")
    other.close()


def _report(station: Workstation, type_: str, ticket: Any, **changes: Any) -> dict[str, Any]:
    return station.result(station.command(type_, station.ticket_body(ticket, **changes)))


def test_a_visit_is_reported_step_by_step(station: Workstation) -> None:
    station.issue()
    ticket = station.call().json()["ticket"]
    for type_ in ("ticket.serving", "ticket.serving", "ticket.done"):
        assert _report(station, type_, ticket)["status"] == "applied"
    states = [change["data"]["state"] for change in station.changes("queue:A").json()["changes"]]
    assert states == ["waiting", "called", "serving", "done"]
    assert _report(station, "ticket.no_show", ticket)["code"] == "OFFICE-TICKET-STATE"


def test_a_no_show_is_of_the_window_that_called(hall: Hall, station: Workstation) -> None:
    station.issue()
    ticket = station.call().json()["ticket"]
    other = hall.workstation("综合窗口01")
    assert _report(other, "ticket.no_show", ticket)["code"] == "OFFICE-TICKET-STATE"
    assert _report(station, "ticket.no_show", ticket)["status"] == "applied"
    other.close()


def test_a_ticket_served_by_paper_is_not_called_again(station: Workstation) -> None:
    ticket = station.issue().json()
    visit = "visit-by-paper"
    result = _report(station, "ticket.by_paper", ticket, visit_id=visit)
    assert result["data"]["found"] == "waiting"
    assert _called(station) is None
    assert _report(station, "ticket.done", ticket, visit_id=visit)["status"] == "applied"


def test_a_ticket_known_by_its_number_only_is_found(station: Workstation) -> None:
    ticket = station.issue().json()
    result = _report(station, "ticket.by_paper", ticket, ticket_id=None)
    assert result["data"]["ticket"] == ticket["id"]


def test_paper_served_twice_keeps_both_sides(hall: Hall, station: Workstation) -> None:
    station.issue()
    ticket = station.call().json()["ticket"]
    _report(station, "ticket.done", ticket)
    other = hall.workstation("综合窗口01")
    result = _report(other, "ticket.by_paper", ticket, visit_id="v-1")
    assert (result["status"], result["data"]["found"]) == ("applied", "done")
    assert _report(other, "ticket.done", ticket, visit_id="v-1")["status"] == "applied"
    assert hall.rows('SELECT "window", found FROM paper_visit') == [("综合窗口01", "done")]
    assert hall.rows('SELECT "window", state FROM ticket') == [(station.device.window, "done")]
    other.close()


def test_a_visit_reported_by_paper_twice_holds_up_nothing(hall: Hall, station: Workstation) -> None:
    ticket = station.issue().json()
    for act in ("by_paper", "by_paper", "done"):
        told = _report(station, f"ticket.{act}", ticket, visit_id="v-3")
        assert (told["status"], told["code"]) == ("applied", ""), act
    assert hall.rows("SELECT found FROM paper_visit") == [("waiting",)]
    assert hall.rows("SELECT state FROM ticket") == [("done",)]


def test_a_ticket_of_an_offline_series_is_recorded(hall: Hall, station: Workstation) -> None:
    assert _report(station, "ticket.by_paper", None, visit_id="v-2")["data"] == {"ticket": None, "found": ""}
    assert _report(station, "ticket.done", None, visit_id="v-2")["status"] == "applied"
    assert _report(station, "ticket.done", None)["code"] == "OFFICE-TICKET-STATE"
    assert hall.rows("SELECT number, found FROM paper_visit") == [("K001", "")]


def test_numbers_begin_anew_on_a_day_of_the_hall_not_of_utc(hall: Hall) -> None:
    station = hall.workstation(signed_in=False)
    now = datetime.now(HALL_TIME)
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    hall.clock.ahead = midnight - timedelta(minutes=10) - now
    station.sign_in()
    station.issue()
    old = station.issue().json()
    assert old["number"] == "A002"

    hall.clock.ahead = midnight + timedelta(minutes=10) - now
    fresh = station.issue().json()

    assert fresh["number"] == "A001"
    assert _called(station) == ("A001", "order"), "yesterday's tickets are not called"
    snapshot = station.ask("GET", "/sync/snapshot/queue:A").json()
    assert [change["id"] for change in snapshot["changes"]] == [fresh["id"]]
    station.close()


def test_a_call_asked_again_on_another_day_is_a_new_call(hall: Hall, station: Workstation) -> None:
    station.issue()
    assert station.call("once").json()["ticket"]["number"] == "A001"
    hall.clock.ahead += timedelta(days=1)
    station.sign_in()
    assert station.call("once").json()["ticket"] is None
    station.issue()
    assert station.call("once").json()["ticket"] is None, "today's answer is given again"


def test_what_is_said_of_yesterdays_ticket_does_not_bring_it_back(hall: Hall, station: Workstation) -> None:
    station.issue()
    called = station.call().json()["ticket"]
    hall.clock.ahead += timedelta(days=1)
    station.sign_in()
    assert _called(station) is None
    assert _report(station, "ticket.done", called)["status"] == "applied"
    assert station.ask("GET", "/sync/snapshot/queue:A").json()["changes"] == []


def test_unknown_queues_and_series_are_refused(station: Workstation) -> None:
    body = {"request_id": "r", "window": station.device.window}
    assert station.ask("POST", "/queues/Z/call", json=body).json()["code"] == "OFFICE-NO-QUEUE"
    assert station.issue("Q").json()["code"] == "OFFICE-NO-SERIES"


def _void(station: Workstation, ticket: Any, request_id: str = "void-1", reason: str = "not_printed") -> Any:
    body = {"request_id": request_id, "reason": reason}
    return station.ask("POST", f"/queues/A/tickets/{ticket['id']}/void", json=body)


def test_a_ticket_without_paper_is_withdrawn_once(hall: Hall, station: Workstation) -> None:
    first, second = station.issue().json(), station.issue().json()
    answer = _void(station, first)
    assert answer.json() | {"state": "void", "reason": "not_printed", "version": 2} == answer.json()
    assert _void(station, first).content == answer.content  # the answer was lost
    assert _void(station, first, "void-2").json() == answer.json()  # asked for again under another id
    assert _void(station, first, "void-1", "not_needed").status_code == 422
    assert hall.rows("SELECT count(*) FROM ticket WHERE state = 'void'") == [(1,)]

    told = [(one["op"], one["id"], one["version"]) for one in station.changes("queue:A").json()["changes"]]
    assert told == [("put", first["id"], 1), ("put", second["id"], 1), ("del", first["id"], 2)]
    assert _called(station) == ("A002", "order")
    assert station.issue().json()["number"] == "A003"  # a number is given once a day


def test_a_ticket_that_was_called_is_not_withdrawn(station: Workstation) -> None:
    station.issue()
    ticket = station.call().json()["ticket"]
    answer = _void(station, ticket)
    assert (answer.status_code, answer.json()["code"]) == (409, "OFFICE-TICKET-STATE")
    assert _report(station, "ticket.serving", ticket)["status"] == "applied"
    assert _void(station, {"id": "nobody"}, "void-2").json()["code"] == "OFFICE-TICKET-STATE"


def test_a_withdrawn_ticket_in_a_hand_after_all_is_served_and_recorded(station: Workstation) -> None:
    ticket = station.issue().json()
    _void(station, ticket)
    visit = "visit-by-paper"
    result = _report(station, "ticket.by_paper", ticket, visit_id=visit)
    assert (result["status"], result["data"]["found"]) == ("applied", "void")
    assert _report(station, "ticket.done", ticket, visit_id=visit)["status"] == "applied"


def test_who_may_not_issue_may_not_withdraw(hall: Hall, station: Workstation) -> None:
    ticket = station.issue().json()
    hall.execute("""UPDATE staff SET rights = '["accept","call","void"]' WHERE staff_no = '1024'""")
    answer = _void(station, ticket)
    assert (answer.status_code, answer.json()["code"]) == (403, "OFFICE-RIGHT")
    assert _called(station) == ("A001", "order")


def test_a_ticket_whose_answer_was_lost_is_issued_once(hall: Hall, station: Workstation) -> None:
    first = station.issue(request_id="issue-1")
    assert station.issue(request_id="issue-1").content == first.content
    assert station.issue("Y", request_id="issue-1").json()["code"] == "OFFICE-REQUEST-REUSED"
    assert hall.rows("SELECT number FROM ticket") == [("A001",)]
    hall.execute("""UPDATE staff SET rights = '["accept","call"]' WHERE staff_no = '1024'""")
    assert station.issue(request_id="issue-1").json()["code"] == "OFFICE-RIGHT", (
        "not even the answer of before"
    )


def test_the_series_of_a_queue_are_told_with_what_they_are_for(station: Workstation) -> None:
    told = station.ask("GET", "/queues/A/series").json()["series"]
    assert [(one["code"], one["kind"]) for one in told] == [
        ("A", "general"),
        ("Y", "appointment"),
        ("P", "priority"),
    ]
    assert station.ask("GET", "/queues/Z/series").status_code == 404


def test_a_clock_that_was_wrong_for_a_while_stops_no_queue(hall: Hall, station: Workstation) -> None:
    for _ in range(2):
        station.issue()
    hall.clock.ahead = timedelta(days=2)
    station.sign_in()
    assert station.issue().json()["number"] == "A001"
    hall.clock.ahead = timedelta()
    station.sign_in()
    assert station.issue().json()["number"] == "A003", "no number of today a second time"
    assert _called(station) == ("A003", "order")

    hall.clock.ahead = timedelta(days=1)
    station.sign_in()
    assert station.issue().json()["number"] == "A001"
    shown = station.ask("GET", "/sync/snapshot/queue:A").json()["changes"]
    assert [one["data"]["number"] for one in shown] == ["A001"], "nothing of another day stays"
    hall.clock.ahead = timedelta(days=2)
    station.sign_in()
    assert station.issue().json()["number"] == "A002", "the one of the wrong day has its number"
