"""A slip before it is printed: the simulated printer reads the bytes the real one would get."""

from __future__ import annotations

from dataclasses import replace

from clerk_app.desk.ports import Preview
from clerk_app.devices.printer.columns import clusters, columns
from clerk_app.devices.printer.encoder import Encoding, encode, missing
from clerk_app.devices.printer.layout import Element, Line, Roll, as_text
from clerk_app.devices.printer.simulator.interpreter import Interpreter
from clerk_app.devices.printer.simulator.paper import Paper, together

_GETA = "〓"  # stands for a type that is missing, in Chinese printing as in GB 2312


def preview(elements: tuple[Element, ...], roll: Roll, encoding: Encoding) -> Preview:
    """The paper that `elements` come out as; characters nobody can write are named, and 〓 in the picture.

    The text is that of the elements: what is drawn as dots is a picture to the printer, not to the reader.
    """
    lacking = _missing(elements, encoding)
    shown = tuple(_without(element, lacking) for element in elements) if lacking else elements
    papers: list[Paper] = []
    printer = Interpreter(roll.dots, encoding.value, papers.append, lambda: None)
    for byte in encode(shown, roll, encoding):
        printer.take(byte)
    png = together(papers or [printer.tear_off()])
    return Preview(png, as_text(elements, roll), missing=lacking)


def _missing(elements: tuple[Element, ...], encoding: Encoding) -> tuple[str, ...]:
    texts = (element.text for element in elements if isinstance(element, Line))
    return tuple(dict.fromkeys(sign for text in texts for sign in missing(text, encoding)))


def _without(element: Element, lacking: tuple[str, ...]) -> Element:
    if not isinstance(element, Line):
        return element
    return replace(
        element, runs=tuple(replace(run, text=_replaced(run.text, lacking)) for run in element.runs)
    )


def _replaced(text: str, lacking: tuple[str, ...]) -> str:
    """In the same columns: 〓 where there is room for it."""
    return "".join(
        (_GETA if columns(sign) == 2 else "?" * columns(sign)) if sign in lacking else sign
        for sign in clusters(text)
    )
