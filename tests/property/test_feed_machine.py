"""The feed against followers: the product's own window on a queue, and plain dictionaries on every scope.

Whatever is published together, trimmed, restored or asked for in pages of one: a follower that is let come
to the end holds what the scope's last words come to, its digest is the office's, and no cursor is ever ahead
of the log.
"""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from itertools import count, pairwise
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from memory_office import HALL, HandClock, Line, LostLine, MemoryOffice
from memory_window import a_device, new_cache

from back_office import feed
from back_office.access import Device
from back_office.feed import News
from back_office.problems import Refused
from clerk_app.store.cache import SqlStore
from clerk_app.sync import digests
from clerk_app.sync.protocol import Change, ChangesAnswer, scope_digest
from clerk_app.sync.pull import Pull

QUEUES = ("queue:A", "queue:B")
Facts = dict[tuple[str, str], tuple[int, dict[str, Any]]]
"""What a scope holds: (kind, id) -> (version, data)."""


def _ticket(id_: str, version: int) -> dict[str, Any]:
    data = {"id": id_, "number": id_.upper(), "series": "A", "state": "waiting", "version": version}
    return data | {"issued_at": "2026-11-20T09:00:00+08:00"}


def _apply(facts: Facts, change: Change | News) -> None:
    if change.op == "put":
        facts[change.kind, change.id] = (change.version, change.data)
    else:
        facts.pop((change.kind, change.id), None)


def _digest(facts: Facts) -> str:
    return scope_digest((kind, id_, version) for (kind, id_), (version, _) in facts.items())


class Follower:
    """Follows one scope as the protocol says, page by page."""

    def __init__(self, scope: str) -> None:
        self.scope = scope
        self.cursor: tuple[str, int] | None = None
        self.facts: Facts = {}

    def step(self, office: MemoryOffice, limit: int) -> bool:
        """One page or one snapshot; whether there is more."""
        key = (HALL, self.scope)
        if self.cursor is None:
            whole = office.read(lambda connection: feed.snapshot(connection, key))
            self.cursor = (whole.generation, whole.seq)
            self.facts = {}
            for change in whole.changes:
                assert change.op == "put"
                assert (change.kind, change.id) not in self.facts
                _apply(self.facts, change)
            assert whole.digest == _digest(self.facts)
            return True
        generation, since = self.cursor
        try:
            page = office.read(lambda connection: feed.changes(connection, key, since, limit, generation))
        except Refused as refused:
            assert (refused.status, refused.code) == (410, "OFFICE-RESYNC")
            self.cursor = None
            return True
        self._take(page, limit)
        return page.more

    def _take(self, page: ChangesAnswer, limit: int) -> None:
        assert self.cursor == (page.generation, page.since)
        assert len(page.changes) <= limit
        seqs = [page.since, *(change.seq for change in page.changes)]
        assert all(before < after for before, after in pairwise(seqs))
        assert page.to == seqs[-1] if page.more else page.to >= seqs[-1]
        assert not page.more or page.changes
        for change in page.changes:
            _apply(self.facts, change)
        self.cursor = (page.generation, page.to)


