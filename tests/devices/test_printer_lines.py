"""Every line to a printer keeps the same promises: network, serial port, device file, USB, one-way."""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from usb_printer import PRODUCT, VENDOR, UsbBench

from clerk_app.desk.ports import PaperState, PrintOutcome
from clerk_app.devices.printer.command import sample
from clerk_app.devices.printer.lines.addresses import line_factory
from clerk_app.devices.printer.lines.serial import SerialLine, SerialPort
from clerk_app.devices.printer.lines.tcp import TcpLine
from clerk_app.devices.printer.lines.usb import UsbLine
from clerk_app.devices.printer.printer import EscPosPrinter, Limits, printer_from_url
from clerk_app.devices.printer.simulator.printer import NO_FAULTS, Faults, SimulatedPrinter
from clerk_app.failures import Failure

QUICK = Limits(connect=2.0, answer=0.25, send=1.0, confirm=0.6, look=0.1)
RECEIPT = sample("receipt")
TICKET = sample("ticket")


@dataclass
class Bench:
    """A printer with the simulated one, or its inside, behind it."""

    printer: EscPosPrinter
    simulated: SimulatedPrinter | UsbBench

    def papers(self) -> str:
        return "".join(paper.text for paper in self.simulated.papers)


@pytest.fixture(params=["tcp", "serial", "file", "usb"])
def bench(request) -> Iterator[Bench]:
    if request.param == "usb":
        usb = UsbBench()
        line = lambda: UsbLine(VENDOR, PRODUCT, send_limit=QUICK.send, backend=usb)  # noqa: E731
        yield Bench(EscPosPrinter(line, limits=QUICK), usb)
        assert usb.open == 0, "every job closed the device"
        return
    with SimulatedPrinter(serial=request.param != "tcp") as simulated:
        url = simulated.url
        if request.param == "file":
            url = url.replace("serial:", "file:").partition("?")[0]
        yield Bench(printer_from_url(url, limits=QUICK), simulated)


def test_a_slip_is_printed_and_confirmed(bench) -> None:
    for slip in (TICKET, RECEIPT):
        result = bench.printer.print(slip)
        assert (result.outcome, result.code) == (PrintOutcome.PRINTED, "")
    assert "A037" in bench.papers()
    assert RECEIPT.item in bench.papers()


@pytest.mark.parametrize(
    ("faults", "code"),
    [
        (Faults(paper_out=True), "PRINTER-PAPER-OUT"),
        (Faults(cover_open=True), "PRINTER-COVER-OPEN"),
        (Faults(cutter_jammed=True), "PRINTER-CUTTER"),
        (Faults(broken=True), "PRINTER-ERROR"),
        (Faults(overheated=True), "PRINTER-HOT"),
        (Faults(offline=True), "PRINTER-OFFLINE"),
    ],
)
def test_what_is_wrong_before_is_failed(bench, faults, code) -> None:
    bench.simulated.set_faults(faults)
    assert bench.printer.status().code == code
    result = bench.printer.print(TICKET)
    assert (result.outcome, result.code) == (PrintOutcome.FAILED, code)
    bench.simulated.set_faults(NO_FAULTS)
    assert bench.papers() == ""
    assert bench.printer.print(TICKET).outcome is PrintOutcome.PRINTED


@pytest.mark.parametrize(
    ("faults", "code"),
    [
        (Faults(paper_out_after_lines=5), "PRINTER-PAPER-OUT"),
        (Faults(lies=True, paper_out_after_lines=5), "PRINTER-UNCONFIRMED"),
        (Faults(silent=True), "PRINTER-SILENT"),
        (Faults(no_buffered_answer=True), "PRINTER-UNCONFIRMED"),
    ],
)
def test_what_nobody_confirms_is_unknown(bench, faults, code) -> None:
    bench.simulated.set_faults(faults)
    result = bench.printer.print(RECEIPT)
    assert (result.outcome, result.code) == (PrintOutcome.UNKNOWN, code)


def test_paper_near_its_end_warns_and_prints(bench) -> None:
    bench.simulated.set_faults(Faults(paper_near_end=True))
    assert bench.printer.status().paper is PaperState.NEAR_END
    assert bench.printer.status().ready
    assert bench.printer.print(TICKET).outcome is PrintOutcome.PRINTED


# --- what only some lines do -------------------------------------------------------------------------------


def test_a_report_in_the_middle_of_the_job_ends_the_wait_at_once() -> None:
    """Neither the next look nor the limit is waited for: both are a minute away."""
    patient = Limits(connect=2.0, answer=60, send=5.0, confirm=60, look=60)
    with SimulatedPrinter(faults=Faults(paper_out_after_lines=5)) as simulated:
        began = time.monotonic()
        result = printer_from_url(simulated.url, limits=patient).print(RECEIPT)
        assert (result.outcome, result.code) == (PrintOutcome.UNKNOWN, "PRINTER-PAPER-OUT")
        assert time.monotonic() - began < 5


