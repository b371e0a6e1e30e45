"""What the office has this workstation as, and an office that is older, or has taken its word back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sync_hall import DEVICE, HandClock, PaperOffice, file_case, no_beat, open_store

from clerk_app.desk.ports import CommandState
from clerk_app.failures import Failure
from clerk_app.sync.exchange import Exchange
from clerk_app.sync.transport import OfficeFailure


class Window:
    def __init__(self) -> None:
        self.store = open_store()
        self.office = PaperOffice()
        self.asked: list[str] = []
        self.office.before = self.asked.append
        self.changed: list[frozenset[str]] = []
        self.start()

    def start(self) -> None:
        clock = HandClock()
        device = self.device()
        self.exchange = Exchange(
            self.store,
            device,
            clock,
            wall=clock.now,
            on_items=lambda items: None,
            on_changed=lambda changed: self.changed.append(changed.topics),
        )

    def cycle(self) -> None:
        self.asked.clear()
        self.exchange.cycle(self.office, no_beat)

    def device(self):
        return self.store.read(lambda tx: tx.meta.device())


@pytest.fixture
def window():
    window = Window()
    yield window
    window.store.close()


def test_a_window_that_it_moved_is_known_from_the_next_start_on(window):
    window.office.device_answer = replace(
        window.office.device_answer, window="7", queue="social", offline_series="L3", seal_key="ab"
    )
    window.cycle()
    assert frozenset({"device"}) in window.changed
    assert "changes queue:social" not in window.asked
    assert window.device() == replace(DEVICE, window="7", queue="social", offline_series="L3", seal_key="ab")
    window.start()
    window.cycle()
    assert window.office.snapshots.count("queue:social") == 1
    assert window.store.read(lambda tx: tx.feed.cursor("queue:general")) is None  # its mirror is gone


def test_a_window_that_comes_back_to_a_queue_fetches_it_anew(window):
    at_first = window.office.device_answer
    for queue in ("social", DEVICE.queue):
        window.cycle()
        window.office.device_answer = replace(at_first, queue=queue)
        window.start()
        window.cycle()
        window.start()
        window.cycle()
    assert window.office.snapshots.count(f"queue:{DEVICE.queue}") == 2


def test_a_window_with_nothing_to_send_asks_once_a_start_what_the_office_still_has(window):
    window.cycle()
    window.office.pushes.clear()
    window.start()
    window.cycle()
    window.cycle()
    assert [len(push.commands) for push in window.office.pushes] == [0]


def test_it_is_asked_once_a_start(window):
    window.cycle()
    assert "device" in window.asked
    window.cycle()
    assert "device" not in window.asked


@pytest.mark.parametrize("change", [{"device": "dev-2"}, {"epoch": 2}, {"hall_code": "CD01"}])
def test_only_an_enrolment_makes_another_device_of_it(window, change):
    window.office.device_answer = replace(window.office.device_answer, window="7", **change)
    window.cycle()
    assert window.device() == DEVICE


def test_it_is_asked_again_after_the_epoch_was_refused(window):
    window.cycle()

    def fenced(name: str) -> None:
        if name.startswith("changes"):
            raise OfficeFailure("SYNC-FENCED")

    window.office.before = fenced
    with pytest.raises(OfficeFailure):
        window.cycle()
    window.office.before = window.asked.append
    window.cycle()
    assert "device" in window.asked


def test_an_older_office_that_cannot_say_is_no_trouble(window):
    def unknown():
        raise OfficeFailure("SYNC-NO-CALL")

    window.office.device = unknown
    window.cycle()
    assert window.device() == DEVICE


def test_a_revoked_workstation_loses_nothing(window):
    case = file_case(window.store, 1)

    def revoked(name: str) -> None:
        raise OfficeFailure("SYNC-REVOKED")

    window.office.before = revoked
    with pytest.raises(OfficeFailure) as caught:
        window.cycle()
    assert caught.value.code == "SYNC-REVOKED"
    assert [c.state for c in window.store.read(lambda tx: tx.outbox.pending())] == [CommandState.WAITING]
    assert window.store.read(lambda tx: tx.cases.get(case.id)) == case


def test_commands_newer_than_the_office_wait_and_the_rest_goes_on(window):
    case = file_case(window.store, 1)
    window.office.schema = 1
    with pytest.raises(Failure) as caught:
        window.cycle()
    assert caught.value.code == "SYNC-OFFICE-OLD"
    assert window.office.applied == []
    assert [c.state for c in window.store.read(lambda tx: tx.outbox.pending())] == [CommandState.WAITING]
    assert "queue:general" in window.office.snapshots
    window.office.schema = 2  # updated
    window.cycle()
    assert window.office.applied == [case.id]


def test_an_office_without_emergency_numbers_is_not_asked_for_them(window):
    window.office.schema = 1
    window.cycle()
    assert {request.kind for request in window.office.blocks.values()} == {"case"}
    window.office.schema = 2
    window.cycle()
    assert {request.kind for request in window.office.blocks.values()} == {"case", "emergency"}
