"""The key of the cache a second time: wrapped by a key that the office keeps for this workstation.

A keyring that was emptied, reset or lost with its account is then not a lost outbox. The office alone can
give the wrapping key, once a code of its IT asks for it; the file alone opens nothing.

`cache/recovery.json`: device, epoch, fingerprint of the key, nonce and AES-256-GCM ciphertext of the 32 bytes
(hexadecimal), with the first three as associated data. Made at every enrolment.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from clerk_app.failures import Failure
from clerk_app.lanes import Lane
from clerk_app.store.cache import SqlStore
from clerk_app.store.engine import check_sqlite
from clerk_app.store.faults import file_faults
from clerk_app.store.folder import CacheFolder, write_durably
from clerk_app.store.vault import KEY_BYTES, KeySource, fingerprint

FILE = "recovery.json"

_NONCE = 12


class _Wrapped(msgspec.Struct, forbid_unknown_fields=True):
    device: str
    epoch: int
    key_id: str
    nonce: str
    key: str

    def bound(self) -> bytes:
        """What the ciphertext is bound to: it opens for no other device, epoch or cache."""
        return f"clerk-app recovery|{self.device}|{self.epoch}|{self.key_id}".encode()


def wrap(folder: Path, key: bytes, recovery_key: bytes, *, device: str, epoch: int) -> None:
    """Write the file into the folder of the cache, durably; what was there is replaced.

    Raises Failure STORE-FULL, STORE-READ-ONLY or STORE-IO.
    """
    nonce = secrets.token_bytes(_NONCE)
    wrapped = _Wrapped(device, epoch, fingerprint(key), nonce.hex(), "")
    wrapped.key = AESGCM(recovery_key).encrypt(nonce, key, wrapped.bound()).hex()
    with file_faults():
        write_durably(folder / FILE, msgspec.json.encode(wrapped))


def device_of(folder: Path) -> str:
    """The device whose recovery key opens the file. Raises STORE-NO-RECOVERY."""
    return _read(folder).device


def unwrap(folder: Path, recovery_key: bytes) -> bytes:
    """The key of the cache. Raises STORE-NO-RECOVERY when there is no file or it is for another key."""
    wrapped = _read(folder)
    try:
        sealed, nonce = bytes.fromhex(wrapped.key), bytes.fromhex(wrapped.nonce)
        key = AESGCM(recovery_key).decrypt(nonce, sealed, wrapped.bound())
    except (InvalidTag, ValueError) as error:
        raise Failure("STORE-NO-RECOVERY", "wrapped for another key of the office") from error
    if len(key) != KEY_BYTES or fingerprint(key) != wrapped.key_id:
        raise Failure("STORE-NO-RECOVERY", "not the key of this cache")
    return key


@contextmanager
def held(path: Path) -> Iterator[Callable[[KeySource], SqlStore]]:
    """The cache in the folder `path`, locked for this process; what is given opens it under the same lock.

    For acts that spend something before there is a key to open with: an open window is met first. Failures:
    STORE-OLD-SQLITE, STORE-OTHER-ACCOUNT, STORE-IN-USE, STORE-READ-ONLY, STORE-FULL, STORE-IO.
    """
    check_sqlite()
    folder = CacheFolder(path)
    folder.take()
    try:
        yield partial(_opened, folder)
    finally:
        folder.release()


def _opened(folder: CacheFolder, source: KeySource) -> SqlStore:
    """`SqlStore.open` in a folder that is locked already."""
    folder.take()  # once more: the store lets go once when it is closed
    lane = Lane("store", leaf=True)
    try:
        return lane.run(SqlStore._open, lane, folder, source)
    except BaseException:
        lane.close()
        folder.release()
        raise


def _read(folder: Path) -> _Wrapped:
    with file_faults():
        try:
            return msgspec.json.decode((folder / FILE).read_bytes(), type=_Wrapped)
        except FileNotFoundError as error:
            raise Failure("STORE-NO-RECOVERY", f"no {FILE}") from error
        except msgspec.MsgspecError as error:
            raise Failure("STORE-NO-RECOVERY", f"{FILE} cannot be read") from error
