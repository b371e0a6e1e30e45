"""One-time codes that IT reads out: 12 characters of an alphabet of 30, 58 bits, half an hour.

Only the SHA-256 of a code is kept and looked up, so the time of an answer tells nothing about another code.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from back_office.access import digest

LIFE = timedelta(minutes=30)
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # nothing that looks like something else
_GROUPS, _GROUP = 3, 4


def new() -> str:
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))


def stored(code: str) -> str:
    """What is stored of a code, however it was written down."""
    return digest(code.strip().upper().replace(" ", ""))
