"""The catalogue: put in force whole, served as one immutable packed file; small changes go by the feed.

The table of items is what filed cases are checked against. It keeps every version that was ever in force,
because a case filed under an older version is judged by that one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.responses import FileResponse
from pydantic import TypeAdapter

from back_office import feed, logs, problems
from back_office.access import DeviceHere, OfficeHere
from back_office.document import refusals
from back_office.feed import News
from back_office.office import Office, Transaction
from back_office.problems import Refused
from back_office.tables import catalogue, item
from clerk_app.domain.catalogue import Implementation, ItemKind, ItemStatus
from clerk_app.domain.hall_time import HALL_TIME
from clerk_app.failures import Failure
from clerk_app.sync.protocol import CatalogueInfo, ItemMessage, Problem

_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")

_item = TypeAdapter(ItemMessage)

_RANGE = re.compile(r"bytes=(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))")

router = APIRouter(prefix="/catalogue")


def put_in_force(
    office: Office, kinds: Sequence[ItemKind], items: Sequence[Implementation], version: str | None = None
) -> CatalogueInfo:
    """Build, pack and put in force: all of it or nothing.

    The file is complete on disk before the one transaction that names it commits; a crash between the two
    leaves a file nobody names. Failures: OFFICE-IMPORT-EMPTY, OFFICE-IMPORT-CONTRADICTS (a code used twice,
    an item of no kind), OFFICE-CATALOGUE-VERSION (taken, or not a file name).
    """
    from clerk_app.catalogue import shipping
    from clerk_app.catalogue.build import build

    if not items:
        raise Failure("OFFICE-IMPORT-EMPTY")
    version = version or office.read(lambda connection: _free_version(connection, office))
    if not _VERSION.fullmatch(version) or office.read(lambda connection: _row(connection, version)):
        raise Failure("OFFICE-CATALOGUE-VERSION", version)
    office.settings.catalogue_dir.mkdir(exist_ok=True)
    plain = office.settings.catalogue_dir / f"{version}.building"
    try:
        built = build(plain, kinds, items, version)
        packed = shipping.pack(plain)
    except ValueError as error:
        raise Failure("OFFICE-IMPORT-CONTRADICTS", str(error)) from error
    finally:
        plain.unlink(missing_ok=True)
    info = CatalogueInfo(version, built.sha256, built.size, len(packed), built.items)

    def name(tx: Transaction) -> None:
        if _row(tx.connection, version):  # another import was faster, and its file is being served
            raise Failure("OFFICE-CATALOGUE-VERSION", version)
        _name(tx, info, kinds, items)
        _keep(packed, _file(office, version))

    office.write(name)
    logs.info("catalogue-in-force", version=version, items=info.items)
    return info


def _keep(packed: bytes, file: Path) -> None:
    """Write the packed file, on disk before it has its name."""
    aside = file.with_name(file.name + ".new")
    with aside.open("wb") as target:
        target.write(packed)
        target.flush()
        os.fsync(target.fileno())
    aside.replace(file)


def _name(
    tx: Transaction, info: CatalogueInfo, kinds: Iterable[ItemKind], items: Iterable[Implementation]
) -> None:
    """Write the versions of the items, end those that are gone, and name the catalogue.

    A version older than one the office knows stays ended: an item retired here is not revived by a source
    that has not heard of it.
    """
    types = {kind.code: kind.type.value for kind in kinds}
    known = {
        (row.code, row.version): row.ended_at
        for row in tx.connection.execute(sa.select(item.c.code, item.c.version, item.c.ended_at))
    }
    latest = dict(sorted(known))
    rows = {
        (one.code, one.version): _item_row(
            one,
            types[one.kind],
            None if one.version >= latest.get(one.code, 0) else known.get((one.code, one.version)) or tx.now,
        )
        for one in items
    }
    gone = [key for key, ended_at in known.items() if ended_at is None and key not in rows]
    _write_items(tx, [row for key, row in rows.items() if key not in known], rows, known.keys() & rows.keys())
    if gone:
        ended = _one_item().values(ended_at=tx.now)
        tx.connection.execute(ended, [{"b_code": code, "b_version": version} for code, version in gone])
    number = tx.connection.scalar(sa.select(sa.func.coalesce(sa.func.max(catalogue.c.number), 0) + 1))
    row = {
        "version": info.version,
        "number": number,
        "sha256": info.sha256,
        "size": info.size,
        "packed_size": info.packed_size,
        "items": info.items,
        "imported_at": tx.now,
    }
    tx.connection.execute(sa.insert(catalogue), row)
    # What single changes said is in the file now; one more step of the scope says that there is a new file.
    in_file = dict(rows.keys())
    for old in feed.standing(tx.connection, feed.CATALOGUE, "item"):
        if in_file.get(old.id, old.version) >= old.version:
            tx.tell(News(feed.CATALOGUE, "item", old.id, old.version, "del"))
    tx.tell(News(feed.CATALOGUE))


def _write_items(
    tx: Transaction,
    fresh: list[dict[str, Any]],
    rows: dict[tuple[str, int], dict[str, Any]],
    again: set[tuple[str, int]],
) -> None:
    if fresh:
        tx.connection.execute(sa.insert(item), fresh)
    if again:
        names = [name for name in _COLUMNS if name not in ("code", "version")]
        rewritten = _one_item().values({name: sa.bindparam(f"b_{name}") for name in names})
        bound = [{f"b_{name}": value for name, value in rows[key].items()} for key in again]
        tx.connection.execute(rewritten, bound)


def _one_item() -> sa.Update:
    return sa.update(item).where(
        item.c.code == sa.bindparam("b_code"), item.c.version == sa.bindparam("b_version")
    )


_COLUMNS = (
    "code",
    "version",
    "type",
    "body_code",
    "body_name",
    "status",
    "valid_from",
    "valid_to",
    "ended_at",
)


def _item_row(one: Implementation, type_: str, ended_at: datetime | None) -> dict[str, Any]:
    values = (one.code, one.version, type_, one.body_code, one.body_name, one.status.value)
    return dict(zip(_COLUMNS, (*values, one.valid_from, one.valid_to, ended_at), strict=True))


def retire(tx: Transaction, code: str) -> ItemMessage:
    """End the item from this moment, as a version of its own; the windows learn it by the feed.

    Raises Failure("OFFICE-NO-ITEM") when there is no such item in force.
    """
    query = sa.select(item).where(item.c.code == code).order_by(item.c.version.desc()).limit(1)
    last = tx.connection.execute(query).one_or_none()
    if last is None or last.ended_at is not None:
        raise Failure("OFFICE-NO-ITEM", code)
    over = sa.update(item).where(item.c.code == code, item.c.ended_at.is_(None)).values(ended_at=tx.now)
    tx.connection.execute(over)
    retired = last._asdict() | {
        "version": last.version + 1,
        "status": ItemStatus.RETIRED.value,
        "ended_at": tx.now,
    }
    tx.connection.execute(sa.insert(item), retired)
    message = ItemMessage(code, ItemStatus.RETIRED, last.version + 1, tx.today)
    data = _item.dump_python(message, mode="json")
    tx.tell(News(feed.CATALOGUE, "item", code, message.version, "put", data))
    return message


def _free_version(connection: sa.Connection, office: Office) -> str:
    day = office.settings.clock().astimezone(HALL_TIME).strftime("%Y.%m.%d")
    count = connection.scalar(sa.select(sa.func.count()).select_from(catalogue)) or 0
    return f"{day}-{count + 1}"


def _row(connection: sa.Connection, version: str | None = None) -> Any:
    """The named catalogue, or the one in force; None when there is none."""
    query = sa.select(catalogue).order_by(catalogue.c.number.desc()).limit(1)
    if version is not None:
        query = query.where(catalogue.c.version == version)
    return connection.execute(query).one_or_none()


def _file(office: Office, version: str) -> Path:
    return office.settings.catalogue_dir / f"{version}.zst"


class Asked:
    """The headers of a download."""

    def __init__(
        self,
        range_: Annotated[str, Header(alias="Range", description="one range: bytes=0-99")] = "",
        if_none_match: Annotated[str, Header(alias="If-None-Match")] = "",
    ) -> None:
        self.range, self.if_none_match = range_, if_none_match


AskedHere = Annotated[Asked, Depends()]


@router.get("", responses=refusals({404: "OFFICE-NO-CATALOGUE"}))
def info(office: OfficeHere, device: DeviceHere) -> CatalogueInfo:
    """The catalogue in force. 404 while none was imported."""
    row = office.read(_row)
    if row is None:
        raise Refused("OFFICE-NO-CATALOGUE", status=404)
    return CatalogueInfo(row.version, row.sha256, row.size, row.packed_size, row.items)


@router.get(
    "/{version}",
    response_class=FileResponse,
    responses={
        200: {"content": {"application/zstd": {}}, "description": "the packed file"},
        206: {"content": {"application/zstd": {}}, "description": "the asked range of it"},
        304: {"description": "the ETag is the one you have"},
        **refusals({404: "OFFICE-NO-CATALOGUE", 416: "OFFICE-MALFORMED"}),
    },
)
def packed_file(
    version: str, request: Request, office: OfficeHere, device: DeviceHere, asked: AskedHere
) -> Response:
    """The zstd file of a version: never changes, so it may be kept by any proxy; Range is understood."""
    row = office.read(lambda connection: _row(connection, version))
    if row is None:
        raise Refused("OFFICE-NO-CATALOGUE", status=404)
    tag = f'"{row.sha256}"'
    headers = {"ETag": tag, "Cache-Control": "public, max-age=31536000, immutable"}
    # Compared weakly (RFC 9110, 13.1.2): a proxy that packs anew writes W/ before the tag.
    if {part.strip().removeprefix("W/") for part in asked.if_none_match.split(",")} & {tag, "*"}:
        return Response(status_code=304, headers=headers)
    wanted = _RANGE.fullmatch(asked.range)
    if wanted is None or (wanted[1] and wanted[2] and int(wanted[1]) > int(wanted[2])):
        _forget_range(request)
    elif (wanted[1] and int(wanted[1]) >= row.packed_size) or (wanted[3] and not int(wanted[3])):
        whole = {"Content-Range": f"bytes */{row.packed_size}"}
        return problems.answer(Problem("OFFICE-MALFORMED", "Range"), 416, whole)
    return FileResponse(_file(office, row.version), media_type="application/zstd", headers=headers)


def _forget_range(request: Request) -> None:
    """A range that is none, or several at once: the whole file is the answer (RFC 9110, 14.2)."""
    kept = [(name, value) for name, value in request.scope["headers"] if name != b"range"]
    request.scope["headers"] = kept
