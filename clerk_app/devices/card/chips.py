"""Plays the chips of sample cards for the simulated reader and for the virtual reader of the tests.

A chip answers APDUs as the real one does; the real drivers read it. `content` is what a `SampleCard` holds:
the stream a reader hands out of an identity card, or the records of a social security card one behind the
other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from clerk_app.devices.card.social_security import CARD_FILE, HOLDER_FILE, NUMBER, SSSE, VERSION, records
from clerk_app.domain.applicant import DocumentKind

# A reader's mark for an identity card it has decrypted, and a contact card as social security issuers use.
IDENTITY_ATR = bytes.fromhex("3B8B8001" + 9 * "00" + "9000" + "9A")
SOCIAL_SECURITY_ATR = bytes.fromhex("3B6D0000") + b"\x00sample card "

_DONE = b"\x90\x00"
_NOT_FOUND = b"\x6a\x82"
_NO_RECORD = b"\x6a\x83"
_BAD_PARAMETERS = b"\x6a\x86"
_WRONG_LENGTH = b"\x67\x00"
_UNKNOWN_INSTRUCTION = b"\x6d\x00"


class Chip(Protocol):
    def transmit(self, command: bytes) -> bytes: ...


class StorageChip:
    """An identity card as a reader shows it: READ BINARY at a byte offset of `content`."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def transmit(self, command: bytes) -> bytes:
        if command[:2] != b"\xff\xb0":
            return _UNKNOWN_INSTRUCTION
        offset = int.from_bytes(command[2:4], "big")
        return self._content[offset : offset + (command[4] or 256)] + _DONE


class SocialSecurityChip:
    """Application SSSE with EF05 and EF06, read by `by`: "tag" or "number".

    `short` False wants the file selected first; `t0` True answers with 61 xx and 6C xx, as contact cards do.
    """

    def __init__(self, content: bytes, *, by: str = "tag", short: bool = True, t0: bool = False) -> None:
        files: dict[int, list[tuple[int, bytes]]] = {CARD_FILE: [], HOLDER_FILE: []}
        for tag, value in records(content).items():
            files[CARD_FILE if tag < NUMBER else HOLDER_FILE].append((tag, bytes((tag, len(value))) + value))
        self._files: Mapping[int, Sequence[tuple[int, bytes]]] = files
        self._by, self._short, self._t0 = by, short, t0
        self._application = False
        self._file: int | None = None
        self._waiting = b""

    def transmit(self, command: bytes) -> bytes:
        if command[1] == 0xC0:
            return self._waiting[: command[4] or 256] + _DONE
        if command[1] == 0xA4:
            return self._select(command)
        if command[1] == 0xB2:
            return self._read(command)
        return _UNKNOWN_INSTRUCTION

    def _select(self, command: bytes) -> bytes:
        wanted = command[5 : 5 + command[4]]
        if command[2] == 0x04:
            self._application = wanted == SSSE
            self._waiting = b"\x6f" + bytes((len(SSSE) + 2, 0x84, len(SSSE))) + SSSE
            return self._answer(self._waiting) if self._application else _NOT_FOUND
        if not self._application or wanted[:1] != b"\xef" or wanted[1] not in self._files:
            return _NOT_FOUND
        self._file = wanted[1]
        return _DONE

    def _answer(self, data: bytes) -> bytes:
        return bytes((0x61, len(data))) if self._t0 else data + _DONE

    def _read(self, command: bytes) -> bytes:
        short, by = command[3] >> 3, "number" if command[3] & 7 == 4 else "tag"
        file = short if self._short and short else self._file
        if not self._application or file is None or file not in self._files or (short and not self._short):
            return _NOT_FOUND
        if by != self._by:
            return _BAD_PARAMETERS
        found = [
            record
            for number, (tag, record) in enumerate(self._files[file], 1)
            if command[2] == (tag if by == "tag" else number)
        ]
        if not found:
            return _NO_RECORD
        if self._t0 and command[4] != len(found[0]):
            return bytes((0x6C, len(found[0])))
        return found[0][: command[4] or 256] + _DONE


def chip(kind: DocumentKind, content: bytes) -> Chip:
    """The chip of a card of `kind`. One of version 1.00 is read by number, as those cards are."""
    if kind is not DocumentKind.SOCIAL_SECURITY:
        return StorageChip(content)
    first = records(content)[VERSION].startswith(b"1")
    return SocialSecurityChip(content, by="number" if first else "tag", t0=True)


def atr(kind: DocumentKind) -> bytes:
    return SOCIAL_SECURITY_ATR if kind is DocumentKind.SOCIAL_SECURITY else IDENTITY_ATR
