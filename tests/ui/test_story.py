"""One clerk, one citizen: from sign-in to the slip, by keyboard and card alone."""

from __future__ import annotations

from PySide6.QtCore import Qt
from window_fakes import LI
from window_hall import Hall

from clerk_app.domain.case import LegalState


def test_a_whole_service(window_hall: Hall) -> None:
    hall = window_hall
    counter = hall.sign_in()
    hall.press(Qt.Key.Key_F1)
    assert counter.shown.visit is not None
    assert counter.shown.visit.ticket_number == "A037"
    hall.lay_card(LI)
    assert counter.steps.open_number == 2
    hall.type("补领")
    hall.press(Qt.Key.Key_Return)
    draft = counter.shown.draft
    assert draft is not None and draft.item is not None
    assert counter.steps.open_number == 4
    hall.type("13812345678")
    hall.press(Qt.Key.Key_Return)
    hall.press(Qt.Key.Key_Down)
    hall.press(Qt.Key.Key_F9)
    assert counter.steps.open_number == 5
    for material in ("id", "form"):
        counter.steps.material._rows[material]._tick.click()
    hall.settle()
    hall.press(Qt.Key.Key_F9)
    visit = counter.shown.visit
    assert visit is not None
    assert [case.legal_state for case in visit.cases] == [LegalState.ACCEPTED]
    assert len(hall.printer.papers) == 1
