"""A template filled with a slip: what a hall may arrange, on a page of one width, in one or two languages."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from clerk_app.devices.printer.columns import clean, columns
from clerk_app.devices.printer.layout import (
    Align,
    Barcode,
    Drawer,
    Page,
    Picture,
    QrCode,
    Run,
    Style,
)
from clerk_app.devices.printer.layout import Line as PageLine
from clerk_app.devices.printer.templates.nodes import (
    BarcodeOf,
    Bilingual,
    Field,
    For,
    Gap,
    If,
    Look,
    Mark,
    Node,
    Place,
    QrOf,
    Row,
    Rule,
    Said,
    Size,
    Slot,
    Template,
    Text,
)
from clerk_app.devices.printer.templates.text import MODULES_AROUND, MODULES_EACH, QR_BYTES, barcode_holds
from clerk_app.devices.printer.templates.words import Word, told

_INDENT = 2  # of a value below its labels
_QUIET = 32  # dots above and below a QR code: four modules, or readers do not find it
_LARGEST = 7
# The most bytes a QR code of a version holds at error correction M (ISO/IEC 18004, table 7), from version 1.
_QR_HOLDS = (14, 26, 42, 62, 84, 106, 122)


@dataclass(slots=True)
class Drawing:
    """What is drawn on, and what the program itself puts where the template says so.

    `statement` draws the sentence of the law, `divide` ends one piece of paper and begins the next; `drawer`
    tells whether this is the print that opens it.
    """

    page: Page
    english: bool
    logo: Picture | None
    drawer: bool
    statement: Callable[[], None]
    divide: Callable[[], None]
    label_columns: int = 10
    _rows: list[tuple[str, str, str]] = field(default_factory=list)
    _divided: bool = False

    def draw(self, template: Template, slip: Any, words: Mapping[str, Word]) -> None:
        """All of `template` with the values of `slip`."""
        self.label_columns = template.label_columns
        self._nodes(template.body, _Values(words, slip))
        self._end_table()

    def centred(self, text: str, style: Style) -> None:
        """A centred text; where the paper is too narrow for it, each clause has its own line."""
        fits = columns(clean(text)) * style.width <= self.page.roll.columns
        for clause in (text,) if fits else re.split("(?<=，)", text):
            if clause.strip():
                self.page.centred(clause, style)

    def _nodes(self, nodes: tuple[Node, ...], values: _Values) -> None:
        for node in nodes:
            match node:
                case If():
                    holds = bool(values.raw(node.name)) != node.negated
                    self._nodes(node.then if holds else node.otherwise, values)
                case For():
                    rows = values.raw(node.name)
                    for each in rows:
                        self._nodes(node.body, values.inside(node.name, each))
                    if not rows:
                        self._nodes(node.otherwise, values)
                case Row():
                    self._begin_piece()
                    cells = (node.mark, node.text, node.detail)
                    mark, text, detail = (" ".join(self._both(cell, values)) for cell in cells)
                    self._rows.append((mark, text, detail))
                case Mark.CUT:
                    self._end_table()
                    self._divided = True
                case _:
                    self._end_table()
                    self._begin_piece()
                    self._one(node, values)

    def _begin_piece(self) -> None:
        """After a cut the next piece of paper begins with what follows; without anything there is none."""
        if self._divided:
            self._divided = False
            self.divide()

    def _end_table(self) -> None:
        if self._rows:
            self.page.table(self._rows)
            self._rows.clear()

    def _one(self, node: Node, values: _Values) -> None:
        page = self.page
        match node:
            case Said():
                self._said(node, values)
            case Field():
                self._field(node, values)
            case Rule():
                page.rule(node.sign)
            case Gap():
                page.space(node.dots)
            case QrOf():
                if _codable(data := values.text(node.data), QR_BYTES):
                    page.space(_QUIET)
                    page.add(_qr(data, page))
                    page.space(_QUIET)
            case BarcodeOf():
                if _codable(data := values.text(node.data), barcode_holds(page.roll)):
                    page.add(_barcode(data, page, node.height))
            case Mark.LOGO if self.logo is not None:
                page.add(self.logo)
                page.space(8)
            case Mark.DRAWER if self.drawer:
                page.add(Drawer())
            case Mark.RULER:
                signs = "".join(str(place % 10) for place in range(1, page.roll.columns + 1))
                page.add(PageLine((Run(signs),)))
            case Mark.STATEMENT:
                self.statement()

    def _said(self, node: Said, values: _Values) -> None:
        """Below each other in the centre, elsewhere beside each other: so the languages stand."""
        said = self._both(node.text, values)
        if not said:
            return
        page = self.page
        if node.place is not Place.CENTRE:
            text = " ".join(said)
            style = self._style(node.look, text, page.roll.columns)
            if node.place is Place.BANNER:
                page.banner(text, style)
            else:
                page.line(text, style, Align.LEFT if node.place is Place.LEFT else Align.RIGHT)
            return
        zh = values.text(node.text.zh)
        if zh.strip():
            self.centred(zh, self._style(node.look, zh, page.roll.columns))
        if self.english and (en := values.text(node.text.en)).strip():
            page.centred(en)

    def _field(self, node: Field, values: _Values) -> None:
        """Label and value on one line; with English both labels above, the value below them."""
        value = values.text(node.value.zh)
        if not value.strip():
            return
        page = self.page
        indent = _INDENT if self.english else self.label_columns
        style = self._style(node.look, value, page.roll.columns - indent)
        if not self.english:
            page.field(values.text(node.label.zh), value, indent, style)
            return
        if labels := " ".join(self._both(node.label, values)):
            page.line(labels)
        page.field("", value, indent, style)
        if (english := values.text(node.value.en)).strip():
            page.field("", english, indent)

    def _both(self, text: Bilingual, values: _Values) -> list[str]:
        said = [values.text(text.zh)]
        if self.english:
            said.append(values.text(text.en))
        return [part for part in said if part.strip()]

    @staticmethod
    def _style(look: Look, text: str, room: int) -> Style:
        taken = max(columns(clean(text)), 1)
        match look.size:
            case Size.FIT:
                size = 2 if taken * 2 <= room else 1
            case Size.LARGEST:
                size = max(1, min(_LARGEST, (room - 4) // taken))
            case _:
                return look.style
        return replace(look.style, width=size, height=size, bold=True)


@dataclass(frozen=True, slots=True)
class _Values:
    """The values of a slip, and of the row that is gone through."""

    words: Mapping[str, Word]
    slip: Any
    row: Any = None
    row_words: Mapping[str, Word] = field(default_factory=dict)

    def inside(self, name: str, row: Any) -> _Values:
        return replace(self, row=row, row_words=self.words[name].inside)

    def raw(self, name: str) -> Any:
        if name in self.row_words:
            return self.row_words[name].value(self.row)
        return self.words[name].value(self.slip)

    def text(self, text: Text) -> str:
        parts = (
            told(part.kind, self.raw(part.name), part.format) if isinstance(part, Slot) else part
            for part in text
        )
        return "".join(parts)


def _codable(data: str, most: int) -> bool:
    """A number of another kind than ours, or none yet, stands on the slip in letters only."""
    return 0 < len(data) <= most and data.isascii() and data.isprintable()


def _qr(data: str, page: Page) -> QrCode:
    """A QR code with the largest squares, up to 1 mm (80 mm paper) that leave it its quiet zones."""
    version = next((v for v, holds in enumerate(_QR_HOLDS, 1) if len(data) <= holds), len(_QR_HOLDS) + 1)
    side = 17 + 4 * version + 8
    return QrCode(data, min(8 if page.roll.columns >= 48 else 7, page.roll.dots // side))


def _barcode(data: str, page: Page, height: int) -> Barcode:
    """CODE128 in set B with the widest bars, up to 3 dots, that leave the line its quiet zones.

    Start, check and each character are 11 modules wide, the stop 13. On 58 mm a case number has 2 dots a
    module; the quiet zone then reaches into the unprinted margin of the paper.
    """
    modules = MODULES_EACH * len(data) + MODULES_AROUND
    return Barcode(data, max(1, min(3, page.roll.dots // modules)), height)
