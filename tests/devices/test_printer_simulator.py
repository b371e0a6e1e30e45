"""The simulated printer: what it draws can be read back, and it is as unforgiving as a real one."""

import socket
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from clerk_app.devices.printer import slips
from clerk_app.devices.printer.command import print_sample, sample
from clerk_app.devices.printer.encoder import Encoding, encode
from clerk_app.devices.printer.layout import ROLLS
from clerk_app.devices.printer.simulator.mechanism import Faults, Mechanism
from clerk_app.devices.printer.simulator.paper import Paper
from clerk_app.devices.printer.simulator.printer import NO_FAULTS, SimulatedPrinter

RECEIPT = sample("receipt")


class Bench:
    """A mechanism on the bench, with what it delivered and answered."""

    def __init__(self, *, width: int = 80, charset: str = "gbk", faults: Faults = NO_FAULTS) -> None:
        self.papers: list[Paper] = []
        self.answers = b""
        self.mechanism = Mechanism(ROLLS[width].dots, charset, self.papers.append, self._hear)
        self.mechanism.set_faults(faults)

    def _hear(self, data: bytes) -> None:
        self.answers += data


def job(slip, width: int = 80, encoding: Encoding = Encoding.GBK) -> bytes:
    return encode(slips.page(slip, ROLLS[width]), ROLLS[width], encoding)


def scanned(path: Path) -> set[str]:
    """What an independent reader finds in the picture (zbarimg, Debian package zbar-tools)."""
    found = subprocess.run(["zbarimg", "--quiet", str(path)], capture_output=True, text=True, check=True)
    return set(found.stdout.split())


@pytest.mark.parametrize("width", [80, 58])
def test_both_codes_of_a_receipt_are_read_back_by_a_scanner(width, tmp_path) -> None:
    bench = Bench(width=width)
    bench.mechanism.receive(job(RECEIPT, width))
    (paper,) = bench.papers
    paper.save(tmp_path / "slip.png")
    number = RECEIPT.number
    assert scanned(tmp_path / "slip.png") == {f"QR-Code:{number}", f"CODE-128:{number}"}


@pytest.mark.parametrize("width", [80, 58])
@pytest.mark.parametrize(("kind", "code"), [("ticket", "A037"), ("void", RECEIPT.number)])
def test_ticket_and_void_slip_carry_their_number_for_the_scanner(kind, code, width, tmp_path) -> None:
    bench = Bench(width=width)
    bench.mechanism.receive(job(sample(kind), width))
    bench.papers[0].save(tmp_path / "slip.png")
    assert scanned(tmp_path / "slip.png") == {f"CODE-128:{code}"}


def test_a_rare_name_is_on_the_paper_where_its_column_is_and_not_as_a_box() -> None:
    papers = {}
    for name in ("𠮷䶮㐱", "李晓明", "𠮷䶮    "):
        bench = Bench()
        bench.mechanism.receive(job(replace(RECEIPT, applicant=name)))
        papers[name] = bench.papers[0]
    rare, common = papers["𠮷䶮㐱"], papers["李晓明"]
    assert "李晓明" in common.text
    assert "[picture 264x56]" in rare.text, "the drawn line ends where its ink does"
    assert "□" not in rare.text
    assert rare.image.size == common.image.size, "the drawn line is as high as the written one"
    changed = ImageChops.difference(rare.image, common.image).convert("L").point(lambda g: 255 * (g > 99))
    left, top, right, bottom = changed.getbbox()
    assert bottom - top < 56
    name_begins = 20 + 32 + 10 * 12
    assert left < name_begins + 4 * 12 < right, "label redrawn, name in its column"
    assert right <= name_begins + 6 * 24 + 1
    assert rare.image.tobytes() != papers["𠮷䶮    "].image.tobytes()


def test_a_four_byte_code_is_a_box_on_this_printer_as_on_most() -> None:
    bench = Bench(charset="gb18030")
    bench.mechanism.receive("㐱\n".encode("gb18030") + b"\x1dV\x00")
    assert "□□" in bench.papers[0].text


