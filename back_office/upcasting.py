"""Command bodies of the schema before, as the present one writes them. Pure: a command held for a week is
read the same way every time, and its hash stays the one of the body as it was sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clerk_app.sync.protocol import SCHEMA

OLDEST = SCHEMA - 1

_SINCE = {"ticket.issued": 2, "numbers.void": 2}
"""The schema in which a type of command came up; the others are as old as the protocol."""


def upcast(type_: str, schema: int, body: Mapping[str, Any]) -> dict[str, Any] | None:
    """`body` in the words of the present schema; None where that type or schema is not read here."""
    if not max(OLDEST, _SINCE.get(type_, 1)) <= schema <= SCHEMA:
        return None
    told = dict(body)
    if schema < 2 and type_ == "case.void":
        told["approved_by"] = ""  # a word that schema 1 did not have means nothing in it
    return told
