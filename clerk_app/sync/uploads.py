"""Scanned pages go up in the background, piece by piece, and go on where they stopped.

A thread and a line of its own: a picture that is stuck holds up neither a case nor another picture. Where a
page stands is known at the office alone, so nothing here can be out of step with it after a kill. Commands go
first: a piece waits a while for an outbox that is not empty.
"""

from __future__ import annotations

import hashlib
import logging
import random as random_numbers
import threading
import traceback
from collections.abc import Callable

from clerk_app.desk.ports import Attachment, Changed, Clock, Store
from clerk_app.failures import Failure
from clerk_app.sync.alarms import alarm
from clerk_app.sync.backoff import Backoff
from clerk_app.sync.client import OfficeClient
from clerk_app.sync.pace import Pace
from clerk_app.sync.transport import OfficeFailure, TimeOuts

_log = logging.getLogger(__name__)

UNIT = 16 * 1024
MOST, FIRST = 64, 4
"""Units in one piece: 64 KB to begin with, 1 MB on a good line, 16 KB on a thin one."""

TIME_OUTS = TimeOuts(connect=20.0, read=60.0)
"""A piece on a thin line takes long, and nobody waits for it."""

GIVE_WAY_SECONDS = 30.0
"""How long a piece waits for commands to go first; an outbox that is stuck holds no page for ever."""
LOOK_SECONDS = 60.0
SOON_SECONDS = 60.0
HOUR = 3600.0
STOP_SECONDS = 2.0

_BEGIN_AGAIN = frozenset({"OFFICE-OFFSET", "OFFICE-NO-UPLOAD", "OFFICE-CHECKSUM", "OFFICE-PAGE-DIGEST"})
_OF_THE_PAGE = frozenset({"UPLOAD-DAMAGED", "SYNC-REJECTED"})
"""Failures of one page; any other is one of the line and would meet the next page too."""
_SOON = frozenset({"OFFICE-NO-CASE", "OFFICE-OFFSET", "OFFICE-NO-UPLOAD"})
"""Nobody's fault: its case is not there yet, or somebody else sends the same page."""
_CHANGED = frozenset({"OFFICE-CHECKSUM", "OFFICE-PAGE-DIGEST"})
_TOO_MUCH = frozenset({"SYNC-SLOW", "SYNC-OFFLINE", "SYNC-NOT-OFFICE"})
"""Perhaps the piece was too large, for the line or for a gateway that says so in a page of its own."""
_ONLY_IT = frozenset({"SYNC-REVOKED", "SYNC-NO-CALL"})


