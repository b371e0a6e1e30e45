"""Readers and their service: told from the events every driver reports, so that one look fits all of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from clerk_app.desk.ports import (
    CardEvent,
    CardFailed,
    CardRead,
    CardReader,
    Check,
    Level,
    ReaderState,
    ReaderStatus,
)
from clerk_app.doctor.rounds import NO_ANSWER, Asked, Look, Tell, failed, not_checked
from clerk_app.domain.applicant import DocumentKind
from clerk_app.failures import Failure

SERVICE, READER, CARD = "reader_service", "reader", "card"
_LISTEN = 4.0
"""Seconds a reader has to say how it is: one on the network that nobody reaches takes three to say so. A card
that lies there is read in this time too."""
_SETTLE = 0.6
"""Seconds without news after which a reader has said what it has to say: pcscd looks every 0.4 s."""
_CARD = 20.0
_PCSC = "pcsc"
_DRIVER = "CARD-DRIVER"


class Heard:
    """What a driver has reported so far: how each of its readers is, and what came of the card on it."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._last = 0.0
        self._states: dict[str, ReaderState] = {}
        self._cards: dict[str, DocumentKind | CardFailed] = {}  # of a card that was read only its kind
        self._broken: CardFailed | None = None

    def hear(self, event: CardEvent) -> None:
        """A listener for `CardReader.start`; any thread."""
        with self._news:
            self._last = time.monotonic()
            if isinstance(event, ReaderStatus):
                self._note(event)
            elif isinstance(event, CardFailed) and event.code == _DRIVER:
                self._broken = event
            else:
                self._cards[event.reader] = event.record.kind if isinstance(event, CardRead) else event
            self._news.notify_all()

    def _note(self, status: ReaderStatus) -> None:
        if status.state in (ReaderState.SERVICE_LOST, ReaderState.NO_READER):
            self._states = {"": status.state}
            self._cards.clear()
            return
        self._states.pop("", None)
        self._states[status.reader] = status.state
        if status.state is ReaderState.EMPTY:
            self._cards.pop(status.reader, None)

    @property
    def states(self) -> dict[str, ReaderState]:
        """How each reader is; the service that is lost, or no reader at all, under no name."""
        with self._news:
            return dict(self._states)

    @property
    def cards(self) -> tuple[DocumentKind | CardFailed, ...]:
        """What came of the cards that lie there now."""
        with self._news:
            return tuple(self._cards.values())

    @property
    def broken(self) -> CardFailed | None:
        """Why a driver does not work."""
        with self._news:
            return self._broken

    def wait(self, seconds: float, *, card: bool) -> None:
        """Until everything is said: with `card` until one was read, else until nothing new comes."""
        end = time.monotonic() + seconds
        with self._news:
            while (left := end - time.monotonic()) > 0:
                if self.cards or self.broken or (not card and self._settled):
                    return
                self._news.wait(min(left, _SETTLE))

    @property
    def _settled(self) -> bool:
        quiet = time.monotonic() - self._last >= _SETTLE
        return bool(self._states) and quiet and ReaderState.READING not in self._states.values()


class RememberedReader:
    """A `CardReader` that remembers what it reports, so that the doctor need not ask it a second time."""

    def __init__(self, reader: CardReader) -> None:
        self._reader = reader
        self.heard = Heard()

    def start(self, listener: Callable[[CardEvent], None]) -> None:
        def both(event: CardEvent) -> None:
            self.heard.hear(event)
            listener(event)

        self._reader.start(both)

    def read_again(self) -> None:
        self._reader.read_again()

    def stop(self) -> None:
        self._reader.stop()


