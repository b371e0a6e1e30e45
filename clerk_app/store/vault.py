"""Where the key of the cache comes from: the keyring of the operating system, or nowhere.

The key is 32 random bytes, kept in the keyring as hexadecimal. Without a keyring that protects it there is
no cache: a plain file beside the data would be a lock with its key in it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from clerk_app.failures import Failure

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

KEY_BYTES = 32

_SYSTEM_KEYRINGS = frozenset(
    {
        "keyring.backends.SecretService",
        "keyring.backends.libsecret",
        "keyring.backends.kwallet",
        "keyring.backends.Windows",
        "keyring.backends.macOS",
    }
)
"""Modules whose keyrings the operating system protects. A list of what is allowed: a plaintext keyring
that somebody installs tomorrow is refused without our knowing its name."""


class KeySource(Protocol):
    """Whoever can give the key of a cache."""

    def key(self, *, create: bool) -> bytes:
        """The 32 bytes. `create` says that no cache exists yet, so that a new key may be made.

        Raises Failure STORE-NO-KEYRING, STORE-KEYRING-LOCKED or STORE-KEY-LOST.
        """

    def restore(self, key: bytes) -> None:
        """Keep a key that was recovered. Raises Failure STORE-NO-KEYRING or STORE-KEYRING-LOCKED."""


@dataclass(frozen=True, slots=True)
class KeyringKey:
    """The key in the keyring of the operating system, under `service` and `account`."""

    service: str
    account: str

    def key(self, *, create: bool) -> bytes:
        return open_key(self.service, self.account, create=create)

    def restore(self, key: bytes) -> None:
        restore_key(self.service, self.account, key)


@dataclass(frozen=True, slots=True, repr=False)
class GivenKey:
    """A key that the caller holds, for practice and tests: the user's keyring is never touched."""

    secret: bytes

    def key(self, *, create: bool) -> bytes:
        return self.secret

    def restore(self, key: bytes) -> None:
        if key != self.secret:
            raise Failure("STORE-WRONG-KEY", "another key was given")


def throw_away_key() -> GivenKey:
    """A key that nobody keeps: what is written with it ends with the process."""
    return GivenKey(secrets.token_bytes(KEY_BYTES))


def open_key(service: str, account: str, *, create: bool) -> bytes:
    """The key kept under `service` and `account`; with `create`, made and kept on first use.

    A key that is there is never replaced, even with `create`: an older copy of the cache may still need it.
    """
    with _keyring_faults() as backend:
        kept = backend.get_password(service, account)
        if kept is None and create:
            backend.set_password(service, account, secrets.token_hex(KEY_BYTES))
            kept = backend.get_password(service, account)
            if kept is None:
                raise Failure("STORE-NO-KEYRING", f"{backend.name} did not keep the key")
    return _decoded(kept)


def restore_key(service: str, account: str, key: bytes) -> None:
    """Keep a recovered key under `service` and `account`.

    Another entry that stands there is kept under a name of its own: it may be the key of another copy.
    """
    with _keyring_faults() as backend:
        kept = backend.get_password(service, account)
        if kept is not None and kept != key.hex():
            backend.set_password(service, f"{account} before recovery", kept)
        backend.set_password(service, account, key.hex())
        if backend.get_password(service, account) != key.hex():
            raise Failure("STORE-NO-KEYRING", f"{backend.name} did not keep the key")


def check_keyring() -> str:
    """The name of the keyring in use, after it was asked something; nothing is kept in it.

    Raises Failure STORE-NO-KEYRING or STORE-KEYRING-LOCKED.
    """
    with _keyring_faults() as backend:
        backend.get_password("clerk-app cache", "probe")
    return str(backend.name)


def fingerprint(key: bytes) -> str:
    """Names a key without telling it: what lies beside the cache to tell a wrong key from a damaged file."""
    return hmac.digest(key, b"clerk-app cache key", hashlib.sha256)[:8].hex()


def identity_key(key: bytes) -> bytes:
    """The key under which identities are looked up (see `repositories.cases`)."""
    return hmac.digest(key, b"clerk-app identity index", hashlib.sha256)


@contextmanager
def _keyring_faults() -> Iterator[KeyringBackend]:
    """The system's keyring; what it says inside the block, as the Failure it means."""
    import keyring.errors

    backend = _system_keyring()
    try:
        yield backend
    except keyring.errors.KeyringLocked as error:
        raise Failure("STORE-KEYRING-LOCKED", backend.name) from error
    except (keyring.errors.KeyringError, OSError) as error:
        raise Failure("STORE-NO-KEYRING", f"{backend.name}: {type(error).__name__}") from error


def _decoded(kept: str | None) -> bytes:
    try:
        key = bytes.fromhex(kept or "")
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise Failure("STORE-KEY-LOST", "no entry" if kept is None else "the entry is not a key")
    return key


def _system_keyring() -> KeyringBackend:
    """The first keyring in use that the operating system protects. Raises STORE-NO-KEYRING."""
    import keyring
    from keyring.backends.chainer import ChainerBackend

    chosen = keyring.get_keyring()
    candidates = chosen.backends if isinstance(chosen, ChainerBackend) else [chosen]
    for backend in candidates:
        if type(backend).__module__ in _SYSTEM_KEYRINGS:
            return backend
    raise Failure("STORE-NO-KEYRING", ", ".join(type(b).__module__ for b in candidates) or "none")
