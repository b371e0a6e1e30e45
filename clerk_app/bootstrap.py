"""What a workstation is made of: the real parts by the settings, opened, enrolled, looked at by the doctor.

`workstation` ties parts together; everybody else is given what they need. What differs between a real
workstation, the practice hall and a test comes in as `Parts`.
"""

from __future__ import annotations

import platform
from dataclasses import replace
from getpass import getuser
from pathlib import Path

from clerk_app import settings as settings_file
from clerk_app.clock import wall
from clerk_app.desk.ports import (
    Device,
    Doctor,
    Printer,
    Transaction,
)
from clerk_app.desk.refiling import refile
from clerk_app.devices.printer.none import NoPrinter
from clerk_app.devices.scanner.camera import ProcessCamera
from clerk_app.devices.voice.voice import voice_from_settings
from clerk_app.domain import masking
from clerk_app.failures import Failure
from clerk_app.settings import Settings, file_of
from clerk_app.store import recovery
from clerk_app.store.cache import SqlStore
from clerk_app.store.vault import KeyringKey, KeySource
from clerk_app.sync.enrolment import KeyringTokens, TokenKeeper, device_of
from clerk_app.sync.enrolment import enrol as enrol_with_office
from clerk_app.workstation import Parts, Workstation


def open_workstation(settings: Settings, parts: Parts) -> Workstation:
    """Open the cache and wire everything. Failures: STORE-…, CATALOGUE-…, SETTINGS-NOT-ENROLLED."""
    store = SqlStore.open(settings.folder / "cache", parts.key)
    try:
        return Workstation(settings, parts, store, _enrolled(store))
    except BaseException:
        store.close()
        raise


def _enrolled(store: SqlStore) -> Device:
    device = store.read(lambda tx: tx.meta.device())
    if device is None:
        raise Failure("SETTINGS-NOT-ENROLLED")
    return device


def _begin_epoch(tx: Transaction, device: Device) -> None:
    """Commands go on under the new epoch, with those that a damaged cache lost."""
    tx.meta.set_device(device)
    if lost := refile(tx):
        actor, detail = f"os:{getuser()}", f"{lost} lost commands made again"
        tx.audit.add(at=wall(), actor=actor, act="refile", subject=device.id, detail=detail)


def _known_device(store: SqlStore, cache: Path) -> tuple[str, int]:
    """Id and epoch of the device that a cache is of; "" and 0 for a new one.

    A salvaged cache may know them no more.
    """
    device, worked = store.read(lambda tx: (tx.meta.device(), tx.audit.links() or tx.cases.recent(1)))
    if device is not None:
        return device.id, device.epoch
    try:
        return recovery.device_of(cache) if worked else "", 0
    except Failure:  # enrolled by an office that recovers no key
        return "", 0


def real_parts(settings: Settings) -> Parts:
    """Keyring, and the readers, the printer and the voice of the settings."""
    from clerk_app.devices.card import photo
    from clerk_app.devices.card.drivers import reader_from_settings
    from clerk_app.devices.printer.printer import printer_from_settings

    printer: Printer = NoPrinter()
    if settings.printer.url:
        printer = printer_from_settings(settings.printer)
    return Parts(
        key=cache_key(settings),
        tokens=KeyringTokens(),
        reader=reader_from_settings(settings.readers),
        printer=printer,
        voice=voice_from_settings(settings.voice),
        camera=ProcessCamera(settings.scanner.camera),
        decode_photo=photo.installed(),
    )


def doctor(folder: Path | None) -> Doctor:
    """The doctor of a workstation whose window is closed or does not open."""
    from clerk_app.doctor import standing

    return standing.doctor(folder, cache_key, KeyringTokens())


def doctor_at_work(workstation: Workstation) -> Doctor:
    """The doctor of a running one."""
    from clerk_app.doctor import at_work

    return at_work.doctor(workstation)


def cache_key(settings: Settings) -> KeySource:
    return KeyringKey("clerk-app cache", str(settings.folder.resolve()))


def record_reveal(folder: Path | None, number: str, reason: str) -> None:
    """Put into the audit that somebody let a command show `number` in full; it is kept masked.

    Failures: STORE-… (STORE-IN-USE while the window is open), SETTINGS-NOT-ENROLLED. Nothing is made.
    """
    settings = settings_file.load(folder)
    cache, key = settings.folder / "cache", cache_key(settings)
    if SqlStore.examine(cache, key, lambda tx: tx.meta.device()) is None:
        raise Failure("SETTINGS-NOT-ENROLLED")
    store = SqlStore.open(cache, key)
    try:
        now, actor = wall(), f"os:{getuser()}"
        subject, why = masking.number(number), masking.reason(reason)
        store.write(
            lambda tx: tx.audit.add(at=now, actor=actor, act="card-reveal", subject=subject, detail=why)
        )
    finally:
        store.close()


def enrol(folder: Path | None, url: str, code: str, ca: Path | None, certificate: Path | None) -> Device:
    """Enrol this workstation: device token in the keyring, device in the cache, address in the settings.

    `ca` is the file of a private authority, `certificate` this computer's own with its key.
    """
    before = settings_file.load(folder)
    settings = replace(
        before, office_url=url, office_ca=_wherever(ca), office_certificate=_wherever(certificate)
    )
    return enrol_with(settings, code, cache_key(settings), KeyringTokens())


def _wherever(file: Path | None) -> str:
    """`file` for the settings, which are read from any folder; "" for none.

    A link stays a link: it may lead to next year's certificate by then.
    """
    return str(file.parent.resolve() / file.name) if file else ""


def enrol_with(settings: Settings, code: str, key: KeySource, tokens: TokenKeeper) -> Device:
    """`enrol` with the keyring as an argument: practice and tests bring their own.

    A cache belongs to one device for life: its numbers were leased to that one, and the office would refuse
    under another name what is printed already. Failure SETTINGS-OTHER-DEVICE: here everything is as before,
    but the code is used, and the office has a device more that nobody will use.
    """
    cache = settings.folder / "cache"
    store = SqlStore.open(cache, key)
    try:
        known, epoch = _known_device(store, cache)
        answer = enrol_with_office(
            settings.office_url,
            code,
            platform.node(),
            tokens,
            epoch=epoch,
            ca=file_of(settings.office_ca),
            certificate=file_of(settings.office_certificate),
        )
        device = device_of(answer)
        if known not in ("", device.id):
            tokens.forget(device.id)
            unused = f"the code made {device.id}, to be ended: back-office device revoke {device.id}"
            raise Failure("SETTINGS-OTHER-DEVICE", f"this is {known}; {unused} --reason TEXT")
        if answer.recovery_key:  # first: a device without it could never be recovered
            secret, wrapping = key.key(create=False), bytes.fromhex(answer.recovery_key)
            recovery.wrap(cache, secret, wrapping, device=device.id, epoch=device.epoch)
        store.write(lambda tx: _begin_epoch(tx, device))
    finally:
        store.close()
    settings_file.save(settings)
    return device
