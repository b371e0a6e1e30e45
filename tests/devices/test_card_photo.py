"""The slot for a photo decoder: what is installed is asked, what fails is survived."""

from __future__ import annotations

from pathlib import Path

import pytest
from installed import install

from clerk_app.devices.card import photo

WLT = b"WLf" + bytes(1021)
PNG = b"\x89PNG\r\n\x1a\n..."
DECODERS = """
def good(photo):
    assert len(photo) == 1024
    return b"\\x89PNG\\r\\n\\x1a\\n..."

def bad(photo):
    raise OSError("no licence for this computer, quotes " + "a card")

def leaving(photo):
    raise SystemExit(1)

def odd(photo):
    return b"<html>"
"""


@pytest.fixture(autouse=True)
def nothing_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo, "_failed", set())


def test_without_a_decoder_there_is_no_picture() -> None:
    assert photo.decode(WLT) is None


@pytest.mark.parametrize("block", [None, b"", bytes(1023), bytes(1025)])
def test_what_is_no_photo_is_not_decoded(block: bytes | None) -> None:
    assert photo.decode(block) is None


def test_the_first_decoder_that_can_decodes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    points = {"a": "wlt_plug:bad", "b": "wlt_plug:odd", "c": "no_such_module:x", "d": "wlt_plug:good"}
    install(monkeypatch, tmp_path / "site", "wlt_plug", DECODERS, clerk_app__photo_decoders=points)

    assert photo.decode(WLT) == PNG
    assert photo.decode(WLT) == PNG

    assert caplog.text.count("bug in the photo decoder a: OSError") == 1
    assert caplog.text.count("the photo decoder b gave no image") == 1
    assert caplog.text.count("bug in the photo decoder c: ModuleNotFoundError") == 1
    assert "quotes a card" not in caplog.text


def test_decoders_that_all_fail_leave_the_text(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(
        monkeypatch,
        tmp_path / "site",
        "wlt_broken",
        DECODERS,
        clerk_app__photo_decoders={"a": "wlt_broken:bad", "b": "wlt_broken:leaving"},
    )
    assert photo.decode(WLT) is None


def test_it_is_there_only_when_a_decoder_is_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert photo.installed() is None
    points = {"a": "wlt_there:good"}
    install(monkeypatch, tmp_path / "site", "wlt_there", DECODERS, clerk_app__photo_decoders=points)
    decoder = photo.installed()
    assert decoder is not None
    assert decoder(WLT) == PNG
