"""What the doctor says of a part, in words: for the page in the window, the terminal and the clipboard."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from clerk_app import failures
from clerk_app.desk.ports import Check, Level
from clerk_app.ui.words import language, tr


@dataclass(frozen=True, slots=True)
class Line:
    """One part: its name, its state in a word, what was found, and the one thing to do (empty when well)."""

    name: str
    level: str
    sentence: str
    action: str = ""


def name(key: str) -> str:
    """The name of a part; one of several readers has its place behind a dot ("reader.2")."""
    part, _, place = key.partition(".")
    return f"{tr(f'doctor.name.{part}')} {place}".strip()


def line(check: Check) -> Line:
    """`check` in the language on screen."""
    level = tr(f"doctor.level.{check.level.value}")
    if check.code:
        told = failures.text(check.code, language())
        return Line(name(check.key), level, told.sentence, told.action)
    part = check.key.partition(".")[0]
    state = f"{part}_{check.said}" if check.said else part
    values = dict(check.values)
    if "document" in values:
        values["document"] = tr(f"document.{values['document']}")
    return Line(name(check.key), level, tr(f"doctor.well.{state}", **values))


def worst(checks: Iterable[Check]) -> Level:
    levels = {check.level for check in checks}
    return next((level for level in (Level.FAIL, Level.WARN) if level in levels), Level.OK)


def summary(checks: Iterable[Check]) -> str:
    """How many parts are well, and how many are not."""
    told = tuple(checks)
    counts = {level: sum(check.level is level for check in told) for level in Level}
    return tr("doctor.summary", ok=counts[Level.OK], warn=counts[Level.WARN], fail=counts[Level.FAIL])


def report(checks: Iterable[Check]) -> str:
    """All of it as text: for the terminal, and for the clerk to send to IT. No personal data is in it."""
    told = tuple(checks)
    lines: list[str] = []
    for check in told:
        said = line(check)
        lines.append(tr("doctor.report_line", level=said.level, name=said.name, sentence=said.sentence))
        if check.code:
            lines.append(f"    {check.code}  {said.action}")
        if check.detail and check.level is not Level.OK:
            lines.append(f"    {check.detail}")
    return "\n".join((*lines, summary(told)))