def test_a_printer_shows_a_box_for_what_its_font_lacks() -> None:
    for charset, text in (("gb2312", "镕"), ("gbk", "䶮")):
        bench = Bench(charset=charset)
        bench.mechanism.receive(f"{text}\n".encode("gb18030") + b"\x1dV\x00")
        assert "□" in bench.papers[0].text


def test_a_full_line_goes_on_in_the_next() -> None:
    bench = Bench(width=58)
    bench.mechanism.receive(b"x" * 40 + b"\n\x1dV\x00")
    assert bench.papers[0].text.split() == ["x" * 32, "x" * 8]


def test_unknown_commands_are_noted() -> None:
    bench = Bench()
    bench.mechanism.receive(b"\x1bZ\x1cZ\x1dZ\x01\x1dk\x49\x01x")
    assert bench.mechanism.unknown == [b"\x1bZ", b"\x1cZ", b"\x1dZ", b"\x01", b"\x1dk\x49"]


def test_real_time_questions_are_answered_in_the_middle_of_a_picture_and_split_over_packets() -> None:
    bench = Bench()
    half = b"\x1dv0\x00\x02\x00\x02\x00\xff\x10"
    bench.mechanism.receive(half)
    bench.mechanism.receive(b"\x04")
    bench.mechanism.receive(b"\x01\xff\xff\xff\x1dV\x00")
    assert bench.answers == b"\x12"
    assert "[picture 16x2]" in bench.papers[0].text


@pytest.mark.parametrize(
    ("faults", "answers"),
    [
        (NO_FAULTS, "12 12 12 12"),
        (Faults(paper_out=True), "1a 32 12 7e"),
        (Faults(paper_near_end=True), "12 12 12 1e"),
        (Faults(cover_open=True), "1a 16 12 12"),
        (Faults(offline=True), "1a 12 12 12"),
        (Faults(cutter_jammed=True), "1a 52 1a 12"),
    ],
)
def test_status_bytes_are_those_measured_on_another_emulator_and_in_the_manuals(faults, answers) -> None:
    bench = Bench(faults=faults)
    bench.mechanism.receive(b"".join(b"\x10\x04" + bytes([n]) for n in (1, 2, 3, 4)))
    assert bench.answers == bytes.fromhex(answers)


def test_a_buffered_question_waits_for_its_turn_and_a_real_time_one_does_not() -> None:
    bench = Bench(faults=Faults(cover_open=True))
    bench.mechanism.receive(b"A\n\x1dr\x01\x10\x04\x04")
    assert bench.answers == b"\x12"
    bench.mechanism.set_faults(NO_FAULTS)
    assert bench.answers == b"\x12\x00", "the cover closed, the buffer is worked off"


def test_new_paper_lets_the_rest_of_the_slip_come_out() -> None:
    bench = Bench(faults=Faults(paper_out_after_lines=3))
    bench.mechanism.receive(job(RECEIPT))
    assert bench.papers == []
    bench.mechanism.set_faults(NO_FAULTS)
    assert "监督电话" in bench.papers[0].text


def test_papers_are_saved_as_picture_and_text(tmp_path) -> None:
    with SimulatedPrinter() as simulator:
        assert print_sample("ticket", simulator.url) == 0
        (path,) = simulator.save(tmp_path / "slips")
    assert path.name == "slip-001.png"
    assert "A037" in path.with_suffix(".txt").read_text(encoding="utf-8")
    with Image.open(path) as picture:
        assert picture.width == 640 + 40
        assert picture.format == "PNG"


@pytest.mark.parametrize(
    ("faults", "exit_code", "word"),
    [
        (NO_FAULTS, 0, "printed"),
        (Faults(paper_out=True), 2, "PRINTER-PAPER-OUT"),
        (Faults(hangs_up_after_bytes=50), 3, "PRINTER-LOST"),
    ],
)
def test_print_sample_tells_outcome_code_and_action(faults, exit_code, word, capsys) -> None:
    with SimulatedPrinter(faults=faults) as simulator:
        assert print_sample("receipt", simulator.url, language="en") == exit_code
    told = capsys.readouterr().out
    assert word in told
    assert len(told.splitlines()) == (1 if exit_code == 0 else 4)


