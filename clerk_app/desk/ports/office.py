"""The back office as the window meets it: direct calls, the link, background changes; and the clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from clerk_app.desk.ports.records import Operator
from clerk_app.domain.ticket import Series, Ticket


class Clock(Protocol):
    """Wall time for legal facts, monotonic time for waiting. Injected so that tests own it."""

    def now(self) -> datetime:
        """Local wall time with its zone, corrected by the last known skew against the office."""

    def monotonic(self) -> float:
        """Seconds that only grow."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    operator: Operator
    token: str


class Office(Protocol):
    """Direct calls to the back office: the few acts that need its answer at once. Network lane only.

    Every call raises Failure("SYNC-OFFLINE", "SYNC-SLOW", "SYNC-NOT-OFFICE", ...) when there is no answer
    that can be trusted. Each act carries a client-made id, so that a lost answer can be asked for again.
    """

    def sign_in(self, staff_no: str, password: str) -> SignedIn: ...
    def sign_out(self) -> None: ...
    def prove(self, staff_no: str, password: str) -> Operator:
        """The clerk these belong to, without a session: the one that is open here stays."""

    def call_next(self, request_id: str) -> Ticket | None:
        """The ticket the authority assigns to this window, or None when nobody waits."""

    def recall(self, request_id: str, ticket_id: str) -> Ticket: ...
    def series(self) -> Sequence[Series]:
        """The series of tickets of this window's queue, the usual one first."""

    def issue_ticket(self, request_id: str, series: str) -> Ticket: ...
    def void_ticket(self, request_id: str, ticket_id: str) -> Ticket:
        """Withdraw a ticket whose paper did not print. Failure OFFICE-TICKET-STATE: somebody called it."""


class LinkState(StrEnum):
    ONLINE = "online"
    SLOW = "slow"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """What the status strip tells: the link, since when, last full sync, last try and the next one.

    `next_at` is set while the sync fails; an office that answers is asked again whenever there is a reason.
    """

    state: LinkState
    since: datetime | None = None
    synced_at: datetime | None = None
    skew_seconds: float = 0.0  # how far the office is ahead, as last measured: times are corrected by it
    code: str = ""  # why the link is slow or offline, as a failure code
    tried_at: datetime | None = None
    next_at: datetime | None = None
    jumped_seconds: float = 0.0  # by how much this machine's clock was set since: no longer corrected


@dataclass(frozen=True, slots=True)
class Changed:
    """What a background operation changed, so that the window refreshes that and nothing else.

    Topics: "tickets", "cases", "outbox", "link", "calendar", "printing", "catalogue", "lost_cards", "due".
    """

    topics: frozenset[str]
