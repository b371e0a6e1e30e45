"""Signing in at a window, locking it, opening it again: with the office when it answers, else without."""

from __future__ import annotations

from clerk_app.desk import proving
from clerk_app.desk.context import Desk
from clerk_app.desk.ports import Operator, Transaction
from clerk_app.desk.proving import UNREACHABLE
from clerk_app.failures import Failure

__all__ = ["UNREACHABLE", "change", "lock", "renew", "sign_in", "sign_out", "unlock"]


def sign_in(desk: Desk, staff_no: str, password: str) -> Operator:
    """The operator who proved to be `staff_no`; see `proving.prove` for the failures."""
    return _enter(desk, staff_no.strip(), password, "sign-in")


def unlock(desk: Desk, staff_no: str, password: str) -> Operator:
    """The clerk at whose work the window was locked is here again, with the rights as they are by now."""
    return _enter(desk, staff_no, password, "unlock")


def change(desk: Desk, leaving: str, staff_no: str, password: str) -> Operator:
    """Another clerk takes over a locked window. The session of the one who left ends; the visit is kept."""
    staff_no = staff_no.strip()
    operator, how = proving.prove(desk, staff_no, password, _session(desk))
    if how == "offline":
        _end_session(desk)  # nobody acts under the name of somebody who has left
    now = desk.clock.now()

    def record(tx: Transaction) -> None:
        tx.audit.add(at=now, actor=leaving, act="sign-out", subject="changed")
        tx.audit.add(at=now, actor=staff_no, act="sign-in", subject=how)

    desk.store.write(record)
    return operator


def lock(desk: Desk, operator: str, *, idle: bool) -> None:
    """The window was locked, by its clerk or because nobody touched it; nothing else changes."""
    why = "idle" if idle else "asked"
    desk.store.write(lambda tx: tx.audit.add(at=desk.clock.now(), actor=operator, act="lock", subject=why))


def renew(desk: Desk, staff_no: str, password: str) -> Operator:
    """Open the office's session for a clerk who is at work already: signed in offline, or for too long.

    Only the office can. Failures: OFFICE-SIGN-IN, OFFICE-LOCKED, or SYNC-… when nothing answers.
    """
    operator = proving.remember(desk, desk.office.sign_in(staff_no, password).operator, password)
    now = desk.clock.now()
    desk.store.write(lambda tx: tx.audit.add(at=now, actor=staff_no, act="sign-in", subject="renewed"))
    return operator


def sign_out(desk: Desk, operator: str) -> None:
    """End the clerk's session; an unreachable office does not hold anybody back."""
    desk.store.write(lambda tx: tx.audit.add(at=desk.clock.now(), actor=operator, act="sign-out", subject=""))
    _end_session(desk)


def _enter(desk: Desk, staff_no: str, password: str, act: str) -> Operator:
    operator, how = proving.prove(desk, staff_no, password, _session(desk))
    now = desk.clock.now()
    desk.store.write(lambda tx: tx.audit.add(at=now, actor=staff_no, act=act, subject=how))
    return operator


def _session(desk: Desk) -> proving.Ask:
    """Asks the office and leaves its session open."""
    return lambda staff_no, password: desk.office.sign_in(staff_no, password).operator


def _end_session(desk: Desk) -> None:
    try:
        desk.office.sign_out()
    except Failure as failure:
        if failure.code not in UNREACHABLE:
            raise
