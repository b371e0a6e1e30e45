"""The photo of an identity card: a closed format (WLT, 1024 bytes) that we hand on and do not understand.

No open decoder exists. A hall that has a licensed one installs a package with an entry point of the group
`clerk_app.photo_decoders`: a callable that takes the 1024 bytes and returns a PNG, BMP or JPEG image, or
raises. A photo is never stored: it lives as long as the record of the card that was read.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from clerk_app.devices.card import plugins
from clerk_app.devices.card.layouts import PHOTO_LENGTH
from clerk_app.devices.card.reading import log_bug

_log = logging.getLogger(__name__)

_IMAGES = (b"\x89PNG\r\n\x1a\n", b"BM", b"\xff\xd8\xff")
_LARGEST = 1 << 20  # bytes; the picture has 102 by 126 dots
_failed: set[str] = set()


def installed() -> Callable[[bytes], bytes | None] | None:
    """`decode`, where there is a decoder; else None."""
    return decode if plugins.names(plugins.PHOTO_DECODERS) else None


def decode(photo: bytes | None) -> bytes | None:
    """The photo as an image file, by the first decoder that can; None when there is no photo or none can.

    Call it on a lane that may wait, never while the text of a card does: a decoder is foreign code. One that
    fails is logged once and asked again for the next photo.
    """
    if photo is None or len(photo) != PHOTO_LENGTH:
        return None
    for name in plugins.names(plugins.PHOTO_DECODERS):
        try:
            image = plugins.load(plugins.PHOTO_DECODERS, name)(photo)
        except (Exception, SystemExit) as error:  # a maker's library may even want to end the program
            if name not in _failed:
                _failed.add(name)
                log_bug(f"the photo decoder {name}", error)
            continue
        if isinstance(image, bytes) and len(image) <= _LARGEST and image.startswith(_IMAGES):
            return image
        if name not in _failed:
            _failed.add(name)
            _log.error("the photo decoder %s gave no image", name)
    return None
