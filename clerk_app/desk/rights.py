"""What a clerk may do at this window, as the office granted it at the last sign-in here.

The office checks again whatever is sent; the window checks first, so that no slip leaves it for an act that
will be refused.
"""

from __future__ import annotations

from clerk_app.desk.context import Desk
from clerk_app.desk.ports import Transaction
from clerk_app.failures import Failure

ACCEPT = "accept"  # file cases: receive and accept
CALL = "call"  # call and serve tickets
ISSUE = "issue"  # issue tickets, and withdraw them again
VOID = "void"  # void a case before it is registered


def has(desk: Desk, operator: str, right: str) -> bool:
    """Whether `operator` signed in here with `right`."""
    return desk.store.read(lambda tx: _has(tx, operator, right))


def require(tx: Transaction, operator: str, right: str) -> None:
    """Failure DESK-RIGHT when `operator` does not have `right`. Part of the caller's transaction."""
    if not _has(tx, operator, right):
        raise Failure("DESK-RIGHT", right)


def _has(tx: Transaction, operator: str, right: str) -> bool:
    known = tx.operators.get(operator)
    return known is not None and right in known[0].rights
