"""`clerk-app run`: one window a workstation, from the settings to the last thread joined."""

from __future__ import annotations

import gc
import hashlib
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from PySide6.QtNetwork import QLocalServer, QLocalSocket
from PySide6.QtWidgets import QApplication

from clerk_app import logs
from clerk_app import settings as settings_file
from clerk_app.failures import Failure
from clerk_app.lanes import Lane
from clerk_app.settings import Settings, WindowSettings
from clerk_app.ui.application import ClerkWindow, event_loop
from clerk_app.ui.services import Look, Services

if TYPE_CHECKING:
    import asyncio

    from clerk_app.desk.ports import Doctor
    from clerk_app.workstation import Workstation

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
        """Keep `look`, and nothing else: IT may have edited the file since the window opened. Where that
        cannot be done the look lasts as long as the window.
        """
        window = WindowSettings(look.language, look.theme, look.scale)
        self._settings = replace(self._settings, window=window)
        try:
            settings_file.save(replace(settings_file.load(self._settings.folder), window=window))
        except Failure as failure:  # left alone for whoever is editing it
            _log.warning("the look is not kept: %s", failure.code)
        except OSError as error:
            _log.warning("the look is not kept: %s", error.strerror)


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
        with ExitStack() as at_the_end:

            def workstation() -> Workstation:
                from clerk_app.bootstrap import open_workstation, real_parts

                opened = open_workstation(settings, real_parts(settings))
                at_the_end.callback(opened.close)
                return opened

            return show(app, settings, workstation)
    except Failure as failure:
        from clerk_app.ui.start_failure import StartFailure

        _log.error("start: %s", failure)
        return StartFailure(failure, look, lambda: _doctor(folder)).show_and_wait(app)


def _doctor(folder: Path | None) -> Doctor:
    from clerk_app.bootstrap import doctor

    return doctor(folder)


def show(
    app: QApplication,
    settings: Settings,
    workstation: Callable[[], Workstation],
    opened: Callable[[ClerkWindow], object] = lambda _: None,
) -> int:
    """Show the window until it is closed; `opened` gets it once it is on screen.

    The sign-in page shows first; `workstation` is opened behind it, on a lane of its own, because loading and
    opening everything takes longer than a clerk should look at nothing. Raises what that raises.
    """
    gc.disable()  # what is loaded now stays for good: looking through it for garbage is a tenth of the start
    with qt_loop(app) as loop:
        window = ClerkWindow(SavedLook(settings))
        door = QLocalServer()
        door.newConnection.connect(lambda: _come_forward(window, door))
        QLocalServer.removeServer(_door_name(settings.folder))
        door.listen(_door_name(settings.folder))
        app.lastWindowClosed.connect(loop.stop)
        window.show()
        opened(window)
        lane = Lane("start")
        opening = loop.create_task(_open(window, lane, workstation, loop))
        loop.run_forever()
        door.close()
        lane.close()
    if not opening.cancelled():
        opening.result()
    return 0


async def _open(
    window: ClerkWindow, lane: Lane, workstation: Callable[[], Workstation], loop: asyncio.AbstractEventLoop
) -> None:
    """Give the window its desk and begin to work; without one there is nothing to show."""
    from asyncio import wrap_future

    window.repaint()  # the page, before loading begins to take turns with it
    try:
        opened = await wrap_future(lane.submit(_opened, workstation), loop=loop)
        window.open(services(opened, loop))
        opened.start()
        _follow_network(opened.scheduler.network_up)
    except Exception:
        window.close()
        raise
    finally:
        gc.freeze()
        gc.enable()


def _follow_network(reconnected: Callable[[], None]) -> None:
    """Where the operating system tells that the network is back, do not wait for the next attempt's turn."""
    from PySide6.QtNetwork import QNetworkInformation

    if not QNetworkInformation.loadDefaultBackend():
        return
    away = (QNetworkInformation.Reachability.Unknown, QNetworkInformation.Reachability.Disconnected)

    def changed(now: QNetworkInformation.Reachability) -> None:
        if now not in away:
            reconnected()

    QNetworkInformation.instance().reachabilityChanged.connect(changed)


def _opened(workstation: Callable[[], Workstation]) -> Workstation:
    """The workstation, with the window's other half loaded as well: neither must keep the page waiting."""
    from clerk_app.ui import shift

    assert shift
    return workstation()


@contextmanager
def qt_loop(app: QApplication) -> Iterator[asyncio.AbstractEventLoop]:
    """The loop of the window; at the end, tasks that still wait are cancelled and seen to their end."""
    import asyncio

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
    window = ClerkWindow(SavedLook(workstation.settings))
    window.open(services(workstation, loop))
    return window


def services(workstation: Workstation, loop: asyncio.AbstractEventLoop) -> Services:
    """What the window is given of a wired workstation."""
    from clerk_app.bootstrap import doctor_at_work

    return Services(
        desk=workstation.desk,
        lanes=workstation.lanes,
        reader=workstation.reader,
        link=lambda: workstation.link,
        subscribe=workstation.subscribe,
        loop=loop,
        doctor=doctor_at_work(workstation),
        practice=workstation.desk.device.practice,
        camera=workstation.parts.camera,
        decode_photo=workstation.parts.decode_photo,
        lock_minutes=workstation.settings.lock_minutes,
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
