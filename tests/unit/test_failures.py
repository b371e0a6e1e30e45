"""Code, text and manual of every failure are held together."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from clerk_app import failures

ROOT = Path(__file__).parents[2]
SOURCES = [p for package in ("clerk_app", "back_office", "practice") for p in (ROOT / package).rglob("*.py")]
_DEVICES = "BLOCK|CARD|ID|MRZ|PRINTER|SCAN|VOICE"
AREAS = f"{_DEVICES}|CATALOGUE|DESK|DOCTOR|IMPORT|OFFICE|SETTINGS|SIGN-IN|STORE|SYNC|UPLOAD"
# A code as a whole string of the source; docstrings name families such as SYNC-… and do not count.
CODE = re.compile(rf'"((?:{AREAS})-[A-Z0-9]+(?:-[A-Z0-9]+)*)"')


def used() -> dict[str, str]:
    """Every code a source names, with the file that names it."""
    return {
        code: str(path.relative_to(ROOT))
        for path in SOURCES
        for code in CODE.findall(path.read_text(encoding="utf-8"))
    }


def test_every_code_in_the_program_has_its_texts() -> None:
    missing = {code: where for code, where in used().items() if code not in failures.codes()}
    assert missing == {}


def test_every_text_belongs_to_a_code_the_program_uses() -> None:
    assert sorted(set(failures.codes()) - used().keys()) == []


@pytest.mark.parametrize("code", failures.codes())
def test_a_text_says_what_to_do_in_both_languages(code: str) -> None:
    for language in ("zh", "en"):
        text = failures.text(code, language)
        assert text.sentence.endswith(("。", "."))
        assert text.action.endswith(("。", "."))
        assert len(text.sentence) < 120


def test_the_manual_lists_every_code_once() -> None:
    manual = (ROOT / "docs" / "failures.md").read_text(encoding="utf-8")
    listed = re.findall(r"^### (\S+)$", manual, flags=re.MULTILINE)
    assert listed == sorted(listed)
    assert listed == list(failures.codes())
    for code in failures.codes():
        assert failures.text(code, "zh").action in manual
