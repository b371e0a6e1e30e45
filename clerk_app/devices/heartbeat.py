"""The end of a helper process that hangs in somebody else's library.

Usually whoever started it ends it. When the window was killed nobody is left to, and a process that hangs
does not hear that its input has ended: it would hold the camera or the sound until the next start of the
computer.
"""

from __future__ import annotations

import faulthandler

from PySide6.QtCore import QCoreApplication, QTimer

HUNG_SECONDS = 20.0
_BEATS = 4  # within that time


def end_when_hung(app: QCoreApplication, seconds: float = HUNG_SECONDS) -> None:
    """End this process once the event loop of `app` has not run for `seconds`; from now on."""

    def beat() -> None:
        faulthandler.dump_traceback_later(seconds, exit=True)  # needs no interpreter lock, unlike a timer

    timer = QTimer(app, interval=int(seconds * 1000 / _BEATS))
    timer.timeout.connect(beat)
    timer.start()
    beat()
