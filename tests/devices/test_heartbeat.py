"""A helper process that hangs ends by itself, also when nobody is left to end it."""

from __future__ import annotations

import json
import subprocess
import sys

from clerk_app.devices.voice.speaking import COMMAND

HELPER = """
import ctypes, sys
from PySide6.QtCore import QCoreApplication, QTimer
from clerk_app.devices.heartbeat import end_when_hung
app = QCoreApplication([])
end_when_hung(app, 0.6)
if sys.argv[1] == "hangs":
    QTimer.singleShot(0, lambda: ctypes.PyDLL(None).sleep(60))  # with the interpreter's lock
else:
    QTimer.singleShot(2000, app.quit)
sys.exit(app.exec())
"""


def helper(way: str) -> int:
    command = [sys.executable, "-c", HELPER, way]
    return subprocess.run(command, check=False, timeout=20, stderr=subprocess.DEVNULL).returncode


def test_one_that_hangs_in_a_library_ends() -> None:
    assert helper("hangs") == 1


def test_one_whose_loop_runs_goes_on() -> None:
    assert helper("lives") == 0


def test_the_process_of_the_voice_ends_with_its_input() -> None:
    """As when the window was killed."""
    told = json.dumps({"languages": ["zh"], "rate": 100, "volume": 80})
    done = subprocess.run([*COMMAND, told], check=False, timeout=20, input="", capture_output=True, text=True)
    assert done.returncode == 0
    assert json.loads(done.stdout.splitlines()[0])["state"]
