"""What happens on other threads reaches the screen in order, together, and never blocks it."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt, QThread
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot
from window_fakes import LI
from window_hall import Hall, tickets

from clerk_app.desk import calling
from clerk_app.desk.context import Desk
from clerk_app.desk.ports import CardRead, Changed, PaperState, PrinterStatus
from clerk_app.desk.views import QueueView
from clerk_app.failures import Failure
from clerk_app.ui.bridge import Bridge


def test_events_of_another_thread_arrive_on_the_windows_thread(qtbot: QtBot) -> None:
    bridge = Bridge()
    seen: list[tuple[str, bool]] = []
    here = QThread.currentThread()
    bridge.card.connect(lambda event: seen.append((event.record.name, QThread.currentThread() is here)))
    bridge.changed.connect(
        lambda topics: seen.append((",".join(sorted(topics)), QThread.currentThread() is here))
    )

    def tell() -> None:
        bridge.on_card(CardRead(LI))
        for topic in ("cases", "tickets", "cases"):
            bridge.on_changed(Changed(frozenset({topic})))

    thread = threading.Thread(target=tell)
    thread.start()
    qtbot.waitUntil(lambda: len(seen) == 2, timeout=2000)
    thread.join()
    assert seen == [("李晓明", True), ("cases,tickets", True)]


def test_five_thousand_changes_are_read_a_few_times(
    window_hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall = window_hall
    counter = hall.sign_in()
    reads: list[int] = []
    real = calling.queue_view

    def counted(desk: Desk) -> QueueView:
        reads.append(1)
        return real(desk)

    monkeypatch.setattr(calling, "queue_view", counted)
    more = [replace(t, id=f"{t.id}-{n}", number=f"B{n:03d}") for n, t in enumerate(tickets() * 20)]

    def storm() -> None:
        for ticket in more:
            hall.store.write(lambda tx, ticket=ticket: tx.tickets.put([ticket]))
            for _ in range(42):
                hall.window._bridge.on_changed(Changed(frozenset({"tickets"})))

    thread = threading.Thread(target=storm)
    thread.start()
    hall.bot.waitUntil(lambda: len(counter.waiting.model.rows) == 126, timeout=20_000)
    thread.join()
    hall.settle()
    assert len(reads) < 200


def test_answers_that_newer_keys_have_overtaken_are_dropped(window_hall: Hall) -> None:
    hall = window_hall
    counter = hall.sign_in()
    counter.call()
    hall.settle()
    hall.lay_card(LI)
    shown: list[str] = []
    counter.acts.found.connect(lambda text, _hits: shown.append(text))
    free = threading.Event()
    hall.lanes.catalogue.submit(free.wait, 10)
    hall.bot.keyClicks(hall.focus(), "sbk")
    free.set()
    hall.settle()
    assert shown == ["sbk"]


def test_enter_takes_what_was_typed_never_a_row_of_an_earlier_answer(window_hall: Hall) -> None:
    hall = window_hall
    counter = hall.sign_in()
    counter.call()
    hall.settle()
    hall.lay_card(LI)
    hall.type("挂失")
    assert [line.hit.name for line in counter.steps.item.hits.rows.rows] == ["社会保障卡挂失"]
    free = threading.Event()
    hall.lanes.catalogue.submit(free.wait, 10)
    counter.steps.item._search.setText("补领")
    hall.bot.keyClick(hall.focus(), Qt.Key.Key_Return)
    free.set()
    hall.settle()
    draft = counter.shown.draft
    assert draft is not None and draft.item is not None
    assert draft.item.name == "社会保障卡补领"


def test_a_printer_that_changes_is_told(window_hall: Hall) -> None:
    hall = window_hall
    counter = hall.sign_in()
    hall.printer.now = PrinterStatus(PaperState.OUT, "PRINTER-PAPER-OUT")
    hall.changed("printer")
    assert counter.header._printer_chip.text == "打印机不可用"


def test_a_bug_is_told_logged_and_survived(
    window_hall: Hall, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hall = window_hall
    counter = hall.sign_in()

    def broken(desk: Desk, operator: str) -> None:
        raise ZeroDivisionError(f"{LI.number} must not be told")

    monkeypatch.setattr(calling, "call_next", broken)
    counter.call()
    hall.settle()
    message = counter.ticket.banner.message
    assert message is not None
    assert (message.words, message.detail) == ("failure.bug", "ZeroDivisionError")
    assert "ZeroDivisionError" in caplog.text
    assert LI.number not in caplog.text
    monkeypatch.undo()
    counter.call()
    hall.settle()
    assert counter.shown.visit is not None
    assert counter.ticket.banner.message is None


def test_a_failure_is_told_with_its_code_and_its_details_fold_out(window_hall: Hall) -> None:
    hall = window_hall
    counter = hall.sign_in()
    banner = counter.ticket.banner
    banner.tell_failure(Failure("CARD-PULLED", "SW 6A82"))
    hall.settle()
    hall.click("详细信息")
    assert [part.text() for part in banner.findChildren(QLabel) if part.isVisible()][-1] == "SW 6A82"
    hall.counter.retranslate()
    assert banner.message is not None and banner.message.failure == "CARD-PULLED"


def test_an_unknown_code_still_says_something(window_hall: Hall) -> None:
    counter = window_hall.sign_in()
    counter.ticket.banner.tell_failure(Failure("NEVER-HEARD"))
    assert counter.ticket.banner.message.sentence()[0].startswith("出现了未知情况")
