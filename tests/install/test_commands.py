"""The installed commands, as IT types them: what they answer, and what they keep to themselves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import pytest

from clerk_app import __version__
from clerk_app.devices.card.samples import sample_cards
from clerk_app.devices.printer.simulator.printer import Faults, SimulatedPrinter
from clerk_app.domain.numbering import parse

sys.path.append(str(Path(__file__).parents[1] / "integration"))
from hall_items import ITEMS, KINDS
from workstation_kit import CLERK

from clerk_app.catalogue.records import item_line, kind_line

COMMANDS = Path(sys.executable).parent
SESSION = Path(__file__).with_name("window_session.py")
CARD = sample_cards()["resident"].record
PERSONAL = (CARD.number, CARD.name, CARD.address, "13800001234")
UNLOCKED = (
    "printf x | gnome-keyring-daemon --unlock --components=secrets "
    '--control-directory="$HOME" >"$HOME/keyring.log" 2>&1; exec "$0" "$@"'
)
"""Runs a command with a Secret Service of its own; what it keeps lies in $HOME."""


def run(
    command: str | Path, *arguments: str | Path, told: str = "", **changes: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMANDS / command, *arguments],
        input=told,
        env=os.environ | changes,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("command", ["clerk-app", "back-office"])
def test_help_names_every_command(command):
    answer = run(command, "--help")
    assert (answer.returncode, answer.stderr) == (0, "")
    for verb in {"clerk-app": ("run", "enrol", "demo", "card", "print-sample", "doctor")}.get(
        command, ("init", "serve", "user", "enrol-code", "catalogue", "ticket", "restored")
    ):
        assert verb in answer.stdout


@pytest.mark.parametrize("command", [("back-office", "openapi"), ("clerk-app", "doctor", "--json")])
def test_whoever_reads_the_beginning_only_gets_no_traceback(tmp_path, command):
    line = f"{COMMANDS / command[0]} {' '.join(command[1:])} | head -c 1; exit 0"
    bare = os.environ | {"HOME": str(tmp_path)}
    answer = subprocess.run(
        line, shell=True, env=bare, cwd=tmp_path, capture_output=True, timeout=60, check=True
    )
    assert (answer.stdout, b"Traceback" in answer.stderr) == (b"{", False), answer.stderr


def test_the_version_is_the_one_of_the_package():
    assert run("clerk-app", "--version").stdout == f"clerk-app {__version__}\n"


def test_an_unknown_command_is_refused_with_the_usage():
    answer = run("clerk-app", "dance")
    assert answer.returncode == 2
    assert answer.stderr.startswith("usage: clerk-app")


def test_a_read_card_is_masked_unless_revealed():
    masked = run("clerk-app", "card", "read", "--json", "--simulate", "resident")
    assert (masked.returncode, masked.stderr) == (0, "")
    assert json.loads(masked.stdout)["kind"] == "resident_id"
    assert not [secret for secret in PERSONAL if secret in masked.stdout]
    revealed = run("clerk-app", "card", "read", "--json", "--reveal", "a test", "--simulate", "resident")
    assert json.loads(revealed.stdout)["number"] == CARD.number
    assert json.loads(revealed.stdout)["name"] == CARD.name
    assert revealed.stderr == ""


def test_a_card_that_does_not_come_is_a_failure_with_its_code(tmp_path):
    nowhere = str(tmp_path / "no-pcscd")
    answer = run("clerk-app", "card", "read", "--wait", "0.2", PCSCLITE_CSOCK_NAME=nowhere)
    assert answer.returncode == 2
    assert answer.stderr.startswith("CARD-SERVICE-LOST: ")
    assert answer.stdout == ""


@pytest.mark.parametrize(
    ("faults", "code", "exit_code"),
    [
        (Faults(), "", 0),
        (Faults(paper_out=True), "PRINTER-PAPER-OUT", 2),
        (Faults(refuses=True), "PRINTER-UNREACHABLE", 2),
        (Faults(hangs_up_after_bytes=300), "PRINTER-LOST", 3),
    ],
)
def test_a_sample_slip_tells_by_its_exit_code_what_became_of_it(faults, code, exit_code):
    with SimulatedPrinter(faults=faults) as printer:
        answer = run("clerk-app", "print-sample", "receipt", "--printer", printer.url)
        assert (answer.returncode, answer.stderr) == (exit_code, "")
        assert code in answer.stdout
        assert ["练习专用" in paper.text for paper in printer.papers] == ([] if code else [True])


def test_a_printer_that_is_no_address_is_refused():
    answer = run("clerk-app", "print-sample", "ticket", "--printer", "usb://1")
    assert answer.returncode == 2
    assert "PRINTER-SETTING" in answer.stdout


@dataclass(slots=True)
class Site:
    """An office and a workstation set up by commands; everything the commands said is kept."""

    folder: Path
    printer: SimulatedPrinter
    said: list[str] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)

    @property
    def window(self) -> Path:
        return self.folder / "window"

    def run(self, command: str | Path, *arguments: str | Path, told: str = "") -> str:
        """What a command that must succeed prints."""
        home = str(self.folder / "home")
        bare = {"HOME": home, "XDG_RUNTIME_DIR": home, "BACK_OFFICE_DATA": str(self.folder / "office")}
        answer = run(command, *arguments, told=told, **bare)
        self.said += [answer.stdout, answer.stderr]
        self.arguments += [str(command), *map(str, arguments)]
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    def run_at_the_desk(self, *arguments: str | Path, told: str = "") -> str:
        """The same in a session of the desktop, with its keyring unlocked."""
        return self.run("/usr/bin/dbus-run-session", "--", "sh", "-c", UNLOCKED, *arguments, told=told)

    def serve(self) -> subprocess.Popen[str]:
        arguments = [str(COMMANDS / "back-office"), "--data", str(self.folder / "office"), "serve"]
        self.arguments += arguments
        return subprocess.Popen([*arguments, "--port", "0"], stderr=subprocess.PIPE, text=True)


@pytest.fixture
def site(tmp_path) -> Iterator[Site]:
    (tmp_path / "home").mkdir(mode=0o700)
    with SimulatedPrinter() as printer:
        yield Site(tmp_path, printer)


def served_at(lines: IO[str]) -> str:
    return next(
        f"http://127.0.0.1:{entry['port']}" for entry in map(json.loads, lines) if entry["event"] == "serving"
    )


@pytest.mark.keyring
def test_from_an_empty_disk_to_the_first_case(site):
    """Office and workstation by their commands alone; then a morning, in another session of the desktop."""
    items = site.folder / "items.jsonl"
    items.write_bytes(b"".join([*map(kind_line, KINDS), *map(item_line, ITEMS)]))
    site.run("back-office", "init", "--hall-code", "MY07", "--hall-name", "涪城分中心", "--region", "510703")
    site.run("back-office", "user", "add", CLERK.staff_no, "--name", CLERK.name, told=f"{CLERK.password}\n")
    assert "3 items" in site.run("back-office", "catalogue", "import", items)
    ticket = site.run("back-office", "ticket", "issue", "--series", "A").strip()
    code = site.run("back-office", "enrol-code", "--window", "综合窗口 7").strip()
    site.said.clear()  # the code is shown once, to whoever asked for it

    site.window.mkdir()
    (site.window / "settings.toml").write_text(f'[printer]\nurl = "{site.printer.url}"\n')
    with site.serve() as office:
        try:
            assert office.stderr is not None
            url = served_at(office.stderr)
            answer = site.run_at_the_desk(
                COMMANDS / "clerk-app", "enrol", url, "--folder", site.window, told=f"{code}\n"
            )
            assert answer == "Enrolled as 综合窗口 7 of 涪城分中心.\n"
            number = site.run_at_the_desk(
                sys.executable, SESSION, site.window, told=f"{CLERK.password}\n"
            ).strip()
        finally:
            office.send_signal(signal.SIGTERM)
        site.said.append(office.stderr.read())

    assert parse(number).startswith("MY07")
    (paper,) = site.printer.papers
    assert f"[QR {number}]" in paper.text
    assert site.run("back-office", "ticket", "issue", "--series", "A").strip() != ticket
    assert "OFFICE-SIGN-IN" in "".join(site.said)
    assert "CARD-UNREADABLE" in "".join(site.said)
    assert_nothing_personal(site, [code, CLERK.password])


def assert_nothing_personal(site: Site, secrets: list[str]) -> None:
    """Neither what was said, nor an argument, nor a file of the workstation holds a person or a secret."""
    files = [file for file in [*site.window.rglob("*"), *(site.folder / "home").rglob("*")] if file.is_file()]
    log = (site.window / "logs" / "clerk-app.log").read_text("utf-8")
    assert "link online" in log
    assert "Closing Network" not in log  # the printer's library would say so every few seconds
    for secret in (*PERSONAL, *secrets):
        assert not [text for text in site.said + site.arguments if secret in text]
        assert not [file.name for file in files if secret.encode() in file.read_bytes()]
