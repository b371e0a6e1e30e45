"""Photos for the practice cards, and the decoder that shows them: a silhouette with an initial, never a face.

A real photo is a closed format that only a maker's decoder reads. The block of a practice card holds the
initial of its holder instead, so that the window's way to the picture is the real one.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace

from PIL import Image, ImageDraw

from clerk_app.devices.card.encoder import encode, stream
from clerk_app.devices.card.layouts import PHOTO_LENGTH
from clerk_app.devices.card.samples import SampleCard
from clerk_app.devices.printer.fonts import font_for
from clerk_app.domain.applicant import DocumentKind

_MARK = b"practice"
_SIZE = (102, 126)
_GROUND, _FIGURE, _INK = (225, 231, 240), (120, 136, 160), (255, 255, 255)
_LETTER = 34


def with_photos(cards: Mapping[str, SampleCard]) -> Mapping[str, SampleCard]:
    """The identity cards among `cards` with a photo on their chips; a social security card has none."""
    return {card.id: _photographed(card) for card in cards.values()}


def _photographed(card: SampleCard) -> SampleCard:
    if card.record.kind is DocumentKind.SOCIAL_SECURITY:
        return card
    photo = (_MARK + card.record.name[:1].encode()).ljust(PHOTO_LENGTH, b"\0")
    return replace(card, record=replace(card.record, photo=photo), chip=stream(encode(card.record), photo))


def drawn(photo: bytes) -> bytes | None:
    """The `PhotoDecoder` of the practice hall: a PNG; None for a block that is not one of ours."""
    if not photo.startswith(_MARK):
        return None
    initial = photo.removeprefix(_MARK).rstrip(b"\0").decode(errors="replace")
    picture = Image.new("RGB", _SIZE, _GROUND)
    pen = ImageDraw.Draw(picture)
    pen.ellipse((33, 16, 69, 58), fill=_FIGURE)
    pen.rounded_rectangle((11, 66, 91, 160), 34, fill=_FIGURE)
    font = font_for(initial, _LETTER)
    if font is not None:
        pen.text((_SIZE[0] // 2, 98), initial, fill=_INK, font=font, anchor="mm")
    kept = io.BytesIO()
    picture.save(kept, "PNG")
    return kept.getvalue()
