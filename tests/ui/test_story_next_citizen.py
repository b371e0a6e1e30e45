"""Nobody is taken for somebody else: what was begun for one citizen never reaches the next."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from window_fakes import LI, ZHAO
from window_hall import Hall

from clerk_app.desk.ports import CardRead, ReaderState, ReaderStatus
from clerk_app.domain.applicant import CardRecord
from clerk_app.ui.readers_at_window import BETWEEN, ReadersAtWindow

ALT = Qt.KeyboardModifier.AltModifier
SUN = replace(LI, name="孙样例", number="510704199001010012")
READING = ReaderStatus(ReaderState.READING, "Sample Reader")


@pytest.fixture
def called(window_hall: Hall) -> Hall:
    window_hall.sign_in()
    window_hall.press(Qt.Key.Key_F1)
    return window_hall


def who(hall: Hall):
    draft = hall.counter.shown.draft
    return draft.applicant if draft is not None else None


def next_visit(hall: Hall) -> None:
    hall.press(Qt.Key.Key_F7)
    hall.press(Qt.Key.Key_F1)


def organisation(hall: Hall) -> None:
    hall.press(Qt.Key.Key_O, ALT)
    hall.type("绵阳示例商贸有限公司")
    hall.press(Qt.Key.Key_Tab)
    hall.type("91510700MA6200001X")


def test_what_was_half_typed_of_a_citizen_goes_with_the_visit(called: Hall) -> None:
    called.press(Qt.Key.Key_T, ALT)
    called.type("李晓明")
    called.press(Qt.Key.Key_Tab)
    called.type("5107041989")
    next_visit(called)
    entry = called.counter.steps.applicant._typed
    assert (entry.isHidden(), entry._name.text(), entry._number.text()) == (True, "", "")


def test_an_organisation_half_typed_goes_with_the_visit(called: Hall) -> None:
    organisation(called)
    next_visit(called)
    entry = called.counter.steps.applicant._organisation
    assert (entry.isHidden(), entry._name.text(), entry._uscc.text()) == (True, "", "")


def test_an_agent_awaited_of_one_citizen_is_not_awaited_of_the_next(called: Hall) -> None:
    called.press(Qt.Key.Key_A, ALT)
    next_visit(called)
    called.lay_card(LI)
    assert who(called).party.name == "李晓明"


def test_another_card_never_replaces_the_agent_of_an_organisation_without_a_word(called: Hall) -> None:
    organisation(called)
    called.press(Qt.Key.Key_Return)
    called.lay_card(LI)
    called.lay_card(LI)
    assert called.counter.steps.applicant.banner.message.words == "card.same"
    called.lay_card(ZHAO)
    assert who(called).agent.name == "李晓明"
    called.click("更换代理人")
    assert who(called).agent.name == "赵清和"


def test_alt_a_with_an_agent_there_asks_before_the_next_card_replaces_them(called: Hall) -> None:
    called.lay_card(LI)
    called.lay_card(ZHAO)
    called.click("作为代理人")
    called.press(Qt.Key.Key_A, ALT)
    called.lay_card(SUN)
    assert (who(called).party.name, who(called).agent.name) == ("李晓明", "赵清和")
    assert called.counter.steps.applicant.banner.message.words == "card.other_agent"


def test_of_two_cards_read_at_once_the_second_is_asked_about(called: Hall) -> None:
    called.reader.lay(CardRead(LI, "left"))
    called.reader.lay(CardRead(ZHAO, "right"))
    called.settle()
    assert who(called).party.name == "李晓明"
    message = called.counter.steps.applicant.banner.message
    assert (message.words, message.values["name"]) == ("card.other", "赵清和")


def test_a_card_still_being_read_when_its_visit_ends_is_not_for_the_next(called: Hall) -> None:
    called.reader.listener(READING)
    called.press(Qt.Key.Key_F7)
    called.reader.lying["Sample Reader"] = CardRead(LI, "Sample Reader")
    called.reader.listener(CardRead(LI, "Sample Reader"))
    called.settle()
    assert called.counter.steps.banner.message.words == "card.left_behind"
    called.press(Qt.Key.Key_F1)
    assert who(called) is None


@pytest.mark.parametrize(
    ("begun", "mine"), [("one", False), ("two", True), (BETWEEN, True)], ids=["before", "in it", "between"]
)
def test_whose_a_card_is_was_settled_when_its_reading_began(begun: str, mine: bool) -> None:
    readers, record = ReadersAtWindow(), LI
    readers.hear(READING, begun)
    assert readers.take(CardRead(record, READING.reader), "two") is mine
    readers.hear(ReaderStatus(ReaderState.EMPTY, READING.reader), "two")
    assert _fresh(readers, record)


def _fresh(readers: ReadersAtWindow, record: CardRecord) -> bool:
    readers.hear(READING, "two")
    return readers.take(CardRead(record, READING.reader), "two")


def test_a_draft_given_up_is_not_given_back_over_the_next_person(called: Hall) -> None:
    called.lay_card(LI)
    called.press(Qt.Key.Key_X, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert called.counter.steps.banner.message.words == "undo.draft"
    called.lay_card(ZHAO)
    assert called.counter.steps.banner.message is None
