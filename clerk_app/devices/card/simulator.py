"""A reader for practice mode: sample cards laid by hand, read by the real drivers and parsers.

It behaves like the real one, faults included; only the exchange with the chip is played.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from enum import StrEnum

from clerk_app.desk.ports import CardEvent, CardFailed, ReaderState, ReaderStatus
from clerk_app.devices.card import chips
from clerk_app.devices.card.choice import DRIVERS, read_with
from clerk_app.devices.card.reading import PULLED, ReadingLane
from clerk_app.devices.card.samples import SampleCard, sample_cards
from clerk_app.domain.applicant import CardRecord
from clerk_app.failures import Failure

_NO_INFORMATION = b"\x63\x00"  # what storage-card readers answer when the chip does not
_COMMANDS_UNTIL_PULLED = 3  # an identity card takes six


class Fault(StrEnum):
    """What can go wrong with a card that is laid."""

    PULLED = "pulled"  # taken away in the middle of the exchange
    UNREADABLE = "unreadable"


class SimulatedReader:
    """The `CardReader` of practice mode: whoever plays the citizen lays and takes cards, from any thread.

    `seconds` is how long a read lasts; a card taken meanwhile has been pulled.
    """

    def __init__(
        self,
        cards: Mapping[str, SampleCard] | None = None,
        *,
        name: str = "模拟读卡器",
        seconds: float = 0.0,
    ) -> None:
        self.cards = sample_cards() if cards is None else cards
        self.name = name
        self._seconds = seconds
        self._changed = threading.Condition()
        self._card: SampleCard | None = None
        self._fault: Fault | None = None
        self._laid = 0  # counts what was laid and taken, like the service of real readers
        self._plugged = True
        self._service = True
        self._reading: ReadingLane | None = None
        self._stopped = False

    def start(self, listener: Callable[[CardEvent], None]) -> None:
        """Begin watching, once; `listener` is called on the card lane."""
        with self._changed:
            if self._reading is not None:
                raise RuntimeError("a reader is started once")
            self._reading = ReadingLane(listener)
            self._look()

    def read_again(self) -> None:
        """Read the card that lies there once more; CARD-NONE when none does."""
        with self._changed:
            if self._reading is not None:
                if self._card is None or not self._connected:
                    self._reading.report(CardFailed("CARD-NONE"))
                else:
                    self._ask()

    def stop(self) -> None:
        """Stop watching; nothing is reported afterwards."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
            reading = self._reading
        if reading is not None:
            reading.close(timeout=0.9)

    def lay(self, card_id: str, fault: Fault | None = None) -> None:
        """Lay the card `card_id`, in place of one that lies there. Raises KeyError for an unknown id."""
        card = self.cards[card_id]
        with self._changed:
            if self._card is not None:
                self._move(None, None)
            self._move(card, fault)

    def remove(self) -> None:
        """Take the card away, if one lies there."""
        with self._changed:
            if self._card is not None:
                self._move(None, None)

    def unplug(self) -> None:
        """Pull the reader's plug; a card may stay on it."""
        self._connect(plugged=False)

    def plug_in(self) -> None:
        """Plug the reader in again; a card that lies on it is read."""
        self._connect(plugged=True)

    def stop_service(self) -> None:
        """Stop the reader service of the computer; the reader stays plugged in."""
        self._connect(service=False)

    def start_service(self) -> None:
        """Start the service again; a card that lies on the reader is read."""
        self._connect(service=True)

    def _connect(self, *, plugged: bool | None = None, service: bool | None = None) -> None:
        with self._changed:
            before = self._plugged, self._service
            self._plugged = self._plugged if plugged is None else plugged
            self._service = self._service if service is None else service
            if before != (self._plugged, self._service):
                self._laid += 1
                self._changed.notify_all()
                self._look()

    @property
    def _connected(self) -> bool:
        return self._plugged and self._service

    def _move(self, card: SampleCard | None, fault: Fault | None) -> None:
        self._card, self._fault = card, fault
        self._laid += 1
        self._changed.notify_all()
        if self._connected:
            self._look()

    def _look(self) -> None:
        """Report how the reader stands now. Called with the lock held."""
        if self._reading is None:
            return
        if not self._service:
            self._reading.report(ReaderStatus(ReaderState.SERVICE_LOST))
        elif not self._plugged:
            self._reading.report(ReaderStatus(ReaderState.NO_READER))
        elif self._card is None:
            self._reading.report(ReaderStatus(ReaderState.EMPTY, self.name))
        else:
            self._ask()

    def _ask(self) -> None:
        assert self._reading is not None
        card, fault, laid = self._card, self._fault, self._laid
        assert card is not None
        self._reading.read(self.name, lambda: self._read(card, fault, laid))

    def _read(self, card: SampleCard, fault: Fault | None, laid: int) -> CardRecord:
        """On the card lane: the exchange, as long as it lasts."""

        def disturbed() -> bool:
            return self._stopped or self._laid != laid

        chip = _Chip(chips.chip(card.record.kind, card.chip), fault)
        try:
            record = read_with(DRIVERS, chips.atr(card.record.kind), chip.transmit)
        except Failure as failure:
            with self._changed:
                if failure.code == PULLED and not disturbed():
                    self._move(None, None)
            raise
        with self._changed:
            if self._changed.wait_for(disturbed, self._seconds):
                raise Failure(PULLED, "changed during the exchange")
        return record


class _Chip:
    """A chip with what can go wrong with its card."""

    def __init__(self, chip: chips.Chip, fault: Fault | None) -> None:
        self._chip = chip
        self._fault = fault
        self._commands = 0

    def transmit(self, command: bytes) -> bytes:
        self._commands += 1
        if self._fault is Fault.UNREADABLE:
            return _NO_INFORMATION
        if self._fault is Fault.PULLED and self._commands > _COMMANDS_UNTIL_PULLED:
            raise Failure(PULLED, "taken in the middle of the exchange")
        return self._chip.transmit(command)
