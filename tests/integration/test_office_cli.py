"""The command line, from an empty folder to a served window, as an administrator types it."""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from office_hall import FILEABLE, ITEMS, KINDS, UserSetup, Workstation

from back_office.cli import audit, backup, contract, devices, lost_cards, main
from clerk_app.catalogue.records import item_line, kind_line
from clerk_app.domain.identity import uscc_check_character


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "data"
    monkeypatch.setenv("BACK_OFFICE_DATA", str(folder))
    monkeypatch.setenv("BACK_OFFICE_PASSWORD", "window-twelve")
    assert main(["init", "--hall-code", "MY07", "--hall-name", "涪城分中心", "--region", "510703"]) == 0
    return folder


def _catalogue(folder: Path, *more: bytes) -> Path:
    lines = [kind_line(kind) for kind in KINDS] + [item_line(item) for item in ITEMS] + list(more)
    file = folder.parent / "items.jsonl"
    file.write_bytes(b"".join(lines))
    return file


def test_from_an_empty_folder_to_a_called_ticket(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One story: init, a clerk, a catalogue, a code, a ticket; then `serve` in a process of its own."""
    assert main(["user", "add", "1024", "--name", "王芳", "--name-en", "Wang Fang"]) == 0
    assert main(["catalogue", "import", str(_catalogue(data)), "--version", "2026.1"]) == 0
    assert main(["ticket", "issue", "--series", "Y"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "Y001"
    assert main(["enrol-code", "--window", "综合窗口12", "--queue", "A"]) == 0
    code = capsys.readouterr().out.strip()

    with subprocess.Popen(
        [sys.executable, "-m", "back_office", "serve", "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ.copy(),
    ) as process:
        assert process.stderr is not None
        try:
            url = _served_at(process.stderr)
            station = Workstation.enrolled(url, code)
            station.sign_in(UserSetup("1024", "王芳", "window-twelve"))
            assert station.device.hall_code == "MY07"
            assert station.call().json()["ticket"]["number"] == "Y001"
            assert station.result(station.filing())["status"] == "applied"
            station.close()
        finally:
            process.send_signal(signal.SIGTERM)
        lines = process.stderr.read().splitlines()
        assert process.wait(30) in (0, -signal.SIGTERM)
    assert not [line for line in lines if "error" in line]
    assert not [line for line in lines if station.device.token in line or "李小明" in line]


def _served_at(lines: Iterable[str]) -> str:
    for line in lines:
        entry = json.loads(line)
        if entry["event"] == "serving":
            return f"http://127.0.0.1:{entry['port']}"
    raise AssertionError("the server ended")


def test_init_again_changes_nothing(data: Path) -> None:
    assert main(["init", "--hall-code", "MY07", "--hall-name", "另一个名字"]) == 0
    assert (data.stat().st_mode & 0o777, (data / "office.db").stat().st_mode & 0o777) == (0o700, 0o600)


def test_bad_rows_stop_an_import_unless_they_may_be_left_out(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(_catalogue(data, b'{"record": "item", "code": 7}\n'))
    assert main(["catalogue", "import", file]) == 1
    assert "OFFICE-IMPORT-BAD-ROWS" in capsys.readouterr().err
    assert not (data / "catalogue").exists()

    assert main(["catalogue", "import", file, "--skip-bad"]) == 0
    out = capsys.readouterr().out
    assert f"{len(ITEMS)} items, 1 rows left out" in out


def test_an_item_is_retired_once(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["catalogue", "import", str(_catalogue(data))])
    assert main(["catalogue", "retire", FILEABLE]) == 0
    assert main(["catalogue", "retire", FILEABLE]) == 1
    assert "OFFICE-NO-ITEM" in capsys.readouterr().err


def test_a_password_is_never_an_argument(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit):
        main(["user", "add", "1", "--name", "x", "--password", "window-twelve"])
    monkeypatch.delenv("BACK_OFFICE_PASSWORD")
    monkeypatch.setattr("sys.stdin", io.StringIO("from-standard-input\n"))
    assert main(["user", "add", "1", "--name", "x", "--rights", "issue"]) == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["user", "add", "1", "--name", "x", "--rights", "fly"], "OFFICE-RIGHT-UNKNOWN"),
        (["user", "add", "1", "--name", "x", "--hall", "XX99"], "OFFICE-NO-HALL"),
        (["user", "disable", "9"], "OFFICE-NO-USER"),
        (["enrol-code", "--queue", "Z"], "OFFICE-NO-QUEUE"),
        (["enrol-code", "--device", "nobody"], "OFFICE-NO-DEVICE"),
        (["ticket", "issue", "--series", "Q"], "OFFICE-NO-SERIES"),
        (["init", "--hall-code", "my7"], "OFFICE-HALL-CODE"),
    ],
)
def test_a_mistake_is_told_with_its_code(
    data: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: str
) -> None:
    assert main(arguments) == 1
    assert capsys.readouterr().err.startswith(code)


def test_a_short_password_and_a_known_number_are_refused(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["user", "add", "1", "--name", "x"]) == 0
    assert main(["user", "add", "1", "--name", "x"]) == 1
    monkeypatch.setenv("BACK_OFFICE_PASSWORD", "short")
    assert main(["user", "add", "2", "--name", "x"]) == 1
    assert [line.split(":")[0] for line in capsys.readouterr().err.splitlines() if "OFFICE" in line] == [
        "OFFICE-USER-KNOWN",
        "OFFICE-PASSWORD",
    ]


def test_without_init_every_command_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path), "ticket", "issue"]) == 1
    assert "OFFICE-NOT-READY" in capsys.readouterr().err


def test_a_restored_office_starts_a_new_generation(data: Path) -> None:
    assert main(["restored"]) == 0


def test_help_is_quick_to_import() -> None:
    """`--help` loads neither the web framework nor the database."""
    script = "import sys, back_office.cli; print('fastapi' in sys.modules or 'sqlalchemy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


LOST = "510704199001011233"


def _type_in(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text + "\n"))


def test_a_card_is_reported_lost_once_and_taken_back(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    capsys.readouterr()
    _type_in(monkeypatch, LOST)
    assert main(["lost-card", "add", "--issued", "2016-05-11"]) == 0
    _type_in(monkeypatch, f" {LOST[:6]} {LOST[6:14]} {LOST[14:]}")
    assert main(["lost-card", "add", "--issued", "2016-05-11"]) == 0
    report, again = capsys.readouterr().out.split()
    assert again == report

    _type_in(monkeypatch, LOST)
    assert main(["lost-card", "add"]) == 0
    whole = capsys.readouterr().out.strip()
    assert main(["lost-card", "list"]) == 0
    listed = capsys.readouterr().out
    assert [line.split("\t")[0::2] for line in listed.splitlines()] == [
        [report, "2016-05-11"],
        [whole, "every card"],
    ]
    assert LOST not in listed

    assert main(["lost-card", "remove", report]) == 0
    assert main(["lost-card", "remove", report]) == 0
    capsys.readouterr()
    assert main(["lost-card", "list"]) == 0
    assert [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()] == [whole]
    assert main(["lost-card", "remove", "nobody"]) == 1
    assert "OFFICE-NO-LOST-CARD" in capsys.readouterr().err


def test_the_number_of_a_lost_card_is_written_nowhere(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _type_in(monkeypatch, LOST)
    assert main(["lost-card", "add"]) == 0
    assert not [file for file in data.rglob("*") if file.is_file() and LOST.encode() in file.read_bytes()]
    with pytest.raises(SystemExit):
        main(["lost-card", "add", LOST])


@pytest.mark.parametrize(
    ("number", "arguments", "code"),
    [
        (LOST[:-1] + "0", [], "ID-CHECK-DIGIT"),
        ("", [], "ID-LENGTH"),
        ("91510700MA6244444X", [], "OFFICE-LOST-CARD"),
        (LOST, ["--issued", "2999-01-01"], "OFFICE-LOST-CARD"),
    ],
)
def test_what_is_no_lost_card_is_refused(
    data: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    number: str,
    arguments: list[str],
    code: str,
) -> None:
    if number.startswith("9151"):
        number = number[:-1] + uscc_check_character(number[:-1])
    _type_in(monkeypatch, number)
    assert main(["lost-card", "add", *arguments]) == 1
    told = capsys.readouterr().err
    assert told.startswith(code)
    assert not number or number not in told


def test_a_ticket_is_withdrawn_by_its_number(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["ticket", "issue"])
    assert main(["ticket", "void", "a001", "--reason", "not_printed"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "A001"
    assert main(["ticket", "void", "A002"]) == 1
    told = capsys.readouterr().err
    assert "OFFICE-NO-TICKET" in told
    assert "A002" in told


def test_a_day_that_is_none_is_told_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["lost-card", "add", "--issued", "11.05.2016"])
    assert "argument --issued: a day such as 2016-05-11" in capsys.readouterr().err


def _arguments(parser: argparse.ArgumentParser, name: str = "") -> Iterator[tuple[str, str | None]]:
    """Every argument below `parser` and its help."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb, below in action.choices.items():
                yield from _arguments(below, f"{name} {verb}".strip())
        else:
            yield f"{name} {action.dest}", action.help


@pytest.mark.parametrize("group", [audit, backup, contract, devices, lost_cards])
def test_every_argument_says_what_it_is(group: Any) -> None:
    parser = argparse.ArgumentParser()
    group.add_to(parser.add_subparsers())
    assert [name for name, told in _arguments(parser) if not told] == []
