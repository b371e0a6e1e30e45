"""The register of cases: what the windows filed, under which official number, on its way to which body.

A filed case is checked against the item as it was when the citizen stood at the window, never as it is now.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

import sqlalchemy as sa
from pydantic import AwareDatetime, TypeAdapter
from sqlalchemy.exc import IntegrityError

from back_office import blocks, restoring
from back_office.access import Device
from back_office.feed import News
from back_office.office import Transaction, compact
from back_office.problems import NotYet, Refused
from back_office.tables import item, official_serial, registered_case
from clerk_app.domain import numbering
from clerk_app.domain.applicant import Applicant
from clerk_app.domain.case import FiledItem, HandedMaterial, LegalState
from clerk_app.domain.catalogue import ON_APPLICATION, ItemStatus, ItemType
from clerk_app.domain.hall_time import HALL_TIME
from clerk_app.sync.protocol import CaseMessage

LAST_OFFICIAL_SERIAL = 9_999


@dataclass(frozen=True, slots=True)
class FileBody:
    """The body of `case.file`: the case as filed. A case accepted on the spot arrives accepted."""

    id: str
    number: str
    visit_id: str
    item: FiledItem
    applicant: Applicant
    situations: dict[str, str]
    form: dict[str, str]
    materials: list[HandedMaterial]
    legal_state: Literal["received", "accepted"]
    operator: str
    received_at: AwareDatetime
    accepted_at: AwareDatetime | None = None
    due: date | None = None
    due_provisional: bool = False


@dataclass(frozen=True, slots=True)
class AcceptBody:
    """The body of `case.accept`: a received case is accepted (受理)."""

    case_id: str
    accepted_at: AwareDatetime


@dataclass(frozen=True, slots=True)
class VoidBody:
    """The body of `case.void`: withdrawn before it was decided."""

    case_id: str
    number: str
    reason: str
    voided_at: AwareDatetime
    approved_by: str = ""  # staff number of the second person a workstation without the office asked


# Built once: a statement made anew for each of a thousand commands costs more than its run.
_ITEM = sa.select(item).where(
    item.c.code == sa.bindparam("b_code"), item.c.version == sa.bindparam("b_version")
)
_NEXT_SERIAL = sa.text(  # one statement, in the words SQLite and PostgreSQL share
    "INSERT INTO official_serial (item_code, day, last) VALUES (:item_code, :day, 1)"
    " ON CONFLICT (item_code, day) DO UPDATE SET last = official_serial.last + 1 RETURNING last"
).bindparams(sa.bindparam("day", type_=sa.Date))
_COUNTED = (
    sa.update(official_serial)
    .where(
        official_serial.c.item_code == sa.bindparam("b_code"), official_serial.c.day == sa.bindparam("b_day")
    )
    .values(last=sa.bindparam("b_last"))
)
_REGISTER = sa.insert(registered_case)

_filing = TypeAdapter(FileBody)
_message = TypeAdapter(CaseMessage)


def register(
    tx: Transaction, device: Device, body: FileBody, flags: list[str], earlier: object = None
) -> dict[str, Any]:
    """Register a filed case and route it to the implementing body.

    `earlier` is the official number the window was told before the office lost its memory; it is given again
    where that can be true, else the case gets a new one and a mark.

    Raises Refused: OFFICE-NUMBER (not a number of this hall), OFFICE-NUMBER-FOREIGN (of a block this device
    does not hold), OFFICE-NUMBER-USED, OFFICE-NO-ITEM, OFFICE-ITEM-NOT-FILEABLE, OFFICE-ITEM-NOT-IN-FORCE,
    OFFICE-CASE-DATES. Raises NotYet OFFICE-SERIALS-USED-UP: tomorrow there are numbers again.
    """
    serial = _serial(device, body.number)
    declared_void = blocks.declared_void(tx, device, serial)
    if declared_void is None:
        raise Refused("OFFICE-NUMBER-FOREIGN", body.number)
    if (body.legal_state == "accepted") != (body.accepted_at is not None):
        raise Refused("OFFICE-CASE-DATES", "accepted_at")
    implementation = _item_at(tx, body.item, body.received_at)
    if implementation.ended_at is not None:
        flags = [*flags, "item-changed"]
    if declared_void:  # its slip is in somebody's hand: that weighs more
        flags = [*flags, "number-declared-void"]
    official = _given_again(tx, body.item.code, earlier)
    if earlier and official is None:
        flags = [*flags, "official-number-changed"]
    row = {
        "hall": device.hall,
        "id": body.id,
        "number": body.number,
        "official_number": official or _official_number(tx, body.item.code),
        "device": device.id,
        "operator": body.operator,
        "item_code": body.item.code,
        "item_version": body.item.version,
        "body_code": implementation.body_code,
        "body_name": implementation.body_name,
        "state": body.legal_state,
        "version": 1,
        "received_at": body.received_at,
        "accepted_at": body.accepted_at,
        "registered_at": tx.now,
        "flags": compact(flags),
        "filing": _filing.dump_json(body).decode(),
    }
    try:
        tx.connection.execute(_REGISTER, row)
    except IntegrityError as error:
        raise Refused("OFFICE-NUMBER-USED", body.number) from error
    return {**_tell(tx, row), "flags": flags}


def accept(tx: Transaction, device: Device, body: AcceptBody) -> dict[str, Any]:
    """A received case is accepted. Raises Refused OFFICE-NO-CASE or OFFICE-CASE-STATE."""
    row = _mine(tx, device, body.case_id)
    if row.state != LegalState.RECEIVED:
        raise Refused("OFFICE-CASE-STATE", row.state)
    return _move(tx, row, state=LegalState.ACCEPTED, accepted_at=body.accepted_at)


def void(tx: Transaction, device: Device, body: VoidBody, flags: list[str]) -> dict[str, Any]:
    """Withdraw a case nobody has decided; its number stays used. The record keeps who approved it.

    Raises Refused OFFICE-NO-CASE, OFFICE-CASE-DECIDED or OFFICE-CASE-STATE.
    """
    row = _mine(tx, device, body.case_id)
    if row.decided_at is not None:
        raise Refused("OFFICE-CASE-DECIDED")
    if row.state == LegalState.VOID or row.number != body.number or not body.reason.strip():
        raise Refused("OFFICE-CASE-STATE", row.state)
    marks = compact(sorted({*json.loads(row.flags), *flags}))
    approved = body.approved_by or None
    return _move(
        tx, row, state=LegalState.VOID, void_reason=body.reason, void_approved_by=approved, flags=marks
    )


def number_leased_twice(tx: Transaction, device: Device, number: str) -> bool:
    """Whether a number used already is so because a restored office leased it to two windows."""
    return blocks.leased_twice(tx, device, _serial(device, number))


def _serial(device: Device, number: str) -> int:
    try:
        stored = numbering.parse(number)
    except ValueError as error:
        raise Refused("OFFICE-NUMBER", "check character") from error
    if stored != number or stored[:4] != device.hall:
        raise Refused("OFFICE-NUMBER", "hall")
    return int(stored[4:12])


def _item_at(tx: Transaction, filed: FiledItem, at: datetime) -> Any:
    """The item's row in the version it was filed under, acceptable at that moment.

    A version replaced or retired since is good for what was filed before that. Raises NotYet for one that
    this office may have known before it lost its memory: until IT has imported the catalogue again.
    """
    asked = ("item", filed.code, filed.version)
    row = tx.memo.get(asked)
    if row is None:
        known = {"b_code": filed.code, "b_version": filed.version}
        row = tx.memo[asked] = tx.connection.execute(_ITEM, known).one_or_none()
    if row is None:
        lost_at = restoring.latest(tx.connection)
        if lost_at is not None and at <= lost_at:
            raise NotYet("OFFICE-ITEM-FORGOTTEN")
        raise Refused("OFFICE-NO-ITEM", f"{filed.code} version {filed.version}")
    if ItemType(row.type) not in ON_APPLICATION:
        raise Refused("OFFICE-ITEM-NOT-FILEABLE", row.type)
    day = at.astimezone(HALL_TIME).date()
    begun = row.valid_from is None or row.valid_from <= day
    running = row.valid_to is None or day <= row.valid_to
    open_then = row.status == ItemStatus.PUBLISHED and (row.ended_at is None or at < row.ended_at)
    if not (begun and running and open_then):
        raise Refused("OFFICE-ITEM-NOT-IN-FORCE", f"{filed.code} version {filed.version}")
    return row


def _official_number(tx: Transaction, item_code: str) -> str:
    """办件编号: 实施编码, the day of registration, four digits that count the item's cases of that day.

    The first case of an item locks its counter to the commit; the next ones of the same batch count on in
    memory, and the counter is written once at the end.
    """
    mine = ("serial", item_code)
    if mine in tx.memo:
        last = tx.memo[mine] + 1
        tx.at_end["serials"] = _write_serials
    else:
        last = tx.connection.execute(_NEXT_SERIAL, {"item_code": item_code, "day": tx.today}).scalar_one()
    if last > LAST_OFFICIAL_SERIAL:
        raise NotYet("OFFICE-SERIALS-USED-UP", item_code)
    tx.memo[mine] = last
    return f"{item_code}{tx.today:%Y%m%d}{last:04d}"


def _write_serials(tx: Transaction) -> None:
    counted = [(key[1], last) for key, last in tx.memo.items() if key[0] == "serial"]
    rows = [{"b_code": code, "b_day": tx.today, "b_last": last} for code, last in counted]
    if rows:
        tx.connection.execute(_COUNTED, rows)


def _given_again(tx: Transaction, item_code: str, earlier: object) -> str | None:
    """`earlier` when this office may have given it out and forgotten it, and no case bears it; else None.

    It may have, when it lost its memory on that day or later. The counter of that day is past it then
    (`restoring`), and never moves for what a window says: no window can use up the numbers of an item.
    """
    if not isinstance(earlier, str) or not earlier:
        return None
    written = re.fullmatch(re.escape(item_code) + r"([0-9]{8})([0-9]{4})", earlier, re.ASCII)
    lost_at = restoring.latest(tx.connection)
    if written is None or lost_at is None or not int(written[2]):
        return None
    try:
        day = datetime.strptime(written[1], "%Y%m%d").date()  # noqa: DTZ007  a day of the hall, no moment
    except ValueError:
        return None
    if day > min(lost_at.astimezone(HALL_TIME).date(), tx.today):
        return None
    if day == tx.today and int(written[2]) > _counted(tx, item_code):
        return None
    borne = sa.select(registered_case.c.id).where(registered_case.c.official_number == earlier)
    return None if tx.connection.scalar(borne) is not None else earlier


def _counted(tx: Transaction, item_code: str) -> int:
    query = sa.select(official_serial.c.last).where(
        official_serial.c.item_code == item_code, official_serial.c.day == tx.today
    )
    return tx.connection.scalar(query) or 0


def _mine(tx: Transaction, device: Device, case_id: str) -> Any:
    query = sa.select(registered_case).where(
        registered_case.c.hall == device.hall,
        registered_case.c.id == case_id,
        registered_case.c.device == device.id,
    )
    row = tx.connection.execute(query.with_for_update()).one_or_none()
    if row is None:
        raise Refused("OFFICE-NO-CASE")
    return row


def _move(tx: Transaction, row: Any, **values: Any) -> dict[str, Any]:
    changed = sa.update(registered_case).where(
        registered_case.c.hall == row.hall, registered_case.c.id == row.id
    )
    changed = changed.values(version=registered_case.c.version + 1, **values)
    return _tell(tx, tx.connection.execute(changed.returning(registered_case)).mappings().one())


def _tell(tx: Transaction, row: Mapping[Any, Any]) -> dict[str, Any]:
    """Tell the device that filed the case; the same message is the command's result."""
    message = CaseMessage(
        case_id=row["id"],
        number=row["number"],
        version=row["version"],
        state="void" if row["state"] == LegalState.VOID else "registered",
        official_number=row["official_number"],
        routed_to=row["body_name"],
        registered_at=row["registered_at"],
    )
    data: dict[str, Any] = _message.dump_python(message, mode="json")
    scope = (row["hall"], f"device:{row['device']}")
    tx.tell(News(scope, "case", message.case_id, message.version, "put", data))
    return data
