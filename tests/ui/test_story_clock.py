"""A clock that is off is told before a date is printed, and what is printed is the office's time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from PySide6.QtCore import Qt
from window_fakes import LI, MORNING
from window_hall import Hall

from clerk_app.clock import HallClock
from clerk_app.desk.ports import LinkState, LinkStatus
from clerk_app.ui import words
from clerk_app.ui.clock_notice import clock_message

ALT, CTRL = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


def online(skew: float = 0.0, jumped: float = 0.0) -> LinkStatus:
    return LinkStatus(LinkState.ONLINE, synced_at=MORNING, skew_seconds=skew, jumped_seconds=jumped)


def show(hall: Hall, link: LinkStatus) -> None:
    hall.link[:] = [link]
    hall.changed("link")


def told(hall: Hall) -> str:
    message = hall.counter.steps.clock.message
    return message.sentence()[0] if message else ""


def chip(hall: Hall) -> str:
    clock = hall.counter.header._clock
    return clock.accessibleName() if clock.isVisible() else ""


@pytest.fixture
def filling(window_hall: Hall) -> Hall:
    hall = window_hall
    hall.sign_in()
    hall.press(Qt.Key.Key_F1)
    hall.lay_card(LI)
    hall.type("sbk bl")
    hall.press(Qt.Key.Key_Return)
    return hall


def test_it_stands_where_a_case_is_accepted_and_in_the_header_all_the_time(filling: Hall) -> None:
    show(filling, online(skew=5 * MINUTE))
    assert told(filling) == ""
    assert chip(filling).startswith("本机时钟慢 5 分钟")
    filling.press(Qt.Key.Key_6, ALT)
    assert told(filling).startswith("本机时钟慢 5 分钟，凭证已按后台时间打印")
    filling.press(Qt.Key.Key_L, CTRL)
    assert told(filling).startswith("This computer's clock is 5 min slow")
    filling.press(Qt.Key.Key_L, CTRL)
    show(filling, online(skew=30.0))
    assert (told(filling), chip(filling)) == ("", "")


def test_the_last_known_error_is_told_offline_too(filling: Hall) -> None:
    filling.press(Qt.Key.Key_6, ALT)
    show(filling, replace(online(skew=-5 * MINUTE), state=LinkState.OFFLINE, since=MORNING))
    assert told(filling).startswith("本机时钟快 5 分钟")


def test_a_clock_set_while_offline_comes_first(filling: Hall) -> None:
    filling.press(Qt.Key.Key_6, ALT)
    show(filling, online(skew=5 * MINUTE, jumped=-DAY * 3))
    assert told(filling) == "离线期间本机时钟被拨慢 3 天：打印前请核对日期和时间。"
    show(filling, online(jumped=25 * HOUR))
    assert "拨快 25 小时" in told(filling)


@pytest.mark.parametrize("seconds", [0.0, 119.0, -119.0])
def test_what_is_corrected_anyway_is_not_told(seconds: float) -> None:
    assert clock_message(online(skew=seconds, jumped=seconds)) is None


def test_the_notice_is_not_told_again_for_a_few_seconds_more() -> None:
    words.speak("zh")
    assert clock_message(online(skew=300.0)) == clock_message(online(skew=304.0))


def test_the_slip_bears_the_corrected_time(filling: Hall) -> None:
    """The workstation's clock is five minutes behind; the case and its paper have the office's time."""
    clock = HallClock(5 * MINUTE, lambda: MORNING - timedelta(minutes=5))
    object.__setattr__(filling.desk, "clock", clock)
    filling.type("13812345678")
    filling.press(Qt.Key.Key_Return)
    filling.press(Qt.Key.Key_Down)
    filling.counter.steps.open_step(5)
    filling.settle()
    for row in filling.counter.steps.material._rows.values():
        if not row._tick.isChecked():
            row._tick.click()
            filling.settle()
    filling.press(Qt.Key.Key_F9)
    slip = filling.printer.papers[-1][0]
    assert (slip.received_at, slip.accepted_at) == (MORNING, MORNING)
    assert filling.store.read(lambda tx: tx.outbox.pending())[-1].body["received_at"] == MORNING.isoformat()
