"""`clerk-app run`: one window a workstation, from the settings to the last thread joined."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from PySide6.QtNetwork import QLocalServer, QLocalSocket
from PySide6.QtWidgets import QApplication

from clerk_app import logs
from clerk_app import settings as settings_file
from clerk_app.bootstrap import Workstation, open_workstation, real_parts
from clerk_app.failures import Failure
from clerk_app.settings import Settings, WindowSettings
from clerk_app.ui.application import ClerkWindow, event_loop
from clerk_app.ui.services import Look, Services
from clerk_app.ui.start_failure import StartFailure

_log = logging.getLogger(__name__)

RAISE_MILLISECONDS = 500


class SavedLook:
    """The clerk's look in the settings file of the workstation."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def load(self) -> Look:
        kept = self._settings.window
        return Look(kept.language, kept.theme, kept.scale)

    def save(self, look: Look) -> None:
        self._settings = replace(self._settings, window=WindowSettings(look.language, look.theme, look.scale))
        settings_file.save(self._settings)


def run(folder: Path | None, *, verbose: bool = False) -> int:
    """Open the window of this workstation; a second start raises the first one. Exit code 2 on a failure."""
    sys.excepthook = _log_bug
    app = QApplication(sys.argv[:1])
    look = Look()
    try:
        settings = settings_file.load(folder)
        look = SavedLook(settings).load()
        logs.start(settings.folder / "logs", verbose=verbose)
        if raise_running(settings.folder):
            return 0
        workstation = open_workstation(settings, real_parts(settings))
    except Failure as failure:
        _log.error("start: %s", failure)
        return StartFailure(failure, look).show_and_wait(app)
    with closing(workstation):
        return show(app, workstation)


def show(
    app: QApplication, workstation: Workstation, opened: Callable[[ClerkWindow], object] = lambda _: None
) -> int:
    """Show the window of a wired workstation until it is closed; `opened` gets it once it is on screen."""
    with qt_loop(app) as loop:
        window = clerk_window(workstation, loop)
        door = QLocalServer()
        door.newConnection.connect(lambda: _come_forward(window, door))
        QLocalServer.removeServer(_door_name(workstation.settings.folder))
        door.listen(_door_name(workstation.settings.folder))
        app.lastWindowClosed.connect(loop.stop)
        window.show()
        opened(window)
        workstation.start()
        loop.run_forever()
        door.close()
    return 0


@contextmanager
def qt_loop(app: QApplication) -> Iterator[asyncio.AbstractEventLoop]:
    """The loop of the window; at the end, tasks that still wait are cancelled and seen to their end."""
    loop = event_loop(app)
    try:
        yield loop
        waiting = asyncio.all_tasks(loop)
        for task in waiting:
            task.cancel()
        if waiting:
            loop.run_until_complete(asyncio.wait(waiting))
    finally:
        loop.close()


def clerk_window(workstation: Workstation, loop: asyncio.AbstractEventLoop) -> ClerkWindow:
    """The window on a wired workstation."""
    return ClerkWindow(
        Services(
            desk=workstation.desk,
            lanes=workstation.lanes,
            reader=workstation.reader,
            link=lambda: workstation.link,
            subscribe=workstation.subscribe,
            preferences=SavedLook(workstation.settings),
            loop=loop,
            practice=workstation.desk.device.practice,
        )
    )


def raise_running(folder: Path) -> bool:
    """Whether a window on this folder is open already; it is asked to come forward."""
    socket = QLocalSocket()
    socket.connectToServer(_door_name(folder))
    if not socket.waitForConnected(RAISE_MILLISECONDS):
        return False
    socket.disconnectFromServer()
    return True


def _door_name(folder: Path) -> str:
    return f"clerk-app-{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]}"


def _come_forward(window: ClerkWindow, door: QLocalServer) -> None:
    while (visitor := door.nextPendingConnection()) is not None:
        visitor.close()
        visitor.deleteLater()
    window.showNormal() if window.isMinimized() else window.show()
    window.raise_()
    window.activateWindow()


def _log_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A bug that reached the top: into the log with its traceback, and on standard error."""
    _log.critical("a bug of ours", exc_info=(kind, error, trace))
    sys.__excepthook__(kind, error, trace)
