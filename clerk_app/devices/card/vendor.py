"""The slot for readers that need a maker's library: a package of the hall's own brings the driver.

The package declares an entry point of the group `clerk_app.card_readers`; a `[[reader]]` table names it:

    [project.entry-points."clerk_app.card_readers"]     # pyproject.toml of the package
    acme = "acme_reader:reader"

    [[reader]]                                          # settings.toml of the workstation
    driver = "acme"
    port = 1001                                         # every other key is the driver's own

It is a callable that takes the table without `driver` and returns a `CardReader` (`clerk_app.desk.ports`). It
is foreign code: what it raises, whatever it is, becomes CARD-DRIVER naming it; it is imported and started on
a thread of its own, since a library may take its time to load; and what it reports is checked.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, TypeGuard, get_type_hints

from clerk_app import failures
from clerk_app.desk.ports import CardEvent, CardFailed, CardRead, CardReader, ReaderState, ReaderStatus
from clerk_app.devices.card import plugins
from clerk_app.devices.card.reading import ReadingLane, log_bug
from clerk_app.domain.applicant import CardRecord
from clerk_app.failures import Failure
from clerk_app.lanes import Lane

_log = logging.getLogger(__name__)

CODE = "CARD-DRIVER"
_STOP_SECONDS = 0.9
_TELLING = (ImportError, Failure, plugins.NotInstalledError)  # their messages are meant for IT


class VendorReader:
    """The `CardReader` made by the installed driver `name` with its settings."""

    def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
        self._name = name
        self._settings = dict(settings)
        self._stopping = threading.Event()
        self._reading: ReadingLane | None = None
        self._lane: Lane | None = None
        self._reader: CardReader | None = None

    def start(self, listener: Callable[[CardEvent], None]) -> None:
        """Load the driver and begin watching, once; `listener` is called on the card lane."""
        if self._reading is not None:
            raise RuntimeError("a reader is started once")
        self._reading = ReadingLane(listener)
        self._lane = Lane(f"card-{self._name}")
        self._lane.submit(self._guarded, "start", self._load)

    def read_again(self) -> None:
        """Ask the driver to read again; CARD-DRIVER when it does not work."""
        if self._lane is not None and not self._stopping.is_set():
            self._lane.submit(self._guarded, "read_again", self._again)

    def stop(self) -> None:
        """Stop the driver, within a second even when it hangs; nothing is reported afterwards."""
        if self._lane is None or self._reading is None or self._stopping.is_set():
            return
        deadline = time.monotonic() + _STOP_SECONDS
        self._stopping.set()
        self._lane.submit(self._guarded, "stop", self._end)
        ended = self._lane.close(_STOP_SECONDS - 0.1)
        if not (self._reading.close(max(deadline - time.monotonic(), 0.05)) and ended):
            _log.warning("the card driver %s does not stop; its threads are left behind", self._name)

    # --- the driver's lane ----------------------------------------------------------------------------

    def _load(self) -> None:
        if self._stopping.is_set():
            return
        reader = plugins.load(plugins.READERS, self._name)(dict(self._settings))
        if self._stopping.is_set():  # a library may take longer to load than anybody waits
            return
        self._reader = reader
        reader.start(self._hear)
        if self._stopping.is_set():
            self._end()

    def _again(self) -> None:
        if self._reader is None:
            self._tell(CardFailed(CODE, detail=f"{self._name}: did not start"))
        else:
            self._reader.read_again()

    def _end(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.stop()

    def _guarded(self, what: str, work: Callable[[], None]) -> None:
        """Do it; whatever a driver raises is told. Its message stays out: it may quote a card."""
        try:
            work()
        except (Exception, SystemExit) as error:
            log_bug(f"the card driver {self._name}, {what}", error)
            if what == "start":
                self._reader = None
                self._tell(ReaderStatus(ReaderState.NO_READER))
            told = str(error) if isinstance(error, _TELLING) else ""
            self._tell(CardFailed(CODE, detail=f"{self._name}: {what}: {told or type(error).__name__}"))

    # --- whatever thread the driver reports on --------------------------------------------------------

    def _hear(self, event: object) -> None:
        if _sound(event):
            self._tell(event)
        else:
            self._tell(CardFailed(CODE, detail=f"{self._name}: reported {type(event).__name__}"))

    def _tell(self, event: CardEvent) -> None:
        if self._reading is not None and not self._stopping.is_set():
            self._reading.report(event)


_TYPES = get_type_hints(CardRecord)


def _sound(event: object) -> TypeGuard[CardEvent]:
    """Whether an event is one of ours, with parts of ours; a failure's code must have its sentence."""
    if not isinstance(getattr(event, "reader", None), str):
        return False
    if isinstance(event, CardRead):
        return isinstance(event.record, CardRecord) and _sound_record(event.record)
    if isinstance(event, CardFailed):
        return event.code in failures.codes() and isinstance(event.detail, str)
    return isinstance(event, ReaderStatus) and isinstance(event.state, ReaderState)


def _sound_record(record: CardRecord) -> bool:
    """Whether every field is of its type: a maker's bug must not come up in the middle of the window."""
    given = {field.name: getattr(record, field.name) for field in fields(record)}
    warnings, codes = given.pop("warnings"), failures.codes()
    return (
        bool(record.name and record.number)
        and all(isinstance(value, _TYPES[name]) for name, value in given.items())
        and isinstance(warnings, tuple)
        and all(warning in codes for warning in warnings)
    )
