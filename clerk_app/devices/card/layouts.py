"""The four layouts of the 256-byte text block on an identity chip.

The block is UTF-16LE, padded with spaces (some readers pad with NUL). The character at byte 248 names the
layout. Offsets and lengths are bytes; a length in characters is half of it (a rare character beyond U+FFFF
takes two). Sources: GA 467-2013 and GA/T 450 as implemented by several readers, the 2017 and 2023 rules for
the foreign permanent-resident card, the 2018 rules for residence permits.
"""

from __future__ import annotations

from collections.abc import Mapping

from clerk_app.domain.applicant import DocumentKind, Sex

TEXT_LENGTH = 256
PHOTO_LENGTH = 1024
TYPE_OFFSET = 248

LONG_TERM = "长期"

KINDS: Mapping[str, DocumentKind] = {
    " ": DocumentKind.RESIDENT_ID,
    "J": DocumentKind.RESIDENCE_PERMIT,
    "I": DocumentKind.FOREIGN_PR_2017,
    "Y": DocumentKind.FOREIGN_PR_2023,
}

SEXES: Mapping[str, Sex] = {  # GB/T 2261.1
    "0": Sex.UNKNOWN,
    "1": Sex.MALE,
    "2": Sex.FEMALE,
    "9": Sex.UNSPECIFIED,
}

Layout = Mapping[str, tuple[slice, ...]]  # field -> the pieces it is stored in


def _at(*pieces: tuple[int, int]) -> tuple[slice, ...]:
    return tuple(slice(offset, offset + length) for offset, length in pieces)


_MAINLAND: Layout = {
    "name": _at((0, 30)),
    "sex": _at((30, 2)),
    "ethnicity": _at((32, 4)),
    "birth": _at((36, 16)),
    "address": _at((52, 70)),
    "number": _at((122, 36)),
    "authority": _at((158, 30)),
    "valid_from": _at((188, 16)),
    "valid_until": _at((204, 16)),
}

_PERMIT: Layout = {
    **{field: pieces for field, pieces in _MAINLAND.items() if field != "ethnicity"},
    "travel_permit": _at((220, 18)),
    "issue_count": _at((238, 4)),
}

_FOREIGN_2017: Layout = {
    "latin_name": _at((0, 120)),
    "sex": _at((120, 2)),
    "number": _at((122, 30)),
    "nationality": _at((152, 6)),
    "name": _at((158, 30)),
    "valid_from": _at((188, 16)),
    "valid_until": _at((204, 16)),
    "birth": _at((220, 16)),
    "authority": _at((240, 8)),  # a code; the version of the card stands before it
}

_FOREIGN_2023: Layout = {
    "name": _at((0, 30)),
    "sex": _at((30, 2)),
    "issue_count": _at((32, 4)),
    "birth": _at((36, 16)),
    "latin_name": _at((52, 70), (220, 22)),
    "number": _at((122, 36)),
    "valid_from": _at((188, 16)),
    "valid_until": _at((204, 16)),
    "nationality": _at((242, 6)),
    "link": _at((250, 6)),  # city and sequence of the 2017 number this card replaces
}

LAYOUTS: Mapping[DocumentKind, Layout] = {
    DocumentKind.RESIDENT_ID: _MAINLAND,
    DocumentKind.RESIDENCE_PERMIT: _PERMIT,
    DocumentKind.FOREIGN_PR_2017: _FOREIGN_2017,
    DocumentKind.FOREIGN_PR_2023: _FOREIGN_2023,
}
