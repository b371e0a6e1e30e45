"""The hall without its office: what still works, what is said of it, and what arrives afterwards."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hall_items import ACCEPTED_OFFLINE, NEVER_OFFLINE, RECEIVED_OFFLINE
from workstation_kit import CLERK, COLLEAGUE, HASTY, PATIENCE, OpenHall, Window

from back_office import catalogue
from back_office.embedded import UserSetup
from clerk_app.desk import acceptance, calling, correction, drafting, following
from clerk_app.desk.draft_view import draft_view
from clerk_app.desk.ports import CommandState, LinkState
from clerk_app.domain.case import LegalState, SyncState
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


def test_a_morning_without_the_network_arrives_exactly_once(hall, window):
    (ticket,) = hall.tickets(1)
    window.until(lambda: len(calling.queue_view(window.desk).waiting) == 1)
    pull(hall, window)
    assert calling.queue_view(window.desk).stale
    with pytest.raises(Failure, match="SYNC-OFFLINE"):
        calling.call_next(window.desk, window.operator)
    visit = window.by_paper(ticket)
    with pytest.raises(Failure, match="DESK-BY-PAPER"):
        calling.recall(window.desk, visit.id)
    accepted = window.accept()

    draft = window.draft(RECEIVED_OFFLINE)
    assert draft_view(window.desk, draft).accept.reason == "gate.offline_receive_only"
    with pytest.raises(Failure, match=r"DESK-NOT-READY: gate\.offline_receive_only"):
        acceptance.accept(window.desk, draft)
    received = acceptance.receive(window.desk, draft)
    window.workstation.print_queued()

    draft = window.draft(NEVER_OFFLINE)
    for act in (acceptance.receive, acceptance.accept):
        with pytest.raises(Failure, match=r"DESK-NOT-READY: gate\.offline_nothing"):
            act(window.desk, draft)
    drafting.discard(window.desk, draft)
    calling.finish(window.desk, visit.id)

    window.until_printed(accepted, received)
    (first,), (second,) = (hall.papers(f"[QR {case.number}]") for case in (accepted, received))
    assert "离线办理，联网后自动上报" in first
    assert "本凭证不代表受理" in second
    assert "本凭证不代表受理" not in first
    assert [row.type for row in following.outbox(window.desk)] == [
        "ticket.by_paper",
        "case.file",
        "case.file",
        "ticket.done",
    ]
    assert hall.registered() == {}

    plug(hall, window)
    window.until_sent()
    window.until_registered(accepted, received)
    assert hall.registered() == {accepted.number: "accepted", received.number: "received"}
    found = hall.office.rows("SELECT number, state, reason FROM ticket")
    assert [tuple(row) for row in found] == [(ticket, "done", "by_paper")]
    window.reckon(hall)


@pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.CUT_ANSWER, Fault.DEAF])
def test_an_answer_lost_after_the_commit_doubles_nothing(hall, fault):
    window = hall.window(pace=HASTY)
    hall.proxy.set(fault, "/sync/push", times=1)
    window.by_paper("A001")
    case = window.accept()
    assert hall.proxy.wait_met(seconds=PATIENCE)
    window.until_sent()
    window.until_registered(case)
    assert hall.registered() == {case.number: "accepted"}
    (applied,) = hall.office.rows("SELECT count(*) AS n FROM command WHERE type = 'case.file'")
    assert applied.n == 1
    window.reckon(hall)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault.REFUSE, "SYNC-OFFLINE"),
        (Fault.PORTAL, "SYNC-NOT-OFFICE"),
        (Fault.GATEWAY, "SYNC-BUSY"),
        (Fault.HALF_OPEN, "SYNC-SLOW"),
    ],
    ids=lambda value: value.name.lower() if isinstance(value, Fault) else "",
)
def test_what_is_wrong_with_the_office_is_said_by_its_code_and_the_work_goes_on(hall, fault, code):
    window = hall.window(pace=HASTY)
    hall.proxy.set(fault)
    hall.proxy.cut()
    window.workstation.scheduler.poke()  # a line that is silent and idle is noticed a minute later
    window.until_link(LinkState.OFFLINE, code)
    with pytest.raises(Failure, match=code):
        calling.call_next(window.desk, window.operator)
    window.by_paper("A001")
    case = window.accept()
    window.until_printed(case)
    assert window.row(case).sync_state is SyncState.HERE

    hall.proxy.clear()
    window.workstation.scheduler.network_up()
    window.until_registered(case)
    window.until_link(LinkState.ONLINE)
    window.reckon(hall)


def test_an_office_that_ends_and_starts_again_has_everything_once(hall, window):
    window.by_paper("A001")
    before = window.accept()
    window.until_registered(before)
    window.until_sent()
    hall.end_office()
    window.until_link(LinkState.OFFLINE, "SYNC-OFFLINE")
    meanwhile = window.accept()
    hall.start_office()
    window.workstation.scheduler.network_up()
    window.until_registered(meanwhile)
    assert set(hall.registered()) == {before.number, meanwhile.number}
    window.until_printed(before, meanwhile)
    window.reckon(hall)


def test_a_broken_office_is_busy_and_its_hall_goes_on(hall, window):
    hall.office.execute("ALTER TABLE scope RENAME TO scope_away")
    window.by_paper("A001")
    case = window.accept()
    window.until_link(LinkState.OFFLINE, "SYNC-BUSY")
    assert window.row(case).sync_state is SyncState.SENT
    hall.office.execute("ALTER TABLE scope_away RENAME TO scope")
    window.workstation.scheduler.network_up()
    window.until_registered(case)
    window.reckon(hall)


def test_a_lost_answer_to_a_call_gives_the_same_ticket_also_after_a_restart(hall, window):
    tickets = hall.tickets(2)
    window.sign_in()
    hall.proxy.set(Fault.LOSE_ANSWER, "/call")
    with pytest.raises(Failure, match="SYNC-OFFLINE"):
        calling.call_next(window.desk, window.operator)
    hall.proxy.clear()
    window = hall.again(window)
    window.until_link(LinkState.ONLINE)
    window.sign_in()
    visit = calling.call_next(window.desk, window.operator)
    assert visit.ticket_number == tickets[0]
    states = hall.office.rows("SELECT state FROM ticket ORDER BY number")
    assert [row.state for row in states] == ["called", "waiting"]


def test_signing_in_without_the_office_is_for_those_it_has_seen_here(hall, window):
    pull(hall, window)
    assert window.sign_in().name == CLERK.name
    with pytest.raises(Failure, match="SIGN-IN-NOT-KNOWN"):
        window.sign_in(COLLEAGUE)
    with pytest.raises(Failure, match="SIGN-IN-WRONG"):
        window.sign_in(UserSetup(CLERK.staff_no, CLERK.name, "guessed"))

    window = hall.again(window)  # also after a restart, and with a portal in the office's place
    hall.cable.plug()
    hall.proxy.set(Fault.PORTAL)
    window.until_link(LinkState.OFFLINE, "SYNC-NOT-OFFICE")
    assert window.sign_in().staff_no == CLERK.staff_no
    visit = window.by_paper("A001")
    case = window.accept()
    calling.finish(window.desk, visit.id)
    hall.proxy.clear()
    window.workstation.scheduler.network_up()
    window.until_registered(case)  # what was done offline counts under the grant of the last sign-in

    with pytest.raises(Failure, match="OFFICE-SESSION"):
        calling.call_next(window.desk, window.operator)
    window.sign_in()
    assert calling.call_next(window.desk, window.operator) is None


def test_the_right_to_sign_in_offline_ends_and_a_clock_turned_back_does_not_give_it_again(hall, window):
    hall.office.clock.ahead = timedelta(days=4)
    window.workstation.scheduler.poke()
    window.until(lambda: window.workstation.link.skew_seconds > 300_000)
    window.sign_in(COLLEAGUE)  # the workstation has seen the later day now
    hall.office.clock.ahead = timedelta()
    window.workstation.scheduler.poke()
    window.until(lambda: window.workstation.link.skew_seconds < 60)
    pull(hall, window)
    with pytest.raises(Failure, match="SIGN-IN-EXPIRED"):
        window.sign_in(CLERK)


def test_what_the_office_refuses_is_a_task_until_it_is_voided_at_the_window(hall, window):
    pull(hall, window)
    hall.office.server.office.write(lambda tx: catalogue.retire(tx, ACCEPTED_OFFLINE))
    window.by_paper("A001")
    case = window.accept()  # this window cannot know yet
    window.until_printed(case)
    hall.cable.plug()
    window.workstation.scheduler.network_up()
    window.until(lambda: window.row(case).sync_state is SyncState.REFUSED)
    row = window.row(case)
    assert (row.refusal, row.legal_state) == ("OFFICE-ITEM-NOT-IN-FORCE", LegalState.ACCEPTED)
    (task,) = following.outbox(window.desk)
    assert (task.type, task.state) == ("case.file", CommandState.REFUSED)
    assert hall.registered() == {}

    window.until_link(LinkState.ONLINE)
    correction.void(window.desk, case.id, "事项已停办", window.operator)
    window.workstation.print_queued()
    window.until_printed(case)
    window.until_sent()
    assert len(hall.papers("事项已停办")) == 1
    assert hall.registered() == {}
