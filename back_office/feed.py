"""The change feed: facts by scope, in commit order.

A scope's sequence is taken by `UPDATE … SET seq = seq + n RETURNING`: the row lock is held to the commit, so
the order of cursors is the order of commits. A database sequence would not be: a reader would pass a number
that commits later and lose its change for ever.
"""

from __future__ import annotations

import json
import secrets
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from back_office.pokes import ScopeKey
from back_office.problems import Refused
from back_office.tables import change, scope
from clerk_app.sync.protocol import Change, ChangesAnswer, DigestAnswer, SnapshotAnswer, scope_digest

KEEP = timedelta(days=90)
"""How long the log goes back; an older cursor takes the snapshot."""

MAX_PAGE = 1000

MAX_DIGESTS = 256

CATALOGUE: ScopeKey = ("", "catalogue")


@dataclass(frozen=True, slots=True)
class News:
    """One change on its way into a scope. With no `kind` the scope only moves: there is news elsewhere."""

    scope: ScopeKey
    kind: str = ""
    id: str = ""
    version: int = 0
    op: Literal["put", "del"] = "put"
    data: dict[str, Any] = field(default_factory=dict)


def open_scope(connection: sa.Connection, key: ScopeKey) -> None:
    """Create the scope when it is missing."""
    if connection.scalar(sa.select(scope.c.seq).where(_is(key))) is None:
        row = {"hall": key[0], "name": key[1], "generation": secrets.token_hex(8), "seq": 0, "floor": 0}
        connection.execute(sa.insert(scope), row)


def publish(connection: sa.Connection, now: datetime, news: Iterable[News]) -> dict[ScopeKey, int]:
    """Write `news`, scope rows last and sorted by name so that writers never wait in a ring.

    Returns where each scope is now.
    """
    by_scope: defaultdict[ScopeKey, list[News]] = defaultdict(list)
    for one in news:
        by_scope[one.scope].append(one)
    rows = []
    positions = {}
    for key in sorted(by_scope):
        told = by_scope[key]
        moved = sa.update(scope).where(_is(key)).values(seq=scope.c.seq + len(told)).returning(scope.c.seq)
        last = positions[key] = connection.execute(moved).scalar_one()
        rows += [
            {
                "hall": key[0],
                "scope": key[1],
                "seq": seq,
                "kind": one.kind,
                "id": one.id,
                "version": one.version,
                "op": one.op,
                "data": json.dumps(one.data, ensure_ascii=False),
                "at": now,
            }
            for seq, one in enumerate(told, last - len(told) + 1)
            if one.kind
        ]
    if rows:
        connection.execute(sa.insert(change), rows)
    return positions


def changes(
    connection: sa.Connection, key: ScopeKey, since: int, limit: int, generation: str | None = None
) -> ChangesAnswer:
    """A page of changes after `since`. Raises Refused 410 when the log cannot continue from there."""
    row = connection.execute(sa.select(scope).where(_is(key))).one()
    if since < row.floor or since > row.seq or generation not in (None, row.generation):
        raise Refused("OFFICE-RESYNC", f"log {row.floor}..{row.seq}, cursor {since}", status=410)
    query = _changes_of(key).where(change.c.seq > since).order_by(change.c.seq).limit(limit + 1)
    found = connection.execute(query).all()
    page, more = found[:limit], len(found) > limit
    return ChangesAnswer(
        scope=key[1],
        generation=row.generation,
        since=since,
        to=page[-1].seq if more else row.seq,
        more=more,
        changes=[_message(one) for one in page],
    )


def snapshot(connection: sa.Connection, key: ScopeKey) -> SnapshotAnswer:
    """The last word on everything in the scope that still exists."""
    row = connection.execute(sa.select(scope).where(_is(key))).one()
    query = _changes_of(key).where(change.c.seq.in_(_latest(key)), change.c.op == "put")
    found = connection.execute(query.order_by(change.c.seq)).all()
    digest = scope_digest((one.kind, one.id, one.version) for one in found)
    return SnapshotAnswer(key[1], row.generation, row.seq, [_message(one) for one in found], digest)


