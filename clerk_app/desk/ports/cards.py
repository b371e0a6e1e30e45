"""Card readers: what they report, and how they are driven."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from clerk_app.domain.applicant import CardRecord


class ReaderState(StrEnum):
    SERVICE_LOST = "service_lost"  # pcscd / SCardSvr is not answering
    NO_READER = "no_reader"
    EMPTY = "empty"
    READING = "reading"
    PRESENT = "present"  # a card that has been read, or could not be


@dataclass(frozen=True, slots=True)
class ReaderStatus:
    state: ReaderState
    reader: str = ""


@dataclass(frozen=True, slots=True)
class CardRead:
    record: CardRecord
    reader: str = ""


@dataclass(frozen=True, slots=True)
class CardFailed:
    code: str
    reader: str = ""
    detail: str = ""


CardEvent = ReaderStatus | CardRead | CardFailed

PhotoDecoder = Callable[[bytes], bytes | None]
"""A card's photo as an image file (PNG, JPEG or BMP); None when it cannot be had. A maker's code is behind
it: it may take long, hang or raise whatever it likes."""


class CardReader(Protocol):
    """A reader that reports every card laid on it. Events come on a thread of its own."""

    def start(self, listener: Callable[[CardEvent], None]) -> None:
        """Begin watching; a card already there is read and reported."""

    def read_again(self) -> None:
        """Read the card that lies there once more; the result comes as an event."""

    def stop(self) -> None:
        """Stop watching; joins its threads within a second."""
