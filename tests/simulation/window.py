"""One window of a run: the real store, desk and sync over a clock, a disk, a printer and a line that fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, TypeVar

import sqlalchemy as sa

from clerk_app.desk import printing, sign_in, time_seen
from clerk_app.desk.context import Desk
from clerk_app.desk.ports import (
    Changed,
    Command,
    Device,
    LinkState,
    LinkStatus,
    PrinterSetup,
    PrinterStatus,
    PrintOutcome,
    PrintResult,
    Transaction,
    VoiceState,
    VoiceStatus,
)
from clerk_app.domain.catalogue import ItemStatus, ServiceItem
from clerk_app.domain.documents import Slip
from clerk_app.domain.hall_time import HALL_TIME
from clerk_app.domain.ids import uuid7
from clerk_app.failures import Failure
from clerk_app.store import schema, vault
from clerk_app.store.cache import SqlStore
from clerk_app.store.engine import cache_engine
from clerk_app.store.repositories import outbox
from clerk_app.store.tables import lost_cards
from clerk_app.sync.enrolment import device_of
from clerk_app.sync.exchange import LINK_FAILURES, SKEW_KEY, Exchange
from clerk_app.sync.office import DirectOffice
from clerk_app.sync.protocol import EnrolRequest, ItemMessage
from tests.simulation.network import Line, Network, client_of
from tests.simulation.office import PASSWORD
from tests.simulation.world import Crash, World

T = TypeVar("T")
Papers = Callable[["SimWindow", Slip, int], None]

KEY = bytes(vault.KEY_BYTES)


class InlineLane:
    """A lane without a thread: what it is given is done at once, by the caller."""

    name, leaf, here = "simulation", True, True

    def submit(self, fn: Callable[..., T], *args: Any) -> Future[T]:
        future: Future[T] = Future()
        future.set_result(fn(*args))
        return future

    def run(self, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        return fn(*args, **kwargs)

    def assert_here(self) -> None:
        pass

    def close(self, timeout: float = 5.0) -> bool:
        return True


@cache
def _template() -> SqlStore:
    lane = InlineLane()
    store = SqlStore(lane, cache_engine(None, KEY), KEY, None)  # type: ignore[arg-type]
    schema.upgrade(store._connection, None)
    return store


def _copy(source: SqlStore) -> SqlStore:
    """The same cache once more, in memory and on the caller's thread."""
    store = SqlStore(InlineLane(), cache_engine(None, KEY), KEY, None)  # type: ignore[arg-type]
    source.lane.run(lambda: source._driver.backup(store._driver))
    return store


@dataclass
class SimStore:
    """The `Store` port: a transaction may find the disk full, or the power gone before or after its commit.

    `through` shows every transaction to the broken rules of a run.
    """

    world: World
    real: SqlStore
    through: Callable[[SimStore, Callable[[Transaction], Any]], Any] | None = None
    owner: SimWindow | None = None
    memory: dict[str, int] = field(default_factory=dict)  # gone with the process

    def read(self, work: Callable[[Transaction], T]) -> T:
        return self.real.read(work)

    def write(self, work: Callable[[Transaction], T]) -> T:
        if self.through is not None:
            result: T = self.through(self, work)
            return result
        return self.commit(work)

    def commit(self, work: Callable[[Transaction], T]) -> T:
        world = self.world
        world.counts["window commits"] += 1
        if world.chance(world.odds.crash):
            raise Crash
        if world.chance(world.odds.disk):
            world.counts["disk failures"] += 1
            self.real.write(lambda tx: self._fail(tx, work))
        result = self.real.write(work)
        if world.chance(world.odds.crash):
            raise Crash
        return result

    def _fail(self, tx: Transaction, work: Callable[[Transaction], Any]) -> None:
        """The disk refuses at the commit: everything was done, and nothing of it is there."""
        work(tx)
        raise Failure(self.world.random.choice(("STORE-FULL", "STORE-IO")))


