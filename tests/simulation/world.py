"""What all parts of one run share: the seed's random numbers, the true time, the record of what happened."""

from __future__ import annotations

import logging
import secrets
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from types import SimpleNamespace
from typing import Any

import argon2

from back_office import accounts
from clerk_app.domain import ids
from clerk_app.domain.hall_time import HALL_TIME

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=HALL_TIME)
LAST_EVENTS = 40


class Crash(BaseException):
    """The power of one machine is gone. Nothing in the product may catch it."""


class Violation(AssertionError):
    """A check does not hold. `check` is its short name."""

    def __init__(self, check: str, detail: str) -> None:
        super().__init__(f"{check}: {detail}")
        self.check = check


@dataclass
class Odds:
    """How likely each misfortune is, a call or a transaction. All are 0 once the world is healed."""

    request_lost: float = 0.04
    answer_lost: float = 0.05
    twice: float = 0.04
    later: float = 0.02  # the window gave up; the request arrives later, perhaps long after newer ones
    garbage: float = 0.01
    busy: float = 0.01
    stale: float = 0.02  # a proxy answers what it answered to an earlier call
    crash: float = 0.008  # of a window, around a transaction or between two steps of a cycle
    office_crash: float = 0.003
    disk: float = 0.007
    printer: float = 0.1

    def none(self) -> None:
        for name in self.__dataclass_fields__:
            setattr(self, name, 0.0)


@dataclass
class World:
    """One run. `now` is the true time; every machine has a clock of its own over it."""

    seed: int
    now: datetime = MONDAY
    odds: Odds = field(default_factory=Odds)
    events: deque[str] = field(default_factory=deque)
    counts: Counter[str] = field(default_factory=Counter)
    secrets: set[str] = field(default_factory=set)  # what no log may show
    step: int = 0

    def __post_init__(self) -> None:
        self.random = Random(f"simulation {self.seed}")
        self.noise = Random(f"bytes {self.seed}")
        self.trace = 0

    def tell(self, event: str) -> None:
        line = f"{self.step:4} {self.now.astimezone(HALL_TIME):%d %H:%M:%S} {event}"
        self.trace = hash((self.trace, self.step, self.now.timestamp()))
        self.events.append(line)

    def chance(self, likelihood: float) -> bool:
        return likelihood > 0 and self.random.random() < likelihood

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def clock(self) -> datetime:
        return self.now.astimezone(UTC)


class _Watch(logging.Handler):
    """Looks for personal data in everything either program logs."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        self._world.counts["log records"] += 1
        text = f"{record.getMessage()} {getattr(record, 'fields', '')}"
        if record.exc_info:
            text += str(record.exc_info[1])
        for secret in self._world.secrets:
            if secret in text:
                raise Violation("log", f"personal data in a record of {record.name}")


@contextmanager
def determined(world: World) -> Iterator[None]:
    """Everything the product takes by chance or from the machine's clock comes from the seed."""
    cheap = partial(argon2.PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)
    logger, watch = logging.getLogger(), _Watch(world)
    quiet = [(log, log.propagate) for log in map(logging.getLogger, ("back_office", "clerk_app"))]
    with replaced(
        (ids, "os", SimpleNamespace(urandom=world.noise.randbytes)),
        (ids, "time", SimpleNamespace(time_ns=lambda: int(world.now.timestamp() * 1000) * 1_000_000)),
        (ids, "_last", 0),
        (secrets, "token_bytes", lambda count=32: world.noise.randbytes(count)),
        (secrets, "choice", world.noise.choice),
        (argon2, "PasswordHasher", cheap),
        (accounts, "_hasher", cheap()),
    ):
        level = logger.level
        logger.addHandler(watch)
        logger.setLevel(logging.INFO)
        others = logger.handlers[:-1]
        for handler in others:
            logger.removeHandler(handler)
        try:
            yield
        finally:
            for handler in others:
                logger.addHandler(handler)
            logger.removeHandler(watch)
            logger.setLevel(level)
            for log, propagate in quiet:
                log.propagate = propagate


@contextmanager
def replaced(*changes: tuple[Any, str, Any]) -> Iterator[None]:
    """Attributes with other values for a while."""
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in changes]
    for owner, name, value in changes:
        setattr(owner, name, value)
    try:
        yield
    finally:
        for owner, name, value in reversed(before):
            setattr(owner, name, value)


Change = tuple[Any, str, Callable[..., Any]]
