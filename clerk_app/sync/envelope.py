"""An outbox that travels in a file: encrypted to the office alone, signed by the workstation it comes from.

```text
b"CLERKBX1" ‖ ephemeral X25519 public key (32 B) ‖ nonce (12 B) ‖ AES-256-GCM ciphertext and tag
    key  = HKDF-SHA256(shared secret, salt = ephemeral public ‖ office public, info = b"clerk-app outbox")
    aad  = b"CLERKBX1"
plaintext = JSON {"payload": text, "signature": hex HMAC-SHA256(key, payload)}
    key  = the ASCII letters of hex SHA-256(device token): what the office keeps of the token
payload = JSON of a `CarriedOutbox`
```

Whoever carries the file can neither read nor change it; whoever finds the office's public key can write one,
but not in a workstation's name. Used by both programs; needs nothing but `cryptography` and `msgspec`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from clerk_app.sync.protocol import PushRequest

MAGIC = b"CLERKBX1"

_KEY = 32
_NONCE = 12
_HEAD = len(MAGIC) + _KEY + _NONCE


class BadEnvelope(ValueError):
    """Not an envelope of this format, not for this office, or changed on its way. Says no more than that."""


@dataclass(frozen=True, slots=True)
class CarriedPage:
    """One page of a material that was not uploaded. `sha256` and `size` are of the content itself."""

    id: str
    case_id: str
    material: str
    page: int
    sha256: str
    size: int
    content: str  # base64

    def data(self) -> bytes:
        """The page. Raises BadEnvelope when it is not what `size` and `sha256` say."""
        try:
            content = base64.b64decode(self.content, validate=True)
        except ValueError as error:
            raise BadEnvelope("a page is not base64") from error
        if len(content) != self.size or hashlib.sha256(content).hexdigest() != self.sha256:
            raise BadEnvelope("a page is not the one that was taken")
        return content


@dataclass(frozen=True, slots=True)
class CarriedOutbox:
    """What one workstation had not brought to the office.

    `request` is a push of any length (its commands dense from `base_seq`), without regard to MAX_COMMANDS.
    Many pages do not fit one envelope: `part` counts from 1 to `parts`. The first carries the commands; each
    of the others stands alone, has an empty request of the same device and epoch, and may come after that
    epoch was closed.
    """

    device: str
    epoch: int
    made_at: datetime
    request: PushRequest
    pages: list[CarriedPage] = field(default_factory=list)
    part: int = 1
    parts: int = 1


@dataclass(frozen=True, slots=True)
class Opened:
    """A decrypted envelope nobody has vouched for yet: see `check`."""

    payload: bytes
    signature: str

    def check(self, token_hash: str) -> bool:
        """Whether the holder of the token with the hex SHA-256 `token_hash` made it. In constant time."""
        return hmac.compare_digest(_signature(self.payload, token_hash).encode(), self.signature.encode())

    def outbox(self) -> CarriedOutbox:
        """Raises BadEnvelope when the payload is not one. Its `device` says whose token to `check` with."""
        try:
            return msgspec.json.decode(self.payload, type=CarriedOutbox)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise BadEnvelope("not an outbox") from error


class _Signed(msgspec.Struct, forbid_unknown_fields=True):
    payload: str
    signature: str


def close(outbox: CarriedOutbox, token: str, export_key: str) -> bytes:
    """The envelope of `outbox`, signed with the device token, for the office with the public key (hex).

    Raises ValueError when `export_key` is not an X25519 public key.
    """
    office = bytes.fromhex(export_key)
    payload = msgspec.json.encode(outbox)
    signed = _Signed(payload.decode(), _signature(payload, hashlib.sha256(token.encode()).hexdigest()))
    own = X25519PrivateKey.generate()
    public = own.public_key().public_bytes_raw()
    shared = own.exchange(X25519PublicKey.from_public_bytes(office))
    nonce = secrets.token_bytes(_NONCE)
    sealed = AESGCM(_derived(shared, public, office)).encrypt(nonce, msgspec.json.encode(signed), MAGIC)
    return MAGIC + public + nonce + sealed


def open_(envelope: bytes, private_key: bytes) -> Opened:
    """Decrypt with the office's private key (32 bytes). Raises BadEnvelope; says nothing of who made it."""
    if not envelope.startswith(MAGIC) or len(envelope) < _HEAD:
        raise BadEnvelope("not an exported outbox")
    public = envelope[len(MAGIC) : len(MAGIC) + _KEY]
    nonce = envelope[len(MAGIC) + _KEY : _HEAD]
    own = X25519PrivateKey.from_private_bytes(private_key)
    try:
        shared = own.exchange(X25519PublicKey.from_public_bytes(public))
        key = _derived(shared, public, own.public_key().public_bytes_raw())
        signed = msgspec.json.decode(AESGCM(key).decrypt(nonce, envelope[_HEAD:], MAGIC), type=_Signed)
    except (InvalidTag, ValueError, msgspec.MsgspecError) as error:
        raise BadEnvelope("for another office, or changed on its way") from error
    return Opened(signed.payload.encode(), signed.signature)


def public_key(private_key: bytes) -> str:
    """The hex X25519 public key that enrolment gives to windows as `export_key`."""
    return X25519PrivateKey.from_private_bytes(private_key).public_key().public_bytes_raw().hex()


def _derived(shared: bytes, ephemeral: bytes, office: bytes) -> bytes:
    return HKDF(SHA256(), _KEY, salt=ephemeral + office, info=b"clerk-app outbox").derive(shared)


def _signature(payload: bytes, token_hash: str) -> str:
    return hmac.digest(token_hash.encode("ascii"), payload, hashlib.sha256).hex()
