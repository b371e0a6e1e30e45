"""What counts as a character: one folding for the catalogue's lines and for what the clerk types."""

from __future__ import annotations

import unicodedata

LONGEST_QUERY = 64
"""Characters of a query that are looked at; the longest official name of an item is shorter."""

MOST_TERMS = 6

_SEPARATORS = frozenset(",，、;；/|+&。")


def fold(text: str) -> tuple[str, tuple[int, ...]]:
    """`text` in small half-width letters, digits and ideographs only, and where each came from.

    Brackets, dashes, quotes and blanks fall out: 食品经营许可（新办） is found by 许可新办.
    """
    folded: list[str] = []
    origins: list[int] = []
    for origin, character in enumerate(text):
        for part in unicodedata.normalize("NFKC", character).casefold():
            if part.isalnum():
                folded.append(part)
                origins.append(origin)
    return "".join(folded), tuple(origins)


def terms(text: str) -> tuple[str, ...]:
    """What the clerk typed as folded terms, in order and without repeats.

    Blanks and list punctuation part terms. Any input is safe: a long paste is cut at `LONGEST_QUERY`.
    """
    spaced = "".join(" " if c in _SEPARATORS or c.isspace() else c for c in text[:LONGEST_QUERY])
    found = (fold(part)[0] for part in spaced.split())
    return tuple(dict.fromkeys(term for term in found if term))[:MOST_TERMS]


def is_letter(character: str) -> bool:
    """A letter a pinyin syllable can hold (after folding; ü is typed and stored as v)."""
    return "a" <= character <= "z"


def is_plain(character: str) -> bool:
    """A letter or digit of ASCII: stands for itself in every notation."""
    return character.isascii() and character.isalnum()
