"""A minute of what `make simulate` does for hours: seeds that pass, and rules whose removal is noticed."""

from __future__ import annotations

import time

import pytest

from tests.simulation import __main__ as command
from tests.simulation.run import simulate

SECONDS = 12.0
"""Of one core, for seeds that must pass; three at least, whatever the machine."""


def test_nothing_is_lost_doubled_or_lied_about() -> None:
    begun = time.process_time()
    seed = 0
    while seed < 3 or time.process_time() - begun < SECONDS:
        seed += 1
        outcome = simulate(seed)
        story = "\n".join(outcome.events[-40:])
        assert outcome.violation is None, f"seed {seed}: {outcome.violation}\n{story}"


def test_a_seed_is_the_same_run_every_time() -> None:
    first, second = (simulate(5, 120) for _ in range(2))
    assert first.events == second.events
    assert first.trace == second.trace


def test_a_run_that_fails_says_how_to_see_it_again(capsys: pytest.CaptureFixture[str]) -> None:
    rule = "number in the store"
    assert command.main(["--break", rule, "--seeds", "2"]) == 0
    told = capsys.readouterr().out
    assert rule in told
    assert command.main(["--seeds", "1", "--first", "3", "--steps", "60"]) == 0
    assert "nothing lost, nothing doubled" in capsys.readouterr().out