class Uploader:
    """Uploads the pages of registered cases until there are no more.

    `connect` gives its client. `on_changed` is told, on this thread, when fewer are left.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        connect: Callable[[], OfficeClient],
        *,
        on_changed: Callable[[Changed], None],
        random: Callable[[], float] = random_numbers.random,
        give_way_seconds: float = GIVE_WAY_SECONDS,
    ) -> None:
        self._store = store
        self._clock = clock
        self._on_changed = on_changed
        self._backoff = Backoff(random)
        self._give_way_seconds = give_way_seconds
        self._pace = Pace(MOST, FIRST)
        self._aside: dict[str, float] = {}  # until when a page is left alone
        self._early: set[str] = set()  # of those, the ones that only wait for their case
        self._alarmed: set[tuple[str, str]] = set()
        self._met = ""  # the page that failed last: the next attempt is another's
        self._told = ""  # the last code in the log
        self._stopping = threading.Event()
        self._wanted = threading.Event()
        self._poked = threading.Event()
        self._client = connect()
        self._client.watch(self._check)
        self._thread = threading.Thread(target=self._serve, name="sync-upload", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def poke(self) -> None:
        """Cases were registered, and there may be pages to send. After a failure it waits for its turn."""
        self._poked.set()
        self._wanted.set()

    def stop(self) -> None:
        """End the thread; a piece under way is cut, and the page goes on behind the last whole one."""
        self._stopping.set()
        self._wanted.set()
        self._client.cut()
        if self._thread.ident is None:  # never started
            self._client.close()
        else:
            self._thread.join(STOP_SECONDS)

    def run(self) -> None:
        """Upload everything that is not set aside. Failures: SYNC-…, STORE-…"""
        while not self._stopping.is_set() and (page := self._next()) is not None:
            self._met = page.id
            try:
                self._upload(page)
            except Failure as failure:
                if failure.code not in _OF_THE_PAGE:
                    raise
                self._set_aside(page, failure)
            self._met = ""
            self._backoff.reset()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            self._wanted.clear()
            try:
                self.run()
            except Failure as failure:
                self._failed(failure)
            except Exception as error:  # a bug of ours must not end the uploads of a hall
                place = traceback.extract_tb(error.__traceback__)[-1]
                _log.error("an upload broke: %s at %s:%s", type(error).__name__, place.filename, place.lineno)
                self._failed(Failure("SYNC-BROKEN", type(error).__name__))
            else:
                self._told = ""
                self._wanted.wait(LOOK_SECONDS)
        self._client.close()

    def _failed(self, failure: Failure) -> None:
        if self._stopping.is_set():
            return
        if failure.code != self._told:
            _log.warning("pages wait: %s", failure)
            self._told = failure.code
        retry_after = failure.retry_after if isinstance(failure, OfficeFailure) else None
        if failure.code in _ONLY_IT:
            retry_after = HOUR
        self._stopping.wait(self._backoff.failed(retry_after))

    def _next(self) -> Attachment | None:
        """The oldest page that is not set aside, another than the one that failed last where there is one."""
        if self._poked.is_set():
            self._poked.clear()
            self._aside = {page: until for page, until in self._aside.items() if page not in self._early}
        now = self._clock.monotonic()
        self._aside = {page: until for page, until in self._aside.items() if until > now}
        self._early.intersection_update(self._aside)
        most = len(self._aside) + 2
        found = [
            page
            for page in self._store.read(lambda tx: tx.attachments.to_upload(most))
            if page.id not in self._aside
        ]
        return next((page for page in found if page.id != self._met), found[0] if found else None)

    def _upload(self, page: Attachment) -> None:
        content = self._store.read(lambda tx: tx.attachments.content(page.id)) or b""
        if len(content) != page.size or hashlib.sha256(content).hexdigest() != page.sha256:
            raise Failure("UPLOAD-DAMAGED", page.id)
        try:
            self._send(page, content)
        except OfficeFailure as failure:
            if _problem(failure) not in _BEGIN_AGAIN:
                raise
            self._send(page, content)  # once: it tells where it stands now
        self._store.write(lambda tx: tx.attachments.uploaded(page.id, self._clock.now()))
        self._on_changed(Changed(frozenset({"outbox"})))

    def _send(self, page: Attachment, content: bytes) -> None:
        at = self._client.begin_page(page)
        while at < page.size:
            self._give_way()
            self._check()
            begun = self._clock.monotonic()
            try:
                at = self._client.send_piece(page, at, content[at : at + self._pace.limit * UNIT])
            except OfficeFailure as failure:
                if failure.code in _TOO_MUCH:
                    self._pace.failed()
                raise
            self._pace.took(self._clock.monotonic() - begun)

    def _give_way(self) -> None:
        until = self._clock.monotonic() + self._give_way_seconds
        while self._clock.monotonic() < until and self._store.read(lambda tx: tx.outbox.next_batch(1)):
            if self._stopping.wait(0.25):
                return

    def _set_aside(self, page: Attachment, failure: Failure) -> None:
        """Leave a page alone for a while. IT is told once, unless waiting is all there is to do."""
        problem = _problem(failure)
        if problem in _SOON:
            self._aside[page.id] = self._clock.monotonic() + SOON_SECONDS
            self._early.add(page.id)
            return
        self._aside[page.id] = self._clock.monotonic() + HOUR
        code = failure.code
        if code == "SYNC-REJECTED":
            code = "UPLOAD-CHANGED" if problem in _CHANGED else "UPLOAD-REFUSED"
        if (page.id, code) not in self._alarmed:
            self._alarmed.add((page.id, code))
            alarm(self._store, self._clock, code, f"page {page.id} {problem}".rstrip())

    def _check(self) -> None:
        if self._stopping.is_set():
            raise Failure("SYNC-OFFLINE", "stopping")


def _problem(failure: Failure) -> str:
    told = failure.problem if isinstance(failure, OfficeFailure) else None
    return "" if told is None else told.code
