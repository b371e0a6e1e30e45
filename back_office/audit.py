"""The audit chains of the workstations, held a second time where no workstation can change them.

A workstation sends its links in order; each is hashed anew and laid after the one before, and the office
signs what it holds (`countersign`). A chain that does not hold is marked with the reason and the first bad
link, once, and its commands go on: an audit that stops the hall would be switched off.

| what came                                             | what is done                                     |
|-------------------------------------------------------|--------------------------------------------------|
| a link whose hash does not follow from the one before | kept as it came, broken, no countersign any more |
| a link held already, with other contents              | not taken, broken                                |
| what is no link (no text, hash or time)               | not taken, nor those after it, broken            |
| a hole after the last link held                       | asked for again, as the office may have been     |
|                                                       | restored; once the workstation has heard that,   |
|                                                       | kept with the hole, broken                       |
| no new link, and a head that is not the last one held | asked for once, as a hole, where the workstation  |
|                                                       | has heard of more than is held here; otherwise   |
|                                                       | marked shorter until the head is there again     |

The office's own acts are a chain of each hall, and one of the office, under the device "".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from sqlalchemy.exc import InterfaceError, OperationalError

from back_office import logs, seals
from back_office.access import Device
from back_office.asked import OrElse
from back_office.office import Transaction
from back_office.tables import audit_chain, audit_head, audit_record
from clerk_app.domain.audit_chain import link
from clerk_app.domain.hall_time import HALL_TIME
from clerk_app.sync.protocol import MAX_AUDIT, AuditMessage, Sealed

OFFICE = ""
"""The device of the office's own acts."""

MAX_CHAINS = 64
"""Of one workstation: a chain is as old as its cache."""

MAX_LINK = 4096
"""Characters of one link."""

_HASH = re.compile(r"[0-9a-f]{64}")
_CHAIN = re.compile(r"[0-9A-Za-z-]{1,64}")
_PASSING = ("hole", "shorter")  # what a chain that goes on properly takes back


def _readable_or_none(value: Any, validate: ValidatorFunctionWrapHandler) -> AuditMessage | None:
    """One link that cannot be read must not spoil the commands it travels with."""
    try:
        told: AuditMessage | None = validate(value)
        if told is None:
            return None
        texts = (told.at, told.actor, told.act, told.subject, told.detail)
        moment = datetime.fromisoformat(told.at)
        link("", told.n, *texts)  # half a surrogate pair has no bytes
    except (ValidationError, ValueError):
        return None
    whole = sum(map(len, texts)) <= MAX_LINK and "\0" not in "".join(texts)  # PostgreSQL stores no NUL
    return told if whole and moment.tzinfo and _HASH.fullmatch(told.hash) and 0 < told.n < 2**53 else None


Link = Annotated[
    AuditMessage | None,
    WrapValidator(_readable_or_none),
    OrElse("no link: the chain is marked"),
]
"""One link as a push brings it; None is one that is no link."""


@dataclass(slots=True)
class _Chain:
    """Where a chain stands, and what is to be written of it."""

    n: int
    head: str
    broken: str | None
    rows: list[dict[str, Any]]

    def breaks(self, reason: str) -> None:
        if self.broken is None or self.broken.startswith(_PASSING):
            self.broken = reason

    def holds_again(self) -> None:
        if self.broken is not None and self.broken.startswith(_PASSING):
            self.broken = None


@dataclass(frozen=True, slots=True)
class Links:
    """What one push says of its workstation's audit."""

    chain: str
    links: Sequence[AuditMessage | None]
    head: str
    after: int | None = None  # the last one confirmed, as the workstation has heard


