"""Pages of materials on their way in: a picture made straight, and the camera that takes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Page:
    """One straightened page: JPEG without any note of camera, place or time. Personal data."""

    content: bytes
    width: int  # pixels
    height: int


Straighten = Callable[[bytes], Sequence[Page]]
"""Makes the pages of one image file. Takes a second: never on the desk's lane. Failures: SCAN-…"""


@dataclass(frozen=True, slots=True)
class CameraFrame:
    """What the camera sees now, small enough to be shown: a JPEG."""

    content: bytes


@dataclass(frozen=True, slots=True)
class CameraPhoto:
    """What was asked for by `take`: a JPEG in the camera's full size."""

    content: bytes


@dataclass(frozen=True, slots=True)
class CameraLost:
    """No picture comes (any more): `code` is SCAN-CAMERA, or empty when the computer has no camera."""

    code: str = ""
    detail: str = ""


CameraEvent = CameraFrame | CameraPhoto | CameraLost


class Camera(Protocol):
    """Runs on a lane of its own; every call returns at once. Open only while somebody looks at it."""

    def open(self, listener: Callable[[CameraEvent], None]) -> None:
        """Send what happens to `listener`, on a thread of the camera's, until `close`."""

    def take(self) -> None:
        """Send the next picture in full as a `CameraPhoto`."""

    def close(self) -> None:
        """Switch the camera off."""
