"""Pictures that people bring: any file is pages of paper, or fails as one that is none."""

from __future__ import annotations

from clerk_app.devices.scanner import page

_MARKS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\x00", b"MM\x00*", b"RIFF", b"BM")


def fuzz_page(data: bytes) -> None:
    """Every page that comes out is a JPEG within the limits."""
    if len(data) > 200_000 or not data.startswith(_MARKS):
        data = _MARKS[len(data) % len(_MARKS)] + data[:200_000]
    for made in page.pages(data):
        assert made.content.startswith(b"\xff\xd8\xff")
        assert len(made.content) <= page.LARGEST_PAGE
        assert 0 < max(made.width, made.height) <= page.LONG_SIDE
