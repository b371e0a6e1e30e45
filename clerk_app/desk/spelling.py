"""Characters that cannot be put on paper, written out as their code."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

from clerk_app.domain.documents import Slip

Missing = Callable[[str], Sequence[str]]
"""The characters of a text that cannot be printed, each with its combining marks (`Printer.missing`)."""


def spelled_out(slip: Slip, missing: Missing) -> Slip:
    """`slip` with each missing character of its texts as `[U+9FA6]`."""
    told: Slip = _spelled(slip, missing)
    return told


def named(missing: Sequence[str]) -> str:
    """The characters `missing` in a line: each itself, or its code where a screen cannot show it either."""
    return " ".join(sign if sign.isprintable() else code(sign) for sign in missing)


def code(sign: str) -> str:
    """`U+9FA6`, one for each character of `sign`."""
    return " ".join(f"U+{ord(character):04X}" for character in sign)


def _spelled(value: Any, missing: Missing) -> Any:
    if isinstance(value, str):
        return _text(value, missing)
    if isinstance(value, tuple):
        return tuple(_spelled(each, missing) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(
            value, **{field.name: _spelled(getattr(value, field.name), missing) for field in fields(value)}
        )
    return value


def _text(text: str, missing: Missing) -> str:
    for sign in missing(text):
        # The printer joins a letter with its marks; so does this text, if it holds the sign only so.
        text = (text if sign in text else unicodedata.normalize("NFC", text)).replace(sign, f"[{code(sign)}]")
    return text
