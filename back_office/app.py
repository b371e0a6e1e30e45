"""The office as a web application: paths under /v1, the health check, and the OpenAPI document."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import APIRouter, FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Lifespan, Message, Receive, Scope, Send

from back_office import (
    accounts,
    blocks,
    carry,
    catalogue,
    counter,
    devices,
    document,
    enrolment,
    exchange,
    feed,
    held,
    logs,
    metrics,
    notices,
    problems,
    resuming,
    uploads,
)
from back_office.access import OfficeHere
from back_office.metrics import Metrics
from back_office.office import Office, open_office
from back_office.pokes import ScopeKey
from back_office.settings import Settings
from back_office.waiting import Waiting
from clerk_app import __version__
from clerk_app.domain.hall_time import HALL_TIME
from clerk_app.sync.protocol import SCHEMA, HealthAnswer, Problem, TimeAnswer

V1 = "/v1"
MAX_BODY_BYTES = 8 * 1024 * 1024
MAX_CARRIED_BYTES = 64 * 1024 * 1024
"""An exported outbox brings every command of a long outage in one request."""

LOOK_SECONDS = 1.0
LISTENING_LOOK_SECONDS = 30.0
"""With a line to PostgreSQL's notices a look is only for what was lost on it."""

HOUSEKEEPING_SECONDS = 24 * 3600

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_PROBLEMS: dict[int | str, dict[str, object]] = {"4XX": {"model": Problem}, "5XX": {"model": Problem}}

plain = APIRouter()


@plain.get("/time")
def the_time(office: OfficeHere) -> TimeAnswer:
    """The office's clock, from which a window learns its skew."""
    return TimeAnswer(office.settings.clock().astimezone(HALL_TIME), SCHEMA)


@plain.get("/health")
def health(office: OfficeHere) -> HealthAnswer:
    """Answers when the database does."""
    office.read(feed.positions)
    return HealthAnswer("ok", __version__, SCHEMA)


def create_app(settings: Settings, *, keeps_house: bool = True) -> FastAPI:
    """The application over the prepared data of `settings`; one worker of several keeps the house.

    Raises Failure("OFFICE-NOT-READY") when `back-office init` has not been run for this version.
    """
    office = open_office(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        office.pokes.open()
        watch = _Watch()
        tasks = [asyncio.create_task(_look_out(office, watch))]
        if keeps_house:
            tasks.append(asyncio.create_task(_keep_house(office)))
            tasks.append(asyncio.create_task(_pay_what_is_owed(office)))
        if settings.postgresql:
            tasks.append(
                asyncio.create_task(notices.listen(settings.postgresql, office.pokes.send, watch.listening))
            )
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError):
                    await task
            office.close()

    app = paths(lifespan)
    app.state.office = office
    app.state.upload_turns = uploads.turns()
    app.add_middleware(Porch, metrics=office.metrics)
    app.add_middleware(Waiting, office=office)
    return app


def paths(lifespan: Lifespan[FastAPI] | None = None) -> FastAPI:
    """Every path, and the document of them; nothing is answered without an office in `app.state`."""
    app = FastAPI(
        title="Central back office of the service halls",
        version=f"{SCHEMA}",
        lifespan=lifespan,
        responses=_PROBLEMS,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        docs_url=None,  # these pages load their program from a server far away
        redoc_url=None,
    )
    problems.install(app)
    for part in (enrolment, devices, accounts, exchange, carry, catalogue, blocks, counter, uploads):
        app.include_router(part.router, prefix=V1)
    app.include_router(plain, prefix=V1)
    app.include_router(metrics.router)
    app.add_api_route("/health", health, name="healthy")
    app.openapi = lambda: document.describe(app)  # type: ignore[method-assign]
    return app


async def _pay_what_is_owed(office: Office) -> None:
    """Try the held commands again: at the start, and every few minutes."""
    while True:
        try:
            await run_in_threadpool(held.retry, office)
        except Exception as error:
            logs.error("held-retry", error)
        await asyncio.sleep(held.TRY_SECONDS)


class _Watch:
    """When to look next: soon while nobody hears the notices, and at once when the line to them changes."""

    def __init__(self) -> None:
        self._seconds = LOOK_SECONDS
        self._changed = asyncio.Event()

    def listening(self, up: bool) -> None:
        self._seconds = LISTENING_LOOK_SECONDS if up else LOOK_SECONDS
        self._changed.set()

    async def pause(self) -> None:
        self._changed.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), self._seconds)


async def _look_out(office: Office, watch: _Watch) -> None:
    """Poke for what other processes committed: a ticket issued or an item retired at the command line.

    The sum of all positions is asked first: nothing moves without it, and it is one row instead of one for
    each workstation.
    """
    seen: dict[ScopeKey, int] = {}
    steps = -1
    while True:
        try:
            now = await run_in_threadpool(office.look, feed.steps)
            if now != steps:
                positions = await run_in_threadpool(office.look, feed.positions)
                office.pokes.send({key: seq for key, seq in positions.items() if seen.get(key) != seq})
                seen, steps = positions, now
        except Exception as error:  # whatever it was, this is not the last look
            logs.error("look-out", error)
        await watch.pause()


async def _keep_house(office: Office) -> None:
    """Once a day: the log of changes is cut at its age, pages nobody goes on with are forgotten."""
    while True:
        try:
            gone = await run_in_threadpool(
                office.write, lambda tx: feed.trim(tx.connection, tx.now - feed.KEEP)
            )
            logs.info("log-trimmed", changes=gone)
            logs.info("uploads-swept", pages=await run_in_threadpool(resuming.sweep, office))
        except Exception as error:
            logs.error("keep-house", error)
        await asyncio.sleep(HOUSEKEEPING_SECONDS)


def _template(scope: Scope) -> str:
    """The path as it is written in the document: no ids, nothing a visitor typed."""
    route = getattr(scope.get("route"), "path", None)
    if route is None:
        return "?"
    # FastAPI leaves out what `include_router` put before it.
    return f"{V1}{route}" if scope["path"].startswith(f"{V1}/") else str(route)


class Porch:
    """In front of everything: refuses bodies nobody should send, names each request for the log (the name
    goes back as X-Request-Id; it is never the caller's, who might write anything there), and writes one log
    line a request. A bug is answered here: what leaves the application closes the connection, the window's
    next request, another case's perhaps, would fail with it, and the server would write the whole message.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status, received = time.perf_counter(), 0, 0
        name = secrets.token_hex(8)
        logs.request_id.set(name)

        limit = MAX_CARRIED_BYTES if scope["path"] == "/v1/sync/carry" else MAX_BODY_BYTES

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise HTTPException(413)  # FastAPI lets this class alone out of the reading of a body
            return message

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = name
            await send(message)

        try:
            await self.app(scope, counted, noted)
        except Exception as error:
            if status:
                raise  # half an answer cannot be taken back
            await problems.bug(error)(scope, receive, noted)
        finally:
            route = _template(scope)
            method = scope["method"] if scope["method"] in METHODS else "?"
            seconds = time.perf_counter() - began
            self.metrics.request(method, route, status, seconds)
            logs.info("request", method=method, path=route, status=status, ms=round(seconds * 1000, 1))
