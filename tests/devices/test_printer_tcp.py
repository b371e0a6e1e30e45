"""Printing over TCP against a printer with every fault: what may be called printed, failed, unknown."""

import re
import socket
import threading
import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import pytest
from PIL import Image

from clerk_app import failures
from clerk_app.desk.ports import PaperState, PrintOutcome
from clerk_app.devices import printer
from clerk_app.devices.printer.command import sample
from clerk_app.devices.printer.printer import EscPosPrinter, Limits, printer_from_settings, printer_from_url
from clerk_app.devices.printer.simulator.printer import NO_FAULTS, Faults, SimulatedPrinter
from clerk_app.devices.printer.status import Answers, Kind
from clerk_app.devices.printer.templates.loading import source
from clerk_app.domain.documents import TicketSlip
from clerk_app.failures import Failure
from clerk_app.settings import PrinterSettings

QUICK = Limits(connect=2.0, answer=0.25, send=2.0, confirm=0.6, look=0.1)
RECEIPT = sample("receipt")
TICKET = sample("ticket")


@pytest.fixture
def simulator():
    with SimulatedPrinter() as simulated:
        yield simulated
        assert simulated.unknown == []


def printer_at(simulator: SimulatedPrinter, **settings):
    return printer_from_url(simulator.url, limits=QUICK, **settings)


@pytest.mark.parametrize("width", [80, 58])
@pytest.mark.parametrize("encoding", ["gb18030", "gbk", "gb2312", "utf8"])
def test_a_healthy_printer_confirms_and_the_slip_is_on_the_paper(width, encoding) -> None:
    with SimulatedPrinter(width=width, charset=encoding) as simulator:
        result = printer_at(simulator, width=width, encoding=encoding).print(RECEIPT)
        assert (result.outcome, result.code) == (PrintOutcome.PRINTED, "")
        (paper,) = simulator.papers
        assert simulator.unknown == []
    for words in ("收件凭证", "社会保障卡补领", "510704********0000", "已于 10:41 受理", "练习"):
        assert words in paper.text
    assert "□" not in paper.text, "no box for a character the printer lacks"
    assert "�" not in paper.text


def test_one_job_is_one_connection(simulator) -> None:
    at_window = printer_at(simulator)
    at_window.print(TICKET)
    at_window.print(TICKET)
    at_window.status()
    simulator.wait_for_hang_ups(3)
    assert len(simulator.papers) == 2


def test_a_reprint_is_marked_on_paper(simulator) -> None:
    printer_at(simulator).print(RECEIPT, reprint=2)
    assert "补打 第2次" in simulator.papers[0].text


@pytest.mark.parametrize(
    ("fault", "paper", "code"),
    [
        (NO_FAULTS, PaperState.OK, ""),
        (Faults(paper_near_end=True), PaperState.NEAR_END, ""),
        (Faults(paper_out=True), PaperState.OUT, "PRINTER-PAPER-OUT"),
        (Faults(cover_open=True), PaperState.OK, "PRINTER-COVER-OPEN"),
        (Faults(cover_open=True, paper_out=True), PaperState.OUT, "PRINTER-COVER-OPEN"),
        (Faults(cutter_jammed=True), PaperState.OK, "PRINTER-CUTTER"),
        (Faults(broken=True), PaperState.OK, "PRINTER-ERROR"),
        (Faults(overheated=True), PaperState.OK, "PRINTER-HOT"),
        (Faults(offline=True), PaperState.OK, "PRINTER-OFFLINE"),
        (Faults(silent=True), PaperState.UNKNOWN, "PRINTER-SILENT"),
        (Faults(refuses=True), PaperState.UNKNOWN, "PRINTER-UNREACHABLE"),
        (Faults(hangs_up_after_bytes=0), PaperState.UNKNOWN, "PRINTER-LOST"),
    ],
)
def test_the_status_names_what_is_wrong(simulator, fault, paper, code) -> None:
    simulator.set_faults(fault)
    status = printer_at(simulator).status()
    assert (status.paper, status.code, status.ready) == (paper, code, not code)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Faults(paper_out=True), "PRINTER-PAPER-OUT"),
        (Faults(cover_open=True), "PRINTER-COVER-OPEN"),
        (Faults(cutter_jammed=True), "PRINTER-CUTTER"),
        (Faults(broken=True), "PRINTER-ERROR"),
        (Faults(overheated=True), "PRINTER-HOT"),
        (Faults(offline=True), "PRINTER-OFFLINE"),
        (Faults(refuses=True), "PRINTER-UNREACHABLE"),
    ],
)
def test_what_is_wrong_before_the_first_byte_is_failed_and_leaves_no_paper(simulator, fault, code) -> None:
    simulator.set_faults(fault)
    result = printer_at(simulator).print(RECEIPT)
    assert (result.outcome, result.code) == (PrintOutcome.FAILED, code)
    simulator.set_faults(NO_FAULTS)
    assert simulator.tear_off().text == "", "repaired, it has nothing in its buffer to print late"
    assert printer_at(simulator).print(RECEIPT).outcome is PrintOutcome.PRINTED
    assert len(simulator.papers) == 1


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Faults(paper_out_after_lines=5), "PRINTER-PAPER-OUT"),
        (Faults(silent=True), "PRINTER-SILENT"),
        (Faults(no_buffered_answer=True), "PRINTER-UNCONFIRMED"),
        (Faults(hangs_up_after_bytes=300), "PRINTER-LOST"),
        (Faults(hangs_up_after_bytes=1), "PRINTER-LOST"),
    ],
)
def test_what_goes_wrong_after_the_first_byte_is_unknown(simulator, fault, code) -> None:
    simulator.set_faults(fault)
    result = printer_at(simulator).print(RECEIPT)
    assert (result.outcome, result.code) == (PrintOutcome.UNKNOWN, code)


