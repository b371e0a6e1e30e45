"""Bringing the catalogue file: resumable, verified by its digest, then handed over to be installed."""

from __future__ import annotations

import errno
import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import zstandard

from clerk_app.failures import Failure
from clerk_app.sync.client import OfficeClient
from clerk_app.sync.protocol import CatalogueInfo

_DIGEST = re.compile(r"[0-9a-f]{64}")
_CHUNK = 1 << 20

Install = Callable[[Path, CatalogueInfo], None]
"""Unpacks and swaps in the packed file at the path; the caller deletes it afterwards."""


def fetch_catalogue(
    client: OfficeClient, version: str, folder: Path, install: Install, beat: Callable[[], None]
) -> bool:
    """Fetch and install the office's catalogue unless it is `version`; whether a new one was installed.

    A broken download leaves its part in `folder` and goes on from there next time. Failures:
    SYNC-CATALOGUE-DAMAGED when what arrived is not what the office announced (the part is deleted),
    STORE-FULL, STORE-IO, and those of `transport`.
    """
    info = client.catalogue()
    if info.version == version:
        return False
    if not _DIGEST.fullmatch(info.sha256):
        raise Failure("SYNC-NOT-OFFICE", "catalogue digest")
    part = folder / f"catalogue-{info.sha256[:16]}.part"
    try:
        for left_over in set(folder.glob("catalogue-*.part")) - {part}:
            left_over.unlink()
        _download(client, info, part, beat)
        try:
            _verify(part, info, beat)
            install(part, info)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        full = error.errno == errno.ENOSPC
        raise Failure("STORE-FULL" if full else "STORE-IO", f"catalogue: {type(error).__name__}") from error
    return True


def _download(client: OfficeClient, info: CatalogueInfo, part: Path, beat: Callable[[], None]) -> None:
    have = part.stat().st_size if part.exists() else 0
    if have > info.packed_size:
        part.unlink()
        have = 0
    if have == info.packed_size:
        return
    with (
        client.catalogue_file(info.version, have) as (resumed, chunks),
        part.open("ab" if resumed else "wb") as file,
    ):
        for chunk in chunks:
            file.write(chunk)
            beat()
            if file.tell() > info.packed_size:
                break


def _verify(part: Path, info: CatalogueInfo, beat: Callable[[], None]) -> None:
    """Digest of the unpacked file, without writing it anywhere."""
    digest = hashlib.sha256()
    size = 0
    try:
        with part.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as unpacked:
            while chunk := unpacked.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
                beat()
                if size > info.size:
                    break
    except zstandard.ZstdError as error:
        raise Failure("SYNC-CATALOGUE-DAMAGED", type(error).__name__) from error
    if (part.stat().st_size, size, digest.hexdigest()) != (info.packed_size, info.size, info.sha256):
        raise Failure("SYNC-CATALOGUE-DAMAGED", f"version {info.version}")
