"""How the links of an audit chain hold together, where they are made and where they are checked.

h(n) = SHA-256( h(n-1) ‖ canonical JSON of [n, at, actor, act, subject, detail] ), h(0) empty.
"""

from __future__ import annotations

import hashlib
import json

_canonical = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def link(previous: str, n: int, at: str, actor: str, act: str, subject: str, detail: str) -> str:
    """The hex hash of link `n` after the hex hash `previous` (empty for the first).

    Raises ValueError when `previous` is no hex, UnicodeEncodeError for half a surrogate pair.
    """
    record = _canonical([n, at, actor, act, subject, detail])
    return hashlib.sha256(bytes.fromhex(previous) + record.encode()).hexdigest()
