"""The office's signed statements on their way from the wire to the store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clerk_app.desk.ports import Seal
from clerk_app.domain import seals
from clerk_app.sync.protocol import Sealed


def read_seal(seal_key: str, seal: Seal | Sealed) -> Mapping[str, Any]:
    """What the office states in `seal`; `seal_key` is its hex Ed25519 public key. Failure SYNC-SEAL."""
    return seals.read(seal_key, seal.text, seal.seal)


def kept(sealed: Sealed | None) -> Seal | None:
    """A statement as it came, in the shape the store keeps."""
    return None if sealed is None else Seal(sealed.text, sealed.seal)
