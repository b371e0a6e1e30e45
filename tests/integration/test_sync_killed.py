"""kill -9 at every step of a cycle: each case is registered exactly once all the same."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from office_hall import served
from sync_window import Window, registered_numbers

from clerk_app.domain.case import SyncState, TimelineKind

HERE = Path(__file__).parent
POINTS = ["marked", "answered", "settled", "fetched", "write-1", "write-2", "write-3"]


@pytest.fixture(scope="module")
def hall(tmp_path_factory):
    with served(tmp_path_factory.mktemp("office") / "data") as hall:
        yield hall


def kill_at(window: Window, point: str) -> None:
    window.close()
    run = subprocess.run(
        [
            sys.executable,
            "sync_victim.py",
            window.url,
            window.token,
            json.dumps(asdict(window.device)),
            str(window.folder),
            point,
        ],
        cwd=HERE,
        env={"PYTHONPATH": f"{HERE.parents[1]}:{HERE}", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == -signal.SIGKILL, run.stderr
    window.open()


@pytest.mark.parametrize("point", POINTS)
def test_a_killed_cycle_leaves_every_case_registered_exactly_once(hall, tmp_path, point):
    window = Window(hall, hall.url, tmp_path / "cache")
    window.cycle()
    cases = [window.file() for _ in range(3)]
    kill_at(window, point)
    window.cycle()
    numbers = registered_numbers(hall)
    for case in cases:
        assert numbers.count(case.number) == 1
        assert window.case(case).sync_state is SyncState.REGISTERED
        kinds = [
            event.kind for event in window.store.read(lambda tx, case=case: tx.timeline.of_case(case.id))
        ]
        assert kinds == [TimelineKind.SENT, TimelineKind.REGISTERED]
    assert window.unsent() == 0
    window.close()


def test_a_kill_between_the_lease_and_its_record_leaks_no_block(hall, tmp_path):
    window = Window(hall, hall.url, tmp_path / "cache")
    kill_at(window, "leased")
    window.cycle()
    leased = hall.rows(f"SELECT low, high FROM block WHERE device = '{window.device.id}'")
    held = window.store.read(lambda tx: [(block.low, block.high) for block in tx.numbers.blocks()])
    assert [tuple(row) for row in leased] == held
    window.close()
