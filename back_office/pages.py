"""Pages of materials as files: `uploads/HALL/ID` in the data folder, readable by the office's account alone.

A page is there when its row says so: the file is written, flushed and in its place before the row commits.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import sqlalchemy as sa

from back_office.access import Device
from back_office.office import Transaction
from back_office.problems import Refused
from back_office.tables import registered_case, upload
from clerk_app.sync.envelope import CarriedPage

MAX_BYTES = 20 * 1024 * 1024

_ID = re.compile(r"[0-9A-Za-z-]{1,64}")


def place(folder: Path, hall: str, page_id: str) -> Path:
    """Where a page lies. Raises Refused 422 for an id that is none: it becomes a name in the file system."""
    if not _ID.fullmatch(page_id):
        raise Refused("OFFICE-MALFORMED", "page id", status=422)
    return folder / "uploads" / hall / page_id


def keep(tx: Transaction, origin: Device, folder: Path, page: CarriedPage) -> bool:
    """Keep a whole page; False when its case is not registered here, or the id holds another page.

    Raises Refused 422 for a bad id, 413 for one too large, BadEnvelope when it is not what it says it is.
    """
    file = place(folder, origin.hall, page.id)
    if page.size > MAX_BYTES:
        raise Refused("OFFICE-TOO-LARGE", f"{page.size} bytes", status=413)
    case = sa.and_(registered_case.c.hall == origin.hall, registered_case.c.id == page.case_id)
    if tx.connection.scalar(sa.select(registered_case.c.id).where(case)) is None:
        return False
    mine = sa.and_(upload.c.hall == origin.hall, upload.c.id == page.id)
    row = tx.connection.execute(sa.select(upload).where(mine).with_for_update()).one_or_none()
    if row is not None and (row.sha256, row.case_id) != (page.sha256, page.case_id):
        return False
    if row is not None and row.completed_at is not None:
        return True
    _write(file, page.data())
    whole = {"received": page.size, "completed_at": tx.now}
    if row is not None:
        tx.connection.execute(sa.update(upload).where(mine).values(whole))
        return True
    told = {name: getattr(page, name) for name in ("id", "case_id", "material", "page", "size", "sha256")}
    begun = {"hall": origin.hall, "device": origin.id, "begun_at": tx.now}
    tx.connection.execute(sa.insert(upload), told | begun | whole)
    return True


def _write(file: Path, data: bytes) -> None:
    """The whole file or none: on the disk before it has its name."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = file.with_name(f"{file.name}.carried")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as writing:
        writing.write(data)
        writing.flush()
        os.fsync(writing.fileno())
    name(beside, file)


def name(written: Path, file: Path) -> None:
    """Give a file that is on the disk its name, which is on the disk too when this returns."""
    written.replace(file)
    if os.name == "posix":
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
