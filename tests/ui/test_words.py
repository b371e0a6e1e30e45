"""Two languages with the same keys and placeholders; every key used exists, every key that exists is used."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from clerk_app.desk.ports import CommandState, LinkState, PrintState, ReaderState
from clerk_app.desk.views import CheckState, Paper
from clerk_app.domain.applicant import DocumentKind, Sex
from clerk_app.domain.case import LegalState, MaterialMode, SyncState, TimelineKind
from clerk_app.domain.catalogue import Audience, ItemType, OfflineRule
from clerk_app.domain.ethnicity import ETHNIC_GROUPS
from clerk_app.sync.protocol import CommandType
from clerk_app.ui import words
from clerk_app.ui.steps.progress import StepState

CODE = Path(__file__).parents[2] / "clerk_app"
SPEAKERS = [p for part in ("ui", "desk", "domain") for p in sorted((CODE / part).rglob("*.py"))]
ZH, EN = words.words("zh"), words.words("en")
TABLES = {key.split(".", 1)[0] for key in ZH}
FAMILIES = {
    "timeline": list(TimelineKind),
    "legal": list(LegalState),
    "sync": list(SyncState),
    "mode": list(MaterialMode),
    "paper": list(PrintState),
    "check": list(CheckState),
    "link": list(LinkState),
    "reader": list(ReaderState),
    "document": list(DocumentKind),
    "sex": [sex for sex in Sex if sex is not Sex.UNKNOWN],
    "type": list(ItemType),
    "step": list(StepState),
    "outbox": [state for state in CommandState if state is not CommandState.APPLIED],
    "command": list(get_args(CommandType)),
    "ethnicity": list(ETHNIC_GROUPS),
    "slips": list(Paper),
}


def strings() -> Iterator[tuple[Path, str, bool]]:
    """Every string in the code: (file, text, whether it is only the beginning of a built one)."""
    for path in SPEAKERS:
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        pieces = {id(piece) for node in nodes if isinstance(node, ast.JoinedStr) for piece in node.values}
        for node in nodes:
            if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                yield path, str(node.values[0].value), True
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in pieces:
                yield path, node.value, node.value.endswith(".")


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_have_the_same_keys() -> None:
    assert set(ZH) == set(EN)


@pytest.mark.parametrize("key", sorted(ZH))
def test_both_languages_fill_the_same_places(key: str) -> None:
    assert placeholders(ZH[key]) == placeholders(EN[key])
    assert ZH[key].strip() and EN[key].strip()


def test_english_is_english() -> None:
    chinese = re.compile(r"[\u4e00-\u9fff]")
    assert [key for key, text in EN.items() if chinese.search(text)] == []


def test_every_key_in_the_code_exists() -> None:
    key = re.compile(rf"(?:{'|'.join(sorted(TABLES))})\.[a-z_0-9.]+")
    others = {*get_args(CommandType), "tokens.toml", "window.qss"}
    missing = {
        (path.name, text)
        for path, text, begins in strings()
        if not begins and key.fullmatch(text) and text not in ZH and text not in others
    }
    assert missing == set()


def test_every_built_key_exists() -> None:
    built = [f"{table}.{name}" for table, names in FAMILIES.items() for name in names]
    absent = [key for key in built if key not in ZH]
    absent += [
        key
        for audience in (Audience.PERSON, Audience.ORGANISATION)
        if (key := f"gate.audience_{audience}") not in ZH
    ]
    absent += [key for rule in OfflineRule if (key := f"guide.offline_{rule}") not in ZH]
    assert absent == []


def test_no_key_is_left_over() -> None:
    whole = {text for _, text, begins in strings() if not begins}
    begun = tuple({text for _, text, begins in strings() if begins and text.split(".")[0] in TABLES})
    assert [key for key in ZH if key not in whole and not key.startswith(begun)] == []


def test_chinese_names_of_ethnic_groups_are_the_standards() -> None:
    assert {code: ZH[f"ethnicity.{code}"] for code in ETHNIC_GROUPS} == ETHNIC_GROUPS


def test_a_missing_key_is_a_bug() -> None:
    with pytest.raises(KeyError):
        words.tr("no.such_key")
    with pytest.raises(ValueError, match="language"):
        words.speak("fr")


@pytest.mark.parametrize(
    ("told", "chinese", "english"),
    [
        ("12", "综合窗口 12", "Window 12"),
        ("综合窗口12", "综合窗口12", "综合窗口12"),
        ("3号专窗", "3号专窗", "3号专窗"),
        ("A3", "A3", "A3"),
    ],
)
def test_a_bare_number_is_told_as_a_window_and_a_name_stands_as_it_is(
    told: str, chinese: str, english: str
) -> None:
    assert words.window_name(told) == chinese
    words.speak("en")
    try:
        assert words.window_name(told) == english
    finally:
        words.speak("zh")
