"""Whether the sync had to mend something lately: a mirror that differed, an office that had lost cases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from clerk_app.desk.ports import Check, Level
from clerk_app.doctor.rounds import Look, Tell

SYNC = "sync"

_SECONDS = 5.0
_LATELY = timedelta(days=7)


def look(last: Callable[[], str | None], now: Callable[[], datetime]) -> Look:
    """`last` gives the last alarm as `sync.alarms` keeps it."""

    def look(tell: Tell) -> None:
        code, _, at = (last() or "").partition(" ")
        if not code or now() - datetime.fromisoformat(at) > _LATELY:
            tell(Check(SYNC))
        else:
            tell(Check(SYNC, Level.WARN, code, detail=f"at {at}"))

    return Look((SYNC,), _SECONDS, look)
