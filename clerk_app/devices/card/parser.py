"""Read the text block of an identity chip. Pure: bytes in, a record or a failure out.

A chip is outside data. Oddities the clerk can judge become warnings of the record; what would put a wrong
person on the screen (no name, no number, a date that cannot be read) is a failure. Expiry is not judged here:
that needs today's date.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from clerk_app.devices.card.layouts import KINDS, LAYOUTS, LONG_TERM, SEXES, TEXT_LENGTH, TYPE_OFFSET
from clerk_app.domain import identity
from clerk_app.domain.applicant import CardRecord, DocumentKind, Sex
from clerk_app.failures import Failure

_DATE = re.compile(r"[0-9]{8}")
_ETHNICITY = re.compile(r"[0-9]{2}")
REPLACED = "\N{REPLACEMENT CHARACTER}"
# Never on a card, and harmful further on: control codes reach the printer, bidi marks reorder a name.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
NO_NUMBER = frozenset({"ID-LENGTH", "ID-CHARACTERS", "ID-FIRST-GENERATION"})


def parse(text: bytes, photo: bytes | None = None) -> CardRecord:
    """The record in a 256-byte text block; `photo` is passed on as it is.

    Warnings: CARD-TYPE-UNKNOWN (read as a resident card), CARD-TEXT-ODD (characters replaced by U+FFFD),
    CARD-CHECK-DIGIT, CARD-NUMBER-ODD (the number disagrees with kind, birth or sex), CARD-NO-EXPIRY,
    CARD-DATES-ODD. Raises Failure("CARD-UNREADABLE") whose detail names the field, never its content.
    """
    if len(text) != TEXT_LENGTH:
        raise Failure("CARD-UNREADABLE", f"text block of {len(text)} bytes")
    mark = _decode(text[TYPE_OFFSET : TYPE_OFFSET + 2]) or " "
    kind = KINDS.get(mark, DocumentKind.RESIDENT_ID)
    fields = {
        field: _decode(b"".join(text[piece] for piece in pieces)) for field, pieces in LAYOUTS[kind].items()
    }
    until = fields["valid_until"]
    record = CardRecord(
        kind=kind,
        name=fields["name"] or fields.get("latin_name", ""),
        number=fields["number"].upper(),
        sex=SEXES.get(fields["sex"], Sex.UNKNOWN),
        birth=required_date(fields["birth"], "birth"),
        ethnicity=_ethnicity(fields.get("ethnicity", "")),
        address=fields.get("address", ""),
        authority=fields.get("authority", ""),
        valid_from=_date(fields["valid_from"], "valid_from"),
        valid_until=None if until == LONG_TERM else _date(until, "valid_until"),
        long_term=until == LONG_TERM,
        latin_name=fields.get("latin_name", ""),
        nationality=fields.get("nationality", ""),
        travel_permit=fields.get("travel_permit", ""),
        issue_count=fields.get("issue_count", ""),
        photo=photo,
    )
    if not record.name:
        raise Failure("CARD-UNREADABLE", "name")
    number_problem = identity.problem(record.number, kind)
    if number_problem in NO_NUMBER:
        raise Failure("CARD-UNREADABLE", f"number: {number_problem}")
    warnings = []
    if mark not in KINDS:
        warnings.append("CARD-TYPE-UNKNOWN")
    if any(REPLACED in value for value in fields.values()):
        warnings.append("CARD-TEXT-ODD")
    warnings.extend(oddities(record, number_problem))
    former = identity.former_number(record.number, record.nationality, fields.get("link", ""))
    return replace(record, former_number=former, warnings=tuple(warnings))


def _decode(piece: bytes) -> str:
    """The text of a field without its padding; NUL pads like space, unprintable characters are replaced."""
    return printable(piece.decode("utf-16-le", errors="replace").replace("\0", " "))


def printable(text: str) -> str:
    """`text` without padding spaces; characters that must not reach screen and printer become U+FFFD."""
    stripped = text.strip(" \N{IDEOGRAPHIC SPACE}")
    return "".join(REPLACED if unicodedata.category(char) in _UNPRINTABLE else char for char in stripped)


def _date(text: str, field: str) -> date | None:
    return required_date(text, field) if text else None


def required_date(text: str, field: str) -> date:
    """The day of eight digits; CARD-UNREADABLE naming `field`."""
    try:
        if _DATE.fullmatch(text):
            return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        raise Failure("CARD-UNREADABLE", f"{field}: no such day") from None
    raise Failure("CARD-UNREADABLE", f"{field}: not a date")


def _ethnicity(text: str) -> str:
    return text if _ETHNICITY.fullmatch(text) else ""


def oddities(record: CardRecord, number_problem: str | None) -> tuple[str, ...]:
    """The warnings of a record whose number has `number_problem` (of `identity.problem`), whatever card."""
    return (*_number_warnings(record, number_problem), *_date_warnings(record))


def _number_warnings(record: CardRecord, problem: str | None) -> Iterator[str]:
    """What the number says against itself, and against the rest of the card."""
    if record.kind is DocumentKind.FOREIGN_PR_2017:
        if record.number[14] != identity.former_check_digit(record.number[:14]):
            yield "CARD-CHECK-DIGIT"
        if record.number[7:13] != record.birth.isoformat()[2:].replace("-", ""):
            yield "CARD-NUMBER-ODD"
        return
    if problem == "ID-CHECK-DIGIT":
        yield "CARD-CHECK-DIGIT"
    other_birth = identity.birth_date(record.number) != record.birth
    other_sex = record.sex in {Sex.MALE, Sex.FEMALE} and identity.sex(record.number) is not record.sex
    if problem == "ID-KIND" or other_birth or other_sex:
        yield "CARD-NUMBER-ODD"


def _date_warnings(record: CardRecord) -> Iterator[str]:
    if record.valid_until is None and not record.long_term:
        yield "CARD-NO-EXPIRY"
    known = [day for day in (record.birth, record.valid_from, record.valid_until) if day is not None]
    if known != sorted(known):
        yield "CARD-DATES-ODD"
