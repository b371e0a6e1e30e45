"""An office's signature for the tests: its key, and what it signs with it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from clerk_app.desk.ports import Seal

_KEY = Ed25519PrivateKey.from_private_bytes(b"the office's own seed, for tests")
PUBLIC = _KEY.public_key().public_bytes_raw().hex()


def seal(**statement: object) -> Seal:
    """`statement` as the office states it."""
    text = json.dumps(statement, separators=(",", ":"), ensure_ascii=False)
    return Seal(text, _KEY.sign(text.encode()).hex())


def grant(device: str, staff_no: str, rights: Iterable[str], until: datetime, issued: datetime) -> Seal:
    """The grant of one clerk at one workstation."""
    return seal(
        what="grant",
        device=device,
        staff_no=staff_no,
        rights=sorted(rights),
        issued_at=issued.isoformat(),
        not_after=until.isoformat(),
    )
