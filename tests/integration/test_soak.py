"""A sample of `make soak`: fifty cards on each reader, fifty slips, and what the process holds afterwards."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "devices"))
sys.path.append(str(Path(__file__).parents[1] / "unit"))
from pcscd import Bench

from tests.soak import cards, leaks, slips

SAMPLE = 50
WARM = 10


@pytest.fixture
def seed() -> int:
    """Another one each time, told when the test fails."""
    drawn = secrets.randbelow(1 << 31)
    print(f"seed {drawn}")
    return drawn


def soaked(soak: Callable[[int, int], None], seed: int) -> None:
    """Soak a little, so that what is loaded once is there, then the sample; nothing may be left behind."""
    soak(WARM, seed + 1)
    before = leaks.held()
    soak(SAMPLE, seed)
    assert leaks.leaked(before) == []


def test_cards_on_a_simulated_reader(seed: int) -> None:
    soaked(lambda count, seed: cards.simulated(count, seed, print), seed)


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.close()


@pytest.mark.pcsc
@pytest.mark.slow
@pytest.mark.timeout(240)
def test_cards_on_pcscd(bench: Bench, seed: int) -> None:
    soaked(lambda count, seed: cards.on_pcscd(bench, count, seed, print), seed)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_slips_on_a_printer_that_breaks(seed: int, tmp_path: Path) -> None:
    soaked(lambda count, seed: slips.soak(count, seed, tmp_path, print), seed)


def test_a_leak_is_found() -> None:
    before = leaks.held()
    with Path("/proc/self/statm").open() as kept:
        assert any("1 handles" in found for found in leaks.leaked(before))
        kept.read()
    assert leaks.leaked(before) == []
