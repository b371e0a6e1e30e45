"""Acts that take two: what a supervisor would approve at the office is approved at the window without it.

The second person proves to be somebody else with the right, by the office where it answers, else by the
grant and the verifier of a sign-in on this workstation. Source: OWASP ASVS 5.0.0, 2.3.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from clerk_app.desk import proving, rights
from clerk_app.desk.context import Desk
from clerk_app.desk.ports import Transaction
from clerk_app.domain.case import Case
from clerk_app.failures import Failure

_LASTS = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Approval:
    """The word of `by` that one act may be done to one case; good for five minutes."""

    by: str
    right: str
    case_id: str
    at: datetime


def approve(desk: Desk, operator: str, staff_no: str, password: str, right: str, case_id: str) -> Approval:
    """The approval of `staff_no` for an act of `operator`; the clerk's own session stays. Network lane.

    Failures: DESK-SECOND-SAME, DESK-SECOND-RIGHT, and those of `proving.prove`; five wrong passwords in a
    row lock that person, not the clerk.
    """
    staff_no = staff_no.strip()
    if staff_no == operator:
        raise Failure("DESK-SECOND-SAME")
    proving.prove(desk, staff_no, password, desk.office.prove)
    if not rights.has(desk, staff_no, right):
        raise Failure("DESK-SECOND-RIGHT")
    return Approval(staff_no, right, case_id, desk.clock.now())


def use(tx: Transaction, approval: Approval, right: str, case: Case, operator: str, now: datetime) -> None:
    """Write into the audit who approved the act of `operator`; part of the transaction of that act.

    Failure DESK-SECOND-PERSON when the approval is of the clerk himself, for something else, or too old.
    """
    fits = (approval.right, approval.case_id) == (right, case.id) and approval.by != operator
    if not fits or abs(now - approval.at) > _LASTS:
        raise Failure("DESK-SECOND-PERSON")
    rights.require(tx, approval.by, right)
    tx.audit.add(at=now, actor=operator, act="second-person", subject=case.number, detail=approval.by)
