"""A cycle goes through: one step's trouble is told at the end and stops no other step."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sync_hall import DEVICE, NOW, HandClock, PaperOffice, file_case, no_beat, open_store

from clerk_app.desk.ports import Changed
from clerk_app.failures import Failure
from clerk_app.sync.exchange import SKEW_KEY, SYNCED_KEY, Exchange
from clerk_app.sync.protocol import LOST_CARDS, Problem
from clerk_app.sync.transport import OfficeFailure


class Window:
    def __init__(self) -> None:
        self.store = open_store()
        self.office = PaperOffice()
        self.clock = HandClock()
        self.wall = NOW
        self.changed: list[Changed] = []
        self.exchange = Exchange(
            self.store,
            DEVICE,
            self.clock,
            wall=lambda: self.wall,
            on_items=lambda items: None,
            on_changed=self.changed.append,
        )

    def cycle(self):
        return self.exchange.cycle(self.office, no_beat)

    def meta(self, key: str) -> str | None:
        return self.store.read(lambda tx: tx.meta.get(key))


@pytest.fixture
def window():
    window = Window()
    yield window
    window.store.close()


def test_a_cycle_brings_everything_up_to_date_and_says_what_changed(window):
    file_case(window.store, 1)
    window.cycle()
    assert Changed(frozenset({"outbox", "cases"})) in window.changed
    assert window.exchange.cursors() == dict.fromkeys(window.exchange.scopes, 0)
    assert window.store.read(lambda tx: tx.numbers.blocks())[0].left == 500
    assert window.meta(SYNCED_KEY) == NOW.isoformat()


def test_an_office_that_does_not_answer_costs_no_write(window):
    file_case(window.store, 1)

    def offline(name: str) -> None:
        raise OfficeFailure("SYNC-OFFLINE")

    window.office.before = offline
    with pytest.raises(OfficeFailure):
        window.cycle()
    [command] = window.store.read(lambda tx: tx.outbox.pending())
    assert command.attempts == 0


def test_the_skew_of_the_clock_is_half_a_round_trip_honest_and_kept(window):
    def travel(name: str) -> None:
        if name == "time":
            window.clock.seconds += 4

    window.office.before = travel
    window.office.wall = lambda: NOW + timedelta(seconds=302)
    measured = window.cycle()
    assert measured.round_trip == 4
    assert measured.skew == 300
    assert window.meta(SKEW_KEY) == "300.000"


def test_trouble_in_one_scope_does_not_stop_the_others(window):
    window.cycle()
    window.office.publish("queue:general", "ticket", "t-1", {"broken": True})
    item = {"code": "i1", "status": "retired", "version": 2}
    window.office.publish("catalogue", "item", "i1", item)
    window.changed.clear()
    file_case(window.store, 1)
    with pytest.raises(Failure) as caught:
        window.cycle()
    assert caught.value.code == "SYNC-BAD-FACT"
    assert window.changed == [
        Changed(frozenset({"outbox", "cases"})),
        Changed(frozenset({"catalogue"})),
    ]


def test_a_refused_block_does_not_hold_up_the_cases(window):
    file_case(window.store, 1)

    def no_numbers(request):
        raise OfficeFailure("SYNC-REJECTED")

    window.office.block = no_numbers
    with pytest.raises(OfficeFailure):
        window.cycle()
    assert len(window.office.applied) == 1
    assert window.office.snapshots == list(window.exchange.scopes)


def test_an_older_office_without_a_list_of_lost_cards_is_no_trouble(window):
    def unknown(name: str) -> None:
        if name.endswith(LOST_CARDS):
            raise OfficeFailure("SYNC-RIGHTS", problem=Problem("OFFICE-SCOPE"))

    window.office.before = unknown
    window.cycle()
    assert LOST_CARDS not in window.exchange.cursors()  # the long poll must not ask for it either
    assert window.meta(SYNCED_KEY) == NOW.isoformat()

    window.office.before = lambda name: None  # updated meanwhile
    window.cycle()
    assert LOST_CARDS in window.exchange.cursors()


@pytest.mark.parametrize("scope", ["queue:general", LOST_CARDS])
def test_any_other_refusal_of_a_scope_ends_the_cycle(window, scope):
    code = "OFFICE-SCOPE" if scope != LOST_CARDS else "OFFICE-DEVICE"

    def refuse(name: str) -> None:
        if name.endswith(scope):
            raise OfficeFailure("SYNC-RIGHTS", problem=Problem(code))

    window.office.before = refuse
    with pytest.raises(OfficeFailure):
        window.cycle()


def test_in_step_is_told_in_the_offices_time_whatever_this_clock_jumped_to(window):
    """Retention counts its days by it: a clock a year ahead must not make today's cases old."""
    window.office.wall = lambda: NOW
    window.wall = window.clock.wall = NOW + timedelta(days=365)  # the correction of before is out of date too
    window.cycle()
    assert window.meta(SYNCED_KEY) == NOW.isoformat()
