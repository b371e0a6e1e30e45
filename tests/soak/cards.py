"""Cards laid, read, pulled too early and taken, on a simulated reader and on pcscd with a virtual one."""

from __future__ import annotations

import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from random import Random
from typing import TYPE_CHECKING

from clerk_app.desk.ports import CardEvent, CardFailed, CardRead, ReaderState, ReaderStatus
from clerk_app.devices.card.monitor import PcscReader
from clerk_app.devices.card.reading import PULLED
from clerk_app.devices.card.samples import SampleCard
from clerk_app.devices.card.simulator import Fault, SimulatedReader
from clerk_app.domain.applicant import DocumentKind

if TYPE_CHECKING:
    from pcscd import Bench

PATIENCE = 20.0
A_LIFE = 200
"""Cycles after which the reader is stopped and another one started: starting may leak too."""

Say = Callable[[str], None]


class Desk:
    """The listener at the window: what came of each card, and that the reader was empty again."""

    def __init__(self) -> None:
        self._events: SimpleQueue[CardEvent] = SimpleQueue()
        self.hear = self._events.put

    def outcome(self, reader: str) -> CardRead | CardFailed:
        while True:
            event = self._next(reader)
            if not isinstance(event, ReaderStatus):
                return event

    def until(self, state: ReaderState, reader: str) -> None:
        while True:
            event = self._next(reader)
            if isinstance(event, ReaderStatus) and event.state is state:
                return

    def _next(self, reader: str) -> CardEvent:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                event = self._events.get(timeout=max(0.001, end - time.monotonic()))
            except Empty:
                raise AssertionError(f"nothing more is reported of {reader or 'the reader'}") from None
            if not reader or event.reader in ("", reader):
                return event


def simulated(cycles: int, seed: int, say: Say) -> None:
    """Lay and take `cycles` cards. AssertionError when one is not read as it is, or read as another one."""
    random = Random(seed)
    done = 0
    while done < cycles:
        reader, desk = SimulatedReader(seconds=0.0), Desk()
        reader.start(desk.hear)
        desk.until(ReaderState.EMPTY, "")
        for _ in range(min(A_LIFE, cycles - done)):
            name = random.choice(sorted(reader.cards))
            fault = random.choice((None, None, None, *Fault))
            reader.lay(name, fault)
            _judge(desk.outcome(""), reader.cards[name], fault is None)
            if fault is None and random.random() < 0.2:
                reader.read_again()
                _judge(desk.outcome(""), reader.cards[name], well=True)
            if random.random() < 0.05:
                reader.unplug()
                desk.until(ReaderState.NO_READER, "")
                reader.plug_in()
            reader.remove()
            desk.until(ReaderState.EMPTY, "")
            done += 1
        reader.stop()
        say(f"simulated reader: {done} of {cycles}")


def on_pcscd(bench: Bench, cycles: int, seed: int, say: Say) -> None:
    """The same on pcscd and its virtual reader, both slots at once; pcscd is killed in between."""
    from pcscd import READER, SECOND_READER

    random = Random(seed)
    cards = sorted(SimulatedReader().cards.items())
    done = 0
    while done < cycles:
        bench.start()
        reader = PcscReader(poll=0.5, backoff=(0.1, 0.2))
        desks = {READER: Desk(), SECOND_READER: Desk()}

        def hear(event: CardEvent, desks: dict[str, Desk] = desks) -> None:
            for name, desk in desks.items():
                if event.reader in ("", name):
                    desk.hear(event)

        reader.start(hear)
        for name, desk in desks.items():
            desk.until(ReaderState.EMPTY, name)
        for _ in range(min(A_LIFE, cycles - done) // 2 or 1):
            laid = {}
            for slot, name in enumerate(desks):
                card = random.choice(cards)[1]
                if card.record.kind is DocumentKind.SOCIAL_SECURITY:
                    bench.lay_social_security(card.chip, slot=slot)
                    laid[name] = (slot, card, True)
                    continue
                faults = {random.choice((0, 256, 512)): "pull"} if random.random() < 0.15 else {}
                bench.lay(card.chip, slot=slot, faults=faults)
                laid[name] = (slot, card, not faults)
            for name, (_, card, well) in laid.items():
                outcome = desks[name].outcome(name)
                while well and isinstance(outcome, CardFailed) and outcome.code == PULLED:
                    # The virtual reader loses a card laid right after one that was pulled, and finds it
                    # again: so must the monitor.
                    outcome = desks[name].outcome(name)
                _judge(outcome, card, well)
            for name, (slot, _, _) in laid.items():
                bench.take(slot)
                desks[name].until(ReaderState.EMPTY, name)
            done += 2
        reader.stop()
        bench.kill()
        say(f"pcscd: {done} of {cycles}")


def _judge(outcome: CardRead | CardFailed, card: SampleCard, well: bool) -> None:
    """A disturbed card may fail with a code; whatever is read is this card and no other."""
    if isinstance(outcome, CardRead):
        assert outcome.record.number == card.record.number, "the record of another card"
        assert well, "a card that was disturbed was read all the same"
    else:
        assert not well, f"{outcome.code} {outcome.detail}"
