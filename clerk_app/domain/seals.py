"""What the office signed: grants of its clerks, leases of numbers, heads of the audit chain.

A statement is compact JSON beside the hex Ed25519 signature (RFC 8032) of its UTF-8 bytes. Nothing of it is
looked at before the signature was found right: what a file or a proxy changed is never half believed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from clerk_app.failures import Failure


def read(seal_key: str, text: str, signature: str) -> Mapping[str, Any]:
    """What the holder of `seal_key` (hex Ed25519 public key) states in `text`.

    Failure SYNC-SEAL when the signature is another's, does not fit the text, or there is no key.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(seal_key))
        key.verify(bytes.fromhex(signature), text.encode())
        told = json.loads(text)
    except (InvalidSignature, ValueError) as error:  # a key or signature of another length or not hex, too
        raise Failure("SYNC-SEAL", type(error).__name__) from None
    if not isinstance(told, dict):
        raise Failure("SYNC-SEAL", "no table")
    return told