def test_a_printer_that_reports_why_it_stopped_and_then_says_nothing_is_believed() -> None:
    door = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with door, door.accept()[0] as client:
            while data := client.recv(4096):
                client.sendall(b"\x12" if data.startswith(b"\x10\x04") else b"\x18\x00\x0c\x00")
                if not data.startswith(b"\x10\x04"):
                    break
            while client.recv(4096):
                pass

    thread = threading.Thread(target=serve)
    thread.start()
    result = printer_from_url(f"tcp://127.0.0.1:{door.getsockname()[1]}", limits=QUICK).print(TICKET)
    thread.join()
    assert (result.outcome, result.code) == (PrintOutcome.UNKNOWN, "PRINTER-PAPER-OUT")


def test_the_time_the_bytes_are_on_their_way_is_waited_for_too() -> None:
    class Far(TcpLine):
        def seconds_for(self, size: int) -> float:
            return 10.0

    with SimulatedPrinter(faults=Faults(bytes_per_second=2000)) as simulated:
        limits = Limits(answer=5, confirm=0.1, look=0.05)
        line = lambda: Far("127.0.0.1", simulated.port, connect_limit=2, send_limit=5)  # noqa: E731
        assert EscPosPrinter(line, limits=limits).print(TICKET).outcome is PrintOutcome.PRINTED


def test_a_printer_that_never_reads_is_unknown_within_the_limits() -> None:
    with SimulatedPrinter(faults=Faults(half_closed=True)) as simulated:
        printer = printer_from_url(simulated.url, limits=QUICK)
        assert printer.status().code == "PRINTER-SILENT"
        result = printer.print(TICKET)
        assert (result.outcome, result.code) == (PrintOutcome.UNKNOWN, "PRINTER-SILENT")
        simulated.set_faults(NO_FAULTS)
        assert "A037" in simulated.wait_for_papers(1)[0].text, "it came out later: unknown was right"


def test_a_line_that_takes_nothing_more_is_lost_within_the_limit_and_named_by_the_printers_last_word() -> (
    None
):
    bench = UsbBench()

    def line() -> UsbLine:
        return UsbLine(VENDOR, PRODUCT, send_limit=0.3, backend=bench)

    with line() as stuck:
        bench.full = True
        with pytest.raises(Failure) as caught:
            stuck.send(b"x")
        assert caught.value.code == "PRINTER-LOST"
        bench.full = False
        stuck.send(b"\x1da\x0e")
        bench.set_faults(Faults(paper_out=True))
        bench.full = True
        with pytest.raises(Failure) as caught:
            stuck.send(b"x")
        assert caught.value.code == "PRINTER-PAPER-OUT"


@pytest.mark.parametrize(
    "url", ["tcp://127.0.0.1:1", "serial:///dev/no-such-port", "file:///dev/no-such-file", "usb://ffff:fffe"]
)
def test_what_is_not_there_is_unreachable(url) -> None:
    printer = printer_from_url(url, limits=QUICK)
    assert printer.status().code == "PRINTER-UNREACHABLE"
    result = printer.print(TICKET)
    assert (result.outcome, result.code) == (PrintOutcome.FAILED, "PRINTER-UNREACHABLE")


@contextlib.contextmanager
def read_from(path: Path) -> Iterator[bytearray]:
    """A pipe at `path` and what is written into it."""
    os.mkfifo(path)
    got = bytearray()
    ready = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(ready, True)

    def read() -> None:
        while data := os.read(ready, 4096):
            got.extend(data)

    keeper = os.open(path, os.O_WRONLY)  # the reader waits, rather than ends, until the test does
    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield got
    finally:
        os.close(keeper)
        thread.join()
        os.close(ready)


def test_a_file_that_cannot_be_read_back_is_one_way_and_never_printed(tmp_path) -> None:
    path = tmp_path / "lp0"
    with read_from(path) as got:
        printer = printer_from_url(f"file://{path}", limits=QUICK)
        status = printer.status()
        assert (status.paper, status.code) == (PaperState.UNKNOWN, "")
        result = printer.print(TICKET)
        assert (result.outcome, result.code) == (PrintOutcome.UNKNOWN, "PRINTER-SPOOLED")
    assert got.startswith(b"\x1b@")
    assert got.endswith(b"\x1dVB\x18")
    assert b"\x10\x04" not in got, "no question into the void"
    assert b"\x1da\x0e" not in got, "nor reports nobody hears"


def test_a_pipe_that_is_full_is_lost_within_the_limit(tmp_path) -> None:
    path = tmp_path / "lp0"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        line = line_factory(f"file://{path}", connect_limit=1, send_limit=0.2)()
        with line, pytest.raises(Failure) as caught:
            line.send(bytes(1 << 20))
        assert caught.value.code == "PRINTER-LOST"
    finally:
        os.close(reader)


def test_a_pulled_serial_cable_is_lost() -> None:
    with SimulatedPrinter(serial=True, faults=Faults(hangs_up_after_bytes=300)) as simulated:
        result = printer_from_url(simulated.url, limits=QUICK).print(RECEIPT)
        assert (result.outcome, result.code) == (PrintOutcome.UNKNOWN, "PRINTER-LOST")


