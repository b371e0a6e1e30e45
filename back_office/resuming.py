"""Pages of materials that arrive piece by piece, and go on where they stopped (see `uploads` for the calls).

Until its digest has been checked a page is `ID.part` beside its place. An offset that was told is on disk:
bytes are written at their place and flushed before the row counts them, outside the transaction, so that no
command waits for a picture. The row counts on from the offset it had: of two at once one wins, the other is
told 409. The file may be longer than the row (killed in between: written again) or shorter (lost, or not in
the backup: what is there counts).
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from back_office import logs, pages
from back_office.access import Device
from back_office.office import Office, Transaction
from back_office.problems import Refused
from back_office.tables import registered_case, upload

FULL_SECONDS = 300
"""When to come back to an office whose disk is full."""

KEEP = timedelta(days=7)
"""An unfinished page nobody has touched for so long is forgotten; its window begins it anew."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_SAME = ("case_id", "size", "sha256")


@dataclass(frozen=True, slots=True)
class Told:
    """What a window says of a page before it sends it. `size` in bytes, `sha256` in hex."""

    id: str
    case_id: str
    material: str
    page: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Unfinished:
    """One line of IT's list; `received` and `size` in bytes."""

    begun_at: datetime
    hall: str
    device: str
    case_id: str
    id: str
    received: int
    size: int


def begin(office: Office, at: Device, told: Told) -> int:
    """Begin a page, or go on with it: the bytes that are here. The same page again is answered so too.

    Raises Refused 409 OFFICE-NO-CASE before its case is registered in this hall, 422 OFFICE-REQUEST-REUSED
    when the id is another page's, 413 for one too large, 422 for an id that is none.
    """
    file = pages.place(office.settings.data_dir, at.hall, told.id)
    if told.size > pages.MAX_BYTES:
        raise Refused("OFFICE-TOO-LARGE", f"{told.size} bytes", status=413)
    whole = _is(file, told)
    return office.write(lambda tx: _begun(tx, at, told, file, whole=whole))


def _begun(tx: Transaction, at: Device, told: Told, file: Path, *, whole: bool) -> int:
    case = sa.and_(registered_case.c.hall == at.hall, registered_case.c.id == told.case_id)
    if tx.connection.scalar(sa.select(registered_case.c.id).where(case)) is None:
        raise Refused("OFFICE-NO-CASE", status=409)
    mine = _mine(at, told.id)
    row = tx.connection.execute(sa.select(upload).where(mine).with_for_update()).one_or_none()
    if row is None:
        begun = {"hall": at.hall, "device": at.id, "begun_at": tx.now, "received": 0}
        tx.connection.execute(sa.insert(upload), asdict(told) | begun)
    elif any(getattr(row, name) != getattr(told, name) for name in _SAME):
        raise Refused("OFFICE-REQUEST-REUSED", "page", status=422)
    have = told.size if whole else min(row.received if row is not None else 0, _size(_part(file)))
    # A page that is whole here although no row says so: killed, or restored, between the file and the row.
    ended = (row.completed_at if row is not None else None) or tx.now
    now = {"device": at.id, "received": have, "completed_at": ended if whole else None}
    tx.connection.execute(sa.update(upload).where(mine).values(now))
    return have


def standing(office: Office, at: Device, page_id: str) -> tuple[int, int]:
    """(bytes that are here, bytes in all). Raises Refused 404 for a page this device has not begun."""
    row = _row(office, at, page_id)
    return _have(office, row), row.size


def append(office: Office, at: Device, page_id: str, offset: int, chunk: bytes) -> int:
    """Add `chunk` at `offset`; the bytes that are here then. The last one ends the page.

    Raises Refused 409 when `offset` is not where the page stands, 413 beyond its end, 507 when the disk is
    full, 404 for a page this device has not begun, and 422 OFFICE-PAGE-DIGEST when it is all here and is not
    what was announced: it begins anew.
    """
    row = _row(office, at, page_id)
    have, end = _have(office, row), offset + len(chunk)
    if offset != have:
        raise _elsewhere(have)
    if end > row.size:
        raise Refused("OFFICE-TOO-LARGE", f"{end} of {row.size} bytes", status=413)
    if row.completed_at is not None:
        return have
    file = pages.place(office.settings.data_dir, row.hall, row.id)
    with _on_disk():
        _write_at(_part(file), offset, chunk)
    if end < row.size:
        _count(office, row, {"received": end})
        return end
    _complete(office, row, file)
    return end


