"""What an administrator mistypes, and the folders and files a command cannot use: told, never a traceback."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest
import sqlalchemy as sa

from back_office import serving
from back_office.cli import main
from back_office.embedded import write
from clerk_app import __version__
from clerk_app.failures import Failure

MY07 = ("--hall-code", "MY07", "--hall-name", "涪城分中心", "--region", "510703")
PAGE = 4096


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "data"
    monkeypatch.setenv("BACK_OFFICE_DATA", str(folder))
    monkeypatch.setenv("BACK_OFFICE_PASSWORD", "window-twelve")
    assert main(["init", *MY07]) == 0
    return folder


def _halls(folder: Path) -> dict[str, str]:
    rows = write(folder, lambda tx: tx.connection.execute(sa.text("SELECT code, name FROM hall")).all())
    return {row.code: row.name for row in rows}


# --- init -----------------------------------------------------------------------------------------------


def test_init_without_a_hall_opens_none_where_one_is(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As after an update: the sample hall must not come into an office at work."""
    capsys.readouterr()
    for also in ([], ["--practice"]):
        assert main(["init", *also]) == 0
        assert capsys.readouterr().out == f"MY07 涪城分中心: {data} (there already, unchanged)\n"
    assert _halls(data) == {"MY07": "涪城分中心"}


def test_init_of_a_hall_that_is_there_tells_the_name_it_has(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", "--hall-code", "MY08", "--hall-name", "游仙分中心", "--region", "510704"]) == 0
    capsys.readouterr()
    assert main(["init", "--hall-code", "MY07", "--hall-name", "另一个名字", "--practice"]) == 0
    assert capsys.readouterr().out == f"MY07 涪城分中心: {data} (there already, unchanged)\n"
    assert _halls(data) == {"MY07": "涪城分中心", "MY08": "游仙分中心"}


@pytest.mark.parametrize("left_out", range(0, len(MY07), 2))
def test_a_new_hall_is_nobody_s_guess(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], left_out: int
) -> None:
    """And what is refused leaves no database behind."""
    given = [*MY07[:left_out], *MY07[left_out + 2 :]]
    assert main(["--data", str(tmp_path / "data"), "init", *given]) == 1
    told = capsys.readouterr().err
    assert told.startswith("OFFICE-HALL-NEW") and told.endswith(f"missing: {MY07[left_out]}\n")
    assert not (tmp_path / "data" / "office.db").exists()


def test_a_second_hall_is_nobody_s_guess(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--hall-code", "MY08"]) == 1
    assert "missing: --hall-name, --region" in capsys.readouterr().err
    assert _halls(data) == {"MY07": "涪城分中心"}


def test_a_practice_hall_needs_no_name(tmp_path: Path) -> None:
    assert main(["--data", str(tmp_path), "init", "--practice"]) == 0
    assert _halls(tmp_path) == {"MY01": "绵阳市民中心（示例）"}


# --- words that cannot be ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["init", "--region", "51"], "OFFICE-REGION"),
        (["init", "--region", "abcdef"], "OFFICE-REGION"),
        (["init", "--hall-code", "MY08", "--hall-name", "x", "--region", "5107000"], "OFFICE-REGION"),
        (["init", "--hall-code", "MY08", "--hall-name", "", "--region", "510700"], "OFFICE-NAME"),
        (["init", "--hall-code", "MY08", "--hall-name", " ", "--region", "510700"], "OFFICE-NAME"),
        (["user", "add", "", "--name", "x"], "OFFICE-STAFF-NUMBER"),
        (["user", "add", "10 24", "--name", "x"], "OFFICE-STAFF-NUMBER"),
        (["user", "add", "1024\t", "--name", "x"], "OFFICE-STAFF-NUMBER"),
        (["user", "add", "1024", "--name", ""], "OFFICE-NAME"),
        (["enrol-code", "--window", ""], "OFFICE-NAME"),
        (["enrol-code", "--window", " "], "OFFICE-NAME"),
    ],
)
def test_a_word_that_cannot_be_is_refused(
    data: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: str
) -> None:
    assert main(arguments) == 1
    assert capsys.readouterr().err.startswith(f"{code}:")
    assert _halls(data) == {"MY07": "涪城分中心"}


