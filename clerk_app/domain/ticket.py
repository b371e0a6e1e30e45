"""Tickets in the queue and the visit each becomes at a window."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

_NUMBER = re.compile(r"[A-Z]{1,2}\d{1,8}", re.ASCII)

OFFLINE = "offline"
"""The kind of a workstation's own series: issued while the queue's authority is out of reach."""
OFFLINE_A_DAY = 999
"""Its numbers have three digits: after the series "L12" a fourth would be the number of another one."""


class TicketState(StrEnum):
    WAITING = "waiting"
    CALLED = "called"
    SERVING = "serving"
    DONE = "done"
    NO_SHOW = "no_show"  # 过号
    VOID = "void"  # 作废: withdrawn before anybody called it


@dataclass(frozen=True, slots=True)
class Series:
    """A series of tickets of a queue: the letter on the ticket and what it is for."""

    code: str  # "A"; "L12" of a workstation's own
    kind: str  # "general", "appointment", "priority", or OFFLINE


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as the authority of the queue last told it. Never holds a name or a number of a person."""

    id: str
    number: str  # printed: "A037"
    series: str  # code of the series: "A"
    state: TicketState
    issued_at: datetime
    version: int
    window: str | None = None
    called_at: datetime | None = None
    calls: int = 0
    reason: str = ""  # why it is next, a key of the translations: "order", "appointment", "priority"


class VisitState(StrEnum):
    CALLED = "called"
    SERVING = "serving"
    FINISHED = "finished"
    NO_SHOW = "no_show"


@dataclass(frozen=True, slots=True)
class Visit:
    """One citizen at this window: one ticket, any number of cases."""

    id: str
    ticket_number: str
    state: VisitState
    operator: str
    started_at: datetime
    ticket_id: str | None = None  # None: served by the paper ticket while the queue was out of reach
    by_paper: bool = False
    calls: int = 1
    reason: str = ""
    serving_since: datetime | None = None
    ended_at: datetime | None = None


def offline_number(series: str, serial: int) -> str:
    """The `serial`-th ticket of a day in a workstation's own series: `L12001`. ValueError beyond 999."""
    if not 0 < serial <= OFFLINE_A_DAY:
        raise ValueError(f"serial out of range: {serial}")
    return f"{series}{serial:03d}"


def parse(text: str) -> str:
    """The number of a ticket as stored, from what was typed or scanned. Raises ValueError when it is none."""
    number = re.sub(r"[\s-]", "", text).upper()
    if not _NUMBER.fullmatch(number):
        raise ValueError("not a ticket number")
    return number
