"""What IT does at a workstation whose window is closed: its outbox in a file, its key, its damaged cache.

Everything here is recorded in the audit of the cache, in the name of the account that did it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from getpass import getuser
from pathlib import Path

from clerk_app import settings as settings_file
from clerk_app.bootstrap import cache_key
from clerk_app.clock import wall
from clerk_app.desk.ports import Command, Device, OutboxState, Transaction
from clerk_app.domain.numbering import printed
from clerk_app.failures import Failure
from clerk_app.settings import Settings, file_of
from clerk_app.store import recovery
from clerk_app.store.cache import SqlStore
from clerk_app.store.salvage import Salvaged, salvage
from clerk_app.store.vault import KeySource
from clerk_app.sync import carrying
from clerk_app.sync.carrying import Carried
from clerk_app.sync.client import OfficeClient
from clerk_app.sync.enrolment import KeyringTokens, TokenKeeper, one_time_code, probe
from clerk_app.sync.protocol import RecoverRequest

_EXPORTED_KEY = "exported"
"""Meta: hex SHA-256 of each envelope that was made here, with spaces between."""


@dataclass(frozen=True, slots=True)
class Outbox:
    """What the office has not got. `commands` are waiting, sent, refused or held; nobody is named in them."""

    device: Device
    commands: tuple[Command, ...]
    state: OutboxState


@dataclass(frozen=True, slots=True)
class Exported:
    """What a file of an export holds."""

    commands: int
    pages: int
    parts: int


@dataclass(frozen=True, slots=True)
class Upkeep:
    """One workstation, its window closed. Every act raises STORE-IN-USE while it is open."""

    settings: Settings
    key: KeySource
    tokens: TokenKeeper
    now: Callable[[], datetime] = wall

    def outbox(self) -> Outbox:
        """What waits, was refused or is held; nothing changes. Failures: SETTINGS-NOT-ENROLLED, STORE-…."""
        found = SqlStore.examine(self._cache, self.key, _outbox)
        if found is None:
            raise Failure("SETTINGS-NOT-ENROLLED")
        return found

    def export(self, file: Path, *, everything: bool = False) -> Exported:
        """Write what the office has not got into `file`, encrypted to the office and signed.

        When another workstation has brought it, the epoch of this one is closed: it must be enrolled again
        before it sends anything. With nothing to write there is no file. Failures: SYNC-EXPORT-FILE (also
        when the file exists), SYNC-NO-EXPORT-KEY.
        """
        with self._opened() as store:
            device = store.read(_device)
            token = self._token(device)
            found = store.read(lambda tx: carrying.contents(tx, device, everything=everything))
            if not found.request.commands and not found.pages:
                return Exported(0, 0, 0)
            made: list[str] = []

            def pack(tx: Transaction) -> Exported:
                found = carrying.contents(tx, device, everything=everything)
                with _writing(file) as write:
                    for line in carrying.sealed(tx, found, token, self.now()):
                        made.append(_fingerprint(line))
                        write(line)
                return Exported(len(found.request.commands), len(found.pages), len(made))

            store.write(lambda tx: self._note(tx, "outbox-export", device.id))
            done = store.read(pack)
            store.write(lambda tx: tx.meta.set(_EXPORTED_KEY, " ".join([*_exported(tx), *made])))
            return done

    def carry(self, file: Path) -> Carried:
        """Bring another workstation's export to the office.

        Failures: SYNC-NOT-EXPORT, SYNC-OWN-EXPORT for the one made here (what is in it goes up by itself, and
        carried it would close this epoch), OFFICE-…, SYNC-….
        """
        try:
            lines = carrying.read_lines(file.read_bytes())
        except OSError as error:
            raise Failure("SYNC-EXPORT-FILE", f"{file.name}: {error.strerror}") from error
        with self._opened() as store:
            if not store.read(_exported).isdisjoint(map(_fingerprint, lines)):
                raise Failure("SYNC-OWN-EXPORT")
            client = self._client(self._token(store.read(_device)))
            try:
                carried = carrying.carry(client, lines)
            finally:
                client.close()
            store.write(lambda tx: self._note(tx, "outbox-carry", carried.device))
        return carried

    def recover(self, code: str) -> Outbox:
        """Get the key of the cache back with a one-time code of the office; what is still unsent.

        The cache is locked from before the code is sent to the end: the answer ends the token that an open
        window works with. Failures: STORE-NO-RECOVERY, STORE-NO-KEYRING, SYNC-CODE for a wrong or used code
        or that of another workstation, SYNC-…, STORE-….
        """
        mine = recovery.device_of(self._cache)  # there is something to recover before the code is spent
        with recovery.held(self._cache) as opened:
            probe(self.tokens)
            with closing(self._client("")) as client, one_time_code():
                answer = client.recover(RecoverRequest(code.strip(), mine))
            self.tokens.save(answer.device, answer.token)  # the old one ended with the answer
            self.key.restore(recovery.unwrap(self._cache, bytes.fromhex(answer.recovery_key)))
            with closing(opened(self.key)) as store:
                store.write(lambda tx: self._note(tx, "key-recover", answer.device))
                return store.read(_outbox)

    def salvage(self) -> Salvaged | None:
        """Make a new cache of what the damaged one still holds; None, and nothing done, when it is whole.

        Failures: those of `store.salvage`.
        """
        done = salvage(self._cache, self.key, self.now())
        if done is None:
            return None
        told = ", ".join(done.partly)
        with self._opened() as store:
            store.write(lambda tx: self._note(tx, "salvage", "cache", f"not whole: {told or 'nothing'}"))
        return done

    @property
    def _cache(self) -> Path:
        return self.settings.folder / "cache"

    @contextmanager
    def _opened(self) -> Iterator[SqlStore]:
        store = SqlStore.open(self._cache, self.key)
        try:
            yield store
        finally:
            store.close()

    def _client(self, token: str) -> OfficeClient:
        told = self.settings
        ca, own = file_of(told.office_ca), file_of(told.office_certificate)
        return OfficeClient(told.office_url, token=token, ca=ca, certificate=own)

    def _token(self, device: Device) -> str:
        token = self.tokens.load(device.id)
        if token is None:
            raise Failure("SETTINGS-NOT-ENROLLED", "no device token in the keyring")
        return token

    def _note(self, tx: Transaction, act: str, subject: str, detail: str = "") -> None:
        tx.audit.add(at=self.now(), actor=f"os:{getuser()}", act=act, subject=subject, detail=detail)


def upkeep(folder: Path | None) -> Upkeep:
    """The workstation of `folder` (default: this account's). Failure: SETTINGS-INVALID."""
    settings = settings_file.load(folder)
    return Upkeep(settings, cache_key(settings), KeyringTokens())


def subject(command: Command) -> str:
    """What a command is about: a printed case number, a ticket number, a range; never a person."""
    number = command.body.get("number")
    if command.type.startswith("case.") and number:
        return printed(str(number))
    return str(number or command.body.get("ticket_number", ""))


def as_json(found: Outbox) -> str:
    """`outbox list --json`: device, counts and a line a command; times ISO 8601."""
    commands = [
        {
            "seq": command.seq,
            "id": command.id,
            "type": command.type,
            "subject": subject(command),
            "state": command.state.value,
            "code": command.code,
            "at": command.at.isoformat(),
        }
        for command in found.commands
    ]
    told = {"device": found.device.id, "epoch": found.device.epoch, "window": found.device.window}
    counts = {name: getattr(found.state, name) for name in ("unsent", "tasks", "held", "pages")}
    return json.dumps(told | counts | {"commands": commands}, ensure_ascii=False, indent=2)


def _exported(tx: Transaction) -> set[str]:
    return set((tx.meta.get(_EXPORTED_KEY) or "").split())


def _fingerprint(line: str) -> str:
    return hashlib.sha256(line.encode()).hexdigest()


def _outbox(tx: Transaction) -> Outbox:
    return Outbox(_device(tx), tuple(tx.outbox.pending()), tx.outbox.state())


def _device(tx: Transaction) -> Device:
    device = tx.meta.device()
    if device is None:
        raise Failure("SETTINGS-NOT-ENROLLED")
    return device


@contextmanager
def _writing(file: Path) -> Iterator[Callable[[str], int]]:
    """Lines into a new file that only this account may read; complete and on the disk, or not there."""
    try:
        handle = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="ascii") as opened:
                yield lambda line: opened.write(line + "\n")
                opened.flush()
                os.fsync(opened.fileno())
        except BaseException:
            file.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise Failure("SYNC-EXPORT-FILE", f"{file.name}: {error.strerror}") from error
