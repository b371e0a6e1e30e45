"""Several readers as one: a hall may have one for identity cards and one for social security cards."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from clerk_app.desk.ports import CardEvent, CardFailed, CardReader, ReaderState, ReaderStatus
from clerk_app.devices.card.reading import ReadingLane

_log = logging.getLogger(__name__)

_NOTHING_LIES = "CARD-NONE"
_GONE = frozenset({ReaderState.NO_READER, ReaderState.SERVICE_LOST})
_STOP_SECONDS = 0.95


class CombinedReader:
    """The `CardReader` of a workstation with several. One listener hears all of them, one event at a time.

    NO_READER comes when none has a reader left, SERVICE_LOST when all have lost their service; the readers of
    one that went while another is there become EMPTY.
    """

    def __init__(self, readers: Sequence[CardReader]) -> None:
        self._readers = tuple(readers)
        self._lock = threading.Lock()
        self._reading: ReadingLane | None = None
        self._gone: dict[int, ReaderState | None] = {}  # reader -> why it has none; None: it has
        self._busy: dict[int, set[str]] = {number: set() for number in range(len(self._readers))}
        self._told: ReaderState | None = None
        self._asked: set[int] = set()  # who has not answered the last `read_again` yet

    def start(self, listener: Callable[[CardEvent], None]) -> None:
        """Begin watching with all of them, once; `listener` is called on a lane of its own."""
        if self._reading is not None:
            raise RuntimeError("a reader is started once")
        self._reading = ReadingLane(listener)
        for number, reader in enumerate(self._readers):
            reader.start(lambda event, number=number: self._hear(number, event))  # type: ignore[misc]

    def read_again(self) -> None:
        """Read what lies on any of them; CARD-NONE when nothing does, once."""
        with self._lock:
            self._asked = set(range(len(self._readers)))
        for reader in self._readers:
            reader.read_again()

    def stop(self) -> None:
        """Stop all at once, within a second together; nothing is reported afterwards."""
        if self._reading is None:
            return
        deadline = time.monotonic() + _STOP_SECONDS
        stopping = [
            threading.Thread(target=reader.stop, name="card-stop", daemon=True) for reader in self._readers
        ]
        for thread in stopping:
            thread.start()
        for thread in stopping:
            thread.join(max(deadline - time.monotonic(), 0.0))
        ended = self._reading.close(max(deadline - time.monotonic(), 0.01))
        if not ended or any(thread.is_alive() for thread in stopping):
            _log.warning("a card reader does not stop; its threads are left behind")

    def _hear(self, number: int, event: CardEvent) -> None:
        """On whatever thread reader `number` reports."""
        assert self._reading is not None
        with self._lock:
            for heard in self._meant(number, event):
                self._reading.report(heard)

    def _meant(self, number: int, event: CardEvent) -> tuple[CardEvent, ...]:
        """What the listener is told of an event; the lock is held."""
        if not isinstance(event, ReaderStatus):
            return self._answer(number, event)
        if event.state not in _GONE:
            self._gone[number] = self._told = None
            if event.state is ReaderState.EMPTY:
                self._busy[number].discard(event.reader)
            else:
                self._busy[number].add(event.reader)
            return (event,)
        self._gone[number] = event.state
        taken = tuple(ReaderStatus(ReaderState.EMPTY, name) for name in sorted(self._busy[number]))
        self._busy[number].clear()
        if len(self._gone) < len(self._readers) or None in self._gone.values():
            return taken
        lost = set(self._gone.values()) == {ReaderState.SERVICE_LOST}
        state = ReaderState.SERVICE_LOST if lost else ReaderState.NO_READER
        if state is self._told:
            return ()
        self._told = state
        return (ReaderStatus(state),)

    def _answer(self, number: int, event: CardEvent) -> tuple[CardEvent, ...]:
        """A card or a failure. That nothing lies on one reader is told when nothing lies on any."""
        if not (isinstance(event, CardFailed) and event.code == _NOTHING_LIES):
            self._asked.clear()
            return (event,)
        if number not in self._asked:
            return ()
        self._asked.discard(number)
        return () if self._asked else (event,)
