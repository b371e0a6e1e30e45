"""What the status strip says of the link, from one cycle to the next."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from clerk_app.desk.ports import LinkState, LinkStatus

SLOW_SECONDS = 2.0
"""A round trip beyond this is called slow even when everything arrives."""

_PATIENCE = frozenset({"SYNC-SLOW", "SYNC-BUSY"})
_DOWN = frozenset(
    {"SYNC-OFFLINE", "SYNC-NOT-OFFICE", "SYNC-TLS", "SYNC-RIGHTS", "SYNC-FENCED", "SYNC-REVOKED"}
)


def succeeded(status: LinkStatus, now: datetime, round_trip: float, skew: float) -> LinkStatus:
    """After a complete cycle."""
    slow = round_trip > SLOW_SECONDS
    state = LinkState.SLOW if slow else LinkState.ONLINE
    return replace(_moved(status, state, now, ""), synced_at=now, skew_seconds=skew)


def failed(status: LinkStatus, now: datetime, code: str, in_a_row: int) -> LinkStatus:
    """After a cycle that ended with `code`, the `in_a_row`-th failure since the last complete one.

    One missing answer is a slow link, two are none: the clerk must not wait for a half-open line. Trouble
    the office answers with (a command it cannot read) is not an outage either.
    """
    down = code in _DOWN or (code in _PATIENCE and in_a_row > 1)
    return _moved(status, LinkState.OFFLINE if down else LinkState.SLOW, now, code)


def _moved(status: LinkStatus, state: LinkState, now: datetime, code: str) -> LinkStatus:
    since = status.since if status.state is state and status.since else now
    return replace(status, state=state, since=since, code=code)
