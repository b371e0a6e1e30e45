"""Every status byte there is, against the bits of the ESC/POS references (DLE EOT 1 to 4, GS a, GS r)."""

import pytest

from clerk_app.desk.ports import PaperState, PrinterStatus
from clerk_app.devices.printer.simulator.mechanism import Faults, Mechanism
from clerk_app.devices.printer.status import Answers, Kind, read_report, read_status

WELL = {1: 0x12, 2: 0x12, 3: 0x12, 4: 0x12}

# question -> mask of a bit -> what it means; bits that are missing say nothing of whether it can print.
DOCUMENTED = {
    1: {0x08: "PRINTER-OFFLINE", 0x20: "PRINTER-OFFLINE"},  # offline; waits for its button
    2: {0x04: "PRINTER-COVER-OPEN", 0x20: "PRINTER-PAPER-OUT", 0x40: "PRINTER-OFFLINE"},
    3: {0x04: "PRINTER-ERROR", 0x08: "PRINTER-CUTTER", 0x20: "PRINTER-ERROR", 0x40: "PRINTER-HOT"},
    4: {0x20: "PRINTER-PAPER-OUT", 0x40: "PRINTER-PAPER-OUT"},
}
REPORTED = {
    0: {0x08: "PRINTER-OFFLINE", 0x20: "PRINTER-COVER-OPEN"},
    1: {0x04: "PRINTER-ERROR", 0x08: "PRINTER-CUTTER", 0x20: "PRINTER-ERROR", 0x40: "PRINTER-HOT"},
    2: {0x04: "PRINTER-PAPER-OUT", 0x08: "PRINTER-PAPER-OUT"},
    3: {},
}
# Of several causes the one is told that a hand can cure first.
FIRST = (
    "PRINTER-COVER-OPEN",
    "PRINTER-PAPER-OUT",
    "PRINTER-CUTTER",
    "PRINTER-ERROR",
    "PRINTER-HOT",
    "PRINTER-OFFLINE",
    "",
)


def expected(byte: int, bits: dict[int, str]) -> str:
    meant = {code for mask, code in bits.items() if byte & mask} or {""}
    return min(meant, key=FIRST.index)


@pytest.mark.parametrize("question", [1, 2, 3, 4])
def test_every_byte_of_dle_eot(question) -> None:
    for byte in range(256):
        answers = Answers()
        answers.hear(bytes([byte]))
        heard = answers.take(Kind.REAL_TIME)
        if byte & 0b10010011 != 0b00010010:
            assert heard is None, f"{byte:02x} is no answer to DLE EOT"
            continue
        status = read_status({**WELL, question: byte})
        assert status.code == expected(byte, DOCUMENTED[question]), f"{question}: {byte:02x}"
        out = byte & {2: 0x20, 4: 0x60}.get(question, 0)
        near = question == 4 and byte & 0x0C
        paper = PaperState.OUT if out else PaperState.NEAR_END if near else PaperState.OK
        assert status.paper is paper, f"{question}: {byte:02x}"


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_every_byte_of_an_automatic_report(place) -> None:
    for byte in range(256):
        report = bytearray(b"\x10\x00\x00\x00")
        report[place] = byte
        answers = Answers()
        answers.hear(bytes(report))
        fits = byte & 0x93 == 0x10 if place == 0 else byte & 0x90 == 0x00
        if not fits:
            assert answers.reported is None, f"{bytes(report).hex()} is no report"
            continue
        status = answers.reported
        assert status == read_report(bytes(report))
        assert status.code == expected(byte, REPORTED[place]), bytes(report).hex()
        out, near = place == 2 and byte & 0x0C, place == 2 and byte & 0x03
        assert status.paper is (PaperState.OUT if out else PaperState.NEAR_END if near else PaperState.OK)
        assert answers.trouble == status.code
        assert answers.take(Kind.BUFFERED) is None, "no part of a report is an answer to GS r"


def test_every_byte_alone_is_sorted_into_one_kind() -> None:
    for byte in range(256):
        answers = Answers()
        answers.hear(bytes([byte]))
        real, buffered = answers.take(Kind.REAL_TIME), answers.take(Kind.BUFFERED)
        assert (real is not None) == (byte & 0x93 == 0x12)
        assert (buffered is not None) == (byte & 0x90 == 0x00)


def test_an_answer_between_the_bytes_of_a_report_is_heard_and_the_report_too() -> None:
    answers = Answers()
    answers.hear(b"\x18\x00\x12\x0c\x13\x00\x03")
    assert answers.take(Kind.REAL_TIME) == 0x12
    assert answers.trouble == "PRINTER-PAPER-OUT"
    assert answers.take(Kind.BUFFERED) == 0x03


def test_a_new_report_replaces_one_that_never_ended_and_one_that_is_old() -> None:
    answers = Answers()
    answers.hear(b"\x18\x00" + b"\x30\x00\x00\x00")
    assert answers.trouble == "PRINTER-COVER-OPEN"
    answers.hear(b"\x10\x00\x00\x00")
    assert answers.trouble == ""


@pytest.mark.parametrize(
    ("faults", "report", "status"),
    [
        (Faults(), "10000000", PrinterStatus(PaperState.OK)),
        (Faults(paper_near_end=True), "10000300", PrinterStatus(PaperState.NEAR_END)),
        (Faults(paper_out=True), "18000f00", PrinterStatus(PaperState.OUT, "PRINTER-PAPER-OUT")),
        (Faults(cover_open=True), "38000000", PrinterStatus(PaperState.OK, "PRINTER-COVER-OPEN")),
        (Faults(cutter_jammed=True), "18080000", PrinterStatus(PaperState.OK, "PRINTER-CUTTER")),
        (Faults(broken=True), "18200000", PrinterStatus(PaperState.OK, "PRINTER-ERROR")),
        (Faults(overheated=True), "18400000", PrinterStatus(PaperState.OK, "PRINTER-HOT")),
        (Faults(offline=True), "18000000", PrinterStatus(PaperState.OK, "PRINTER-OFFLINE")),
        (Faults(lies=True, paper_out=True), "10000000", PrinterStatus(PaperState.OK)),
    ],
)
def test_the_simulated_printer_reports_each_change_once_switched_on(faults, report, status) -> None:
    said = bytearray()
    mechanism = Mechanism(576, "gbk", lambda paper: None, said.extend)
    mechanism.set_faults(Faults(paper_near_end=True))
    assert said == b"", "off until asked for"
    mechanism.receive(b"\x1da\x0e")
    mechanism.set_faults(Faults())
    assert bytes(said) == bytes.fromhex("10000300 10000000")
    said.clear()
    mechanism.set_faults(faults)
    mechanism.set_faults(faults)
    assert said.hex() == (report if report != "10000000" else ""), "a change, once"
    assert read_report(bytes.fromhex(report)) == status


def test_a_silent_printer_reports_nothing() -> None:
    said = bytearray()
    mechanism = Mechanism(576, "gbk", lambda paper: None, said.extend)
    mechanism.set_faults(Faults(silent=True))
    mechanism.receive(b"\x1da\x0e")
    mechanism.set_faults(Faults(silent=True, paper_out=True))
    assert said == b""
