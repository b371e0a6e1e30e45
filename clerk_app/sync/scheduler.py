"""When to sync: after each local commit, when the office has news, and again for as long as it fails.

Threads, all named `sync-…` and all ended by `stop`:

* `sync-cycle` runs one cycle at a time;
* `sync-wait` holds the long poll open and asks for a cycle when the office pokes;
* `sync-watchdog` abandons a cycle that makes no progress: its lines are cut, its thread is let go (whatever
  it still does is refused by `beat` or harmless, as every step may happen twice), and a new one begins. It
  also looks whether the machine's addresses changed: a network that comes up ends the wait.
"""

from __future__ import annotations

import logging
import random as random_numbers
import threading
import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from clerk_app.desk.ports import Clock, LinkState, LinkStatus
from clerk_app.failures import Failure
from clerk_app.sync import link, network
from clerk_app.sync.backoff import Backoff
from clerk_app.sync.client import OfficeClient
from clerk_app.sync.exchange import Measured
from clerk_app.sync.transport import OfficeFailure

_log = logging.getLogger(__name__)

WATCHDOG_SECONDS = 90.0
IDLE_SECONDS = 60.0
WAIT_SECONDS = 25
STOP_SECONDS = 2.0
REVOKED_SECONDS = 1800.0
"""Until a workstation whose enrolment was taken back asks again: only IT can change that."""
_NETWORK_SECONDS = 3.0
"""Between two looks at the machine's addresses."""
_CALM_SECONDS = 1.0
"""Between two long polls that taught nothing: a confused office must not make this window spin."""


class Cycle(Protocol):
    """What the scheduler runs; `Exchange` in the program."""

    def cycle(self, client: OfficeClient, beat: Callable[[], None]) -> Measured: ...
    def cursors(self) -> dict[str, int]: ...


class _Abandoned(Exception):
    """Raised by `beat` in a cycle that nobody waits for any more."""


