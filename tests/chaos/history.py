"""What really happened, as those who saw it wrote it down: a line each, on the disk before anything goes on.

A line is written after the fact it tells of, as a clerk hands over a slip after the commit. A kill may cut
the last line off: then nobody was told.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Event = dict[str, Any]


class History:
    """The file of one process; `tell` returns when the line is on the disk. Any thread."""

    def __init__(self, file: Path) -> None:
        self._file = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._lock = threading.Lock()

    def tell(self, what: str, **facts: Any) -> None:
        line = json.dumps({"what": what, "at": time.time(), **facts}, ensure_ascii=False) + "\n"
        with self._lock:
            os.write(self._file, line.encode())
            os.fdatasync(self._file)


def told(folder: Path) -> Iterator[Event]:
    """Every whole line of every history in `folder`; `by` is the name of the file it is from."""
    for file in sorted(folder.glob("*.history")):
        for line in file.read_bytes().split(b"\n"):
            try:
                event = json.loads(line)
            except ValueError:
                continue  # the end of a life
            yield event | {"by": file.stem}
