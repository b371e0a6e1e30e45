"""One workstation at work: its store, lanes, sync and devices tied together, from start to close."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from clerk_app.catalogue.changes import ItemChange
from clerk_app.catalogue.shared import SharedCatalogue, discard
from clerk_app.catalogue.shipping import install
from clerk_app.clock import wall
from clerk_app.desk import due_dates, printing, retention, scanning
from clerk_app.desk.context import Desk
from clerk_app.desk.ports import (
    Camera,
    CardReader,
    Changed,
    Device,
    LinkStatus,
    Page,
    PhotoDecoder,
    Printer,
    PrinterStatus,
    Voice,
    VoiceStatus,
)
from clerk_app.desk.trust import OfficeTrust, note_lost
from clerk_app.devices.voice.voice import NoVoice
from clerk_app.doctor.readers import RememberedReader
from clerk_app.domain.catalogue import ItemStatus
from clerk_app.domain.ids import uuid7
from clerk_app.failures import Failure
from clerk_app.lanes import Lane, LaneClosed
from clerk_app.settings import Settings, file_of
from clerk_app.store.cache import SqlStore
from clerk_app.store.vault import KeySource
from clerk_app.sync.catalogue_file import fetch_catalogue
from clerk_app.sync.client import OfficeClient
from clerk_app.sync.courier import CatalogueCourier
from clerk_app.sync.enrolment import TokenKeeper
from clerk_app.sync.exchange import SKEW_KEY, Exchange
from clerk_app.sync.office import DirectOffice
from clerk_app.sync.protocol import CatalogueInfo, ItemMessage
from clerk_app.sync.scheduler import Scheduler
from clerk_app.sync.transport import TimeOuts
from clerk_app.sync.uploads import TIME_OUTS, Uploader
from clerk_app.timekeeping import Timekeeper

_log = logging.getLogger(__name__)

_RETENTION_SECONDS = 24 * 3600.0

_PHOTO_CLOSE_SECONDS = 0.2
"""Nobody misses a photo that a decoder is still busy with."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What is plugged in from outside: keys, device token, reader, printer, voice, camera, decoder of card
    photos; and how patient to be.

    No `office_time_outs` are the usual ones; `printer_watch` is how often to look at the printer, in seconds.
    """

    key: KeySource
    tokens: TokenKeeper
    reader: CardReader
    printer: Printer
    voice: Voice = field(default_factory=NoVoice)
    camera: Camera | None = None
    decode_photo: PhotoDecoder | None = None
    office_time_outs: TimeOuts | None = None
    printer_watch: float = 5.0


@dataclass(frozen=True, slots=True)
class Lanes:
    """One thread each: use cases, direct calls to the office, catalogue, printer, scanned pages, photos."""

    desk: Lane
    network: Lane
    catalogue: Lane
    printer: Lane
    scanner: Lane
    photo: Lane


class Workstation:
    """One workstation, wired and running between `start` and `close`.

    `desk` is what the use cases are given; `lanes` where they run. Listeners get `Changed` on whatever
    thread changed it and must return at once.
    """

    def __init__(self, settings: Settings, parts: Parts, store: SqlStore, device: Device) -> None:
        token = parts.tokens.load(device.id)
        if token is None:
            raise Failure("SETTINGS-NOT-ENROLLED", "no device token in the keyring")
        self.settings = settings
        self.parts = parts
        self.reader = RememberedReader(parts.reader)
        self.store = store
        self.lanes = Lanes(
            Lane("desk"), Lane("network"), Lane("catalogue"), Lane("printer"), Lane("scanner"), Lane("photo")
        )
        skew = store.read(lambda tx: tx.meta.get(SKEW_KEY))
        self._time = Timekeeper(store, float(skew or 0.0), self._on_jump)
        self._trust = OfficeTrust()
        self._listeners: list[Callable[[Changed], None]] = []
        self._printer_status = PrinterStatus()
        self._printer_watch = parts.printer_watch
        self._started = False
        self._closing = threading.Event()
        self._watch = threading.Thread(target=self._watch_printer, name="printer-watch", daemon=True)
        self._retention = threading.Thread(target=self._keep_retention, name="retention", daemon=True)

        connect = partial(
            OfficeClient,
            settings.office_url,
            token=token,
            ca=file_of(settings.office_ca),
            certificate=file_of(settings.office_certificate),
            time_outs=parts.office_time_outs,
        )
        self.catalogue = _catalogue(catalogue_path(settings), store, self.lanes.catalogue)
        self._office_client = connect()
        exchange = Exchange(
            store, device, self._time.clock, wall=wall, on_items=self._apply_items, on_changed=self._tell
        )
        self.scheduler = Scheduler(exchange, connect, clock=self._time.clock, on_link=self._on_link)
        self.desk = Desk(
            device=device,
            store=store,
            office=DirectOffice(self._office_client, device),
            catalogue=self.catalogue,
            printer=parts.printer,
            voice=parts.voice,
            straighten=_straighten,
            clock=self._time.clock,
            new_id=uuid7,
            link=lambda: self.link,
            poke=self.scheduler.poke,
            changed=self._tell,
            room=store.check_room,
        )
        self._courier = CatalogueCourier(
            self._fetch_catalogue,
            connect,
            on_fetched=self._on_catalogue,
            on_trouble=lambda failure: _log.warning("catalogue: %s", failure),
        )
        patient = partial(connect, time_outs=parts.office_time_outs or TIME_OUTS)
        self._uploader = Uploader(store, self._time.clock, patient, on_changed=self._tell)

    @property
    def link(self) -> LinkStatus:
        return self._time.corrected(self.scheduler.status)

    @property
    def printer_status(self) -> PrinterStatus:
        """As last asked, a few seconds old at most."""
        return self._printer_status

    @property
    def voice_status(self) -> VoiceStatus:
        return self.desk.voice.status

    def subscribe(self, listener: Callable[[Changed], None]) -> None:
        self._listeners.append(listener)

    def start(self) -> None:
        """Recover what a kill left, then begin to sync, to fetch and to watch the printer."""
        printing.recover(self.desk)
        scanning.sweep(self.desk)
        self._count_limits()  # a calendar may have come a moment before a kill
        self._started = True
        self.desk.voice.start()
        self.scheduler.start()
        self._courier.start()
        self._uploader.start()
        self._watch.start()
        self._retention.start()

    def print_queued(self) -> None:
        """Print what waits, on the printer lane; returns at once."""
        self._submit(self._print)

    def close(self) -> None:
        """One way out: stop intake, end the threads, close the files. A few seconds at most."""
        self._closing.set()
        self.reader.stop()
        self.desk.voice.stop()
        if self.parts.camera is not None:
            self.parts.camera.close()
        if self._started:
            self._courier.stop()
            self._uploader.stop()
            self.scheduler.stop()
            self._watch.join(2)
            self._retention.join(2)
        self._office_client.cut()
        self.lanes.network.close()
        self.lanes.scanner.close()
        self.lanes.photo.close(_PHOTO_CLOSE_SECONDS)
        self._office_client.close()
        self.lanes.desk.close()
        self.lanes.printer.close()
        self.catalogue.close()
        self.lanes.catalogue.close()
        self.store.close()

    # --- what the background brings --------------------------------------------------------------------

    def _tell(self, changed: Changed) -> None:
        if "calendar" in changed.topics:
            self._count_limits()
        if "cases" in changed.topics:  # one that is registered now may have pages
            self._uploader.poke()
        for listener in tuple(self._listeners):
            listener(changed)

    def _count_limits(self) -> None:
        """Limits of open cases by the calendar as it is now, on the desk's lane; nothing waits for it."""

        def count() -> None:
            try:
                due_dates.recompute(self.desk)
            except Failure as failure:
                _log.error("limits: %s", failure)

        with suppress(LaneClosed):  # the window is closing: the next start counts them
            self.lanes.desk.submit(count).add_done_callback(_log_bug)

    def _on_link(self, status: LinkStatus) -> None:
        self._time.heard(status)
        if self._trust.lost(status):
            with suppress(LaneClosed):
                self.lanes.desk.submit(note_lost, self.desk).add_done_callback(_log_bug)
        self._tell(Changed(frozenset({"link"})))

    def _on_jump(self) -> None:
        self.scheduler.poke()  # the office is asked for the time before the next date is printed
        self._tell(Changed(frozenset({"link"})))

    def _apply_items(self, items: Sequence[ItemMessage]) -> None:
        self.catalogue.apply(
            ItemChange(item.code, ItemStatus(item.status), item.version, item.valid_to) for item in items
        )
        self._courier.poke()

    def _fetch_catalogue(self, client: OfficeClient, beat: Callable[[], None]) -> bool:
        target = catalogue_path(self.settings)

        def swap(packed: Path, info: CatalogueInfo) -> None:
            install(packed, target, info.sha256)

        return fetch_catalogue(client, self.catalogue.version, target.parent, swap, beat)

    def _on_catalogue(self) -> None:
        self.catalogue.reopen()
        self._tell(Changed(frozenset({"catalogue"})))

    def _keep_retention(self) -> None:
        """At the start and once a day; slice by slice on the desk's lane, so that the clerk comes between."""
        while not self._closing.is_set():
            try:
                slice_ = self.lanes.desk.submit(retention.purge_some, self.desk, self.settings.keep_days)
                if slice_.result() is not None:
                    continue
                if (limit := retention.limit(self.desk, self.settings.keep_days)) is not None:
                    self.store.tidy(limit)
            except Failure as failure:
                _log.error("retention: %s", failure)
            except (CancelledError, LaneClosed):
                return
            self._closing.wait(_RETENTION_SECONDS)

    def _submit(self, work: Callable[[], None]) -> None:
        self.lanes.printer.submit(work).add_done_callback(_log_bug)

    def _watch_printer(self) -> None:
        while True:
            self._submit(self._look_at_printer)
            self._time.look()
            if self._closing.wait(self._printer_watch):
                return

    def _look_at_printer(self) -> None:
        before, self._printer_status = self._printer_status, self.desk.printer.status()
        if before != self._printer_status:
            self._tell(Changed(frozenset({"printer"})))
        if self._printer_status.ready and printing.resume_when_ready(self.desk):
            self._print()

    def _print(self) -> None:
        try:
            printing.run(self.desk)
        except Failure as failure:
            _log.error("printing: %s", failure)


