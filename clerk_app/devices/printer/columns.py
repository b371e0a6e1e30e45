"""Text measured in printer columns, and broken into lines the way Chinese is.

A hanzi or full-width sign is two columns, a Latin letter one (24 × 24 beside 12 × 24 dots), a combining mark
none: East Asian width (UAX #11) with "ambiguous" counted wide, because GB 18030 draws those in a full cell.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_REPLACED = str.maketrans("\t\r\n\u3000¥", "    ￥")

# 禁则: what may not begin a line, and what may not end one (GB/T 15834-2011, 5.1).
_NO_START = "，。、；：？！）］｝〉》」』】〕’”…—～·％‰℃°,.;:?!)]}%"
_NO_END = "（［｛〈《「『【〔‘“￥＄￡([{"

# What must stay in one piece: an ellipsis or dash pair, a word or number with its unit, one character with
# its marks. A number keeps its hyphens, colons and mask stars: a case number cut in two is two wrong numbers.
_PIECE = re.compile(
    r"……|——|[!-~]+(?:[年月日时分秒元份件项次号个页]|％|℃)?|\s|[^\s][\u0300-\u036f\u3099\u309a]*",
)


def clean(text: str) -> str:
    """`text` with everything invisible taken out: controls (a printer would obey them), bidi and width marks.

    Line breaks and tabs become spaces; the Latin yen sign becomes the full-width one, which every Chinese
    font has (the other is four bytes in GB 18030 and comes out as digits). A letter followed by combining
    marks is composed where Unicode has the composed letter; whole-text normalisation would be wrong: it swaps
    compatibility hanzi, which occur in names.
    """
    seen = text.translate(_REPLACED)
    seen = "".join(c for c in seen if unicodedata.category(c) not in {"Cc", "Cf"} and not _selector(c))
    return "".join(
        unicodedata.normalize("NFC", piece) if len(piece) > 1 else piece for piece in clusters(seen)
    )


def _selector(character: str) -> bool:
    """A variation selector: asks for another shape of the sign before it, and has none of its own."""
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


def clusters(text: str) -> Iterator[str]:
    """Each character together with the combining marks that follow it."""
    start = 0
    for index in range(1, len(text) + 1):
        if index == len(text) or columns(text[index]) > 0:
            yield text[start:index]
            start = index


def columns(text: str) -> int:
    """How many columns `text` takes at normal size."""
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if "!" <= character <= "~" or character == " ":
        return 1
    if unicodedata.category(character) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WFA" else 1


def wrap(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` columns, at least one (possibly empty).

    No line begins with closing or ends with opening punctuation and no number is cut, unless the piece alone
    is wider than the line: then it is cut, since losing it would be worse.
    """
    if width < 2:
        raise ValueError(f"no room for a hanzi in {width} columns")
    lines: list[str] = []
    line = ""
    for unit in _units(text):
        if _fits(line + unit.rstrip(), width):
            line += unit
            continue
        if line.strip():
            lines.append(line.rstrip())
            line = ""
        rest = unit.lstrip()
        while not _fits(rest, width):
            head = _head(rest, width)
            lines.append(head)
            rest = rest[len(head) :]
        line = rest
    if line.strip() or not lines:
        lines.append(line.rstrip())
    return lines


def balanced(text: str, width: int) -> list[str]:
    """`text` in as few lines as `wrap` needs, but of much the same length: no word is left alone below."""
    lines = wrap(text, width)
    if len(lines) == 1:
        return lines
    for narrower in range(columns(text) // len(lines), width):
        if narrower >= width // 2 and len(evened := wrap(text, narrower)) == len(lines):
            return evened
    return lines


def tidy(text: str, width: int) -> list[str]:
    """`wrap`, but no single hanzi is left alone on the last line."""
    lines = wrap(text, width)
    return balanced(text, width) if len(lines) > 1 and columns(lines[-1]) <= 2 else lines


def _fits(text: str, width: int) -> bool:
    """Whether `text` takes at most `width` columns; a text without end is not measured to its end."""
    taken = 0
    for character in text:
        taken += _columns(character)
        if taken > width:
            return False
    return True


def _units(text: str) -> Iterator[str]:
    """Pieces between which a line may break: closing signs cling to the left, opening ones to the right."""
    unit = ""
    for match in _PIECE.finditer(text):
        piece = match.group()
        if unit and not (piece[0] in _NO_START or unit[-1] in _NO_END):
            yield unit
            unit = ""
        unit += piece
    if unit:
        yield unit


def _head(text: str, width: int) -> str:
    """As much of the too wide `text` as fits, up to its last hyphen if one is there."""
    head = ""
    for cluster in clusters(text):
        if columns(head + cluster) > width:
            break
        head += cluster
    hyphen = head.rfind("-") + 1
    return head[:hyphen] if hyphen and columns(head[:hyphen]) > width // 2 else head
