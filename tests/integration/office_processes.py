"""`back-office serve` as the administrator starts it: real processes, for what only they can show."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from back_office.settings import Settings

START_SECONDS = 60


@dataclass(slots=True)
class Served:
    """A running `serve` and what it logs."""

    process: subprocess.Popen[str]
    url: str = ""
    lines: queue.Queue[dict[str, Any]] = field(default_factory=queue.Queue)

    def until(self, event: str, seconds: float = START_SECONDS) -> dict[str, Any]:
        """The next line of the log about `event`."""
        while True:
            line = self.lines.get(timeout=seconds)
            if line["event"] == event:
                return line

    def workers(self) -> list[int]:
        """Process ids of the workers: the interpreters the parent started (one more keeps its resources)."""
        told = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        found = [int(pid) for pid in told.split()]
        return [pid for pid in found if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


@contextmanager
def serving(settings: Settings, *options: str, workers: int = 1) -> Iterator[Served]:
    """`serve` on a port the system chooses; stopped at the end unless it has ended."""
    command = [sys.executable, "-m", "back_office", "--data", str(settings.data_dir)]
    command += ["serve", "--port", "0", "--workers", str(workers), *options]
    process = subprocess.Popen(
        command,
        env=os.environ | {"BACK_OFFICE_DATABASE": settings.postgresql},
        stderr=subprocess.PIPE,
        text=True,
    )
    served = Served(process)

    def read() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("{"):
                served.lines.put(json.loads(line))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for _ in range(workers):
            served.url = f"http://127.0.0.1:{served.until('serving')['port']}"
        yield served
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(30)
        reader.join()
        assert process.stderr is not None
        process.stderr.close()
