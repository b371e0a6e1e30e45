"""The doctor of a workstation whose window is closed or cannot open: it opens each part for the look only."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlcipher3 import dbapi2

from clerk_app import settings as settings_file
from clerk_app.catalogue.file import CatalogueFile
from clerk_app.clock import wall
from clerk_app.desk.ports import CardReader, Check, Device, Printer, PrinterSetup, VoiceState, VoiceStatus
from clerk_app.doctor import cache, items, machine, office, paper, readers
from clerk_app.doctor.rounds import Asked, Look, Rounds, Tell, failed, not_checked
from clerk_app.domain.documents import TestSlip
from clerk_app.failures import Failure
from clerk_app.settings import PrinterSettings, Settings
from clerk_app.store.cache import SqlStore
from clerk_app.store.engine import check_sqlite
from clerk_app.store.vault import KeySource, check_keyring
from clerk_app.sync.enrolment import TokenKeeper

SETTINGS = "settings"

_VOICE_SECONDS = 8.0
_LOOK_SECONDS = 0.1


def doctor(folder: Path | None, key: Callable[[Settings], KeySource], tokens: TokenKeeper) -> Rounds:
    """The doctor of the workstation in `folder` (default: the account's), from its settings file alone."""

    def looks(asked: Asked) -> Sequence[Look]:
        try:
            settings = settings_file.load(folder)
        except Failure as failure:
            return without_settings(folder or settings_file.default_folder(), failure, asked)
        return (
            settings_look(None),
            readers.at_rest(settings.readers, _reader, asked),
            paper.look(lambda: _printer(settings.printer), lambda: _slip(settings.printer), asked),
            paper.templates_look(lambda: template_problems(settings.printer)),
            cache.keyring_look(check_keyring),
            *stored(settings, key(settings), tokens),
            *of_the_machine(settings.folder),
            machine.voice_look(lambda: _voice(settings)),
            machine.camera_look(settings.scanner.camera, machine.cameras),
            office.look(settings.office_url, settings.office_ca, own=settings.office_certificate),
            catalogue_look(settings.folder),
        )

    return Rounds(looks)


def without_settings(folder: Path, failure: Failure, asked: Asked) -> tuple[Look, ...]:
    """What can be looked at when nobody can say which reader, printer and office there are."""
    unknown = [readers.SERVICE, readers.READER, readers.CARD, paper.PRINTER, paper.TEMPLATES]
    unknown += [paper.TEST_PAGE] if asked.test_page else []
    after = (cache.DATABASE, cache.ENROLMENT, machine.VOICE, machine.CAMERA)
    return (
        settings_look(failure),
        _passed_over((*unknown,)),
        cache.keyring_look(check_keyring),
        sqlite_look(),
        _passed_over((*after, office.OFFICE, office.CLOCK, office.CERTIFICATE)),
        *of_the_machine(folder),
        catalogue_look(folder),
    )


def settings_look(failure: Failure | None) -> Look:
    def look(tell: Tell) -> None:
        tell(failed(SETTINGS, failure) if failure else Check(SETTINGS))

    return Look((SETTINGS,), 1.0, look)


def sqlite_look() -> Look:
    return cache.sqlite_look(dbapi2.sqlite_version, check_sqlite)


def stored(settings: Settings, key: KeySource, tokens: TokenKeeper) -> tuple[Look, ...]:
    """The cache, let go of again at once; a window that has it open is not disturbed."""

    def opened() -> tuple[bool, Device | None]:
        found = SqlStore.examine(settings.folder / "cache", key, lambda tx: (tx.meta.device(),))
        return (True, found[0]) if found else (False, None)

    def against(token: str) -> Failure | None:
        return office.against(settings.office_url, settings.office_ca, settings.office_certificate, token)

    return sqlite_look(), cache.database_look(opened, lambda device: tokens.load(device.id), against)


def of_the_machine(folder: Path) -> tuple[Look, ...]:
    return machine.disk_look(folder), machine.fonts_look(_fonts, _draws)


def catalogue_look(folder: Path) -> Look:
    path = folder / "catalogue.db"

    def opened() -> tuple[int, str]:
        with CatalogueFile(path) as file:
            return file.count, file.version

    return items.look(path, opened)


def template_problems(told: PrinterSettings) -> tuple[str, ...]:
    """As the window sees them: with the characters that this printer cannot write."""
    from clerk_app.devices.printer.printer import templates_from_settings

    return templates_from_settings(told).problems()


def test_slip(printer: PrinterSetup, hall: str, window: str, *, practice: bool = False) -> TestSlip:
    return TestSlip(
        hall=hall,
        window=window,
        printed_at=wall(),
        printer=printer.address,
        width=printer.width,
        encoding=printer.encoding,
        practice=practice,
    )


def _passed_over(keys: tuple[str, ...]) -> Look:
    def look(tell: Tell) -> None:
        for key in keys:
            tell(not_checked(key, "the settings cannot be read"))

    return Look(keys, 1.0, look)


def _reader(tables: Sequence[object]) -> CardReader:
    from clerk_app.devices.card.drivers import reader_from_settings

    return reader_from_settings(tables)  # type: ignore[arg-type]


def _printer(told: PrinterSettings) -> Printer:
    from clerk_app.devices.printer.printer import printer_from_settings

    if not told.url:
        raise Failure("PRINTER-NOT-SET")
    return printer_from_settings(told)


def _slip(told: PrinterSettings) -> TestSlip:
    setup = PrinterSetup(paper.address(told.url), told.width, told.encoding)
    return test_slip(setup, "clerk-app doctor", platform.node())


def _voice(settings: Settings) -> VoiceStatus:
    """The voice of the settings, started for the look; a start that goes on for long is told as such."""
    from clerk_app.devices.voice.voice import voice_from_settings

    voice = voice_from_settings(settings.voice)
    voice.start()
    try:
        end = time.monotonic() + _VOICE_SECONDS
        while (status := voice.status).state is VoiceState.STARTING and time.monotonic() < end:
            time.sleep(_LOOK_SECONDS)
        return status
    finally:
        voice.stop()


def _fonts() -> tuple[str, ...]:
    from clerk_app.devices.printer.fonts import chain

    return tuple(str(font.getname()[0]) for font in chain(24))


def _draws(character: str) -> bool:
    from clerk_app.devices.printer.fonts import font_for

    return font_for(character, 24) is not None
