"""Reported lost cards: how a window tells one when it is laid, without having a list of numbers.

The office feeds digests. A list of identity numbers in every window would be a list of persons; a plain hash
of one is no better, for there are few numbers (region, birthday, three digits). So the hash is slow and keyed
with a salt that is the office's own: tables made elsewhere are worthless, and trying every number of a city
takes a processor weeks where a plain hash takes it minutes. Whoever holds the salt can still ask about one
number he knows: that is what the list is for.
"""

from __future__ import annotations

import hashlib
from datetime import date

from clerk_app.domain.applicant import CardRecord, DocumentKind

SALT_KEY = "lost_card_salt"
"""Meta: the office's salt, as the feed last said it; none before the first list."""

_COST = {"n": 2**12, "r": 8, "p": 1}  # RFC 7914: 4 MiB; about 9 ms, both digests of a card under 20 ms
_LENGTH = 16
_OTHER_CARDS = frozenset({DocumentKind.SOCIAL_SECURITY})
"""Cards that bear the number of the identity card without being it."""


def digest(number: str, valid_from: date | None, salt: str) -> str:
    """32 hex characters for the card `number` issued on `valid_from`; None means every card of the number.

    A card issued anew has the same number and another first day of validity (GB 11643 numbers are for life),
    so that a report with its day does not follow the citizen to the next card. scrypt (RFC 7914).
    """
    text = f"{number.strip().upper()}|{valid_from.isoformat() if valid_from else ''}"
    return hashlib.scrypt(text.encode(), salt=salt.encode(), dklen=_LENGTH, **_COST).hex()


def digests(record: CardRecord, salt: str) -> tuple[str, ...]:
    """What a report of this card may read: with its first day of validity where it bears one, and without.

    Empty for a card that only quotes the identity number: a lost identity card is no lost social
    security card.
    """
    if record.kind in _OTHER_CARDS:
        return ()
    days = (None,) if record.valid_from is None else (record.valid_from, None)
    return tuple(digest(record.number, day, salt) for day in days)
