"""The text of one line of a template: places in braces, two languages, style words, what a code can hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from clerk_app.devices.printer.columns import columns
from clerk_app.devices.printer.layout import ROLLS, Roll, Style
from clerk_app.devices.printer.templates.nodes import Bilingual, Look, Size, Slot, Text
from clerk_app.devices.printer.templates.words import FORMATS, Kind, Word

Missing = Callable[[str], Sequence[str]]
"""The characters of a text that this workstation cannot put on paper, each once."""

MODULES_AROUND = 35  # start, check and stop of CODE128
MODULES_EACH = 11
QR_BYTES = 120
_LONGEST = {Kind.NUMBER: 15, Kind.CODE: 12}
_SLOT = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_STYLES = ("bold", "underline", "wide", "tall", "double", "fit", "largest")


class Wrong(Exception):
    """What is wrong with a line; the reader of the file adds its name and the number of the line."""


def read_text(raw: str, words: Mapping[str, Word], missing: Missing) -> Text:
    """`raw` with its places found. `{{` and `}}` are the braces themselves."""
    parts: list[str | Slot] = []
    at = 0
    for match in _SLOT.finditer(raw):
        parts.append(raw[at : match.start()])
        at = match.end()
        if match[0] in ("{{", "}}"):
            parts.append(match[0][0])
        elif match[1] is None:
            raise Wrong("a brace without its other half; write {{ or }} for the sign itself")
        else:
            parts.append(_slot(match[1], words))
    parts.append(raw[at:])
    for sign in missing(literal(parts)):
        raise Wrong(f"neither the printer nor a font here has {sign}")
    return tuple(part for part in parts if part != "")


def literal(text: Sequence[str | Slot]) -> str:
    """What stands in `text` whatever the values are."""
    return "".join(part for part in text if isinstance(part, str))


def _slot(inside: str, words: Mapping[str, Word]) -> Slot:
    name, _, format_ = (part.strip() for part in inside.partition(":"))
    word = words.get(name)
    if word is None:
        raise Wrong(f"unknown placeholder {{{name}}}")
    if word.kind is Kind.FLAG:
        raise Wrong(f"{{{name}}} has no text; ask for it with: if {name}")
    if format_ and format_ not in FORMATS.get(word.kind, ()):
        raise Wrong(f"unknown format {{{name}:{format_}}}")
    return Slot(name, word.kind, format_)


def read_bilingual(raw: str, words: Mapping[str, Word], missing: Missing) -> Bilingual:
    """`中文 || English`, or one language."""
    zh, *more = (part.strip() for part in raw.split("||"))
    if len(more) > 1:
        raise Wrong("more than one ||")
    return Bilingual(read_text(zh, words, missing), read_text(more[0] if more else "", words, missing))


def read_look(options: str, *, largest: bool = False) -> Look:
    """The style words in the parentheses of a directive."""
    style, size = Style(), Size.GIVEN
    for option in options.replace(",", " ").split():
        match option:
            case "bold":
                style = replace(style, bold=True)
            case "underline":
                style = replace(style, underline=True)
            case "wide":
                style = replace(style, width=2)
            case "tall":
                style = replace(style, height=2)
            case "double":
                style = replace(style, width=2, height=2)
            case "fit":
                size = Size.FIT
            case "largest" if largest:
                size = Size.LARGEST
            case "largest":
                raise Wrong("largest is for centre alone")
            case _:
                raise Wrong(f"unknown style {option}; there are {', '.join(_STYLES)}")
    return Look(style, size)


def checked_qr(text: Text) -> Text:
    """`text` when a QR code of it fits every paper."""
    if _code_length(text, "a QR code") > QR_BYTES:
        raise Wrong(f"too wide: a QR code holds {QR_BYTES} characters here")
    return text


def checked_barcode(text: Text) -> Text:
    """`text` when a CODE128 of it fits 58 mm paper."""
    length = _code_length(text, "a barcode")
    room = barcode_holds(ROLLS[58])
    if length > room:
        raise Wrong(f"too wide: a barcode of {length} characters, 58 mm paper has room for {room}")
    return text


def barcode_holds(roll: Roll) -> int:
    """The most characters of a CODE128 on `roll`."""
    return (roll.dots - MODULES_AROUND) // MODULES_EACH


def _code_length(text: Text, what: str) -> int:
    """The most characters `text` can have. Codes hold Latin letters, and no value that may be another."""
    length = 0
    for part in text:
        if isinstance(part, Slot):
            if part.kind not in _LONGEST:
                raise Wrong(f"{what} cannot hold {{{part.name}}}, only the number")
            length += _LONGEST[part.kind]
        elif not (part.isascii() and part.isprintable()):
            raise Wrong(f"{what} holds Latin letters, digits and signs only")
        else:
            length += len(part)
    if not length:
        raise Wrong(f"{what} of nothing")
    return length


def literal_columns(text: Text) -> int:
    """The width of `text`, which holds no place for a value."""
    if any(isinstance(part, Slot) for part in text):
        raise Wrong("a label cannot hold a placeholder")
    return columns("".join(str(part) for part in text))


def mark_columns(text: Text) -> int:
    """The most columns the mark of a row can take; it holds counts and signs."""
    width = 0
    for part in text:
        if isinstance(part, Slot):
            if part.kind is not Kind.COUNT:
                raise Wrong(f"the first cell of a row is for a number, not for {{{part.name}}}")
            width += 4
        else:
            width += columns(part)
    return width
