"""Fault 16: 1 KB a second, two seconds there and back, three exchanges in ten lost. It goes on, slowly."""

from __future__ import annotations

import random

import msgspec
import pytest
from sync_hall import DEVICE, NOW, HandClock, PaperOffice, file_case, no_beat, open_store

from clerk_app.sync.pace import LONG, QUICK, Pace
from clerk_app.sync.pull import Pull
from clerk_app.sync.push import Push
from clerk_app.sync.transport import OfficeFailure, TimeOuts

BYTES_A_SECOND = 1024
ROUND_TRIP = 2.0
LOSS = 0.3
QUEUE = "queue:general"


class ThinLine:
    """Between a client and the office of paper: time passes by the bytes, and some exchanges break."""

    def __init__(self, office: PaperOffice, clock: HandClock, seed: int) -> None:
        self._office = office
        self._clock = clock
        self._random = random.Random(seed)

    def push(self, request):
        self._carry(request)
        return self._answer(self._office.push(request))

    def changes(self, scope, generation, since, limit):
        self._office.page = limit
        return self._answer(self._office.changes(scope, generation, since, limit))

    def snapshot(self, scope):
        return self._office.snapshot(scope)

    def _answer(self, answer):
        """An answer that is on its way too long, or whose line breaks, the office has given all the same."""
        self._carry(answer)
        self._clock.pass_(ROUND_TRIP)
        return answer

    def _carry(self, message: object) -> None:
        seconds = len(msgspec.json.encode(message)) / BYTES_A_SECOND
        if self._random.random() < LOSS / 2:
            self._clock.pass_(self._random.random() * seconds)
            raise OfficeFailure("SYNC-OFFLINE")
        if seconds > TimeOuts().read:
            self._clock.pass_(TimeOuts().read)
            raise OfficeFailure("SYNC-SLOW")
        self._clock.pass_(seconds)


def attempts(work, until) -> int:
    """How many cycles it took."""
    for count in range(1, 200):
        try:
            work()
        except OfficeFailure:
            continue
        if until():
            return count
    raise AssertionError("no progress")


@pytest.mark.parametrize("seed", range(5))
def test_fault_16_every_batch_makes_progress_and_fits_the_line(seed):
    store, office, clock = open_store(), PaperOffice(), HandClock()
    cases = [file_case(store, serial, {"note": "x" * 1000}) for serial in range(1, 121)]
    push = Push(store, DEVICE, clock)
    line = ThinLine(office, clock, seed)
    cycles = attempts(
        lambda: push.drain(line, no_beat), lambda: not store.read(lambda tx: tx.outbox.pending())
    )
    assert sorted(office.applied) == sorted(case.id for case in cases)
    assert len(office.applied) == len(set(office.applied))
    assert cycles < 60
    assert clock.seconds < 1800  # 120 KB at 1 KB/s are two minutes
    store.close()


@pytest.mark.parametrize("seed", range(5))
def test_fault_16_pages_come_down_in_pieces_the_line_can_carry(seed):
    store, office, clock = open_store(), PaperOffice(), HandClock()
    pull = Pull(store, clock, lambda items: None)
    pull.scope(office, QUEUE, no_beat)
    for number in range(300):
        data = {"id": f"t-{number}", "number": f"A{number:03}", "series": "A", "state": "waiting"}
        office.publish(QUEUE, "ticket", f"t-{number}", data | {"issued_at": NOW.isoformat(), "version": 1})
    line = ThinLine(office, clock, seed)

    def all_there() -> bool:
        return store.read(lambda tx: tx.tickets.count("waiting")) == 300

    assert attempts(lambda: pull.scope(line, QUEUE, no_beat), all_there) < 40
    store.close()


def test_the_pace_follows_the_line():
    pace = Pace(100)
    pace.failed()
    assert pace.limit == 50
    pace.failed(20)  # less went than might have
    assert pace.limit == 10
    pace.took(LONG + 1)
    assert pace.limit == 5
    pace.took((QUICK + LONG) / 2)
    assert pace.limit == 5
    for _ in range(9):
        pace.took(0.1)
    assert (pace.limit, pace.share) == (100, 1.0)
    for _ in range(9):
        pace.failed()
    assert pace.limit == 1
