"""On a real X server, not off-screen: the libraries that the packages list installs are enough to draw."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CLOSE_AFTER_SHOWING = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from clerk_app import application
from clerk_app.ui.start_failure import StartFailure

shown = StartFailure.showEvent
def close_soon(self, event):
    shown(self, event)
    QTimer.singleShot(300, lambda: picture(self))
def picture(self):
    print(QApplication.platformName(), self.grab().save(sys.argv[2]))
    self.close()
StartFailure.showEvent = close_soon
from pathlib import Path
sys.exit(application.run(Path(sys.argv[1])))
"""


@pytest.mark.display
def test_a_start_that_fails_is_told_on_the_screen(tmp_path: Path) -> None:
    """`clerk-app run` with broken settings: a window with the code, exit code 2, a line in the log."""
    (tmp_path / "settings.toml").write_text("[office\n", encoding="utf-8")
    picture = tmp_path / "screen.png"
    environment = {k: v for k, v in os.environ.items() if k != "QT_QPA_PLATFORM"}
    ran = subprocess.run(
        ["xvfb-run", "-a", sys.executable, "-c", CLOSE_AFTER_SHOWING, str(tmp_path), str(picture)],
        env=environment | {"QT_QPA_PLATFORM": "xcb"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.stdout.split() == ["xcb", "True"], ran.stderr
    assert ran.returncode == 2
    assert picture.stat().st_size > 5_000, "the window is drawn, not blank"
