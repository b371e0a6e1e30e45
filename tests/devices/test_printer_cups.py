"""A raw queue of the real CUPS before the simulated printer: handed over is never printed."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from cups_server import Cups

from clerk_app.desk.ports import PaperState, PrintOutcome
from clerk_app.devices.printer.command import sample
from clerk_app.devices.printer.printer import EscPosPrinter, Limits, printer_from_url
from clerk_app.devices.printer.simulator.printer import SimulatedPrinter

RECEIPT = sample("receipt")


@pytest.fixture(scope="module")
def simulated() -> Iterator[SimulatedPrinter]:
    with SimulatedPrinter() as simulated:
        yield simulated


@pytest.fixture(scope="module")
def cups(tmp_path_factory, simulated) -> Iterator[Cups]:
    service = Cups(tmp_path_factory.mktemp("cups"))
    service.start()
    service.add_raw_queue("hall", simulated.port)
    yield service
    service.stop()


def printer_at(cups: Cups, queue: str = "hall") -> EscPosPrinter:
    return printer_from_url(f"cups://{cups.server}/{queue}")


def test_a_slip_goes_through_the_queue_byte_by_byte_and_is_unknown(cups, simulated) -> None:
    printer = printer_at(cups)
    status = printer.status()
    assert (status.paper, status.code) == (PaperState.UNKNOWN, "")
    result = printer.print(RECEIPT)
    assert (result.outcome, result.code) == (PrintOutcome.UNKNOWN, "PRINTER-SPOOLED")
    (paper,) = simulated.wait_for_papers(1)
    assert RECEIPT.item in paper.text
    assert "□" not in paper.text, "raw: no filter of CUPS has touched the bytes"
    assert simulated.unknown == []


def test_a_stopped_queue_is_told_before_and_gets_no_job_for_another_day(cups, simulated) -> None:
    before = len(simulated.papers)
    cups.run("cupsdisable", "hall")
    printer = printer_at(cups)
    assert printer.status().code == "PRINTER-QUEUE-STOPPED"
    result = printer.print(RECEIPT)
    assert (result.outcome, result.code) == (PrintOutcome.FAILED, "PRINTER-QUEUE-STOPPED")
    cups.run("cupsenable", "hall")
    printer.print(RECEIPT)
    assert len(simulated.wait_for_papers(before + 1)) == before + 1


def test_a_queue_that_refuses_jobs_is_failed(cups) -> None:
    cups.run("cupsreject", "hall")
    try:
        result = printer_at(cups).print(RECEIPT)
        assert (result.outcome, result.code) == (PrintOutcome.FAILED, "PRINTER-SPOOLER")
    finally:
        cups.run("cupsaccept", "hall")


def test_a_queue_nobody_has_is_unreachable(cups) -> None:
    result = printer_at(cups, "elsewhere").print(RECEIPT)
    assert (result.outcome, result.code) == (PrintOutcome.FAILED, "PRINTER-UNREACHABLE")


def commands(folder: Path, monkeypatch, **scripts: str) -> None:
    """Commands of these names before those of the system."""
    for name, script in scripts.items():
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_a_spooler_that_does_not_answer_is_unknown_within_the_limit(tmp_path, monkeypatch) -> None:
    """It may have the job, so that a second try must be marked."""
    commands(tmp_path, monkeypatch, lpstat="exit 0", lp="exec sleep 60")
    result = printer_from_url("cups://hall", limits=Limits(send=0.3)).print(RECEIPT)
    assert (result.outcome, result.code) == (PrintOutcome.UNKNOWN, "PRINTER-LOST")


def test_the_title_of_a_job_says_nothing_of_the_slip(tmp_path, monkeypatch) -> None:
    commands(tmp_path, monkeypatch, lpstat="exit 0", lp=f'echo "$@" > {tmp_path}/told; cat > /dev/null')
    printer_from_url("cups://hall").print(RECEIPT)
    assert (tmp_path / "told").read_text() == "-d hall -t clerk-app -o raw -\n"


def test_without_the_commands_of_cups_the_printer_is_unreachable(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert printer_from_url("cups://hall").status().code == "PRINTER-UNREACHABLE"


def test_the_windows_spooler_is_refused_where_there_is_none() -> None:
    """Here only the refusal can be run: the spooler itself needs Windows and pywin32."""
    result = printer_from_url("windows://Receipts").print(RECEIPT)
    assert (result.outcome, result.code) == (PrintOutcome.FAILED, "PRINTER-SPOOLER")
