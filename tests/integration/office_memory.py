"""An office that loses its memory: its database is put back to an older copy, as after a restore by hand."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from office_hall import Hall, TestClock, Workstation, an_office
from sqlcipher3 import dbapi2 as driver

from back_office import restoring
from back_office.embedded import OfficeServer


@dataclass(slots=True)
class Forgetful:
    """A served hall, the workstations in it, and the copies made of its database."""

    hall: Hall
    folder: Path
    stations: list[Workstation] = field(default_factory=list)
    copies: int = 0

    def workstation(self, **kwargs: Any) -> Workstation:
        station = self.hall.workstation(**kwargs)
        self.stations.append(station)
        return station

    def backup(self) -> Path:
        self.copies += 1
        copy = self.folder / f"backup-{self.copies}.db"
        source, target = driver.connect(str(self.hall.settings.database)), driver.connect(str(copy))
        source.backup(target)
        source.close()
        target.close()
        return copy

    def restore(self, copy: Path, *, told: bool = True) -> None:
        """Go on with `copy`; `told`: IT runs `back-office restored`."""
        self.hall.server.stop()
        for old in self.hall.folder.glob("office.db*"):
            old.unlink()
        shutil.copy(copy, self.hall.settings.database)
        self.hall.server = OfficeServer(self.hall.settings)
        self.hall.server.start()
        for station in self.stations:
            station.url = self.hall.url
        if told:
            self.hall.server.office.write(restoring.restored)


@contextmanager
def forgetful(folder: Path) -> Iterator[Forgetful]:
    clock = TestClock()
    with an_office(folder / "data", clock=clock) as settings:
        server = OfficeServer(settings)
        server.start()
        one = Forgetful(Hall(folder / "data", clock, server, settings), folder)
        try:
            yield one
        finally:
            one.hall.server.stop()
            for station in one.stations:
                station.close()
