"""Write what an identity chip holds: the inverse of `parser`, for simulated cards and tests."""

from __future__ import annotations

from datetime import date

from clerk_app.devices.card.layouts import (
    KINDS,
    LAYOUTS,
    LONG_TERM,
    PHOTO_LENGTH,
    SEXES,
    TEXT_LENGTH,
    TYPE_OFFSET,
)
from clerk_app.domain.applicant import CardRecord

_SPACE = " ".encode("utf-16-le")
_MARKS = {kind: mark for mark, kind in KINDS.items()}
_SEX_DIGITS = {sex: digit for digit, sex in SEXES.items()}


def encode(record: CardRecord) -> bytes:
    """The 256-byte text block of a card that says `record`. Raises ValueError for a field too long."""
    values = {
        "name": "" if record.name == record.latin_name else record.name,
        "sex": _SEX_DIGITS[record.sex],
        "ethnicity": record.ethnicity,
        "birth": _digits(record.birth),
        "address": record.address,
        "number": record.number,
        "authority": record.authority,
        "valid_from": _digits(record.valid_from),
        "valid_until": LONG_TERM if record.long_term else _digits(record.valid_until),
        "latin_name": record.latin_name,
        "nationality": record.nationality,
        "travel_permit": record.travel_permit,
        "issue_count": record.issue_count,
        "link": record.former_number[5:7] + record.former_number[13:14],
    }
    text = bytearray(_SPACE * (TEXT_LENGTH // 2))
    for field, pieces in LAYOUTS[record.kind].items():
        length = sum(piece.stop - piece.start for piece in pieces)
        content = values[field].encode("utf-16-le")
        if len(content) > length:
            raise ValueError(f"{field} needs {len(content)} bytes, the chip has {length}")
        content += _SPACE * ((length - len(content)) // 2)
        for piece in pieces:
            size = piece.stop - piece.start
            text[piece], content = content[:size], content[size:]
    text[TYPE_OFFSET : TYPE_OFFSET + 2] = _MARKS[record.kind].encode("utf-16-le")
    return bytes(text)


def stream(text: bytes, photo: bytes | None = None) -> bytes:
    """What a reader hands out page by page: two big-endian lengths, the text block, the photo block."""
    header = TEXT_LENGTH.to_bytes(2, "big") + PHOTO_LENGTH.to_bytes(2, "big")
    return header + text + (photo or b"").ljust(PHOTO_LENGTH, b"\0")


def _digits(day: date | None) -> str:
    return day.isoformat().replace("-", "") if day else ""
