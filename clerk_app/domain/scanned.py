"""What a scanned text is: the number of a case or a ticket, a machine-readable zone, or nothing of ours.

Our slips bear the bare number in their QR code and their bar code: a case number with its check character
(13 characters, `numbering`), a ticket number. Nothing else tells them from what a citizen's own papers say.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from clerk_app.domain import mrz, numbering, ticket


class ScanKind(StrEnum):
    CASE = "case"
    TICKET = "ticket"
    MRZ = "mrz"  # a whole zone, be it read well or not
    MRZ_PART = "mrz_part"  # the first lines of one; the others come on their own
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Scanned:
    """`text` is the number as stored, the zone in one line, or for an unknown one what was scanned."""

    kind: ScanKind
    text: str


def read(text: str) -> Scanned:
    """What `text` is. Widths, small letters, hyphens, spaces and line ends do not matter."""
    folded = unicodedata.normalize("NFKC", text).strip()
    for kind, parse in ((ScanKind.CASE, numbering.parse), (ScanKind.TICKET, ticket.parse)):
        try:
            return Scanned(kind, parse(folded))
        except ValueError:
            continue
    zone = mrz.normalise(text)
    if mrz.begins(zone):
        return Scanned(ScanKind.MRZ_PART, zone)
    if mrz.looks_like(zone):
        return Scanned(ScanKind.MRZ, zone)
    return Scanned(ScanKind.UNKNOWN, folded)
