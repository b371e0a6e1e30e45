"""What every use case is given: the ports of one workstation, wired once in `bootstrap`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from clerk_app.desk.ports import (
    Catalogue,
    Changed,
    Clock,
    Device,
    LinkStatus,
    Office,
    Printer,
    Store,
    Straighten,
    Voice,
)


def _room() -> None:
    """No disk to run out of."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The workstation as its use cases see it.

    `link` tells the present state of the connection, `poke` asks the sync to send now, `changed` tells the
    window what a background act changed, `new_id` makes time-ordered unique ids. `room` is asked before new
    work: it raises STORE-FULL when what is left of the disk is kept for what must still be sent.
    """

    device: Device
    store: Store
    office: Office
    catalogue: Catalogue
    printer: Printer
    voice: Voice
    straighten: Straighten
    clock: Clock
    new_id: Callable[[], str]
    link: Callable[[], LinkStatus]
    poke: Callable[[], None]
    changed: Callable[[Changed], None]
    room: Callable[[], None] = _room
