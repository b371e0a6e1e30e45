"""The search index of a catalogue, made once at the back office: aligned lines, sets of kinds, readings."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from clerk_app.catalogue.bits import packed
from clerk_app.catalogue.lines import LINE_END, LineField
from clerk_app.catalogue.pinyin import FIRST_CODE
from clerk_app.catalogue.text import fold, is_plain
from clerk_app.catalogue.transcribe import SEVERAL_READINGS, known_characters, readings, spell
from clerk_app.domain.catalogue import ItemKind

MOST_SPELLINGS = 4
"""Spellings of one line: names with several characters of several readings are rare and long."""


@dataclass(slots=True)
class LineWriter:
    """Collects lines in the three notations of `lines` and once more as plain letters."""

    syllables: dict[str, str]  # syllable -> code
    characters: list[str] = field(default_factory=lambda: [LINE_END])
    codes: list[str] = field(default_factory=lambda: [LINE_END])
    initials: list[str] = field(default_factory=lambda: [LINE_END])
    owners: array[int] = field(default_factory=lambda: array("I", [0]))
    fields: bytearray = field(default_factory=lambda: bytearray(1))
    ends: array[int] = field(default_factory=lambda: array("I"))
    letters: list[str] = field(default_factory=list)
    letter_starts: array[int] = field(default_factory=lambda: array("I"))
    letter_lines: array[int] = field(default_factory=lambda: array("I"))
    _length: int = 1
    _letters_length: int = 0

    def add(self, owner: int, kind: LineField, text: str) -> None:
        """One line, and again for each further common spelling of it."""
        folded, _ = fold(text)
        for spelling in islice(_spellings(folded), MOST_SPELLINGS):
            self._line(owner, kind, folded, spelling)

    def close(self) -> None:
        """The owner's lines are complete; owners are closed in their order."""
        self.ends.append(self._length)

    def pairs(self) -> Iterator[tuple[int, str, bytes]]:
        """(notation, two neighbouring signs, their places) for all notations."""
        for notation, parts in enumerate((self.characters, self.codes, self.initials)):
            text = "".join(parts)
            places: defaultdict[str, array[int]] = defaultdict(lambda: array("I"))
            for at in range(len(text) - 1):
                places[text[at : at + 2]].append(at)
            for pair in sorted(places):
                yield notation, pair, places[pair].tobytes()

    def _line(self, owner: int, kind: LineField, text: str, spelling: Sequence[str]) -> None:
        self.letter_starts.append(self._letters_length)
        self.letter_lines.append(self._length)
        self.characters += (text, LINE_END)
        # A character nobody can pronounce keeps its place, as a code that is never typed.
        self.codes += ("".join(self.syllables.get(s, s or "\x01") for s in spelling), LINE_END)
        self.initials += ("".join(s[:1] or "\x01" for s in spelling), LINE_END)
        self.letters += ("".join(s or "\x01" for s in spelling), LINE_END)
        length = len(text) + 1
        self.owners.extend([owner] * length)
        self.fields.extend([kind] * length)
        self._length += length
        self._letters_length += sum(len(s) or 1 for s in spelling) + 1


def _spellings(folded: str) -> Iterable[Sequence[str]]:
    """The spelling pypinyin chooses, then those with one character read the other common way."""
    usual = spell(folded)
    yield usual
    for at, character in enumerate(folded):
        for other in SEVERAL_READINGS.get(character, "").split():
            if other != usual[at]:
                yield [*usual[:at], other, *usual[at + 1 :]]


@dataclass(frozen=True, slots=True)
class BuiltIndex:
    """What `build` writes. `postings` and `place_kinds` are sets of kinds as little-endian bits."""

    syllables: tuple[str, ...]
    readings: tuple[tuple[str, str], ...]
    lines: LineWriter
    places: LineWriter
    english: str
    english_starts: array[int]
    postings: tuple[tuple[str, bytes], ...]


def index(kinds: Sequence[ItemKind], places: Sequence[Sequence[str]]) -> BuiltIndex:
    """The index of `kinds` (in the order of their use) and of `places` (what each is called)."""
    characters = set(known_characters()) | {c for kind in kinds for line in texts(kind) for c in line[1]}
    spoken = {c: readings(c) for c in sorted(characters) if not is_plain(c)}
    syllables = tuple(sorted({syllable for each in spoken.values() for syllable in each}))
    codes = {name: chr(FIRST_CODE + i) for i, name in enumerate(syllables)}
    lines = LineWriter(codes)
    holders: dict[str, set[int]] = defaultdict(set)
    for number, kind in enumerate(kinds):
        begin = len(lines.characters)
        for which, text in texts(kind):
            lines.add(number, which, text)
        lines.close()
        for sign in set("".join(lines.characters[begin:] + lines.codes[begin:])) - {LINE_END, "\x01"}:
            holders[sign].add(number)
    halls = LineWriter(codes)
    for number, names in enumerate(places):
        for name in names:
            halls.add(number, LineField.PLACE, name)
        halls.close()
    english, starts = _english(kinds)
    return BuiltIndex(
        syllables,
        tuple((c, "".join(codes[s] for s in each)) for c, each in spoken.items() if each),
        lines,
        halls,
        english,
        starts,
        tuple((sign, packed(each)) for sign, each in sorted(holders.items())),
    )


def texts(kind: ItemKind) -> Iterable[tuple[LineField, str]]:
    """The lines of a kind, the official name first; none twice."""
    lines = [(LineField.NAME, kind.name)]
    lines += [(LineField.ALIAS, alias) for alias in kind.aliases]
    lines.append((LineField.RESULT, kind.result))
    lines += [(LineField.THEME, theme) for theme in kind.themes]
    seen = {""}
    for which, text in lines:
        folded, _ = fold(text)
        if folded not in seen:
            seen.add(folded)
            yield which, folded


def _english(kinds: Sequence[ItemKind]) -> tuple[str, array[int]]:
    lines: list[str] = []
    starts = array("I")
    length = 0
    for kind in kinds:
        words = "".join(c if c.isalnum() else " " for c in kind.name_en.casefold()).split()
        line = " " + " ".join(words) + LINE_END
        starts.append(length)
        lines.append(line)
        length += len(line)
    return "".join(lines), starts
