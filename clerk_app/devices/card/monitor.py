"""Watch every PC/SC reader of the machine and read each card laid on one.

Two threads: the monitor waits for changes and never touches a card; the card lane reads, on a context of its
own, and reports. The monitor outlives everything the service does: when it goes away (pcscd restarted,
SCardSvr stopped with the last reader), the loss is reported and a new context tried, first after one second,
then less and less often.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from enum import Enum

from smartcard import scard

from clerk_app.desk.ports import CardEvent, CardFailed, ReaderState, ReaderStatus
from clerk_app.devices.card import pcsc
from clerk_app.devices.card.parser import parse
from clerk_app.devices.card.pseudo_apdu import PseudoApduTable, read_stream
from clerk_app.devices.card.reading import PULLED, ReadingLane, log_bug
from clerk_app.domain.applicant import CardRecord
from clerk_app.failures import Failure

_log = logging.getLogger(__name__)

UNREADABLE = "CARD-UNREADABLE"

_CODES = {
    scard.SCARD_W_REMOVED_CARD: PULLED,
    scard.SCARD_E_NO_SMARTCARD: PULLED,
    scard.SCARD_E_SHARING_VIOLATION: "CARD-BUSY",
    scard.SCARD_W_RESET_CARD: "CARD-BUSY",
    scard.SCARD_W_UNRESPONSIVE_CARD: UNREADABLE,
    scard.SCARD_W_UNPOWERED_CARD: UNREADABLE,
    scard.SCARD_W_UNSUPPORTED_CARD: UNREADABLE,
    scard.SCARD_E_PROTO_MISMATCH: UNREADABLE,
    scard.SCARD_E_NOT_TRANSACTED: UNREADABLE,
    scard.SCARD_F_COMM_ERROR: UNREADABLE,
}
_NOTICE_SECONDS = 0.6  # pcscd polls its drivers every 0.4 s
_BUSY_ATTEMPTS = 4  # other programs probe a new card for a moment
_BUSY_SECONDS = 0.2
_STOP_SECONDS = 0.9
_VANISHED_SECONDS = 0.1


class Move(Enum):
    """What happened on a reader."""

    LAID = "laid"
    TAKEN = "taken"


def moves(before: int, now: int) -> tuple[Move, ...]:
    """What happened between two state words of a reader; the counter tells what went by between two looks.

    A reader seen for the first time without a card counts as TAKEN: it is reported empty.
    """
    lies = pcsc.present(now)
    if before == pcsc.UNAWARE:
        return (Move.LAID,) if lies else (Move.TAKEN,)
    lay = pcsc.present(before)
    if lay != lies:
        return (Move.LAID,) if lies else (Move.TAKEN,)
    if pcsc.counter(before) == pcsc.counter(now):
        return ()
    return (Move.TAKEN, Move.LAID) if lies else (Move.LAID, Move.TAKEN)


class PcscReader:
    """The `CardReader` of real readers. Status events name their reader; all readers are watched.

    NO_READER comes when none is left; one reader of several that goes away becomes EMPTY. `poll` is how long
    one wait lasts and `backoff` the first and the longest pause between attempts to reach the service, in
    seconds.
    """

    def __init__(
        self,
        table: PseudoApduTable | None = None,
        *,
        poll: float = 2.0,
        backoff: tuple[float, float] = (1.0, 10.0),
    ) -> None:
        self._table = table or PseudoApduTable()
        self._poll = poll
        self._backoff = backoff
        self._stopping = threading.Event()
        self._lying: Mapping[
            str, int
        ] = {}  # reader -> counter; replaced whole, so that any thread may read it
        self._context: pcsc.Context | None = None
        self._reading: ReadingLane | None = None
        self._monitor: threading.Thread | None = None

    def start(self, listener: Callable[[CardEvent], None]) -> None:
        """Begin watching, once; `listener` is called on the card lane."""
        if self._monitor is not None:
            raise RuntimeError("a reader is started once")
        self._reading = ReadingLane(listener)
        self._monitor = threading.Thread(
            target=self._watch, args=(self._reading,), name="card-monitor", daemon=True
        )
        self._monitor.start()

    def read_again(self) -> None:
        """Read whatever lies on the readers once more; CARD-NONE when nothing does."""
        if self._reading is None:
            return
        lying = self._lying
        if not lying:
            self._reading.report(CardFailed("CARD-NONE"))
        for reader, counter in lying.items():
            self._ask(self._reading, reader, counter)

    def stop(self) -> None:
        """Stop watching within a second, even when the service hangs; nothing is reported afterwards."""
        if self._monitor is None or self._reading is None or self._stopping.is_set():
            return
        deadline = time.monotonic() + _STOP_SECONDS
        self._stopping.set()
        # A service that hangs hangs its caller: the cancelling has a thread of its own.
        threading.Thread(
            target=self._interrupt, args=(self._monitor,), name="card-cancel", daemon=True
        ).start()
        self._monitor.join(_STOP_SECONDS / 2)
        ended = self._reading.close(deadline - time.monotonic())
        if self._monitor.is_alive() or not ended:
            _log.warning("the card service hangs; its threads are left behind")

    def _interrupt(self, monitor: threading.Thread) -> None:
        """Cancel until the monitor has gone: a cancel that comes just before the wait is lost."""
        while monitor.is_alive():
            if (context := self._context) is not None:
                pcsc.cancel(context)
            monitor.join(0.05)

    # --- the monitor's thread -------------------------------------------------------------------------

    def _watch(self, reading: ReadingLane) -> None:
        shortest, longest = self._backoff
        pause = shortest
        while not self._stopping.is_set():
            try:
                with pcsc.open_context() as context:
                    self._context = context
                    pcsc.readers(context)
                    pause = shortest
                    self._follow(context, reading)
            except pcsc.PcscError as error:
                _log.warning("card service lost: %s", error)
            except Exception as error:  # a bug here must not leave the window without its reader
                log_bug("the card monitor", error)
            self._context = None
            self._lying = {}
            if self._stopping.is_set():
                return
            if pause == shortest:
                reading.report(ReaderStatus(ReaderState.SERVICE_LOST))
            self._stopping.wait(pause)
            pause = min(pause * 2, longest)

    def _follow(self, context: pcsc.Context, reading: ReadingLane) -> None:
        """Report what happens on the readers until told to stop. Raises PcscError when the service goes."""
        known: dict[str, int] = {}
        plug_and_play = pcsc.UNAWARE
        had_readers = True
        while not self._stopping.is_set():
            names = pcsc.readers(context)
            for gone in known.keys() - set(names):
                del known[gone]
                if names:
                    reading.report(ReaderStatus(ReaderState.EMPTY, gone))
            if had_readers and not names:
                reading.report(ReaderStatus(ReaderState.NO_READER))
            had_readers = bool(names)
            asked = {name: known.get(name, pcsc.UNAWARE) for name in names}
            try:
                states = dict(pcsc.wait(context, {**asked, pcsc.PLUG_AND_PLAY: plug_and_play}, self._poll))
            except pcsc.PcscError as error:
                if error.code != scard.SCARD_E_UNKNOWN_READER:
                    raise
                self._stopping.wait(_VANISHED_SECONDS)  # it went after it was listed
                continue
            if pcsc.PLUG_AND_PLAY in states:
                plug_and_play = states.pop(pcsc.PLUG_AND_PLAY).state
            known.update((name, now.state) for name, now in states.items())
            self._lying = {name: pcsc.counter(state) for name, state in known.items() if pcsc.present(state)}
            for name, now in states.items():
                for move in moves(asked[name], now.state):
                    if move is Move.LAID:
                        self._ask(reading, name, now.counter)
                    else:
                        reading.report(ReaderStatus(ReaderState.EMPTY, name))

    def _ask(self, reading: ReadingLane, reader: str, counter: int) -> None:
        reading.read(reader, lambda: self._read(reader, counter))

    # --- the card lane --------------------------------------------------------------------------------

    def _read(self, reader: str, counter: int) -> CardRecord:
        """The card that lay on `reader` when its counter was `counter`, and no other one."""
        for _ in range(_BUSY_ATTEMPTS - 1):
            try:
                return read_card(reader, counter, self._table)
            except Failure as failure:
                if failure.code != "CARD-BUSY" or self._stopping.wait(_BUSY_SECONDS):
                    raise
        return read_card(reader, counter, self._table)


def read_card(reader: str, counter: int, table: PseudoApduTable) -> CardRecord:
    """One attempt to read the card on `reader`. Raises Failure with a CARD-… code.

    The counter is compared before and after: a record never comes from two cards, nor from the next one. A
    card pulled in the middle looks unreadable until the service notices that it has gone.
    """
    try:
        with pcsc.open_context() as context:
            try:
                return _exchange(context, reader, counter, table)
            except (Failure, pcsc.PcscError) as error:
                failure = _explained(error)
                if failure.code == UNREADABLE and pcsc.counter_moves(
                    context, reader, counter, _NOTICE_SECONDS
                ):
                    failure = Failure(PULLED, failure.detail)
                raise failure from error
    except pcsc.PcscError as error:
        raise _explained(error) from error


def _explained(error: Failure | pcsc.PcscError) -> Failure:
    if isinstance(error, Failure):
        return error
    return Failure(_CODES.get(error.code, "CARD-READER-ERROR"), str(error))


def _exchange(context: pcsc.Context, reader: str, counter: int, table: PseudoApduTable) -> CardRecord:
    now = pcsc.look(context, reader)
    if now.counter != counter:
        raise Failure(PULLED, "gone before the exchange")
    if now.atr and not table.recognises(now.atr):
        raise Failure("CARD-UNKNOWN", f"ATR {now.atr.hex().upper()}")
    with pcsc.connect(context, reader) as card:
        text, photo = read_stream(card.transmit, table)
    if pcsc.look(context, reader).counter != counter:
        raise Failure(PULLED, "changed during the exchange")
    return parse(text, photo)
