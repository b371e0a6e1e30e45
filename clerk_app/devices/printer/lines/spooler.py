"""A printer behind a spooler: a queue of CUPS, or a printer of the Windows spooler.

A spooler takes the job and says nothing of the paper, so that a slip handed over is *unknown*, never
printed. It takes a job whole or not at all.
"""

from __future__ import annotations

import os
import subprocess
from typing import Any

from clerk_app.devices.printer.lines.line import Line
from clerk_app.failures import Failure

_TITLE = "clerk-app"  # spoolers show and log it: nothing of the slip belongs into it


class SpoolerLine(Line):
    """What both spoolers share. Failure: PRINTER-SPOOLER when the job was not taken."""

    two_way = False

    def _open(self) -> None:
        """Nothing is held open: each job is handed over by itself."""

    def _close(self) -> None:
        """Nothing is held open."""

    def _read(self, seconds: float) -> bytes:
        return b""


class CupsLine(SpoolerLine):
    """A raw `queue` of CUPS on this machine or on `server` ("host:port"), by the commands of cups-client.

    python-escpos' `LP` adds a line feed, throws away what `lp` says and waits without limit; pycups needs a
    compiler and the headers of CUPS.
    """

    def __init__(self, queue: str, server: str = "", *, send_limit: float) -> None:
        super().__init__(send_limit=send_limit)
        self._queue = queue
        self._server = ["-h", server] if server else []

    def _write(self, data: bytes, seconds: float) -> None:
        command = ["lp", *self._server, "-d", self._queue, "-t", _TITLE, "-o", "raw", "-"]
        try:
            done = self._run(command, seconds, data)
        except FileNotFoundError as error:
            raise Failure("PRINTER-SPOOLER", "no lp command") from error
        if done.returncode:
            raise Failure("PRINTER-SPOOLER", f"lp ended with {done.returncode}")

    def _refusal(self) -> str:
        """A queue that is gone or stopped: its job would come out on another day."""
        try:
            state = self._run(["lpstat", *self._server, "-p", self._queue], self._send_limit)
        except OSError:  # no cups-client, or no answer
            return "PRINTER-UNREACHABLE"
        if state.returncode:
            return "PRINTER-UNREACHABLE"
        return "PRINTER-QUEUE-STOPPED" if b" disabled since " in state.stdout else ""

    def _run(
        self, command: list[str], seconds: float, data: bytes = b""
    ) -> subprocess.CompletedProcess[bytes]:
        """Raises TimeoutError after `seconds`; the command is then ended."""
        environment = {**os.environ, "LC_ALL": "C"}
        try:
            return subprocess.run(  # noqa: S603 (names are checked where the address is read)
                command, input=data, capture_output=True, timeout=seconds, env=environment, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise TimeoutError(f"{command[0]} took too long") from error


class WindowsLine(SpoolerLine):
    """A printer of the Windows spooler by its name, through python-escpos (pywin32)."""

    def __init__(self, name: str, *, send_limit: float) -> None:
        super().__init__(send_limit=send_limit)
        self._name = name

    def _write(self, data: bytes, seconds: float) -> None:
        from escpos.printer import Win32Raw

        try:
            driver: Any = Win32Raw(self._name)
            driver.open(job_name=_TITLE)
            try:
                driver._raw(data)
            finally:
                driver.close()
        except Exception as error:  # RuntimeError without pywin32; pywintypes.error is no OSError
            raise Failure("PRINTER-SPOOLER", type(error).__name__) from error
