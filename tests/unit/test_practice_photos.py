"""The photos of practice cards: read as any other, decoded into a silhouette, and nobody's face."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from clerk_app.devices.card import chips
from clerk_app.devices.card.choice import DRIVERS, read_with
from clerk_app.devices.card.layouts import PHOTO_LENGTH
from clerk_app.devices.card.samples import sample_cards
from clerk_app.domain.applicant import DocumentKind
from practice.photos import drawn, with_photos

CARDS = with_photos(sample_cards())
IDENTITY = [card for card in CARDS.values() if card.record.kind is not DocumentKind.SOCIAL_SECURITY]


def test_every_card_is_still_there_and_only_its_photo_is_new() -> None:
    before = sample_cards()
    assert CARDS.keys() == before.keys()
    for card in CARDS.values():
        if card not in IDENTITY:
            assert card == before[card.id]


@pytest.mark.parametrize("card", IDENTITY, ids=lambda card: card.id)
def test_a_practice_card_is_read_with_its_photo_and_the_photo_drawn(card) -> None:
    kind = card.record.kind
    record = read_with(DRIVERS, chips.atr(kind), chips.chip(kind, card.chip).transmit)
    assert record == card.record
    image = Image.open(io.BytesIO(drawn(record.photo)))
    assert (image.format, image.size) == ("PNG", (102, 126))


def test_different_initials_are_different_pictures_and_the_same_the_same() -> None:
    pictures = {card.record.name[:1]: drawn(card.record.photo) for card in IDENTITY}
    drawable = {initial: picture for initial, picture in pictures.items() if initial.isalpha()}
    assert len(set(drawable.values())) == len(drawable) > 1


@pytest.mark.parametrize("block", [b"", bytes(PHOTO_LENGTH), b"WLf".ljust(PHOTO_LENGTH, b"\0")])
def test_a_real_photo_is_not_drawn(block: bytes) -> None:
    assert drawn(block) is None
