"""The names of the catalogue as aligned lines of text: what a keystroke is searched in.

Every name, alias and theme is one line, every kind a run of lines, kinds in the order of their use in the
halls. Three notations of the same lines stand side by side, one sign a character in each:

    characters   \\n 社 会 保 障 卡 补 领 \\n 社 保 卡 \\n …
    syllables    \\n shè huì … (one private code a syllable)
    initials     \\n s h b z k b l \\n s b k \\n …

so that a position found in one notation is the same character in the others, and typed pinyin, initials,
characters and mixtures of them are all plain substring searches. The places of every two neighbouring signs
are kept, so that a search looks at the places of the rarest two only: microseconds, however many kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from clerk_app.catalogue.pinyin import Unit

LINE_END = "\n"


class LineField(IntEnum):
    """What a line is."""

    NAME = 0
    ALIAS = 1
    RESULT = 2
    THEME = 3
    PLACE = 4  # a department or body


class Notation(IntEnum):
    CHARACTERS = 0
    SYLLABLES = 1
    INITIALS = 2


@dataclass(frozen=True, slots=True)
class Needle:
    """One way to look for a term: an exact string in one notation, then checks at the place it was found.

    `offset` is where the string begins inside the term, `span` the length of the term in characters of the
    line, `checks` (index in the term, character or "", allowed codes) for what the string does not settle.
    """

    notation: Notation
    text: str
    offset: int
    span: int
    checks: tuple[tuple[int, str, str], ...]
    quality: float = 0.0

    def shapes(self) -> list[tuple[str, int]]:
        """The string as a whole line, at the start of a line and anywhere; each with the way from where it
        is found to where the term starts."""
        shapes = [(self.text, -self.offset)]
        if self.offset == 0:
            shapes.insert(0, (LINE_END + self.text, 1))
            if len(self.text) == self.span:
                shapes.insert(0, (LINE_END + self.text + LINE_END, 1))
        return shapes


@dataclass(frozen=True, slots=True)
class Lines:
    """Aligned lines. `owners` gives the owner of a position, `fields` its `LineField`."""

    characters: str
    syllables: str
    initials: str
    owners: Sequence[int]
    fields: bytes
    ends: Sequence[int]  # owner -> first position behind its lines
    pairs: Callable[[Notation, str], Sequence[int]]  # two neighbouring signs -> where they stand

    def find(self, needle: Needle, most: int) -> dict[int, int]:
        """Owner -> start of its best match: whole lines first, then line starts, then anywhere.

        Within each the owners keep their order. Stops once `most` owners are found.
        """
        found: dict[int, int] = {}
        owners, checked = self.owners, bool(needle.checks)
        for start in self._starts(needle):
            owner = owners[start]
            if owner not in found and (not checked or self._holds(needle, start)):
                found[owner] = start
                if len(found) >= most:
                    break
        return found

    def find_among(self, needle: Needle, owners: Iterable[int]) -> dict[int, int]:
        """As `find`, in the lines of `owners` only."""
        found: dict[int, int] = {}
        search, checked = self.text(needle.notation).find, bool(needle.checks)
        shapes = needle.shapes()
        for owner in owners:
            begin, end = (self.ends[owner - 1] if owner else 1) - 1, self.ends[owner]
            for text, shift in shapes:
                at = search(text, begin, end)
                while at >= 0 and checked and not self._holds(needle, at + shift):
                    at = search(text, at + 1, end)
                if at >= 0:
                    found[owner] = at + shift
                    break
        return found

    def _starts(self, needle: Needle) -> Iterable[int]:
        """Where the term would start: whole lines, line starts, anywhere, repeating themselves."""
        length, text = len(needle.text), self.text(needle.notation)
        if length < 3:  # stands in many places: look at the lines that start with it first
            for shape, shift in needle.shapes():
                for at in self._places(needle.notation, shape):
                    yield at + shift
            return
        places = self._places(needle.notation, needle.text)
        if needle.offset == 0:
            at_start = [at for at in places if text[at - 1] == LINE_END]
            if length == needle.span:
                yield from (at for at in at_start if text[at + length] == LINE_END)
            yield from at_start
        yield from (at - needle.offset for at in places)

    def _places(self, notation: Notation, text: str) -> Iterable[int]:
        """Where `text` stands: where the rarest two of its signs do and the others fit."""
        if len(text) == 1:
            return self._places_of_sign(notation, text)
        if len(text) == 2:
            return self.pairs(notation, text)
        lists = [self.pairs(notation, text[i : i + 2]) for i in range(len(text) - 1)]
        sizes = [len(places) for places in lists]
        rarest = sizes.index(min(sizes))
        fits = self.text(notation).startswith
        return [at - rarest for at in lists[rarest] if fits(text, at - rarest)]

    def _places_of_sign(self, notation: Notation, sign: str) -> Iterator[int]:
        search = self.text(notation).find
        at = search(sign)
        while at >= 0:
            yield at
            at = search(sign, at + 1)

    def _holds(self, needle: Needle, start: int) -> bool:
        characters, syllables = self.characters, self.syllables
        for index, character, codes in needle.checks:
            at = start + index
            if not 0 <= at < len(characters):
                return False
            if character:
                if characters[at] != character:
                    return False
            elif syllables[at] not in codes:
                return False
        return True

    def name(self, owner: int) -> str:
        """The first line of an owner: its name."""
        start = self.ends[owner - 1] if owner else 1
        return self.characters[start : self.characters.find(LINE_END, start)]

    def text(self, notation: Notation) -> str:
        """All lines in one notation."""
        if notation is Notation.CHARACTERS:
            return self.characters
        return self.syllables if notation is Notation.SYLLABLES else self.initials

    def line(self, at: int) -> tuple[int, int]:
        """(start, end) of the line that holds position `at`."""
        characters = self.characters
        return characters.rfind(LINE_END, 0, at) + 1, characters.find(LINE_END, at)


def needle(units: Sequence[Unit], quality: Mapping[str, float]) -> Needle | None:
    """The needle of one reading: its longest certain run, or its initials when those say more.

    `quality` gives the points of a "character", a "syllable", a "part" of one and an "initial".
    """
    kinds = [_certainty(unit) for unit in units]
    start, end = _longest_run(kinds)
    initials = "".join(unit.initial for unit in units)
    value = sum(quality[_how(unit)] for unit in units) / len(units)
    # A character or syllable says about as much as 1.7 initials; characters have several readings.
    if end - start and (1.7 * (end - start) >= len(units) or "cc" in "".join(kinds)):
        certain = kinds[start]
        text = "".join(u.character if certain == "c" else u.codes for u in units[start:end])
        notation = Notation.CHARACTERS if certain == "c" else Notation.SYLLABLES
        rest = [i for i in range(len(units)) if not start <= i < end]
    elif len(initials) == len(units):
        start, text, notation = 0, initials, Notation.INITIALS
        rest = [i for i, unit in enumerate(units) if unit.letters != 1 or unit.whole]
    else:
        return None
    checks = tuple((i, units[i].character, units[i].codes) for i in rest)
    return Needle(notation, text, start, len(units), checks, value)


def _certainty(unit: Unit) -> str:
    if unit.character:
        return "c"
    return "s" if unit.certain else ""


def _how(unit: Unit) -> str:
    if unit.character:
        return "character"
    if unit.whole:
        return "syllable"
    return "part" if unit.letters > 1 else "initial"


def _longest_run(kinds: Sequence[str]) -> tuple[int, int]:
    """(start, end) of the longest run of one certain kind; characters win over syllables."""
    best, start = (0, 0), 0
    for end in range(1, len(kinds) + 1):
        if end == len(kinds) or kinds[end] != kinds[start]:
            weight = end - start + (100 if kinds[start] == "c" else 0)
            held = best[1] - best[0]
            held_weight = held + (100 if held and kinds[best[0]] == "c" else 0)
            if kinds[start] and weight > held_weight:
                best = (start, end)
            start = end
    return best
