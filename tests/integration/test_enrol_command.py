"""`clerk-app enrol` and `clerk-app recover` at their prompts: what they ask, refuse, keep and say."""

from __future__ import annotations

import io
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from office_hall import Hall, served
from sync_window import Tokens

from back_office.embedded import enrolment_code
from clerk_app import bootstrap, cli, settings
from clerk_app.store.vault import throw_away_key


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    with served(tmp_path / "office") as one:
        yield one


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of a workstation whose keyring is the test's."""
    key, tokens = throw_away_key(), Tokens()
    monkeypatch.setattr(bootstrap, "cache_key", lambda _: key)
    monkeypatch.setattr(bootstrap, "KeyringTokens", lambda: tokens)
    return tmp_path / "window"


def typed(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{line}\n"))


def test_the_settings_keep_paths_that_hold_from_every_folder(
    hall: Hall, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "2026.pem").write_text("an authority")
    (tmp_path / "keys" / "ca.pem").symlink_to("2026.pem")  # as whoever renews certificates leaves it
    (tmp_path / "pc.pem").write_text("a certificate")
    monkeypatch.chdir(tmp_path / "keys")
    typed(monkeypatch, enrolment_code(hall.settings, window="综合窗口12"))
    files = ["--ca", "ca.pem", "--certificate", "../pc.pem"]
    assert cli.main(["enrol", hall.url, "--folder", str(folder), *files]) == 0
    monkeypatch.chdir(tmp_path)
    kept = settings.load(folder)
    assert (kept.office_ca, kept.office_certificate) == (
        str(tmp_path / "keys" / "ca.pem"),
        str(tmp_path / "pc.pem"),
    )


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["127.0.0.1:8791"], "argument url: "),
        (["http://office.example"], "argument url: "),
        (["https://[office"], "argument url: "),
        (["https://office.example:http"], "argument url: "),
        (["https://office.example", "--ca", "/nonexist.pem"], "argument --ca: no such file: /nonexist.pem"),
        (["https://office.example", "--certificate", "/"], "argument --certificate: no such file: /"),
    ],
)
def test_a_wrong_argument_is_named_and_no_code_is_asked_for(
    folder: Path, arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["enrol", *arguments, "--folder", str(folder)])
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert named in told
    assert "settings.toml" not in told
    assert not folder.exists()


@pytest.mark.parametrize("command", [["enrol", "https://office.example"], ["recover"]])
def test_ctrl_c_at_a_prompt_is_no_traceback(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupted(io.StringIO):
        def readline(self, *_: object) -> str:
            raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stdin", Interrupted())
    assert cli.main([*command, "--folder", str(folder)]) == 130
    assert capsys.readouterr().err == "\n"


@pytest.mark.parametrize("command", [["enrol", "https://office.example"], ["recover"]])
def test_ctrl_d_at_a_terminal_gives_up_as_ctrl_c_does(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    def ended(_prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("getpass.getpass", ended)
    assert cli.main([*command, "--folder", str(folder)]) == 130
    assert capsys.readouterr().err == "\n"


def test_with_nobody_there_it_says_check_the_address_not_go_on_working(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    typed(monkeypatch, "ABCD-EFGH")
    assert cli.main(["enrol", f"https://127.0.0.1:{port}", "--folder", str(folder)]) == 2
    told = capsys.readouterr().err
    assert told.startswith("SYNC-NO-OFFICE: ")
    assert "Go on working" not in told


def test_a_recovery_code_is_never_an_argument(capsys: pytest.CaptureFixture[str]) -> None:
    for more in ([], ["--salvage"]):
        with pytest.raises(SystemExit) as ended:
            cli.main(["recover", "--code", "ABCD-EFGH", *more])
        assert ended.value.code == 2
        assert "unrecognized arguments: --code" in capsys.readouterr().err
