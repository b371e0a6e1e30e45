"""A workstation that runs: cases leave it after their days, and the sync goes on behind the hole."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from workstation_kit import OpenHall, Window

from clerk_app.desk import calling, looking_up
from clerk_app.desk.ports import LinkState
from clerk_app.desk.retention import CONFIRMED_KEY


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[OpenHall]:
    with OpenHall(tmp_path) as hall:
        yield hall


def confirmed(window: Window) -> str:
    return window.desk.store.read(lambda tx: tx.meta.get(CONFIRMED_KEY) or "")


def test_after_its_days_a_case_is_found_by_its_receipt_alone(hall: OpenHall) -> None:
    window = hall.window()
    (ticket,) = hall.tickets(1)
    window.sign_in()
    visit = window.by_paper(ticket)
    kept = window.accept()
    calling.finish(window.desk, visit.id)
    window.until_registered(kept)
    window.until_printed(kept)
    window.until_sent()
    day = confirmed(window)
    hall.office.clock.ahead += timedelta(days=9)
    window.workstation.scheduler.poke()
    window.until(lambda: confirmed(window)[:10] > day[:10])
    assert looking_up.case(window.desk, kept.number) is not None  # once a day, not at every sync
    window = hall.again(window)
    window.until(lambda: looking_up.case(window.desk, kept.number) is None)
    receipt = looking_up.receipt(window.desk, kept.number)
    assert receipt is not None
    assert receipt.official_number
    assert window.desk.store.read(lambda tx: tx.outbox.purged_through()) > 0

    window.until_link(LinkState.ONLINE)
    window.sign_in()
    window.by_paper("A002")
    next_one = window.accept()
    window.until_registered(next_one)
    assert next_one.number > kept.number
    assert hall.registered() == {kept.number: "accepted", next_one.number: "accepted"}


def test_a_workstation_whose_clock_jumped_ahead_keeps_what_is_of_today(hall: OpenHall) -> None:
    window = hall.window()
    (ticket,) = hall.tickets(1)
    window.sign_in()
    visit = window.by_paper(ticket)
    kept = window.accept()
    calling.finish(window.desk, visit.id)
    window.until_registered(kept)
    window.until_printed(kept)
    window.until_sent()
    window.desk.store.write(lambda tx: tx.meta.set("clock_skew", str(365 * 86400.0)))
    window = hall.again(window)
    window.until_link(LinkState.ONLINE)
    window.workstation.lanes.desk.run(lambda: None)  # the first purge was queued before
    assert looking_up.case(window.desk, kept.number) is not None