def take(tx: Transaction, sender: Device, told: Links, seq: int | None) -> tuple[int, Sealed | None]:
    """Keep what a push brought; `seq` is its last new command, None when it had none.

    Returns the last link held and the office's word on it (None while the chain does not hold). Raises
    nothing for what a workstation sent.
    """
    head = told.head if _HASH.fullmatch(told.head) else ""
    chain = told.chain if _CHAIN.fullmatch(told.chain) else ""  # another may be none that can be stored
    if seq is not None and head:
        place = {"device": sender.id, "epoch": sender.epoch, "seq": seq}
        kept = place | {"head": head, "at": tx.now, "chain": chain}
        tx.connection.execute(sa.insert(audit_head), kept)
    if not chain:
        return 0, None
    try:
        with tx.savepoint():
            return _take(
                tx, sender, replace(told, links=told.links[:MAX_AUDIT], head=head), new=seq is not None
            )
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        logs.error("audit-not-taken", error, device=sender.id)
        return 0, None


def _take(tx: Transaction, sender: Device, asked: Links, *, new: bool) -> tuple[int, Sealed | None]:
    chain, links, head = asked.chain, asked.links, asked.head
    mine = sa.and_(audit_chain.c.device == sender.id, audit_chain.c.chain == chain)
    row = tx.connection.execute(sa.select(audit_chain).where(mine)).one_or_none()
    if row is None and not _open(tx, sender.id, chain):
        return 0, None
    was = _Chain(row.n, row.head, row.broken, []) if row else _Chain(0, "", None, [])
    now = _Chain(was.n, was.head, was.broken, [])
    heard = asked.after is None or asked.after <= was.n
    _compare(tx, sender.id, chain, now, links)
    for told in links:
        if told is None:
            now.breaks(f"link after {now.n} cannot be read")
            break
        if told.n > now.n and not _append(tx, sender, chain, now, told, heard=heard):
            break
    _judge_head(tx, sender.id, chain, now, head, silent=new and not links, heard=heard)
    countersign = Sealed(row.sealed, row.seal) if row and row.seal else None
    if now.broken != was.broken:
        _tell(tx, sender.id, chain, now.broken)
    if now.rows:
        tx.connection.execute(sa.insert(audit_record), now.rows)
    changed: dict[str, Any] = {"n": now.n, "head": now.head, "broken": now.broken, "at": tx.now}
    if now.broken is None and now.n and (now.n != was.n or countersign is None):
        countersign = _countersign(tx, sender.id, chain, now.n, now.head)
        changed |= {"sealed": countersign.text, "seal": countersign.seal}
    if now.rows or now.broken != was.broken or "seal" in changed:
        tx.connection.execute(sa.update(audit_chain).where(mine).values(changed))
    return now.n, countersign if now.broken is None else None


def _tell(tx: Transaction, device: str, chain: str, broken: str | None) -> None:
    """For IT, once a change. A hole is no alarm yet: its links are asked for, and come with the next push."""
    if broken is not None and broken.startswith("hole"):
        logs.info("audit-links-asked-for", device=device, chain=chain, reason=broken)
        return
    if broken is None:
        logs.info("audit-chain-holds-again", device=device, chain=chain)
        return
    logs.alarm("audit-chain-broken", device=device, chain=chain, reason=broken)
    tx.count("event", "audit-chain-broken")


def _open(tx: Transaction, device: str, chain: str) -> bool:
    mine = sa.select(sa.func.count()).select_from(audit_chain).where(audit_chain.c.device == device)
    if device != OFFICE and tx.connection.execute(mine).scalar_one() >= MAX_CHAINS:
        logs.info("audit-chains-too-many", device=device)
        return False
    begun = {"device": device, "chain": chain, "n": 0, "head": "", "at": tx.now}
    tx.connection.execute(sa.insert(audit_chain), begun)
    return True


def _compare(
    tx: Transaction, device: str, chain: str, state: _Chain, links: Sequence[AuditMessage | None]
) -> None:
    """Links held already say the same as before, or the chain was rewritten."""
    again = {told.n: told for told in links if told is not None and told.n <= state.n}
    if not again:
        return
    query = sa.select(audit_record).where(
        audit_record.c.device == device, audit_record.c.chain == chain, audit_record.c.n.in_(again)
    )
    for held in tx.connection.execute(query.order_by(audit_record.c.n)):
        told = again[held.n]
        if any(getattr(held, name) != getattr(told, name) for name in _TOLD):
            state.breaks(f"link {held.n} is not the one held")
            return