def digest(connection: sa.Connection, key: ScopeKey) -> DigestAnswer:
    """What a mirror of the scope must come to: the digest of the same facts `snapshot` would send."""
    row = connection.execute(sa.select(scope).where(_is(key))).one()
    digests = _digests.setdefault(connection.engine, {})
    known = digests.get(key)
    if known is None or (known.generation, known.seq) != (row.generation, row.seq):
        facts = sa.select(change.c.kind, change.c.id, change.c.version).where(
            change.c.hall == key[0],
            change.c.scope == key[1],
            change.c.op == "put",
            change.c.seq.in_(_latest(key)),
        )
        found = [tuple(one) for one in connection.execute(facts)]
        known = DigestAnswer(key[1], row.generation, row.seq, len(found), scope_digest(found))
        while len(digests) >= MAX_DIGESTS:
            digests.pop(next(iter(digests)), None)
        digests[key] = known
    return known


_digests: WeakKeyDictionary[sa.Engine, dict[ScopeKey, DigestAnswer]] = WeakKeyDictionary()
"""Of scopes that have not moved since: every window of a hall asks for the same one after a full sync.

By the database they are of: copies of one office bear the same generations and count alike.
"""


def moved(connection: sa.Connection, cursors: dict[ScopeKey, int]) -> set[ScopeKey]:
    """Which scopes are not where the given cursors are."""
    keys = sa.tuple_(scope.c.hall, scope.c.name).in_(list(cursors))
    rows = connection.execute(sa.select(scope.c.hall, scope.c.name, scope.c.seq).where(keys))
    return {(row.hall, row.name) for row in rows if row.seq != cursors[row.hall, row.name]}


def positions(connection: sa.Connection) -> dict[ScopeKey, int]:
    """Where every scope is: how the pokes notice what another process committed."""
    rows = connection.execute(sa.select(scope.c.hall, scope.c.name, scope.c.seq))
    return {(row.hall, row.name): row.seq for row in rows}


def steps(connection: sa.Connection) -> int:
    """The sum of all positions: it grows with every change, whichever scope it is in."""
    return int(connection.scalar(sa.select(sa.func.coalesce(sa.func.sum(scope.c.seq), 0))) or 0)


def trim(connection: sa.Connection, before: datetime) -> int:
    """Raise the floors over what was written before `before`; returns how many changes went.

    The last word on each thing stays, below the floor, for snapshots; so do no tombstones. A floor stops at
    the first change that is not old: where the clock was set back, later ones may be dated earlier.
    """
    gone = 0
    for key in sorted(positions(connection)):
        mine = sa.and_(change.c.hall == key[0], change.c.scope == key[1])
        young = sa.select(sa.func.min(change.c.seq) - 1).where(mine, change.c.at >= before)
        floor = connection.scalar(young)
        if floor is None:
            floor = connection.scalar(sa.select(sa.func.max(change.c.seq)).where(mine))
        if not floor:
            continue
        keep = sa.and_(change.c.seq.in_(_latest(key)), change.c.op == "put")
        spent = sa.delete(change).where(mine, change.c.seq <= floor, sa.not_(keep))
        gone += connection.execute(spent).rowcount
        raised = sa.update(scope).where(_is(key), scope.c.floor < floor).values(floor=floor)
        connection.execute(raised)
    return gone


def new_generations(connection: sa.Connection) -> None:
    """After a restore from backup: no cursor of before is valid, every window takes snapshots."""
    for key in positions(connection):
        fresh = sa.update(scope).where(_is(key)).values(generation=secrets.token_hex(8))
        connection.execute(fresh)


def standing(connection: sa.Connection, key: ScopeKey, kind: str) -> Sequence[Any]:
    """The (id, version) of everything of `kind` that the scope still holds."""
    query = sa.select(change.c.id, change.c.version).where(
        change.c.hall == key[0],
        change.c.scope == key[1],
        change.c.kind == kind,
        change.c.op == "put",
        change.c.seq.in_(_latest(key)),
    )
    return connection.execute(query).all()


def _is(key: ScopeKey) -> sa.ColumnElement[bool]:
    return sa.and_(scope.c.hall == key[0], scope.c.name == key[1])


def _changes_of(key: ScopeKey) -> sa.Select[Any]:
    return sa.select(change).where(change.c.hall == key[0], change.c.scope == key[1])


def _latest(key: ScopeKey) -> sa.Select[Any]:
    latest = sa.select(sa.func.max(change.c.seq)).where(change.c.hall == key[0], change.c.scope == key[1])
    return latest.group_by(change.c.kind, change.c.id)


def _message(row: Any) -> Change:
    return Change(row.seq, row.kind, row.id, row.version, row.op, json.loads(row.data))
