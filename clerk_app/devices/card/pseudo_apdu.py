"""Readers that show a decrypted identity card as a storage card: READ BINARY, page by page.

The reader's security module decrypts the card; READ BINARY of PC/SC part 3 (`FF B0 P1 P2 Le`, P1P2 a byte
offset) then hands out one stream: two big-endian lengths, 256 bytes of text, 1024 bytes of photo. Vendors
differ in the bytes, so they are a table of the settings (`[reader]`), not code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from clerk_app.devices.card.layouts import PHOTO_LENGTH, TEXT_LENGTH
from clerk_app.failures import Failure

Transmit = Callable[[bytes], bytes]  # command APDU -> response with its two status bytes

_DONE = (b"\x90\x00", b"\x62\x82")  # the second: fewer bytes left than asked for
_WRONG_LENGTH = 0x6C


@dataclass(frozen=True, slots=True)
class PseudoApduTable:
    """How one model of reader is spoken to. The defaults are the one publicly known model.

    `page` is bytes a command, 1 to 256. An identity card is known by `atr_mark` at `atr_mark_offset` of the
    ATR; an empty mark takes every card for one. `header` is what the stream must begin with.
    """

    cla: int = 0xFF
    ins: int = 0xB0
    page: int = 256
    atr_mark_offset: int = 13
    atr_mark: bytes = b"\x90\x00"
    header: bytes = b"\x01\x00\x04\x00"

    def recognises(self, atr: bytes) -> bool:
        """Whether the ATR is the reader's sign for an identity card it has decrypted."""
        return atr[self.atr_mark_offset :].startswith(self.atr_mark)


_LARGEST = {"cla": 0xFF, "ins": 0xFF, "page": 256, "atr_mark_offset": 32}


def table_from_settings(settings: Mapping[str, Any]) -> PseudoApduTable:
    """The table in the settings' `[reader]`: numbers, and bytes as hex text; the rest keeps its default.

    Raises Failure("SETTINGS-INVALID") naming the key.
    """
    unknown = settings.keys() - {field.name for field in fields(PseudoApduTable)}
    if unknown:
        raise Failure("SETTINGS-INVALID", f"unknown setting: reader.{min(unknown)}")
    return PseudoApduTable(**{key: _setting(key, value) for key, value in settings.items()})


def read_stream(transmit: Transmit, table: PseudoApduTable) -> tuple[bytes, bytes | None]:
    """Text block and photo block (None when the card has none) of the card that lies there.

    Raises Failure("CARD-UNREADABLE") naming the page; what `transmit` raises goes through.
    """
    total = len(table.header) + TEXT_LENGTH + PHOTO_LENGTH
    stream = b"".join(
        _page(transmit, table, offset, min(table.page, total - offset))
        for offset in range(0, total, table.page)
    )
    if not stream.startswith(table.header):
        raise Failure("CARD-UNREADABLE", "the stream does not begin with its header")
    text = stream[len(table.header) :][:TEXT_LENGTH]
    photo = stream[len(table.header) + TEXT_LENGTH :]
    return text, photo if any(photo) else None


def _page(transmit: Transmit, table: PseudoApduTable, offset: int, wanted: int) -> bytes:
    """`wanted` bytes from `offset`. A reader may pad its last page; it may not be short."""
    command = bytes((table.cla, table.ins, offset >> 8, offset & 0xFF))
    answer = transmit(command + bytes((table.page % 256,)))
    if len(answer) == 2 and answer[0] == _WRONG_LENGTH:
        answer = transmit(command + answer[1:])  # it says what it has: ask for that
    data, status = answer[:-2], answer[-2:]
    if status not in _DONE:
        raise Failure("CARD-UNREADABLE", f"offset {offset}: status {status.hex().upper() or 'missing'}")
    if len(data) < wanted:
        raise Failure("CARD-UNREADABLE", f"offset {offset}: {len(data)} bytes of {wanted}")
    return data[:wanted]


def _setting(key: str, value: Any) -> Any:
    if key in _LARGEST:
        smallest = 1 if key == "page" else 0
        if isinstance(value, bool) or not isinstance(value, int) or not smallest <= value <= _LARGEST[key]:
            raise Failure("SETTINGS-INVALID", f"reader.{key} must be {smallest} to {_LARGEST[key]}")
        return value
    try:
        return bytes.fromhex(value)
    except (TypeError, ValueError):
        raise Failure("SETTINGS-INVALID", f"reader.{key} must be hex digits in quotes") from None
