"""Rules of the product, each removed for a run: a simulation that does not notice it proves nothing.

A rule is removed by another function in its place, or by showing the use cases other repositories.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
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
from clerk_app.sync import facts, push, settling, transport
from clerk_app.sync.exchange import Exchange
from clerk_app.sync.pull import Pull
from clerk_app.sync.push import Push
from tests.simulation.office import _application
from tests.simulation.world import replaced

Places = tuple[tuple[Any, str, Any], ...]


@dataclass(frozen=True)
class Rule:
    """What the removed rule puts in the place of the product's; `through` sees the windows' transactions."""

    places: Places = ()
    through: Callable[[Any, Any], Any] | None = None
    fence: bool = True


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


RULES: dict[str, Rule] = {
    "outbox in the transaction": Rule(through=_outbox_outside),
    "number in the store": Rule(through=_number_in_memory),
    "paper after the commit": Rule(through=_print_first),
    "cursor with its data": Rule(((Pull, "_apply_page", _cursor_first),)),
    "results of my commands": Rule(((Push, "_settle", _any_results),)),
    "rewind": Rule(((transport, "_problem", _no_rewind),)),
    "block request on disk": Rule(((window_blocks, "_request", _fresh_request),)),
    "lost cases sent again": Rule(((Pull, "_send_lost_again", _nothing),)),
    "taken back is a task": Rule(((settling, "_taken_back", _nothing),)),
    "owed answers believed": Rule(((settling, "settle_owed", _false),)),
    "proofs shown": Rule(((push, "proofs", lambda *_: []),)),
    "mirrors compared": Rule(((Exchange, "_compare", lambda *_: frozenset()),)),
    "doubt after a kill": Rule(((printing, "_doubt", _requeue),)),
    "one authority calls": Rule(((calling, "call_next", _call_without_authority),)),
    "no call of yesterday": Rule(((calling, "due_dates", Shown(due_dates, day_of=lambda _at: None)),)),
    "unsent is never purged": Rule(((retention, "_over", _over),)),
    "dedup by id": Rule(((commands, "_earlier_commands", _empty),)),
    "no gap": Rule(((commands, "_placed", _any_place),)),
    "epoch fence": Rule(((commands, "push", _push_of_any_epoch),), fence=False),
    "request ids": Rule(((queues, "answered", _nothing), (queues, "remember", _remember_anew))),
    "lease check": Rule(((blocks, "declared_void", _false),)),
    "grant check": Rule(((accounts.Grants, "check", lambda *_: []),)),
    "held order": Rule(((held, "behind", lambda *_: _NeverHeld()),)),
    "floor of the log": Rule(((feed, "trim", _trim_without_floor),)),
    "new generations": Rule(((feed, "new_generations", _nothing),)),
    "skip ahead": Rule(((restoring, "restored", _new_generations_only),)),
    "waiting put aside": Rule(((restoring, "_put_waiting_aside", _nothing),)),
}


@contextmanager
def removed(name: str) -> Iterator[Rule]:
    """The product without the rule `name`; with "" the whole product."""
    rule = RULES[name] if name else Rule()
    overrides = _application().dependency_overrides
    with ExitStack() as stack:
        stack.enter_context(replaced(*rule.places))
        if not rule.fence:
            overrides[access.the_device] = _unfenced
            stack.callback(overrides.clear)
        yield rule
