"""The network goes and comes back: the window tells the truth and the work goes on."""

from __future__ import annotations

from PySide6.QtCore import Qt
from window_fakes import LI
from window_hall import Hall

CTRL = Qt.KeyboardModifier.ControlModifier


def test_offline_serves_by_paper_and_the_outbox_says_what_waits(window_hall: Hall) -> None:
    hall = window_hall
    counter = hall.sign_in()
    hall.offline()
    assert counter.band.message is not None
    assert "10:42" in counter.band.message.sentence()[0]
    assert counter.ticket.serves_by_paper
    hall.press(Qt.Key.Key_F1)
    hall.type("B052")
    hall.press(Qt.Key.Key_F1)
    assert counter.shown.visit is not None and counter.shown.visit.by_paper
    hall.press(Qt.Key.Key_O, CTRL)
    assert counter.outbox.isVisible()
    assert [row.type for row in counter.outbox.model.rows] == ["ticket.by_paper"]
    hall.press(Qt.Key.Key_Escape)
    assert not counter.outbox.isVisible()


def test_offline_an_item_of_the_office_is_received_and_the_window_says_why(window_hall: Hall) -> None:
    hall = window_hall
    counter = hall.sign_in()
    hall.press(Qt.Key.Key_F1)
    hall.lay_card(LI)
    hall.type("挂失")
    hall.press(Qt.Key.Key_Return)
    hall.offline()
    draft = counter.shown.draft
    assert draft is not None and draft.accept.reason == "gate.offline_nothing"
    hall.press(Qt.Key.Key_F9)
    assert counter.steps.open_number == 6
    assert counter.shown.visit.cases == ()


def test_the_call_key_offline_never_ends_a_service(window_hall: Hall) -> None:
    hall = window_hall
    counter = hall.sign_in()
    hall.press(Qt.Key.Key_F1)
    hall.offline()
    hall.press(Qt.Key.Key_F1)
    assert counter.shown.visit is not None and counter.shown.visit.ticket_number == "A037"
    assert counter.ticket.banner.message.words == "call.offline_busy"


def test_back_online_the_band_goes_and_calling_returns(window_hall: Hall) -> None:
    hall = window_hall
    counter = hall.sign_in()
    hall.offline()
    hall.online()
    assert counter.band.message is None
    assert not counter.ticket.serves_by_paper
    hall.press(Qt.Key.Key_F1)
    assert counter.shown.visit.ticket_number == "A037"


def test_a_lost_answer_is_told_where_the_call_was_made(window_hall: Hall) -> None:
    hall = window_hall
    counter = hall.sign_in()
    hall.office.failure = "SYNC-OFFLINE"
    hall.press(Qt.Key.Key_F1)
    assert counter.ticket.banner.message.failure == "SYNC-OFFLINE"
    hall.office.failure = ""
    hall.press(Qt.Key.Key_F1)
    assert counter.ticket.banner.message is None


def test_a_call_that_finds_no_network_leads_on_to_the_paper_ticket(window_hall: Hall) -> None:
    hall = window_hall
    counter = hall.sign_in()
    hall.office.failure = "SYNC-OFFLINE"  # and the link does not know it yet
    hall.press(Qt.Key.Key_F1)
    assert hall.focus() is counter.ticket._ticket_entry
    hall.type("B052")
    hall.press(Qt.Key.Key_F1)
    assert counter.shown.visit is not None and counter.shown.visit.ticket_number == "B052"
    assert counter.ticket.banner.message is None


def test_when_the_link_is_back_the_paper_entry_goes_unless_a_ticket_is_in_it(window_hall: Hall) -> None:
    hall = window_hall
    counter = hall.sign_in()
    hall.offline()
    hall.press(Qt.Key.Key_F1)
    hall.type("B052")
    hall.online()
    assert counter.ticket._ticket_entry.isVisible()
    hall.press(Qt.Key.Key_Escape)
    counter.ticket._ticket_entry.clear()
    hall.offline()
    hall.online()
    assert not counter.ticket._ticket_entry.isVisible()
