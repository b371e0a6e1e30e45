"""The queue at the window: calling, tickets, series."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class CallRequest:
    request_id: str
    window: str


@dataclass(frozen=True, slots=True)
class RecallRequest:
    request_id: str
    ticket: str
    window: str


@dataclass(frozen=True, slots=True)
class TicketMessage:
    """A ticket as the authority knows it; the data of a "ticket" change."""

    id: str
    number: str
    series: str
    state: str
    issued_at: datetime
    version: int
    window: str | None = None
    called_at: datetime | None = None
    calls: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CallAnswer:
    """`ticket` is None when nobody waits."""

    ticket: TicketMessage | None


@dataclass(frozen=True, slots=True)
class IssueRequest:
    request_id: str
    series: str


@dataclass(frozen=True, slots=True)
class SeriesMessage:
    """A series of the queue: its letter, and "general", "appointment" or "priority"."""

    code: str
    kind: str


@dataclass(frozen=True, slots=True)
class SeriesAnswer:
    series: list[SeriesMessage]


VoidReason = Literal["not_printed", "not_needed"]


@dataclass(frozen=True, slots=True)
class VoidTicketRequest:
    """Withdraw a ticket nobody has called. In the feed it is a "del": windows that know no void see it go."""

    request_id: str
    reason: VoidReason