def test_paper_that_runs_out_in_the_middle_leaves_half_a_slip_and_no_false_success(simulator) -> None:
    simulator.set_faults(Faults(paper_out_after_lines=5))
    assert printer_at(simulator).print(RECEIPT).outcome is PrintOutcome.UNKNOWN
    assert simulator.papers == []
    half = simulator.tear_off().text
    assert "收件凭证" in half
    assert "监督电话" not in half


def test_a_silent_printer_printed_all_the_same_which_is_why_it_is_unknown(simulator) -> None:
    simulator.set_faults(Faults(silent=True))
    assert printer_at(simulator).print(TICKET).code == "PRINTER-SILENT"
    assert "A037" in simulator.wait_for_papers(1)[0].text


def test_a_model_without_buffered_answers_confirms_by_its_state(simulator) -> None:
    simulator.set_faults(Faults(no_buffered_answer=True))
    result = printer_at(simulator, buffered_answer=False).print(TICKET)
    assert result.outcome is PrintOutcome.PRINTED


def test_such_a_model_that_ran_out_of_paper_by_then_is_not_believed(simulator) -> None:
    simulator.set_faults(Faults(no_buffered_answer=True, paper_out_after_lines=5))
    result = printer_at(simulator, buffered_answer=False).print(RECEIPT)
    assert (result.outcome, result.code) == (PrintOutcome.UNKNOWN, "PRINTER-PAPER-OUT")


def test_a_printer_that_hangs_up_politely_is_lost_at_once_not_silent_later() -> None:
    door = socket.create_server(("127.0.0.1", 0))

    def hang_up() -> None:
        with door, door.accept()[0] as client:
            client.recv(3)

    thread = threading.Thread(target=hang_up)
    thread.start()
    status = printer_from_url(f"tcp://127.0.0.1:{door.getsockname()[1]}").status()
    thread.join()
    assert status.code == "PRINTER-LOST"


def test_a_slow_printer_is_waited_for(simulator) -> None:
    simulator.set_faults(Faults(bytes_per_second=4000))
    patient = replace(QUICK, answer=3.0, confirm=5.0)
    result = printer_from_url(simulator.url, limits=patient).print(TICKET)
    assert result.outcome is PrintOutcome.PRINTED


def test_a_character_without_a_glyph_stops_the_slip_before_the_printer_hears_of_it(simulator) -> None:
    result = printer_at(simulator).print(replace(RECEIPT, applicant="王\ue5e5"))
    assert (result.outcome, result.code, result.detail) == (
        PrintOutcome.FAILED,
        "PRINTER-NO-GLYPH",
        "U+E5E5",
    )
    assert simulator.tear_off().text == ""


def test_commands_hidden_in_a_name_are_not_obeyed(simulator) -> None:
    slip = replace(TICKET, queue="综合\x1b@\x1dV\x00\x10\x04\x01业务")
    assert printer_at(simulator).print(slip).outcome is PrintOutcome.PRINTED
    (paper,) = simulator.papers
    assert "综合@V业务" in paper.text


