"""One slip of the finger in typed pinyin: a letter wrong, missing, too many, or two swapped.

One half of what was typed is then right: it is searched for, and the other half compared beside it. Only a
swap across the middle spoils both; it is undone and searched for as a whole.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from clerk_app.catalogue.lines import LINE_END
from clerk_app.catalogue.ranking import SLIP, Match

if TYPE_CHECKING:
    from clerk_app.catalogue.search import Index

MOST_TRIED = 50
_VOWELS = frozenset("aeiouv")


@dataclass(frozen=True, slots=True)
class Letters:
    """The lines once more in full pinyin, without marks.

    `starts` and `lines` give, line by line, where it begins here and in the aligned lines.
    """

    text: str
    starts: Sequence[int]
    lines: Sequence[int]


def are_initials(letters: str) -> bool:
    """No vowel: initials of words, not syllables."""
    return not set(letters) & _VOWELS


def matches(index: Index, term: str) -> Iterator[tuple[int, Match]]:
    """Kinds with a name that goes like `term` but for one slip: shehuibaozhagnka, sbkvl."""
    initials = are_initials(term)
    text = index.lines.initials if initials else index.letters.text
    for at in _places(text, term):
        match = _of_initials(index, at, len(term)) if initials else _of_letters(index, at, len(term))
        if match is not None:
            yield match


def _places(text: str, term: str) -> Iterator[int]:
    middle = len(term) // 2
    head, tail = term[:middle], term[middle:]
    for at in islice(_everywhere(text, head), MOST_TRIED):
        if one_slip(tail, text, at + len(head)):
            yield at
    for at in islice(_everywhere(text, tail), MOST_TRIED):
        for start in range(max(0, at - len(head) - 1), max(0, at - len(head) + 2)):
            if one_slip(head + LINE_END, text[start:at] + LINE_END, 0):
                yield start
    swapped = head[:-1] + tail[0] + head[-1] + tail[1:]
    yield from islice(_everywhere(text, swapped), MOST_TRIED)


def _everywhere(text: str, part: str) -> Iterator[int]:
    at = text.find(part)
    while at >= 0:
        yield at
        at = text.find(part, at + 1)


def one_slip(typed: str, text: str, at: int) -> bool:
    """Whether `text` goes on at `at` as `typed`, but for one letter wrong, missing, extra or swapped."""
    same = 0
    while same < len(typed) and at + same < len(text) and typed[same] == text[at + same]:
        same += 1
    if same == len(typed):
        return True
    here, rest = at + same, typed[same:]
    return (
        text.startswith(rest[1:], here + 1)  # wrong
        or text.startswith(rest[1:], here)  # extra
        or text.startswith(rest, here + 1)  # missing
        or (len(rest) > 1 and text.startswith(rest[1] + rest[0] + rest[2:], here))  # swapped
    )


def _of_initials(index: Index, at: int, length: int) -> tuple[int, Match] | None:
    if index.lines.initials[at] == LINE_END:
        return None
    return index.lines.owners[at], Match(SLIP, at, length)


def _of_letters(index: Index, at: int, length: int) -> tuple[int, Match] | None:
    """The match at letter `at`, when a syllable begins there."""
    letters = index.letters
    line = bisect_right(letters.starts, at) - 1
    passed, position = letters.starts[line], letters.lines[line]
    syllables = index.lines.syllables
    while passed < at:
        passed += len(index.sounds.name(syllables[position]))
        position += 1
    if passed != at or syllables[position] == LINE_END:
        return None
    start, reached = position, at
    while reached < at + length - 1 and syllables[position] != LINE_END:
        reached += len(index.sounds.name(syllables[position]))
        position += 1
    return index.lines.owners[start], Match(SLIP, start, position - start)
