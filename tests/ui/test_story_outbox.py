"""The screen tells the truth of the office: what works, what waits, what a person has to do, and no more."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt
from window_fakes import MORNING
from window_hall import Hall

from clerk_app.desk.ports import CommandState, LinkState, LinkStatus
from clerk_app.desk.views import CheckState, Gate, OutboxRow
from clerk_app.domain.case import LegalState
from clerk_app.domain.documents import ReceiptSlip, TicketSlip
from clerk_app.ui import words

CTRL, ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier


def open_outbox(hall: Hall) -> None:
    hall.press(Qt.Key.Key_O, CTRL)


def states(hall: Hall) -> dict[str, CheckState]:
    standing = hall.counter.shown.standing
    assert standing is not None
    return {line.what: line.state for line in standing.lines}


def test_the_sheet_says_what_works_online_and_offline(window_hall: Hall) -> None:
    hall = window_hall
    counter = hall.sign_in()
    open_outbox(hall)
    assert states(hall)["standing.call"] is CheckState.OK
    assert "99" not in counter.outbox.standing.words
    hall.link[:] = [
        LinkStatus(
            LinkState.OFFLINE,
            since=MORNING,
            code="SYNC-OFFLINE",
            tried_at=MORNING,
            next_at=MORNING.replace(minute=43),
            skew_seconds=40.0,
        )
    ]
    hall.changed("link")
    assert states(hall) == {
        "standing.call": CheckState.WARN,
        "standing.tickets": CheckState.WAIT,
        "standing.cases": CheckState.WARN,
        "standing.sign_in": CheckState.WARN,
        "standing.numbers": CheckState.OK,
    }
    panel = counter.outbox.standing
    assert "SYNC-OFFLINE" in panel._why.text()
    assert "10:42" in panel._tried.text() and "10:43" in panel._tried.text() and "40" in panel._tried.text()


def test_an_outage_of_another_day_is_told_with_its_day(window_hall: Hall) -> None:
    hall = window_hall
    counter = hall.sign_in()
    hall.link[:] = [LinkStatus(LinkState.OFFLINE, since=MORNING.replace(day=18))]
    hall.changed("link")
    assert "11-18 10:42" in counter.header._link.toolTip()
    assert counter.band.message is not None and "11-18 10:42" in counter.band.message.sentence()[0]


def test_a_window_that_was_closed_at_the_office_is_told_what_to_do(window_hall: Hall) -> None:
    hall = window_hall
    counter = hall.sign_in()
    hall.broken("SYNC-FENCED")
    assert counter.band.message is not None and counter.band.message.failure == "SYNC-FENCED"
    assert counter.steps.ready._title.text() == words.tr("signin.barred"), "nobody is told to go on by paper"
    hall.online()
    assert counter.band.message is None


def test_a_refused_task_is_settled_with_words_and_a_held_one_asks_nothing(window_hall: Hall) -> None:
    hall = window_hall
    counter = hall.sign_in()
    hall.offline()
    hall.press(Qt.Key.Key_F1)
    hall.type("B052")
    hall.press(Qt.Key.Key_Return)
    hall.press(Qt.Key.Key_F7)
    hall.refuse("ticket.by_paper", "OFFICE-TICKET-STATE")
    hall.refuse("ticket.done", "SYNC-HELD", CommandState.HELD)
    status = counter.shown.status
    assert status is not None and (status.tasks, status.held, status.unsent) == (1, 1, 0)
    open_outbox(hall)
    assert counter.outbox.chosen is not None and counter.outbox.chosen.state == "refused"
    counter.outbox._how.setFocus()
    hall.press(Qt.Key.Key_Return)
    assert counter.shown.status.tasks == 1, "not without words"
    hall.type("settled with the supervisor")
    hall.press(Qt.Key.Key_Return)
    assert counter.shown.status.tasks == 0
    assert [row.state for row in counter.outbox.model.rows] == ["held"]
    counter.outbox._list.setCurrentIndex(counter.outbox.model.index(0))
    assert counter.outbox._what.text() and counter.outbox._acts.isHidden()
    assert counter.outbox._how.isHidden()


def test_from_the_outbox_to_the_refused_case_and_its_void(window_hall: Hall) -> None:
    hall = window_hall
    counter = hall.sign_in()
    case = hall.receive()
    hall.refuse("case.file", "OFFICE-NUMBER-FOREIGN")
    open_outbox(hall)
    hall.click("查看办件")
    assert counter.outbox.isHidden()
    assert counter.side.shows_cases
    assert counter.side.cases.chosen is not None and counter.side.cases.chosen.id == case
    assert "OFFICE-NUMBER-FOREIGN" in counter.side.cases._why.text()
    open_outbox(hall)
    hall.click("作废后重办")
    assert counter.void.isVisible()


def test_what_was_received_offline_is_accepted_later_with_the_accept_key(window_hall: Hall) -> None:
    hall = window_hall
    counter = hall.sign_in()
    case = hall.receive()
    shown = counter.shown.visit.cases[-1]
    assert shown.accept.reason == "gate.accept_offline" and shown.accept_by is not None
    hall.press(Qt.Key.Key_F9)
    assert counter.steps.banner.message.words == "gate.accept_offline"
    hall.press(Qt.Key.Key_F7)
    hall.register(case)
    assert counter.shown.status.awaiting == 1
    hall.click("查看")
    assert counter.side.cases.chosen.id == case
    hall.press(Qt.Key.Key_F9)
    [accepted] = counter.shown.cases
    assert accepted.legal_state is LegalState.ACCEPTED and accepted.due is not None
    slip, mark = hall.printer.papers[-1]
    assert isinstance(slip, ReceiptSlip) and slip.accepted_at is not None and mark == 1
    assert counter.shown.status.awaiting == 0
    assert counter.side.cases._awaiting.isHidden()


def test_the_accept_key_in_a_visit_is_the_drafts(window_hall: Hall) -> None:
    hall = window_hall
    counter = hall.sign_in()
    case = hall.receive()
    hall.press(Qt.Key.Key_F7)
    hall.register(case)
    hall.press(Qt.Key.Key_F1)
    hall.press(Qt.Key.Key_F9)
    assert counter.shown.status.awaiting == 1, "the case of somebody who has left is not accepted by accident"


def test_offline_a_ticket_of_the_own_series_is_issued_and_served_by_paper(window_hall: Hall) -> None:
    hall = window_hall
    hall.office.rights |= {"issue"}
    counter = hall.sign_in()
    hall.offline()
    hall.press(Qt.Key.Key_I, ALT)
    hall.press(Qt.Key.Key_L)
    slip, _ = hall.printer.papers[-1]
    assert isinstance(slip, TicketSlip) and (slip.number, slip.offline) == ("L12001", True)
    hall.scan("L12001")
    assert counter.shown.visit is not None and counter.shown.visit.ticket_number == "L12001"


def test_limits_that_moved_are_told_until_they_are_seen(window_hall: Hall) -> None:
    hall = window_hall
    counter = hall.sign_in()
    hall.store.write(lambda tx: tx.meta.set("due_moved", '["MY01-00001207-6"]'))
    hall.changed("due")
    assert counter.shown.status.due_moved == ("MY01-00001207-6",)
    hall.click("知道了")
    assert counter.shown.status.due_moved == ()


def test_emergency_numbers_are_told(window_hall: Hall) -> None:
    hall = window_hall
    hall.sign_in()

    def use_up(tx: object) -> None:
        [block] = tx.numbers.blocks()
        for _ in range(block.left):
            tx.numbers.take()
        emergency = replace(block, id="e", low=90_000_001, high=90_000_500, next=90_000_001, kind="emergency")
        tx.numbers.add(emergency)

    hall.store.write(use_up)
    open_outbox(hall)
    assert states(hall)["standing.numbers"] is CheckState.WARN
    assert "500" in hall.counter.outbox.standing.words
    assert hall.counter.shown.status is not None


def test_words_written_about_one_task_do_not_settle_another_of_the_same_number(window_hall: Hall) -> None:
    """After a new enrolment two commands bear one sequence number, each of its epoch."""
    hall = window_hall
    sheet = hall.sign_in().outbox
    first = OutboxRow(5, "case.accept", "MY01-1", "refused", "OFFICE-CASE-STATE", MORNING, id="of-epoch-1")
    first = replace(first, settle=Gate(open=True))
    second = replace(first, id="of-epoch-2", subject="MY01-2")
    open_outbox(hall)
    sheet.show_outbox((first, second))
    sheet._list.setCurrentIndex(sheet.model.index(0))
    sheet._how.setText("与督导员核对过")
    sheet.show_outbox((second,))  # the office answered the first meanwhile
    assert sheet.chosen == second
    assert sheet._how.text() == ""
