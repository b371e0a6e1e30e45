"""What the voice says, sign by sign."""

from __future__ import annotations

import pytest

from clerk_app.devices.voice.announcement import announcement
from clerk_app.devices.voice.chime import chime


@pytest.mark.parametrize(
    ("ticket", "window", "chinese", "english"),
    [
        ("A037", "12", "请 A 零 三 七 号，到 十二号窗口。", "Ticket A 0 3 7, please go to window 12."),
        ("Y101", "7", "请 Y 一 零 一 号，到 七号窗口。", "Ticket Y 1 0 1, please go to window 7."),
        ("AB9", "20", "请 A B 九 号，到 二十号窗口。", "Ticket A B 9, please go to window 20."),
        ("P2", "02", "请 P 二 号，到 二号窗口。", "Ticket P 2, please go to window 2."),
        ("A1", "105", "请 A 一 号，到 一百零五号窗口。", "Ticket A 1, please go to window 105."),
        ("A1", "110", "请 A 一 号，到 一百一十号窗口。", "Ticket A 1, please go to window 110."),
        ("A1", "综合窗口 12", "请 A 一 号，到 综合窗口 十二。", "Ticket A 1, please go to window 12."),
        ("A1", "3号专窗", "请 A 一 号，到 三号专窗。", "Ticket A 1, please go to window 3."),
        ("A1", "社保专窗", "请 A 一 号，到 社保专窗。", "Ticket A 1, please. It is your turn."),
        ("A1", "East desk", "请 A 一 号，到 East desk。", "Ticket A 1, please go to East desk."),
    ],
)
def test_a_ticket_is_spelt_and_a_window_is_told_as_it_is_called(
    ticket: str, window: str, chinese: str, english: str
) -> None:
    assert announcement(ticket, window, "zh") == chinese
    assert announcement(ticket, window, "en") == english


def test_the_chime_is_a_second_of_sound_that_dies_away() -> None:
    samples = memoryview(chime(8000, 2)).cast("h")
    assert len(samples) == 2 * 8800
    assert samples[::2].tolist() == samples[1::2].tolist()  # both channels alike
    assert abs(samples[0]) < 100  # no click at either end
    assert max(map(abs, samples[-200:])) < 500
    assert 8_000 < max(map(abs, samples)) < 32_000
