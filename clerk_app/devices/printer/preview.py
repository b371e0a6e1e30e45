"""A slip before it is printed: the simulated printer reads the bytes the real one would get."""

from __future__ import annotations

from clerk_app.desk.ports import Preview
from clerk_app.devices.printer.encoder import Encoding, encode
from clerk_app.devices.printer.interpreter import Interpreter
from clerk_app.devices.printer.layout import Element, Roll
from clerk_app.devices.printer.paper import Paper


def preview(elements: tuple[Element, ...], roll: Roll, encoding: Encoding) -> Preview:
    """The paper that `elements` come out as. Raises what `encode` raises."""
    papers: list[Paper] = []
    printer = Interpreter(roll.dots, encoding.value, papers.append, lambda: None)
    for byte in encode(elements, roll, encoding):
        printer.take(byte)
    paper = papers[0] if papers else printer.tear_off()
    return Preview(paper.png, paper.text)
