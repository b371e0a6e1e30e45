"""Identity numbers: what kind one is, what is wrong with it, and what it says about its holder.

Sources: GB 11643-1999 (resident numbers; residence permits and the 2023 foreign card follow it), GB 32100
(unified social credit codes), the 2017 foreign permanent-resident card. A division code is never a reason to
refuse: divisions are founded and abolished, the numbers made under them stay valid for life.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from clerk_app.domain.applicant import DocumentKind, Sex

_RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_RESIDENT_CHECKS = "10X98765432"
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
_FORMER_WEIGHTS = (7, 3, 1)

_RESIDENT_SHAPE = re.compile(r"[0-9]{17}[0-9X]")
_USCC_SHAPE = re.compile(f"[{_USCC_ALPHABET}]{{18}}")
_FORMER_SHAPE = re.compile(r"[A-Z]{3}[0-9]{12}")
_FIRST_GENERATION_SHAPE = re.compile(r"[0-9]{15}")
_DOCUMENT_SHAPES = {
    DocumentKind.PASSPORT: re.compile(r"[A-Z0-9]{4,12}"),
    # 港澳居民来往内地通行证: H or M and eight (HA, MA and seven: no Chinese citizen); 台湾居民来往大陆通行证:
    # eight digits. Older ones bear two digits of the issue behind.
    DocumentKind.MAINLAND_TRAVEL_PERMIT: re.compile(
        r"[HM][0-9A-Z][0-9]{7}(?:[0-9]{2})?|[0-9]{8}(?:[0-9]{2})?"
    ),
    DocumentKind.TRAVEL_DOCUMENT: re.compile(r"[A-Z0-9]{4,22}"),
}
_DATE_SHAPE = re.compile(r"[0-9]{8}")
_DATE_PLACES = slice(6, 14)

TRAVEL_KINDS = frozenset(_DOCUMENT_SHAPES)
"""Documents whose number has a shape and nothing more: no check digit, no birth date, no sex."""


def normalise(text: str) -> str:
    """The number as stored: half-width, upper case, without the spaces and hyphens people type."""
    folded = unicodedata.normalize("NFKC", text).upper()
    return "".join(char for char in folded if not char.isspace() and char != "-")


def classify(number: str) -> DocumentKind:
    """The kind a normalised number has by its shape; whether it is correct is for `problem` to say.

    Eighteen characters are a person when their date digits are a date or one slip away from one, so that one
    mistyped character never turns a person into an organisation; else they are an organisation. The few
    credit codes that look like a person need a caller who knows better (a field for organisations) and gives
    `problem` the kind. Anything unrecognisable counts as a person's number and has a problem.
    """
    if _FORMER_SHAPE.fullmatch(number):
        return DocumentKind.FOREIGN_PR_2017
    if len(number) == 18 and not _nearly_a_date(number[_DATE_PLACES]):
        return DocumentKind.USCC
    return _person_kind(number)


def problem(number: str, kind: DocumentKind | None = None, *, today: date | None = None) -> str | None:
    """The failure code that says what is wrong with a normalised number, or None.

    `kind` is what the field asks for; without it the number is taken for what its shape says. With `today`, a
    birth in the future is wrong too. The check digit of a 2017 foreign card is not judged: genuine specimens
    break it. Of a passport or permit only the shape is; it does not tell the kind, so `classify` never does.
    """
    kind = kind or classify(number)
    if kind is DocumentKind.USCC:
        return _uscc_problem(number)
    if kind is DocumentKind.FOREIGN_PR_2017:
        return _former_problem(number)
    if kind in TRAVEL_KINDS:
        return None if _DOCUMENT_SHAPES[kind].fullmatch(number) else "ID-DOCUMENT-NUMBER"
    return _person_problem(number, kind, today)


def birth_date(number: str) -> date | None:
    """The birth date inside an 18-character person number; None where there is none or it is no real date.

    A 2017 foreign number holds two digits of the year only, which do not tell the century.
    """
    if not _RESIDENT_SHAPE.fullmatch(number):
        return None
    return _real_date(number[_DATE_PLACES])


def sex(number: str) -> Sex:
    """The sex inside an 18-character person number (17th digit, odd is male), else UNKNOWN."""
    if birth_date(number) is None:
        return Sex.UNKNOWN
    return Sex.MALE if int(number[16]) % 2 else Sex.FEMALE


def check_digit(first17: str) -> str:
    """The last character of a person number, ISO 7064 MOD 11-2. `first17` is 17 digits."""
    total = sum(int(digit) * weight for digit, weight in zip(first17, _RESIDENT_WEIGHTS, strict=True))
    return _RESIDENT_CHECKS[total % 11]


def uscc_check_character(first17: str) -> str:
    """The last character of a unified social credit code, MOD 31. `first17` is of its alphabet."""
    total = sum(
        _USCC_ALPHABET.index(char) * weight for char, weight in zip(first17, _USCC_WEIGHTS, strict=True)
    )
    return _USCC_ALPHABET[-total % 31]


def former_check_digit(first14: str) -> str:
    """The last digit of a 2017 foreign number: weights 7, 3, 1 with A = 10 … Z = 35. Advisory only."""
    total = sum(int(char, 36) * _FORMER_WEIGHTS[place % 3] for place, char in enumerate(first14))
    return str(total % 10)


def former_number(number: str, nationality: str, link: str) -> str:
    """The 2017 number that a 2023 foreign card replaces, or "" when the card names none.

    `nationality` is alpha-3; `link` is the three digits the chip keeps of the old number (city, sequence).
    """
    first14 = nationality + number[1:3] + link[:2] + number[8:14] + link[2:]
    if not re.fullmatch(r"[A-Z]{3}[0-9]{11}", first14):
        return ""
    return first14 + former_check_digit(first14)


def _person_kind(number: str) -> DocumentKind:
    if number.startswith("9"):
        return DocumentKind.FOREIGN_PR_2023
    if number[:2] in {"81", "82", "83"}:
        return DocumentKind.RESIDENCE_PERMIT
    return DocumentKind.RESIDENT_ID


def _person_problem(number: str, kind: DocumentKind, today: date | None) -> str | None:
    if _FIRST_GENERATION_SHAPE.fullmatch(number):
        return "ID-FIRST-GENERATION"
    if len(number) != 18:
        return "ID-LENGTH"
    if not _RESIDENT_SHAPE.fullmatch(number):
        return "ID-CHARACTERS"
    birth = birth_date(number)
    if birth is None or (today is not None and birth > today):
        return "ID-DATE"
    if number[17] != check_digit(number[:17]):
        return "ID-CHECK-DIGIT"
    if kind is DocumentKind.SOCIAL_SECURITY:
        return None  # names its holder by whichever of these numbers the holder has
    return None if _person_kind(number) is kind else "ID-KIND"


def _former_problem(number: str) -> str | None:
    if len(number) != 15:
        return "ID-LENGTH"
    if not _FORMER_SHAPE.fullmatch(number):
        return "ID-CHARACTERS"
    born = number[7:13]
    return None if _real_date("19" + born) or _real_date("20" + born) else "ID-DATE"


def _uscc_problem(number: str) -> str | None:
    if len(number) != 18:
        return "ID-LENGTH"
    if not _USCC_SHAPE.fullmatch(number):
        return "ID-CHARACTERS"
    return None if number[17] == uscc_check_character(number[:17]) else "ID-CHECK-DIGIT"


def _real_date(digits: str) -> date | None:
    if not _DATE_SHAPE.fullmatch(digits):
        return None
    year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:])
    if not 1900 <= year <= 2099:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _nearly_a_date(digits: str) -> bool:
    """Whether eight characters are a real date, or become one when a single one is put right."""
    return _real_date(digits) is not None or any(
        _real_date(digits[:place] + digit + digits[place + 1 :])
        for place in range(len(digits))
        for digit in "0123456789"
    )
