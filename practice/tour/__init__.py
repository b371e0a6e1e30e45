"""The tour: the real window driven by keys through a day of one clerk, off-screen.

Every step does something, waits until the window shows what it says, and takes a picture in each language.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from clerk_app.application import clerk_window, qt_loop
from clerk_app.ui.services import Look
from practice.hall import PracticeHall
from practice.tour.afternoon import afternoon
from practice.tour.driver import SIZE, Driver, StepFailed
from practice.tour.evening import evening
from practice.tour.morning import morning
from practice.tour.outage import outage

_log = logging.getLogger(__name__)


def take_tour(app: QApplication, hall: PracticeHall, folder: Path, say: Callable[[str], None]) -> int:
    """Run the whole tour; returns the exit code."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    with qt_loop(app) as loop:
        window = clerk_window(hall.workstation, loop)
        window.setFixedSize(*SIZE)
        tour = Driver(window, hall, folder, say)
        window.show()
        hall.workstation.start()
        # A plain callback, not a task: it spins the event loop, and a task that does so blocks all others.
        QTimer.singleShot(0, partial(_take_and_stop, tour, loop))
        loop.run_forever()
        window.close()
    return 1 if tour.summary.failed else 0


def _take_and_stop(tour: Driver, loop: asyncio.AbstractEventLoop) -> None:
    """The whole day, then the summary; whatever went wrong is in it."""
    try:
        for part in (morning, outage, afternoon, evening):
            part(tour)
    except StepFailed as failure:
        tour.picture("failed", Look())
        tour.fail(str(failure))
    except Exception as broken:
        tour.fail(f"the tour itself broke: {type(broken).__name__}")
        _log.exception("the tour itself broke")
    finally:
        try:
            tour.write_summary()
        finally:
            loop.stop()
