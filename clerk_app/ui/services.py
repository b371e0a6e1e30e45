"""What the window is given: the look it opens with, then the desk, its lanes and the card reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # the sign-in page shows before these are loaded
    import asyncio

    from clerk_app.desk.context import Desk
    from clerk_app.desk.ports import Camera, CardReader, Changed, Doctor, LinkStatus, PhotoDecoder
    from clerk_app.lanes import Lane


@dataclass(frozen=True, slots=True)
class Look:
    """How the window looks: language "zh" or "en", theme "light", "dark" or "contrast", scale in per cent."""

    language: str = "zh"
    theme: str = "light"
    scale: int = 100


class Preferences(Protocol):
    """Keeps the clerk's look over a restart. `load` falls back to `Look()` when nothing was kept."""

    def load(self) -> Look: ...
    def save(self, look: Look) -> None: ...


class Lanes(Protocol):
    """The lanes a window hands its work to; `desk` runs the use cases in the order of the clerk's acts."""

    @property
    def desk(self) -> Lane: ...
    @property
    def network(self) -> Lane: ...
    @property
    def catalogue(self) -> Lane: ...
    @property
    def printer(self) -> Lane: ...
    @property
    def scanner(self) -> Lane: ...
    @property
    def photo(self) -> Lane: ...


@dataclass(frozen=True, slots=True)
class Services:
    """Everything the clerk's work needs. `subscribe` may call its listener on any thread.

    `lock_minutes`: how long nobody may touch the window before it locks itself; 0: as long as he likes.
    """

    desk: Desk
    lanes: Lanes
    reader: CardReader
    link: Callable[[], LinkStatus]
    subscribe: Callable[[Callable[[Changed], None]], None]
    loop: asyncio.AbstractEventLoop
    doctor: Doctor
    practice: bool = False
    camera: Camera | None = None
    decode_photo: PhotoDecoder | None = None
    lock_minutes: int = 0