@dataclass
class SimClock:
    """The workstation's own clock: off by `offset`, corrected by `skew` as the product does."""

    world: World
    offset: timedelta = timedelta()
    skew: float = 0.0
    steps: int = 0

    def wall(self) -> datetime:
        return (self.world.now + self.offset).astimezone(HALL_TIME)

    def now(self) -> datetime:
        return self.wall() + timedelta(seconds=self.skew)

    def monotonic(self) -> float:
        self.steps += 1  # time passes while one works, so that long work comes in several slices
        return self.world.now.timestamp() + self.steps * 0.004

    @property
    def error(self) -> timedelta:
        """How far what it stamps is from the truth."""
        return abs(self.now() - self.world.now)


@dataclass
class SimCatalogue:
    items: dict[str, ServiceItem]
    count: int = 3
    version: str = "1"

    def search(self, *_: Any, **__: Any) -> tuple[Any, ...]:
        return ()

    def item(self, item_code: str) -> ServiceItem:
        return self.items[item_code]

    def apply(self, changed: Sequence[ItemMessage]) -> None:
        for one in changed:
            if (item := self.items.get(one.code)) and one.version >= item.implementation.version:
                told = {"status": ItemStatus(one.status), "version": one.version, "valid_to": one.valid_to}
                self.items[one.code] = replace(item, implementation=replace(item.implementation, **told))


@dataclass
class SimPrinter:
    """Prints, fails, or does not say; what left it is never taken back."""

    window: SimWindow
    setup: PrinterSetup = field(default_factory=lambda: PrinterSetup("tcp://192.0.2.10", 80, "gb18030"))

    def missing(self, text: str) -> tuple[str, ...]:
        return ()

    def status(self) -> PrinterStatus:
        return PrinterStatus()

    def print(self, slip: Slip, *, reprint: int = 0) -> PrintResult:
        world = self.window.world
        if world.chance(world.odds.printer):
            if world.chance(0.5):
                return PrintResult(PrintOutcome.FAILED, "PRINTER-OFFLINE")
            self.window.papers(self.window, slip, reprint)
            return PrintResult(PrintOutcome.UNKNOWN, "PRINTER-SILENT")
        self.window.papers(self.window, slip, reprint)
        if world.chance(world.odds.crash * 4):
            raise Crash
        return PrintResult(PrintOutcome.PRINTED)


@dataclass
class SimVoice:
    window: SimWindow
    status: VoiceStatus = field(default_factory=lambda: VoiceStatus(VoiceState.READY))

    def call(self, ticket_number: str, window: str) -> None:
        self.window.announced(self.window, ticket_number)