class FeedMachine(RuleBasedStateMachine):
    @initialize()
    def open(self) -> None:
        self.clock = HandClock()
        self.office = MemoryOffice(self.clock)
        for name in QUEUES:
            self.office.write(lambda tx, name=name: feed.open_scope(tx.connection, (HALL, name)))
        self.truth: dict[str, Facts] = {name: {} for name in QUEUES}
        self.versions = count(1)
        self.followers = [Follower(name) for name in QUEUES for _ in range(2)]
        self.store: SqlStore = new_cache(a_device())
        self.line = Line(self.office, Device("dev-1", HALL, 1, "1", "A"))
        self.pull = Pull(self.store, self.clock, lambda items: None)
        self.copies: list[tuple[Any, dict[str, Facts]]] = []

    def teardown(self) -> None:
        if not hasattr(self, "store"):
            return
        try:
            for follower in self.followers:
                self.catch_up(follower, 2)
            self.window_follows(0, 1)
        finally:
            self.store.close()
            self.office.close()

    # --- the office ---------------------------------------------------------------------------------

    @rule(
        news=st.lists(
            st.tuples(st.sampled_from(QUEUES), st.integers(0, 5), st.sampled_from(("put", "put", "del", "")))
        ),
        lost=st.sampled_from(("", "", "before", "after")),
    )
    def publish(self, news: list[tuple[str, int, str]], lost: str) -> None:
        """One transaction over both scopes, its transaction lost or its answer."""
        told = [self._news(*one) for one in news]

        def work(tx: Any) -> None:
            for one in told:
                tx.tell(one)

        try:
            self.office.write(work, lost)
        except LostLine:
            if lost == "before":
                return
        for one in told:
            if one.kind:
                _apply(self.truth[one.scope[1]], one)

    def _news(self, scope: str, which: int, op: str) -> News:
        if not op:
            return News((HALL, scope))
        id_, version = f"{scope[-1].lower()}{which:03}", next(self.versions)
        data = _ticket(id_, version) if op == "put" else {}
        return News((HALL, scope), "ticket", id_, version, op, data)  # type: ignore[arg-type]

    @rule(days=st.integers(0, 40))
    def time_passes(self, days: int) -> None:
        self.clock.pass_(days=days)

    @rule(days=st.integers(0, 60))
    def trim(self, days: int) -> None:
        before = self.clock() - timedelta(days=days)
        snapshots = [self.office.read(lambda c, n=name: feed.snapshot(c, (HALL, n))) for name in QUEUES]
        self.office.write(lambda tx: feed.trim(tx.connection, before))
        for name, old in zip(QUEUES, snapshots, strict=True):
            assert self.office.read(lambda c, n=name: feed.snapshot(c, (HALL, n))) == old
        young = self.office.rows("SELECT count(*) FROM change")
        assert self.office.write(lambda tx: feed.trim(tx.connection, before)) == 0
        assert self.office.rows("SELECT count(*) FROM change") == young

    @rule()
    def back_up(self) -> None:
        self.copies = [(self.office.backup(), deepcopy(self.truth))]

    @precondition(lambda self: self.copies)
    @rule()
    def restore(self) -> None:
        copy, truth = self.copies[0]
        self.office.restore(copy)
        self.truth = deepcopy(truth)

    # --- who follows --------------------------------------------------------------------------------

    @rule(which=st.integers(0, 3), limit=st.integers(1, 4))
    def one_page(self, which: int, limit: int) -> None:
        self.followers[which].step(self.office, limit)

    @rule(which=st.integers(0, 3), limit=st.integers(1, 4))
    def to_the_end(self, which: int, limit: int) -> None:
        self.catch_up(self.followers[which], limit)

    def catch_up(self, follower: Follower, limit: int) -> None:
        while follower.step(self.office, limit):
            pass
        assert follower.facts == self.truth[follower.scope]
        told = self.office.read(lambda connection: feed.digest(connection, (HALL, follower.scope)))
        assert (told.generation, told.seq) == follower.cursor
        assert (told.count, told.digest) == (len(follower.facts), _digest(follower.facts))

    @rule(cut=st.integers(0, 4), page=st.integers(1, 4))
    def window_follows(self, cut: int, page: int) -> None:
        """The product's window, to the end or to its death at the `cut`-th beat, half a snapshot written."""
        self.line.page = page
        beats = count(1)

        def beat() -> None:
            if next(beats) == cut:
                raise LostLine

        try:
            self.pull.scope(self.line, "queue:A", beat)
        except LostLine:
            assert cut
        else:
            self.store_agrees()

    def store_agrees(self) -> None:
        mine = self.store.read(lambda tx: (tx.feed.cursor("queue:A"), digests.of_mirror(tx, "queue:A")))
        told = self.office.read(lambda connection: feed.digest(connection, (HALL, "queue:A")))
        assert mine == ((told.generation, told.seq), told.digest)

    # --- what always holds --------------------------------------------------------------------------

    @invariant()
    def no_cursor_is_ahead(self) -> None:
        if not hasattr(self, "pull"):
            return
        log = {row.name: row for row in self.office.rows(f"SELECT * FROM scope WHERE hall = '{HALL}'")}
        mine = self.store.read(lambda tx: tx.feed.cursor("queue:A"))
        cursors = [(one.scope, one.cursor) for one in self.followers] + [("queue:A", mine)]
        for name, cursor in cursors:
            assert log[name].floor <= log[name].seq
            if cursor is not None and cursor[0] == log[name].generation:
                assert cursor[1] <= log[name].seq

    @invariant()
    def who_is_behind_is_poked(self) -> None:
        if not hasattr(self, "pull"):
            return
        seqs = {row.name: row.seq for row in self.office.rows(f"SELECT * FROM scope WHERE hall = '{HALL}'")}
        for behind in (0, 1):
            cursors = {(HALL, name): seqs[name] - behind for name in QUEUES}
            found = self.office.read(lambda connection, asked=cursors: feed.moved(connection, asked))
            assert found == (set(cursors) if behind else set())


TestFeed = FeedMachine.TestCase
