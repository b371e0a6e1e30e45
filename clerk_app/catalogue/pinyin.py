"""Pinyin at the window: reading typed letters as syllables and initials. No dictionary is loaded here.

The catalogue file brings its own syllables and readings, made at the back office. A syllable is one private
character (its *code*), so that a name's sound is a string as long as the name and is searched like one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from clerk_app.catalogue.text import is_letter, is_plain

FIRST_CODE = 0x100
"""Codes start behind Latin-1, so that letters and digits stand for themselves beside them."""

MOST_READINGS = 4
"""Ways to read one run of letters that are tried: xian is 先 and also 西安."""

_DOUBLE_INITIALS = ("zh", "ch", "sh")
_INITIALS = frozenset("abcdefghjklmnopqrstwxyz")


@dataclass(frozen=True, slots=True)
class Unit:
    """One typed sign that stands for one character of a name.

    `character` is set when the clerk typed the character itself. `codes` are the syllables it may be;
    `initial` their first letter. `letters` counts the typed letters, 0 for a character.
    """

    initial: str
    codes: str
    character: str = ""
    letters: int = 0
    whole: bool = True  # the syllable is typed in full

    @property
    def certain(self) -> bool:
        """One sound only: it can be searched for directly."""
        return len(self.codes) == 1


class Sounds:
    """The syllables of one catalogue file and how typed text is read with them."""

    def __init__(self, syllables: Iterable[str], readings: Callable[[str], str]) -> None:
        """`syllables` in the order of their codes; `readings` gives a character's codes, usual one first."""
        self._names = tuple(syllables)
        self._codes = {name: chr(FIRST_CODE + i) for i, name in enumerate(self._names)}
        self._readings = readings
        self._prefixes: dict[str, str] = {}

    def code(self, syllable: str) -> str:
        """The private character of `syllable`; a letter or digit is its own."""
        return self._codes.get(syllable, syllable[:1])

    def name(self, code: str) -> str:
        """The letters behind a code."""
        index = ord(code) - FIRST_CODE
        return self._names[index] if 0 <= index < len(self._names) else code

    def ways(self, term: str) -> tuple[tuple[Unit, ...], ...]:
        """The readings of a folded term as units, likeliest first; empty when its letters are no pinyin.

        Characters stand for themselves; runs of letters are cut into syllables and initials.
        """
        ways: list[tuple[Unit, ...]] = [()]
        at = 0
        while at < len(term):
            end = at + 1
            if is_letter(term[at]):
                while end < len(term) and is_letter(term[end]):
                    end += 1
                tails = self._cuts(term[at:end], last=end == len(term))
            else:
                tails = [(self._sign(term[at]),)]
            ways = [way + tail for way in ways for tail in tails][:MOST_READINGS]
            at = end
        return tuple(ways)

    def _sign(self, character: str) -> Unit:
        if is_plain(character):
            return Unit(character, character, letters=1)
        codes = self._readings(character)
        return Unit(self.name(codes[0])[0] if codes else "", codes, character)

    def _starting(self, prefix: str) -> str:
        """The codes of all syllables that start with `prefix`."""
        if prefix not in self._prefixes:
            self._prefixes[prefix] = "".join(
                code for name, code in self._codes.items() if name.startswith(prefix)
            )
        return self._prefixes[prefix]

    def _whole(self, letters: str) -> str:
        """The codes of the syllable typed as `letters`; lu and nu also stand for lü and nü."""
        codes = self._codes.get(letters, "")
        if letters[0] in "ln" and letters[1:2] == "u":
            codes += self._codes.get(letters[0] + "v" + letters[2:], "")
        return codes

    def _initial(self, letter: str) -> Unit:
        """One letter for a whole character: the syllables that start with it, or the letter itself."""
        return Unit(letter, letter + self._starting(letter), letters=1, whole=False)

    def _pieces(self, letters: str, *, last: bool) -> list[Unit]:
        """The units `letters` may begin with, longest first."""
        pieces = []
        for length in range(min(6, len(letters)), 0, -1):
            piece = letters[:length]
            whole = self._whole(piece)
            if whole:
                pieces.append(Unit(piece[0], whole, letters=length))
            # What is typed last may go on: zhan is also the beginning of zhang.
            if length > 1 and (piece in _DOUBLE_INITIALS or (last and length == len(letters))):
                begun = self._starting(piece)
                if len(begun) > len(whole):
                    pieces.append(Unit(piece[0], begun, letters=length, whole=False))
            if length == 1 and piece in _INITIALS:
                pieces.append(self._initial(piece))
        return pieces

    def _cuts(self, letters: str, *, last: bool) -> list[tuple[Unit, ...]]:
        """`letters` cut into units in the likeliest ways: fewest units first, then all initials."""
        best: list[list[tuple[Unit, ...]]] = [[] for _ in letters] + [[()]]
        for at in range(len(letters) - 1, -1, -1):
            found = [
                (piece, *tail)
                for piece in self._pieces(letters[at:], last=last)
                for tail in best[at + piece.letters]
            ]
            found.sort(key=_effort)
            best[at] = found[: MOST_READINGS - 1]
        cuts = best[0]
        if len(letters) <= 8 and all(letter in _INITIALS for letter in letters):
            initials = tuple(map(self._initial, letters))
            if initials not in cuts:
                cuts.append(initials)
        return cuts


def _effort(units: tuple[Unit, ...]) -> float:
    """How unlikely a cut is: each unit costs one, a bare initial between whole syllables somewhat more."""
    whole = sum(unit.whole for unit in units)
    return len(units) + (0.5 * (len(units) - whole) if whole else 0)
