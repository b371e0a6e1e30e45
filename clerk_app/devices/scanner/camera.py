"""The camera, as the window sees it: a process that holds it, and what that process sends.

In a process of its own for the reason the voice is in one: Qt looks for cameras and opens them inside calls
that do not let go of the interpreter, and a camera whose driver hangs must not stop the window.
"""

from __future__ import annotations

import contextlib
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import IO

from clerk_app.desk.ports import CameraEvent, CameraFrame, CameraLost, CameraPhoto

HEAD = struct.Struct(">cI")
"""What comes from the process: a letter, the length of what follows, and that. Frame and photo are JPEGs;
a loss is its code and its detail with a line between them, and the last thing said."""
FRAME, PHOTO, LOST = b"F", b"P", b"L"
LONGEST = 64 * 1024 * 1024

COMMAND = (sys.executable, "-m", "clerk_app.devices.scanner.camera_process")


class ProcessCamera:
    """One camera at a time; `name` is part of the wanted one's name, or empty for the computer's first."""

    def __init__(self, name: str = "", *, command: Sequence[str] = COMMAND) -> None:
        self._command = (*command, name)
        self._process: subprocess.Popen[bytes] | None = None

    def open(self, listener: Callable[[CameraEvent], None]) -> None:
        self.close()
        try:
            process = subprocess.Popen(  # noqa: S603 (our own module)
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            listener(CameraLost("SCAN-CAMERA", str(error)))
            return
        self._process = process
        threading.Thread(target=self._listen, args=(process, listener), name="camera", daemon=True).start()

    def take(self) -> None:
        process = self._process
        if process is not None and process.stdin is not None:
            try:
                process.stdin.write(b"take\n")
                process.stdin.flush()
            except OSError:
                pass  # it has ended, and its end is told by itself

    def close(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()

    def _listen(self, process: subprocess.Popen[bytes], listener: Callable[[CameraEvent], None]) -> None:
        assert process.stdout is not None and process.stdin is not None
        with process.stdout as sent:
            while (event := _next(sent)) is not None and self._process is process:
                listener(event)
                if isinstance(event, CameraLost):
                    break
            else:
                if self._process is process:
                    listener(CameraLost("SCAN-CAMERA", "the camera's process has ended"))
        process.kill()
        process.wait()
        with contextlib.suppress(OSError):  # an order it did not take is still in the pipe
            process.stdin.close()


def _next(sent: IO[bytes]) -> CameraEvent | None:
    """The next thing the process says; None at its end, and when it makes no sense."""
    head = sent.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    kind, length = HEAD.unpack(head)
    if length > LONGEST:
        return None
    content = sent.read(length)
    if len(content) < length:
        return None
    if kind == FRAME:
        return CameraFrame(content)
    if kind == PHOTO:
        return CameraPhoto(content)
    code, _, detail = content.decode("utf-8", "replace").partition("\n")
    return CameraLost(code, detail)
