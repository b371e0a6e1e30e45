"""Soak cards and slips: `python -m tests.soak [--cycles 2000] [--slips 2000] [--seed N] [PART …]`."""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "devices"))
sys.path.append(str(Path(__file__).parents[1] / "unit"))

from tests.soak import leaks

PARTS = ("cards", "pcscd", "slips")
_WARM = 50
"""Rounds before the first measurement: what is loaded once and kept is no leak."""


def main(arguments: list[str] | None = None) -> int:
    """0 when nothing leaked and no paper was lied about; 1 with what was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="cards|pcscd|slips")
    parser.add_argument("--cycles", type=int, default=2000, help="cards, on each of the two readers")
    parser.add_argument("--slips", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args(arguments)
    seed = secrets.randbelow(1 << 31) if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)
    bad = False
    for part in options.parts or PARTS:
        count = options.slips if part == "slips" else options.cycles
        try:
            found = {"cards": _cards, "pcscd": _pcscd, "slips": _slips}[part](count, seed)
        except AssertionError as finding:
            found = [str(finding)]
        print(f"{part}: {'; '.join(found) or 'nothing found'} (seed {seed})", flush=True)
        bad = bad or bool(found)
    return 1 if bad else 0


def _say(words: str) -> None:
    print(f"  {words}; {leaks.held()}", flush=True)


def _watched(soak: Callable[[int, int], None], count: int, seed: int) -> list[str]:
    soak(min(_WARM, count), seed + 1)
    before, begun = leaks.held(), time.monotonic()
    soak(count, seed)
    _say(f"{count} in {time.monotonic() - begun:.0f} s")
    return leaks.leaked(before)


def _cards(count: int, seed: int) -> list[str]:
    from tests.soak import cards

    return _watched(lambda count, seed: cards.simulated(count, seed, _say), count, seed)


def _pcscd(count: int, seed: int) -> list[str]:
    from pcscd import Bench

    from tests.soak import cards

    bench = Bench()
    try:
        return _watched(lambda count, seed: cards.on_pcscd(bench, count, seed, _say), count, seed)
    finally:
        bench.close()


def _slips(count: int, seed: int) -> list[str]:
    from tests.soak import slips

    with tempfile.TemporaryDirectory(prefix="clerk-app-soak-") as folder:
        return _watched(lambda count, seed: slips.soak(count, seed, Path(folder), _say), count, seed)


if __name__ == "__main__":
    sys.exit(main())
