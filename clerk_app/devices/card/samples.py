"""The invented people whose cards practice mode and the tests lay on the reader.

One JSON file a card in `resources/sample/cards`: `title` and `title_en` say what it is good for, `version`
which rules a social security card follows; the other keys are fields of `CardRecord` (dates as YYYY-MM-DD).
The file's name is the card's id.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib import resources
from typing import Any

from clerk_app.devices.card.encoder import encode, social_security_records, stream
from clerk_app.domain.applicant import CardRecord, DocumentKind, Sex

_DATES = ("birth", "valid_from", "valid_until")


@dataclass(frozen=True, slots=True)
class SampleCard:
    """A card that can be laid: `record` is what it says, `chip` the bytes its chip holds.

    These are the 1284 bytes a reader hands out of an identity card, or the records of a social security card.
    """

    id: str
    title: str
    title_en: str
    record: CardRecord
    chip: bytes


def sample_cards() -> Mapping[str, SampleCard]:
    """Every sample card by id. Raises ValueError or TypeError for a file that describes no card."""
    folder = resources.files("resources") / "sample" / "cards"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".json")), key=lambda f: f.name)
    cards = (_card(file.name.removesuffix(".json"), json.loads(file.read_text("utf-8"))) for file in files)
    return {card.id: card for card in cards}


def _card(card_id: str, entry: dict[str, Any]) -> SampleCard:
    title, title_en, version = entry.pop("title"), entry.pop("title_en"), entry.pop("version", "")
    days = {field: date.fromisoformat(entry[field]) for field in _DATES if field in entry}
    kinds = {"kind": DocumentKind(entry["kind"]), "sex": Sex(entry["sex"])}
    record = CardRecord(**(entry | days | kinds))
    if record.kind is DocumentKind.SOCIAL_SECURITY:
        chip = social_security_records(record, version)
    else:
        chip = stream(encode(record))
    return SampleCard(card_id, title, title_en, record, chip)
