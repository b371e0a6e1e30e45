"""The lane on which cards are read and every event is reported, for real and simulated readers alike.

One thread reads and reports, so a listener sees events in their order and never two at once: READING, then
the record or the failure, then PRESENT; EMPTY when the card has gone. A card pulled too early has no PRESENT.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import traceback
from collections.abc import Callable
from typing import ParamSpec

from clerk_app.desk.ports import CardEvent, CardFailed, CardRead, ReaderState, ReaderStatus
from clerk_app.domain.applicant import CardRecord
from clerk_app.failures import Failure
from clerk_app.lanes import Lane

P = ParamSpec("P")

_log = logging.getLogger(__name__)

PULLED = "CARD-PULLED"


class ReadingLane:
    """Reads cards and tells `listener`, until `close`. A listener that raises is logged and told the rest."""

    def __init__(self, listener: Callable[[CardEvent], None]) -> None:
        self._listener = listener
        self._closed = threading.Event()
        self._lane = Lane("card")

    def report(self, event: CardEvent) -> None:
        """Tell the listener, after everything asked for before."""
        self._ask(self._tell, event)

    def read(self, reader: str, read: Callable[[], CardRecord]) -> None:
        """Read one card and tell what came of it. `read` raises Failure when the world failed."""
        self._ask(self._read, reader, read)

    def close(self, timeout: float) -> bool:
        """Tell nothing more; False when a read that hangs keeps the thread beyond `timeout` seconds."""
        self._closed.set()
        return self._lane.close(timeout)

    def _ask(self, work: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        if not self._closed.is_set():
            with contextlib.suppress(RuntimeError):  # it was closed in this moment, by another thread
                self._lane.submit(work, *args, **kwargs)

    def _read(self, reader: str, read: Callable[[], CardRecord]) -> None:
        if self._closed.is_set():
            return
        self._tell(ReaderStatus(ReaderState.READING, reader))
        outcome: CardRead | CardFailed
        try:
            outcome = CardRead(read(), reader)
        except Failure as failure:
            outcome = CardFailed(failure.code, reader, failure.detail)
        except Exception as error:  # a bug must not end the lane: the next card still has to be read
            log_bug("reading a card", error)
            outcome = CardFailed("CARD-BUG", reader, type(error).__name__)
        self._tell(outcome)
        if not (isinstance(outcome, CardFailed) and outcome.code == PULLED):
            self._tell(ReaderStatus(ReaderState.PRESENT, reader))

    def _tell(self, event: CardEvent) -> None:
        if self._closed.is_set():
            return
        try:
            self._listener(event)
        except Exception as error:  # a bug of the listener is not a reason to stop reading cards
            log_bug(f"the listener of {type(event).__name__}", error)


def log_bug(where: str, error: BaseException) -> None:
    """Log where a bug came up. Its message stays out: it may quote what the card says."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    _log.error("bug in %s: %s\n%s", where, type(error).__name__, frames)
