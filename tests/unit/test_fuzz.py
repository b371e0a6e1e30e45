"""Seconds of what `make fuzz` does for minutes: the corpus, then inputs from one seed."""

from __future__ import annotations

import time
from random import Random

import pytest

from clerk_app.failures import Failure
from tests.fuzz import __main__ as fuzz
from tests.fuzz import judging, mutation

TARGETS = judging.targets()
RUNS = 150
SECONDS = 1.0


@pytest.mark.parametrize("name", TARGETS)
def test_no_target_has_a_finding(name: str) -> None:
    seeds = judging.corpus(name)
    assert len(seeds) > 1, f"tests/fuzz/corpus/{name} has nothing to begin with"
    assert [finding for data in seeds if (finding := judging.judge(name, TARGETS[name], data))] == []
    random = Random(f"{name} 1")
    end = time.monotonic() + SECONDS
    for _ in range(RUNS):
        finding = judging.judge(name, TARGETS[name], mutation.fresh(random, seeds))
        assert finding is None, f"{finding.what}: {finding.data!r}\n{finding.trace}"
        if time.monotonic() > end:
            break


def test_a_failure_is_no_finding_and_anything_else_is() -> None:
    def refuses(_: bytes) -> None:
        raise Failure("SETTINGS-INVALID")

    def breaks(data: bytes) -> None:
        if b"\x07" in data:
            raise ValueError(data)

    assert judging.judge("refuses", refuses, b"x") is None
    assert judging.judge("breaks", breaks, b"x") is None
    found = judging.judge("breaks", breaks, b"aaaa\x07bbbb")
    assert found is not None
    assert found.what == "ValueError in test_fuzz.py:breaks"
    assert judging.smaller(found, breaks).data == b"\x07"


def test_a_target_that_never_ends_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "CPU_SECONDS", 0.05)

    def turns(_: bytes) -> None:
        while True:
            try:
                sum(range(1000))
            except Exception:
                continue

    found = judging.judge("turns", turns, b"")
    assert found is not None
    assert found.what.startswith("no end")


def test_a_seed_gives_the_same_inputs_again() -> None:
    seeds = (b"", b"AAAA-1234\n")
    first = [mutation.fresh(Random(3), seeds) for _ in range(3)]
    assert first == [mutation.fresh(Random(3), seeds) for _ in range(3)]
    assert max(map(len, first)) <= mutation.MOST_BYTES


def test_a_finding_is_said_saved_and_ends_with_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks(data: bytes) -> None:
        if data:
            raise ZeroDivisionError

    monkeypatch.setattr(judging, "targets", lambda: {"breaks": breaks})
    monkeypatch.setattr(fuzz, "FOLDER", tmp_path)
    assert fuzz.main(["--seconds", "5", "--seed", "7", "--plain"]) == 1
    said = capsys.readouterr().out
    assert "seed 7" in said
    assert "ZeroDivisionError" in said
    assert len(list(tmp_path.iterdir())) == 1
