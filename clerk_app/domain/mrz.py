"""The machine-readable zone of a travel document: ICAO Doc 9303 parts 3 (rules), 4 (TD3) and 5 (TD1).

Pure: what a reader sent as text comes in, a document whose check digits are all right goes out. The zone
proves that it was read well, not that the document is genuine, and no chip was asked. It spells every name in
A to Z as the issuer transliterated it; nothing is turned back into the script of the holder.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

from clerk_app.domain import identity
from clerk_app.domain.applicant import DocumentKind, EntrySource, Person, Sex
from clerk_app.failures import Failure

FILLER = "<"
_TD3, _TD1 = 2 * 44, 3 * 30
_WEIGHTS = (7, 3, 1)
_ZONE = re.compile(r"[A-Z0-9<]*")
_CODE = re.compile(r"[A-Z]{1,3}<{0,2}")
_DAY = re.compile(r"[0-9]{2}(?:[0-9]{2}(?:[0-9]{2}|<<)|<<<<)|<{6}")
_SEXES = {"M": Sex.MALE, "F": Sex.FEMALE, "X": Sex.UNSPECIFIED, FILLER: Sex.UNSPECIFIED}
_NAME = re.compile(r"[A-Z<]*")
_QUOTES = {"\N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK}": "<<", "\N{LEFT DOUBLE ANGLE BRACKET}": "<<"}
_QUOTES |= {"\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}": "<", "\N{LEFT ANGLE BRACKET}": "<"}
_SHORTEST = 24
_AHEAD = 50
"""A year of expiry is read into the 50 years to come, or else into those that have passed."""


@dataclass(frozen=True, slots=True)
class TravelDocument:
    """What a zone says. Personal data: never logged.

    `birth` is None when the document does not know the whole day; `birth_year` is then what it knows, if
    anything. `valid_until` is None on a document without a day of expiry. `issuer` and `nationality` are ISO
    3166 alpha-3 or a code of Doc 9303 part 3 (D is Germany, UTO the specimen's Utopia). `warnings` are
    failure codes the clerk must look at.
    """

    kind: DocumentKind
    number: str
    surname: str
    given: str
    sex: Sex
    birth: date | None
    birth_year: int | None
    valid_until: date | None
    issuer: str
    nationality: str
    warnings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name as it is shown, the surname first."""
        return f"{self.surname} {self.given}".strip()


def normalise(text: str) -> str:
    """The zone as one line of A to Z, 0 to 9 and `<`, whatever a reader puts between and around the lines.

    Readers that recognise print write two fillers as one quotation mark; a keyboard in another mode sends
    full-width or small letters.
    """
    for mark, filler in _QUOTES.items():
        text = text.replace(mark, filler)
    folded = unicodedata.normalize("NFKC", text).upper()
    return "".join(char for char in folded if not char.isspace() and char.isprintable())


def looks_like(text: str) -> bool:
    """Whether a normalised text is meant as a zone, be it whole and read well or not."""
    return len(text) >= _SHORTEST and FILLER * 2 in text


def begins(text: str) -> bool:
    """Whether a normalised text is the first line or two of a zone: some readers send line by line."""
    return len(text) in (30, 44, 60) and FILLER in text and text[0] in "PIACV"


def check_digit(field: str) -> str:
    """The check digit of a field: weights 7, 3, 1; A = 10 … Z = 35, `<` = 0 (Doc 9303-3, 4.9)."""
    total = sum(
        (0 if char == FILLER else int(char, 36)) * _WEIGHTS[place % 3] for place, char in enumerate(field)
    )
    return str(total % 10)


def parse(text: str, today: date) -> TravelDocument:
    """The document in `text`. `today` decides the centuries: nobody is born in the future.

    Failures: MRZ-SHAPE (not the 2 x 44 or 3 x 30 characters of a document), MRZ-VISA (the zone of a visa),
    MRZ-CHARACTERS, MRZ-NUMBER, MRZ-BIRTH, MRZ-EXPIRY and MRZ-CHECK (a check digit is wrong, or a field is
    none), MRZ-NAME. Warnings: MRZ-BIRTH-PART (the day of birth is not whole), MRZ-NAME-CUT (the name fills
    the line and may go on), MRZ-NO-EXPIRY, MRZ-LATIN-NAME (the document also bears a name in hanzi).
    """
    zone = normalise(text)
    if len(zone) not in (_TD3, _TD1):
        raise Failure("MRZ-SHAPE", f"{len(zone)} characters")
    if not _ZONE.fullmatch(zone):
        raise Failure("MRZ-CHARACTERS")
    if zone.startswith("V"):
        raise Failure("MRZ-VISA")
    if len(zone) == _TD3:
        return _td3(zone[:44], zone[44:], today)
    return _td1(zone[:30], zone[30:60], zone[60:], today)


def person(document: TravelDocument) -> Person:
    """The person a zone names; the source says that no chip was asked."""
    return Person(
        name=document.name,
        number=document.number,
        kind=document.kind,
        source=EntrySource.MRZ,
        sex=document.sex,
        birth=document.birth,
        valid_until=document.valid_until,
        warnings=document.warnings,
        nationality=document.nationality,
    )


def _td3(first: str, second: str, today: date) -> TravelDocument:
    number = second[:9]
    if check_digit(number) != second[9]:
        raise Failure("MRZ-NUMBER", "check digit")
    personal, digit = second[28:42], second[42]
    # An empty personal number may have 0 or a filler for its check digit (Doc 9303-4, 4.2.2.2).
    if digit != check_digit(personal) and (digit, personal.strip(FILLER)) != (FILLER, ""):
        raise Failure("MRZ-CHECK", "optional data")
    whole = second[:10] + second[13:20] + second[21:43]
    return _document(first[:5], number, first[5:], second[13:28], second[10:13], whole + second[43], today)


def _td1(first: str, second: str, third: str, today: date) -> TravelDocument:
    number, digit = first[5:14], first[14]
    if digit == FILLER and first[15] != FILLER:
        # A long number goes on in the optional data, with its check digit behind it (Doc 9303-5, 4.2.2.1).
        rest = first[15:].split(FILLER, 1)[0]
        number, digit = number + rest[:-1], rest[-1]
    if check_digit(number) != digit:
        raise Failure("MRZ-NUMBER", "check digit")
    whole = first[5:] + second[:7] + second[8:15] + second[18:29]
    return _document(first[:5], number, third, second[:15], second[15:18], whole + second[29], today)


def _document(
    head: str, number: str, name: str, days: str, nationality: str, whole: str, today: date
) -> TravelDocument:
    """`head` is code and issuer, `days` birth, sex and expiry with their check digits, `whole` all fields of
    the composite check digit and that digit behind them.
    """
    code, issuer = head[:2], _state(head[2:])
    number = number.replace(FILLER, "")  # a space or hyphen of the printed number is a filler here
    if not number:
        raise Failure("MRZ-NUMBER", "no number")
    birth, birth_year = _birth(days[:6], days[6], today)
    valid_until = _expiry(days[8:14], days[14], today)
    if days[7] not in _SEXES:
        raise Failure("MRZ-CHARACTERS", "sex")
    if check_digit(whole[:-1]) != whole[-1]:
        raise Failure("MRZ-CHECK", "composite")
    surname, given = _names(name)
    kind = _kind(code, issuer, number)
    doubts = {
        "MRZ-BIRTH-PART": birth is None,
        "MRZ-NAME-CUT": not name.endswith(FILLER),
        "MRZ-NO-EXPIRY": valid_until is None,
        "MRZ-LATIN-NAME": issuer == "CHN",
    }
    return TravelDocument(
        kind=kind,
        number=number,
        surname=surname,
        given=given,
        sex=_SEXES[days[7]],
        birth=birth,
        birth_year=birth_year,
        valid_until=valid_until,
        issuer=issuer,
        nationality=_state(nationality),
        warnings=tuple(warning for warning, doubtful in doubts.items() if doubtful),
    )


def _kind(code: str, issuer: str, number: str) -> DocumentKind:
    if code[0] == "P":
        return DocumentKind.PASSPORT
    permit = DocumentKind.MAINLAND_TRAVEL_PERMIT  # 港澳居民来往内地通行证, 台湾居民来往大陆通行证
    if issuer == "CHN" and code[0] == "C" and identity.problem(number, permit) is None:
        return permit
    return DocumentKind.TRAVEL_DOCUMENT


def _state(code: str) -> str:
    if not _CODE.fullmatch(code):
        raise Failure("MRZ-CHARACTERS", "state")
    return code.rstrip(FILLER)


def _birth(day: str, digit: str, today: date) -> tuple[date | None, int | None]:
    """The day and the year of birth as far as the document knows them: never in the future."""
    if check_digit(day) != digit:
        raise Failure("MRZ-BIRTH", "check digit")
    if not _DAY.fullmatch(day):
        raise Failure("MRZ-BIRTH", "no date")
    known = day.rstrip(FILLER)
    if not known:
        return None, None
    this_century = today.year // 100 * 100 + int(known[:2])
    if len(known) < 6:
        return None, this_century if this_century <= today.year else this_century - 100
    for year in (this_century, this_century - 100):
        found = _day(year, known)
        if found is not None and found <= today:
            return found, year
    raise Failure("MRZ-BIRTH", "no such day")


def _expiry(day: str, digit: str, today: date) -> date | None:
    if check_digit(day) != digit and (day, digit) != (FILLER * 6, FILLER):
        raise Failure("MRZ-EXPIRY", "check digit")
    if day == FILLER * 6:
        return None
    if not day.isdecimal():
        raise Failure("MRZ-EXPIRY", "no date")
    year = today.year // 100 * 100 + int(day[:2])
    if year > today.year + _AHEAD:
        year -= 100
    elif year <= today.year - _AHEAD:
        year += 100
    found = _day(year, day)
    if found is None:
        raise Failure("MRZ-EXPIRY", "no such day")
    return found


def _day(year: int, day: str) -> date | None:
    try:
        return date(year, int(day[2:4]), int(day[4:6]))
    except ValueError:
        return None


def _names(field: str) -> tuple[str, str]:
    """Surname and given names. One filler parts words, two part the surname from the given names."""
    if not _NAME.fullmatch(field):
        raise Failure("MRZ-NAME", "characters")
    surname, _, given = field.rstrip(FILLER).partition(FILLER * 2)
    words = [" ".join(word for word in part.split(FILLER) if word) for part in (surname, given)]
    if not "".join(words):
        raise Failure("MRZ-NAME", "no name")
    return words[0], words[1]
