"""The picture on a card: after the text, for who stands here, and gone with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from window_fakes import LI, ZHAO
from window_hall import Hall, hall

from clerk_app.devices.card import photo
from clerk_app.domain.applicant import CardRecord
from clerk_app.ui.steps.portrait import Portrait
from tests.devices.installed import install

ALT = Qt.KeyboardModifier.AltModifier
DECODER = """
import base64, threading

go, asked = threading.Event(), []
go.set()
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAADCAIAAAA2iEnWAAAAGUlEQVR4nGPQiFoARAxuUQuAiCElagEQ"
    "AQBJcQeBz0BcFAAAAABJRU5ErkJggg=="
)

def decode(block):
    asked.append((block[:2].decode(), threading.current_thread().name))
    go.wait(30)
    if block[:2] == b"NO":
        raise OSError("no licence; the card of " + block.decode())
    if block[:2] == b"EX":
        raise SystemExit(1)
    return b"\\x89PNG\\r\\n\\x1a\\n, not really" if block[:2] == b"OD" else PNG
"""


def with_photo(record: CardRecord, mark: str) -> CardRecord:
    return replace(record, photo=mark.encode().ljust(1024, b"."))


@pytest.fixture
def pictured(
    qtbot: QtBot, qapp: QApplication, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Hall]:
    """A called ticket at a window where a decoder is installed; `decoder()` is its module."""
    monkeypatch.setattr(photo, "_failed", set())
    points = {"hall": "hall_wlt:decode"}
    install(monkeypatch, tmp_path / "site", "hall_wlt", DECODER, clerk_app__photo_decoders=points)
    with hall(qtbot, qapp, decode_photo=photo.installed()) as made:
        made.sign_in()
        made.press(Qt.Key.Key_F1)
        yield made
        decoder().go.set()


def decoder():
    """The module of the installed decoder."""
    import hall_wlt

    return hall_wlt


def portraits(hall: Hall) -> list[tuple[str, bool]]:
    """Whose portraits are on the page of the applicant, and whether they are pictures."""
    hall.counter.steps.open_step(1, focus=False)
    hall.settle()
    shown = [found for found in hall.counter.steps.applicant.findChildren(Portrait) if found.isVisible()]
    return [(found.accessibleName().split("：")[1], found.pictured) for found in shown]


def await_picture(hall: Hall, *shown: tuple[str, bool]) -> None:
    hall.bot.waitUntil(lambda: portraits(hall) == list(shown), timeout=10_000)


def nothing_kept(hall: Hall) -> bool:
    kept = hall.counter.portraits
    return not (kept._pictures or kept._blocks or kept._present)


def test_the_picture_of_a_card_is_beside_its_person(pictured: Hall) -> None:
    pictured.lay_card(with_photo(LI, "A"))
    await_picture(pictured, ("李晓明", True))
    assert [thread for _, thread in decoder().asked] == ["lane-photo"]


def test_the_text_is_there_and_goes_on_while_a_decoder_hangs(pictured: Hall) -> None:
    decoder().go.clear()
    pictured.lay_card(with_photo(LI, "A"))
    pictured.bot.waitUntil(lambda: len(decoder().asked) == 1)
    assert pictured.window.idle, "nobody waits for a picture"
    assert portraits(pictured) == [("李晓明", False)]
    pictured.press(Qt.Key.Key_A, ALT)
    pictured.lay_card(with_photo(ZHAO, "B"))
    assert portraits(pictured) == [("李晓明", False), ("赵清和", False)]
    assert len(decoder().asked) == 1, "one at a time: the rest is not left with a decoder that hangs"
    decoder().go.set()
    await_picture(pictured, ("李晓明", True), ("赵清和", True))


def test_a_picture_that_comes_after_its_person_has_left_is_nobodys(pictured: Hall) -> None:
    decoder().go.clear()
    pictured.lay_card(with_photo(LI, "A"))
    pictured.bot.waitUntil(lambda: len(decoder().asked) == 1)
    pictured.press(Qt.Key.Key_F7)
    pictured.press(Qt.Key.Key_F1)
    pictured.lay_card(with_photo(ZHAO, "B"))
    decoder().go.set()
    await_picture(pictured, ("赵清和", True))
    assert len(pictured.counter.portraits._pictures) == 1


def test_a_decoder_that_hangs_gets_no_more_photos_of_people_who_leave(pictured: Hall) -> None:
    decoder().go.clear()
    pictured.lay_card(with_photo(LI, "A"))
    pictured.bot.waitUntil(lambda: len(decoder().asked) == 1)
    pictured.press(Qt.Key.Key_A, ALT)
    pictured.lay_card(with_photo(ZHAO, "B"))
    pictured.press(Qt.Key.Key_F7)
    decoder().go.set()
    pictured.press(Qt.Key.Key_F1)
    pictured.lay_card(with_photo(LI, "C"))
    await_picture(pictured, ("李晓明", True))
    assert [mark for mark, _ in decoder().asked] == ["A.", "C."]


@pytest.mark.parametrize("mark", ["NO", "EX", "OD"])
def test_a_decoder_that_fails_gives_no_picture_and_says_nothing_of_the_card(
    pictured: Hall, mark: str, caplog: pytest.LogCaptureFixture
) -> None:
    pictured.lay_card(with_photo(LI, mark))
    pictured.bot.waitUntil(lambda: len(decoder().asked) == 1 and pictured.counter.portraits._decoding is None)
    assert portraits(pictured) == [("李晓明", False)]
    assert f"{mark}.." not in caplog.text
    pictured.press(Qt.Key.Key_A, ALT)
    pictured.lay_card(with_photo(ZHAO, "B"))
    await_picture(pictured, ("李晓明", False), ("赵清和", True))


def test_a_decoder_of_ours_that_raises_is_survived_too(
    qtbot: QtBot, qapp: QApplication, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(block: bytes) -> bytes | None:
        raise SystemExit(f"quotes {block!r}")

    with hall(qtbot, qapp, decode_photo=broken) as made:
        made.sign_in()
        made.press(Qt.Key.Key_F1)
        made.lay_card(with_photo(LI, "A"))
        made.bot.waitUntil(lambda: "the photo decoder raised SystemExit" in caplog.text)
        assert portraits(made) == [("李晓明", False)]
        assert "quotes" not in caplog.text


def test_another_persons_card_brings_no_picture_until_that_person_is_taken(pictured: Hall) -> None:
    pictured.lay_card(with_photo(LI, "A"))
    await_picture(pictured, ("李晓明", True))
    pictured.lay_card(with_photo(ZHAO, "B"))
    assert portraits(pictured) == [("李晓明", True)]
    assert [mark for mark, _ in decoder().asked] == ["A."]
    pictured.click("更换申请人")
    await_picture(pictured, ("赵清和", True))
    assert len(pictured.counter.portraits._pictures) == 1, "the first went with its person"


def test_the_desk_gets_a_card_without_its_photo(pictured: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    given = []

    async def card(record: CardRecord, role: str) -> None:
        given.append(record)

    monkeypatch.setattr(pictured.counter.acts, "card", card)
    pictured.lay_card(with_photo(LI, "A"))
    assert given == [LI]


def test_only_the_same_name_number_and_birth_are_the_same_person(pictured: Hall) -> None:
    other = replace(LI, number="51070419890704123X", birth=LI.birth.replace(month=7))
    pictured.lay_card(with_photo(other, "A"))
    await_picture(pictured, ("李晓明", True))
    pictured.press(Qt.Key.Key_A, ALT)
    pictured.lay_card(LI)
    assert portraits(pictured) == [("李晓明", True), ("李晓明", False)]


def test_who_is_typed_has_no_portrait(pictured: Hall) -> None:
    pictured.lay_card(with_photo(LI, "A"))
    await_picture(pictured, ("李晓明", True))
    pictured.counter.steps.applicant.clear()
    pictured.settle()
    assert nothing_kept(pictured)
    pictured.press(Qt.Key.Key_T, ALT)
    pictured.type("李晓明")
    pictured.press(Qt.Key.Key_Tab)
    pictured.type("51070419890604123X")
    pictured.press(Qt.Key.Key_Return)
    assert portraits(pictured) == []


def test_the_picture_stays_for_the_next_case_of_the_visit(pictured: Hall) -> None:
    pictured.lay_card(with_photo(LI, "A"))
    await_picture(pictured, ("李晓明", True))
    pictured.counter.portraits.show_work(pictured.counter.shown.visit, None)
    pictured.counter.portraits.show_work(pictured.counter.shown.visit, pictured.counter.shown.draft)
    assert portraits(pictured) == [("李晓明", True)]


def test_it_is_gone_when_the_visit_is_finished(pictured: Hall) -> None:
    pictured.lay_card(with_photo(LI, "A"))
    await_picture(pictured, ("李晓明", True))
    pictured.lay_card(with_photo(ZHAO, "B"))  # a question that nobody answers
    pictured.press(Qt.Key.Key_F7)
    assert nothing_kept(pictured)


def test_it_is_gone_when_the_clerk_signs_out(pictured: Hall) -> None:
    pictured.lay_card(with_photo(LI, "A"))
    await_picture(pictured, ("李晓明", True))
    kept = pictured.counter.portraits
    pictured.window.sign_out()
    assert not (kept._pictures or kept._blocks or kept._present)


def test_a_card_without_a_photo_is_a_silhouette(pictured: Hall) -> None:
    pictured.lay_card(LI)
    assert portraits(pictured) == [("李晓明", False)]


def test_without_a_decoder_no_photo_is_kept_at_all(window_hall: Hall) -> None:
    window_hall.sign_in()
    window_hall.press(Qt.Key.Key_F1)
    window_hall.lay_card(with_photo(LI, "A"))
    assert portraits(window_hall) == [("李晓明", False)]
    assert not window_hall.counter.portraits._blocks


def test_a_window_closes_while_a_decoder_hangs(pictured: Hall) -> None:
    decoder().go.clear()
    pictured.lay_card(with_photo(LI, "A"))
    pictured.bot.waitUntil(lambda: len(decoder().asked) == 1)
    pictured.window.close()
    assert pictured.window.isHidden()