def at_rest(
    tables: Sequence[Mapping[str, Any]],
    make: Callable[[Sequence[Mapping[str, Any]]], CardReader],
    asked: Asked,
) -> Look:
    """A look at every `[[reader]]` of the settings while no window has them: each is started and heard."""
    told = tuple(tables) or ({},)
    keys = tuple(READER if len(told) == 1 else f"{READER}.{place}" for place in range(1, len(told) + 1))
    seconds = _CARD if asked.card else _LISTEN

    def look(tell: Tell) -> None:
        with ExitStack() as at_the_end:
            opened: list[tuple[str, str, Heard | Failure]] = []
            for key, table in zip(keys, told, strict=True):
                driver = str(table.get("driver", _PCSC))
                try:
                    reader = make((table,))
                except Failure as failure:
                    opened.append((key, driver, failure))
                    continue
                heard = Heard()
                reader.start(heard.hear)
                at_the_end.callback(reader.stop)
                opened.append((key, driver, heard))
            end = time.monotonic() + seconds
            ears = [heard for _, _, heard in opened if isinstance(heard, Heard)]
            while time.monotonic() < end:
                for heard in ears:
                    heard.wait(min(_LISTEN, end - time.monotonic()), card=asked.card)
                if not asked.card or any(heard.cards for heard in ears) or not ears:
                    break
            _tell(opened, asked, tell)

    return Look((SERVICE, *keys, CARD), seconds + 3.0, look)


def drivers_of(tables: Sequence[Mapping[str, Any]]) -> str:
    """The drivers the settings name: "pcsc", or "pcsc, sdt"."""
    return ", ".join(str(table.get("driver", _PCSC)) for table in tuple(tables) or ({},))


def at_work(heard: Heard, driver: str, asked: Asked) -> Look:
    """The same while the window has the readers: what they last reported."""

    def look(tell: Tell) -> None:
        if asked.card:
            heard.wait(_CARD, card=True)
        _tell([(READER, driver, heard)], asked, tell)

    return Look((SERVICE, READER, CARD), _CARD + 3.0 if asked.card else _LISTEN, look)


def _tell(opened: Sequence[tuple[str, str, Heard | Failure]], asked: Asked, tell: Tell) -> None:
    by_service = [heard for _, driver, heard in opened if _PCSC in driver and isinstance(heard, Heard)]
    if not by_service:
        tell(Check(SERVICE, said="unused"))
    elif not any(heard.states for heard in by_service):
        tell(Check(SERVICE, Level.WARN, NO_ANSWER, detail="the readers have not reported yet"))
    elif any(ReaderState.SERVICE_LOST in heard.states.values() for heard in by_service):
        tell(Check(SERVICE, Level.FAIL, "CARD-SERVICE-LOST"))
    else:
        tell(Check(SERVICE))
    for key, driver, heard in opened:
        tell(failed(key, heard) if isinstance(heard, Failure) else _reader(key, driver, heard))
    tell(_card([heard for _, _, heard in opened if isinstance(heard, Heard)], asked))


def _reader(key: str, driver: str, heard: Heard) -> Check:
    states = set(heard.states.values())
    if heard.broken is not None:
        return Check(key, Level.FAIL, heard.broken.code, detail=heard.broken.detail)
    if not states and _PCSC not in driver:  # no other line of the list says so
        return Check(key, Level.WARN, NO_ANSWER, detail=f"driver {driver}")
    if not states or ReaderState.SERVICE_LOST in states:
        return not_checked(key, f"driver {driver}")
    if ReaderState.NO_READER in states:
        return Check(key, Level.FAIL, "CARD-NO-READER", detail=f"driver {driver}")
    names = ", ".join(sorted(heard.states))
    return Check(key, values=(("readers", names), ("driver", driver)), detail=f"driver {driver}")


def _card(ears: Sequence[Heard], asked: Asked) -> Check:
    """Only that a card was read, and of which kind: never whose."""
    for card in sorted((c for heard in ears for c in heard.cards), key=lambda c: isinstance(c, CardFailed)):
        if isinstance(card, DocumentKind):
            return Check(CARD, said="read", values=(("document", card.value),))
        return Check(CARD, Level.FAIL, card.code, detail=card.detail)
    usable = {ReaderState.EMPTY, ReaderState.READING, ReaderState.PRESENT}
    if not any(usable & set(heard.states.values()) for heard in ears):
        return not_checked(CARD)
    return Check(CARD, Level.FAIL, "CARD-NONE") if asked.card else Check(CARD, said="none")
