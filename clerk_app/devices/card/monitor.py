"""Watch every PC/SC reader of the machine and read each card laid on one.

Two threads: the monitor waits for changes and never touches a card; the card lane reads, on a context of its
own, and reports. The monitor outlives everything the service does: when it goes away (pcscd restarted,
SCardSvr stopped with the last reader), the loss is reported and a new context tried, first after one second,
then less and less often.

Three things more are seen to. A card that another program held is read as soon as it lets go. After the
machine slept, the context is a new one and a card that lies there is read again: the service hears of no
change while the reader has no power, so the card may be another person's. And a service that hangs instead of
going away, which holds its callers too, is reported by a thread that asks it nothing.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from enum import Enum

from smartcard import scard

from clerk_app.desk.ports import CardEvent, CardFailed, ReaderState, ReaderStatus
from clerk_app.devices.card import pcsc
from clerk_app.devices.card.attempt import BUSY, read_card
from clerk_app.devices.card.choice import DRIVERS, CardDriver
from clerk_app.devices.card.reading import ReadingLane, log_bug
from clerk_app.domain.applicant import CardRecord
from clerk_app.failures import Failure

_log = logging.getLogger(__name__)

_BUSY_ATTEMPTS = 4  # other programs probe a new card for a moment
_BUSY_SECONDS = 0.2
_HELD_SECONDS = 0.2  # one wait while a card is held: pcscd tells nobody that it was let go
_STOP_SECONDS = 0.9
_VANISHED_SECONDS = 0.1
_LATE_SECONDS = 5.0  # a wait that ends so much too late was slept through
_TICK_SECONDS = 1.0
_TICKS_UNTIL_HUNG = 4

_SLEEPING_CLOCK: int | None = getattr(time, "CLOCK_BOOTTIME", None)


def clock() -> float:
    """Seconds that go on while the machine sleeps and that nobody sets; only differences mean something.

    Windows counts sleep in the monotonic clock, Linux in a clock of its own.
    """
    return time.monotonic() if _SLEEPING_CLOCK is None else time.clock_gettime(_SLEEPING_CLOCK)


class _Slept(Exception):
    """A wait took much longer than asked: the machine slept, or this process was stopped."""


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

    `drivers` are tried in their order; `only` is a part of the name of the readers to watch. NO_READER comes
    when none is left; one reader of several that goes away becomes EMPTY. `poll` is how long one wait lasts,
    `backoff` the first and the longest pause between attempts to reach the service, `late` how much longer a
    wait may take before it counts as slept through, and `tick` a quarter of the time after which a service
    that does not answer counts as lost, in seconds.
    """

    def __init__(
        self,
        drivers: Sequence[CardDriver] = DRIVERS,
        *,
        only: str = "",
        poll: float = 2.0,
        backoff: tuple[float, float] = (1.0, 10.0),
        late: float = _LATE_SECONDS,
        tick: float = _TICK_SECONDS,
    ) -> None:
        self._drivers = tuple(drivers)
        self._only = only
        self._poll = poll
        self._backoff = backoff
        self._late = late
        self._tick = tick
        self._stopping = threading.Event()
        # reader -> counter; replaced whole, so that any thread may read it
        self._lying: Mapping[str, int] = {}
        self._held: dict[str, int] = {}  # the same for cards another program held; the card lane adds
        self._expected = 0.0  # by when the service answers, on `clock`; 0 when nothing is asked
        self._hung = False
        self._context: pcsc.Context | None = None
        self._reading: ReadingLane | None = None
        self._monitor: threading.Thread | None = None
        self._watchdog: threading.Thread | None = None

    def start(self, listener: Callable[[CardEvent], None]) -> None:
        """Begin watching, once; `listener` is called on the card lane."""
        if self._monitor is not None:
            raise RuntimeError("a reader is started once")
        self._reading = ReadingLane(listener)
        self._monitor = threading.Thread(
            target=self._watch, args=(self._reading,), name="card-monitor", daemon=True
        )
        self._monitor.start()
        self._watchdog = threading.Thread(
            target=self._watch_service, args=(self._reading,), name="card-watchdog", daemon=True
        )
        self._watchdog.start()

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
        if self._monitor is None or self._watchdog is None or self._reading is None:
            return
        if self._stopping.is_set():
            return
        deadline = time.monotonic() + _STOP_SECONDS
        self._stopping.set()
        # A service that hangs hangs its caller: the cancelling has a thread of its own.
        threading.Thread(
            target=self._interrupt, args=(self._monitor,), name="card-cancel", daemon=True
        ).start()
        self._watchdog.join(_STOP_SECONDS / 2)  # waits for nothing but the order to stop
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
        before: frozenset[str] = frozenset()
        while not self._stopping.is_set():
            known: dict[str, int] = dict.fromkeys(before, pcsc.UNAWARE)
            before = frozenset()
            self._hung = False
            self._expected = clock() + self._poll
            try:
                with pcsc.open_context() as context:
                    self._context = context
                    pcsc.readers(context)
                    pause = shortest
                    self._follow(context, reading, known)
            except _Slept:
                _log.info("the card service was not heard for a while: looking again")
                before = frozenset(known)
                continue
            except pcsc.PcscError as error:
                _log.warning("card service lost: %s", error)
            except Exception as error:  # a bug here must not leave the window without its reader
                log_bug("the card monitor", error)
            finally:
                self._expected = 0.0
                self._context = None
                self._lying = {}
                self._held.clear()
            if self._stopping.is_set():
                return
            if pause == shortest:
                reading.report(ReaderStatus(ReaderState.SERVICE_LOST))
            self._stopping.wait(pause)
            pause = min(pause * 2, longest)

    def _follow(self, context: pcsc.Context, reading: ReadingLane, known: dict[str, int]) -> None:
        """Report what happens on the readers until told to stop; `known` are their states so far.

        Raises PcscError when the service goes.
        """
        plug_and_play = pcsc.UNAWARE
        had_readers = True
        while not self._stopping.is_set():
            names = [name for name in pcsc.readers(context) if self._only in name]
            for gone in known.keys() - set(names):
                del known[gone]
                if names:
                    reading.report(ReaderStatus(ReaderState.EMPTY, gone))
            if had_readers and not names:
                reading.report(ReaderStatus(ReaderState.NO_READER))
            had_readers = bool(names)
            asked = {name: known.get(name, pcsc.UNAWARE) for name in names}
            try:
                states = dict(self._wait(context, {**asked, pcsc.PLUG_AND_PLAY: plug_and_play}))
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
            self._ask_released(reading, known)

    def _wait(self, context: pcsc.Context, known: Mapping[str, int]) -> Mapping[str, pcsc.ReaderNow]:
        """`pcsc.wait`, on time. Raises _Slept when it was not."""
        seconds = min(self._poll, _HELD_SECONDS) if self._held else self._poll
        self._expected = clock() + seconds
        states = pcsc.wait(context, known, seconds)
        if self._hung or clock() > self._expected + self._late:
            raise _Slept
        return states

    def _ask_released(self, reading: ReadingLane, known: Mapping[str, int]) -> None:
        """Read the cards that another program held, where it has let go and they still lie there."""
        for name, counter in tuple(self._held.items()):
            state = known.get(name, pcsc.UNAWARE)
            lies = pcsc.present(state) and pcsc.counter(state) == counter
            if not (lies and pcsc.exclusive(state)):
                self._held.pop(name, None)
                if lies:
                    self._ask(reading, name, counter)

    # --- the watchdog's thread ------------------------------------------------------------------------

    def _watch_service(self, reading: ReadingLane) -> None:
        """Report a service that hangs. Ticks are counted, so that waking from sleep is not taken for it."""
        overdue = 0
        while not self._stopping.wait(self._tick):
            late = self._expected and clock() > self._expected
            overdue = overdue + 1 if late else 0
            if overdue == _TICKS_UNTIL_HUNG:
                _log.warning("the card service does not answer")
                self._hung = True
                reading.report(ReaderStatus(ReaderState.SERVICE_LOST))

    def _ask(self, reading: ReadingLane, reader: str, counter: int) -> None:
        reading.read(reader, lambda: self._read(reader, counter))

    # --- the card lane --------------------------------------------------------------------------------

    def _read(self, reader: str, counter: int) -> CardRecord:
        """The card that lay on `reader` when its counter was `counter`, and no other one."""
        for _ in range(_BUSY_ATTEMPTS - 1):
            try:
                return read_card(reader, counter, self._drivers)
            except Failure as failure:
                if failure.code != BUSY or self._stopping.wait(_BUSY_SECONDS):
                    raise
        try:
            return read_card(reader, counter, self._drivers)
        except Failure as failure:
            if failure.code == BUSY:
                self._held[reader] = counter  # read when the monitor sees it free
                if (context := self._context) is not None:
                    pcsc.cancel(context)  # it waits for longer than for a card that is held
            raise