def scripted(answers: bytes) -> tuple[str, threading.Thread]:
    """A printer that says `answers` to whoever connects, whatever is asked, and listens until they leave."""
    door = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with door, door.accept()[0] as client:
            client.sendall(answers)
            while client.recv(4096):
                pass

    thread = threading.Thread(target=serve)
    thread.start()
    return f"tcp://127.0.0.1:{door.getsockname()[1]}", thread


@pytest.mark.parametrize("noise", [b"\x11\x13", b"\xff\x80", b"\x10\x00\x00\x00", b"\x14\x00\x00\x0f" * 3])
def test_bytes_nobody_asked_for_are_no_confirmation(noise) -> None:
    url, thread = scripted(noise * 10)
    result = printer_from_url(url, limits=QUICK).print(TICKET)
    thread.join()
    assert (result.outcome, result.code) == (PrintOutcome.UNKNOWN, "PRINTER-SILENT")


def test_answers_given_before_the_question_do_not_count() -> None:
    url, thread = scripted(b"\x12\x12\x12\x12")
    status = printer_from_url(url, limits=QUICK).status()
    thread.join()
    assert status.code == "PRINTER-SILENT"


def test_answers_are_sorted_by_their_bits_and_reports_dropped_whole() -> None:
    answers = Answers()
    answers.hear(b"\x10\x00")
    answers.hear(b"\x0f\x00\x13\x12\x03\x1a")
    assert [answers.take(Kind.REAL_TIME) for _ in range(3)] == [0x12, 0x1A, None]
    assert [answers.take(Kind.BUFFERED) for _ in range(2)] == [0x03, None]


@pytest.mark.parametrize(
    ("url", "settings"),
    [
        ("lpt://1", {}),
        ("tcp://", {}),
        ("tcp://printer:99999", {}),
        ("tcp://printer/queue", {}),
        ("tcp://printer", {"width": 70}),
        ("tcp://printer", {"encoding": "big5"}),
        ("tcp://printer", {"language": "fr"}),
    ],
)
def test_a_wrong_setting_is_refused_when_it_is_read(url, settings) -> None:
    with pytest.raises(Failure) as caught:
        printer_from_url(url, **settings)
    assert caught.value.code == "PRINTER-SETTING"


def test_the_codes_of_this_package_are_those_of_its_file_each_with_text_in_both_languages() -> None:
    files = Path(printer.__file__).parent.rglob("*.py")
    source = "".join(file.read_text("utf-8") for file in files)
    used = set(re.findall(r'"(PRINTER-[A-Z-]+)"', source))
    written = tomllib.loads((resources.files("resources") / "failures/printer.toml").read_text("utf-8"))
    assert used == set(written)
    for code in used:
        for language in ("zh", "en"):
            text = failures.text(code, language)
            assert text.sentence
            assert text.action


def test_a_ticket_without_practice_prints_without_bars(simulator) -> None:
    slip = TicketSlip("B001", "样例政务服务中心", "综合业务", datetime(2026, 3, 2, tzinfo=UTC), ahead=0)
    printer_at(simulator).print(slip)
    assert "练习" not in simulator.papers[0].text


def test_two_copies_are_two_papers_of_one_job_the_second_for_the_office(simulator) -> None:
    assert printer_at(simulator, copies=2).print(RECEIPT).outcome is PrintOutcome.PRINTED
    first, second = simulator.papers
    assert "存根" not in first.text
    assert "存根" in second.text
    assert RECEIPT.number[-4:] in second.text
    simulator.wait_for_hang_ups(1)


def test_only_a_receipt_voucher_has_copies_and_a_drawer(simulator) -> None:
    printer_at(simulator, copies=2, drawer=True).print(TICKET)
    (paper,) = simulator.papers
    assert "[drawer]" not in paper.text


def test_the_drawer_opens_once_and_not_for_a_reprint(simulator) -> None:
    printer = printer_at(simulator, copies=2, drawer=True)
    printer.print(RECEIPT)
    assert simulator.tear_off().text == "[drawer]\n"
    printer.print(RECEIPT, reprint=1)
    assert len(simulator.wait_for_papers(4)) == 4
    assert simulator.tear_off().text == ""


