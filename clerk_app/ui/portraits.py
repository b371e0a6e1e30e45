"""The pictures on the cards of who stands here: in memory while they do, and nowhere else.

A picture comes after the text and never holds it up: its block is given to the decoder, on a lane of its
own, once the person of that card is on the screen, one at a time. A decoder that hangs costs the pictures
from then on and nothing else. A picture goes with its person: replaced, cleared, served, or the clerk signed
out.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QImage

from clerk_app.desk.context import Desk
from clerk_app.desk.ports import PhotoDecoder
from clerk_app.desk.views import DraftView, PersonView, VisitView
from clerk_app.domain import masking
from clerk_app.domain.applicant import CardRecord, EntrySource
from clerk_app.ui.async_action import Actions

_log = logging.getLogger(__name__)

_LARGEST = 512
"""Longest side kept, in dots; a card's picture has 102 by 126."""


@dataclass(frozen=True, slots=True)
class _Bearer:
    """Whose picture it is. The birth date is what the mask of the number leaves out."""

    name: str
    number: str  # masked
    birth: date | None


class Portraits(QObject):
    """The pictures of one signed-in clerk's visit. Signals: changed (one has come, or will not come)."""

    changed = Signal()

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self._actions = actions
        self._visit = ""
        self._present: frozenset[_Bearer] = frozenset()  # who is on the screen, by a card
        self._blocks: dict[_Bearer, bytes] = {}  # read in this visit, not with the decoder yet
        self._pictures: dict[_Bearer, QImage] = {}
        self._decoding: _Bearer | None = None

    def of(self, person: PersonView) -> QImage | None:
        """The picture of `person`, whose card was read; none while there is none."""
        return self._pictures.get(_bearer(person))

    def awaits(self, person: PersonView) -> bool:
        """Whether a picture of `person` is on its way."""
        bearer = _bearer(person)
        return bearer in self._blocks or bearer == self._decoding

    def offer(self, record: CardRecord) -> None:
        """A card was read in this visit. Its picture is wanted once its person is on the screen."""
        if record.photo is not None and self._actions.decode_photo is not None:
            self._blocks[_Bearer(record.name, masking.number(record.number), record.birth)] = record.photo
            self._decode_next()

    def show_work(self, visit: VisitView | None, draft: DraftView | None) -> None:
        """Who is on the screen now. Between two cases of a visit its people stay."""
        here = visit.id if visit is not None else ""
        if here != self._visit:
            self.forget()
            self._visit = here
        if visit is None or draft is None:  # a visit ends before its draft is seen to have gone
            return
        who = draft.applicant
        people = (who.party, who.agent) if who is not None else ()
        cards = (person for person in people if person is not None and person.source is EntrySource.CARD)
        self._present = frozenset(_bearer(person) for person in cards)
        self._pictures = {who: image for who, image in self._pictures.items() if who in self._present}
        self._decode_next()

    def forget(self) -> None:
        """Nobody is here any more."""
        self._present = frozenset()
        self._blocks.clear()
        self._pictures.clear()

    def _decode_next(self) -> None:
        decoder = self._actions.decode_photo
        wanted = next((bearer for bearer in self._blocks if bearer in self._present), None)
        if decoder is not None and wanted is not None and self._decoding is None:
            self._decoding = wanted
            self._actions.aside(self._decode(decoder, wanted, self._blocks.pop(wanted)))

    async def _decode(self, decoder: PhotoDecoder, bearer: _Bearer, block: bytes) -> None:
        image = await self._actions.photo(_picture, decoder, block)
        self._decoding = None
        if bearer in self._present:  # or its person has left meanwhile
            if image is not None:
                self._pictures[bearer] = image
            self.changed.emit()
        self._decode_next()


def _bearer(person: PersonView) -> _Bearer:
    return _Bearer(person.name, person.number, person.birth)


def _picture(_desk: Desk, decoder: Callable[[bytes], bytes | None], block: bytes) -> QImage | None:
    """On the photo lane: the block as a picture. Whatever goes wrong in foreign code, there is none."""
    try:
        told = decoder(block)
    except (Exception, SystemExit) as error:  # its message stays out: it may quote the card
        _log.error("the photo decoder raised %s", type(error).__name__)
        return None
    image = QImage.fromData(told) if told else QImage()
    if image.isNull():
        return None
    if max(image.width(), image.height()) > _LARGEST:
        ratio, mode = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        image = image.scaled(_LARGEST, _LARGEST, ratio, mode)
    return image
