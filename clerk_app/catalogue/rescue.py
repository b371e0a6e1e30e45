"""When nothing has what was typed: the same sound, scattered characters, two words in one, one slip.

Each reading is bounded: it looks at no more than `MOST_TRIED` kinds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from clerk_app.catalogue import bits, slips
from clerk_app.catalogue.lines import Needle, Notation, needle
from clerk_app.catalogue.pinyin import Unit
from clerk_app.catalogue.ranking import ECHO, SCATTERED, SOUND, Match, line_points
from clerk_app.catalogue.text import is_letter

if TYPE_CHECKING:
    from clerk_app.catalogue.search import Index

MOST_TRIED = 50
SAME_SOUND = 0.7
"""What a character of the same sound is worth beside the right one."""

LEAST_SHARE = 0.35
"""Less than this share of what was typed is no match."""

SHORTEST_WORDS = 4
LONGEST_PLACE = 8


def matches(index: Index, term: str, *, known: bool) -> dict[int, Match]:
    """The kinds `term` may have meant, each with its best match, by the first reading that finds any.

    `known`: the term was found as typed, only not often; then nobody mistyped.
    """
    ways = index.sounds.ways(term)
    letters = all(is_letter(letter) for letter in term)
    readings = []
    if not known:
        readings.append(_same_sound(index, ways))
    if letters and len(term) >= SHORTEST_WORDS:
        if slips.are_initials(term):
            readings.append(_two_words(index, term))
        if not known:
            readings.append(slips.matches(index, term))
    if not (known and letters):
        readings.append(_scattered(index, ways[:1]))
    found: dict[int, Match] = {}
    for reading in readings:
        for kind, match in reading:
            held = found.get(kind)
            if held is None or line_points(match, index.lines) > line_points(held, index.lines):
                found[kind] = match
        if found:
            break
    return found


def _same_sound(index: Index, ways: Sequence[Sequence[Unit]]) -> Iterator[tuple[int, Match]]:
    """社宝卡 for 社保卡: the characters as their usual syllables."""
    for units in ways[:1]:
        if len(units) < 2 or not all(unit.codes for unit in units):
            continue
        heard = [
            Unit(unit.initial, unit.codes[:1]) if unit.character and unit.codes else unit for unit in units
        ]
        way = needle(heard, SOUND)
        if way is not None:
            for kind, start in index.lines.find(way, MOST_TRIED).items():
                yield kind, Match(way.quality, start, way.span)


def _scattered(index: Index, ways: Sequence[Sequence[Unit]]) -> Iterator[tuple[int, Match]]:
    """补社保卡 for 社会保障卡补领: the typed signs anywhere in the names, rare ones counting more.

    The points grow with the share of the signs that are there, half of it for pairs that stay together.
    """
    for units in ways:
        signs = [unit for unit in units if unit.character or (unit.whole and unit.certain)]
        sets = [_holders(index, sign) for sign in signs]
        known = [(sign, held) for sign, held in zip(signs, sets, strict=True) if held]
        if len(known) < 2:
            continue
        rarity = [math.log(1 + index.count / held.bit_count()) for _, held in known]
        least = max(2, math.ceil(len(known) / 2))
        tried = islice(bits.held_by_most([held for _, held in known], least), MOST_TRIED)
        for kind in tried:
            share = _share(index, kind, [sign for sign, _ in known], rarity)
            if share >= LEAST_SHARE:
                name = index.lines.name(kind)
                echoed = sum(unit.character in name for unit in units) / len(units)
                yield kind, Match(SCATTERED * share + ECHO * echoed)


def _holders(index: Index, sign: Unit) -> int:
    held = index.kinds_with(sign.character) if sign.character else 0
    for code in sign.codes[:1]:
        held |= index.kinds_with(code)
    return held


def _share(index: Index, kind: int, signs: Sequence[Unit], rarity: Sequence[float]) -> float:
    """How much of `signs` the lines of `kind` hold, 0 to 1."""
    characters, syllables = index.lines.characters, index.lines.syllables
    end = index.lines.ends[kind]
    start = index.lines.ends[kind - 1] if kind else 1
    worth = []
    for sign in signs:
        if sign.character and characters.find(sign.character, start, end) >= 0:
            worth.append(1.0)
        elif sign.codes and syllables.find(sign.codes[0], start, end) >= 0:
            worth.append(SAME_SOUND if sign.character else 1.0)
        else:
            worth.append(0.0)
    held = sum(w * r for w, r in zip(worth, rarity, strict=True)) / sum(rarity)
    together = 0.0
    for i in range(len(signs) - 1):
        if worth[i] and worth[i + 1]:
            pair = "".join(sign.codes[:1] for sign in signs[i : i + 2])
            together += len(pair) == 2 and syllables.find(pair, start, end) >= 0
    return 0.6 * held + 0.4 * held * (together / (len(signs) - 1))


def _two_words(index: Index, term: str) -> Iterator[tuple[int, Match]]:
    """sbkbl for 社保卡 and 补领: initials of two words typed without a blank."""
    for cut in range(2, len(term) - 1):
        first = _initials(index, term[:cut])
        if not first:
            continue
        second = _initials(index, term[cut:])
        for kind in first.keys() & second.keys():
            yield kind, Match(SOUND["initial"] - 1.0, max(first[kind], second[kind]), len(term))


def _initials(index: Index, letters: str) -> dict[int, int]:
    way = Needle(Notation.INITIALS, letters, 0, len(letters), ())
    return index.lines.find(way, 4 * MOST_TRIED)


def places(index: Index, term: str) -> frozenset[int]:
    """The departments and bodies that hold the characters of `term` in their order: 市监局."""
    if not 2 <= len(term) <= LONGEST_PLACE or term.isascii():
        return frozenset()
    characters = index.places.characters
    in_order = re.compile("[^\\n]*?".join(map(re.escape, term)))
    return frozenset(index.places.owners[found.start()] for found in in_order.finditer(characters))
