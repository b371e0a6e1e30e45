"""Read the holder of a social security card (LD/T 32-2015, versions 1.00 to 3.00) over plain PC/SC.

Only the two files that anybody may read are asked for, EF05 (the card) and EF06 (its holder) under the
application SSSE; the bank side of the card is never selected. A record is tag, length, value. Its number in
EF06 shifted with version 2.00, so it is read by its tag; of a card that refuses that, all records are read by
number and told apart by the tag they begin with. Either way the tag that comes back decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from clerk_app.devices.card import status_words
from clerk_app.devices.card.apdu import Transmit, ask
from clerk_app.devices.card.layouts import SEXES
from clerk_app.devices.card.parser import NO_NUMBER, REPLACED, oddities, printable, required_date
from clerk_app.domain import identity
from clerk_app.domain.applicant import CardRecord, DocumentKind, Sex
from clerk_app.failures import Failure

SSSE = b"sx1.sh." + "社会保障".encode("gbk")
CARD_FILE, HOLDER_FILE = 5, 6  # short identifiers of EF05 and EF06

VERSION, ISSUED, EXPIRES = 0x03, 0x05, 0x06
NUMBER, NAME, NAME_MORE, SEX, ETHNICITY, BIRTH = 0x08, 0x09, 0x4E, 0x0A, 0x0B, 0x0D

# What is asked for, with the length of its value. Card number, issuer and birthplace are not.
ITEMS: Mapping[int, Mapping[int, int]] = {
    CARD_FILE: {VERSION: 4, ISSUED: 4, EXPIRES: 4},
    HOLDER_FILE: {NUMBER: 18, NAME: 30, NAME_MORE: 20, SEX: 1, ETHNICITY: 1, BIRTH: 4},
}
# All records in their order, by the length of the value; version 1.00 has no third one in EF06.
_LENGTHS: Mapping[int, tuple[int, ...]] = {
    CARD_FILE: (16, 1, 4, 12, 4, 4, 9),
    HOLDER_FILE: (18, 30, 20, 1, 1, 3, 4),
}
_LAST_RECORD = 10

_SELECT_BY_NAME = bytes((0x00, 0xA4, 0x04, 0x00, len(SSSE))) + SSSE
_PADDING = b"\x00\x20\xff"
_NO_DAY = frozenset({"", "0" * 8, "f" * 8})
_WRONG_LENGTH = b"\x67\x00"
_LONGEST_CHARACTER = 4  # of GB18030
_NOT_THERE = frozenset({status_words.NO_DATA, status_words.COMMAND})
_ANOTHER_CARD = _NOT_THERE | {status_words.REFUSED}


@dataclass(frozen=True, slots=True)
class SocialSecurityCard:
    """The driver of social security cards. Their ATRs differ by issuer and chip, so every card is asked."""

    def recognises(self, atr: bytes) -> bool:
        return True

    def read(self, transmit: Transmit) -> CardRecord:
        """CARD-UNKNOWN for a card without SSSE; else as `parse`, and what the card's status words mean."""
        _, status = ask(transmit, _SELECT_BY_NAME)
        if not status_words.done(status):
            failure = status_words.failure("SSSE", status)
            raise Failure("CARD-UNKNOWN", failure.detail) if failure.code in _ANOTHER_CARD else failure
        values: dict[int, bytes] = {}
        for file in ITEMS:
            values |= _values(transmit, file)
        return parse(values)


def parse(values: Mapping[int, bytes]) -> CardRecord:
    """The record in the values of EF05 and EF06 by tag.

    Number and name must be there; a birth date that is not is taken from the number. Warnings: CARD-TEXT-ODD,
    CARD-CHECK-DIGIT, CARD-NUMBER-ODD, CARD-NO-EXPIRY, CARD-DATES-ODD. Raises Failure("CARD-UNREADABLE") whose
    detail names the field, never its content.
    """
    number = _ascii(values.get(NUMBER, b"")).upper()
    problem = identity.problem(number, DocumentKind.SOCIAL_SECURITY)
    if problem in NO_NUMBER:
        raise Failure(status_words.UNREADABLE, f"number: {problem}")
    name = _name(values)
    if not name:
        raise Failure(status_words.UNREADABLE, "name")
    birth = _day(values, BIRTH, "birth") or identity.birth_date(number)
    if birth is None:
        raise Failure(status_words.UNREADABLE, "birth: missing")
    ethnicity = values.get(ETHNICITY, b"").hex()
    record = CardRecord(
        kind=DocumentKind.SOCIAL_SECURITY,
        name=name,
        number=number,
        sex=SEXES.get(_ascii(values.get(SEX, b"")), Sex.UNKNOWN),
        birth=birth,
        ethnicity=ethnicity if len(ethnicity) == 2 and ethnicity.isdecimal() and ethnicity != "00" else "",
        valid_from=_day(values, ISSUED, "valid_from"),
        valid_until=_day(values, EXPIRES, "valid_until"),
    )
    odd_text = ("CARD-TEXT-ODD",) if REPLACED in name else ()
    return replace(record, warnings=(*odd_text, *oddities(record, problem)))


