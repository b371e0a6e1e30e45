"""What the status strip says, and when the next attempt comes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sync_hall import NOW

from clerk_app.desk.ports import LinkState, LinkStatus
from clerk_app.sync import link
from clerk_app.sync.backoff import Backoff

LATER = NOW + timedelta(minutes=5)
ONLINE = LinkStatus(LinkState.ONLINE, since=NOW, synced_at=NOW)


def test_offline_since_the_first_failure_and_synced_at_stays():
    down = link.failed(ONLINE, LATER, "SYNC-OFFLINE", 1)
    assert down == LinkStatus(LinkState.OFFLINE, since=LATER, synced_at=NOW, code="SYNC-OFFLINE")
    still = link.failed(down, LATER + timedelta(minutes=1), "SYNC-NOT-OFFICE", 2)
    assert (still.since, still.code) == (LATER, "SYNC-NOT-OFFICE")
    assert link.succeeded(still, LATER, 0.01, 1.5) == LinkStatus(
        LinkState.ONLINE, since=LATER, synced_at=LATER, skew_seconds=1.5
    )


@pytest.mark.parametrize("code", ["SYNC-SLOW", "SYNC-BUSY"])
def test_one_missing_answer_is_slow_and_two_are_none(code):
    assert link.failed(ONLINE, LATER, code, 1).state is LinkState.SLOW
    assert link.failed(ONLINE, LATER, code, 2).state is LinkState.OFFLINE


@pytest.mark.parametrize("code", ["SYNC-TLS", "SYNC-RIGHTS", "SYNC-FENCED", "SYNC-NOT-OFFICE"])
def test_an_office_that_takes_nothing_is_offline(code):
    assert link.failed(ONLINE, LATER, code, 1).state is LinkState.OFFLINE


def test_trouble_with_one_record_is_not_an_outage():
    assert link.failed(ONLINE, LATER, "SYNC-BAD-FACT", 5).state is LinkState.SLOW


def test_a_long_round_trip_is_slow_although_everything_arrives():
    assert link.succeeded(ONLINE, LATER, 2.5, 0.0).state is LinkState.SLOW


def test_full_jitter_doubles_to_a_minute_and_never_ends():
    drawn = []
    backoff = Backoff(lambda: 0.5)
    drawn = [backoff.failed() for _ in range(200)]
    assert drawn[:8] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert set(drawn[8:]) == {30}
    backoff.reset()
    assert backoff.failed() == 0.5


def test_the_offices_wish_comes_first_and_the_fleet_is_spread_after_it():
    assert Backoff(lambda: 0.0).failed(20) == 20
    assert Backoff(lambda: 0.5).failed(20) == 20.5
