"""The office as a web application: paths under /v1, the health check, and the OpenAPI document."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import APIRouter, FastAPI
from sqlalchemy.exc import OperationalError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from back_office import accounts, blocks, catalogue, counter, enrolment, exchange, feed, logs, problems
from back_office.access import OfficeHere
from back_office.office import Office, open_office
from back_office.settings import Settings
from clerk_app import __version__
from clerk_app.domain.hall_time import HALL_TIME
from clerk_app.sync.protocol import SCHEMA, HealthAnswer, Problem, TimeAnswer

MAX_BODY_BYTES = 8 * 1024 * 1024
LOOK_SECONDS = 1.0
HOUSEKEEPING_SECONDS = 24 * 3600

_PROBLEMS: dict[int | str, dict[str, object]] = {"4XX": {"model": Problem}, "5XX": {"model": Problem}}

plain = APIRouter()


@plain.get("/time")
def the_time(office: OfficeHere) -> TimeAnswer:
    """The office's clock, from which a window learns its skew."""
    return TimeAnswer(office.settings.clock().astimezone(HALL_TIME))


@plain.get("/health")
def health(office: OfficeHere) -> HealthAnswer:
    """Answers when the database does."""
    office.read(feed.positions)
    return HealthAnswer("ok", __version__, SCHEMA)


def create_app(settings: Settings) -> FastAPI:
    """The application over the prepared data of `settings`.

    Raises Failure("OFFICE-NOT-READY") when `back-office init` has not been run for this version.
    """
    office = open_office(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        office.pokes.open()
        tasks = [asyncio.create_task(_look_out(office)), asyncio.create_task(_keep_house(office))]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError):
                    await task
            office.close()

    app = FastAPI(
        title="Central back office of the service halls",
        version=f"{SCHEMA}",
        lifespan=lifespan,
        responses=_PROBLEMS,
        redirect_slashes=False,
    )
    app.state.office = office
    problems.install(app)
    for part in (enrolment, accounts, exchange, catalogue, blocks, counter):
        app.include_router(part.router, prefix="/v1")
    app.include_router(plain, prefix="/v1")
    app.add_api_route("/health", health)
    app.add_middleware(Porch)
    return app


async def _look_out(office: Office) -> None:
    """Poke for what other processes committed: a ticket issued or an item retired at the command line."""
    seen = await run_in_threadpool(office.read, feed.positions)
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            now = await run_in_threadpool(office.read, feed.positions)
        except OperationalError as error:
            logs.error("look-out", error)
            continue
        office.pokes.send(key for key, seq in now.items() if seen.get(key) != seq)
        seen = now


async def _keep_house(office: Office) -> None:
    """Once a day: the log of changes is cut at its age."""
    while True:
        try:
            gone = await run_in_threadpool(
                office.write, lambda tx: feed.trim(tx.connection, tx.now - feed.KEEP)
            )
            logs.info("log-trimmed", changes=gone)
        except OperationalError as error:
            logs.error("keep-house", error)
        await asyncio.sleep(HOUSEKEEPING_SECONDS)


class Porch:
    """In front of everything: refuses bodies nobody should send, and writes one log line a request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status, received = time.perf_counter(), 0, 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MAX_BODY_BYTES:
                raise HTTPException(413)  # FastAPI lets this class alone out of the reading of a body
            return message

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, counted, noted)
        finally:
            route = scope.get("route")
            logs.info(
                "request",
                method=scope["method"],
                path=getattr(route, "path", "?"),  # the template: no ids, nothing typed by a visitor
                status=status,
                ms=round((time.perf_counter() - began) * 1000, 1),
            )
