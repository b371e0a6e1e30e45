"""Nothing typed is lost, what was taken away comes back, what was left aside is offered again."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from window_fakes import LI
from window_hall import Hall

from clerk_app.desk import drafting
from clerk_app.ui.services import Look

CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def filling(window_hall: Hall) -> Hall:
    hall = window_hall
    hall.sign_in()
    hall.press(Qt.Key.Key_F1)
    hall.lay_card(LI)
    hall.type("补领")
    hall.press(Qt.Key.Key_Return)
    return hall


def stored(hall: Hall) -> dict[str, str]:
    return hall.store.read(lambda tx: tx.drafts.open()[0].form)


def test_a_field_is_stored_soon_after_the_last_key(filling: Hall) -> None:
    filling.bot.keyClicks(filling.focus(), "13812345678")
    filling.bot.waitUntil(lambda: stored(filling).get("phone") == "13812345678", timeout=2000)


def test_a_field_is_stored_when_the_focus_leaves(filling: Hall) -> None:
    filling.bot.keyClicks(filling.focus(), "138")
    filling.press(Qt.Key.Key_Tab)
    assert stored(filling)["phone"] == "138"


def test_closing_the_window_stores_the_field_in_hand(filling: Hall) -> None:
    filling.bot.keyClicks(filling.focus(), "139")
    filling.window.close()
    filling.bot.waitUntil(filling.window.isHidden)
    assert stored(filling)["phone"] == "139"


def test_filing_waits_for_the_field_in_hand(filling: Hall) -> None:
    filling.bot.keyClicks(filling.focus(), "13812345678")
    filling.press(Qt.Key.Key_F8)
    assert stored(filling)["phone"] == "13812345678"


def test_typing_is_never_overwritten_by_what_the_store_echoes(filling: Hall) -> None:
    line = filling.focus()
    draft = filling.counter.shown.draft.id
    for place, digit in enumerate("13812345678"):
        filling.bot.keyClick(line, digit)
        drafting.fill(filling.desk, draft, "remark", f"changed elsewhere {place}")
        filling.counter.read_topics(frozenset({"cases"}))
        filling.settle()
    assert line.text() == "13812345678"


def test_clearing_the_item_can_be_undone_with_all_that_was_filled_in(filling: Hall) -> None:
    filling.type("13812345678")
    filling.press(Qt.Key.Key_K, CTRL)
    assert filling.counter.shown.draft.item is None
    filling.click("撤销")
    draft = filling.counter.shown.draft
    assert draft.item is not None
    assert {f.key: f.value for f in draft.fields}["phone"] == "13812345678"


def test_a_discarded_draft_can_be_undone(filling: Hall) -> None:
    filling.counter.bar._discard.click()
    filling.settle()
    assert filling.counter.shown.draft.applicant is None
    filling.click("撤销")
    assert filling.counter.shown.draft.applicant.party.name == "李晓明"


def test_discard_undo_and_taking_the_applicant_away_by_keys_alone(filling: Hall) -> None:
    control, shift, alt = (
        Qt.KeyboardModifier.ControlModifier,
        Qt.KeyboardModifier.ShiftModifier,
        Qt.KeyboardModifier.AltModifier,
    )
    filling.press(Qt.Key.Key_X, control | shift)
    assert filling.counter.shown.draft.applicant is None
    filling.press(Qt.Key.Key_Y, alt)
    assert filling.counter.shown.draft.applicant.party.name == "李晓明"
    filling.press(Qt.Key.Key_X, alt)
    assert filling.counter.shown.draft.applicant is None
    filling.press(Qt.Key.Key_Y, alt)
    assert filling.counter.shown.draft.applicant.party.name == "李晓明"
    filling.press(Qt.Key.Key_N, alt)  # nothing asks for a second answer: nothing happens
    assert filling.counter.shown.draft.applicant.party.name == "李晓明"


def test_a_draft_left_aside_is_offered_at_the_next_visit(filling: Hall) -> None:
    filling.press(Qt.Key.Key_F7)
    assert filling.counter.steps.ready.isVisible()
    filling.press(Qt.Key.Key_F1)
    assert filling.counter.steps.left.message is not None
    filling.click("继续办理")
    assert filling.counter.shown.draft.applicant.party.name == "李晓明"
    assert filling.counter.steps.left.message is None


def test_signing_out_and_in_finds_the_draft_of_the_open_visit(filling: Hall) -> None:
    filling.type("13812345678")
    filling.press(Qt.Key.Key_Q, CTRL | Qt.KeyboardModifier.ShiftModifier)
    assert filling.window.counter is None
    filling.type("right")
    filling.press(Qt.Key.Key_Return)
    assert filling.counter.shown.draft.item is not None
    assert drafting.current_draft(filling.desk, "1024") == filling.counter.shown.draft.id


def test_the_language_changes_under_the_hand_without_losing_anything(filling: Hall) -> None:
    filling.bot.keyClicks(filling.focus(), "138")
    before = filling.focus()
    filling.press(Qt.Key.Key_L, CTRL)
    assert filling.preferences.look == Look("en")
    assert filling.focus() is before
    assert before.text() == "138"
    assert filling.counter.steps.open_number == 4
    assert filling.counter.steps.form._title.text() == "Form"
    filling.press(Qt.Key.Key_L, CTRL)


def test_the_window_opens_and_closes_many_times(qtbot: QtBot, qapp: object) -> None:
    from window_hall import hall

    for _ in range(10):
        with hall(qtbot, qapp) as made:
            made.sign_in()
