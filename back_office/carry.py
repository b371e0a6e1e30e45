"""An exported outbox that another workstation brings: opened, believed by its signature, applied once.

One transaction closes the epoch of the origin and applies its commands as if it had pushed them: what the
origin does later under that epoch is fenced, and after a new enrolment the same ids get the stored answers.
The carrier lends its line and nothing else; it can neither read nor change what it brings.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from fastapi import APIRouter
from pydantic import TypeAdapter, ValidationError

from back_office import audit, commands, feed, logs, pages, proofs, seals
from back_office.access import Device, DeviceHere, OfficeHere, fenced
from back_office.asked import CarryRequest
from back_office.commands import PushEnvelope
from back_office.document import refusals
from back_office.office import Transaction, compact
from back_office.problems import Refused
from back_office.tables import carried, device, device_token
from clerk_app.sync import envelope
from clerk_app.sync.envelope import BadEnvelope, CarriedOutbox, Opened
from clerk_app.sync.protocol import MAX_AUDIT, MAX_COMMANDS, CarryAnswer

router = APIRouter(prefix="/sync")

_request = TypeAdapter(PushEnvelope)


def receive(tx: Transaction, carrier: Device, opened: Opened, sha256: str, folder: Path) -> CarryAnswer:
    """Apply one envelope, or answer it as before. `folder` is the data folder, for the pages.

    Raises Refused 403 for what is not of a workstation of the carrier's hall or not signed by it, 403 for a
    revoked origin, 409 when another export of this epoch came first, 423 when the origin was enrolled again
    (it sends by itself then), and what `commands.push` refuses a whole batch with.
    """
    try:
        outbox = opened.outbox()
        request = _request.validate_python(msgspec.to_builtins(outbox.request))
    except (BadEnvelope, ValidationError):
        raise Refused("OFFICE-ENVELOPE", "not an outbox", status=422) from None
    row = _origin(tx, carrier, outbox, opened)
    done = _done(tx, outbox, sha256)
    if done is not None:
        return done
    if outbox.part == 1 and row.epoch != outbox.epoch:
        if _came_first(tx, outbox):
            raise Refused("OFFICE-CARRIED", status=409)
        raise fenced(outbox.epoch, row.epoch)
    if outbox.part > 1 and row.epoch <= outbox.epoch:
        raise Refused("OFFICE-GAP", "the first part comes first", status=409)
    counts: Counter[str] = Counter()
    origin = Device(row.id, row.hall, row.epoch, row.window, row.queue)
    if outbox.part == 1:
        for pushed in _push_all(tx, origin, request):
            counts.update(json.loads(text)["status"] for text in pushed.answers)
        _close_epoch(tx, origin)
    _keep_pages(tx, origin, folder, outbox)
    answer = CarryAnswer(row.id, outbox.epoch, counts["applied"], counts["refused"], counts["held"])
    _remember(tx, carrier, outbox, sha256, answer)
    return answer


def _origin(tx: Transaction, carrier: Device, outbox: CarriedOutbox, opened: Opened) -> Any:
    """The workstation that exported, its row locked. An unknown one is answered as a forged one."""
    query = sa.select(device).where(device.c.id == outbox.device, device.c.hall == carrier.hall)
    row = tx.connection.execute(query.with_for_update()).one_or_none()
    token = sa.select(device_token.c.hash).where(
        device_token.c.device == outbox.device, device_token.c.epoch == outbox.epoch
    )
    token_hash = tx.connection.scalar(token)
    if row is None or token_hash is None or not opened.check(token_hash):
        raise Refused("OFFICE-ENVELOPE", "not signed by its workstation", status=403)
    if row.revoked_at is not None:
        raise Refused("OFFICE-REVOKED", status=403)
    if outbox.request.device != row.id or outbox.request.epoch != outbox.epoch:
        raise Refused("OFFICE-ENVELOPE", "of two workstations", status=422)
    return row


def _done(tx: Transaction, outbox: CarriedOutbox, sha256: str) -> CarryAnswer | None:
    same = sa.select(carried.c.answer).where(_of(outbox), carried.c.sha256 == sha256)
    answer = tx.connection.scalar(same)
    return None if answer is None else CarryAnswer(**json.loads(answer))


def _came_first(tx: Transaction, outbox: CarriedOutbox) -> bool:
    return tx.connection.scalar(sa.select(carried.c.sha256).where(_of(outbox)).limit(1)) is not None


def _of(outbox: CarriedOutbox) -> sa.ColumnElement[bool]:
    return sa.and_(carried.c.device == outbox.device, carried.c.epoch == outbox.epoch)


def _push_all(tx: Transaction, origin: Device, request: PushEnvelope) -> list[commands.Pushed]:
    """The ordinary push, as often as it takes: first what proves and what is audited, then the commands.

    What lies before the first command was answered once, and what the retention of the origin took from
    between them too. A restored office that misses it goes on behind it: the epoch ends here, so it could not
    be asked for any more.
    """
    passed = max(request.purged_through, request.base_seq - 1)
    empty = replace(request, commands=[], audit=[], proofs=[], audit_head="", purged_through=passed)
    parts = [replace(empty, proofs=some) for some in _slices(request.proofs, proofs.MAX_PROOFS)]
    parts += [replace(empty, audit=some) for some in _slices(request.audit, MAX_AUDIT)]
    for dense in _dense(request):
        for some in _slices(dense, MAX_COMMANDS):
            at = some[0].seq
            parts.append(replace(empty, base_seq=at, commands=some, audit_head=request.audit_head))
    return [commands.push(tx, origin, part) for part in parts]


def _dense(request: PushEnvelope) -> list[list[Any]]:
    """The commands between one hole and the next; the push judges whether a hole may be passed over."""
    runs: list[list[Any]] = []
    expected = None
    for message in request.commands:
        if message.seq != expected:
            runs.append([])
        runs[-1].append(message)
        expected = message.seq + 1
    if runs and runs[0][0].seq != request.base_seq:
        raise Refused("OFFICE-GAP", "commands of another base_seq", status=409)
    return runs


def _slices(whole: Sequence[Any], size: int) -> list[list[Any]]:
    return [list(whole[start : start + size]) for start in range(0, len(whole), size)]


def _keep_pages(tx: Transaction, origin: Device, folder: Path, outbox: CarriedOutbox) -> None:
    """What belongs to a case that was not registered stays at the origin, like the case itself."""
    try:
        kept = [pages.keep(tx, origin, folder, page) for page in outbox.pages]
    except BadEnvelope:
        raise Refused("OFFICE-ENVELOPE", "a page is not what was taken", status=422) from None
    if kept:
        logs.info("pages-carried", device=origin.id, kept=sum(kept), left=len(kept) - sum(kept))


def _close_epoch(tx: Transaction, origin: Device) -> None:
    """No token belongs to the next epoch: the origin is fenced until it is enrolled again."""
    mine = sa.update(device).where(device.c.id == origin.id)
    tx.connection.execute(mine.values(epoch=origin.epoch + 1, last_seq=0, offline_series=""))
    tx.tell(feed.News((origin.hall, f"device:{origin.id}")))


def _remember(
    tx: Transaction, carrier: Device, outbox: CarriedOutbox, sha256: str, answer: CarryAnswer
) -> None:
    row = {
        "device": outbox.device,
        "epoch": outbox.epoch,
        "carrier": carrier.id,
        "sha256": sha256,
        "answer": compact(asdict(answer)),
        "at": tx.now,
    }
    tx.connection.execute(sa.insert(carried), row)
    told = f"epoch {outbox.epoch}, part {outbox.part} of {outbox.parts}, sha256 {sha256}"
    audit.note(tx, f"device:{carrier.id}", "outbox-carried", outbox.device, told, hall=carrier.hall)


_REFUSED = refusals({403: "OFFICE-ENVELOPE", 409: "OFFICE-CARRIED, OFFICE-GAP", 422: "OFFICE-ENVELOPE"})


@router.post("/carry", responses=_REFUSED)
def carry_outbox(body: CarryRequest, office: OfficeHere, carrier: DeviceHere) -> CarryAnswer:
    """Take another workstation's exported outbox. The same envelope again gets the same answer."""
    try:
        sealed = base64.b64decode(body.envelope, validate=True)
        opened = envelope.open_(sealed, office.read(seals.export_key))
    except ValueError as error:  # BadEnvelope is one too
        raise Refused(
            "OFFICE-ENVELOPE", str(error) if isinstance(error, BadEnvelope) else "", status=422
        ) from None
    sha256 = hashlib.sha256(sealed).hexdigest()
    answer = office.write(lambda tx: receive(tx, carrier, opened, sha256, office.settings.data_dir))
    logs.info("outbox-carried", carrier=carrier.id, device=answer.device, epoch=answer.epoch)
    return answer
