"""Cycles run one at a time, soon after each poke, and for ever while they fail."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from sync_hall import HandClock

from clerk_app.desk.ports import LinkState
from clerk_app.sync.exchange import Measured
from clerk_app.sync.protocol import WaitAnswer
from clerk_app.sync.scheduler import REVOKED_SECONDS, Scheduler
from clerk_app.sync.transport import OfficeFailure

SOON = 5.0
"""Seconds a test waits for something that happens at once."""


class FakeClient:
    """A line that can be cut. The long poll blocks until the test pokes or the line is cut."""

    def __init__(self, pokes: queue.Queue) -> None:
        self.is_cut = threading.Event()
        self._pokes = pokes

    def watch(self, progress) -> None:
        self.progress = progress

    def wait(self, cursors, seconds: int) -> WaitAnswer:
        while not self.is_cut.is_set():
            try:
                answer = self._pokes.get(timeout=0.01)
            except queue.Empty:
                continue
            if isinstance(answer, Exception):
                raise answer
            return WaitAnswer(answer)
        raise OfficeFailure("SYNC-OFFLINE")

    def cut(self) -> None:
        self.is_cut.set()

    close = cut


class Desk:
    """A scheduler whose cycles the test steps through: each announces itself and takes its outcome."""

    def __init__(self, clock, **options) -> None:
        self.clock = clock
        self.began: queue.Queue = queue.Queue()
        self.outcomes: queue.Queue = queue.Queue()
        self.links: queue.Queue = queue.Queue()
        self.pokes: queue.Queue = queue.Queue()
        self.clients: list[FakeClient] = []
        self.cursor = 0
        self.running = 0
        self.scheduler = Scheduler(
            self,
            self.connect,
            clock=clock,
            on_link=self.links.put,
            random=lambda: 1.0,
            **options,
        )

    def connect(self) -> FakeClient:
        client = FakeClient(self.pokes)
        self.clients.append(client)
        return client

    def cycle(self, client: FakeClient, beat: Callable[[], None]) -> Measured:
        self.running += 1
        assert self.running == 1, "two cycles at a time"
        self.began.put(client)
        try:
            outcome = self.outcomes.get(timeout=SOON)
            if isinstance(outcome, Exception):
                raise outcome
            if callable(outcome):
                outcome(client, beat)
            return Measured(0.01, 0.0)
        finally:
            self.running -= 1

    def cursors(self) -> dict[str, int]:
        return {"device:d": self.cursor}

    def step(self, outcome: object = None):
        """Let the next cycle run to `outcome`; the link's status after it."""
        self.began.get(timeout=SOON)
        self.outcomes.put(outcome)
        return self.links.get(timeout=SOON)

    def idle(self) -> bool:
        """Whether no cycle begins although the threads had every chance to."""
        self.scheduler.poke()
        try:
            self.began.get(timeout=0.05)
        except queue.Empty:
            return True
        return False


@pytest.fixture
def desk():
    desk = Desk(HandClock())
    desk.scheduler.start()
    yield desk
    desk.outcomes.put(None)
    desk.scheduler.stop()


def test_a_poke_after_each_commit_runs_a_cycle(desk):
    assert desk.step().state is LinkState.ONLINE
    desk.scheduler.poke()
    assert desk.step().state is LinkState.ONLINE


def test_the_link_says_when_it_was_tried_and_when_it_is_tried_again(desk):
    down = desk.step(OfficeFailure("SYNC-OFFLINE"))
    assert (down.tried_at, down.next_at) == (desk.clock.now(), desk.clock.now() + timedelta(seconds=1))
    desk.scheduler.network_up()
    up = desk.step()
    assert (up.tried_at, up.next_at) == (desk.clock.now(), None)


def test_a_poke_during_a_cycle_runs_another(desk):
    desk.began.get(timeout=SOON)
    desk.scheduler.poke()
    desk.outcomes.put(None)
    desk.links.get(timeout=SOON)
    desk.step()


def test_while_the_link_is_down_a_poke_waits_for_its_turn(desk):
    down = desk.step(OfficeFailure("SYNC-OFFLINE"))
    assert (down.state, down.code) == (LinkState.OFFLINE, "SYNC-OFFLINE")
    desk.clock.pass_(0.9)
    assert desk.idle()
    desk.clock.pass_(0.1)
    desk.scheduler.poke()
    desk.step(OfficeFailure("SYNC-OFFLINE"))
    desk.clock.pass_(1.9)
    assert desk.idle()
    desk.clock.pass_(0.1)
    desk.scheduler.poke()
    up = desk.step()
    assert (up.state, up.code, up.synced_at) == (LinkState.ONLINE, "", desk.clock.now())
    assert desk.scheduler.status == up


