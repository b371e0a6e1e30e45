"""What can go wrong, as codes a clerk can read out on the telephone.

Every failure has a code, one sentence that says what to do now, and an entry in the manual
(`docs/failures.md`). The texts live in `resources/failures/*.toml`; a test holds code, text and manual
together. Two classes never mix: the world failed (`Failure`) and we have a bug (any other exception).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources


class Failure(Exception):
    """The world failed in a way we know: no paper, no network, a card pulled too early.

    `code` names an entry of `resources/failures`; `detail` is for IT (it folds out below the sentence) and
    must never hold personal data.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class FailureText:
    """The sentence shown to the clerk and the one thing to do, in one language."""

    code: str
    sentence: str
    action: str


@cache
def _entries() -> dict[str, dict[str, dict[str, str]]]:
    entries: dict[str, dict[str, dict[str, str]]] = {}
    for file in sorted((resources.files("resources") / "failures").iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            entries.update(tomllib.loads(file.read_text(encoding="utf-8")))
    return entries


def codes() -> tuple[str, ...]:
    """All known failure codes, sorted."""
    return tuple(sorted(_entries()))


def text(code: str, language: str = "zh") -> FailureText:
    """The clerk's text for `code` in `language` ("zh" or "en"). Raises KeyError for an unknown code."""
    entry = _entries()[code][language]
    return FailureText(code, entry["sentence"], entry["action"])