class SimWindow:
    """A workstation at its counter, with the clerk who works there.

    `papers` is told every slip that leaves the printer, `announced` every ticket that is called out.
    """

    def __init__(
        self,
        world: World,
        network: Network,
        hall: str,
        place: str,
        clerk: str,
        items: list[ServiceItem],
        papers: Papers,
        announced: Callable[[SimWindow, str], None],
    ) -> None:
        self.world, self.network, self.hall, self.place, self.clerk = world, network, hall, place, clerk
        self.papers, self.announced = papers, announced
        self.line = Line(source=f"198.51.100.{sum(map(ord, place)) % 200}")
        self.clock = SimClock(world)
        self.catalogue = SimCatalogue({item.implementation.code: item for item in items})
        self.store = SimStore(world, _copy(_template()))
        self.twin = False  # a copy of another window's disk
        self.fenced = False
        self.recalling = False
        self.corrupted = False
        self.token = ""
        self.link = LinkState.OFFLINE
        self.signed_in_at: datetime | None = None

    @property
    def name(self) -> str:
        return f"{self.hall}/{self.place}{'*' if self.twin else ''}"

    @property
    def operator(self) -> str | None:
        """Nobody signs in for longer than a shift."""
        if self.signed_in_at is None or self.clock.now() - self.signed_in_at > timedelta(hours=9):
            return None
        return self.clerk

    # --- the life of the machine ------------------------------------------------------------------------

    def enrol(self) -> None:
        """IT enrols the workstation, for the first time or in a new epoch. Tries until it is done."""
        again, epoch = (self.device.id, self.device.epoch) if self.token else (None, 0)
        while True:
            code = self.network.office.code(self.hall, self.place, again)
            try:
                answer = client_of(self.network, self.line).enrol(EnrolRequest(code, "SIM-PC", epoch))
                break
            except Failure:
                if again is None:  # the office may have made a device nobody will ever be
                    self.world.counts["enrolments lost"] += 1
        device = device_of(answer)
        self.store.real.write(lambda tx: tx.meta.set_device(device))
        self.token, self.fenced = answer.token, False
        self.boot()

    def boot(self) -> None:
        """What the workstation does at its start; nothing of before is in memory."""
        store = self.store
        store.owner = self
        store.memory.clear()
        self.device: Device = store.real.read(lambda tx: tx.meta.device())
        self.clock.skew = float(store.real.read(lambda tx: tx.meta.get(SKEW_KEY)) or 0.0)
        self.client = client_of(self.network, self.line, self.token)
        self.link = LinkState.OFFLINE
        self.signed_in_at = None
        self.exchange = Exchange(
            store,
            self.device,
            self.clock,
            wall=self.clock.wall,
            on_items=self.catalogue.apply,
            on_changed=lambda _changed: None,
        )
        self.desk = Desk(
            device=self.device,
            store=store,
            office=DirectOffice(client_of(self.network, self.line, self.token), self.device),
            catalogue=self.catalogue,
            printer=SimPrinter(self),
            voice=SimVoice(self),  # type: ignore[arg-type]
            straighten=lambda _data: (),
            clock=self.clock,
            new_id=uuid7,
            link=lambda: LinkStatus(self.link),
            poke=lambda: None,
            changed=_ignored,
        )
        store.real.write(printing._doubt)

    def guarded(self, what: str, act: Callable[[], T]) -> T | None:
        """Do `act`; a failure is shown to the clerk, a crash starts the machine again."""
        world = self.world
        world.counts[what] += 1
        self.store.real.write(lambda tx: time_seen.note(tx, self.clock.now()))  # each minute in the product
        try:
            result = act()
        except Failure as failure:
            world.tell(f"{self.name} {what}: {failure.code}")
            world.counts[failure.code] += 1
            return None
        except Crash:
            world.tell(f"{self.name} {what}: crashed")
            world.counts["window crashes"] += 1
            self.boot()
            return None
        world.tell(f"{self.name} {what}")
        return result

    def copy(self) -> SimWindow:
        """The same disk in another machine: same device, same token, same numbers."""
        twin = SimWindow(
            self.world, self.network, self.hall, self.place, self.clerk, [], self.papers, self.announced
        )
        twin.catalogue = SimCatalogue(dict(self.catalogue.items))
        twin.store = SimStore(self.world, _copy(self.store.real), self.store.through)
        twin.token, twin.twin = self.token, True
        twin.corrupted = self.corrupted
        twin.boot()
        return twin

    # --- what runs by itself ----------------------------------------------------------------------------

    def corrupt(self) -> None:
        """A row of a mirror is gone, and no error said so."""
        self.corrupted = True
        gone = sa.delete(lost_cards).where(lost_cards.c.id.in_(sa.select(lost_cards.c.id).limit(1)))
        self.store.real.write(lambda tx: tx.lost_cards._sql.execute(gone))  # type: ignore[attr-defined]

    def cycle(self) -> None:
        """One cycle as the scheduler does it: how it ended is the state of the link."""
        try:
            measured = self.exchange.cycle(self.client, self._beat)
        except Failure as failure:
            if failure.code in LINK_FAILURES:
                self.link = LinkState.OFFLINE
            self.fenced = self.fenced or failure.code == "SYNC-FENCED"
            raise
        self.clock.skew = measured.skew
        self.link = LinkState.ONLINE

    def _beat(self) -> None:
        if self.world.chance(self.world.odds.crash):
            raise Crash

    def sign_in(self) -> None:
        sign_in.sign_in(self.desk, self.clerk, PASSWORD)
        self.signed_in_at = self.clock.now()

    def read(self, work: Callable[[Transaction], T]) -> T:
        return self.store.real.read(work)

    def commands(self) -> tuple[Command, ...]:
        """The whole outbox, answered or not, of every epoch, oldest first."""
        everything = outbox._ALL.order_by(outbox.outbox.c.n)
        return self.read(lambda tx: tx.outbox._commands(everything))  # type: ignore[attr-defined,no-any-return]


def _ignored(_changed: Changed) -> None:
    """Nobody looks at this window."""
