"""Rules of the product, each removed for a run: a simulation that does not notice it proves nothing.

A rule is removed by another function in its place, or by showing the use cases other repositories.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import sqlalchemy as sa

from back_office import access, accounts, blocks, commands, feed, held, queues, restoring
from back_office.access import OfficeHere, digest
from back_office.office import Transaction
from back_office.problems import Refused
from back_office.tables import device, device_token, request
from back_office.tables import scope as scopes
from clerk_app.desk import calling, due_dates, printing
from clerk_app.desk.ports import PrintState
from clerk_app.domain.documents import ReceiptSlip
from clerk_app.failures import Failure
from clerk_app.store import retention
from clerk_app.sync import blocks as window_blocks
from clerk_app.sync import facts, pull, push, settling, transport
from clerk_app.sync.exchange import Exchange
from clerk_app.sync.pull import Pull
from clerk_app.sync.push import Push
from tests.simulation.office import _application
from tests.simulation.world import replaced

Places = tuple[tuple[Any, str, Any], ...]


@dataclass(frozen=True)
class Rule:
    """What the removed rule puts in the place of the product's; `through` sees the windows' transactions.

    `weather` and `moves` make what the rule is for happen often: odds, and weights of moves by name.
    """

    places: Places = ()
    through: Callable[[Any, Any], Any] | None = None
    fence: bool = True
    weather: dict[str, float] = field(default_factory=dict)
    moves: dict[str, float] = field(default_factory=dict)


class Shown:
    """A transaction with some of its repositories replaced."""

    def __init__(self, tx: Any, **others: Any) -> None:
        self.__dict__.update(others, _tx=tx)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tx, name)


def _nothing(*_args: Any, **_kwargs: Any) -> None:
    """The rule is gone."""


def _false(*_args: Any, **_kwargs: Any) -> bool:
    return False


def _empty(*_args: Any, **_kwargs: Any) -> Any:
    return {}


# --- the window's transactions -----------------------------------------------------------------------------


def _outbox_outside(store: Any, work: Any) -> Any:
    """The command is written in a transaction of its own, after the case."""
    later: list[tuple[Any, Any]] = []

    def shown(tx: Any) -> Any:
        later.clear()
        outbox = Shown(tx.outbox, add=lambda *args, **kwargs: later.append((args, kwargs)))
        return work(Shown(tx, outbox=outbox))

    result = store.commit(shown)
    if later:
        store.commit(lambda tx: [tx.outbox.add(*args, **kwargs) for args, kwargs in later])
    return result


def _number_in_memory(store: Any, work: Any) -> Any:
    """The next serial is known to the running program alone."""

    def take(tx: Any) -> int:
        for block in tx.numbers.blocks():
            following = store.memory.get(block.id, block.next)
            if following <= block.high:
                store.memory[block.id] = following + 1
                return int(following)
        raise Failure("STORE-NO-NUMBERS")

    return store.commit(lambda tx: work(Shown(tx, numbers=Shown(tx.numbers, take=lambda: take(tx)))))


def _print_first(store: Any, work: Any) -> Any:
    """The slip comes out while its transaction is still open."""

    def add(tx: Any, slip: Any, **kwargs: Any) -> Any:
        if isinstance(slip, ReceiptSlip):
            store.owner.papers(store.owner, slip, kwargs.get("reprint", 0))
            job = tx.print_jobs.add(slip, **kwargs)
            tx.print_jobs.mark(job.id, PrintState.PRINTED)
            return job
        return tx.print_jobs.add(slip, **kwargs)

    return store.commit(lambda tx: work(Shown(tx, print_jobs=Shown(tx.print_jobs, add=partial(add, tx)))))


def _cursor_first(self: Pull, page: Any, beat: Any) -> set[str]:
    self._store.write(lambda tx: tx.feed.advance(page.scope, page.generation, page.to))
    steps = self._decode(page.scope, page.changes, moved=page.to > page.since)
    told = [step.fact for step in steps if step.fact is not None]
    self._store.write(lambda tx: facts.apply(tx, told, self._clock.now))
    return set()


# --- the window's sync -------------------------------------------------------------------------------------


def _any_results(self: Push, load: Any, answer: Any) -> None:
    now = self._clock.now()

    def write(tx: Any) -> None:
        settling.settle(tx, zip(load.commands, answer.results, strict=False), now)
        self._audit.answered(tx, load.links, answer)

    self._store.write(write)


def _no_rewind(response: Any, content: bytes) -> Any:
    problem = _real_problem(response, content)
    return None if problem is not None and problem.expected_seq is not None else problem


_real_problem = transport._problem


def _fresh_request(tx: Any, wanted: Any) -> Any:
    asked = int(tx.meta.get("block_asked") or 0) + 1
    tx.meta.set("block_asked", str(asked))
    return asked, wanted


# --- the desk ----------------------------------------------------------------------------------------------


def _requeue(tx: Any) -> int:
    for job in printing._cut(tx):
        tx.print_jobs.mark(job.id, PrintState.QUEUED)
    return 0


def _call_without_authority(desk: Any, operator: str) -> Any:
    """A window that reaches nobody calls the next of its own list."""
    try:
        return _real_call(desk, operator)
    except Failure as failure:
        waiting = desk.store.read(lambda tx: tx.tickets.waiting(1))
        if failure.code == "SYNC-OFFLINE" and waiting:
            desk.voice.call(waiting[0].number, desk.device.window)
        raise


_real_call = calling.call_next


def _over(limit: Any, _today: Any) -> Any:
    """Age alone takes a case."""
    return retention.before(retention.cases.c.received_at, limit)


# --- the office --------------------------------------------------------------------------------------------


def _unfenced(
    office: OfficeHere, token: access.Annotated[Any, access.Depends(access._bearer)]
) -> access.Device:
    """`the_device`, whatever the epoch of the token."""
    query = sa.select(device).join(device_token, device_token.c.device == device.c.id)
    query = query.where(device_token.c.hash == digest(token.credentials if token else ""))
    row = office.read(lambda connection: connection.execute(query).one_or_none())
    if row is None:
        raise Refused("OFFICE-DEVICE", status=401)
    return access.Device(row.id, row.hall, row.epoch, row.window, row.queue)


def _push_of_any_epoch(tx: Transaction, sender: Any, envelope: Any) -> Any:
    from dataclasses import replace

    return _real_push(tx, sender, replace(envelope, epoch=sender.epoch))


_real_push = commands.push


def _any_place(_tx: Transaction, _sender: Any, envelope: Any, last_seq: int) -> int:
    return max(last_seq, int(envelope.base_seq) - 1)


def _remember_anew(tx: Transaction, at: Any, request_id: str, asked: list[str], answer: str) -> str:
    mine = sa.and_(request.c.device == at.id, request.c.id == request_id)
    tx.connection.execute(sa.delete(request).where(mine))
    return str(_real_remember(tx, at, request_id, asked, answer))


_real_remember = queues.remember


class _NeverHeld(set[str]):
    """Nothing waits behind anything."""

    def add(self, element: str) -> None:
        pass

    def update(self, *others: Any) -> None:
        pass


def _trim_without_floor(connection: Any, before: Any) -> int:
    gone = _real_trim(connection, before)
    connection.execute(sa.update(scopes).values(floor=0))
    return int(gone)


_real_trim = feed.trim


def _new_generations_only(tx: Transaction, cause: str = "") -> None:
    feed.new_generations(tx.connection)


_CRASHES = {"crash": 0.05}
_DISK = {"disk": 0.08}
_RESTORED = {"backup": 4, "restore": 3}
_LOST = {"answer_lost": 0.2}

RULES: dict[str, Rule] = {
    "outbox in the transaction": Rule(through=_outbox_outside, weather=_CRASHES),
    "number in the store": Rule(through=_number_in_memory, weather=_CRASHES),
    "paper after the commit": Rule(through=_print_first, weather=_DISK),
    "cursor with its data": Rule(((Pull, "_apply_page", _cursor_first),), weather=_CRASHES),
    "results of my commands": Rule(((Push, "_settle", _any_results),), weather={"stale": 0.2}),
    "rewind": Rule(((transport, "_problem", _no_rewind),), moves=_RESTORED),
    "rewind remembered": Rule(
        ((Push, "_rewound", _nothing),), weather={"answer_lost": 0.35}, moves=_RESTORED | {"poison": 6}
    ),
    "block request on disk": Rule(((window_blocks, "_request", _fresh_request),), weather=_LOST),
    "lost cases sent again": Rule(
        ((pull, "_lost_again", lambda *_args, **_kwargs: 0),), moves=_RESTORED | {"enrol_again": 4}
    ),
    "owed answers believed": Rule(((settling, "settle_owed", _false),), moves={"poison": 6}),
    "proofs shown": Rule(((push, "proofs", lambda *_: []),), moves=_RESTORED),
    "mirrors compared": Rule(
        ((Exchange, "_compare", lambda *_: frozenset()),), moves={"corrupt": 6, "lost_card": 6}
    ),
    "doubt after a kill": Rule(((printing, "_doubt", _requeue),), weather=_CRASHES),
    "one authority calls": Rule(((calling, "call_next", _call_without_authority),), moves={"tickets": 12}),
    "no call of yesterday": Rule(
        (
            (calling, "due_dates", Shown(due_dates, day_of=lambda _at: None)),
            (queues, "_forget_yesterday", _nothing),
        ),
        weather=_LOST,
        moves={"time": 14, "tickets": 12},
    ),
    "unsent is never purged": Rule(((retention, "_over", _over),), moves={"purge": 6, "time": 12}),
    "dedup by id": Rule(((commands, "_earlier_commands", _empty),), weather=_LOST, moves={"enrol_again": 6}),
    "no gap": Rule(((commands, "_placed", _any_place),), moves=_RESTORED),
    "epoch fence": Rule(
        ((commands, "push", _push_of_any_epoch),), fence=False, moves={"clone": 5, "enrol_again": 5}
    ),
    "request ids": Rule(
        ((queues, "answered", _nothing), (queues, "remember", _remember_anew)), weather=_LOST
    ),
    "lease check": Rule(((blocks, "declared_void", _false),), moves={"hostile": 9}),
    "grant check": Rule(((accounts.Grants, "check", lambda *_: []),), moves={"hostile": 9}),
    "held order": Rule(((held, "behind", lambda *_: _NeverHeld()),), moves={"poison": 6, "void": 9}),
    "floor of the log": Rule(((feed, "trim", _trim_without_floor),), moves={"trim": 9, "tickets": 12}),
    "new generations": Rule(((feed, "new_generations", _nothing),), moves=_RESTORED),
    "skip ahead": Rule(((restoring, "restored", _new_generations_only),), moves=_RESTORED),
    "waiting put aside": Rule(
        ((restoring, "_put_waiting_aside", _nothing),), moves=_RESTORED | {"tickets": 12}
    ),
}


@contextmanager
def removed(name: str, *, present: bool = False) -> Iterator[Rule]:
    """The product without the rule `name`; with "" or `present` the whole product, in the rule's weather."""
    rule = RULES[name] if name else Rule()
    if present:
        rule = Rule(weather=rule.weather, moves=rule.moves)
    overrides = _application().dependency_overrides
    with ExitStack() as stack:
        stack.enter_context(replaced(*rule.places))
        if not rule.fence:
            overrides[access.the_device] = _unfenced
            stack.callback(overrides.clear)
        yield rule
