"""Process start to the first painted window, beside an empty PySide6 window.

Each run is a process of its own; the clock starts before it is spawned and stops when it says that its window
is painted and its event loop turns.

    python -m bench.start
"""

from __future__ import annotations

import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the children count every import
    from bench.report import Claim
    from clerk_app.workstation import Workstation

ROUNDS = 7
CLERK, PASSWORD = "1024", "practice"
SIGN_IN_GOAL, MAIN_GOAL = 2.5, 6.0
LOOK_EVERY_MS = 5


def run() -> Claim:
    """Each kind of process in turn, several rounds; medians."""
    from bench.report import Claim, Row

    with tempfile.TemporaryDirectory() as name:
        folder, key = Path(name), secrets.token_hex(32)
        _prepare(folder, key)
        times: dict[str, list[float]] = {"empty": [], "sign-in": [], "main": []}
        for _ in range(ROUNDS):
            for kind, seen in times.items():
                seen.append(_timed(kind, folder, key))
    median = {kind: statistics.median(seen) for kind, seen in times.items()}
    empty = median["empty"]
    return Claim(
        name="Start",
        reference="empty PySide6 window",
        goal=f"≤ {SIGN_IN_GOAL:g} × to the sign-in window, ≤ {MAIN_GOAL:g} × to the main window.",
        met=median["sign-in"] <= SIGN_IN_GOAL * empty and median["main"] <= MAIN_GOAL * empty,
        rows=(
            Row("process start → sign-in window painted, takes keys", median["sign-in"], empty),
            Row("process start → main window, 66,774 items searchable, cache open", median["main"], empty),
            Row("of that the verification of the password (Argon2id)", _verification(), None),
        ),
        note=f"Medians of {ROUNDS} processes each, in turn. The cache is opened behind the sign-in page. The "
        "clerk signs in at once, while the office is out of reach.",
    )


def _verification() -> float:
    """Milliseconds the sign-in without the office spends on the password, on purpose."""
    from argon2 import PasswordHasher

    hasher, taken = PasswordHasher(), []
    verifier = hasher.hash(PASSWORD)
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        hasher.verify(verifier, PASSWORD)
        taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken)


def _prepare(folder: Path, key: str) -> None:
    """A cache, a catalogue of 66,774 items and a known clerk, as a day's work leaves them."""
    from clerk_app.desk import sign_in
    from clerk_app.desk.ports import LinkState
    from clerk_app.store.vault import GivenKey
    from practice.hall import PracticeHall

    with PracticeHall(folder, print, key=GivenKey(bytes.fromhex(key))) as hall:
        workstation = hall.workstation
        workstation.start()
        while not workstation.desk.catalogue.count or workstation.link.state is not LinkState.ONLINE:
            time.sleep(0.05)
        sign_in.sign_in(workstation.desk, CLERK, PASSWORD)


def _timed(kind: str, folder: Path, key: str) -> float:
    """Milliseconds until the child says that its window is painted."""
    begun = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "bench.start", kind, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen", "BENCH_KEY": key},
        text=True,
    ) as child:
        assert child.stdout is not None
        said = child.stdout.readline()
        passed = (time.perf_counter() - begun) * 1000
        _, trouble = child.communicate()
    if said.strip() != "painted" or child.returncode:
        raise RuntimeError(f"{kind}: the child said {said!r}: {trouble[-1000:]}")
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


def _ours(folder: Path, *, to_main: bool) -> None:
    """The window as `clerk-app run` shows it, with a key of ours instead of the keyring's."""
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from clerk_app import application
    from clerk_app.settings import Settings
    from clerk_app.ui.application import ClerkWindow

    app = QApplication([])
    opened: list[Workstation] = []

    def workstation() -> Workstation:
        opened.append(_workstation(folder))
        return opened[0]

    def begin(window: ClerkWindow) -> None:
        timer = QTimer(window, interval=LOOK_EVERY_MS if to_main else 0)

        def look() -> None:
            if to_main and not _searchable(window, opened):
                return
            timer.stop()
            window.grab()
            print("painted", flush=True)
            window.close()

        timer.timeout.connect(look)
        timer.start()
        if to_main:
            window._ask_sign_in(CLERK, PASSWORD)

    application.show(app, Settings(folder / "window"), workstation, opened=begin)
    for one in opened:
        one.close()


def _workstation(folder: Path) -> Workstation:
    from clerk_app.bootstrap import open_workstation
    from clerk_app.devices.card.simulator import SimulatedReader
    from clerk_app.devices.printer.none import NoPrinter
    from clerk_app.settings import Settings
    from clerk_app.store.vault import GivenKey
    from clerk_app.workstation import Parts

    class Tokens:
        def save(self, device_id: str, token: str) -> None: ...
        def forget(self, device_id: str) -> None: ...
        def load(self, device_id: str) -> str:
            return "nobody"

    key = GivenKey(bytes.fromhex(os.environ["BENCH_KEY"]))
    parts = Parts(key, Tokens(), SimulatedReader({}), NoPrinter())
    return open_workstation(Settings(folder / "window", office_url="http://127.0.0.1:9"), parts)


def _searchable(window: object, opened: list[Workstation]) -> bool:
    """Whether the clerk is signed in, sees the counter's state and gets an answer to a search."""
    from clerk_app.desk import finding

    counter = window.counter  # type: ignore[attr-defined]
    if counter is None or counter.shown.status is None:
        return False
    return bool(finding.search(opened[0].desk, "sbk", None))


if __name__ == "__main__":
    if len(sys.argv) == 1:
        from bench.report import publish

        publish(run())
    elif sys.argv[1] == "empty":
        _empty()
    else:
        _ours(Path(sys.argv[2]), to_main=sys.argv[1] == "main")
