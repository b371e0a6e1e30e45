"""What a clerk may do at this window, as the office granted it at the last sign-in here.

The office signs its grant; the window believes that signature and nothing else it keeps about a clerk. The
office checks again whatever is sent; the window checks first, so that no slip leaves it for an act that will
be refused.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from clerk_app.desk import time_seen
from clerk_app.desk.context import Desk
from clerk_app.desk.ports import Device, Operator, Transaction
from clerk_app.domain import seals
from clerk_app.failures import Failure

ACCEPT = "accept"  # file cases: receive and accept
CALL = "call"  # call and serve tickets
ISSUE = "issue"  # issue tickets, and withdraw them again
VOID = "void"  # void a case before it is registered

_log = logging.getLogger(__name__)


def has(desk: Desk, operator: str, right: str) -> bool:
    """Whether `operator` signed in here with `right`."""
    return desk.store.read(lambda tx: _has(tx, operator, right))


def require(tx: Transaction, operator: str, right: str) -> None:
    """Failure DESK-RIGHT when `operator` does not have `right`, SIGN-IN-OVER when the grant has ended.

    Part of the caller's transaction.
    """
    known = granted(tx, operator)
    if known is None or right not in known.rights:
        raise Failure("DESK-RIGHT", right)
    seen = time_seen.latest(tx)
    if seen is not None and seen > known.grant_until:
        raise Failure("SIGN-IN-OVER")


def granted(tx: Transaction, staff_no: str) -> Operator | None:
    """The clerk with rights and time as the office's signature has them; None when it has not signed any.

    An office that seals nothing leaves what its last answer said; that is never enough to sign in without it.
    """
    known = tx.operators.get(staff_no)
    if known is None:
        return None
    device = tx.meta.device()
    if device is None or not device.seal_key:
        return known[0]
    return signed(device, known[0])


def signed(device: Device, operator: Operator) -> Operator | None:
    """`operator` with what the office signed: for this device and this clerk, else None."""
    told = _statement(device, operator)
    if told is None:
        return None
    try:
        until = datetime.fromisoformat(told["not_after"])
        return replace(operator, rights=frozenset(told["rights"]), grant_until=until)
    except (KeyError, TypeError, ValueError):  # an office that signs something else under that name
        _log.error("a grant kept here does not say until when, or for what")
        return None


def signed_at(tx: Transaction, operator: Operator) -> datetime | None:
    """The office's own time when it signed the grant; None when that is not told."""
    device = tx.meta.device()
    told = _statement(device, operator) if device is not None and device.seal_key else None
    try:
        at = datetime.fromisoformat(told["issued_at"]) if told is not None else None
    except (KeyError, TypeError, ValueError):
        return None
    return at if at is not None and at.tzinfo is not None else None


def _statement(device: Device, operator: Operator) -> Mapping[str, Any] | None:
    """What the office stated of this clerk at this device."""
    if operator.grant is None:
        return None
    try:
        told = seals.read(device.seal_key, operator.grant.text, operator.grant.seal)
    except Failure:
        _log.error("a grant kept here does not have the office's signature")
        return None
    whose = (told.get("what"), told.get("device"), told.get("staff_no"))
    if whose != ("grant", device.id, operator.staff_no):
        _log.error("a grant kept here is of another clerk or workstation")
        return None
    return told


def _has(tx: Transaction, operator: str, right: str) -> bool:
    known = granted(tx, operator)
    return known is not None and right in known.rights