def test_print_sample_refuses_a_wrong_setting(capsys) -> None:
    assert print_sample("void", "lpt://1") == 2
    assert "PRINTER-SETTING" in capsys.readouterr().out


def test_the_simulator_runs_by_hand_and_saves_what_it_prints(tmp_path) -> None:
    command = [
        sys.executable,
        "-m",
        "clerk_app.devices.printer.simulator",
        "--port",
        "0",
        "--out",
        str(tmp_path),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        url = process.stdout.readline().strip()
        assert print_sample("ticket", url) == 0
        saved = process.stdout.readline().strip()
        process.terminate()
    assert Path(saved) == tmp_path / "slip-001.png"
    assert (tmp_path / "slip-001.txt").exists()


def test_a_printer_serves_one_connection_after_the_other() -> None:
    with SimulatedPrinter() as simulator:
        address = ("127.0.0.1", simulator.port)
        with socket.create_connection(address, 2) as first, socket.create_connection(address, 2) as second:
            second.sendall(b"\x10\x04\x01")
            first.sendall(b"\x10\x04\x01")
            assert first.recv(1) == b"\x12"
            second.settimeout(0.1)
            with pytest.raises(TimeoutError):
                second.recv(1)
            first.close()
            second.settimeout(2)
            assert second.recv(1) == b"\x12"


def on_bench(data: bytes, **settings) -> Bench:
    bench = Bench(**settings)
    bench.mechanism.receive(data)
    return bench


def ink(paper: Paper) -> Image.Image:
    """The printed part of an 80 mm paper, ink white on black: without margins, desk and torn edge."""
    grey = paper.image.convert("L").crop((52, 20 + 24, 52 + 576, paper.image.height - 30))
    return grey.point(lambda level: 255 if level < 128 else 0)


def test_font_b_is_smaller_and_double_strike_is_bold() -> None:
    (paper,) = on_bench(b"\x1bM\x01" + b"x" * 64 + b"\n\x1bM\x00" + b"x" * 48 + b"\n\x1dV\x00").papers
    assert paper.text.split() == ["x" * 64, "x" * 48], "64 columns of 9 dots, 48 of 12"
    plain, struck = (on_bench(mode + b"HHH\n\x1dV\x00").papers[0] for mode in (b"", b"\x1bG\x01"))
    assert ink(struck).histogram()[255] > ink(plain).histogram()[255]


def test_outside_chinese_mode_bytes_are_letters_of_the_code_page() -> None:
    text = b"\x1c.\x1bt\x10caf\xe9 \xa5\n\x1bt\x00caf\x82\n\x1bt\xffcaf\x82\n\x1c&\xd6\xd0\n\x1dV\x00"
    (paper,) = on_bench(text).papers
    assert paper.text.split() == ["café", "¥", "café", "caf□", "中"]


def test_column_graphics_stand_in_the_line() -> None:
    bench = on_bench(b"AB\x1b*\x21\x08\x00" + b"\xff\xff\xff" * 8 + b"C\n\x1dV\x00")
    (paper,) = bench.papers
    assert paper.text == "AB[columns 8]C\n"
    assert ink(paper).crop((24, 0, 32, 24)).getextrema() == (255, 255), "a black block after two letters"
    assert bench.mechanism.unknown == []


def test_graphics_are_stored_and_printed_and_raster_can_be_doubled() -> None:
    dots = b"\x08\x00\x02\x00\xff\xff"
    stored = b"\x1d(L\x0c\x000p0\x01\x011" + dots + b"\x1d(L\x02\x0002"
    (paper,) = on_bench(stored + b"\x1dv0\x03\x01\x00\x02\x00\xff\xff\x1dV\x00").papers
    assert paper.text.split("\n")[:2] == ["[picture 8x2]", "[picture 16x4]"]


def test_a_picture_is_cut_off_at_the_edge_and_a_code_that_does_not_fit_is_not_printed() -> None:
    wide = b"\x1dv0\x00\x64\x00\x01\x00" + b"\xff" * 100
    large = b"\x1d(k\x03\x001C\x10\x1d(k\x53\x001P0" + b"q" * 80 + b"\x1d(k\x03\x001Q0"
    bars = b"\x1dw\x06\x1dkI\x16{B" + b"A" * 20
    bench = on_bench(wide + large + bars + b"\x1dV\x00", width=58)
    assert bench.papers[0].text.split() == ["[picture", "384x1]"]
    assert bench.mechanism.unknown == [b"\x1d(k1Q", b"\x1dkI"]


@pytest.mark.parametrize(
    ("command", "how"),
    [
        (b"\x1dV\x00", "full"),
        (b"\x1dV1", "partial"),
        (b"\x1dVA\x18", "full"),
        (b"\x1dVB\x18", "partial"),
        (b"\x1bi", "partial"),
    ],
)
def test_full_and_partial_cuts(command, how) -> None:
    assert on_bench(b"A\n" + command).papers[0].cut == how


def test_the_drawer_is_heard_from_the_buffer_and_in_real_time() -> None:
    bench = on_bench(b"A\n\x1bp\x00\x19\xfa\x10\x14\x01\x00\x01\x1dV\x00")
    assert bench.papers[0].text == "A\n[drawer]\n[drawer]\n"


def test_a_printer_set_to_utf8_and_one_without_chinese(tmp_path) -> None:
    assert on_bench("综A𠮷\n".encode() + b"\x1dV\x00", charset="utf8").papers[0].text == "综A□\n"
    assert "综" not in on_bench("综\n".encode("gbk") + b"\x1dV\x00", charset="none").papers[0].text


def test_values_out_of_their_range_are_ignored_and_noted() -> None:
    bench = on_bench(b"\x1ba\x07\x1dw\x09\x1dh\x00\x1d(k\x03\x001C\x00\x1d(k\x03\x001E\x09\x1b*\x05\x00\x00")
    assert len(bench.mechanism.unknown) == 6


@pytest.mark.parametrize("garbage", [b"\x1bd\xff", b"\n"])
def test_paper_that_runs_on_for_ever_is_not_kept(garbage) -> None:
    bench = on_bench(b"\x1b3\xff" + garbage * 2000 + b"\x1dV\x00")
    assert bench.papers[0].image.height < 25_000


@pytest.mark.parametrize("width", [80, 58])
def test_a_raster_job_is_the_same_paper_for_a_scanner_and_the_eye(width, tmp_path) -> None:
    bench = on_bench(job(RECEIPT, width, Encoding.RASTER), width=width, charset="none")
    letters = on_bench(job(RECEIPT, width), width=width)
    bench.papers[0].save(tmp_path / "slip.png")
    assert scanned(tmp_path / "slip.png") == {f"QR-Code:{RECEIPT.number}", f"CODE-128:{RECEIPT.number}"}
    assert bench.papers[0].image.size == letters.papers[0].image.size
    assert bench.mechanism.unknown == []


def test_a_lying_printer_answers_well_and_stands_still() -> None:
    bench = on_bench(b"A\n\x1dr\x01\x10\x04\x04\x10\x04\x02", faults=Faults(paper_out=True, lies=True))
    assert bench.answers == b"\x12\x12"
    assert bench.mechanism.tear_off().text == ""


def test_papers_can_be_taken_and_nothing_is_left_of_a_printer_that_was_stopped() -> None:
    threads, handles = threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))
    for serial in (False, True):
        simulator = SimulatedPrinter(serial=serial).start()
        for _ in range(3):
            assert print_sample("ticket", simulator.url) == 0
        assert len(simulator.take_papers()) == 3
        assert simulator.papers == []
        simulator.stop()
        simulator.stop()
    assert threading.active_count() == threads
    assert len(list(Path("/proc/self/fd").iterdir())) == handles


def test_a_port_that_is_taken_is_told_and_leaves_nothing_open() -> None:
    with SimulatedPrinter() as first:
        handles = len(list(Path("/proc/self/fd").iterdir()))
        with pytest.raises(OSError, match="in use"):
            SimulatedPrinter(port=first.port).start()
        assert len(list(Path("/proc/self/fd").iterdir())) == handles
