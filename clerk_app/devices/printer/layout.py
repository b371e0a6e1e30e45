"""A slip as a printer sees it: lines of styled runs, codes, space and a cut, measured in columns.

Nothing here knows a printer language; `encoder` turns the elements into bytes, `as_text` into text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from clerk_app.devices.printer.columns import balanced, clean, columns, tidy

COLUMN_DOTS = 12  # a Latin letter is 12 dots wide, a hanzi 24, both 24 high
ROW_DOTS = 24
LEADING_DOTS = 8


@dataclass(frozen=True, slots=True)
class Roll:
    """Paper of one width: millimetres of the roll, and the columns a line holds."""

    millimetres: int
    columns: int

    @property
    def dots(self) -> int:
        """Printable dots of a line: 576 on 80 mm, 384 on 58 mm."""
        return self.columns * COLUMN_DOTS


ROLLS = {80: Roll(80, 48), 58: Roll(58, 32)}


class Align(Enum):
    LEFT = 0
    CENTRE = 1
    RIGHT = 2


@dataclass(frozen=True, slots=True)
class Style:
    """`width` and `height` multiply the normal letter, 1 to 8; `reverse` is white on black."""

    width: int = 1
    height: int = 1
    bold: bool = False
    underline: bool = False
    reverse: bool = False


PLAIN = Style()
BOLD = Style(bold=True)
TITLE = Style(2, 2, bold=True)


@dataclass(frozen=True, slots=True)
class Run:
    text: str
    style: Style = PLAIN

    @property
    def columns(self) -> int:
        return columns(self.text) * self.style.width


@dataclass(frozen=True, slots=True)
class Line:
    runs: tuple[Run, ...]
    align: Align = Align.LEFT

    @property
    def columns(self) -> int:
        return sum(run.columns for run in self.runs)

    @property
    def height(self) -> int:
        return max((run.style.height for run in self.runs), default=1)

    @property
    def text(self) -> str:
        return "".join(run.text for run in self.runs)


@dataclass(frozen=True, slots=True)
class QrCode:
    """A QR code of `data`, centred; `module` is the side of one square in dots."""

    data: str
    module: int


@dataclass(frozen=True, slots=True)
class Barcode:
    """CODE128 of `data`, centred; `module` is the thinnest bar in dots."""

    data: str
    module: int
    height: int = 80


@dataclass(frozen=True, slots=True)
class Picture:
    """Dots, centred: rows from the top, each `width` / 8 bytes, the highest bit leftmost, 1 is black.

    `width` is a multiple of eight; a picture wider than the paper is a bug of the layout. `name` is what
    stands for it in text.
    """

    width: int
    rows: bytes
    name: str = "logo"

    @property
    def height(self) -> int:
        return len(self.rows) // (self.width // 8)


@dataclass(frozen=True, slots=True)
class Drawer:
    """Open the cash drawer that hangs on the printer. Leaves nothing on paper."""


@dataclass(frozen=True, slots=True)
class Space:
    """Blank paper, in dots of 1/8 mm (a printer with other units feeds its own)."""

    dots: int


@dataclass(frozen=True, slots=True)
class Cut:
    """Feed to the knife and cut, leaving a bridge that keeps the slip from falling."""


Element = Line | QrCode | Barcode | Picture | Space | Drawer | Cut


class Page:
    """Elements gathered from top to bottom for one width of paper."""

    def __init__(self, roll: Roll) -> None:
        self.roll = roll
        self._elements: list[Element] = []

    @property
    def elements(self) -> tuple[Element, ...]:
        return tuple(self._elements)

    def add(self, *elements: Element) -> None:
        self._elements.extend(elements)

    def line(self, text: str, style: Style = PLAIN, align: Align = Align.LEFT) -> None:
        """`text` over as many lines as it needs; centred ones are of much the same length."""
        broken = balanced if align is Align.CENTRE else tidy
        for part in broken(clean(text), self.roll.columns // style.width):
            self.add(Line((Run(part, style),), align))

    def centred(self, text: str, style: Style = PLAIN) -> None:
        self.line(text, style, Align.CENTRE)

    def rule(self, sign: str = "-") -> None:
        self.add(Line((Run(sign * self.roll.columns),)))

    def space(self, dots: int) -> None:
        self.add(Space(dots))

    def banner(self, text: str, style: Style = TITLE) -> None:
        """White on black from edge to edge. Where a printer cannot reverse, the same words stay, in black."""
        style = replace(style, reverse=True)
        width = self.roll.columns // style.width
        for part in balanced(clean(text), width):
            left = (width - columns(part)) // 2
            filled = " " * left + part + " " * (width - left - columns(part))
            self.add(Line((Run(filled, style),)))

    def field(self, label: str, value: str, label_columns: int, style: Style = PLAIN) -> None:
        """A label and its value beside it; the value's further lines begin under its first."""
        label = clean(label)
        values = tidy(clean(value), (self.roll.columns - label_columns) // style.width)
        self.add(Line((Run(_padded(label, label_columns)), Run(values[0], style))))
        for more in values[1:]:
            self.add(Line((Run(" " * label_columns), Run(more, style))))

    def table(self, rows: Sequence[tuple[str, str, str]]) -> None:
        """Rows of (mark, text, detail): the mark hangs on the left, details share one column on the right.

        Where details and text cannot share a line (58 mm paper), each detail goes under its text; a text
        without one has the whole line.
        """
        rows = [(clean(mark), clean(text), clean(detail)) for mark, text, detail in rows]
        marks = max((columns(mark) for mark, _, _ in rows), default=0) + 1
        details = max((columns(detail) for _, _, detail in rows), default=0)
        beside = self.roll.columns - marks - details - 2
        for mark, text, detail in rows:
            if beside >= 16 and detail:
                texts = tidy(text, beside)
                first = _padded(_padded(mark, marks) + texts[0], marks + beside + 2) + detail
                self.add(Line((Run(first),)))
            else:
                texts = tidy(text, self.roll.columns - marks)
                self.add(Line((Run((_padded(mark, marks) + texts[0]).rstrip()),)))
            for more in texts[1:]:
                self.add(Line((Run(" " * marks + more),)))
            if beside < 16 and detail:
                for part in tidy(detail, self.roll.columns - marks):
                    self.add(Line((Run(" " * marks + part),)))


def _padded(text: str, width: int) -> str:
    return text + " " * (width - columns(text))


def as_text(elements: Sequence[Element], roll: Roll) -> str:
    """The page as plain text, centred lines moved to where the printer puts them; for tests and previews."""
    return "\n".join(_text_lines(elements, roll)) + "\n"


def _text_lines(elements: Sequence[Element], roll: Roll) -> Iterator[str]:
    for element in elements:
        match element:
            case Line():
                free = roll.columns - element.columns
                shift = {Align.LEFT: 0, Align.CENTRE: free // 2, Align.RIGHT: free}[element.align]
                yield (" " * shift + element.text).rstrip()
            case QrCode():
                yield f"[QR {element.data}]"
            case Barcode():
                yield f"[CODE128 {element.data}]"
            case Picture():
                yield f"[{element.name}]"
            case Drawer():
                yield "[drawer]"
            case Cut():
                yield "[cut]"
            case Space():
                pass
