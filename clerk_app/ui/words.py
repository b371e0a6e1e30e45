"""The words on the screen, Chinese and English, switched while the window is open.

The words live in `resources/i18n/zh.toml` and `en.toml` under the same dotted keys. A key that is missing is
a bug of ours and raises KeyError; a test holds the files and the code together.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any

LANGUAGES = ("zh", "en")

_spoken = ["zh"]


@cache
def words(language: str) -> dict[str, str]:
    """All words of `language` ("zh" or "en") by dotted key."""
    file = resources.files("resources") / "i18n" / f"{language}.toml"
    return dict(_flat("", tomllib.loads(file.read_text(encoding="utf-8"))))


def _flat(prefix: str, table: dict[str, Any]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for key, value in table.items():
        dotted = f"{prefix}.{key}" if prefix else key
        pairs += _flat(dotted, value) if isinstance(value, dict) else [(dotted, value)]
    return pairs


def language() -> str:
    """The language on screen."""
    return _spoken[0]


def speak(language: str) -> None:
    """Use `language` from now on; whoever shows words must read them again."""
    if language not in LANGUAGES:
        raise ValueError(f"unknown language: {language!r}")
    _spoken[0] = language


def tr(key: str, /, **values: object) -> str:
    """The words under `key` in the language on screen, with its {placeholders} filled in."""
    text = words(language())[key]
    return text.format(**values) if values else text


def sentences(*parts: str) -> str:
    """Several sentences as one text, with the space the language wants between them."""
    return (" " if language() == "en" else "").join(part for part in parts if part)


def either(chinese: str, english: str) -> str:
    """A name that comes from outside in both languages; the English one may be missing."""
    return english if language() == "en" and english else chinese


def window_name(window: str) -> str:
    """A window's name: a bare number ("12") is told as one, a name ("3号专窗") stands as it is."""
    return tr("header.window", number=window) if window.isdecimal() else window
