"""`clerk-app demo`: the practice hall with its window, or the off-screen tour of it."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from clerk_app.failures import Failure
from clerk_app.settings import PrinterSettings


def run(templates: Path | None = None) -> int:
    """Open the practice hall: the clerk's window, and beside it the console of the citizens.

    `templates` is a folder with slip templates to try; Failure SETTINGS-INVALID when there is none.
    """
    from PySide6.QtWidgets import QApplication, QWidget

    from clerk_app import application
    from practice.console import PracticeConsole
    from practice.hall import PracticeHall

    printer = _printer(templates)
    app = QApplication(sys.argv[:1])
    with (
        tempfile.TemporaryDirectory(prefix="clerk-app-practice-") as folder,
        PracticeHall(Path(folder), _say, printer=printer) as hall,
    ):
        consoles = []

        def opened(window: QWidget) -> None:
            # After the clerk's window, so that it has the window's theme and stands beside it.
            consoles.append(PracticeConsole(hall, window))
            consoles[0].show()
            consoles[0].stand_beside()

        settings = hall.workstation.settings
        return application.show(app, settings, lambda: hall.workstation, opened=opened)


def tour(folder: Path, templates: Path | None = None) -> int:
    """Drive the window through a clerk's morning off-screen; pictures, slips and a summary go to `folder`.

    `templates` as for `run`. Exit code 1 when a step did not do what it says.
    """
    printer = _printer(templates)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication

    from practice.hall import PracticeHall
    from practice.tour import take_tour

    app = QApplication(sys.argv[:1])
    with (
        tempfile.TemporaryDirectory(prefix="clerk-app-tour-") as hall_folder,
        PracticeHall(Path(hall_folder), _say, printer=printer) as hall,
    ):
        return take_tour(app, hall, folder, _say)


def _printer(templates: Path | None) -> PrinterSettings:
    if templates is None:
        return PrinterSettings()
    if not templates.is_dir():
        raise Failure("SETTINGS-INVALID", f"--templates: no such folder: {templates}")
    return PrinterSettings(templates=str(templates.resolve()))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
