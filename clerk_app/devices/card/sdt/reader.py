"""The `CardReader` of readers that speak SDT frames.

Two threads, one at a time on the line: the poller looks for a card and waits while the card lane reads it.

Whether a card lies there is known only as well as the reader tells (`presence` in the settings):

- `poll`: the reader finds a card for as long as it lies there. Not found is taken away; a serial number that
  changes between two looks is another card.
- `once`: the reader finds a card once and again only after it has left the field. Not found says nothing: the
  card counts as lying there until the next one is found. A reader set to `once` that finds a card it has just
  read three times running is taken for one that polls.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from clerk_app.desk.ports import CardEvent, CardFailed, ReaderState, ReaderStatus
from clerk_app.devices.card.reading import PULLED, ReadingLane, log_bug
from clerk_app.devices.card.sdt.exchange import Talk, Wanted, read_found
from clerk_app.devices.card.sdt.lines import Port, open_line, port
from clerk_app.domain.applicant import CardRecord
from clerk_app.failures import Failure

_log = logging.getLogger(__name__)

_STOP_SECONDS = 0.9
_WOBBLES = 2  # a card that was just read may leave the field and come back at once
_LOOK_SECONDS = 0.05  # how often the poller looks whether a read has to be abandoned
# What ends the conversation with a reader; everything else is about the card.
_LOST = {
    "CARD-SERVICE-LOST": ReaderState.SERVICE_LOST,
    **dict.fromkeys(
        (
            "CARD-NO-READER",
            "CARD-BUSY",
            "CARD-ESCAPE",
            "CARD-TIMEOUT",
            "CARD-LINE",
            "CARD-COMMAND",
            "CARD-READER-ERROR",
            "CARD-SAM-BROKEN",
            "CARD-SAM-UNAUTHORISED",
            "CARD-BUG",
        ),
        ReaderState.NO_READER,
    ),
}
_SAID_BY_STATE = frozenset({"CARD-SERVICE-LOST", "CARD-NO-READER"})
_KEYS = {"port": str, "fingerprint": bool, "address": bool, "presence": str, "poll_ms": int}
_PRESENCES = ("poll", "once")
_SLOWEST_POLL, _FASTEST_POLL = 2000, 100


def sdt_reader(table: Mapping[str, Any]) -> SdtReader:
    """The reader a `[[reader]]` with `driver = "sdt"` means.

    port         where it is, see `lines`; must be told
    fingerprint  read the fingerprint with text and photo, and drop it (false); for readers that insist
    address      read the address appended to the card and take it for the holder's (true)
    presence     "poll" or "once", see above ("poll")
    poll_ms      milliseconds between two looks, 100 to 2000 (300)

    Failure SETTINGS-INVALID names the key.
    """
    told = {key: value for key, value in table.items() if key != "driver"}
    for key, value in told.items():
        if key not in _KEYS:
            raise Failure("SETTINGS-INVALID", f"unknown setting: reader.{key}")
        if type(value) is not _KEYS[key]:
            raise Failure("SETTINGS-INVALID", f"reader.{key} must be {_KEYS[key].__name__}")
    if "port" not in told:
        raise Failure("SETTINGS-INVALID", "reader.port is missing")
    if told.get("presence", "poll") not in _PRESENCES:
        raise Failure("SETTINGS-INVALID", f"reader.presence must be one of {', '.join(_PRESENCES)}")
    poll_ms = told.get("poll_ms", 300)
    if not _FASTEST_POLL <= poll_ms <= _SLOWEST_POLL:
        raise Failure("SETTINGS-INVALID", f"reader.poll_ms must be {_FASTEST_POLL} to {_SLOWEST_POLL}")
    return SdtReader(
        port(told["port"]),
        fingerprint=told.get("fingerprint", False),
        address=told.get("address", True),
        finds_again=told.get("presence", "poll") == "poll",
        poll=poll_ms / 1000,
    )


@dataclass(slots=True)
class _Lying:
    """The card that counts as lying there. `digest` tells whether two reads gave the same record."""

    serial: bytes | None = None
    digest: int | None = None


class SdtReader:
    """One reader at `where`. `finds_again` is presence `poll`; `poll` is in seconds, and so is `backoff`, the
    first and the longest pause between attempts to reach a reader that has gone.
    """

    def __init__(
        self,
        where: Port,
        *,
        fingerprint: bool = False,
        address: bool = True,
        finds_again: bool = True,
        poll: float = 0.3,
        backoff: tuple[float, float] = (1.0, 10.0),
    ) -> None:
        self.name = where.name
        self.module = ""  # the security module's number, once the reader has been reached
        self._where = where
        self._wanted = Wanted(fingerprint, address, finds_again)
        self._poll = poll
        self._backoff = backoff
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._again = threading.Event()
        self._lying: _Lying | None = None
        self._serials_vary = False
        self._unmissed = 0  # looks that found the card just read, with none between that did not
        self._told: ReaderState | None = None  # EMPTY, PRESENT or why there is no reader
        self._lost: Failure | None = None
        self._reading: ReadingLane | None = None
        self._poller: threading.Thread | None = None

    def start(self, listener: Callable[[CardEvent], None]) -> None:
        """Begin watching, once; `listener` is called on the card lane."""
        if self._poller is not None:
            raise RuntimeError("a reader is started once")
        self._reading = ReadingLane(listener)
        self._poller = threading.Thread(
            target=self._watch, args=(self._reading,), name="card-poller", daemon=True
        )
        self._poller.start()

    def read_again(self) -> None:
        """Read the card that lies there once more.

        CARD-NONE when none does, CARD-LIFT when the reader shows a card only once; without a reader it is
        looked for at once, and its failure told when it is still not there.
        """
        self._again.set()
        self._wake.set()

    def stop(self) -> None:
        """Stop watching within a second, even when the port hangs; nothing is reported afterwards."""
        if self._poller is None or self._reading is None or self._stopping.is_set():
            return
        deadline = time.monotonic() + _STOP_SECONDS
        self._stopping.set()
        self._wake.set()
        ended = self._reading.close(_STOP_SECONDS / 2)
        self._poller.join(max(deadline - time.monotonic(), 0))
        if self._poller.is_alive() or not ended:
            _log.warning("the port of the reader hangs; its threads are left behind")

    # --- the poller -----------------------------------------------------------------------------------

    def _watch(self, reading: ReadingLane) -> None:
        shortest, longest = self._backoff
        pause = shortest
        while not self._stopping.is_set():
            try:
                with closing(open_line(self._where)) as line:
                    self._follow(Talk(line, self._stopping.is_set), reading)
            except Failure as failure:
                trouble = failure
            except Exception as error:  # a bug here must not leave the window without its reader
                log_bug("the card poller", error)
                trouble = Failure("CARD-BUG", type(error).__name__)
            if self._stopping.is_set():
                return
            pause = shortest if self._lost is None else min(pause * 2, longest)
            self._lose(reading, trouble)
            self._rest(pause)

    def _lose(self, reading: ReadingLane, trouble: Failure) -> None:
        """Tell once that the reader has gone, and why when the state does not say it."""
        asked = self._asked()
        if asked or (self._lost is None and trouble.code not in _SAID_BY_STATE):
            reading.report(CardFailed(trouble.code, self.name, trouble.detail))
        if self._lost is None:
            _log.warning("card reader lost: %s", trouble)
        self._lost, self._lying = trouble, None
        self._tell(reading, _LOST.get(trouble.code, ReaderState.NO_READER))

    def _follow(self, talk: Talk, reading: ReadingLane) -> None:
        """Look for cards until told to stop. Raises Failure when the reader goes."""
        talk.check_module()
        while not self._stopping.is_set():
            self._look(talk, reading)
            if not self.module:
                self._learn(talk)
            self._rest(self._poll)

    def _learn(self, talk: Talk) -> None:
        try:
            self.module = talk.sam_id()
        except Failure as failure:
            self.module = "-"  # it works without telling
            _log.info("the reader does not tell its number: %s", failure)
        else:
            _log.info("security module %s", self.module)

    def _look(self, talk: Talk, reading: ReadingLane) -> None:
        trouble = serial = None
        try:
            found = talk.find()
        except Failure as failure:
            if failure.code in _LOST:
                raise
            found, trouble = True, failure
        else:
            if found and self._lying:
                serial = _serial(talk)
        self._lost = None
        asked = self._asked()
        if not found:
            self._miss(reading, asked)
            return
        previous = self._lying
        if previous is not None:
            same = self._is_same(previous, serial)
            if not asked and same:
                return
            if not same:
                self._tell(reading, ReaderState.EMPTY)
        self._read(talk, reading, serial, trouble)
        self._compare(previous, serial)

    def _miss(self, reading: ReadingLane, asked: bool) -> None:
        """Nothing was found."""
        if self._lying is None or self._wanted.finds_again:
            self._lying = None
            self._tell(reading, ReaderState.EMPTY)
        self._unmissed = 0
        if asked:
            reading.report(CardFailed("CARD-NONE" if self._lying is None else "CARD-LIFT", self.name))

    def _is_same(self, lying: _Lying, serial: bytes | None) -> bool:
        """Whether the card just found is the one that lies there; `serial` is None when it cannot be told."""
        same = serial is None or lying.serial is None or serial == lying.serial or self._serials_vary
        lying.serial = lying.serial or serial
        if self._wanted.finds_again:
            return same
        if same and serial is not None:
            self._unmissed += 1
        if self._unmissed > _WOBBLES:
            _log.warning("the reader finds a card it has just read: taken for one with presence = poll")
            self._wanted = replace(self._wanted, finds_again=True)
        return self._wanted.finds_again

    def _compare(self, previous: _Lying | None, serial: bytes | None) -> None:
        """A reader that gives the same card another number each time would have it read for ever."""
        if previous is None or self._lying is None or serial is None or previous.digest is None:
            return
        if serial != previous.serial and self._lying.digest == previous.digest and self._wanted.finds_again:
            _log.warning("the reader's serial numbers change: they tell no cards apart")
            self._serials_vary = True

    def _read(self, talk: Talk, reading: ReadingLane, serial: bytes | None, trouble: Failure | None) -> None:
        """Have the card lane read the card that was found, and wait for it."""
        begun, done = threading.Event(), threading.Event()
        self._lying = lying = _Lying(serial)

        def read() -> CardRecord:
            begun.set()
            try:
                if trouble is not None:
                    raise trouble
                lying.serial, record = read_found(talk, self._wanted, serial)
            except Failure as failure:
                if failure.code == PULLED:
                    self._lying = None
                raise
            else:
                lying.digest = hash(record)
                return record
            finally:
                done.set()

        self._told = ReaderState.PRESENT
        reading.read(self.name, read)
        while not done.wait(_LOOK_SECONDS):
            if self._stopping.is_set() and not begun.is_set():
                return  # the lane is closed and will not begin
        if self._lying is None:
            self._tell(reading, ReaderState.EMPTY)

    def _tell(self, reading: ReadingLane, state: ReaderState) -> None:
        if state is not self._told:
            self._told = state
            reading.report(ReaderStatus(state, self.name))

    def _asked(self) -> bool:
        """Whether somebody wants the card read again; asked once, answered once."""
        asked = self._again.is_set()
        self._again.clear()
        return asked

    def _rest(self, seconds: float) -> None:
        self._wake.wait(seconds)
        self._wake.clear()


def _serial(talk: Talk) -> bytes | None:
    """The serial number of the card just found, None when it does not hold still."""
    try:
        return talk.select()
    except Failure as failure:
        if failure.code in _LOST:
            raise
        return None
