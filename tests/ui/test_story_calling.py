"""The call loop by keys: next, again, not there, finished; the one question in the middle of a service."""

from __future__ import annotations

import threading

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from window_fakes import LI
from window_hall import Hall

from clerk_app.domain.ticket import Ticket, VisitState
from clerk_app.ui.finish_question import FinishQuestion


@pytest.fixture
def desk(window_hall: Hall) -> Hall:
    window_hall.sign_in()
    return window_hall


def number(hall: Hall) -> str:
    visit = hall.counter.shown.visit
    return visit.ticket_number if visit else ""


def question() -> FinishQuestion | None:
    top = QApplication.activeModalWidget()
    return top if isinstance(top, FinishQuestion) else None


def test_call_recall_and_no_show(desk: Hall) -> None:
    desk.press(Qt.Key.Key_F1)
    assert number(desk) == "A037"
    desk.press(Qt.Key.Key_F2)
    visit = desk.counter.shown.visit
    assert visit is not None and visit.calls == 2
    desk.press(Qt.Key.Key_F3)
    assert desk.counter.shown.visit is None
    assert "A037" not in [row.number for row in desk.counter.waiting.model.rows]


def test_calling_while_somebody_is_here_asks_once_and_staying_changes_nothing(desk: Hall) -> None:
    desk.press(Qt.Key.Key_F1)
    desk.lay_card(LI)
    desk.press(Qt.Key.Key_F1)
    assert question() is not None
    desk.press(Qt.Key.Key_Escape)
    assert question() is None
    assert number(desk) == "A037"


def test_the_call_key_in_the_question_finishes_and_calls(desk: Hall) -> None:
    desk.press(Qt.Key.Key_F1)
    desk.press(Qt.Key.Key_F1)
    desk.press(Qt.Key.Key_F1)
    assert question() is None
    assert number(desk) == "A038"
    queue = desk.counter.shown.queue
    assert queue is not None and queue.served_today == 1


def test_nobody_waits(desk: Hall) -> None:
    desk.office.tickets.clear()
    desk.press(Qt.Key.Key_F1)
    message = desk.counter.ticket.banner.message
    assert message is not None and message.words == "call.nobody"


def test_an_impatient_clerk_calls_one_ticket(
    desk: Hall, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answer, asked = threading.Event(), []
    slow = desk.office.call_next

    def call_next(request: str) -> Ticket | None:
        asked.append(request)
        assert answer.wait(10)
        return slow(request)

    monkeypatch.setattr(desk.office, "call_next", call_next)
    for _ in range(3):
        desk.bot.keyClick(desk.focus(), Qt.Key.Key_F1)
    desk.bot.waitUntil(lambda: bool(asked))
    assert desk.counter.ticket._call.words == "正在叫号…"
    answer.set()
    desk.settle()
    assert len(asked) == 1
    assert number(desk) == "A037"
    assert "failed" not in caplog.text, "the second press was begun, and refused by the desk"


def test_serving_begins_with_the_first_act_and_the_clock_runs(desk: Hall) -> None:
    desk.press(Qt.Key.Key_F1)
    assert desk.counter.shown.visit.state is VisitState.CALLED
    desk.lay_card(LI)
    assert desk.counter.shown.visit.state is VisitState.SERVING
    desk.clock.at = desk.clock.at.replace(minute=45, second=12)
    desk.counter.ticket._tell_clock()
    assert desk.counter.ticket._chip.text == "办理中 03:12"


def test_a_held_paper_ticket_is_served_online_too(desk: Hall) -> None:
    desk.press(Qt.Key.Key_P, Qt.KeyboardModifier.AltModifier)
    desk.type("y012")
    desk.press(Qt.Key.Key_Return)
    assert number(desk) == "Y012"
    assert desk.counter.shown.visit.by_paper


def test_what_is_no_ticket_number_is_refused_beside_the_entry(desk: Hall) -> None:
    desk.press(Qt.Key.Key_P, Qt.KeyboardModifier.AltModifier)
    desk.type("hello")
    desk.press(Qt.Key.Key_Return)
    message = desk.counter.ticket.banner.message
    assert message is not None and message.failure == "DESK-TICKET-NUMBER"
