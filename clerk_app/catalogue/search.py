"""The item search: what the clerk typed so far, as ranked kinds, within one frame.

1. The text is parted into terms; each term is looked up as characters, pinyin, initials or a mixture
   (`lines`), as English words, as an official code, and among departments and bodies.
2. A kind is a candidate when every term is found in it, in any order. At most `MOST_SCORED` candidates are
   scored, those with the better kind of match and the more used ones first, so that one typed letter costs
   no more than a whole name.
3. When fewer than `ENOUGH` kinds have all terms, the terms are read more forgivingly (`rescue`): other
   characters of the same sound, a name's characters in any order or not all of them, one slip in the pinyin.
   When still none has all terms, kinds with some of them are shown, those with more first.
4. The points of `ranking` order what was found; bodies that were named choose the body that is proposed.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from clerk_app.catalogue import bits, rescue
from clerk_app.catalogue.lines import Lines, Needle, needle
from clerk_app.catalogue.pinyin import Sounds, Unit
from clerk_app.catalogue.ranking import (
    CODE,
    COVER,
    ENGLISH,
    PLACE,
    QUALITY,
    START,
    Match,
    audience_points,
    habit_points,
    line_points,
)
from clerk_app.catalogue.text import is_letter, is_plain, terms
from clerk_app.desk.ports import SearchContext

ENOUGH = 5
"""With fewer hits the search becomes forgiving."""

MOST_SCORED = 300
MOST_OWNERS = 4_000
"""Kinds looked at for one of several terms before they are put together."""

SHORTEST_CODE = 4
SHORTEST_ENGLISH = 3


@dataclass(frozen=True, slots=True)
class English:
    """The English names, one line a kind, small letters, a blank before each word."""

    text: str
    starts: Sequence[int]

    def find(self, word: str, most: int) -> dict[int, Match]:
        """Kinds with a word that begins with `word`."""
        found: dict[int, Match] = {}
        at = self.text.find(" " + word)
        while at >= 0 and len(found) < most:
            kind = bisect_right(self.starts, at) - 1
            start = self.starts[kind]
            length = self.text.find("\n", at) - start - 1
            points = ENGLISH + COVER * len(word) / length + (START if at == start else 0.0)
            found[kind] = Match(points)
            at = self.text.find(" " + word, start + length)
        return found


@dataclass(frozen=True, slots=True)
class Index:
    """What the search reads, as loaded from the catalogue file. Kinds and places are small numbers."""

    count: int
    lines: Lines
    places: Lines
    english: English
    sounds: Sounds
    letters: rescue.Letters
    audiences: Sequence[str]
    kinds_with: Callable[[str], int]  # a character or syllable code -> set of kinds
    kinds_at: Callable[[int], int]  # a place -> set of kinds
    kinds_coded: Callable[[str], Mapping[int, float]]  # start of a code -> kinds, with the share typed


@dataclass(slots=True)
class Found:
    """Where one term was found: by needles in lines, directly (English, code, rescue), by place."""

    in_lines: list[tuple[Needle, dict[int, int]]] = field(default_factory=list)
    direct: dict[int, Match] = field(default_factory=dict)
    places: frozenset[int] = frozenset()
    at_places: int = 0

    def kinds(self) -> dict[int, None]:
        """The kinds found other than by place, in the order found."""
        kinds: dict[int, None] = dict.fromkeys(self.direct)
        for _, found in self.in_lines:
            kinds.update(dict.fromkeys(found))
        return kinds

    def best(self, kind: int, lines: Lines) -> tuple[float, Match] | None:
        """The best match of the term in `kind` with its points."""
        best: tuple[float, Match] | None = None
        match = self.direct.get(kind)
        if match is not None:
            best = line_points(match, lines), match
        for way, found in self.in_lines:
            start = found.get(kind)
            if start is not None:
                match = Match(way.quality, start, way.span)
                points = line_points(match, lines)
                if best is None or points > best[0]:
                    best = points, match
        if best is None and self.at_places >> kind & 1:
            best = PLACE, Match(PLACE)
        return best


@dataclass(frozen=True, slots=True)
class Ranked:
    """One kind with its points, the matches behind them and the places that were named."""

    kind: int
    points: float
    matches: tuple[Match, ...]
    places: frozenset[int] = frozenset()


def rank(
    index: Index, text: str, context: SearchContext, habits: Mapping[int, tuple[int | None, int]], limit: int
) -> list[Ranked]:
    """The best `limit` kinds for `text`, best first; empty when it holds nothing to search for.

    `habits` gives a kind's place in the recent list (None: not in it) and how often it was accepted.
    """
    typed = terms(text)
    if not typed:
        return []
    most = MOST_SCORED if len(typed) == 1 else MOST_OWNERS
    found = [_strictly(index, term, most) for term in typed]
    score = _scorer(index, context, habits)
    ranked = [score(kind, found) for kind in _with_all(index, found, habits)]
    if len(ranked) < ENOUGH:
        seen = {each.kind for each in ranked}
        for term, each in zip(typed, found, strict=True):
            _forgivingly(index, term, each)
        kinds = _with_all(index, found, habits) or _with_some(found)
        ranked += [score(kind, found) for kind in kinds if kind not in seen]
    return heapq.nsmallest(limit, ranked, key=lambda each: (-each.points, each.kind))


def _scorer(
    index: Index, context: SearchContext, habits: Mapping[int, tuple[int | None, int]]
) -> Callable[[int, Sequence[Found]], Ranked]:
    most = max((times for _, times in habits.values()), default=0)

    def score(kind: int, found: Sequence[Found]) -> Ranked:
        points = 0.0
        matches = []
        for each in found:
            best = each.best(kind, index.lines)
            if best is not None:
                points += best[0]
                matches.append(best[1])
        points = points / len(found) + audience_points(index.audiences[kind], context)
        if kind in habits:
            points += habit_points(*habits[kind], most)
        places = frozenset().union(*(each.places for each in found))
        return Ranked(kind, points, tuple(matches), places)

    return score


def _strictly(index: Index, term: str, most: int) -> Found:
    """`term` exactly as typed, in every notation."""
    found = Found()
    for way in _needles(index.sounds.ways(term)):
        hits = index.lines.find(way, most)
        if hits:
            found.in_lines.append((way, hits))
    if all(is_plain(c) for c in term):
        if len(term) >= SHORTEST_CODE and any(c.isdigit() for c in term):
            for kind, share in index.kinds_coded(term).items():
                found.direct[kind] = Match(CODE + share)
        elif len(term) >= SHORTEST_ENGLISH and all(is_letter(c) for c in term):
            found.direct.update(index.english.find(term, most))
    _at_places(index, term, found)
    return found


def _needles(ways: Iterable[Sequence[Unit]]) -> Iterator[Needle]:
    for units in ways:
        way = needle(units, QUALITY)
        if way is not None:
            yield way


def _at_places(index: Index, term: str, found: Found) -> None:
    """The departments and bodies called `term`, and their kinds. One sign names no place."""
    if len(term) < 2:
        return
    places: set[int] = set()
    for way in _needles(index.sounds.ways(term)):
        places.update(index.places.find(way, MOST_SCORED))
    _note_places(index, found, frozenset(places))


def _note_places(index: Index, found: Found, places: frozenset[int]) -> None:
    found.places = places
    for place in places:
        found.at_places |= index.kinds_at(place)


def _forgivingly(index: Index, term: str, found: Found) -> None:
    """Add to `found` what `term` may also have meant."""
    known = found.kinds()
    for kind, match in rescue.matches(index, term).items():
        if kind not in known:
            found.direct[kind] = match
    if not found.places:
        _note_places(index, found, rescue.places(index, term))


def _with_all(index: Index, found: Sequence[Found], habits: Iterable[int]) -> list[int]:
    """The kinds in which every term was found, at most `MOST_SCORED`; the window's own are always in."""
    owned = [each.kinds() for each in found]
    kinds: dict[int, None] = {}
    if len(found) == 1:
        kinds = owned[0]
    else:
        for leader, mine in enumerate(owned):
            others = [(owned[i], found[i].at_places) for i in range(len(found)) if i != leader]
            kinds.update(
                (kind, None)
                for kind in mine
                if all(kind in own or at_places >> kind & 1 for own, at_places in others)
            )
    if len(kinds) < MOST_SCORED:
        everywhere = (1 << index.count) - 1
        for each in found:
            everywhere &= each.at_places
        for kind in bits.members(everywhere):
            kinds[kind] = None
            if len(kinds) >= MOST_SCORED:
                break
    chosen = [kind for kind, _ in zip(kinds, range(MOST_SCORED), strict=False)]
    if len(kinds) > MOST_SCORED:
        taken = set(chosen)
        chosen += [kind for kind in habits if kind in kinds and kind not in taken]
    return chosen


def _with_some(found: Sequence[Found]) -> list[int]:
    """The kinds in which at least one of the terms was found, those with the most first."""
    counts: dict[int, int] = {}
    for each in found:
        for kind in each.kinds():
            counts[kind] = counts.get(kind, 0) + 1
    return heapq.nsmallest(MOST_SCORED, counts, key=lambda kind: (-counts[kind], kind))
