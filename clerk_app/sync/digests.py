"""Whether a mirror is what the office has: one sum over everything that still exists (see `scope_digest`).

Pages and cursors make it so; the sum finds what they cannot, a bug or a disk that changed a row.
"""

from __future__ import annotations

from collections.abc import Iterable

from clerk_app.desk.ports import Transaction
from clerk_app.domain.lost_cards import SALT_KEY
from clerk_app.sync.facts import SALT_FACT_KEY
from clerk_app.sync.protocol import LOST_CARDS, scope_digest


def of_mirror(tx: Transaction, scope: str) -> str | None:
    """The digest of the mirror of `scope` here; None for a scope that is not mirrored one to one."""
    if scope.startswith("queue:"):
        return scope_digest(_all("ticket", tx.tickets.versions()))
    if scope == LOST_CARDS:
        return scope_digest([*_all("lost_card", tx.lost_cards.versions()), *_salt(tx)])
    return None


def _all(kind: str, versions: Iterable[tuple[str, int]]) -> list[tuple[str, str, int]]:
    return [(kind, id_, version) for id_, version in versions]


def _salt(tx: Transaction) -> list[tuple[str, str, int]]:
    if tx.meta.get(SALT_KEY) is None:
        return []
    version, _, id_ = (tx.meta.get(SALT_FACT_KEY) or "1 salt").partition(" ")
    return [("lost_card_salt", id_, int(version))]
