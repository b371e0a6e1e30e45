"""How a person at the window is shown: full name, masked number, how we know, what to look out for."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from clerk_app import failures
from clerk_app.desk.views import PersonView
from clerk_app.domain.applicant import EntrySource
from clerk_app.domain.ethnicity import ETHNIC_GROUPS
from clerk_app.ui.flow import FlowLayout
from clerk_app.ui.pieces import Chip, IconLabel, column, label, row
from clerk_app.ui.words import language, sentences, tr


def source_chip(person: PersonView) -> Chip:
    """Whether a card proved it; a typed identity never looks like a read one."""
    if person.source is EntrySource.CARD:
        return Chip("ok", tr("applicant.card_read"), "ok")
    return Chip("typed", tr("applicant.typed"), "warn")


def validity(person: PersonView) -> str:
    if person.long_term:
        return tr("applicant.long_term")
    if person.valid_until:
        return tr("applicant.valid_until", date=person.valid_until.isoformat())
    return ""


def facts(person: PersonView) -> str:
    """Document, ethnicity, sex, birth and age, address, as far as they are known, on one line."""
    parts = [tr(f"document.{person.kind.value}")]
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
    return [_note(code) for code in person.notes]


def _note(code: str) -> QWidget:
    text = failures.text(code, language())
    line = QWidget()
    inside = row(line, gap=6)
    inside.addWidget(IconLabel("warn", "warn"))
    words = label(sentences(text.sentence, text.action), wrap=True)
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
    flow.addWidget(label(validity(person), "muted"))
    body.addWidget(top)
    body.addWidget(label(facts(person), "muted", wrap=True))
    for line in notes(person):
        body.addWidget(line)
    return block
