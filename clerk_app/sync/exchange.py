"""One cycle of the sync: the time, the outbox up, a number block ahead, every scope down.

A cycle begins by asking the time, so that an office that does not answer costs no write. A failure of the
link ends the cycle; any other trouble (a fact that cannot be read, a block that overlaps) stops only its own
step, is told at the end, and the rest goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from clerk_app.desk.ports import Changed, Clock, Device, Store
from clerk_app.failures import Failure
from clerk_app.sync import blocks
from clerk_app.sync.client import OfficeClient, scopes_of
from clerk_app.sync.protocol import LOST_CARDS, ItemMessage
from clerk_app.sync.pull import Pull
from clerk_app.sync.push import Push
from clerk_app.sync.transport import OfficeFailure

LINK_FAILURES = frozenset(
    {"SYNC-OFFLINE", "SYNC-SLOW", "SYNC-BUSY", "SYNC-NOT-OFFICE", "SYNC-TLS", "SYNC-RIGHTS", "SYNC-FENCED"}
)
"""Failures that end a cycle: the next call would meet them too."""

SKEW_KEY = "clock_skew"
"""Meta: seconds the office's clock is ahead of this workstation's, as last measured."""
SYNCED_KEY = "synced_at"
"""Meta: when everything was last up to date, ISO 8601."""

_SKEW_STEP = 0.5
_SYNCED_STEP = 60.0


@dataclass(frozen=True, slots=True)
class Measured:
    """What asking the time tells, in seconds: one round trip, and how far the office's clock is ahead."""

    round_trip: float
    skew: float


class Exchange:
    """The sync of one workstation, one cycle at a time.

    `wall` is the system's own clock, uncorrected; `clock` the corrected one that stamps what is recorded.
    `on_items` gets items whose status or version changed (see `Pull`), `on_changed` what a step did.
    """

    def __init__(
        self,
        store: Store,
        device: Device,
        clock: Clock,
        *,
        wall: Callable[[], datetime],
        on_items: Callable[[Sequence[ItemMessage]], None],
        on_changed: Callable[[Changed], None],
    ) -> None:
        self._store = store
        self._device = device
        self._clock = clock
        self._wall = wall
        self._on_changed = on_changed
        self._push = Push(store, device, clock)
        self._pull = Pull(store, clock, on_items)
        self.scopes = scopes_of(device.id, device.queue, device.hall_code)
        self._absent: frozenset[str] = frozenset()

    def cycle(self, client: OfficeClient, beat: Callable[[], None]) -> Measured:
        """Everything up and down once. `beat` is called at every step of progress and may raise.

        Raises the failure that ended the cycle, or else the first trouble of a single step.
        """
        measured = self._measure(client)
        beat()
        trouble: Failure | None = None
        for step in (self._up, self._blocks, *(self._down(scope) for scope in self.scopes)):
            try:
                topics = step(client, beat)
            except Failure as failure:
                if failure.code in LINK_FAILURES:
                    raise
                trouble = trouble or failure
            else:
                if topics:
                    self._on_changed(Changed(topics))
            beat()
        if trouble is not None:
            raise trouble
        self._record_synced()
        return measured

    def cursors(self) -> dict[str, int]:
        """Where each scope stands, for the long poll; a scope never pulled is at 0.

        Without those the office does not have: one of them would spoil the whole wait.
        """
        followed = [scope for scope in self.scopes if scope not in self._absent]
        found = self._store.read(lambda tx: {scope: tx.feed.cursor(scope) for scope in followed})
        return {scope: cursor[1] if cursor else 0 for scope, cursor in found.items()}

    def _up(self, client: OfficeClient, beat: Callable[[], None]) -> frozenset[str]:
        return frozenset({"outbox", "cases"}) if self._push.drain(client, beat) else frozenset()

    def _blocks(self, client: OfficeClient, _beat: Callable[[], None]) -> frozenset[str]:
        blocks.keep_ahead(client, self._store, self._device)
        return frozenset()

    def _down(self, scope: str) -> Callable[[OfficeClient, Callable[[], None]], frozenset[str]]:
        return lambda client, beat: self._scope(client, scope, beat)

    def _scope(self, client: OfficeClient, scope: str, beat: Callable[[], None]) -> frozenset[str]:
        """Pull one scope. That an older office keeps no list of lost cards is no trouble."""
        try:
            topics = self._pull.scope(client, scope, beat)
        except OfficeFailure as failure:
            unknown = failure.problem is not None and failure.problem.code == "OFFICE-SCOPE"
            if scope != LOST_CARDS or not unknown:
                raise
            self._absent = frozenset({scope})
            return frozenset()
        self._absent -= {scope}
        return topics

    def _measure(self, client: OfficeClient) -> Measured:
        begun, before = self._clock.monotonic(), self._wall()
        answer = client.time()
        round_trip = self._clock.monotonic() - begun
        skew = (answer.now - before).total_seconds() - round_trip / 2
        stored = self._store.read(lambda tx: tx.meta.get(SKEW_KEY))
        if stored is None or abs(float(stored) - skew) > _SKEW_STEP:
            self._store.write(lambda tx: tx.meta.set(SKEW_KEY, f"{skew:.3f}"))
        return Measured(round_trip, skew)

    def _record_synced(self) -> None:
        """For the status strip of the next start; not more often than a minute, each is a disk write."""
        now = self._clock.now()
        stored = self._store.read(lambda tx: tx.meta.get(SYNCED_KEY))
        if stored is None or abs((now - datetime.fromisoformat(stored)).total_seconds()) > _SYNCED_STEP:
            self._store.write(lambda tx: tx.meta.set(SYNCED_KEY, now.isoformat()))
