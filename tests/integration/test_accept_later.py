"""An outage and what follows, with the real office: receive, then accept; tickets of the own series."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hall_items import RECEIVED_OFFLINE
from workstation_kit import CLERK, HASTY, OpenHall, Window

from clerk_app.desk import acceptance, calling, due_dates, following, ticketing
from clerk_app.desk.ports import Changed, CommandState, LinkState
from clerk_app.domain.case import Case, LegalState, SyncState
from clerk_app.domain.ticket import OFFLINE
from clerk_app.domain.working_days import WorkingCalendar
from clerk_app.failures import Failure
from tests.fault_proxy import Fault


@pytest.fixture
def hall(tmp_path):
    with OpenHall(tmp_path) as hall:
        yield hall


@pytest.fixture
def window(hall) -> Window:
    return hall.window()


def pull(hall: OpenHall, window: Window) -> None:
    hall.cable.pull()
    window.until_link(LinkState.OFFLINE, "SYNC-OFFLINE")


def plug(hall: OpenHall, window: Window) -> None:
    hall.cable.plug()
    window.workstation.scheduler.network_up()
    window.until_link(LinkState.ONLINE)


def received(hall: OpenHall, window: Window) -> Case:
    visit = window.by_paper("A001")
    case = acceptance.receive(window.desk, window.draft(RECEIVED_OFFLINE))
    calling.finish(window.desk, visit.id)
    window.workstation.print_queued()
    window.until_printed(case)
    return case


def test_what_was_received_without_the_office_is_accepted_when_it_answers(hall, window):
    pull(hall, window)
    case = received(hall, window)
    with pytest.raises(Failure, match=r"DESK-NOT-ACCEPTABLE: gate\.accept_offline"):
        acceptance.accept_received(window.desk, case.id, CLERK.staff_no)
    [slip] = hall.papers("须联网核验，结果另行告知")
    assert "本凭证不代表受理" in slip

    plug(hall, window)
    window.until_registered(case)
    assert hall.registered() == {case.number: "received"}
    window.until(lambda: window.row(case).accept.open)
    accepted = acceptance.accept_received(window.desk, case.id, CLERK.staff_no)
    assert window.row(case).sync_state in (SyncState.HERE, SyncState.SENT, SyncState.REGISTERED)
    window.workstation.print_queued()
    window.until_sent()
    window.until_registered(case)
    assert hall.registered() == {case.number: "accepted"}
    row = window.row(case)
    assert (row.legal_state, row.due, row.accept.open) == (LegalState.ACCEPTED, accepted.due, False)
    window.until(lambda: bool(hall.papers("受理通知书另行出具")))
    [paper] = hall.papers("受理通知书另行出具")
    assert "补打 第1次" in paper and "须联网核验" not in paper
    window.reckon(hall)


def test_an_acceptance_whose_answer_was_lost_is_made_once(hall):
    window = hall.window(pace=HASTY)
    case = received(hall, window)
    window.until_registered(case)
    window.until_sent()
    hall.proxy.set(Fault.LOSE_ANSWER, "/sync/push", times=1)
    acceptance.accept_received(window.desk, case.id, CLERK.staff_no)
    window.until_sent()
    window.until_registered(case)
    assert hall.registered() == {case.number: "accepted"}
    window.reckon(hall)


def test_tickets_of_the_own_series_come_to_the_offices_queue(hall, window):
    window.sign_in()
    pull(hall, window)
    [own] = ticketing.series(window.desk)
    assert own.kind == OFFLINE
    first, second = (ticketing.issue(window.desk, CLERK.staff_no, own) for _ in range(2))
    window.workstation.print_queued()
    window.until(lambda: bool(hall.papers(second)))
    visit = window.by_paper(first)
    calling.finish(window.desk, visit.id)

    plug(hall, window)
    window.until_sent()
    known = {row.number: row.state for row in hall.office.rows("SELECT number, state FROM ticket")}
    assert known == {first: "done", second: "waiting"}
    window.sign_in()
    called = calling.call_next(window.desk, window.operator)
    assert called is not None and called.ticket_number == second


def test_a_number_withdrawn_offline_is_called_by_nobody(hall, window):
    window.sign_in()
    pull(hall, window)
    [own] = ticketing.series(window.desk)
    ticketing.issue(window.desk, CLERK.staff_no, own)
    [paper] = ticketing.papers(window.desk)
    ticketing.void(window.desk, CLERK.staff_no, paper.job)
    plug(hall, window)
    window.until_sent()
    window.sign_in()
    assert calling.call_next(window.desk, window.operator) is None
    assert all(row.state is not CommandState.REFUSED for row in following.outbox(window.desk))


def test_a_calendar_that_arrives_counts_open_limits_again(hall, window):
    window.by_paper("A001")
    case = window.accept()
    window.until_sent()
    today = due_dates.day_of(window.desk.clock.now())

    def provisional(tx) -> date:
        tx.meta.set_calendar(WorkingCalendar())
        known = tx.cases.get(case.id)
        last = due_dates.limit(tx.meta.calendar(), known)
        tx.cases.save(replace(known, due=last.day, due_provisional=last.provisional))
        assert last.provisional
        return last.day

    before = window.desk.store.write(provisional)
    holidays = WorkingCalendar(frozenset({today.year, today.year + 1}), frozenset({before}))
    window.desk.store.write(lambda tx: tx.meta.set_calendar(holidays))
    window.workstation._tell(Changed(frozenset({"calendar"})))  # as the sync does after the fact
    window.until(lambda: not window.row(case).due_provisional)
    assert window.row(case).due > before
