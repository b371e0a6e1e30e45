"""The catalogue on its way: packed at the office, unpacked, verified and swapped in at the window."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import zstandard

from clerk_app.failures import Failure

LEVEL = 12
"""Packed once, sent to thousands of windows."""

CHUNK = 1 << 20
STEP = 1 << 20
LARGEST = 1 << 30
"""Bytes; what claims to be larger unpacked is no catalogue."""


def digest(path: Path) -> str:
    """Hex SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify(path: Path, sha256: str) -> None:
    """Raises Failure CATALOGUE-MISSING or CATALOGUE-DAMAGED when `path` is not the file with that digest."""
    if not path.is_file():
        raise Failure("CATALOGUE-MISSING", path.name)
    found = digest(path)
    if found != sha256:
        raise Failure("CATALOGUE-DAMAGED", f"{path.name}: digest {found[:12]}…, expected {sha256[:12]}…")


def pack(path: Path) -> bytes:
    """The file as zstd, the same bytes at every run."""
    return zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compress(path.read_bytes())


def install(packed: Path | bytes, target: Path, sha256: str) -> None:
    """Unpack to `target` in one step: readers see the old file or the whole new one, also after a power cut.

    Raises Failure CATALOGUE-DAMAGED when it does not unpack to `sha256`, CATALOGUE-NO-SPACE when the disk
    does not take it; the old file then stays in force.
    """
    aside = target.with_name(target.name + ".new")
    found = hashlib.sha256()
    try:
        with aside.open("wb") as file:
            for piece in _unpacked(packed):
                found.update(piece)
                _write_through(file, piece)
        if found.hexdigest() != sha256:
            raise Failure("CATALOGUE-DAMAGED", f"digest {found.hexdigest()[:12]}…, expected {sha256[:12]}…")
        aside.replace(target)
        _sync_folder(target.parent)
    except zstandard.ZstdError as cause:
        raise Failure("CATALOGUE-DAMAGED", f"does not unpack: {cause}") from cause
    except OSError as cause:
        raise Failure("CATALOGUE-NO-SPACE", f"{target.name}: {cause.strerror}") from cause
    finally:
        aside.unlink(missing_ok=True)


def _unpacked(packed: Path | bytes) -> Iterator[bytes]:
    """The content in pieces; a ZstdError when it is no zstd or too large. A frame cut short just ends."""
    content = packed if isinstance(packed, bytes) else packed.read_bytes()
    unpacker = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()
    size = 0
    view = memoryview(content)
    for start in range(0, len(view), CHUNK):
        piece = unpacker.decompress(view[start : start + CHUNK])
        size += len(piece)
        if size > LARGEST:
            raise zstandard.ZstdError("larger than a catalogue may be")
        yield piece


def _write_through(file: BinaryIO, piece: bytes) -> None:
    """Write in steps that are each on the disk before the next: a commit of the clerk's store waits behind
    what the disk has to write just then, and that must never be a whole catalogue.
    """
    for start in range(0, len(piece), STEP):
        file.write(piece[start : start + STEP])
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make the rename durable; Windows has no handle for folders and writes it through."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