class Port:
    """The part of a pyserial port that a line uses, with a printer whose buffer holds 100 bytes.

    It lowers its DSR while it holds more than half; what comes when it is full is lost.
    """

    def __init__(self) -> None:
        self.got = bytearray()
        self.held = 0
        self.lost = 0
        self.stuck = False
        self.timeout = 0.0
        self.out_waiting = 0
        self.closed = False

    @property
    def dsr(self) -> bool:
        if not self.stuck:
            self.held = max(0, self.held - 40)  # it prints between two looks
        return self.held <= 50

    def write(self, data) -> int:
        self.held += len(data)
        self.lost += max(0, self.held - 100)
        self.got += data
        return len(data)

    def reset_output_buffer(self) -> None:
        self.out_waiting = 0

    def read(self, size: int) -> bytes:
        return b""

    def close(self) -> None:
        self.closed = True


def test_a_serial_line_stops_while_the_printer_says_it_is_full() -> None:
    """DTR/DSR is nobody's job but ours on Linux: without the look at DSR the printer loses bytes."""
    port = Port()
    with SerialLine(SerialPort("tty"), send_limit=5, opener=lambda _: port) as line:
        line.send(bytes(1000))
    assert len(port.got) == 1000
    assert port.lost == 0
    assert port.closed


def test_a_printer_that_stays_full_is_lost_within_the_limit() -> None:
    port = Port()
    port.stuck, port.held = True, 60
    line = SerialLine(SerialPort("tty", baud=115200), send_limit=0.2, opener=lambda _: port)
    with line, pytest.raises(Failure) as caught:
        line.send(b"x")
    assert caught.value.code == "PRINTER-LOST"


def test_a_slow_port_has_the_time_its_speed_needs() -> None:
    line = SerialLine(SerialPort("tty", baud=9600), send_limit=5)
    assert line.seconds_for(9600) == pytest.approx(11)
    assert line_factory("tcp://printer", connect_limit=1, send_limit=1)().seconds_for(9600) == 0


# --- USB ---------------------------------------------------------------------------------------------------


def usb_line(bench: UsbBench, serial: str = "") -> UsbLine:
    return UsbLine(VENDOR, PRODUCT, serial, send_limit=1, backend=bench)


def test_usb_takes_the_device_from_the_system_and_never_resets_it() -> None:
    bench = UsbBench()
    for _ in range(2):
        with usb_line(bench):
            pass
    assert bench.calls == ["detach", "claim", "release", "claim", "release"]


def test_usb_without_an_endpoint_to_hear_is_one_way() -> None:
    bench = UsbBench(two_way=False)
    result = EscPosPrinter(lambda: usb_line(bench), limits=QUICK).print(TICKET)
    assert (result.outcome, result.code) == (PrintOutcome.UNKNOWN, "PRINTER-SPOOLED")
    assert "A037" in bench.papers[0].text


def test_usb_finds_the_one_with_the_serial_number_and_models_that_are_no_printer_class() -> None:
    bench = UsbBench(printer_class=0xFF, serial="B2")
    with usb_line(bench, "B2") as line:
        assert line.two_way
    with pytest.raises(Failure) as caught, usb_line(bench, "other"):
        pass
    assert caught.value.code == "PRINTER-UNREACHABLE"


def test_a_pulled_usb_cable_is_lost() -> None:
    bench = UsbBench()
    with usb_line(bench) as line:
        bench.plugged = False
        with pytest.raises(Failure) as caught:
            line.send(b"x")
    assert caught.value.code == "PRINTER-LOST"


# --- addresses ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "",
        "printer",
        "lpt://1",
        "tcp://",
        "tcp://printer/queue",
        "tcp://printer:99999",
        "serial://",
        "serial:///dev/ttyS0?baud=fast",
        "serial:///dev/ttyS0?baud=-9600",
        "serial:///dev/ttyS0?flow=water",
        "serial:///dev/ttyS0?speed=9600",
        "file://lp0",
        "usb://04b8",
        "usb://04b8:0e15:1",
        "usb://04b8:0e15?port=1",
        "cups://",
        "cups://-o",
        "cups://-h/queue",
        "cups://host/printers/queue",
        "windows://",
    ],
)
def test_an_address_that_means_nothing_is_refused_when_it_is_read(url) -> None:
    with pytest.raises(Failure) as caught:
        printer_from_url(url)
    assert caught.value.code == "PRINTER-SETTING"


@pytest.mark.parametrize(
    "url",
    [
        "tcp://192.0.2.10",
        "tcp://[2001:db8::10]:9100",
        "serial://COM3?baud=19200",
        "serial:///dev/ttyUSB0?baud=115200&flow=rtscts&parity=even",
        "file:///dev/usb/lp0",
        "usb://04B8:0e15?serial=X1",
        "cups://Hall_1",
        "cups://192.0.2.20:631/hall",
        "windows://Receipt printer at window 12",
        "windows://\\\\server\\receipts",
    ],
)
def test_every_documented_form_of_an_address_is_taken(url) -> None:
    assert printer_from_url(url).setup.address == url