_TOLD = ("at", "actor", "act", "subject", "detail", "hash")


def _append(
    tx: Transaction, sender: Device, chain: str, state: _Chain, told: AuditMessage, *, heard: bool
) -> bool:
    """Lay `told` after the last link held. False: not before what is missing has been asked for again.

    A workstation that has not `heard` how far the office is, because the answer was lost or the push comes a
    second time, would send what is missing.
    """
    if told.n > state.n + 1:
        hole = f"hole after link {state.n}"
        if not heard or state.broken is None or state.broken.startswith("shorter"):
            state.breaks(hole)
            return False
        state.breaks(f"link {state.n + 1} is missing")
    elif told.hash != link(state.head, told.n, told.at, told.actor, told.act, told.subject, told.detail):
        state.breaks(f"link {told.n} does not follow")
    else:
        state.holds_again()
    state.rows.append(_row(tx, sender.hall, sender.id, chain, told))
    state.n, state.head = told.n, told.hash
    return True


def _row(tx: Transaction, hall: str, device: str, chain: str, told: AuditMessage) -> dict[str, Any]:
    return {
        "hall": hall,
        "device": device,
        "chain": chain,
        "n": told.n,
        "moment": datetime.fromisoformat(told.at),
        **{name: getattr(told, name) for name in _TOLD},
    }


def _judge_head(
    tx: Transaction, device: str, chain: str, state: _Chain, head: str, *, silent: bool, heard: bool
) -> None:
    """A push with new commands and no links says: you hold all of my chain. Its head must be the last."""
    if not head or head == state.head:
        if head:
            state.holds_again()
        return
    if not silent or (state.broken is not None and not state.broken.startswith("hole")):
        return
    if not heard and state.broken is None:  # restored from a backup, and the workstation cannot know yet
        state.breaks(f"hole after link {state.n}")
        return
    where = sa.and_(
        audit_record.c.device == device, audit_record.c.chain == chain, audit_record.c.hash == head
    )
    n = tx.connection.scalar(sa.select(audit_record.c.n).where(where).limit(1))
    state.breaks(f"shorter: ends at link {n or '?'}, held to {state.n}")


def _countersign(tx: Transaction, device: str, chain: str, n: int, head: str) -> Sealed:
    told = {"device": device, "chain": chain, "n": n, "head": head, "at": tx.now.isoformat()}
    return seals.seal(tx.connection, {"what": "head", **told})


def note(tx: Transaction, actor: str, act: str, subject: str, detail: str = "", *, hall: str = "") -> None:
    """One act of the office itself: who (an account of the machine, or a device), what, to whom. No names."""
    chain = hall or "office"
    mine = sa.and_(audit_chain.c.device == OFFICE, audit_chain.c.chain == chain)
    query = sa.select(audit_chain.c.n, audit_chain.c.head).where(mine).with_for_update()
    row = tx.connection.execute(query).one_or_none()
    if row is None:
        _open(tx, OFFICE, chain)
    n, previous = (row.n, row.head) if row else (0, "")
    told = (tx.now.astimezone(HALL_TIME).isoformat(), actor, act, subject, detail)
    head = link(previous, n + 1, *told)
    record = _row(tx, hall, OFFICE, chain, AuditMessage(n + 1, *told, hash=head))
    tx.connection.execute(sa.insert(audit_record), record)
    sealed = _countersign(tx, OFFICE, chain, n + 1, head)
    values = {"n": n + 1, "head": head, "at": tx.now, "sealed": sealed.text, "seal": sealed.seal}
    tx.connection.execute(sa.update(audit_chain).where(mine).values(values))
