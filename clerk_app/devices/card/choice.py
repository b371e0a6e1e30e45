"""Which driver reads a card that lies on a PC/SC reader: the first that takes its ATR and is answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from clerk_app.devices.card.apdu import Transmit
from clerk_app.devices.card.pseudo_apdu import IdentityCard
from clerk_app.devices.card.social_security import SocialSecurityCard
from clerk_app.domain.applicant import CardRecord
from clerk_app.failures import Failure

UNKNOWN = "CARD-UNKNOWN"


class CardDriver(Protocol):
    """How one kind of card is read over PC/SC."""

    def recognises(self, atr: bytes) -> bool:
        """Whether a card with this ATR may be of the kind; no command is sent for a card that is not."""

    def read(self, transmit: Transmit) -> CardRecord:
        """What the card says. Failure CARD-UNKNOWN when it is of another kind, else another CARD-… code."""


DRIVERS: tuple[CardDriver, ...] = (IdentityCard(), SocialSecurityCard())


def fitting(drivers: Sequence[CardDriver], atr: bytes) -> tuple[CardDriver, ...]:
    """Those that may know a card with this ATR (all, when the reader tells none). Failure CARD-UNKNOWN."""
    found = tuple(driver for driver in drivers if not atr or driver.recognises(atr))
    if not found:
        raise Failure(UNKNOWN, f"ATR {atr.hex().upper()}")
    return found


def read_with(drivers: Sequence[CardDriver], atr: bytes, transmit: Transmit) -> CardRecord:
    """The card by the first driver that knows it. Failure CARD-UNKNOWN when none does."""
    details = []
    for driver in fitting(drivers, atr):
        try:
            return driver.read(transmit)
        except Failure as failure:
            if failure.code != UNKNOWN:
                raise
            details.append(failure.detail)
    raise Failure(UNKNOWN, "; ".join((f"ATR {atr.hex().upper()}", *details)))
