"""The office of the practice hall: the real one, and what can happen to it.

Everything here may take seconds: it is called on the errands of the hall, one thing after the other.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import sqlalchemy as sa

from back_office import applying, backup, devices, held, lost_cards
from back_office.embedded import OfficeServer, enrolment_code
from back_office.queues import issue
from back_office.settings import settings_of
from back_office.tables import registered_case, upload
from clerk_app.domain.applicant import CardRecord

FILING = "case.file"


class PracticeError(Exception):
    """The error of its own that the practice office meets while it is told to."""


class PracticeOffice:
    """Served on loopback from a copy of `prepared` in `folder`, on one port as long as it is open."""

    def __init__(self, prepared: Path, folder: Path, hall: str) -> None:
        self._folder = folder
        self._hall = hall
        self._lives = 0
        self._sound = applying.KINDS[FILING]
        shutil.copytree(prepared, self._home)
        self._server = OfficeServer(self._home)
        self._server.start()

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def _home(self) -> Path:
        return self._folder / f"life-{self._lives}"

    @property
    def _backup(self) -> Path:
        return self._folder / "backup.tar.zst"

    def close(self) -> None:
        applying.KINDS[FILING] = self._sound
        self._server.stop()

    # --- every day ---------------------------------------------------------------------------------------

    def code(self, window: str, queue: str) -> str:
        """A code that enrols a workstation."""
        return enrolment_code(self._home, window=window, queue=queue)

    def take_ticket(self, series: str) -> str:
        """A citizen takes a ticket at the entrance; returns its number."""
        return self._server.office.write(lambda tx: issue(tx, self._hall, series)).number

    def report_lost(self, card: CardRecord) -> None:
        self._server.office.write(lambda tx: lost_cards.add(tx, card.number, card.valid_from))

    def cases(self) -> list[tuple[str, str]]:
        """(number, state) of every case that is registered."""
        wanted = sa.select(registered_case.c.number, registered_case.c.state)
        found = self._server.office.read(lambda connection: connection.execute(wanted).all())
        return [(row.number, row.state) for row in found]

    def pages(self) -> int:
        """How many scanned pages are here whole."""
        whole = sa.select(sa.func.count()).select_from(upload).where(upload.c.completed_at.is_not(None))
        return int(self._server.office.read(lambda connection: connection.execute(whole).scalar_one()))

    # --- bad days ----------------------------------------------------------------------------------------

    def back_up(self) -> None:
        """The backup that `go_back` restores."""
        backup.back_up(self._server.office, self._backup)

    def go_back(self) -> None:
        """The office loses its database and goes on with the backup: what came since is unknown to it."""
        port = urlsplit(self.url).port or 0
        self._server.stop()
        self._lives += 1
        backup.restore(settings_of(self._home), self._backup)
        self._server = OfficeServer(self._home, port)
        self._server.start()

    def err(self, on: bool) -> None:
        """Meet an error of its own at every case that is filed; once that is over, answer what it owes."""
        applying.KINDS[FILING] = replace(self._sound, apply=_err) if on else self._sound
        if not on:
            held.retry(self._server.office)

    def shut_out(self, device: str) -> None:
        """IT takes back the enrolment of a workstation. There is no way back in this hall."""
        self._server.office.write(lambda tx: devices.revoke(tx, device))


def _err(*_: Any) -> NoReturn:
    raise PracticeError
