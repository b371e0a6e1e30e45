"""Case numbers: one for life, printed, scanned, never reused, never renumbered.

A number is the hall's code (four letters or digits), a serial of eight digits from a block leased to the
device, and a check character by ISO 7064 MOD 37,36 over the twelve before it: `MY01-00001207-6`.
It is stored without hyphens and printed with them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

FIRST_EMERGENCY = 90_000_000
"""Serials from here on are of emergency blocks: a number tells that every ordinary one was used up."""

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NUMBER = re.compile(r"[0-9A-Z]{4}[0-9]{8}[0-9A-Z]")


def check_character(text: str) -> str:
    """The ISO 7064 MOD 37,36 check character of `text` (digits and capital letters)."""
    product = 36
    for character in text:
        total = (product + _ALPHABET.index(character)) % 36 or 36
        product = total * 2 % 37
    return _ALPHABET[(37 - product) % 36]


def case_number(hall: str, serial: int) -> str:
    """The number of the `serial`-th case of `hall`, without hyphens. Raises ValueError when out of range."""
    if not re.fullmatch(r"[0-9A-Z]{4}", hall):
        raise ValueError(f"hall code must be four capitals or digits: {hall!r}")
    if not 0 < serial <= 99_999_999:
        raise ValueError(f"serial out of range: {serial}")
    stem = f"{hall}{serial:08d}"
    return stem + check_character(stem)


def serial(number: str) -> int:
    """The serial inside a number as stored: 1207 of `MY01000012076`."""
    return int(number[4:12])


def printed(number: str) -> str:
    """`MY01000012076` as people read it: `MY01-00001207-6`."""
    return f"{number[:4]}-{number[4:12]}-{number[12:]}"


def parse(text: str) -> str:
    """The stored form of a typed or scanned number. Raises ValueError when the check character is wrong."""
    number = re.sub(r"[\s-]", "", text).upper()
    if not _NUMBER.fullmatch(number) or check_character(number[:-1]) != number[-1]:
        raise ValueError("not a case number")
    return number


@dataclass(frozen=True, slots=True)
class NumberBlock:
    """Serials `low`..`high` (inclusive) leased to this device; `next` is the first unused one."""

    id: str
    low: int
    high: int
    next: int
    epoch: int
    kind: str = "case"  # or "emergency": taken from only when no ordinary block has numbers left

    @property
    def left(self) -> int:
        return self.high - self.next + 1