def records(file: bytes) -> Mapping[int, bytes]:
    """The values of records (tag, length, value) that follow each other. CARD-UNREADABLE for a torn one."""
    values: dict[int, bytes] = {}
    while file:
        tag, value = _record(file)
        values[tag] = value
        file = file[2 + len(value) :]
    return values


# --- the exchange ------------------------------------------------------------------------------------------


def _values(transmit: Transmit, file: int) -> Mapping[int, bytes]:
    """The values of one file by tag, in whichever of four ways the card hands them out.

    First by tag, with the short identifier of the file in each command, then by number; then both ways again
    with the file selected.
    """
    refused: Failure | None = None
    for select in (False, True):
        if select and not _selected(transmit, file):
            break
        short = 0 if select else file << 3
        for way in (_by_tag, _by_number):
            try:
                if values := way(transmit, file, short):
                    return values
            except Failure as failure:
                if failure.code not in _NOT_THERE:
                    raise
                refused = failure
    raise refused or Failure(status_words.NO_DATA, f"EF{file:02X}: empty")


def _selected(transmit: Transmit, file: int) -> bool:
    for how in (0x02, 0x00):  # as an EF under SSSE; by its identifier alone
        _, status = ask(transmit, bytes((0x00, 0xA4, how, 0x00, 2, 0xEF, file)))
        if status_words.done(status):
            return True
    return False


def _by_tag(transmit: Transmit, file: int, short: int) -> Mapping[int, bytes]:
    """Read each item under its tag. The first one tells whether the card can: its failure goes through.

    A card that answers with another record took the tag for a number: then there is nothing.
    """
    values: dict[int, bytes] = {}
    for tag, length in ITEMS[file].items():
        data, status = ask(transmit, bytes((0x00, 0xB2, tag, short, length + 2)))
        if status_words.done(status):
            if data[:1] != bytes((tag,)):
                return {}
            values[tag] = _record(data)[1]
        elif not values or status_words.code(status) not in _NOT_THERE:
            raise status_words.failure(f"EF{file:02X} tag {tag:02X}", status)
    return values


def _by_number(transmit: Transmit, file: int, short: int) -> Mapping[int, bytes]:
    """Read record after record until there is no more, and keep those that are asked for."""
    values: dict[int, bytes] = {}
    for number in range(1, _LAST_RECORD + 1):
        data, status = _numbered(transmit, file, number, short)
        if not status_words.done(status):
            if values and status_words.code(status) in _NOT_THERE:
                break
            raise status_words.failure(f"EF{file:02X} record {number}", status)
        tag, value = _record(data)
        if tag in ITEMS[file]:
            values[tag] = value
    return values


def _numbered(transmit: Transmit, file: int, number: int, short: int) -> tuple[bytes, bytes]:
    """One record by its number. A card that wants the exact length gets those the two versions have."""
    command = bytes((0x00, 0xB2, number, short | 4))
    data, status = ask(transmit, command + b"\0")
    for length in _LENGTHS[file][number - 1 : number + 1]:
        if status != _WRONG_LENGTH:
            break
        data, status = ask(transmit, command + bytes((length + 2,)))
        if status_words.done(status) and len(data) >= 2 and len(data) < 2 + data[1] <= 0xFF:
            data, status = ask(transmit, command + bytes((2 + data[1],)))  # it was the shorter of the two
    return data, status


def _record(data: bytes) -> tuple[int, bytes]:
    if len(data) < 2 or len(data) < 2 + data[1]:
        raise Failure(status_words.UNREADABLE, f"a torn record of {len(data)} bytes")
    return data[0], data[2 : 2 + data[1]]


# --- values ------------------------------------------------------------------------------------------------


def _ascii(value: bytes) -> str:
    return printable(value.strip(_PADDING).decode("ascii", errors="replace"))


def _name(values: Mapping[int, bytes]) -> str:
    """Name and its extension: GBK, read as its superset GB18030; a character may be cut between the two.

    The extension goes on with a name that fills its record; behind a shorter one it is not ours to guess.
    """
    whole = values.get(NAME, b"")
    name = whole.rstrip(_PADDING)
    if len(whole) - len(name) < _LONGEST_CHARACTER:
        name += values.get(NAME_MORE, b"").rstrip(_PADDING)
    return printable(name.decode("gb18030", errors="replace"))


def _day(values: Mapping[int, bytes], tag: int, field: str) -> date | None:
    """A BCD date; None when the card bears none."""
    digits = values.get(tag, b"").hex()
    return None if digits in _NO_DAY else required_date(digits, field)
