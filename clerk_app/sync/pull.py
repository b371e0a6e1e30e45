"""Facts come down, scope by scope and page by page.

A page is applied only onto the cursor it continues, together with its own cursor; anything else (another
generation, a hole, a log trimmed below the cursor) means the whole scope again. The outbox is not touched,
but for one thing: a whole device scope tells which cases the office has, and those it has lost go up again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from clerk_app.desk.ports import Clock, Store, Transaction
from clerk_app.failures import Failure
from clerk_app.sync import digests, facts
from clerk_app.sync.alarms import alarm
from clerk_app.sync.client import PAGE, OfficeClient
from clerk_app.sync.messages import Fact, fact
from clerk_app.sync.pace import Pace
from clerk_app.sync.protocol import LOST_CARDS, Change, ChangesAnswer, ItemMessage, SnapshotAnswer
from clerk_app.sync.slices import write_in_slices
from clerk_app.sync.transport import OfficeFailure


@dataclass(frozen=True, slots=True)
class _Step:
    """One change, decoded; `fact` is None for a kind this window does not need."""

    seq: int
    fact: Fact | None


class Pull:
    """Brings one scope up to date.

    `on_items` gets changed items before their cursor is written; none when the catalogue's scope moved for
    another reason: there is a new file.
    """

    def __init__(self, store: Store, clock: Clock, on_items: Callable[[Sequence[ItemMessage]], None]) -> None:
        self._store = store
        self._clock = clock
        self._on_items = on_items
        self._pace = Pace(PAGE)
        self.snapshots: set[str] = set()
        """Scopes taken as a whole since somebody emptied this."""

    def scope(self, client: OfficeClient, scope: str, beat: Callable[[], None]) -> frozenset[str]:
        """Pull until there is no more; the topics that changed.

        Failures: SYNC-BAD-FACT, and those of `transport`.
        """
        topics: set[str] = set()
        while True:
            beat()
            cursor = self._store.read(lambda tx: tx.feed.cursor(scope))
            if cursor is None:
                return frozenset(topics | self._snapshot(client, scope, beat))
            try:
                page = self._page(client, scope, cursor)
            except OfficeFailure as failure:
                if failure.code != "SYNC-RESYNC":
                    raise
                return frozenset(topics | self._snapshot(client, scope, beat))
            if not _continues(page, scope, cursor):
                return frozenset(topics | self._snapshot(client, scope, beat))
            topics |= self._apply_page(page, beat)
            if not page.more:
                return frozenset(topics)

    def _page(self, client: OfficeClient, scope: str, cursor: tuple[str, int]) -> ChangesAnswer:
        begun = self._clock.monotonic()
        try:
            page = client.changes(scope, *cursor, self._pace.limit)
        except OfficeFailure as failure:
            if failure.code in ("SYNC-SLOW", "SYNC-OFFLINE"):
                self._pace.failed()
            raise
        self._pace.took(self._clock.monotonic() - begun)
        return page

    def anew(self, client: OfficeClient, scope: str, beat: Callable[[], None]) -> frozenset[str]:
        """The scope as a whole, whatever the cursor says: its mirror was found to be wrong."""
        beat()
        return frozenset(self._snapshot(client, scope, beat))

    def _apply_page(self, page: ChangesAnswer, beat: Callable[[], None]) -> set[str]:
        steps = self._decode(page.scope, page.changes, moved=page.to > page.since)
        if page.to > (steps[-1].seq if steps else page.since):
            steps.append(_Step(page.to, None))
        at = page.since

        def work(tx: Transaction, chunk: Sequence[_Step]) -> None:
            nonlocal at
            if tx.feed.cursor(page.scope) != (page.generation, at):
                raise Failure("SYNC-OVERTAKEN", page.scope)
            facts.apply(tx, _facts(chunk), self._clock.now)
            at = chunk[-1].seq
            tx.feed.advance(page.scope, page.generation, at)

        self._in_slices(steps, work, beat)
        return _topics(page.scope, steps)

    def _snapshot(self, client: OfficeClient, scope: str, beat: Callable[[], None]) -> set[str]:
        """The scope as a whole. Its cursor is written last: a kill in between asks for it again."""
        before = self._store.read(lambda tx: tx.feed.cursor(scope))
        snapshot: SnapshotAnswer = client.snapshot(scope)
        if snapshot.scope != scope:
            raise Failure("SYNC-NOT-OFFICE", f"snapshot of another scope than {scope}")
        steps = self._decode(scope, snapshot.changes, moved=True)

        def begin(tx: Transaction) -> None:
            tx.feed.reset(scope)
            if scope.startswith("queue:"):
                tx.tickets.clear()
            elif scope == LOST_CARDS:
                tx.lost_cards.clear()

        beat()
        self._store.write(begin)
        self._in_slices(steps, lambda tx, chunk: facts.apply(tx, _facts(chunk), self._clock.now), beat)
        forgetful = before is None or before[0] != snapshot.generation

        def end(tx: Transaction) -> int:
            tx.feed.advance(scope, snapshot.generation, snapshot.seq)
            if not scope.startswith("device:"):
                return 0
            there = {change.id for change in snapshot.changes if change.kind == "case"}
            return _lost_again(tx, there, forgetful=forgetful)

        again = self._store.write(end)
        self.snapshots.add(scope)
        if snapshot.digest and self._digest(scope) not in (None, snapshot.digest):
            alarm(self._store, self._clock, "SYNC-MISMATCH", f"snapshot of {scope}")
        if again:
            alarm(self._store, self._clock, "SYNC-RESTORED", f"{again} commands go up again")
        return _topics(scope, steps) | ({"tickets"} if scope.startswith("queue:") else set())

    def _digest(self, scope: str) -> str | None:
        return self._store.read(lambda tx: digests.of_mirror(tx, scope))

    def _decode(self, scope: str, changes: Sequence[Change], *, moved: bool) -> list[_Step]:
        """Everything readable, or a failure, before anything is written; items go to the catalogue here."""
        steps = [_Step(change.seq, fact(change)) for change in changes]
        items = [step.fact for step in steps if isinstance(step.fact, ItemMessage)]
        if items or (scope == "catalogue" and moved):
            self._on_items(items)
        return steps

    def _in_slices(
        self,
        steps: Sequence[_Step],
        work: Callable[[Transaction, Sequence[_Step]], None],
        beat: Callable[[], None],
    ) -> None:
        write_in_slices(self._store, steps, work, monotonic=self._clock.monotonic, beat=beat)


def _lost_again(tx: Transaction, there: set[str], *, forgetful: bool) -> int:
    """What a restored office has lost of the cases it once registered goes up as new commands; how many.

    With the cursor, in one transaction: a kill in between would leave it lost. A `forgetful` office, one with
    another log, may have a case and not what was done to it later. Every page is asked for again: the office
    tells at once of those it has, and only the others go up.
    """
    tx.attachments.ask_again()
    registered = tx.cases.registered()
    lost = [case_id for case_id in registered if case_id not in there]
    kept = registered if forgetful else ()
    return tx.outbox.again(lost, kept) if lost or kept else 0


def _continues(page: ChangesAnswer, scope: str, cursor: tuple[str, int]) -> bool:
    seqs = [page.since, *(change.seq for change in page.changes)]
    rising = all(before < after for before, after in pairwise(seqs))
    return page.scope == scope and (page.generation, page.since) == cursor and rising and seqs[-1] <= page.to


def _facts(steps: Sequence[_Step]) -> list[Fact]:
    return [step.fact for step in steps if step.fact is not None]


def _topics(scope: str, steps: Sequence[_Step]) -> set[str]:
    """What the window has to refresh; the catalogue's scope moves without a fact for a new file."""
    topics = {topic for known in _facts(steps) for topic in facts.topics(known)}
    return topics | {"catalogue"} if scope == "catalogue" and steps else topics
