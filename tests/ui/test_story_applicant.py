"""Who stands at the window: cards that come and go, typed entries, agents, organisations."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from PySide6.QtCore import Qt
from window_fakes import LI, ZHAO
from window_hall import Hall

from clerk_app.desk.ports import CardFailed, CardRead, ReaderState, ReaderStatus
from clerk_app.domain.applicant import CardRecord, DocumentKind, EntrySource
from clerk_app.ui.readers_at_window import BETWEEN, ReadersAtWindow

ALT = Qt.KeyboardModifier.AltModifier


@pytest.fixture
def called(window_hall: Hall) -> Hall:
    window_hall.sign_in()
    window_hall.press(Qt.Key.Key_F1)
    return window_hall


def who(hall: Hall):
    draft = hall.counter.shown.draft
    assert draft is not None
    return draft.applicant


def test_a_card_fills_the_applicant_and_the_search_is_ready(called: Hall) -> None:
    called.lay_card(LI)
    assert who(called).party.name == "李晓明"
    assert who(called).party.number == "510704********123X"
    called.type("补领")
    assert called.counter.steps.item.search_text == "补领"


def test_the_same_card_again_changes_nothing(called: Hall) -> None:
    called.lay_card(LI)
    called.lay_card(LI)
    assert called.counter.steps.applicant.banner.message.words == "card.same"


def test_a_namesake_whose_number_looks_the_same_masked_is_another_person(called: Hall) -> None:
    called.lay_card(LI)
    called.lay_card(replace(LI, number="51070419890704123X", birth=date(1989, 7, 4)))
    assert called.counter.steps.applicant.banner.message.words == "card.other"


def test_another_card_never_replaces_the_applicant_without_a_word(called: Hall) -> None:
    called.lay_card(LI)
    called.lay_card(ZHAO)
    assert who(called).party.name == "李晓明"
    called.click("更换申请人")
    assert who(called).party.name == "赵清和"


def test_a_question_about_a_card_ends_with_its_visit(called: Hall) -> None:
    called.lay_card(LI)
    called.lay_card(ZHAO)
    called.press(Qt.Key.Key_F7)
    assert called.counter.steps.applicant.banner.message is None
    called.press(Qt.Key.Key_F1)
    called.press(Qt.Key.Key_N, ALT)
    assert who(called) is None


def test_why_a_card_could_not_be_read_before_the_call_is_still_told(window_hall: Hall) -> None:
    window_hall.sign_in()
    window_hall.reader.lay(CardFailed("CARD-UNREADABLE", "Sample Reader"))
    window_hall.press(Qt.Key.Key_F1)
    assert window_hall.counter.steps.applicant.banner.message.failure == "CARD-UNREADABLE"


def test_another_card_can_be_the_agent(called: Hall) -> None:
    called.lay_card(LI)
    called.lay_card(ZHAO)
    called.click("作为代理人")
    assert (who(called).party.name, who(called).agent.name) == ("李晓明", "赵清和")


def test_the_agents_card_is_awaited_after_alt_a(called: Hall) -> None:
    called.lay_card(LI)
    called.press(Qt.Key.Key_A, ALT)
    called.lay_card(ZHAO)
    assert who(called).agent.name == "赵清和"


def test_typing_needs_a_true_number_and_is_marked(called: Hall) -> None:
    called.press(Qt.Key.Key_T, ALT)
    called.type("李晓明")
    called.press(Qt.Key.Key_Tab)
    called.type("510704198906041231")
    called.press(Qt.Key.Key_Return)
    assert called.counter.steps.applicant.banner.message.failure == "ID-CHECK-DIGIT"
    called.press(Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    called.type("51070419890604123x")
    called.press(Qt.Key.Key_Return)
    assert who(called).party.source is EntrySource.TYPED
    assert called.counter.steps.applicant.banner.message is None


def test_an_empty_entry_says_what_is_missing_and_keeps_the_focus(called: Hall) -> None:
    called.press(Qt.Key.Key_T, ALT)
    called.press(Qt.Key.Key_Return)
    assert called.counter.steps.applicant._typed._problem.text() == "请填写：姓名"
    called.press(Qt.Key.Key_Escape)
    assert called.counter.steps.applicant._typed.isHidden()


def test_an_organisation_waits_for_the_card_of_the_person_at_the_window(called: Hall) -> None:
    called.press(Qt.Key.Key_O, ALT)
    called.type("绵阳示例商贸有限公司")
    called.press(Qt.Key.Key_Tab)
    called.type("91510700MA6200001X")
    called.press(Qt.Key.Key_Return)
    assert called.counter.steps.open_number == 1
    called.lay_card(LI)
    assert who(called).organisation == "绵阳示例商贸有限公司"
    assert who(called).agent.name == "李晓明"
    assert called.counter.steps.open_number == 2


def test_a_card_nobody_was_called_for_is_told_and_not_taken(window_hall: Hall) -> None:
    counter = window_hall.sign_in()
    window_hall.lay_card(LI)
    assert counter.steps.banner.message.words == "card.no_visit"
    assert counter.shown.draft is None


def test_a_card_laid_before_the_call_is_read_for_the_one_who_is_called(window_hall: Hall) -> None:
    window_hall.sign_in()
    window_hall.lay_card(LI)
    window_hall.press(Qt.Key.Key_F1)
    window_hall.settle()
    assert who(window_hall).party.name == "李晓明"


def test_a_card_left_behind_is_not_taken_for_the_next(called: Hall) -> None:
    called.lay_card(LI)
    called.press(Qt.Key.Key_F7)
    called.press(Qt.Key.Key_F1)
    called.settle()
    assert called.counter.shown.visit.ticket_number == "A038"
    draft = called.counter.shown.draft
    assert draft is None or draft.applicant is None


def on(reader: str, record: CardRecord) -> CardRead:
    return CardRead(record, reader)


def test_of_two_readers_only_the_card_laid_for_the_one_who_is_called_is_taken(called: Hall) -> None:
    called.reader.lay(on("left", LI))
    called.press(Qt.Key.Key_F7)
    called.reader.lay(on("right", ZHAO))
    called.press(Qt.Key.Key_F1)  # both are read again
    assert who(called).party.name == "赵清和"
    assert called.counter.steps.banner.message.words == "card.left_behind"
    assert called.counter.steps.applicant.banner.message is None


def test_an_empty_reader_does_not_forget_the_card_on_the_other(window_hall: Hall) -> None:
    counter = window_hall.sign_in()
    window_hall.reader.lay(on("right", ZHAO))
    window_hall.reader.listener(ReaderStatus(ReaderState.PRESENT, "right"))
    window_hall.reader.listener(ReaderStatus(ReaderState.EMPTY, "left"))
    window_hall.settle()
    assert counter.header._reader == ReaderStatus(ReaderState.PRESENT, "right")
    window_hall.press(Qt.Key.Key_F1)
    assert who(window_hall).party.name == "赵清和"


@pytest.mark.parametrize("between", [True, False], ids=["between two visits", "in the next visit"])
def test_a_card_left_behind_and_read_again_by_itself_is_not_taken(called: Hall, between: bool) -> None:
    """After the machine slept, or the service was away, whatever lies there is read again."""
    called.lay_card(LI)
    called.press(Qt.Key.Key_F7)
    if not between:
        called.press(Qt.Key.Key_F1)
    called.reader.listener(ReaderStatus(ReaderState.SERVICE_LOST))
    called.reader.read_again()
    called.settle()
    if between:
        called.press(Qt.Key.Key_F1)
    assert who(called) is None


def test_a_card_left_behind_that_is_lifted_and_laid_is_taken(called: Hall) -> None:
    called.lay_card(LI)
    called.press(Qt.Key.Key_F7)
    called.press(Qt.Key.Key_F1)
    called.lay_card(LI)
    assert who(called).party.name == "李晓明"


def test_who_laid_a_card_before_the_reader_went_may_have_gone_with_it(window_hall: Hall) -> None:
    window_hall.sign_in()
    window_hall.lay_card(LI)
    window_hall.reader.listener(ReaderStatus(ReaderState.NO_READER))
    window_hall.press(Qt.Key.Key_F1)
    assert who(window_hall) is None


def test_a_card_that_could_not_be_read_says_what_to_do(called: Hall) -> None:
    called.reader.lay(CardFailed("CARD-PULLED", detail="SW 6A82"))
    called.settle()
    banner = called.counter.steps.applicant.banner
    assert banner.message.failure == "CARD-PULLED"
    assert banner.isVisible()


def test_a_passport_is_typed_with_kind_and_birth_date(called: Hall) -> None:
    called.press(Qt.Key.Key_T, ALT)
    called.type("ERIKSSON ANNA MARIA")
    called.press(Qt.Key.Key_Tab)
    called.type("L898902C3")
    called.press(Qt.Key.Key_Tab)
    entry = called.counter.steps.applicant._typed
    assert entry._birth.isHidden()
    called.press(Qt.Key.Key_Down)
    assert (entry.kind, entry._birth.isVisible()) == (DocumentKind.PASSPORT, True)
    called.press(Qt.Key.Key_Tab)
    called.press(Qt.Key.Key_Return)
    assert entry._problem.text() == "请填写：出生日期"
    called.type("1974-13-12")
    called.press(Qt.Key.Key_Return)
    assert entry._problem.isVisible()
    entry._birth.clear()
    called.type("19740812")
    called.press(Qt.Key.Key_Return)
    party = who(called).party
    assert (party.kind, party.source, party.birth) == (
        DocumentKind.PASSPORT,
        EntrySource.TYPED,
        date(1974, 8, 12),
    )


def test_a_typed_permit_whose_number_cannot_be_is_told_where_it_was_typed(called: Hall) -> None:
    called.press(Qt.Key.Key_T, ALT)
    entry = called.counter.steps.applicant._typed
    entry._name.setText("LIN")
    entry._number.setText("X1")
    entry._kind.setCurrentIndex(2)
    entry._birth.setText("1990-01-01")
    called.press(Qt.Key.Key_Return)
    assert called.counter.steps.applicant.banner.message.failure == "ID-DOCUMENT-NUMBER"


def test_a_card_reported_lost_keeps_the_clerk_at_the_applicant(called: Hall) -> None:
    called.report_lost(LI)
    called.lay_card(LI)
    step = called.counter.steps.applicant
    assert called.counter.steps.open_number == 1
    assert (step._alarm.text, step._alarm.told[2], step._alarm.isVisible()) == ("已报失", "bad", True)
    called.press(Qt.Key.Key_2, ALT)  # looked at: the work goes on, and the line still says it
    assert called.counter.steps.open_number == 2
    assert step._alarm.isVisible()


@pytest.mark.parametrize(
    ("card", "words"),
    [
        (replace(LI, valid_until=date(2020, 1, 1)), "已过期"),
        (replace(LI, birth=date(2015, 3, 7)), "未成年"),
        (ZHAO, ""),
    ],
)
def test_what_stops_the_case_stands_on_the_folded_line(called: Hall, card: CardRecord, words: str) -> None:
    called.lay_card(card)
    step = called.counter.steps.applicant
    assert called.counter.steps.open_number == 2
    assert (step._alarm.text if step._alarm.isVisible() else "") == words


def test_a_card_read_again_in_the_moment_of_the_call_is_the_called_ones() -> None:
    readers = ReadersAtWindow()
    assert readers.take(on("left", LI), BETWEEN)
    assert readers.take(on("left", LI), "visit-2")
    assert not readers.take(on("left", LI), "visit-3")
    assert readers.take(on("left", ZHAO), "visit-3"), "another card, whatever was not reported"
