"""`clerk-app doctor`, as IT types it: on a bare machine, on a full disk, and at a desk where all is well."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_commands import COMMANDS, Site, run, served_at

sys.path.append(str(Path(__file__).parents[1] / "integration"))
from hall_items import ITEMS, KINDS

from clerk_app.catalogue.records import item_line, kind_line
from clerk_app.devices.printer.simulator.printer import Faults, SimulatedPrinter
from clerk_app.store.cache import SqlStore
from clerk_app.store.vault import throw_away_key

NO_SERVICE = {"PCSCLITE_CSOCK_NAME": "/nowhere", "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
KEYS = [
    "settings", "reader_service", "reader", "card", "printer", "templates", "keyring", "sqlite", "database",
    "enrolment", "disk", "fonts", "voice", "camera", "office", "clock", "certificate", "catalogue",
]  # fmt: skip


def examine(folder: Path, *arguments: str, code: int = 1) -> dict[str, dict[str, Any]]:
    answer = run("clerk-app", "doctor", "--json", "--folder", folder, *arguments, **NO_SERVICE)
    assert (answer.returncode, answer.stderr) == (code, "")
    told = json.loads(answer.stdout)
    assert told["format"] == 1
    assert told["level"] == "fail"
    return {line["key"]: line for line in told["checks"]}


def test_a_bare_machine_is_told_everything_it_lacks_and_nothing_is_made(tmp_path: Path) -> None:
    told = examine(tmp_path / "data", "--language", "en")
    assert list(told) == KEYS
    codes = {key: line["code"] for key, line in told.items() if line["code"]}
    assert codes == {
        "reader_service": "CARD-SERVICE-LOST",
        "reader": "DOCTOR-NOT-CHECKED",
        "card": "DOCTOR-NOT-CHECKED",
        "printer": "PRINTER-NOT-SET",
        "keyring": "STORE-NO-KEYRING",
        "enrolment": "SETTINGS-NOT-ENROLLED",
        "office": "SETTINGS-NOT-ENROLLED",
        "clock": "DOCTOR-NOT-CHECKED",
        "certificate": "DOCTOR-NOT-CHECKED",
        "catalogue": "CATALOGUE-MISSING",
    }
    for line in told.values():
        assert bool(line["action"]) is bool(line["code"])
        assert line["level"] in ("ok", "warn", "fail")
    assert not (tmp_path / "data").exists()


def test_lines_for_people_in_the_language_of_the_window(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text('[window]\nlanguage = "en"\n')
    answer = run("clerk-app", "doctor", "--folder", tmp_path, **NO_SERVICE)
    assert "[Failure] Keyring: " in answer.stdout
    answer = run("clerk-app", "doctor", "--folder", tmp_path, "--language", "zh", **NO_SERVICE)
    assert "[故障] 密钥环：" in answer.stdout
    assert answer.returncode == 1


def test_settings_that_are_wrong_are_a_line_of_the_report(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("[printer]\nwidth = 81\n")
    told = examine(tmp_path)
    assert (told["settings"]["code"], told["printer"]["code"]) == ("SETTINGS-INVALID", "DOCTOR-NOT-CHECKED")
    assert "printer.width" in told["settings"]["detail"]


def test_a_test_page_is_printed_when_asked_and_only_then(tmp_path: Path) -> None:
    with SimulatedPrinter(faults=Faults(paper_near_end=True)) as printer:
        (tmp_path / "settings.toml").write_text(f'[printer]\nurl = "{printer.url}"\n')
        assert examine(tmp_path)["printer"]["code"] == "DOCTOR-PAPER-LOW"
        assert printer.papers == []
        assert examine(tmp_path, "--print")["test_page"]["level"] == "ok"
        (paper,) = printer.papers
        assert "打印测试页" in paper.text


def test_a_window_that_has_the_cache_is_not_disturbed(tmp_path: Path) -> None:
    store = SqlStore.open(tmp_path / "cache", throw_away_key())
    try:
        told = examine(tmp_path)
        assert (told["database"]["level"], told["database"]["said"]) == ("ok", "in_use")
        assert told["enrolment"]["code"] == "DOCTOR-NOT-CHECKED"
        store.read(lambda tx: tx.meta.device())
    finally:
        store.close()


def test_a_cache_whose_key_is_out_of_reach(tmp_path: Path) -> None:
    SqlStore.open(tmp_path / "cache", throw_away_key()).close()
    before = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.db")}
    told = examine(tmp_path)
    assert told["database"]["code"] == "STORE-NO-KEYRING"
    assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.db")} == before


@pytest.mark.parametrize(
    ("megabytes", "level", "code"), [(100, "fail", "STORE-FULL"), (600, "warn", "DOCTOR-DISK-LOW")]
)
def test_a_disk_with_little_room(tmp_path: Path, megabytes: int, level: str, code: str) -> None:
    if shutil.which("unshare") is None:
        pytest.fail("unshare (util-linux) is missing")
    mount = f'mount -t tmpfs -o size={megabytes}m none "$1"; exec "$0" doctor --json --folder "$1"'
    command = ["unshare", "--mount", "--map-root-user", "sh", "-c", mount, COMMANDS / "clerk-app", tmp_path]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    (disk,) = [line for line in json.loads(answer.stdout)["checks"] if line["key"] == "disk"]
    assert (disk["level"], disk["code"]) == (level, code)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    (tmp_path / "home").mkdir(mode=0o700)
    with SimulatedPrinter() as printer:
        yield Site(tmp_path, printer)


@pytest.mark.keyring
def test_at_an_enrolled_desk_office_cache_and_keyring_are_well(site: Site) -> None:
    items = site.folder / "items.jsonl"
    items.write_bytes(b"".join([*map(kind_line, KINDS), *map(item_line, ITEMS)]))
    site.run("back-office", "init", "--hall-code", "MY07", "--hall-name", "涪城分中心", "--region", "510703")
    site.run("back-office", "catalogue", "import", items)
    code = site.run("back-office", "enrol-code", "--window", "综合窗口 7").strip()
    site.window.mkdir()
    (site.window / "settings.toml").write_text(f'[printer]\nurl = "{site.printer.url}"\n')
    with site.serve() as office:
        try:
            assert office.stderr is not None
            url = served_at(office.stderr)
            program = COMMANDS / "clerk-app"
            site.run_at_the_desk(program, "enrol", url, "--folder", site.window, told=f"{code}\n")
            report = ["sh", "-c", '"$0" doctor --json --folder "$1" || true', program, site.window]
            told = json.loads(site.run_at_the_desk(*report))
        finally:
            office.send_signal(signal.SIGTERM)
        office.stderr.read()
    found = {line["key"]: line for line in told["checks"]}
    for key in ("settings", "printer", "keyring", "database", "enrolment", "office", "clock", "sqlite"):
        assert found[key]["level"] == "ok", found[key]
    assert found["enrolment"]["values"] == {"hall": "涪城分中心", "window": "综合窗口 7"}
    assert found["certificate"]["said"] == "none"
