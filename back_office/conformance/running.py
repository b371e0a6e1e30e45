"""The promises in their order, and one run over them."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator

import msgspec
import requests

from back_office.conformance import ending, feeding, files, identity, numbers, pushing, queueing
from back_office.conformance.bench import Access, Bench
from back_office.conformance.promises import BrokenPromise, CannotTry, Outcome, Promise, Result
from clerk_app.failures import Failure

UNUSABLE = (
    requests.RequestException,
    msgspec.MsgspecError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
)
"""What an answer of another shape, or none at all, leads to."""

CHAPTERS = (identity, files, numbers, pushing, feeding, queueing, ending)


def promises() -> list[Promise]:
    """Every promise, in the order they are tried."""
    return [one for module in CHAPTERS for one in module.chapter.promises]


def run(access: Access, only: Collection[str] = (), *, any_hall: bool = False) -> Iterator[Result]:
    """Try the promises, or those named `only`; a broken one does not keep the next from being tried.

    Raises Failure("OFFICE-NOT-TRIED") when not even two windows can be enrolled and signed in, and in a hall
    that is not for practice unless `any_hall`.
    """
    try:
        bench = Bench.made(access, any_hall=any_hall)
    except (BrokenPromise, *UNUSABLE) as error:
        told = str(error) if isinstance(error, BrokenPromise) else type(error).__name__
        raise Failure("OFFICE-NOT-TRIED", told) from None
    try:
        for promise in promises():
            if not only or promise.name in only:
                yield tried(bench, promise)
    finally:
        bench.close()


def tried(bench: Bench, promise: Promise) -> Result:
    """Try one promise; what it leaves behind keeps no other from being tried."""
    began = time.monotonic()
    outcome: Outcome = "kept"
    detail = ""
    try:
        promise.check(bench)
    except CannotTry as missing:
        outcome, detail = "skipped", str(missing)
    except BrokenPromise as broken:
        outcome, detail = "broken", str(broken)
    except UNUSABLE as error:
        outcome, detail = "broken", f"an answer that cannot be used: {type(error).__name__}"
    return Result(promise.name, promise.sentence, outcome, detail, round(time.monotonic() - began, 2))
