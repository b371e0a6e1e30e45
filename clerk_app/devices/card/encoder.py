"""Write what a chip holds: the inverse of the parsers, for simulated cards and tests."""

from __future__ import annotations

from datetime import date

from clerk_app.devices.card import social_security as ssc
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


def social_security_records(record: CardRecord, version: str = "3.00") -> bytes:
    """The records of EF05 and EF06 of a social security card that says `record`, one behind the other.

    `version` is that of the rules the card follows: "1.00" knows no extension of the name. Raises ValueError
    for a name too long.
    """
    holder, card = ssc.ITEMS[ssc.HOLDER_FILE], ssc.ITEMS[ssc.CARD_FILE]
    name = record.name.encode("gb18030")
    extended = version >= "2"
    values = {
        0x01: bytes.fromhex("510700D156000005") + bytes(8),
        0x02: b"\x01",
        ssc.VERSION: version.encode(),
        0x04: bytes(12),
        ssc.ISSUED: _bcd(record.valid_from),
        ssc.EXPIRES: _bcd(record.valid_until),
        0x07: b"A00000000",
        ssc.NUMBER: record.number.encode(),
        ssc.NAME: name[: holder[ssc.NAME]],
        ssc.NAME_MORE: name[holder[ssc.NAME] :],
        ssc.SEX: _SEX_DIGITS[record.sex].encode(),
        ssc.ETHNICITY: bytes.fromhex(record.ethnicity or "00"),
        0x0C: bytes.fromhex(record.number[:6]) if record.number[:6].isdecimal() else bytes(3),
        ssc.BIRTH: _bcd(record.birth),
    }
    if not extended:
        if values.pop(ssc.NAME_MORE):
            raise ValueError("version 1.00 has thirty bytes for a name")
    elif len(values[ssc.NAME_MORE]) > holder[ssc.NAME_MORE]:
        raise ValueError(f"name needs {len(name)} bytes, the chip has fifty")
    lengths = {**card, **holder}
    padded = ((tag, value.ljust(lengths.get(tag, 0), b"\0")) for tag, value in values.items())
    return b"".join(bytes((tag, len(value))) + value for tag, value in padded)


def _bcd(day: date | None) -> bytes:
    return bytes.fromhex(_digits(day) or "00000000")


def _digits(day: date | None) -> str:
    return day.isoformat().replace("-", "") if day else ""
