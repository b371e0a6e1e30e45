"""A listener for tests: events arrive in a queue, waiting is bounded, order is kept."""

from __future__ import annotations

from queue import Empty, SimpleQueue

from clerk_app.desk.ports import CardEvent, CardFailed, CardRead, ReaderState, ReaderStatus
from clerk_app.domain.applicant import CardRecord

PATIENCE = 15.0  # seconds; only a failing test waits that long


class Events:
    """What the readers reported, in order. Call it as the listener; one reader can be left out."""

    def __init__(self, *, apart_from: str | None = None) -> None:
        self._apart_from = apart_from
        self._queue: SimpleQueue[CardEvent] = SimpleQueue()

    def __call__(self, event: CardEvent) -> None:
        if event.reader != self._apart_from:
            self._queue.put(event)

    def next(self) -> CardEvent:
        return self._queue.get(timeout=PATIENCE)

    def state(self) -> ReaderState:
        """The next event, which must be a status."""
        event = self.next()
        assert isinstance(event, ReaderStatus), event
        return event.state

    def until(self, state: ReaderState, reader: str | None = None) -> ReaderStatus:
        """Pass over events up to the first status `state`."""
        while True:
            event = self.next()
            if isinstance(event, ReaderStatus) and event.state is state and reader in {None, event.reader}:
                return event

    def record(self) -> CardRecord:
        """Pass over statuses up to the first record; a failure on the way fails the test."""
        while True:
            event = self.next()
            if isinstance(event, CardRead):
                return event.record
            assert not isinstance(event, CardFailed), event

    def failure(self) -> str:
        """Pass over statuses up to the first failure's code; a record on the way fails the test."""
        while True:
            event = self.next()
            if isinstance(event, CardFailed):
                return event.code
            assert not isinstance(event, CardRead), "a record, not a failure"

    def rest(self) -> list[CardEvent]:
        """Everything that is there now."""
        events = []
        while True:
            try:
                events.append(self._queue.get_nowait())
            except Empty:
                return events
