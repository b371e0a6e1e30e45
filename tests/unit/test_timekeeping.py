"""The machine's clock against the office's: corrected while there is one, watched while there is none."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from desk_kit import FRIDAY

from clerk_app import clock
from clerk_app.desk import time_seen
from clerk_app.desk.ports import LinkState, LinkStatus
from clerk_app.store.cache import SqlStore
from clerk_app.timekeeping import Timekeeper

DAY = timedelta(days=1)


@dataclass
class Machine:
    """A computer whose clock is turned by the test."""

    store: SqlStore
    wall: datetime = FRIDAY
    ran: float = 5000.0
    jumps: list[None] = field(default_factory=list)

    def start(self, skew: float = 0.0) -> Timekeeper:
        told = lambda: self.jumps.append(None)  # noqa: E731
        return Timekeeper(self.store, skew, told, wall=lambda: self.wall, running=lambda: self.ran)

    def run(self, seconds: float) -> None:
        self.ran += seconds
        self.wall += timedelta(seconds=seconds)

    def seen(self) -> datetime | None:
        return self.store.read(time_seen.latest)


@pytest.fixture
def machine() -> Iterator[Machine]:
    store = SqlStore.in_memory()
    yield Machine(store)
    store.close()


def online(at: datetime, skew: float = 0.0) -> LinkStatus:
    return LinkStatus(LinkState.ONLINE, synced_at=at, skew_seconds=skew)


OFFLINE = LinkStatus(LinkState.OFFLINE, code="SYNC-OFFLINE")


def test_the_last_correction_stays_while_the_office_is_away(machine: Machine) -> None:
    keeper = machine.start(skew=300.0)
    keeper.heard(OFFLINE)
    assert keeper.clock.now() == FRIDAY + timedelta(minutes=5)
    assert keeper.corrected(OFFLINE).skew_seconds == 300.0
    keeper.heard(online(FRIDAY, -60.0))
    assert keeper.clock.now() == FRIDAY - timedelta(minutes=1)


@pytest.mark.parametrize("jump", [DAY, -DAY, timedelta(minutes=3)])
def test_a_clock_set_while_offline_is_noticed_once_and_told_until_the_office_is_asked(
    machine: Machine, jump: timedelta
) -> None:
    keeper = machine.start()
    machine.run(5)
    keeper.look()
    assert machine.jumps == []
    machine.wall += jump
    machine.run(5)
    keeper.look()
    machine.run(5)
    keeper.look()
    assert len(machine.jumps) == 1
    assert keeper.corrected(OFFLINE).jumped_seconds == pytest.approx(jump.total_seconds())
    keeper.heard(OFFLINE)
    assert keeper.corrected(OFFLINE).jumped_seconds
    again = machine.start()  # a restart does not put it right
    assert again.corrected(OFFLINE).jumped_seconds == pytest.approx(jump.total_seconds(), abs=20)
    again.heard(online(FRIDAY + DAY))
    assert again.corrected(OFFLINE).jumped_seconds == 0


def test_sleep_and_slow_looks_are_no_jumps(machine: Machine) -> None:
    keeper = machine.start()
    for seconds in (5, 8 * 3600, 0.5, 600):
        machine.run(seconds)
        machine.wall += timedelta(seconds=1)  # slewed
        keeper.look()
    assert (machine.jumps, keeper.corrected(OFFLINE).jumped_seconds) == ([], 0)


def test_a_clock_behind_what_was_seen_before_the_start_is_told(machine: Machine) -> None:
    machine.store.write(lambda tx: time_seen.note(tx, FRIDAY + DAY))
    assert machine.start().corrected(OFFLINE).jumped_seconds == -DAY.total_seconds()


def test_the_latest_time_goes_on_while_the_clock_stands_back(machine: Machine) -> None:
    keeper = machine.start()
    machine.run(60)
    keeper.look()
    assert machine.seen() == FRIDAY + timedelta(seconds=60)
    machine.wall -= DAY
    keeper.look()
    for _ in range(10):
        machine.run(60)
        keeper.look()
    assert machine.seen() == FRIDAY + timedelta(seconds=660)


def test_the_office_puts_a_time_right_that_was_too_late(machine: Machine) -> None:
    machine.store.write(lambda tx: time_seen.note(tx, FRIDAY + 400 * DAY))
    keeper = machine.start()
    keeper.heard(OFFLINE)
    machine.run(60)
    keeper.look()
    assert machine.seen() == FRIDAY + 400 * DAY + timedelta(seconds=60)
    keeper.heard(online(FRIDAY))
    machine.run(60)
    keeper.look()
    assert machine.seen() == FRIDAY + timedelta(seconds=120)


def test_it_is_not_written_more_often_than_a_minute(machine: Machine) -> None:
    keeper = machine.start()
    for _ in range(11):
        machine.run(5)
        keeper.look()
    assert machine.seen() is None
    machine.run(5)
    keeper.look()
    assert machine.seen() == FRIDAY + timedelta(seconds=60)


@pytest.mark.skipif(sys.platform == "win32", reason="no tzset: Windows has no zone to set for one process")
def test_summer_time_of_a_workstation_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its zone may be set to anything; the hall's time is counted from UTC."""
    told = []
    for zone in ("Europe/Berlin", "CET-1CEST,M1.1.0/0,M12.5.0/24", "UTC", "Pacific/Kiritimati"):
        monkeypatch.setitem(os.environ, "TZ", zone)
        time.tzset()
        told.append(clock.wall())
    monkeypatch.undo()
    time.tzset()
    assert told[-1] - told[0] < timedelta(seconds=5)
    assert {moment.utcoffset() for moment in told} == {timedelta(hours=8)}