def test_a_success_begins_the_back_off_anew(desk):
    for pause in (1, 2, 4):
        desk.step(OfficeFailure("SYNC-SLOW"))
        desk.clock.pass_(pause)
        desk.scheduler.poke()
    desk.step()
    desk.scheduler.poke()
    desk.step(OfficeFailure("SYNC-SLOW"))
    desk.clock.pass_(1)
    desk.scheduler.poke()
    desk.step()


def test_the_offices_retry_after_is_honoured(desk):
    desk.step(OfficeFailure("SYNC-BUSY", retry_after=30.0))
    desk.clock.pass_(30.9)
    assert desk.idle()
    desk.clock.pass_(0.1)
    desk.scheduler.poke()
    desk.step()


def test_a_network_that_comes_back_ends_the_wait(desk):
    desk.step(OfficeFailure("SYNC-OFFLINE"))
    desk.scheduler.network_up()
    assert desk.step().state is LinkState.ONLINE


def test_the_wait_ends_by_itself_when_the_machine_has_a_network_again():
    here: frozenset[str] = frozenset()
    desk = Desk(HandClock(), watchdog_seconds=0.06, addresses=lambda: here)
    desk.scheduler.start()
    try:
        desk.step(OfficeFailure("SYNC-OFFLINE"))
        here = frozenset({"10.0.0.7"})
        assert desk.step().state is LinkState.ONLINE
    finally:
        desk.scheduler.stop()


def test_a_workstation_that_was_revoked_asks_seldom(desk):
    told = desk.step(OfficeFailure("SYNC-REVOKED"))
    assert (told.state, told.code) == (LinkState.OFFLINE, "SYNC-REVOKED")
    desk.clock.pass_(REVOKED_SECONDS - 1)
    assert desk.idle()
    desk.clock.pass_(2)
    desk.scheduler.poke()
    desk.step()


def test_a_bug_of_ours_is_told_without_its_message_and_the_sync_goes_on(desk, caplog):
    broken = desk.step(ValueError("李晓明 510704199001011233"))
    assert broken.code == "SYNC-BROKEN"
    assert "ValueError" in caplog.text
    assert "510704" not in caplog.text
    desk.clock.pass_(1)
    desk.scheduler.poke()
    assert desk.step().state is LinkState.ONLINE


def test_the_offices_poke_runs_a_cycle(desk):
    desk.step()
    for cursor in (1, 2):
        desk.cursor = cursor
        desk.pokes.put(["device:d"])
        desk.step()


def test_a_broken_long_poll_lets_the_cycle_find_out(desk):
    desk.step()
    desk.pokes.put(OfficeFailure("SYNC-OFFLINE"))
    assert desk.step(OfficeFailure("SYNC-OFFLINE")).state is LinkState.OFFLINE


def test_stop_ends_every_thread_although_a_poll_is_open():
    before = threading.active_count()
    desk = Desk(HandClock())
    desk.scheduler.start()
    desk.step()
    begun = time.monotonic()
    desk.scheduler.stop()
    assert time.monotonic() - begun < 2
    assert threading.active_count() == before


class RunningClock(HandClock):
    def monotonic(self) -> float:
        return time.monotonic()


def test_a_cycle_without_progress_is_abandoned_and_a_new_one_begun():
    desk = Desk(RunningClock(), watchdog_seconds=0.2)
    desk.scheduler.start()
    ended = []

    def stuck(client: FakeClient, beat: Callable[[], None]) -> None:
        desk.running -= 1  # it is allowed to overlap: nobody waits for it any more
        client.is_cut.wait(SOON)
        try:
            beat()
        except BaseException as refusal:
            ended.append(type(refusal).__name__)
            raise
        finally:
            desk.running += 1

    told = desk.step(stuck)
    assert told.code == "SYNC-STUCK"
    assert desk.step().state is LinkState.ONLINE
    desk.scheduler.stop()
    assert ended == ["_Abandoned"]


def test_an_answer_that_keeps_arriving_is_progress():
    desk = Desk(RunningClock(), watchdog_seconds=0.2)
    desk.scheduler.start()

    def thin_line(client: FakeClient, beat: Callable[[], None]) -> None:
        for _ in range(8):
            time.sleep(0.05)  # the next piece is on its way
            client.progress()

    assert desk.step(thin_line).state is LinkState.ONLINE
    desk.scheduler.stop()
    assert len(desk.clients) == 2


def test_a_long_cycle_that_makes_progress_is_left_alone():
    desk = Desk(RunningClock(), watchdog_seconds=0.2)
    desk.scheduler.start()

    def long(client: FakeClient, beat: Callable[[], None]) -> None:
        for _ in range(8):
            time.sleep(0.05)  # the work itself
            beat()

    assert desk.step(long).state is LinkState.ONLINE
    desk.scheduler.stop()
    assert len(desk.clients) == 2
