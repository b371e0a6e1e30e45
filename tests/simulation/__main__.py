"""Run seeds: `python -m tests.simulation --seeds 200 --first 1`; with `--break RULE` or `--break all` see who
notices that a rule of the product is gone.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from collections import Counter

from tests.simulation.breaks import RULES
from tests.simulation.run import STEPS, Outcome, pace, simulate
from tests.simulation.world import LAST_EVENTS


def main(arguments: list[str] | None = None) -> int:
    """0 when every seed passed, or, with rules removed, when every removal was noticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--break", dest="broken", default="", metavar="RULE", help=f"all, {', '.join(RULES)}")
    parser.add_argument("--events", type=int, default=LAST_EVENTS, help="printed of a run that fails")
    parser.add_argument("--keep-on", action="store_true", help="not only to the first seed that fails")
    parser.add_argument("--pace", type=int, default=0, metavar="CASES", help="filed without any misfortune")
    options = parser.parse_args(arguments)
    seeds = range(options.first, options.first + options.seeds)
    if options.broken:
        return _broken(list(RULES) if options.broken == "all" else [options.broken], seeds, options.steps)
    counts: Counter[str] = Counter()
    failed = 0
    seconds = hours = 0.0
    for seed in seeds:
        outcome = simulate(seed, options.steps)
        counts.update(outcome.counts)
        seconds, hours = seconds + outcome.seconds, hours + outcome.hours
        if outcome.violation is not None:
            failed += 1
            _tell(outcome, options.steps, options.events)
            if not options.keep_on:
                return 1
    _figures(counts, len(seeds), seconds, hours)
    if options.pace:
        synced, whole = pace(options.pace)
        print(f"in fine weather {synced:.0f} cases a second from filed to registered,", end=" ")
        print(f"{whole:.0f} with the clerk's work")
    print(f"{failed} of {len(seeds)} seeds failed" if failed else "nothing lost, nothing doubled")
    return 1 if failed else 0


def _tell(outcome: Outcome, steps: int, events: int) -> None:
    print(f"seed {outcome.seed}: {outcome.violation}", *outcome.events[-events:], sep="\n")
    print(f"again: python -m tests.simulation --seeds 1 --first {outcome.seed} --steps {steps}", flush=True)
    if outcome.violation is not None and outcome.violation.__cause__ is not None:
        traceback.print_exception(outcome.violation.__cause__)


def _figures(counts: Counter[str], seeds: int, seconds: float, hours: float) -> None:
    operations = counts["window commits"] + counts["office commits"] + counts["requests served"]
    print(f"{seeds} seeds, {seconds:.1f} s of one core, {hours:.0f} simulated hours")
    print(
        f"{hours / seconds * 60:.0f} simulated hours a minute, {operations / seconds:.0f} operations a second"
    )
    told = ("registered", "slips", "lost", "answers lost", "doubled requests", "window crashes")
    told = (*told, "office crashes", "disk failures", "restores", "hostile acts", "log records")
    print(", ".join(f"{name} {counts[name]}" for name in told))


def _broken(names: list[str], seeds: range, steps: int) -> int:
    unnoticed = 0
    for name in names:
        noticed: Counter[str] = Counter()
        first = 0
        for seed in seeds:
            violation = simulate(seed, steps, name).violation
            if violation is not None and simulate(seed, steps, name, present=True).violation is None:
                noticed[violation.check] += 1
                first = first or seed
        how = ", ".join(f"{check} {count}" for check, count in noticed.most_common())
        print(f"{name:28} {noticed.total():4} of {len(seeds)} first {first:4} {how}", flush=True)
        unnoticed += not noticed
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())