def _complete(office: Office, row: Any, file: Path) -> None:
    """Check the digest and give the page its name; the row says so last."""
    part = _part(file)
    with _on_disk(), suppress(FileNotFoundError):  # the other one of two has just done it
        with part.open("r+b") as all_of_it:
            all_of_it.truncate(row.size)
            found = hashlib.file_digest(all_of_it, "sha256").hexdigest()
        if found != row.sha256:
            part.unlink(missing_ok=True)
            _count(office, row, {"received": 0}, "page-digest")
            raise Refused("OFFICE-PAGE-DIGEST", status=422)
        pages.name(part, file)
    _count(office, row, {"received": row.size, "completed_at": office.settings.clock()})
    logs.info("page-complete", bytes=row.size)


def _count(office: Office, row: Any, values: Mapping[str, Any], event: str = "") -> None:
    """From the state that was read on. Raises Refused 409 when somebody else was faster."""

    def work(tx: Transaction) -> None:
        unmoved = sa.and_(upload.c.received == row.received, upload.c.completed_at.is_(None))
        mine = sa.and_(upload.c.hall == row.hall, upload.c.id == row.id, unmoved)
        if not tx.connection.execute(sa.update(upload).where(mine).values(values)).rowcount:
            raise Refused("OFFICE-OFFSET", status=409)
        if event:
            tx.count("event", event)

    office.write(work)


def unfinished(connection: sa.Connection) -> list[Unfinished]:
    """Every page that has begun and not ended, oldest first."""
    query = sa.select(*(upload.c[name] for name in Unfinished.__dataclass_fields__))
    query = query.where(upload.c.completed_at.is_(None)).order_by(upload.c.begun_at, upload.c.id)
    return [Unfinished(*row) for row in connection.execute(query)]


def sweep(office: Office) -> int:
    """Forget what was begun and not touched for `KEEP`; how many. Whole pages are never touched."""
    folder, limit = office.settings.data_dir, office.settings.clock() - KEEP
    gone = 0
    for one in office.read(unfinished):
        part = _part(pages.place(folder, one.hall, one.id))
        if one.begun_at > limit or ((touched := _touched(part)) is not None and touched > limit):
            continue
        gone += office.write(partial(_forget, one))
        part.unlink(missing_ok=True)
    for stray in [*(folder / "uploads").glob("*/*.part"), *(folder / "uploads").glob("*/*.carried")]:
        if (touched := _touched(stray)) is not None and touched <= limit:
            stray.unlink(missing_ok=True)
    return gone


def _forget(one: Unfinished, tx: Transaction) -> int:
    mine = sa.and_(upload.c.hall == one.hall, upload.c.id == one.id, upload.c.completed_at.is_(None))
    return tx.connection.execute(sa.delete(upload).where(mine, upload.c.received == one.received)).rowcount


def _row(office: Office, at: Device, page_id: str) -> Any:
    query = sa.select(upload).where(_mine(at, page_id), upload.c.device == at.id)
    row = office.read(lambda connection: connection.execute(query).one_or_none())
    if row is None:
        raise Refused("OFFICE-NO-UPLOAD", status=404)
    return row


def _mine(at: Device, page_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(upload.c.hall == at.hall, upload.c.id == page_id)


def _have(office: Office, row: Any) -> int:
    if row.completed_at is not None:
        return int(row.size)
    part = _part(pages.place(office.settings.data_dir, row.hall, row.id))
    return min(int(row.received), _size(part))


def _elsewhere(have: int) -> Refused:
    return Refused("OFFICE-OFFSET", f"it stands at {have}", status=409)


def _part(file: Path) -> Path:
    return file.with_name(f"{file.name}.part")


def _size(part: Path) -> int:
    try:
        return part.stat().st_size
    except FileNotFoundError:
        return 0


def _touched(file: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(file.stat().st_mtime, UTC)
    except FileNotFoundError:
        return None


def _is(file: Path, told: Told) -> bool:
    """Whether the page lies here whole."""
    if _size(file) != told.size:
        return False
    with file.open("rb") as all_of_it:
        return hashlib.file_digest(all_of_it, "sha256").hexdigest() == told.sha256


def _write_at(part: Path, offset: int, chunk: bytes) -> None:
    """On the disk when this returns. Nothing behind is cut off: another one may have counted it."""
    part.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as writing:
        writing.seek(offset)
        writing.write(chunk)
        writing.flush()
        os.fsync(writing.fileno())


@contextmanager
def _on_disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        logs.error("disk-full", error)
        raise Refused("OFFICE-DISK-FULL", status=507, retry_after=FULL_SECONDS) from None
