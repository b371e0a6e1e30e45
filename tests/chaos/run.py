"""One run from its first process to its judgement."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.hall import ChaosHall
from tests.chaos.monkey import Monkey, Plan
from tests.chaos.truth import judge


@dataclass(frozen=True, slots=True)
class Result:
    """What was found (nothing, one hopes) and how much was done."""

    seed: int
    database: str
    seconds: float
    findings: list[str]
    figures: dict[str, int]


def run(
    folder: Path,
    *,
    kills: int,
    minutes: float,
    seed: int,
    windows: int = 3,
    database: str = "sqlite",
    workers: int = 1,
    every: float = 3.0,
    say: Callable[[str], None] = lambda _line: None,
) -> Result:
    """Make a hall in `folder`, break it `kills` times or for `minutes`, heal it and judge."""
    begun = time.monotonic()
    with ChaosHall(folder, windows, database, workers, seed) as hall:
        monkey = Monkey(hall, Plan(kills, minutes, seed, every))
        monkey.run(say)
        say("healed; the books are compared")
        verdict = judge(hall)
        met = hall.met()
    figures = {
        "kills": monkey.killed,
        **{f"killed: {name}": count for name, count in sorted(monkey.kills.items())},
        **{f"event: {name}": count for name, count in sorted(monkey.events.items())},
        **{f"fault met: {name.lower()}": count for name, count in sorted(met.items())},
        **dict(sorted(verdict.figures.items())),
        "findings": len(verdict.findings),
    }
    return Result(seed, database, time.monotonic() - begun, verdict.findings, figures)
