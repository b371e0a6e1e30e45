"""What the doctor found, on the terminal: lines for people, or JSON for a program (`docs/it.md`)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from clerk_app import __version__
from clerk_app.desk.ports import Check, Doctor, Level
from clerk_app.ui import doctor_words, words

FORMAT = 1
"""Version of the JSON: keys are added within one, never changed or taken away."""


def examine(
    doctor: Doctor, *, as_json: bool, language: str, card: bool, test_page: bool, say: Callable[[str], None]
) -> int:
    """Make the round and say what was found; 1 when something failed, else 0."""
    words.speak(language)
    checks: list[Check] = []
    doctor.run(checks.append, card=card, test_page=test_page)
    order = {key: place for place, key in enumerate(doctor.keys)}
    checks.sort(key=lambda check: order.get(check.key, len(order)))
    say(as_data(checks) if as_json else doctor_words.report(checks))
    return 1 if doctor_words.worst(checks) is Level.FAIL else 0


def as_data(checks: Sequence[Check]) -> str:
    """The report as JSON, its sentences in the language spoken."""
    lines = []
    for check in checks:
        said = doctor_words.line(check)
        lines.append(
            {
                "key": check.key,
                "level": check.level.value,
                "code": check.code,
                "said": check.said,
                "name": said.name,
                "sentence": said.sentence,
                "action": said.action,
                "values": dict(check.values),
                "detail": check.detail,
            }
        )
    told = {
        "format": FORMAT,
        "version": __version__,
        "level": doctor_words.worst(checks).value,
        "checks": lines,
    }
    return json.dumps(told, ensure_ascii=False, indent=2)
