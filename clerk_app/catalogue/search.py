"""The item search: what the clerk typed so far, as ranked kinds, within one frame.

1. The text is parted into terms; each term is looked up as characters, pinyin, initials or a mixture
   (`lines`), as English words, as an official code, and among departments and bodies.
2. A kind is a candidate when every term is found in it, in any order. At most `MOST_SCORED` candidates are
   scored, those with the better kind of match and the more used ones first, so that one typed letter costs
   no more than a whole name.
3. When a term is found in fewer than `ENOUGH` kinds and begins the name of none, or no kind has all terms,
   they are read more forgivingly (`rescue`): other characters of the same sound, a name's characters in any
   order or not all of them, two words in one, one slip in the pinyin.
   When still none has all terms, kinds with some of them are shown, those with more first.
4. The points of `ranking` order what was found; bodies that were named choose the body that is proposed.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

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
from clerk_app.catalogue.slips import Letters
from clerk_app.catalogue.text import is_letter, is_plain, terms
from clerk_app.desk.ports import SearchContext

ENOUGH = 5
SURE = QUALITY["character"] + START
"""With fewer hits than `ENOUGH` and none of these points the search becomes forgiving."""

MOST_SCORED = 80
MOST_OWNERS = 4_000
"""Kinds looked at for one of several terms before they are put together."""

Habits = Mapping[int, tuple[int | None, int]]
"""Kind -> its place in the recent list (None: not in it), times accepted at this window."""

FEW_SYLLABLES = 8
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
    letters: Letters
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

    def best(self, kind: int, lines: Lines, *, alone: bool) -> tuple[float, Match | None]:
        """The points of the best match of the term in `kind`, and the match; 0 and None without one."""
        points, best = 0.0, self.direct.get(kind)
        if best is not None:
            points = line_points(best, lines, alone=alone)
        for way, found in self.in_lines:
            start = found.get(kind)
            if start is not None:
                match = Match(way.quality, start, way.span)
                value = line_points(match, lines, alone=alone)
                if value > points:
                    points, best = value, match
        if best is None and self.at_places >> kind & 1:
            return PLACE, Match(PLACE)
        return points, best


@dataclass(frozen=True, slots=True)
class Ranked:
    """One kind with its points, the matches behind them and the places that were named."""

    kind: int
    points: float
    matches: tuple[Match, ...]
    places: frozenset[int] = frozenset()


def rank(index: Index, text: str, context: SearchContext, habits: Habits, limit: int) -> list[Ranked]:
    """The best `limit` kinds for `text`, best first; empty when it holds nothing to search for."""
    typed = terms(text)
    if not typed:
        return []
    found = _all_strictly(index, typed, habits)
    value = _valuer(index, context, habits)
    scored = {kind: value(kind, found) for kind in _with_all(index, found)}
    if _doubtful(scored.values(), typed):
        if len(typed) > 1:
            found = [_strictly(index, term, _most(term)) for term in typed]
        for term, each in zip(typed, found, strict=True):
            _forgivingly(index, term, each)
        kinds = _with_all(index, found) or _with_some(found)
        scored.update((kind, value(kind, found)) for kind in kinds if kind not in scored)
    best = heapq.nsmallest(limit, ((-points, kind) for kind, (points, _) in scored.items()))
    places = frozenset().union(*(each.places for each in found))
    return [Ranked(kind, -points, scored[kind][1], places) for points, kind in best]


def _doubtful(scored: Collection[tuple[float, object]], typed: Sequence[str]) -> bool:
    """Whether something else may have been meant: little was found, and nothing that begins as typed.

    Several terms that stand together somewhere are meant so.
    """
    if len(typed) > 1 or len(scored) >= ENOUGH:
        return not scored
    return all(points < SURE for points, _ in scored)


def _valuer(
    index: Index, context: SearchContext, habits: Habits
) -> Callable[[int, Sequence[Found]], tuple[float, tuple[Match, ...]]]:
    """The points of a kind for all terms, with habit and audience (see `ranking`), and its matches."""
    most = max((times for _, times in habits.values()), default=0)
    lines, audiences = index.lines, index.audiences

    def value(kind: int, found: Sequence[Found]) -> tuple[float, tuple[Match, ...]]:
        total, matches = 0.0, []
        for term in found:
            points, match = term.best(kind, lines, alone=len(found) == 1)
            total += points
            if match is not None:
                matches.append(match)
        total /= len(found)
        if context.audience:
            total += audience_points(audiences[kind], context)
        if kind in habits:
            total += habit_points(*habits[kind], most)
        return total, tuple(matches)

    return value


def _all_strictly(index: Index, typed: Sequence[str], habits: Habits) -> list[Found]:
    """Every term exactly as typed; the longest first, and when it is rare the others in its kinds only."""
    if len(typed) == 1:
        return [_strictly(index, typed[0], MOST_SCORED, alone=True, besides=habits)]
    found: dict[str, Found] = {}
    among: dict[int, None] | None = None
    for term in sorted(typed, key=len, reverse=True):
        found[term] = _strictly(index, term, _most(term), among=among)
        kinds = found[term].kinds()
        if among is None and kinds and len(kinds) <= MOST_SCORED and not found[term].at_places:
            among = kinds
    return [found[term] for term in typed]


def _most(term: str) -> int:
    return MOST_OWNERS if len(term) > 1 else 5 * MOST_SCORED


def _strictly(
    index: Index,
    term: str,
    most: int,
    *,
    alone: bool = False,
    among: Iterable[int] | None = None,
    besides: Iterable[int] = (),
) -> Found:
    """`term` exactly as typed, in every notation: at most `most` kinds a notation and those `besides`.

    A term `alone` is a place only when it is little else. `among`: these kinds only.
    """
    found = Found()
    ways = _needles(index.sounds.ways(term))
    for way in ways:
        if among is not None:
            hits = index.lines.find_among(way, among)
        else:
            hits = index.lines.find(way, max(1, most // len(ways)) if alone else most)
            hits.update(index.lines.find_among(way, (kind for kind in besides if kind not in hits)))
        if hits:
            found.in_lines.append((way, hits))
    if all(is_plain(c) for c in term):
        if len(term) >= SHORTEST_CODE and any(c.isdigit() for c in term):
            for kind, share in index.kinds_coded(term).items():
                found.direct[kind] = Match(CODE + share)
        elif len(term) >= SHORTEST_ENGLISH and all(is_letter(c) for c in term):
            found.direct.update(index.english.find(term, most))
    if len(term) > 1 and not (alone and len(found.kinds()) >= ENOUGH):
        places = (place for way in ways for place in index.places.find(way, MOST_SCORED))
        _note_places(index, found, frozenset(places))
    return found


def _needles(ways: Iterable[Sequence[Unit]]) -> list[Needle]:
    """The needles of all ways to read a term.

    A single syllable that may go on is looked for as each syllable it may become, when those are few.
    """
    units: list[Sequence[Unit]] = []
    for way in ways:
        unit = way[0]
        if len(way) == 1 and not unit.certain and len(unit.codes) <= FEW_SYLLABLES:
            units += [(replace(unit, codes=code),) for code in unit.codes]
        else:
            units.append(way)
    needles = (needle(each, QUALITY) for each in units)
    return [each for each in needles if each is not None]


def _note_places(index: Index, found: Found, places: frozenset[int]) -> None:
    """The departments and bodies a term names, and their kinds. One sign names no place."""
    found.places = places
    for place in places:
        found.at_places |= index.kinds_at(place)


def _forgivingly(index: Index, term: str, found: Found) -> None:
    """Add to `found` what `term` may also have meant."""
    known = found.kinds()
    for kind, match in rescue.matches(index, term, known=bool(known)).items():
        if kind not in known:
            found.direct[kind] = match
    if not found.places:
        _note_places(index, found, rescue.places(index, term))


def _with_all(index: Index, found: Sequence[Found]) -> list[int]:
    """The kinds in which every term was found, at most about `MOST_SCORED`."""
    owned = [each.kinds() for each in found]
    if len(found) == 1:
        kinds = owned[0]
    else:
        kinds = {}
        for leader, mine in enumerate(owned):
            others = [(owned[i], found[i].at_places) for i in range(len(found)) if i != leader]
            kinds.update(
                (kind, None)
                for kind in mine
                if all(kind in own or at_places >> kind & 1 for own, at_places in others)
            )
            if len(kinds) >= MOST_SCORED:
                break
    if len(kinds) < MOST_SCORED:
        everywhere = (1 << index.count) - 1
        for each in found:
            everywhere &= each.at_places
        for kind in bits.members(everywhere):
            kinds[kind] = None
            if len(kinds) >= MOST_SCORED:
                break
    return list(kinds)[: 2 * MOST_SCORED]


def _with_some(found: Sequence[Found]) -> list[int]:
    """The kinds in which at least one of the terms was found, those with the most first."""
    counts: dict[int, int] = {}
    for each in found:
        for kind in each.kinds():
            counts[kind] = counts.get(kind, 0) + 1
    return heapq.nsmallest(MOST_SCORED, counts, key=lambda kind: (-counts[kind], kind))
