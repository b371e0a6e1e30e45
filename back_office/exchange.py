"""The paths of the exchange: intents go up, facts come down, parked waits tell when to look."""

from __future__ import annotations

import re
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from back_office import commands, feed, lost_cards
from back_office.access import Device, DeviceHere, OfficeHere
from back_office.commands import PushEnvelope
from back_office.document import refusals
from back_office.office import Office
from back_office.pokes import ScopeKey
from back_office.problems import Refused
from back_office.tables import scope
from clerk_app.sync.protocol import (
    LOST_CARDS,
    MAX_PUSH_BYTES,
    ChangesAnswer,
    DigestAnswer,
    PushAnswer,
    SnapshotAnswer,
    WaitAnswer,
)

MAX_WAIT_SECONDS = 50
WAIT_SECONDS = 25
MAX_SCOPES = 16
MAX_CURSOR = 2**53
SCOPES = rf"^[^,]*:[0-9]{{1,16}}(,[^,]*:[0-9]{{1,16}}){{0,{MAX_SCOPES - 1}}}$"

router = APIRouter(prefix="/sync")


async def _sent_bytes(request: Request) -> int:
    return len(await request.body())


_PUSH = refusals({403: "OFFICE-DEVICE", 409: "OFFICE-GAP", 423: "OFFICE-FORKED"})
_READ = refusals({403: "OFFICE-SCOPE"})
_CHANGES = refusals({403: "OFFICE-SCOPE", 410: "OFFICE-RESYNC"})


@router.post("/push", response_model=PushAnswer, responses=_PUSH)
def push(
    body: PushEnvelope, office: OfficeHere, device: DeviceHere, size: Annotated[int, Depends(_sent_bytes)]
) -> Response:
    """Apply commands in order. The answer to each is stored and comes again byte for byte."""
    if size > MAX_PUSH_BYTES and len(body.commands) > 1:
        raise Refused("OFFICE-TOO-LARGE", f"{size} bytes", status=413)
    try:
        pushed = office.write(lambda tx: commands.push(tx, device, body))
    except Refused as refusal:
        expected = refusal.expected_seq
        if expected is not None and expected < body.base_seq <= commands.LAST_SEQ:
            office.write(lambda tx: commands.ahead(tx, device, body, expected))
        raise
    return Response(pushed.text(), media_type="application/json")


def _scope_of(device: Device, name: str) -> ScopeKey:
    """The scope a device means by `name`. Raises Refused 403 for what is not its own."""
    if name == "catalogue":
        return feed.CATALOGUE
    if name == LOST_CARDS:
        return lost_cards.SCOPE
    own = name in (f"hall:{device.hall}", f"device:{device.id}")
    if not own and not name.startswith("queue:"):
        raise Refused("OFFICE-SCOPE", status=403)
    return device.hall, name


def _existing(connection: sa.Connection, device: Device, name: str) -> ScopeKey:
    key = _scope_of(device, name)
    known = sa.select(scope.c.seq).where(scope.c.hall == key[0], scope.c.name == key[1])
    if connection.scalar(known) is None:
        raise Refused("OFFICE-SCOPE", status=403)
    return key


@router.get("/changes", responses=_CHANGES)
def changes(
    office: OfficeHere,
    device: DeviceHere,
    scope: str,
    since: Annotated[int, Query(ge=0, le=MAX_CURSOR)],
    limit: Annotated[int, Query(ge=1, le=feed.MAX_PAGE)] = feed.MAX_PAGE,
    generation: str | None = None,
) -> ChangesAnswer:
    """A page of one scope after `since`. 410: take the snapshot; unsent commands are not touched by it."""
    return office.read(
        lambda connection: feed.changes(
            connection, _existing(connection, device, scope), since, limit, generation
        )
    )


@router.get("/snapshot/{scope}", responses=_READ)
def snapshot(office: OfficeHere, device: DeviceHere, scope: str) -> SnapshotAnswer:
    """Everything a scope holds now, and the cursor to go on from."""
    return office.read(lambda connection: feed.snapshot(connection, _existing(connection, device, scope)))


@router.get("/digest/{scope}", responses=_READ)
def digest(office: OfficeHere, device: DeviceHere, scope: str) -> DigestAnswer:
    """What a mirror of the scope must come to now. Where it does not, take the scope whole."""
    return office.read(lambda connection: feed.digest(connection, _existing(connection, device, scope)))


@router.get("/wait", responses=_READ)
async def wait(
    office: OfficeHere,
    device: DeviceHere,
    scopes: Annotated[str, Query(pattern=SCOPES, examples=["queue:A:17,catalogue:0"])],
    seconds: Annotated[float, Query(ge=0, le=MAX_WAIT_SECONDS)] = WAIT_SECONDS,
) -> WaitAnswer:
    """Answer when one of `scopes` ("queue:A:17,catalogue:0") is not at its cursor, or after `seconds`."""
    cursors, moved = await run_in_threadpool(standing, office, device, scopes)
    return WaitAnswer(await news(office, cursors, moved, seconds))


def standing(office: Office, device: Device, scopes: str) -> tuple[dict[ScopeKey, int], set[ScopeKey]]:
    """The cursors that `scopes` tells, and which of them are not where the office is.

    Raises Refused for scopes that cannot be read or are not the device's.
    """
    cursors = {_scope_of(device, name): cursor for name, cursor in _cursors(scopes)}
    if office.pokes.reached(cursors):  # a city that comes back after a cut asks this ten thousand times
        return cursors, set()
    return cursors, office.look(lambda connection: feed.moved(connection, cursors))


async def news(
    office: Office, cursors: dict[ScopeKey, int], moved: set[ScopeKey], seconds: float
) -> list[str]:
    """The names of the scopes that `moved`, or else of those that move within `seconds`."""
    if not moved:
        with office.pokes.parked(cursors) as parked:
            moved = await parked.wait(seconds)
    return sorted(name for _, name in moved)


def _cursors(scopes: str) -> list[tuple[str, int]]:
    if not re.fullmatch(SCOPES, scopes):
        raise Refused("OFFICE-MALFORMED", "scopes", status=422)
    listed = [part.rsplit(":", 1) for part in scopes.split(",")]
    return [(name, int(cursor)) for name, cursor in listed]
