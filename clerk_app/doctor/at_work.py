"""The doctor inside the window: it asks the parts that are at work, and opens none of them a second time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clerk_app import settings as settings_file
from clerk_app.desk.ports import Device, Printer, PrinterStatus, PrintResult
from clerk_app.doctor import cache, machine, mending, office, paper, readers
from clerk_app.doctor.rounds import Asked, Look, Rounds
from clerk_app.doctor.standing import (
    catalogue_look,
    of_the_machine,
    settings_look,
    sqlite_look,
    template_problems,
    test_slip,
)
from clerk_app.domain.documents import Slip, TestSlip
from clerk_app.failures import Failure
from clerk_app.lanes import Lane
from clerk_app.store.vault import KeyringKey, check_keyring
from clerk_app.sync.alarms import ALARM_KEY

if TYPE_CHECKING:
    from clerk_app.workstation import Workstation


@dataclass(frozen=True, slots=True)
class _OnItsLane:
    """The printer as the doctor may use it: after whatever is printing now."""

    printer: Printer
    lane: Lane

    def status(self) -> PrinterStatus:
        return self.lane.run(self.printer.status)

    def print(self, slip: Slip, *, reprint: int = 0) -> PrintResult:
        return self.lane.run(self.printer.print, slip, reprint=reprint)


def doctor(station: Workstation) -> Rounds:
    """The doctor of a running workstation."""

    def looks(asked: Asked) -> Sequence[Look]:
        told = station.settings
        return (
            settings_look(_settings_trouble(station)),
            readers.at_work(station.reader.heard, readers.drivers_of(told.readers), asked),
            paper.look(
                lambda: _OnItsLane(station.desk.printer, station.lanes.printer), lambda: _slip(station), asked
            ),
            paper.templates_look(lambda: template_problems(told.printer)),
            cache.keyring_look(check_keyring)
            if isinstance(station.parts.key, KeyringKey)
            else cache.no_keyring_look(),
            sqlite_look(),
            cache.database_look(
                lambda: (True, _device(station)),
                lambda device: station.parts.tokens.load(device.id),
                lambda token: office.against(told.office_url, told.office_ca, told.office_certificate, token),
            ),
            *of_the_machine(told.folder),
            machine.voice_look(lambda: station.voice_status),
            machine.camera_look(told.scanner.camera, machine.cameras),
            office.look(told.office_url, told.office_ca, own=told.office_certificate),
            mending.look(
                lambda: station.store.read(lambda tx: tx.meta.get(ALARM_KEY)), station.desk.clock.now
            ),
            catalogue_look(told.folder),
        )

    return Rounds(looks)


def _settings_trouble(station: Workstation) -> Failure | None:
    """The file as it is now: whoever edited it wrongly hears of it before the next start."""
    try:
        settings_file.load(station.settings.folder)
    except Failure as failure:
        return failure
    return None


def _device(station: Workstation) -> Device | None:
    return station.store.read(lambda tx: tx.meta.device())


def _slip(station: Workstation) -> TestSlip:
    device = station.desk.device
    return test_slip(station.desk.printer.setup, device.hall_name, device.window, practice=device.practice)
