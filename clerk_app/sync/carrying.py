"""An outbox that leaves its workstation in a file, and the workstation that brings it to the office.

The file has one line an envelope (see `envelope`), base64. The first holds every command without a final
answer, the others pages. Sending is done by any workstation of the hall: the office believes the signature
inside, closes the epoch of the origin, and gives the stored answer to whatever it has seen before.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from clerk_app import failures
from clerk_app.desk.ports import Attachment, Command, Device, Transaction
from clerk_app.failures import Failure
from clerk_app.sync import envelope
from clerk_app.sync.audit import CHAIN_KEY, THROUGH_KEY, message
from clerk_app.sync.client import OfficeClient
from clerk_app.sync.envelope import CarriedOutbox, CarriedPage
from clerk_app.sync.messages import command_message
from clerk_app.sync.protocol import MAX_AUDIT, CarryAnswer, CarryRequest, PushRequest
from clerk_app.sync.push import official_number, proofs
from clerk_app.sync.transport import OfficeFailure

PART_BYTES = 2_500_000
"""Bytes of pages in one envelope; twice in base64 they stay below what the office takes in one request."""

_ALL_PAGES = 1_000_000


@dataclass(frozen=True, slots=True)
class Carried:
    """What the office said to a file: whose it was, and how many commands ended how."""

    device: str
    applied: int
    refused: int
    held: int


@dataclass(frozen=True, slots=True)
class Contents:
    """What there is to carry: the request, and the pages of it and of cases the office knows."""

    device: Device
    request: PushRequest
    pages: tuple[Attachment, ...]


def contents(tx: Transaction, device: Device, *, everything: bool = False) -> Contents:
    """What the office has not answered or not got.

    Refused commands stay a task of this workstation, held ones are kept by the office. With `everything`
    goes whatever is still here: for an office that was restored from a backup.
    """
    commands = _commands(tx, everything=everything)
    links = tx.audit.after(int(tx.meta.get(THROUGH_KEY) or 0), MAX_AUDIT)
    request = PushRequest(
        device=device.id,
        epoch=device.epoch,
        base_seq=commands[0].seq if commands else tx.outbox.next_seq(),
        commands=[command_message(command, official_number(tx, command)) for command in commands],
        audit_head=tx.audit.head(),
        purged_through=tx.outbox.purged_through(),
        proofs=proofs(tx, commands),
        audit_chain=tx.meta.get(CHAIN_KEY) or "",
        audit=[message(link) for link in links],
        audit_after=int(tx.meta.get(THROUGH_KEY) or 0),
    )
    return Contents(device, request, tuple(_pages(tx, commands)))


def sealed(tx: Transaction, found: Contents, token: str, made_at: datetime) -> Iterator[str]:
    """The lines of the file. Raises Failure SYNC-NO-EXPORT-KEY for an office without one."""
    if not found.device.export_key:
        raise Failure("SYNC-NO-EXPORT-KEY")
    parts = _parts(found.pages)
    nothing = PushRequest(found.device.id, found.device.epoch, found.request.base_seq, [])
    for number, pages in enumerate([(), *parts], 1):
        outbox = CarriedOutbox(
            device=found.device.id,
            epoch=found.device.epoch,
            made_at=made_at,
            request=found.request if number == 1 else nothing,
            pages=[page for each in pages if (page := _page(tx, each)) is not None],
            part=number,
            parts=len(parts) + 1,
        )
        yield base64.b64encode(envelope.close(outbox, token, found.device.export_key)).decode()


def carry(client: OfficeClient, lines: Iterable[str]) -> Carried:
    """Hand every envelope to the office, in order; may be done again as often as wanted.

    Raises Failure SYNC-NOT-EXPORT for a file of another kind, and what the office refuses it with.
    """
    device, counts = "", [0, 0, 0]
    for line in lines:
        answer = _ask(client, line)
        device = answer.device
        counts = [
            known + more
            for known, more in zip(counts, (answer.applied, answer.refused, answer.held), strict=True)
        ]
    if not device:
        raise Failure("SYNC-NOT-EXPORT", "nothing in it")
    return Carried(device, *counts)


def read_lines(data: bytes) -> list[str]:
    """The envelopes of a file. Raises Failure SYNC-NOT-EXPORT when it is none of ours, or cut."""
    try:
        lines = data.decode("ascii").splitlines()
        good = [base64.b64decode(line, validate=True).startswith(envelope.MAGIC) for line in lines]
    except ValueError as error:
        raise Failure("SYNC-NOT-EXPORT", "not the file of an export, or cut") from error
    if not good or not all(good):
        raise Failure("SYNC-NOT-EXPORT", "not the file of an export, or cut")
    return lines


def _ask(client: OfficeClient, line: str) -> CarryAnswer:
    try:
        return client.carry(CarryRequest(line))
    except OfficeFailure as failure:
        if failure.problem is not None and failure.problem.code in failures.codes():
            raise Failure(failure.problem.code, failure.detail) from failure
        raise


def _commands(tx: Transaction, *, everything: bool) -> list[Command]:
    """Dense from the first without an answer on; all of this epoch that are here with `everything`."""
    open_ = tx.outbox.next_batch(1)
    if not open_ and not everything:
        return []
    found: list[Command] = []
    seq = 1 if everything else open_[0].seq
    while page := tx.outbox.since(seq):
        found += page
        seq = page[-1].seq + 1
    return found


def _pages(tx: Transaction, commands: Iterable[Command]) -> Iterator[Attachment]:
    """The pages the office lacks: of the cases in `commands`, then of those it has registered."""
    carried = {command.aggregate for command in commands if command.type == "case.file"}
    for case_id in sorted(carried):
        yield from (page for page in tx.attachments.of_case(case_id) if page.uploaded_at is None)
    yield from (page for page in tx.attachments.to_upload(_ALL_PAGES) if page.case_id not in carried)


def _parts(pages: Iterable[Attachment]) -> list[list[Attachment]]:
    """Pages in portions of `PART_BYTES`; one that is larger goes alone."""
    parts: list[list[Attachment]] = []
    room = 0
    for page in pages:
        if not parts or page.size > room:
            parts.append([])
            room = PART_BYTES
        parts[-1].append(page)
        room -= page.size
    return parts


def _page(tx: Transaction, page: Attachment) -> CarriedPage | None:
    content = tx.attachments.content(page.id)
    if content is None:
        return None
    told = base64.b64encode(content).decode()
    return CarriedPage(page.id, page.case_id, page.material, page.page, page.sha256, page.size, told)
