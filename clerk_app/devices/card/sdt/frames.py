"""SDT frames: the bytes of one request or one answer, and finding them in a stream. Pure.

    AA AA AA 96 69 | length, 2 bytes big-endian | content | check

`length` counts content and check byte; the check byte is the XOR of everything from the length on. The
content of a request is command, parameter and data, that of an answer three status bytes and data. Source:
GA 467-2013, as several readers implement it.
"""

from __future__ import annotations

from enum import Enum
from functools import reduce
from operator import xor

PREAMBLE = bytes.fromhex("AAAAAA9669")
LARGEST = 3 + 6 + 256 + 1024 + 1024 + 1  # text, photo and two fingerprints: the longest `length` there is
SMALLEST_REQUEST = 3
SMALLEST_ANSWER = 4
# Some modules say so when their own patience ends: a length of five with three bytes after it.
TIME_OUT_FRAME = PREAMBLE + bytes.fromhex("0005050505")

_HEADER = len(PREAMBLE) + 2


class Damage(Enum):
    """What came instead of a frame."""

    CHECK = "check"  # a whole frame whose check byte is wrong
    LENGTH = "length"  # a length no frame has, or a frame that was cut off
    TIME_OUT = "time-out"  # the malformed time-out frame


def encode(content: bytes) -> bytes:
    """The frame around `content`. Raises ValueError for a content no frame can hold."""
    if not SMALLEST_REQUEST <= len(content) + 1 <= LARGEST:
        raise ValueError(f"content of {len(content)} bytes")
    body = (len(content) + 1).to_bytes(2, "big") + content
    return PREAMBLE + body + bytes((check(body),))


def check(body: bytes) -> int:
    """The check byte of `body`, which begins with the length."""
    return reduce(xor, body, 0)


def frame_length(data: bytes) -> int:
    """How many bytes the answer has that begins `data`; 0 when none that can be told begins there."""
    if not data.startswith(PREAMBLE) or len(data) < _HEADER or data.startswith(TIME_OUT_FRAME):
        return 0
    length = int.from_bytes(data[len(PREAMBLE) : _HEADER], "big")
    return _HEADER + length if SMALLEST_ANSWER <= length <= LARGEST else 0


class FrameReader:
    """Finds frames in a stream, however it is cut into pieces. Never raises.

    Noise between frames is passed over. After a damaged frame the search goes on right behind its preamble,
    so a sound frame that the damaged one seemed to contain is found. At most one frame is kept waiting.
    """

    def __init__(self, smallest: int = SMALLEST_ANSWER) -> None:
        self._smallest = smallest
        self._kept = b""

    def feed(self, data: bytes) -> tuple[bytes | Damage, ...]:
        """What `data` completes: contents of frames and damage, in their order."""
        self._kept += data
        found: list[bytes | Damage] = []
        while (outcome := self._next()) is not None:
            found.append(outcome)
        return tuple(found)

    def give_up(self) -> tuple[bytes | Damage, ...]:
        """Nothing more comes: the frame that waits for its rest is damage, what it swallowed is looked at."""
        found: list[bytes | Damage] = []
        while self._kept.startswith(PREAMBLE):
            found.append(Damage.LENGTH)
            self._kept = self._kept[len(PREAMBLE) :]
            found.extend(self.feed(b""))
        self._kept = b""
        return tuple(found)

    def _next(self) -> bytes | Damage | None:
        """The first outcome in what is kept, taken out of it; None when more bytes are needed."""
        start = self._kept.find(PREAMBLE)
        if start < 0:
            self._kept = self._kept[-_overlap(self._kept) :] if _overlap(self._kept) else b""
            return None
        self._kept = self._kept[start:]
        if self._kept.startswith(TIME_OUT_FRAME):
            self._kept = self._kept[len(TIME_OUT_FRAME) :]
            return Damage.TIME_OUT
        if len(self._kept) < _HEADER:
            return None
        length = int.from_bytes(self._kept[len(PREAMBLE) : _HEADER], "big")
        if not self._smallest <= length <= LARGEST:
            self._kept = self._kept[len(PREAMBLE) :]
            return Damage.LENGTH
        end = _HEADER + length
        if len(self._kept) < end:
            return None
        body = self._kept[len(PREAMBLE) : end - 1]
        if check(body) != self._kept[end - 1]:
            self._kept = self._kept[len(PREAMBLE) :]
            return Damage.CHECK
        self._kept = self._kept[end:]
        return body[2:]


def _overlap(data: bytes) -> int:
    """How many bytes at the end of `data` may be the beginning of a preamble."""
    return next((n for n in range(len(PREAMBLE) - 1, 0, -1) if data.endswith(PREAMBLE[:n])), 0)