def _log_bug(done: Future[None]) -> None:
    """A bug must not end in a future nobody reads. Its message may quote a slip: only the place is told.

    A failure is none: the world has a code, and whoever is at work next is told.
    """
    if done.cancelled() or (error := done.exception()) is None:
        return
    if isinstance(error, Failure):
        _log.error("on a lane: %s", error)
    else:
        place = traceback.extract_tb(error.__traceback__)[-1]
        _log.error("a bug on a lane: %s at %s:%s", type(error).__name__, place.filename, place.lineno)


def _catalogue(path: Path, store: SqlStore, lane: Lane) -> SharedCatalogue:
    """The catalogue file. A damaged one holds nothing of ours: it is thrown away and fetched again.

    So is what the feed said about single items; its cursor goes first, so that the feed says it again.
    """
    try:
        return SharedCatalogue(path, lane)
    except Failure as failure:
        if failure.code != "CATALOGUE-DAMAGED":
            raise
        _log.error("catalogue thrown away: %s", failure)
    store.write(lambda tx: tx.feed.reset("catalogue"))
    discard(path)
    return SharedCatalogue(path, lane)


def catalogue_path(settings: Settings) -> Path:
    return settings.folder / "catalogue.db"


def _straighten(data: bytes) -> Sequence[Page]:
    from clerk_app.devices.scanner.page import pages  # loaded when the first page comes

    return pages(data)
