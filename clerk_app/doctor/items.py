"""The catalogue at this window."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from clerk_app.desk.ports import Check, Level
from clerk_app.doctor.rounds import Look, Tell

CATALOGUE = "catalogue"
_SECONDS = 10.0
_DAY = 86_400


def look(path: Path, opened: Callable[[], tuple[int, str]]) -> Look:
    """`opened` gives count and version of the file at `path`, or raises CATALOGUE-…."""

    def look(tell: Tell) -> None:
        if not path.exists():
            tell(Check(CATALOGUE, Level.WARN, "CATALOGUE-MISSING"))
            return
        count, version = opened()
        age = int((time.time() - path.stat().st_mtime) // _DAY)
        tell(Check(CATALOGUE, values=(("items", count), ("version", version), ("days", age))))

    return Look((CATALOGUE,), _SECONDS, look)
