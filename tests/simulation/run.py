"""One run: a seed, some windows and an office, moves until the end, healing, and the checks."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import sqlalchemy as sa

from back_office import applying, feed, held, lost_cards, restoring
from back_office.office import Transaction
from back_office.tables import staff
from clerk_app.desk import calling
from clerk_app.domain.applicant import Applicant
from clerk_app.domain.case import SyncState
from clerk_app.domain.ticket import Visit
from clerk_app.failures import Failure
from clerk_app.sync import digests
from clerk_app.sync.protocol import LOST_CARDS
from clerk_app.sync.transport import OfficeFailure
from tests.simulation import breaks, moves, people
from tests.simulation.network import Network
from tests.simulation.office import SimOffice, threadless
from tests.simulation.stranger import CLERK, Stranger
from tests.simulation.truth import Truth
from tests.simulation.window import SimWindow
from tests.simulation.world import Crash, Violation, World, determined, replaced

T = TypeVar("T")

STEPS = 220
ROUNDS = 40
"""Cycles of every window after everything is healed; more would be no convergence."""


@dataclass(frozen=True)
class Outcome:
    seed: int
    violation: Violation | None
    events: tuple[str, ...]
    counts: dict[str, int]
    trace: int
    seconds: float
    hours: float  # of simulated time


def simulate(seed: int, steps: int = STEPS, broken: str = "", *, present: bool = False) -> Outcome:
    """The run of `seed`, with one rule of the product removed when `broken` names it.

    `present` keeps the rule and only makes the weather in which it matters: such a run passes.
    """
    world = World(seed)
    began = time.process_time()
    violation = None
    with determined(world), threadless(), breaks.removed(broken, present=present) as rule:
        try:
            Run(world, rule).through(steps)
        except Violation as found:
            violation = found
        except (Failure, Crash):
            raise
        except Exception as bug:  # a bug of the product, or of the simulation: the seed finds it again
            violation = Violation("bug", f"{type(bug).__name__}: {bug}")
            violation.__cause__ = bug
    hours = (world.now - World(seed).now).total_seconds() / 3600
    return Outcome(
        seed,
        violation,
        tuple(world.events),
        dict(world.counts),
        world.trace,
        time.process_time() - began,
        hours,
    )


def pace(cases: int) -> tuple[float, float]:
    """Cases a second of one core in fine weather: from filed to registered at the window, and with all that
    comes before it, from the applicant on.
    """
    world = World(1)
    with determined(world), threadless(), breaks.removed("") as rule:
        run = Run(world, rule)
        world.odds.none()
        window = run.windows[0]
        window.sign_in()
        calling.serve_paper(window.desk, window.clerk, "A001")
        window.cycle()
        synced, began = 0.0, time.process_time()
        for number in range(1, cases + 1):
            moves.file(run, window)
            if number % 100 == 0 or number == cases:
                filed = time.process_time()
                window.cycle()
                synced += time.process_time() - filed
        taken = time.process_time() - began
        states = window.read(lambda tx: [case.sync_state for case in tx.cases.recent(cases + 1)])
        assert states == [SyncState.REGISTERED] * cases, states
        return cases / synced, cases / taken


class Run:
    def __init__(self, world: World, rule: breaks.Rule) -> None:
        self.world = world
        self.rule = rule
        self.halls = ["MY01", "MY02"][: 1 + world.random.randrange(2)]
        self.items = people.items()
        self.imported = [self.items]
        self.truth = Truth(world)
        self.twins = world.chance(0.15) or "clone" in rule.moves
        self.holes_allowed = False
        self.filed = 0
        self.poisoned = 0.0
        self.disabled: set[tuple[str, str]] = set()
        self.copies: list[tuple[sa.Engine, Any]] = []
        self.windows: list[SimWindow] = []
        count = world.random.randrange(3, 6)
        self.clerks = [f"10{number:02}" for number in range(count)]
        odds = {name: getattr(world.odds, name) for name in world.odds.__dataclass_fields__}
        world.odds.none()
        self.office = SimOffice(world, self.items, [*self.clerks, CLERK], self.halls)
        self.network = Network(world, self.office)
        self.places = [f"窗口{number}" for number in range(count)]
        for number, clerk in enumerate(self.clerks):
            window = SimWindow(
                world,
                self.network,
                self.halls[number % len(self.halls)],
                self.places[number],
                clerk,
                self.items,
                self.truth.printed,
                self.truth.announced,
            )
            window.store.through = rule.through
            window.enrol()
            if world.chance(0.8):  # most windows have had a quiet morning
                window.sign_in()
                window.cycle()
            self.windows.append(window)
        self.office.write(lambda tx: lost_cards.add(tx, people.applicant(999).number))
        self.stranger = Stranger(self)
        storm = world.random.choice((0.0, 0.5, 1.0, 1.0, 2.0, 3.0))
        for name, value in odds.items():
            setattr(world.odds, name, max(value * storm, rule.weather.get(name, 0.0)))

    # --- the way of a run -------------------------------------------------------------------------------

    def through(self, steps: int) -> None:
        chosen = [move for move, _ in moves.MOVES]
        weights = [self.rule.moves.get(move.__name__, weight) for move, weight in moves.MOVES]
        with self._poisoning():
            for step in range(1, steps + 1):
                self.world.step = step
                (move,) = self.world.random.choices(chosen, weights)
                move(self)
            self.world.step = steps + 1
            self.heal()
            self.truth.check(self)
        self.world.counts["registered"] = len(
            self.office.rows(sa.select(sa.literal_column("1")).select_from(sa.table("registered_case")))
        )

    def heal(self) -> None:
        """The weather is fine, everybody is there, IT has done its work: now all must come together."""

        self.world.tell("healed")
        self.world.pass_(1200)  # longer than any lock-out
        self.world.odds.none()
        self.poisoned = 0.0
        self.network.deliver_late(len(self.network.late))
        if self.office.generation:  # what was imported after the backup is imported again
            for items in self.imported:
                self.office.put_in_force(items)
        self._enable()
        for window in self.windows:
            window.line.state, window.clock.offset, window.clock.skew = "up", timedelta(), 0.0
            window.signed_in_at = None  # everybody shows the password once more
        self._converge()
        self.truth.check_tickets(self)
        self.world.pass_(24 * 3600)  # mirrors are compared once a day
        self._converge()

    def _converge(self) -> None:
        for _ in range(ROUNDS):
            self.mend()
            moved = [self._settle(window) for window in self.windows if not window.twin]
            if not any(moved):
                for window in self.windows:
                    if not window.twin:
                        window.cycle()  # what the others did in the last round
                return
            self.world.pass_(40)
        raise Violation("converge", f"not after {ROUNDS} rounds: {self.trouble}")

    trouble = ""

    def _settle(self, window: SimWindow) -> bool:
        """One round of one window; whether it had anything left to do."""
        before = window.read(lambda tx: (tx.outbox.state().unsent, tx.audit.head(), tx.outbox.state().held))
        try:
            window.cycle()
            self._close_call(window)
        except OfficeFailure as failure:
            self.trouble = f"{window.name} {failure.code} {failure.detail}"
            self.world.tell(self.trouble)
            if failure.code in ("SYNC-FENCED", "SYNC-RIGHTS"):  # the latter: enrolled after the backup
                window.enrol()
            return True
        except Failure as failure:
            self.trouble = f"{window.name} {failure.code} {failure.detail}"
            self.world.tell(self.trouble)
            return True
        after = window.read(lambda tx: (tx.outbox.state().unsent, tx.audit.head(), tx.outbox.state().held))
        if before != after:
            self.trouble = f"{window.name} {before} then {after}"
        return before != after or after[0] > 0 or after[2] > 0

    def _close_call(self, window: SimWindow) -> None:
        """A call whose answer never came is asked for again, and the visit ended."""
        if window.signed_in_at is None:
            window.sign_in()
        visit = window.read(lambda tx: tx.visits.current(window.clerk))
        if visit is not None:
            calling.finish(window.desk, visit.id)
        elif window.read(lambda tx: tx.meta.get("call_request")):
            calling.call_next(window.desk, window.clerk)

    # --- what moves use ---------------------------------------------------------------------------------

    def a_window(self) -> SimWindow:
        return self.world.random.choice(self.windows)

    def applicant(self) -> Applicant:
        someone = people.applicant(self.filed)
        self.world.secrets |= {someone.name, someone.number}
        return someone

    def a_paper_ticket(self, window: SimWindow) -> str:
        """The number in the hand of a citizen who stands at this window."""
        waiting = window.read(lambda tx: tx.tickets.waiting(20))
        if waiting and self.world.chance(0.8):
            return str(self.world.random.choice(waiting).number)
        return f"A{self.world.random.randrange(1, 60):03}"

    def at_office(self, what: str, act: Callable[[], object]) -> bool:
        """What IT does there; whether it came to its end."""
        done = False
        try:
            act()
        except Failure as failure:
            self.world.tell(f"office {what}: {failure.code}")
        except Crash:
            self.world.tell(f"office {what}: crashed")
        else:
            self.world.tell(f"office {what}")
            done = True
        self.world.counts[what] += 1
        return done

    def restored(self, copy: sa.Engine, at: Any) -> None:
        self.world.pass_(90)
        self.office.restore(copy)
        self.copies.clear()  # the counters pass over what was given since one backup, not over a second time
        self.world.counts["restores"] += 1
        self.world.tell(f"the office is as it was at {at}")
        self.office.write(restoring.restored)

    def mend(self) -> None:
        """The error is mended; what the office owes is tried again."""
        self.at_office("held retry", lambda: held.retry(self.office.office))

    def visits_of(self, window: SimWindow) -> Sequence[Visit]:
        far = timedelta(days=400)
        ended = window.read(lambda tx: tx.visits.ended(self.world.now - far, self.world.now + far))
        current = window.read(lambda tx: tx.visits.current(window.clerk))
        return (*ended, current) if current else ended

    def compare_mirror(self, window: SimWindow) -> None:
        """What the window shows as waiting is what waits."""
        key = (window.hall, "queue:A")
        facts = self.office.office.read(lambda connection: feed.snapshot(connection, key)).changes
        wanted = {(one.id, one.version) for one in facts if one.data["state"] == "waiting"}
        shown = {(one.id, one.version) for one in window.read(lambda tx: tx.tickets.waiting())}
        if wanted != shown:
            raise Violation("mirror", f"{window.name}: {len(shown)} waiting, at the office {len(wanted)}")
        for scope in ("queue:A", LOST_CARDS):
            place = (window.hall if scope.startswith("queue") else "", scope)
            told = self.office.office.read(lambda connection, place=place: feed.digest(connection, place))
            mine = window.read(lambda tx, scope=scope: digests.of_mirror(tx, scope))
            if mine != told.digest:
                raise Violation("mirror", f"{window.name}: {scope} is {mine}, at the office {told.digest}")

    # --- inside -----------------------------------------------------------------------------------------

    def _enable(self) -> None:
        for hall, clerk in self.disabled:
            mine = sa.update(staff).where(staff.c.hall == hall, staff.c.staff_no == clerk)
            self.office.write(lambda tx, mine=mine: tx.connection.execute(mine.values(disabled_at=None)))

    def _poisoning(self) -> Any:
        """Filing fails with an error of the office's own while `poisoned`, for some cases."""
        kind = applying.KINDS["case.file"]

        def apply(tx: Transaction, *rest: Any) -> dict[str, Any]:
            if self.world.chance(self.poisoned):
                raise RuntimeError("an error of the office")
            return kind.apply(tx, *rest)

        changed = dict(applying.KINDS) | {"case.file": type(kind)(kind.right, kind.body, apply)}
        return replaced((applying, "KINDS", changed))
