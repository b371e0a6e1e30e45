"""How a person at the window is shown: full name, masked number, how we know, what to look out for.

What stops the case, or puts the person in doubt, is told in the bad tone, also on the folded line.
"""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QWidget

from clerk_app import failures
from clerk_app.desk.views import PersonView
from clerk_app.domain.applicant import EntrySource
from clerk_app.domain.ethnicity import ETHNIC_GROUPS
from clerk_app.ui.flow import FlowLayout
from clerk_app.ui.pieces import Chip, IconLabel, column, label, row
from clerk_app.ui.words import language, sentences, tr

_ALARMS = {
    "CARD-REPORTED-LOST": "applicant.lost",
    "DESK-CARD-EXPIRED": "applicant.expired",
    "DESK-MINOR": "applicant.minor",
    "DESK-AGENT-MINOR": "applicant.minor",
}
"""Notes that are alarms, the gravest first, and their words on the folded line."""


def source_chip(person: PersonView) -> Chip:
    """Whether a card proved it, or a zone told it; a typed identity never looks like a read one."""
    match person.source:
        case EntrySource.CARD:
            return Chip("ok", tr("applicant.card_read"), "ok")
        case EntrySource.MRZ:
            return Chip("zone", tr("applicant.zone_read"), "primary")
        case EntrySource.TYPED:
            return Chip("typed", tr("applicant.typed"), "warn")


def alarm_chip(person: PersonView) -> Chip | None:
    """The gravest alarm in a word."""
    code = next((code for code in _ALARMS if code in person.notes), None)
    if code is None:
        return None
    chip = Chip("bad", tr(_ALARMS[code]), "bad")
    chip.setToolTip(_sentence(code))
    return chip


def is_lost(person: PersonView | None) -> bool:
    """Whether the card of this person was reported lost."""
    return person is not None and "CARD-REPORTED-LOST" in person.notes


def validity(person: PersonView) -> str:
    if person.long_term:
        return tr("applicant.long_term")
    if person.valid_until:
        return tr("applicant.valid_until", date=person.valid_until.isoformat())
    return ""


def facts(person: PersonView) -> str:
    """Document, nationality, ethnicity, sex, birth and age, address, as far as known, on one line."""
    parts = [tr(f"document.{person.kind.value}")]
    if person.nationality:
        parts.append(tr("applicant.nationality", code=person.nationality))
    if person.ethnicity in ETHNIC_GROUPS:
        parts.append(tr(f"ethnicity.{person.ethnicity}"))
    if person.sex.value != "unknown":
        parts.append(tr(f"sex.{person.sex.value}"))
    if person.birth:
        parts.append(person.birth.isoformat())
    if person.age is not None:
        parts.append(tr("applicant.age", age=person.age))
    if person.address:
        parts.append(person.address)
    return "  ·  ".join(parts)


def notes(person: PersonView) -> list[QWidget]:
    """One line a warning: what is odd about the document and what to do."""
    return [_alarm(code) if code in _ALARMS else _note(code) for code in person.notes]


def _sentence(code: str) -> str:
    text = failures.text(code, language())
    return sentences(text.sentence, text.action)


def _alarm(code: str) -> QWidget:
    """In a frame of its own: what is wrong in bold, what to do below it."""
    text = failures.text(code, language())
    frame = QFrame()
    frame.setProperty("piece", "banner")
    frame.setProperty("tone", "bad")
    frame.setToolTip(code)
    frame.setAccessibleName(_sentence(code))
    inside = row(frame, gap=8)
    inside.setContentsMargins(12, 6, 8, 6)
    inside.addWidget(IconLabel("bad", "bad", 18))
    told = column(gap=2)
    told.addWidget(label(text.sentence, "title", wrap=True))
    told.addWidget(label(text.action, wrap=True))
    inside.addLayout(told, 1)
    return frame


def _note(code: str) -> QWidget:
    line = QWidget()
    inside = row(line, gap=6)
    inside.addWidget(IconLabel("warn", "warn"))
    words = label(_sentence(code), wrap=True)
    words.setProperty("tone", "warn")
    words.setToolTip(code)
    inside.addWidget(words, 1)
    return line


def person_block(title: str, person: PersonView) -> QWidget:
    """A second person on the page (the agent): title, name, number, how we know."""
    block = QWidget()
    body = column(block, gap=4)
    top = QWidget()
    flow = FlowLayout(top, gap=10, spread=True)
    flow.addWidget(label(title, "muted"))
    flow.addWidget(label(person.name, "name", selectable=True))
    flow.addWidget(label(person.number, "number"))
    flow.addWidget(source_chip(person))
    if (alarm := alarm_chip(person)) is not None:
        flow.addWidget(alarm)
    flow.addWidget(label(validity(person), "muted"))
    body.addWidget(top)
    body.addWidget(label(facts(person), "muted", wrap=True))
    for line in notes(person):
        body.addWidget(line)
    return block
