"""A printer behind a device file, `/dev/usb/lp0`: written and, where the device can, read without waiting."""

from __future__ import annotations

import errno
import os
import select
import stat
import sys
import time
from pathlib import Path

from clerk_app.devices.printer.lines.line import Line

_PAUSE = 0.02  # seconds between two reads of a device that says "nothing" by an empty answer


class FileLine(Line):
    """One device file, opened for this job. python-escpos' `File` cannot read and waits for ever to write.

    A file that cannot be read back is one-way: a pipe, a plain file, a device without rights to read or
    without a back channel (usblp answers EINVAL for those).
    """

    def __init__(self, path: str, *, send_limit: float) -> None:
        super().__init__(send_limit=send_limit)
        self._path = path
        self._file = -1

    def _open(self) -> None:
        if sys.platform == "win32":  # devices are no files there: the spooler prints
            raise OSError("no device files on this system")
        flags = os.O_NONBLOCK | os.O_NOCTTY
        kind = Path(self._path).stat().st_mode
        self.two_way = stat.S_ISCHR(kind)
        if self.two_way:
            try:
                self._file = os.open(self._path, os.O_RDWR | flags)
                self.two_way = self._readable()
            except PermissionError:
                self.two_way = False
        if self._file < 0:
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | flags)
        if os.isatty(self._file):  # or the terminal turns line feeds into two characters
            import tty

            tty.setraw(self._file)

    def _readable(self) -> bool:
        """Whether there is a back channel. Reads, and so also drops answers nobody waited for."""
        try:
            os.read(self._file, 64)
        except OSError as error:
            return error.errno != errno.EINVAL
        return True

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _write(self, data: bytes, seconds: float) -> None:
        end = time.monotonic() + seconds
        left = memoryview(data)
        while left:
            try:
                left = left[os.write(self._file, left) :]
            except BlockingIOError:
                if not self._wait(select.POLLOUT, end):
                    raise TimeoutError("the device takes no more") from None

    def _read(self, seconds: float) -> bytes:
        end = time.monotonic() + seconds
        while self._wait(select.POLLIN, end):
            try:
                if data := os.read(self._file, 64):
                    return data
            except BlockingIOError:
                pass
            time.sleep(_PAUSE)
        return b""

    def _wait(self, event: int, end: float) -> bool:
        """Whether the device is ready for `event` before `end`."""
        left = end - time.monotonic()
        if left <= 0:
            return False
        poll = select.poll()
        poll.register(self._file, event)
        return bool(poll.poll(left * 1000))
