"""Which characters of a hit's name matched, for the eye."""

from __future__ import annotations

from functools import lru_cache

from clerk_app.catalogue.lines import LineField, Lines
from clerk_app.catalogue.search import Ranked
from clerk_app.catalogue.text import fold


def marks(name: str, ranked: Ranked, lines: Lines) -> tuple[tuple[int, int], ...]:
    """(start, length) runs of `name`, in order and apart.

    What was found in an alias is marked where the name has the same characters: 社保卡 in 社会保障卡.
    """
    folded, origins = _folded(name)
    marked: set[int] = set()
    for match in ranked.matches:
        if match.start < 0:
            continue
        start, end = lines.line(match.start)
        at = match.start - start
        if lines.fields[match.start] != LineField.NAME:
            text = lines.characters[match.start : min(end, match.start + match.span)]
            marked.update(origins[i] for i in _in_order(text, folded))
        else:
            marked.update(origins[at : at + match.span])
    return runs(marked)


_folded = lru_cache(4096)(fold)


def _in_order(text: str, name: str) -> list[int]:
    """Where `name` holds the characters of `text`, together or else in their order; nothing when not all."""
    at = name.find(text)
    if at >= 0:
        return list(range(at, at + len(text)))
    found: list[int] = []
    for character in text:
        at = name.find(character, at + 1)
        if at < 0:
            return []
        found.append(at)
    return found


def runs(positions: set[int]) -> tuple[tuple[int, int], ...]:
    """Positions as (start, length) runs."""
    found: list[tuple[int, int]] = []
    for position in sorted(positions):
        if found and sum(found[-1]) == position:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((position, 1))
    return tuple(found)