class Scheduler:
    """Runs the sync of one workstation in the background.

    `connect` gives a client of its own to each thread. `on_link` gets the status after every cycle, on a sync
    thread, and must return at once (what the facts changed is reported by the exchange). `clock.monotonic`,
    `random` and `addresses` (see `network`) are injected so that tests own them.
    """

    def __init__(
        self,
        exchange: Cycle,
        connect: Callable[[], OfficeClient],
        *,
        clock: Clock,
        on_link: Callable[[LinkStatus], None],
        random: Callable[[], float] = random_numbers.random,
        watchdog_seconds: float = WATCHDOG_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
        wait_seconds: int = WAIT_SECONDS,
        addresses: Callable[[], frozenset[str]] = network.addresses,
    ) -> None:
        self._exchange = exchange
        self._connect = connect
        self._clock = clock
        self._on_link = on_link
        self._random = random
        self._backoff = Backoff(random)
        self._watchdog_seconds = watchdog_seconds
        self._idle_seconds = idle_seconds
        self._wait_seconds = wait_seconds
        self._addresses = addresses

        self._news = threading.Condition()  # guards everything below
        self._stopping = False
        self._wanted = True
        self._not_before = 0.0
        self._due = 0.0
        self._run = 0
        self._completed = 0
        self._beat: float | None = None  # when the running cycle last made progress
        self._status = LinkStatus(LinkState.OFFLINE)
        self._threads: list[threading.Thread] = []
        self._clients: dict[str, OfficeClient] = {}

    @property
    def status(self) -> LinkStatus:
        with self._news:
            return self._status

    def start(self) -> None:
        with self._news:
            self._not_before = self._due = self._clock.monotonic()
        self._begin("sync-cycle", partial(self._cycles, 0))
        self._begin("sync-wait", self._wait_for_pokes)
        self._begin("sync-watchdog", self._watch)

    def poke(self) -> None:
        """There is something to send or to fetch. While the link is down it waits for its turn."""
        with self._news:
            self._wanted = True
            self._news.notify_all()

    def network_up(self) -> None:
        """The machine has a network again: try now, from the beginning of the back-off."""
        with self._news:
            self._backoff.reset()
            self._not_before = self._clock.monotonic()
            self._wanted = True
            self._news.notify_all()

    def stop(self) -> None:
        """End the threads; a call that is under way is cut. Within two seconds."""
        with self._news:
            self._stopping = True
            self._news.notify_all()
            threads, clients = list(self._threads), list(self._clients.values())
        for client in clients:
            client.cut()
        deadline = self._clock.monotonic() + STOP_SECONDS
        for thread in threads:
            thread.join(max(0.0, deadline - self._clock.monotonic()))

    # --- the cycle ---------------------------------------------------------------------------------------

    def _cycles(self, run: int) -> None:
        client = self._client("cycle")
        try:
            while self._await_turn(run):
                self._one_cycle(run, client)
        finally:
            client.close()

    def _await_turn(self, run: int) -> bool:
        """Wait until a cycle is wanted and allowed; False when this thread should end."""
        with self._news:
            while not self._stopping and self._run == run:
                now = self._clock.monotonic()
                at = self._not_before if self._wanted else max(self._due, self._not_before)
                if now >= at:
                    self._wanted = False
                    self._beat = now
                    return True
                self._news.wait(at - now)
            return False

    def _one_cycle(self, run: int, client: OfficeClient) -> None:
        def beat() -> None:
            with self._news:
                if self._stopping or self._run != run:
                    raise _Abandoned
                self._beat = self._clock.monotonic()

        client.watch(beat)
        try:
            measured = self._exchange.cycle(client, beat)
            beat()
        except _Abandoned:
            return
        except Failure as failure:
            self._ended(run, failure)
        except Exception as error:  # a bug of ours must not stop the cases of a hall
            _log_bug(error)
            self._ended(run, Failure("SYNC-BROKEN", type(error).__name__))
        else:
            self._ended(run, measured)

    def _ended(self, run: int, outcome: Measured | Failure) -> None:
        now = self._clock.now()
        with self._news:
            if self._stopping or self._run != run:
                return
            self._beat = None
            if isinstance(outcome, Measured):
                self._succeeded()
                status = link.succeeded(self._status, now, outcome.round_trip, outcome.skew)
            else:
                self._failed(outcome)
                status = link.failed(self._status, now, outcome.code, self._backoff.failures)
            before, self._status = self._status, self._timed(status, now)
            status = self._status
            self._news.notify_all()
        self._tell(before, status)

    def _timed(self, status: LinkStatus, now: datetime) -> LinkStatus:
        """With when it was tried last, and when it is tried again while it fails."""
        pause = self._not_before - self._clock.monotonic()
        return replace(status, tried_at=now, next_at=now + timedelta(seconds=pause) if pause > 0 else None)

    def _succeeded(self) -> None:
        self._backoff.reset()
        self._completed += 1
        self._not_before = self._clock.monotonic()
        self._due = self._not_before + self._idle_seconds

    def _failed(self, failure: Failure) -> None:
        retry_after = failure.retry_after if isinstance(failure, OfficeFailure) else None
        if failure.code == "SYNC-REVOKED":
            retry_after = REVOKED_SECONDS
        self._not_before = self._clock.monotonic() + self._backoff.failed(retry_after)
        self._due = self._not_before
        self._wanted = True

    def _tell(self, before: LinkStatus, status: LinkStatus) -> None:
        if (before.state, before.code) != (status.state, status.code):
            _log.info("link %s %s", status.state, status.code)
        self._on_link(status)

    # --- the long poll -----------------------------------------------------------------------------------

    def _wait_for_pokes(self) -> None:
        client = self._client("wait")
        backoff = Backoff(self._random)
        seen: dict[str, int] = {}
        completed = 1
        try:
            while self._await_completed(completed):
                begun = self._clock.monotonic()
                pause = 0.0
                try:
                    cursors = self._exchange.cursors()
                    news = bool(client.wait(cursors, self._wait_seconds).poke)
                except Failure:
                    # The next cycle finds out what is wrong and says so.
                    news = True
                    pause = backoff.failed()
                else:
                    backoff.reset()
                    if cursors == seen and self._clock.monotonic() - begun < _CALM_SECONDS:
                        pause = _CALM_SECONDS
                    seen = cursors
                if news:
                    completed = self._completed_now() + 1
                    self.poke()
                if pause and not self._calm(pause):
                    return
        finally:
            client.close()

    def _completed_now(self) -> int:
        with self._news:
            return self._completed

    def _await_completed(self, count: int) -> bool:
        """Wait until so many cycles have been completed; False when stopping."""
        with self._news:
            self._news.wait_for(lambda: self._stopping or self._completed >= count)
            return not self._stopping

    def _calm(self, seconds: float) -> bool:
        with self._news:
            return not self._news.wait_for(lambda: self._stopping, seconds)

    # --- the watchdog ------------------------------------------------------------------------------------

    def _watch(self) -> None:
        here = self._addresses()
        while True:
            with self._news:
                pause = min(self._watchdog_seconds / 6, _NETWORK_SECONDS)
                if self._news.wait_for(lambda: self._stopping, pause):
                    return
            left, here = here, self._addresses()
            if here - left:
                _log.info("the network of this machine changed")
                self.network_up()
            with self._news:
                now = self._clock.monotonic()
                if self._beat is None or now - self._beat < self._watchdog_seconds:
                    continue
                self._run += 1
                run = self._run
                self._beat = None
                stuck = self._clients.get("cycle")
                before = self._status
                self._failed(Failure("SYNC-STUCK"))
                wall = self._clock.now()
                failed = link.failed(before, wall, "SYNC-STUCK", self._backoff.failures)
                self._status = status = self._timed(failed, wall)
            _log.error("a sync cycle made no progress for %.0f s and was abandoned", self._watchdog_seconds)
            if stuck is not None:
                stuck.cut()
            self._begin("sync-cycle", partial(self._cycles, run))
            self._tell(before, status)

    # --- threads -----------------------------------------------------------------------------------------

    def _begin(self, name: str, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=name, daemon=True)
        with self._news:
            self._threads = [known for known in self._threads if known.is_alive()] + [thread]
            if not self._stopping:
                thread.start()
            else:
                self._threads.remove(thread)

    def _client(self, purpose: str) -> OfficeClient:
        """A client of the calling thread's own that `stop` and the watchdog can cut."""
        client = self._connect()
        with self._news:
            self._clients[purpose] = client
            if self._stopping:
                client.cut()
        return client


def _log_bug(error: Exception) -> None:
    """Where it happened, without the message: that of a database error quotes its parameters."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    _log.error("a sync cycle broke: %s at %s:%s", type(error).__name__, place.filename, place.lineno)
