"""Process start to the first painted window, beside an empty PySide6 window.

Each run is a process of its own; the clock starts before it is spawned and stops when it says that its window
has been painted (the first paint event has returned and the event loop is turning).
"""

from __future__ import annotations

import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.report import Claim, Row, publish

ROUNDS = 7
CLERK, PASSWORD = "1024", "practice"


def run() -> Claim:
    """Sign-in window ≤ 2.5 ×, main window with the searchable catalogue ≤ 6 ×."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        key = secrets.token_hex(32)
        _prepare(folder, key)
        times: dict[str, list[float]] = {"empty": [], "sign-in": [], "main": []}
        for _ in range(ROUNDS):
            for kind, seen in times.items():
                seen.append(_timed(kind, folder, key))
    median = {kind: statistics.median(seen) for kind, seen in times.items()}
    rows = (
        Row("process start → sign-in window painted", median["sign-in"], median["empty"]),
        Row(
            "process start → main window, 66,774 items searchable, encrypted cache open",
            median["main"],
            median["empty"],
        ),
    )
    met = median["sign-in"] <= 2.5 * median["empty"] and median["main"] <= 6 * median["empty"]
    return Claim(
        name="Start",
        reference="empty PySide6 window",
        goal="≤ 2.5 × to the sign-in window, ≤ 6 × to the main window.",
        met=met,
        rows=rows,
        note=f"Median of {ROUNDS} processes each, in turn. The office is out of reach: the clerk signs in by "
        "the verifier of the last time, which costs one Argon2id hash.",
    )


def _prepare(folder: Path, key: str) -> None:
    """A cache, a catalogue of 66,774 items and a known clerk, as a day's work leaves them."""
    from clerk_app.bootstrap import catalogue_path
    from clerk_app.desk import sign_in
    from clerk_app.desk.ports import LinkState
    from clerk_app.store.vault import GivenKey
    from practice.hall import PracticeHall

    hall = PracticeHall(folder, print)
    hall._key = GivenKey(bytes.fromhex(key))
    with hall:
        workstation = hall.workstation
        workstation.start()
        while not workstation.desk.catalogue.count or workstation.link.state is not LinkState.ONLINE:
            time.sleep(0.05)
        sign_in.sign_in(workstation.desk, CLERK, PASSWORD)
        assert catalogue_path(workstation.settings).exists()


def _timed(kind: str, folder: Path, key: str) -> float:
    """Milliseconds until the child says that its window is painted."""
    begun = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "bench.start", kind, str(folder)],
        stdout=subprocess.PIPE,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen", "BENCH_KEY": key},
        text=True,
    ) as child:
        assert child.stdout is not None
        said = child.stdout.readline()
        passed = (time.perf_counter() - begun) * 1000
    if said.strip() != "painted":
        raise RuntimeError(f"{kind}: the child said {said!r}")
    return passed


# --- the child processes -----------------------------------------------------------------------------------


def _empty() -> None:
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication, QMainWindow

    app = QApplication([])
    window = QMainWindow()
    window.resize(1366, 768)
    window.show()
    QTimer.singleShot(0, lambda: (window.grab(), print("painted", flush=True), app.quit()))
    app.exec()


def _ours(folder: Path, reached: Callable[..., bool]) -> None:
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from clerk_app import application
    from clerk_app.bootstrap import NoPrinter, Parts, open_workstation
    from clerk_app.devices.card.simulator import SimulatedReader
    from clerk_app.settings import Settings
    from clerk_app.store.vault import GivenKey

    class Tokens:
        def save(self, device_id: str, token: str) -> None: ...
        def forget(self, device_id: str) -> None: ...
        def load(self, device_id: str) -> str:
            return "nobody"

    app = QApplication([])
    parts = Parts(
        GivenKey(bytes.fromhex(os.environ["BENCH_KEY"])), Tokens(), SimulatedReader({}), NoPrinter()
    )
    workstation = open_workstation(Settings(folder / "window", office_url="http://127.0.0.1:9"), parts)

    def opened(window: application.ClerkWindow) -> None:
        timer = QTimer(window, interval=1)

        def look() -> None:
            if reached(window, workstation):
                window.grab()
                print("painted", flush=True)
                window.close()

        timer.timeout.connect(look)
        timer.start()

    application.show(app, workstation, opened=opened)
    workstation.close()


def _at_sign_in(_window: object, _workstation: object) -> bool:
    return True


class _AtMain:
    """Signs in as soon as it can, then waits for the counter and an answered search."""

    def __init__(self) -> None:
        self._asked = False

    def __call__(self, window: object, workstation: object) -> bool:
        if not self._asked:
            self._asked = True
            window._ask_sign_in(CLERK, PASSWORD)  # type: ignore[attr-defined]
        if window.counter is None or window.counter.shown.status is None:  # type: ignore[attr-defined]
            return False
        from clerk_app.desk import finding

        return bool(finding.search(workstation.desk, "sbk", None))  # type: ignore[attr-defined]


if __name__ == "__main__":
    if len(sys.argv) == 1:
        publish(run())
    elif sys.argv[1] == "empty":
        _empty()
    else:
        _ours(Path(sys.argv[2]), _AtMain() if sys.argv[1] == "main" else _at_sign_in)