def test_an_unknown_right_is_told_beside_those_there_are(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["user", "add", "1024", "--name", "王芳", "--rights", "acept"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("OFFICE-RIGHT-UNKNOWN:")
    assert told.endswith("acept; known: accept, call, issue, void\n")


def test_rights_may_be_written_with_blanks(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["user", "add", "1024", "--name", "王芳", "--rights", "accept, call"]) == 0
    assert main(["user", "list"]) == 0
    assert "accept,call" in capsys.readouterr().out
    assert main(["user", "rights", "1024", " issue , void, "]) == 0
    assert main(["user", "list"]) == 0
    assert "issue,void" in capsys.readouterr().out


@pytest.mark.parametrize("number", ["0", "-3", "two"])
def test_a_number_of_workers_that_cannot_be_is_refused(
    data: Path, capsys: pytest.CaptureFixture[str], number: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["serve", f"--workers={number}", "--port", "-1"])
    assert ended.value.code == 2
    assert f"--workers: {number} is no number" in capsys.readouterr().err


# --- folders and files ------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["file", "file/below"])
@pytest.mark.parametrize("hall", [(), MY07])
def test_a_folder_that_cannot_be_made_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str, hall: tuple[str, ...]
) -> None:
    (tmp_path / "file").touch()
    assert main(["--data", str(tmp_path / place), "init", *hall]) == 1
    told = capsys.readouterr().err
    assert told.startswith("OFFICE-FOLDER:") and f"{tmp_path / place}: " in told


@pytest.mark.parametrize("kind", [PermissionError, FileNotFoundError])
def test_a_folder_the_system_refuses_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, kind: type[OSError]
) -> None:
    """Tests may run as root, who is refused nothing; /proc does it with "not found"."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise kind(13, "no way in")

    place = tmp_path / "data"
    monkeypatch.setattr(Path, "mkdir", refuse)
    assert main(["--data", str(place), "init", *MY07]) == 1
    assert f"{place}: no way in" in capsys.readouterr().err
    monkeypatch.setattr(Path, "is_file", refuse)
    assert main(["--data", str(place), "user", "list"]) == 1
    assert capsys.readouterr().err.startswith("OFFICE-FOLDER:")


def test_an_office_that_is_not_made_yet_is_told_with_its_whole_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Most often it is the folder of another account, or of where one happens to stand."""
    monkeypatch.chdir(tmp_path)
    assert main(["--data", "elsewhere", "user", "list"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("OFFICE-NOT-READY:") and f"{tmp_path / 'elsewhere'}: no database" in told


@pytest.mark.parametrize("command", [["init"], ["init", *MY07], ["user", "list"]])
def test_a_file_that_is_no_database_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    file = tmp_path / "office.db"
    file.write_bytes(bytes(range(1, 256)) * 64)
    assert main(["--data", str(tmp_path), *command]) == 1
    told = capsys.readouterr().err
    assert told.startswith("OFFICE-FILE:") and f"{file}: file is not a database" in told


def test_a_database_damaged_inside_is_told(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = data / "office.db"
    whole = file.read_bytes()
    file.write_bytes(whole[: 3 * PAGE] + b"\xa5" * (len(whole) - 3 * PAGE))
    assert main(["user", "add", "1024", "--name", "王芳"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("OFFICE-FILE:") and f"{file}: database disk image is malformed" in told


def test_a_database_that_cannot_be_written_is_told(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder where SQLite wants its log stands for rights that root would not feel."""
    (data / "office.db-wal").mkdir()
    for command in (["init"], ["user", "list"]):
        assert main(command) == 1
        told = capsys.readouterr().err
        assert told.startswith("OFFICE-FILE:") and f"{data / 'office.db'}: unable to open" in told


# --- serve ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("port", ["99999", "-1"])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_port_that_is_none_is_told(
    data: Path, capsys: pytest.CaptureFixture[str], port: str, workers: str
) -> None:
    assert main(["serve", f"--port={port}", "--workers", workers]) == 1
    told = capsys.readouterr().err
    assert told.startswith("OFFICE-PORT:") and f"127.0.0.1:{port}: " in told


def test_a_port_that_is_taken_is_told_and_one_that_comes_free_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.socket() as another:
        another.bind(("127.0.0.1", 0))
        another.listen()
        listening = serving.Listening("127.0.0.1", another.getsockname()[1])
        with monkeypatch.context() as impatient:
            impatient.setattr(serving, "PORT_SECONDS", 0.2)
            with pytest.raises(Failure, match="OFFICE-PORT"):
                serving._bound(listening)
        threading.Timer(0.5, another.close).start()
        serving._bound(listening).close()


@pytest.mark.parametrize("host", ["nowhere.invalid", "192.0.2.7", "a" * 70 + ".invalid"])
def test_a_host_that_is_another_s_or_nobody_s_is_told(
    data: Path, capsys: pytest.CaptureFixture[str], host: str
) -> None:
    assert main(["serve", "--port", "0", "--host", host]) == 1
    told = capsys.readouterr().err
    assert told.startswith("OFFICE-HOST:") and f"{host}:0: " in told


@contextmanager
def _serving(data: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """`back-office serve` in a process of its own, at work."""
    command = [sys.executable, "-m", "back_office", "--data", str(data), "serve", "--port", "0", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ.copy()) as process:
        assert process.stderr is not None
        try:
            while json.loads(process.stderr.readline())["event"] != "serving":
                pass
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_ctrl_c_ends_serve_in_order(data: Path, workers: str) -> None:
    with _serving(data, "--workers", workers) as process:
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
        assert (process.returncode, "Traceback" in told) == (0, False), told


def test_ctrl_c_at_a_prompt_ends_the_command(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted:
        def isatty(self) -> bool:
            return False

        def readline(self) -> NoReturn:
            raise KeyboardInterrupt

    monkeypatch.delenv("BACK_OFFICE_PASSWORD")
    monkeypatch.setattr("sys.stdin", Interrupted())
    assert main(["user", "add", "1024", "--name", "王芳"]) == 130
    assert capsys.readouterr().err == "\n"


@pytest.mark.parametrize("command", [["user", "add", "1024", "--name", "王芳"], ["lost-card", "add"]])
def test_ctrl_d_at_a_terminal_gives_up_as_ctrl_c_does(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    def ended(_prompt: str) -> NoReturn:
        raise EOFError

    monkeypatch.delenv("BACK_OFFICE_PASSWORD")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("back_office.cli.common.getpass", ended)
    capsys.readouterr()
    assert main(command) == 130
    assert capsys.readouterr().err == "\n"


# --- help -------------------------------------------------------------------------------------------------


def _printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    return " ".join(capsys.readouterr().out.split())


def test_the_version_is_the_one_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert _printed(capsys, "--version") == f"back-office {__version__}"


@pytest.mark.parametrize(
    ("command", "texts"),
    [
        (["init"], ["--hall-name HALL_NAME of a new", "--hall-name-en HALL_NAME_EN the same in English"]),
        (["serve"], ["(default: 127.0.0.1)", "(default: 8720)", "(default: 1)"]),
        (
            ["user", "add"],
            [
                "staff_no the staff",
                "--name NAME as it",
                "--name-en NAME_EN the",
                "--hall HALL code",
                "call (",
            ],
        ),
        (
            ["user", "rights"],
            ["staff_no the staff", "rights comma-separated, of accept (", "--hall HALL code"],
        ),
    ],
)
def test_the_help_tells_what_an_option_is_and_its_default(
    capsys: pytest.CaptureFixture[str], command: list[str], texts: list[str]
) -> None:
    told = _printed(capsys, *command, "--help")
    assert [text for text in texts if text not in told] == []
