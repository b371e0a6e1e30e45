"""What the office must recognise after its own memory was lost: statements signed with its own keys.

A grant, a lease or an audit head is compact JSON with the Ed25519 signature (RFC 8032) of its UTF-8 bytes.
The keys are three secrets of 32 bytes made with the database, so a restored backup holds the same ones:
"seal" signs, "export" is what an outbox is encrypted to (X25519), from "recovery" the key of each device is
derived. Whoever has a backup has them: it is guarded like the database.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from back_office.office import compact
from back_office.tables import secret
from clerk_app.sync.protocol import Sealed

MAX_TEXT = 4096
"""Characters of a statement: a grant with every right there is needs 300."""


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """Both hex, 32 bytes: what a window is given at enrolment and asks for at every start."""

    seal: str
    export: str


def seal(connection: sa.Connection, statement: Mapping[str, Any]) -> Sealed:
    """`statement`, a table of JSON with its "what", signed."""
    text = compact(statement)
    return Sealed(text, _signer(_secret(connection, "seal")).sign(text.encode()).hex())


def claims(sealed: Sealed) -> dict[str, Any] | None:
    """What `sealed` says, believed by nobody yet; None when it says nothing that can be read."""
    if len(sealed.text) > MAX_TEXT:
        return None
    try:
        told = json.loads(sealed.text)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def genuine(connection: sa.Connection, sealed: Sealed) -> bool:
    """Whether this office signed it."""
    key = _signer(_secret(connection, "seal")).public_key()
    try:
        key.verify(bytes.fromhex(sealed.seal), sealed.text.encode())
    except (InvalidSignature, ValueError):  # a signature that is no hex, a text that has no bytes
        return False
    return True


def public_keys(connection: sa.Connection) -> PublicKeys:
    signer = _signer(_secret(connection, "seal"))
    export = X25519PrivateKey.from_private_bytes(export_key(connection))
    return PublicKeys(
        signer.public_key().public_bytes_raw().hex(), export.public_key().public_bytes_raw().hex()
    )


def export_key(connection: sa.Connection) -> bytes:
    """The X25519 private key, 32 bytes, that opens an exported outbox."""
    return bytes.fromhex(_secret(connection, "export"))


def recovery_key(connection: sa.Connection, device: str, epoch: int) -> str:
    """Hex, 32 bytes: wraps the key of the device's cache. HKDF-SHA256 (RFC 5869), so nothing is stored."""
    info = f"clerk-app recovery|{device}|{epoch}".encode()
    master = bytes.fromhex(_secret(connection, "recovery"))
    return HKDF(SHA256(), 32, None, info).derive(master).hex()


def _secret(connection: sa.Connection, name: str) -> str:
    return str(connection.execute(_SECRET, {"b_name": name}).scalar_one())


_SECRET = sa.select(secret.c.value).where(secret.c.name == sa.bindparam("b_name"))


@lru_cache(maxsize=4)
def _signer(seed: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed))
