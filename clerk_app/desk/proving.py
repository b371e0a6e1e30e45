"""Who proves to be which clerk: by the office when it answers, by the last verifier here when it does not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from clerk_app.desk import rights, time_seen
from clerk_app.desk.context import Desk
from clerk_app.desk.ports import Operator, Transaction
from clerk_app.failures import Failure

UNREACHABLE = frozenset({"SYNC-OFFLINE", "SYNC-SLOW", "SYNC-NOT-OFFICE", "SYNC-BUSY", "SYNC-TLS"})
"""Failures that mean "no answer to be trusted", as opposed to an answer that says no."""

ATTEMPTS = 5
LOCK = timedelta(minutes=15)

Ask = Callable[[str, str], Operator]
"""Asks the office whether staff number and password belong together."""


def prove(desk: Desk, staff_no: str, password: str, ask: Ask) -> tuple[Operator, str]:
    """The clerk who knows the password of `staff_no`, and "online" or "offline": who said so.

    `ask` asks the office. Without an answer the clerk needs a sign-in here that the office signed and that
    has not run out (Argon2id verifier). Five wrong passwords in a row lock for 15 minutes, counted in the
    store; no clock that is turned back shortens that or lengthens the grant.
    Failures: those of `ask` that are answers, SIGN-IN-WRONG, -LOCKED, -NOT-KNOWN, -EXPIRED.
    """
    try:
        operator = ask(staff_no, password)
    except Failure as failure:
        if failure.code not in UNREACHABLE:
            raise
        return _by_verifier(desk, staff_no, password), "offline"
    return remember(desk, operator, password), "online"


def remember(desk: Desk, operator: Operator, password: str) -> Operator:
    """What an answer of the office proves: the clerk, and the time, which it has just told.

    The time is the one it signed: the clock here may have been turned back since it was corrected.
    Returns the clerk with rights and time as they were signed. Failure SYNC-SEAL when the grant does not
    have the signature this workstation knows: nothing would be allowed under it.
    """
    verifier, now = _hash(password), desk.clock.now()

    def write(tx: Transaction) -> Operator:
        tx.operators.save(operator, verifier)
        granted = rights.granted(tx, operator.staff_no)
        if granted is None:
            raise Failure("SYNC-SEAL", "grant")
        tx.operators.succeeded(operator.staff_no)
        time_seen.confirm(tx, rights.signed_at(tx, operator) or now)
        return granted

    return desk.store.write(write)


def _by_verifier(desk: Desk, staff_no: str, password: str) -> Operator:
    """The attempt is counted before the password is looked at: ending the program does not save it."""
    now = desk.clock.now()

    def attempt(tx: Transaction) -> tuple[Operator, str, int] | Failure:
        known, device = tx.operators.get(staff_no), tx.meta.device()
        operator = rights.signed(device, known[0]) if known and device else None
        if known is None or operator is None:
            return Failure("SIGN-IN-NOT-KNOWN")
        seen = time_seen.note(tx, now)
        failures, last = tx.operators.failures(staff_no)
        if failures >= ATTEMPTS and last is not None:
            if seen - last < LOCK:
                return Failure("SIGN-IN-LOCKED")
            tx.operators.succeeded(staff_no)  # the lock is served: count anew
        if seen > operator.grant_until:
            return Failure("SIGN-IN-EXPIRED")
        return operator, known[1], tx.operators.failed(staff_no, seen)

    outcome = desk.store.write(attempt)
    if isinstance(outcome, Failure):
        raise outcome
    operator, verifier, count = outcome
    if not _verify(verifier, password):
        raise Failure("SIGN-IN-LOCKED" if count >= ATTEMPTS else "SIGN-IN-WRONG")
    desk.store.write(lambda tx: tx.operators.succeeded(staff_no))
    return operator


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
