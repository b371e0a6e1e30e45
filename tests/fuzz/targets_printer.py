"""What reads a printer's bytes, and what turns any text into them."""

from __future__ import annotations

from functools import partial

from clerk_app.devices.printer.columns import clean, columns
from clerk_app.devices.printer.encoder import Encoding, encode, missing
from clerk_app.devices.printer.layout import ROLLS, Cut, Page, Roll, Style
from clerk_app.devices.printer.simulator.interpreter import Interpreter
from clerk_app.devices.printer.simulator.mechanism import Mechanism
from clerk_app.devices.printer.simulator.paper import Paper
from clerk_app.devices.printer.status import Answers, Kind, real_time_question
from clerk_app.failures import Failure

_CHARSETS = ("gb18030", "gbk", "gb2312", "utf8", "none")
_SCALED = ("FS !", "FS W", "GS !", "ESC !")
_STYLES = (Style(), Style(2, 2, bold=True), Style(1, 2, underline=True), Style(2, 1, reverse=True))


def fuzz_printer_bytes(data: bytes) -> None:
    """The simulated printer takes any bytes; the first chooses which printer it is."""
    kind = data[0] if data else 0
    papers: list[Paper] = []
    interpreter = Interpreter(
        384 if kind & 1 else 576,
        _CHARSETS[kind % len(_CHARSETS)],
        papers.append,
        lambda: None,
        scaled_by=_SCALED[kind % len(_SCALED)],
    )
    for byte in data[1:]:
        interpreter.take(byte)
    interpreter.tear_off()


def fuzz_printer_line(data: bytes) -> None:
    """Bytes from the line in pieces, real-time commands among them; it answers every question afterwards."""
    answers = bytearray()
    mechanism = Mechanism(576, "gb18030", lambda paper: None, answers.extend)
    middle = len(data) // 2
    mechanism.receive(data[:middle])
    mechanism.receive(data[middle:])
    mechanism.disconnected()
    answers.clear()
    for which in (1, 2, 3, 4):
        mechanism.receive(real_time_question(which))
    assert bytes(answers) == b"\x12\x12\x12\x12"


def fuzz_printer_answers(data: bytes) -> None:
    """What a printer says is sorted whatever it says, and a byte counts for one question only."""
    answers = Answers()
    answers.hear(data)
    assert answers.trouble == (answers.reported.code if answers.reported else "")
    taken = sum(len(list(iter(partial(answers.take, kind), None))) for kind in Kind)
    assert taken <= len(data)


def fuzz_printer_text(data: bytes) -> None:
    """Any text in any encoding on any paper: bytes the printer reads back whole, or PRINTER-NO-GLYPH."""
    choice, text = data[:1] or b"\0", clean(data[1:200].decode("utf-8", "replace"))
    encoding = list(Encoding)[choice[0] % len(Encoding)]
    roll = ROLLS[58 if choice[0] & 0x40 else 80]
    lacking = missing(text, encoding)
    page = Page(roll)
    page.line(text, _STYLES[choice[0] >> 4 & 3])
    page.add(Cut())
    try:
        job = encode(page.elements, roll, encoding)
    except Failure as failure:
        assert failure.code == "PRINTER-NO-GLYPH"
        assert lacking
        return
    assert not lacking
    _read_back(job, roll, encoding, text)


def _read_back(job: bytes, roll: Roll, encoding: Encoding, text: str) -> None:
    papers: list[Paper] = []
    interpreter = Interpreter(roll.dots, encoding.value, papers.append, lambda: None)
    for byte in job:
        interpreter.take(byte)
    assert interpreter.unknown == []
    assert len(papers) == 1
    assert "□" not in papers[0].text or "□" in text
    assert all(columns(line) <= roll.columns for line in papers[0].text.splitlines() if "[" not in line)
