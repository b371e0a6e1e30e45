"""Long work on the store in short transactions, so that a search or an accept never waits behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from clerk_app.desk.ports import Store, Transaction

T = TypeVar("T")

SLICE_SECONDS = 0.012
"""Work of one transaction; with its commit it stays within 20 ms (architecture, rule 7)."""
CHUNK = 10


def write_in_slices(
    store: Store,
    items: Sequence[T],
    work: Callable[[Transaction, Sequence[T]], None],
    *,
    monotonic: Callable[[], float],
    beat: Callable[[], None],
    chunk: int = CHUNK,
) -> None:
    """Give `items` to `work` in order, `chunk` at a time, in as many transactions as needed.

    Each transaction leaves the store consistent on its own: `work` also writes what says how far it came.
    `beat` is called before each.
    """
    done = 0
    while done < len(items):

        def one_slice(tx: Transaction, start: int = done) -> int:
            until = monotonic() + SLICE_SECONDS
            at = start
            while at < len(items) and (at == start or monotonic() < until):
                some = items[at : at + chunk]
                work(tx, some)
                at += len(some)
            return at

        beat()
        done = store.write(one_slice)
