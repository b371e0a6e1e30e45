"""The settings file belongs to IT: what a program writes into it takes nothing of theirs away."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from clerk_app import settings
from clerk_app.application import SavedLook
from clerk_app.failures import Failure
from clerk_app.settings import FILE, PrinterSettings, Settings, WindowSettings
from clerk_app.ui.services import Look

WRITTEN = """\
# written by IT
[office]
url = "https://office.example"   # the new one

[[reader]]
driver = "pcsc"
classes = [
  0x80,
]

[window]                         # of this window
theme = "light"                  # or dark
scale = 100
"""


def written(folder: Path, text: str = WRITTEN) -> Path:
    (folder / FILE).write_text(text, encoding="utf-8")
    return folder / FILE


def test_what_changes_is_changed_where_it_stands(tmp_path: Path) -> None:
    file = written(tmp_path)
    told = settings.load(tmp_path)
    settings.save(replace(told, window=WindowSettings("en", "dark", 125)))
    expected = WRITTEN.replace('"light"  ', '"dark"  ').replace("scale = 100", "scale = 125")
    expected = expected.replace("# of this window\n", '# of this window\nlanguage = "en"\n')
    assert file.read_text(encoding="utf-8") == expected


def test_a_table_that_is_not_there_comes_at_the_end(tmp_path: Path) -> None:
    file = written(tmp_path)
    settings.save(replace(settings.load(tmp_path), printer=PrinterSettings("tcp://192.0.2.10:9100", 58)))
    text = file.read_text(encoding="utf-8")
    assert text == WRITTEN + '\n[printer]\nurl = "tcp://192.0.2.10:9100"\nwidth = 58\n'


@pytest.mark.parametrize(
    "text",
    [
        'window = { theme = "light" }\n',
        'window.theme = "light"\n',
        '[window]\ntheme = """light"""\n',
        '["window"]\ntheme = "light"\n',
        '[window]\n"theme" = "light"\n',
    ],
)
def test_what_is_written_in_another_way_is_written_anew(tmp_path: Path, text: str) -> None:
    written(tmp_path, text)
    told = replace(settings.load(tmp_path), window=WindowSettings(theme="dark"))
    settings.save(told)
    assert settings.load(tmp_path) == told


def test_a_kill_leaves_the_file_before_or_the_one_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        settings.save(replace(settings.load(tmp_path), window=WindowSettings("en")))
    assert file.read_text(encoding="utf-8") == WRITTEN


def test_the_file_is_readable_by_this_account_only(tmp_path: Path) -> None:
    settings.save(Settings(tmp_path / "new", office_url="https://office.example"))
    assert stat.S_IMODE((tmp_path / "new" / FILE).stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "new").iterdir()] == [FILE]


def test_a_file_that_cannot_be_read_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(Failure) as told:
        settings.load(tmp_path)
    assert told.value.code == "SETTINGS-INVALID"


def test_the_look_is_kept_beside_what_it_wrote_since_the_window_opened(tmp_path: Path) -> None:
    file = written(tmp_path)
    look = SavedLook(settings.load(tmp_path))
    written(tmp_path, WRITTEN.replace("office.example", "moved.example"))
    look.save(Look("zh", "contrast", 150))
    told = settings.load(tmp_path)
    assert (told.office_url, told.window.theme) == ("https://moved.example", "contrast")
    assert "# written by IT" in file.read_text(encoding="utf-8")


def test_a_file_it_is_in_the_middle_of_is_left_alone(tmp_path: Path) -> None:
    file = written(tmp_path)
    look = SavedLook(settings.load(tmp_path))
    written(tmp_path, "[office\n")
    look.save(Look("en", "dark", 125))
    assert file.read_text(encoding="utf-8") == "[office\n"
    assert look.load() == Look("en", "dark", 125)