def test_a_template_and_the_settings_together_open_the_drawer_once(simulator, tmp_path) -> None:
    (tmp_path / "receipt.slip").write_text(f"drawer\n{source('receipt')}", encoding="utf-8")
    told = PrinterSettings(url=simulator.url, copies=2, drawer=True, templates=str(tmp_path))
    assert printer_from_settings(told).print(RECEIPT).outcome is PrintOutcome.PRINTED
    whole = "".join(paper.text for paper in simulator.papers) + simulator.tear_off().text
    assert whole.count("[drawer]") == 1
    assert len(simulator.papers) == 2


def test_the_printer_is_that_of_the_settings(tmp_path) -> None:
    Image.new("L", (80, 40), 0).save(tmp_path / "logo.png")
    with SimulatedPrinter(width=58, charset="none") as simulator:
        told = PrinterSettings(
            url=simulator.url,
            width=58,
            encoding="raster",
            copies=2,
            drawer=True,
            logo=str(tmp_path / "logo.png"),
        )
        printer = printer_from_settings(told)
        assert (printer.setup.address, printer.setup.width) == (simulator.url, 58)
        assert printer.print(RECEIPT).outcome is PrintOutcome.PRINTED
        assert len(simulator.papers) == 2
        assert simulator.tear_off().text == "[drawer]\n"
        assert simulator.papers[0].image.width < 576
        assert simulator.unknown == []


def test_a_model_that_does_not_confirm_is_set_so(simulator) -> None:
    simulator.set_faults(Faults(no_buffered_answer=True))
    printer = printer_from_settings(PrinterSettings(url=simulator.url, confirms=False))
    assert printer.print(TICKET).outcome is PrintOutcome.PRINTED


def test_a_preview_asks_no_printer_and_names_what_nobody_can_write() -> None:
    printer = printer_from_url("tcp://192.0.2.1")
    seen = printer.preview(replace(RECEIPT, applicant="王\ue5e5"))
    assert seen.missing == ("\ue5e5",)
    assert seen.png.startswith(b"\x89PNG")
    assert "王\ue5e5" in seen.text
    whole = printer.preview(replace(RECEIPT, applicant="𠮷䶮"))
    assert whole.missing == ()
    assert "𠮷䶮" in whole.text, "drawn as dots on paper, and yet to be read here"


def test_a_printer_never_keeps_reporting_to_whoever_comes_next(simulator) -> None:
    printer_at(simulator).print(TICKET)
    with socket.create_connection(("127.0.0.1", simulator.port), 2) as line:
        line.sendall(b"\x10\x04\x01")
        assert line.recv(16) == b"\x12"
        simulator.set_faults(Faults(paper_near_end=True))
        line.sendall(b"\x10\x04\x04")
        assert line.recv(16) == b"\x1e", "no report before the answer"


NAME_IN_DOTS = replace(RECEIPT, applicant="𠮷田〇")
PLACES = range(50, 10_000, 89)  # all over the job, headers and dots of its picture among them


@pytest.fixture
def cut_off():
    """A printer whose lines break: half a command is none it knows."""
    with SimulatedPrinter() as simulated:
        yield simulated


def broken_off(simulator: SimulatedPrinter, at_window: EscPosPrinter, place: int) -> bool:
    """Print until the line breaks after `place` bytes; False when the job is not that long."""
    simulator.take_papers()
    simulator.set_faults(Faults(hangs_up_after_bytes=place))
    outcome = at_window.print(NAME_IN_DOTS).outcome
    simulator.set_faults(NO_FAULTS)
    simulator.tear_off()
    return outcome is PrintOutcome.UNKNOWN


def test_a_reprint_after_a_line_that_broke_inside_a_picture_is_whole(cut_off) -> None:
    """The printer still waits for dots: the 补打 mark must not become some of them, nor after a restart."""
    for place in PLACES:
        if not broken_off(cut_off, printer_at(cut_off), place):
            break
        assert printer_at(cut_off).print(NAME_IN_DOTS, reprint=1).outcome is PrintOutcome.PRINTED
        assert cut_off.papers[0].text.count("补打 第1次") == 1, place
        assert "收件凭证" in cut_off.papers[0].text, place


def test_another_slip_after_a_line_that_broke_inside_a_picture_is_whole(cut_off) -> None:
    at_window = printer_at(cut_off)
    for place in PLACES:
        if not broken_off(cut_off, at_window, place):
            break
        assert at_window.print(TICKET).outcome is PrintOutcome.PRINTED
        assert "取号票" in cut_off.papers[0].text, place
