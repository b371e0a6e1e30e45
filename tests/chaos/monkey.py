"""What is done to the hall, drawn from a seed: who is killed when and where, and what else goes wrong."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.chaos.hall import ChaosHall, Seat
from tests.fault_proxy import Fault, Weather

WAITING = 12
"""So many tickets are out that nobody was called for yet, about."""

_WORDS = ("", "/sync/push", "/blocks", "/sync/changes", "/sync/snapshot", "/call", "/session", "/uploads")
_STORM = (
    ({Fault.LOSE_ANSWER: 0.2, Fault.REFUSE: 0.1}, Weather(0.005, 0.02)),
    ({Fault.CUT_ANSWER: 0.1, Fault.CORRUPT: 0.1, Fault.CUT_REQUEST: 0.1}, Weather(loss=0.1)),
    ({Fault.DEAF: 0.1, Fault.HALF_OPEN: 0.1}, Weather()),
    ({Fault.PORTAL: 0.3, Fault.GATEWAY: 0.1}, Weather()),
    ({Fault.BUSY: 0.3, Fault.THROTTLED: 0.2}, Weather()),
    ({Fault.TWICE: 0.5}, Weather()),
    ({}, Weather(latency=0.2, jitter=0.3, loss=0.3, bandwidth=20_000.0)),
    ({}, Weather(reset=0.1)),
)


@dataclass
class Plan:
    """How much of everything: `kills` in all, `minutes` at most, an event about every `every` seconds."""

    kills: int
    minutes: float
    seed: int
    every: float = 3.0
    restores: int = 1


@dataclass
class Monkey:
    hall: ChaosHall
    plan: Plan
    kills: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    _due: dict[int, float] = field(default_factory=dict)
    _later: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    _points: dict[int, str] = field(default_factory=dict)
    _backup: Path | None = None
    _since_backup: set[int] = field(default_factory=set)  # seats enrolled again; a restored office forgot it
    _gone: set[str] = field(default_factory=set)  # parts of the hall that are away and come back later

    def __post_init__(self) -> None:
        self._random = Random(f"monkey {self.plan.seed}")

    @property
    def killed(self) -> int:
        return sum(self.kills.values())

    def run(self, say: Callable[[str], None] = lambda _line: None) -> None:
        """Until the kills are done or the time is up; then everything is healed."""
        begun = now = time.monotonic()
        next_event, told, restored = now + 1.0, 0, 0
        while self.killed < self.plan.kills and now - begun < self.plan.minutes * 60:
            now = time.monotonic()
            self._entrance()
            self._windows(now)
            self._office()
            for item in [item for item in self._later if item[0] <= now]:
                self._later.remove(item)
                item[1]()
            share = max(self.killed / self.plan.kills, (now - begun) / (self.plan.minutes * 60))
            if now >= next_event:
                next_event = now + self.plan.every * (0.3 + 1.4 * self._random.random())
                self._event(now)
            if restored < self.plan.restores and share > (restored + 0.7) / (self.plan.restores + 0.4):
                restored += 1
                self._restore()
            elif self._backup is None and restored < self.plan.restores and share > 0.3 * (restored + 1):
                self._backup = self.hall.back_up()
                self._since_backup.clear()
            if self.killed // 50 > told:
                told = self.killed // 50
                say(f"{self.killed} kills, {now - begun:.0f} s")
            time.sleep(0.005)
        self._heal()

    # --- who lives -------------------------------------------------------------------------------------

    def _windows(self, now: float) -> None:
        for seat in self.hall.seats:
            status = self.hall.nursery.status(seat.pid) if seat.pid else 0
            if seat.pid and status is None:
                if now < self._due[seat.number]:
                    continue
                if self.hall.nursery.kill(seat.pid):
                    self.kills["window, at any moment"] += 1
            elif seat.pid and status == -9:
                self.kills[f"window, {self._points[seat.number].partition(':')[0]}"] += 1
            if f"seat {seat.number}" in self._gone:
                seat.pid = 0
                continue
            point = self._point() if self._random.random() < 0.5 else ""
            self._points[seat.number] = point
            self._due[seat.number] = now + (10.0 if point else 0.2 + 10.0 * self._random.random() ** 2)
            self.hall.live(seat, point, jump=86400.0 if self._random.random() < 0.05 else 0.0)

    def _point(self) -> str:
        chance = self._random
        name = chance.choice(("writing", "written", "asking", "asked", "printing", "printed"))
        match name:
            case "writing" | "written":
                return f"{name}:{chance.randint(1, 40)}"
            case "asking" | "asked":
                return f"{name}:{chance.randint(1, 4)}:{chance.choice(_WORDS)}"
        return f"{name}:{chance.randint(1, 4)}"

    def _office(self) -> None:
        """An office that reached its own point is dead; somebody starts it again."""
        if "office" in self._gone or self.hall.nursery.status(self.hall.office.pid) is None:
            return
        self.kills["office, at a point"] += 1
        self._start_office()

    def _start_office(self) -> None:
        self._gone.discard("office")
        chance = self._random
        point = ""
        if self.hall.workers == 1 and chance.random() < 0.4:
            point = f"{chance.choice(('office-writing', 'office-written'))}:{chance.randint(5, 300)}"
        self.hall.start_office(point)

    def _entrance(self) -> None:
        """People come for as long as others are served."""
        if self._random.random() < 0.02 and "office" not in self._gone:
            self.hall.ticket()

    # --- what goes wrong -------------------------------------------------------------------------------

    def _event(self, now: float) -> None:
        chance = self._random
        events: list[tuple[str, float, Callable[[float], None]]] = [
            ("storm", 4, self._storm),
            ("network gone", 2, self._no_network),
            ("office killed", 3, self._kill_office),
            ("clock set", 1, self._set_clock),
            ("enrolled again", 0.5, self._enrol_again),
            ("revoked", 0.3, self._revoke),
        ]
        if any(seat.small_disk for seat in self.hall.seats):
            events.append(("disk full", 1.5, self._fill_disk))
        if self.hall.cluster is not None:
            events.append(("database crashed", 1.5, self._crash_database))
        (chosen,) = chance.choices(events, [weight for _, weight, _ in events])
        self.events[chosen[0]] += 1
        chosen[2](now)

    def _storm(self, now: float) -> None:
        if "network" in self._gone:
            return
        odds, weather = self._random.choice(_STORM)
        self.hall.weather(odds, weather)
        self._after(now, 1 + 4 * self._random.random(), self.hall.calm)

    def _no_network(self, now: float) -> None:
        if "network" in self._gone:
            return
        self._gone.add("network")
        self.kills["network"] += self.hall.kill_proxy()

        def back() -> None:
            self._gone.discard("network")
            self.hall.start_proxy()

        self._after(now, 0.5 + 4 * self._random.random(), back)

    def _kill_office(self, now: float) -> None:
        if "office" in self._gone:
            return
        if self.hall.workers > 1 and self._random.random() < 0.6:
            self.kills["office worker"] += self.hall.kill_worker(self._random.randrange(8))
            return
        self._gone.add("office")
        self.kills["office, at any moment"] += self.hall.kill_office()
        self._after(now, 3 * self._random.random(), self._start_office)

    def _crash_database(self, _now: float) -> None:
        if "office" not in self._gone:
            self.hall.crash_database()
            self.kills["database"] += 1

    def _fill_disk(self, now: float) -> None:
        seat = next(seat for seat in self.hall.seats if seat.small_disk)
        self.hall.fill_disk(seat)
        self._after(now, 1 + 3 * self._random.random(), lambda: self.hall.free_disk(seat))

    def _set_clock(self, _now: float) -> None:
        seat = self._random.choice(self.hall.seats)
        seat.ahead = self._random.choice((0.0, 3600.0, -3600.0, 86400.0, -86400.0))

    def _enrol_again(self, _now: float) -> None:
        if "office" not in self._gone and (seat := self._idle_seat()) is not None:
            self._enrol(seat)

    def _enrol(self, seat: Seat) -> None:
        """IT closes the window, not gently, frees its disk and enrols it again."""
        self.kills["window, at any moment"] += self.hall.nursery.kill(seat.pid)
        seat.pid = 0
        self.hall.free_disk(seat)
        self._office()  # it may have died of its point
        self.hall.enrol(seat, again=True)
        self._since_backup.add(seat.number)

    def _revoke(self, now: float) -> None:
        """IT takes a workstation's enrolment back, and sees a few seconds later that it was the wrong one."""
        if "office" in self._gone:
            return
        seat = self._random.choice(self.hall.seats)
        name = f"revoked {seat.number}"
        if name in self._gone:
            return
        self._gone.add(name)
        self.hall.revoke(seat)

        def forgive() -> None:
            if "office" in self._gone:
                self._after(time.monotonic(), 1.0, forgive)
                return
            self._gone.discard(name)
            self._enrol(seat)

        self._after(now, 1 + 2 * self._random.random(), forgive)

    def _idle_seat(self) -> Seat | None:
        seats = [seat for seat in self.hall.seats if f"revoked {seat.number}" not in self._gone]
        return self._random.choice(seats) if seats else None

    def _restore(self) -> None:
        if self._backup is None:
            return
        self._gone.discard("office")
        self._later = [item for item in self._later if item[1] != self._start_office]
        self.kills["office, at any moment"] += self.hall.nursery.status(self.hall.office.pid) is None
        self.hall.restore(self._backup)
        self._backup = None
        self.events["restored from a backup"] += 1
        for seat in self.hall.seats:
            if seat.number in self._since_backup:  # it is told so, and IT has to do it
                self._enrol(seat)

    def _after(self, now: float, seconds: float, what: Callable[[], None]) -> None:
        self._later.append((now + seconds, what))

    def _heal(self) -> None:
        """Everything is well: what was away comes back, and nobody is killed any more."""
        for seat in self.hall.seats:
            self.kills["window, at any moment"] += self.hall.nursery.kill(seat.pid)
            self.hall.free_disk(seat)
            seat.ahead = 0.0
        if self.hall.nursery.status(self.hall.office.pid) is not None:
            self._gone.discard("office")
        else:
            self.hall.kill_office()  # it may bear a point
        self.hall.start_office()
        self._gone.discard("office")
        later, self._later = self._later, []
        for _, what in later:
            if what not in (self._start_office,):
                what()
        if "network" in self._gone:
            self.hall.start_proxy()
        self.hall.calm()
        for seat in self.hall.seats:
            if f"revoked {seat.number}" in self._gone:
                self.hall.enrol(seat, again=True)
