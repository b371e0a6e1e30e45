"""The voice of the window: it calls people by their ticket, never by their name."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class VoiceState(StrEnum):
    OFF = "off"  # the settings want no voice
    STARTING = "starting"
    READY = "ready"
    CHIME = "chime"  # no speech on this machine: a chime stands in for it
    SILENT = "silent"  # neither speech nor sound


@dataclass(frozen=True, slots=True)
class VoiceStatus:
    """`code` is a failure code (VOICE-…) when the voice is less than the settings want."""

    state: VoiceState
    code: str = ""
    detail: str = ""


class Voice(Protocol):
    """Speaks on a lane of its own. Every call returns at once and never fails; any thread."""

    @property
    def status(self) -> VoiceStatus: ...

    def start(self) -> None:
        """Begin the lane: the engine opens on it. What was called before waits for it."""

    def call(self, ticket_number: str, window: str) -> None:
        """Ask the holder of a ticket to a window, after the call was committed."""

    def stop(self) -> None:
        """Fall silent and end the lane within a second."""
