"""What a window shows so that an office restored from an older backup recognises what it gave out itself.

A grant or a lease is believed when this office signed it for this very device; what is known already is not
looked at twice. A grant that is believed becomes the row of a sign-in that is over; a lease goes back into
the register of blocks. Nothing else can be proved: a proof of another device, hall or hand is passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import AwareDatetime, TypeAdapter, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from back_office import accounts, blocks, logs, seals
from back_office.access import Device, digest, new_token
from back_office.asked import OrElse
from back_office.blocks import Lease
from back_office.office import Transaction, compact
from back_office.tables import block, doubled_block, session, staff
from clerk_app.sync.protocol import Sealed

MAX_PROOFS = 256
"""In one push: a hundred commands need two each at most."""


def _readable_or_none(value: Any, validate: ValidatorFunctionWrapHandler) -> Sealed | None:
    """A proof that cannot be read must not spoil the commands it travels with."""
    try:
        sealed: Sealed | None = validate(value)
        if sealed is not None:
            sealed.text.encode()
    except (ValidationError, UnicodeEncodeError):
        return None
    return sealed


Proof = Annotated[Sealed | None, WrapValidator(_readable_or_none), OrElse("passed over")]
"""One proof as a push brings it; None is one that is none."""


@dataclass(frozen=True, slots=True)
class _GrantClaim:
    device: str
    staff_no: str
    rights: list[str]
    issued_at: AwareDatetime
    not_after: AwareDatetime


@dataclass(frozen=True, slots=True)
class _LeaseClaim(Lease):
    hall: str
    device: str


_grant = TypeAdapter(_GrantClaim)
_lease = TypeAdapter(_LeaseClaim)


def take(tx: Transaction, sender: Device, proofs: Sequence[Sealed | None]) -> bool:
    """Remember what `proofs` prove; whether one of them shows that the office lost its memory.

    Raises nothing for what a workstation sent.
    """
    grants: list[tuple[Sealed, _GrantClaim]] = []
    leases: list[tuple[Sealed, _LeaseClaim]] = []
    for sealed in proofs:
        told = seals.claims(sealed) if sealed is not None else None
        if sealed is None or told is None or told.get("device") != sender.id:
            continue
        try:
            if told.get("what") == "grant":
                grants.append((sealed, _grant.validate_python(told)))
            elif told.get("what") == "lease" and told.get("hall") == sender.hall:
                leases.append((sealed, _lease.validate_python(told)))
        except ValidationError:
            continue
    _remember_grants(tx, sender, grants)
    return _remember_leases(tx, sender, leases)


def _remember_grants(tx: Transaction, sender: Device, told: Sequence[tuple[Sealed, _GrantClaim]]) -> None:
    if not told:
        return
    numbers = {claim.staff_no for _, claim in told}
    query = sa.select(session.c.staff_no, session.c.grant_until).where(
        session.c.device == sender.id, session.c.staff_no.in_(numbers)
    )
    known = {(row.staff_no, row.grant_until) for row in tx.connection.execute(query)}
    for sealed, claim in told:
        if (claim.staff_no, claim.not_after) in known or not seals.genuine(tx.connection, sealed):
            continue
        known.add((claim.staff_no, claim.not_after))
        _know_again(tx, sender, claim)
        row = {
            "hash": digest(f"grant {sealed.seal}"),  # nobody has a token for it
            "hall": sender.hall,
            "staff_no": claim.staff_no,
            "device": sender.id,
            "rights": compact(claim.rights),
            "opened_at": claim.issued_at,
            "expires_at": claim.issued_at,
            "grant_until": claim.not_after,
            "closed_at": tx.now,
        }
        tx.connection.execute(sa.insert(session), row)
        logs.info("grant-remembered", device=sender.id)


def _know_again(tx: Transaction, sender: Device, claim: _GrantClaim) -> None:
    """A clerk added after the backup: there again, disabled until IT gives a password."""
    mine = sa.and_(staff.c.hall == sender.hall, staff.c.staff_no == claim.staff_no)
    if tx.connection.scalar(sa.select(staff.c.staff_no).where(mine)) is None:
        row = {
            "hall": sender.hall,
            "staff_no": claim.staff_no,
            "name": claim.staff_no,
            "name_en": "",
            "verifier": accounts.verifier_of(new_token()),
            "rights": compact(sorted(set(claim.rights) & set(accounts.RIGHTS))),
            "disabled_at": tx.now,
        }
        tx.connection.execute(sa.insert(staff), row)


def _remember_leases(tx: Transaction, sender: Device, told: Sequence[tuple[Sealed, _LeaseClaim]]) -> bool:
    unknown = {claim.id for _, claim in told}
    for table in (block, doubled_block):
        if unknown:
            unknown -= _ids(tx, table, unknown)
    beyond = False
    for sealed, claim in told:
        if claim.id not in unknown or claim.epoch > sender.epoch:
            continue
        if seals.genuine(tx.connection, sealed):
            unknown.discard(claim.id)
            lease = Lease(claim.id, claim.epoch, claim.kind, claim.low, claim.high, claim.request_no)
            beyond |= blocks.remember(tx, sender, lease)
            logs.info("lease-remembered", device=sender.id, low=claim.low, high=claim.high)
    return beyond


def _ids(tx: Transaction, table: sa.Table, among: Iterable[str]) -> set[str]:
    return set(tx.connection.scalars(sa.select(table.c.id).where(table.c.id.in_(among))))
