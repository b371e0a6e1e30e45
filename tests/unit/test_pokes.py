"""Pokes and who waits for them: nothing is missed between a look and the parking, nobody wakes late."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from back_office.pokes import Pokes, ScopeKey

QUEUE, CATALOGUE = ("MY01", "queue:A"), ("", "catalogue")


def told(act: Callable[[Pokes], Awaitable[object]]) -> object:
    async def run() -> object:
        pokes = Pokes()
        pokes.open()
        return await act(pokes)

    return asyncio.run(run())


async def wait(pokes: Pokes, cursors: dict[ScopeKey, int], seconds: float = 5.0) -> set[ScopeKey]:
    with pokes.parked(cursors) as parked:
        return await parked.wait(seconds)


def test_what_is_sent_behind_a_cursor_wakes_and_what_is_not_does_not():
    async def act(pokes):
        waiting = [asyncio.ensure_future(wait(pokes, {QUEUE: seq, CATALOGUE: 1}, 0.2)) for seq in (7, 8, 9)]
        await asyncio.sleep(0)
        pokes.send({QUEUE: 8})
        return await asyncio.gather(*waiting)

    assert told(act) == [{QUEUE}, set(), set()]


def test_a_commit_between_the_look_and_the_parking_wakes_at_once():
    async def act(pokes):
        assert not pokes.reached({QUEUE: 7}), "nothing was sent: only the database knows"
        pokes.send({QUEUE: 7})
        await asyncio.sleep(0)
        assert pokes.reached({QUEUE: 7})
        assert not pokes.reached({QUEUE: 7, CATALOGUE: 1})
        pokes.send({QUEUE: 8})  # committed after the look, heard before the parking
        await asyncio.sleep(0)
        assert not pokes.reached({QUEUE: 7})
        assert not pokes.reached({QUEUE: 9}), "ahead of what was heard: the office may have been restored"
        return await wait(pokes, {QUEUE: 7})

    assert told(act) == {QUEUE}


def test_a_poke_that_overtook_another_takes_nothing_back():
    async def act(pokes):
        pokes.send({QUEUE: 9})
        pokes.send({QUEUE: 8})
        await asyncio.sleep(0)
        assert pokes.reached({QUEUE: 9})
        return await wait(pokes, {QUEUE: 8})

    assert told(act) == {QUEUE}


def test_an_office_that_closes_lets_everybody_go():
    async def act(pokes):
        waiting = asyncio.ensure_future(wait(pokes, {QUEUE: 1}))
        await asyncio.sleep(0)
        assert pokes.count(QUEUE) == 1
        pokes.close()
        assert await waiting == set()
        assert pokes.count(QUEUE) == 0
        return await wait(pokes, {QUEUE: 1})

    assert told(act) == set()
