"""Signing in at a window: with the office when it answers, by the last verifier when it does not."""

from __future__ import annotations

from datetime import datetime, timedelta

from clerk_app.desk.context import Desk
from clerk_app.desk.ports import Operator, Transaction
from clerk_app.failures import Failure

UNREACHABLE = frozenset({"SYNC-OFFLINE", "SYNC-SLOW", "SYNC-NOT-OFFICE", "SYNC-BUSY", "SYNC-TLS"})
"""Failures that mean "no answer to be trusted", as opposed to an answer that says no."""

ATTEMPTS = 5
LOCK = timedelta(minutes=15)
_HIGHEST_TIME = "highest_time"


def sign_in(desk: Desk, staff_no: str, password: str) -> Operator:
    """The operator who proved to be `staff_no`.

    Asks the office; without an answer, a clerk who signed in online on this workstation within the granted
    time may sign in again (Argon2id verifier, five failures lock for 15 minutes, a clock turned back does
    not extend the grant). Failures: SIGN-IN-WRONG, SIGN-IN-LOCKED, SIGN-IN-NOT-KNOWN, SIGN-IN-EXPIRED.
    """
    staff_no = staff_no.strip()
    now = desk.clock.now()
    try:
        signed_in = desk.office.sign_in(staff_no, password)
    except Failure as failure:
        if failure.code not in UNREACHABLE:
            raise
        operator = _sign_in_offline(desk, staff_no, password, now)
        how = "offline"
    else:
        operator = signed_in.operator
        verifier = _hash(password)
        desk.store.write(lambda tx: _remember(tx, operator, verifier, now))
        how = "online"
    desk.store.write(lambda tx: tx.audit.add(at=now, actor=staff_no, act="sign-in", subject=how))
    return operator


def renew(desk: Desk, staff_no: str, password: str) -> Operator:
    """Open the office's session for a clerk who is at work already: signed in offline, or for too long.

    Only the office can. Failures: OFFICE-SIGN-IN, OFFICE-LOCKED, or SYNC-… when nothing answers.
    """
    now = desk.clock.now()
    operator = desk.office.sign_in(staff_no, password).operator
    verifier = _hash(password)

    def record(tx: Transaction) -> None:
        _remember(tx, operator, verifier, now)
        tx.audit.add(at=now, actor=staff_no, act="sign-in", subject="renewed")

    desk.store.write(record)
    return operator


def sign_out(desk: Desk, operator: str) -> None:
    """End the clerk's session; an unreachable office does not hold anybody back."""
    desk.store.write(lambda tx: tx.audit.add(at=desk.clock.now(), actor=operator, act="sign-out", subject=""))
    try:
        desk.office.sign_out()
    except Failure as failure:
        if failure.code not in UNREACHABLE:
            raise


def _remember(tx: Transaction, operator: Operator, verifier: str, now: datetime) -> None:
    """What an online sign-in proves: the clerk, and the time, which the office has just confirmed."""
    tx.operators.save(operator, verifier)
    tx.operators.succeeded(operator.staff_no)
    tx.meta.set(_HIGHEST_TIME, now.isoformat())


def _sign_in_offline(desk: Desk, staff_no: str, password: str, now: datetime) -> Operator:
    def known() -> tuple[Operator, str]:
        found = desk.store.read(lambda tx: tx.operators.get(staff_no))
        if found is None:
            raise Failure("SIGN-IN-NOT-KNOWN")
        return found

    operator, verifier = known()
    failures, last = desk.store.read(lambda tx: tx.operators.failures(staff_no))
    if failures >= ATTEMPTS and last is not None:
        if now - last < LOCK:
            raise Failure("SIGN-IN-LOCKED")
        desk.store.write(lambda tx: tx.operators.succeeded(staff_no))  # the lock is served: count anew
    if max(now, _highest_time(desk, now)) > operator.grant_until:
        raise Failure("SIGN-IN-EXPIRED")
    if not _verify(verifier, password):
        count = desk.store.write(lambda tx: tx.operators.failed(staff_no, now))
        raise Failure("SIGN-IN-LOCKED" if count >= ATTEMPTS else "SIGN-IN-WRONG")
    desk.store.write(lambda tx: tx.operators.succeeded(staff_no))
    return operator


def _highest_time(desk: Desk, now: datetime) -> datetime:
    """The latest wall time this workstation has seen; only an online sign-in may set it back."""
    stored = desk.store.read(lambda tx: tx.meta.get(_HIGHEST_TIME))
    highest = datetime.fromisoformat(stored) if stored else now
    if now >= highest:
        desk.store.write(lambda tx: tx.meta.set(_HIGHEST_TIME, now.isoformat()))
        return now
    return highest


def _hash(password: str) -> str:
    from argon2 import PasswordHasher

    return PasswordHasher().hash(password)


def _verify(verifier: str, password: str) -> bool:
    from argon2 import PasswordHasher
    from argon2.exceptions import VerifyMismatchError

    try:
        return PasswordHasher().verify(verifier, password)
    except VerifyMismatchError:
        return False
