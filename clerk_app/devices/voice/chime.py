"""The chime before a call: two tones that fall, made from their numbers."""

from __future__ import annotations

import math
from array import array

_TONES = ((0.0, 659.26), (0.32, 523.25))  # seconds from the start, hertz: e″ and c″
_SECONDS = 1.1
_FADE = 5.0  # how fast a tone dies away, a second


def chime(rate: int, channels: int) -> bytes:
    """The chime as 16-bit samples in the machine's order: `rate` frames a second, `channels` alike."""
    frames = array("h")
    for frame in range(int(_SECONDS * rate)):
        at = frame / rate
        level = sum(_tone(at - start, pitch) for start, pitch in _TONES)
        frames.extend([round(level * 12_000)] * channels)
    return frames.tobytes()


def _tone(since: float, pitch: float) -> float:
    """One struck tone with its octave: it rises within 5 ms, so that it does not click."""
    if since < 0:
        return 0.0
    swing = math.sin(2 * math.pi * pitch * since) + 0.4 * math.sin(4 * math.pi * pitch * since)
    return min(since / 0.005, 1.0) * math.exp(-_FADE * since) * swing
