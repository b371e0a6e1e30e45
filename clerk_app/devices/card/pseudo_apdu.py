"""Identity cards that a PC/SC reader has decrypted itself and hands out as if they were storage cards.

The card then looks like one stream of bytes: a header, the text block, the photo block. It is read page by
page with READ BINARY (PC/SC part 3). Vendors differ in the bytes of the command, in the header and in how
they mark such a card, so all of it is configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from clerk_app.devices.card import status_words
from clerk_app.devices.card.apdu import Transmit, ask
from clerk_app.devices.card.layouts import PHOTO_LENGTH, TEXT_LENGTH
from clerk_app.devices.card.parser import parse
from clerk_app.domain.applicant import CardRecord
from clerk_app.failures import Failure


@dataclass(frozen=True, slots=True)
class PseudoApduTable:
    """How one model of reader is spoken to. The defaults are the one publicly known model.

    `page` is bytes a command, 1 to 256, and `offset_step` how many bytes one unit of P1 P2 stands for.
    `stream_length` is how many bytes the stream has; 0 is header, text and photo. An identity card is known
    by `atr_mark` at `atr_mark_offset` of the ATR; an empty mark tries every card. `header` is what the stream
    must begin with and `header_length` where the text block begins; 0 is behind the header.
    """

    cla: int = 0xFF
    ins: int = 0xB0
    page: int = 256
    offset_step: int = 1
    stream_length: int = 0
    atr_mark_offset: int = 13
    atr_mark: bytes = b"\x90\x00"
    header: bytes = b"\x01\x00\x04\x00"
    header_length: int = 0

    @property
    def text_at(self) -> int:
        return self.header_length or len(self.header)

    @property
    def total(self) -> int:
        return self.stream_length or self.text_at + TEXT_LENGTH + PHOTO_LENGTH

    def recognises(self, atr: bytes) -> bool:
        """Whether the ATR is the reader's sign for an identity card it has decrypted."""
        return atr[self.atr_mark_offset :].startswith(self.atr_mark)


_RANGES = {
    "cla": range(0x100),
    "ins": range(0x100),
    "page": range(1, 257),
    "offset_step": range(1, 257),
    "stream_length": range(4097),
    "atr_mark_offset": range(33),
    "header_length": range(65),
}


def table_from_settings(settings: Mapping[str, Any]) -> PseudoApduTable:
    """The table in the settings' `[reader]`: numbers, and bytes as hex text; the rest keeps its default.

    Raises Failure("SETTINGS-INVALID") naming the key.
    """
    unknown = settings.keys() - {field.name for field in fields(PseudoApduTable)}
    if unknown:
        raise Failure("SETTINGS-INVALID", f"unknown setting: reader.{min(unknown)}")
    table = PseudoApduTable(**{key: _setting(key, value) for key, value in settings.items()})
    if table.text_at < len(table.header):
        raise Failure("SETTINGS-INVALID", "reader.header_length is shorter than reader.header")
    if table.total < table.text_at + TEXT_LENGTH:
        raise Failure(
            "SETTINGS-INVALID", f"reader.stream_length must be {table.text_at + TEXT_LENGTH} or more"
        )
    if table.page % table.offset_step:
        raise Failure("SETTINGS-INVALID", "reader.page must be a multiple of reader.offset_step")
    return table


@dataclass(frozen=True, slots=True)
class IdentityCard:
    """The driver of identity cards in a reader that follows `table`."""

    table: PseudoApduTable = PseudoApduTable()

    def recognises(self, atr: bytes) -> bool:
        return self.table.recognises(atr)

    def read(self, transmit: Transmit) -> CardRecord:
        """Failures CARD-…; CARD-UNKNOWN when nothing marked the card and it refuses the very command."""
        try:
            text, photo = read_stream(transmit, self.table)
        except Failure as failure:
            if not self.table.atr_mark and failure.code == status_words.COMMAND:
                raise Failure("CARD-UNKNOWN", failure.detail) from failure
            raise
        return parse(text, photo)


def read_stream(transmit: Transmit, table: PseudoApduTable) -> tuple[bytes, bytes | None]:
    """Text block and photo block (None when the card has none) of the card that lies there.

    Raises Failure with a CARD-… code naming the page; what `transmit` raises goes through.
    """
    stream = b"".join(
        _page(transmit, table, offset, min(table.page, table.total - offset))
        for offset in range(0, table.total, table.page)
    )
    if not stream.startswith(table.header):
        raise Failure(status_words.UNREADABLE, "the stream does not begin with its header")
    text = stream[table.text_at :][:TEXT_LENGTH]
    photo = stream[table.text_at + TEXT_LENGTH :][:PHOTO_LENGTH]
    return text, photo if len(photo) == PHOTO_LENGTH and any(photo) else None


def _page(transmit: Transmit, table: PseudoApduTable, offset: int, wanted: int) -> bytes:
    """`wanted` bytes from `offset`. A reader may pad its last page; it may not be short."""
    place = (offset // table.offset_step).to_bytes(2, "big")
    command = bytes((table.cla, table.ins, *place, table.page % 256))
    data, status = ask(transmit, command)
    if not status_words.done(status):
        raise status_words.failure(f"offset {offset}", status)
    if len(data) < wanted:
        raise Failure(status_words.UNREADABLE, f"offset {offset}: {len(data)} bytes of {wanted}")
    return data[:wanted]


def _setting(key: str, value: Any) -> Any:
    if (allowed := _RANGES.get(key)) is not None:
        if isinstance(value, bool) or not isinstance(value, int) or value not in allowed:
            raise Failure("SETTINGS-INVALID", f"reader.{key} must be {allowed[0]} to {allowed[-1]}")
        return value
    try:
        return bytes.fromhex(value)
    except (TypeError, ValueError):
        raise Failure("SETTINGS-INVALID", f"reader.{key} must be hex digits in quotes") from None
