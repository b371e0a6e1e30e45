"""One cycle of the sync: the time, the outbox up, number blocks ahead, every scope down, mirrors compared.

A cycle begins by asking the time, so that an office that does not answer costs no write. A failure of the
link ends the cycle; any other trouble (a fact that cannot be read, a block that overlaps) stops only its own
step, is told at the end, and the rest goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from clerk_app.desk.ports import Changed, Clock, Device, Store
from clerk_app.failures import Failure
from clerk_app.sync import blocks, digests, identity
from clerk_app.sync.alarms import alarm
from clerk_app.sync.client import OfficeClient, scopes_of
from clerk_app.sync.protocol import LOST_CARDS, SCHEMA, DigestAnswer, ItemMessage
from clerk_app.sync.pull import Pull
from clerk_app.sync.push import Push
from clerk_app.sync.transport import OfficeFailure

LINK_FAILURES = frozenset(
    {
        "SYNC-OFFLINE",
        "SYNC-SLOW",
        "SYNC-BUSY",
        "SYNC-NOT-OFFICE",
        "SYNC-TLS",
        "SYNC-RIGHTS",
        "SYNC-FENCED",
        "SYNC-REVOKED",
    }
)
"""Failures that end a cycle: the next call would meet them too."""

SKEW_KEY = "clock_skew"
"""Meta: seconds the office's clock is ahead of this workstation's, as last measured."""
SYNCED_KEY = "synced_at"
"""Meta: when everything was last up to date, by the office's clock, ISO 8601."""
DIGESTED_KEY = "digested_on"
"""Meta: the day the mirrors were last compared with the office, ISO 8601."""

_EMERGENCY_SINCE = 2
"""The schema of the first office that leases emergency numbers."""
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
        self._clock = clock
        self._wall = wall
        self._on_changed = on_changed
        self._take_device(device)
        self._pull = Pull(store, clock, on_items)
        self.scopes = scopes_of(device.id, device.queue, device.hall_code)
        self._absent: frozenset[str] = frozenset()
        self._schema = SCHEMA
        self._identified = False
        self._probe = True

    def _take_device(self, device: Device) -> None:
        self._device = device
        self._push = Push(self._store, device, self._clock)

    def cycle(self, client: OfficeClient, beat: Callable[[], None]) -> Measured:
        """Everything up and down once. `beat` is called at every step of progress and may raise.

        Raises the failure that ended the cycle, or else the first trouble of a single step.
        """
        measured = self._measure(client)
        beat()
        downs = [self._down(scope) for scope in self.scopes]
        trouble: Failure | None = None
        for step in (self._identity, self._up, self._blocks, *downs, self._lost, self._compare):
            try:
                topics = step(client, beat)
            except Failure as failure:
                if failure.code in LINK_FAILURES:
                    self._identified = self._identified and failure.code != "SYNC-FENCED"
                    raise
                trouble = trouble or failure
            else:
                if topics:
                    self._on_changed(Changed(topics))
            beat()
        if trouble is not None:
            raise trouble
        self._record_synced(measured)
        return measured

    def cursors(self) -> dict[str, int]:
        """Where each scope stands, for the long poll; a scope never pulled is at 0.

        Without those the office does not have: one of them would spoil the whole wait.
        """
        followed = [scope for scope in self.scopes if scope not in self._absent]
        found = self._store.read(lambda tx: {scope: tx.feed.cursor(scope) for scope in followed})
        return {scope: cursor[1] if cursor else 0 for scope, cursor in found.items()}

    def _identity(self, client: OfficeClient, _beat: Callable[[], None]) -> frozenset[str]:
        """Once a start, and after the office refused this epoch: what it has this workstation as."""
        if self._identified:
            return frozenset()
        before = self._device
        try:
            fresh = identity.refresh(client, self._store, before)
        except OfficeFailure as failure:
            if failure.code != "SYNC-NO-CALL":
                raise
            fresh = before
        self._store.write(lambda tx: tx.feed.keep_only(self.scopes))
        self._identified = True
        if fresh == before:
            return frozenset()
        self._take_device(fresh)
        return frozenset({"device"})

    def _up(self, client: OfficeClient, beat: Callable[[], None]) -> frozenset[str]:
        blocks.report_void(self._store, self._clock.now())
        answered = self._push.drain(client, beat, schema=self._schema, probe=self._probe)
        self._probe = False
        return frozenset({"outbox", "cases"}) if answered else frozenset()

    def _blocks(self, client: OfficeClient, _beat: Callable[[], None]) -> frozenset[str]:
        blocks.keep_ahead(client, self._store, self._device, emergency=self._schema >= _EMERGENCY_SINCE)
        return frozenset()

    def _lost(self, client: OfficeClient, beat: Callable[[], None]) -> frozenset[str]:
        """A device scope that was taken whole may be of a restored office: ask what it still has."""
        snapshots, self._pull.snapshots = self._pull.snapshots, set()
        if not any(scope.startswith("device:") for scope in snapshots):
            return frozenset()
        self._probe = True
        return self._up(client, beat) | frozenset({"outbox", "cases"})

    def _compare(self, client: OfficeClient, beat: Callable[[], None]) -> frozenset[str]:
        """Once a day: a mirror that is not what the office has is fetched anew, and IT is told."""
        today = self._clock.now().date().isoformat()
        if self._store.read(lambda tx: tx.meta.get(DIGESTED_KEY)) == today:
            return frozenset()
        topics: frozenset[str] = frozenset()
        for scope in self.cursors():
            if self._differs(client, scope, beat) and self._differs(client, scope, beat):
                alarm(self._store, self._clock, "SYNC-MISMATCH", scope)
                topics |= self._pull.anew(client, scope, beat)
        self._store.write(lambda tx: tx.meta.set(DIGESTED_KEY, today))
        return topics

    def _differs(self, client: OfficeClient, scope: str, beat: Callable[[], None]) -> bool:
        """Whether the mirror differs from the office's at the same place of the feed.

        What came directly, as the answer to a call, may be ahead of the feed: asked twice, it is not.
        """
        if self._store.read(lambda tx: digests.of_mirror(tx, scope)) is None:
            return False
        self._pull.scope(client, scope, beat)
        try:
            told: DigestAnswer = client.digest(scope)
        except OfficeFailure as failure:
            if failure.code != "SYNC-NO-CALL":
                raise
            return False
        mine = self._store.read(lambda tx: (tx.feed.cursor(scope), digests.of_mirror(tx, scope)))
        return mine[0] == (told.generation, told.seq) and mine[1] != told.digest

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
        self._schema = answer.schema
        round_trip = self._clock.monotonic() - begun
        skew = (answer.now - before).total_seconds() - round_trip / 2
        stored = self._store.read(lambda tx: tx.meta.get(SKEW_KEY))
        if stored is None or abs(float(stored) - skew) > _SKEW_STEP:
            self._store.write(lambda tx: tx.meta.set(SKEW_KEY, f"{skew:.3f}"))
        return Measured(round_trip, skew)

    def _record_synced(self, measured: Measured) -> None:
        """For the status strip of the next start; not more often than a minute, each is a disk write.

        In the office's time, just asked: retention counts its days by it, whatever this clock jumped to.
        """
        now = self._wall() + timedelta(seconds=measured.skew)
        stored = self._store.read(lambda tx: tx.meta.get(SYNCED_KEY))
        if stored is None or abs((now - datetime.fromisoformat(stored)).total_seconds()) > _SYNCED_STEP:
            self._store.write(lambda tx: tx.meta.set(SYNCED_KEY, now.isoformat()))
