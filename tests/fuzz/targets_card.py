"""Cards on PC/SC readers: what a chip holds, and what a card answers."""

from __future__ import annotations

from collections.abc import Callable

from clerk_app.devices.card import chips, parser, social_security
from clerk_app.devices.card.choice import DRIVERS, read_with
from clerk_app.devices.card.layouts import PHOTO_LENGTH, TEXT_LENGTH
from clerk_app.devices.card.pseudo_apdu import PseudoApduTable, read_stream
from clerk_app.domain import identity
from clerk_app.domain.applicant import CardRecord

_MOST_COMMANDS = 400  # a card that answers nonsense does not hold us up


def _answers(data: bytes) -> Callable[[bytes], bytes]:
    """A card whose answers are `data`: a byte of length, then the answer; 6A82 when it is used up."""
    rest, asked = data, 0

    def transmit(_command: bytes) -> bytes:
        nonlocal rest, asked
        asked += 1
        assert asked < _MOST_COMMANDS
        if not rest:
            return b"\x6a\x82"
        size = rest[0]
        answer, rest = rest[1 : 1 + size], rest[1 + size :]
        return answer

    return transmit


def _sound(record: CardRecord) -> None:
    assert record.name
    assert identity.problem(record.number, record.kind) not in parser.NO_NUMBER


def fuzz_card_text(data: bytes) -> None:
    """The 256-byte text block of an identity chip."""
    _sound(parser.parse(data.ljust(TEXT_LENGTH, b"\0")[:TEXT_LENGTH]))


def fuzz_card_stream(data: bytes) -> None:
    """What a reader answers to READ BINARY, in pages as long as the first byte says."""
    table = PseudoApduTable(page=(data[0] if data else 0) or 256)
    text, photo = read_stream(_answers(data[1:]), table)
    assert len(text) == TEXT_LENGTH
    assert photo is None or len(photo) == PHOTO_LENGTH


def fuzz_card_records(data: bytes) -> None:
    """The records of a social security card, one behind the other."""
    _sound(social_security.parse(social_security.records(data)))


def fuzz_card_social_security(data: bytes) -> None:
    """A card of any kind that answers anything."""
    _sound(read_with(DRIVERS, chips.SOCIAL_SECURITY_ATR, _answers(data)))
