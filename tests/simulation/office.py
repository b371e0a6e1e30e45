"""The office of a run: its real application over a database in memory, spoken to without a socket.

Requests go through the real ASGI application (routes, access, decoding, problems). Its threads are left out:
every step is done at once, so that the order is the seed's. A crash is a transaction rolled back, or
committed and not answered.
"""

from __future__ import annotations

import atexit
import inspect
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool
from sqlcipher3 import dbapi2 as driver
from starlette import concurrency

import back_office.app as application
from back_office import accounts, catalogue, enrolment, halls, migrations, queues
from back_office.db import Database, open_database
from back_office.office import Office, Transaction, open_office
from back_office.settings import Settings
from clerk_app.domain.catalogue import ServiceItem
from clerk_app.sync.protocol import CatalogueInfo
from tests.simulation.world import Crash, Violation, World, replaced

T = TypeVar("T")

PASSWORD = "window-words"
SUPERVISOR = "9001"


@dataclass(frozen=True)
class Answer:
    """What came over the wire; `ok`, `status_code` and `headers` as the transport reads them."""

    status_code: int
    headers: dict[str, str]
    content: bytes

    @property
    def ok(self) -> bool:
        return self.status_code < 400


@dataclass(frozen=True)
class Wire:
    """One request as its bytes."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    source: str = "192.0.2.1"  # address it comes from


class OfficeDown(Exception):
    """The office crashed while it served: the caller sees a broken line."""


class SimDatabase(Database):
    """Commits as the real one; `world` decides when the machine dies around a commit."""

    world: World

    def write(self, work: Callable[[sa.Connection], T]) -> T:
        world = self.world
        before, after = (world.chance(world.odds.office_crash) for _ in range(2))

        def run(connection: sa.Connection) -> T:
            answer = work(connection)
            if before:
                raise Crash
            return answer

        answer = super().write(run)
        world.counts["office commits"] += 1
        if after:
            raise Crash
        return answer


def _engine() -> sa.Engine:
    engine = sa.create_engine("sqlite://", module=driver, poolclass=StaticPool, hide_parameters=True)

    @sa.event.listens_for(engine, "connect")
    def _opening(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _raw(engine: sa.Engine) -> Any:
    with engine.connect() as connection:
        return connection.connection.driver_connection


@cache
def _template() -> Office:
    """An office on disk with the tables of this version and nothing in them; the runs take copies."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    settings = Settings(folder)
    database = open_database(settings.database)
    database.write(migrations.upgrade)
    database.close()
    return open_office(settings)


@cache
def _application() -> Any:
    """The application, made once: whom it serves hangs on its state."""
    with replaced((application, "open_office", lambda *_: _template())):
        return application.create_app(Settings(Path(tempfile.gettempdir())))


def _finished(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    coroutine.close()
    raise AssertionError("a route waits for something")


async def _at_once(work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    return work(*args, **kwargs)


@contextmanager
def threadless() -> Iterator[None]:
    """Everywhere the framework would hand work to a thread, do it at once."""
    real = concurrency.run_in_threadpool
    holders = [
        module for module in list(sys.modules.values()) if vars(module).get("run_in_threadpool") is real
    ]
    for module in holders:
        module.run_in_threadpool = _at_once  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for module in holders:
            module.run_in_threadpool = real  # type: ignore[attr-defined]


class SimOffice:
    """The central office: serves bytes, is administered by hand, crashes, is backed up and restored."""

    def __init__(
        self, world: World, items: list[ServiceItem], clerks: list[str], hall_codes: list[str]
    ) -> None:
        self.world = world
        self.app = _application()
        self.generation = 0  # how often it was restored
        with _template().database._engine.connect() as connection:
            self._open(connection.connection.driver_connection)
        for code in hall_codes:
            self.write(lambda tx, code=code: halls.add_hall(tx, code, f"{code} hall", "510700"))
        verifier = accounts.verifier_of(PASSWORD)
        for code in hall_codes:
            for staff_no in (*clerks, SUPERVISOR):
                self.write(
                    lambda tx, code=code, staff_no=staff_no: accounts.add_user(
                        tx, code, staff_no, f"clerk {staff_no}", verifier
                    )
                )
        self.put_in_force(items)

    def _open(self, source: Any) -> None:
        engine = _engine()
        source.backup(_raw(engine))
        self.engine = engine
        database = SimDatabase(*[engine] * (len(inspect.signature(Database.__init__).parameters) - 1))
        database.world = self.world
        settings = replace(_template().settings, clock=self.world.clock)
        self.office = replace(_template(), settings=settings, database=database)
        self.app.state.office = self.office

    def backup(self) -> Any:
        engine = _engine()
        _raw(self.engine).backup(_raw(engine))
        return engine

    def restore(self, copy: sa.Engine) -> None:
        """The database as it was; what IT does next is `back_office.restoring` or its older form."""
        self.engine.dispose()
        self._open(_raw(copy))
        self.generation += 1

    # --- administration ---------------------------------------------------------------------------------

    def write(self, work: Callable[[Transaction], T]) -> T:
        """An act at the office's own console; a crash there is simply tried again."""
        while True:
            try:
                return self.office.write(work)
            except Crash:
                self.world.tell("office crashed at the console")

    def rows(self, query: sa.Select[Any]) -> list[Any]:
        return list(self.office.read(lambda connection: connection.execute(query).all()))

    def code(self, hall: str, window: str, again: str | None = None) -> str:
        return self.office.write(lambda tx: enrolment.new_code(tx, hall, window, "A", again))

    def issue(self, hall: str, letter: str) -> str:
        return self.office.write(lambda tx: queues.issue(tx, hall, letter)).number

    def put_in_force(self, items: list[ServiceItem]) -> None:
        version = f"sim-{self.world.step}-{self.world.noise.randrange(10**6)}"
        info = CatalogueInfo(version, "", 0, 0, len(items))
        kinds = {item.kind.code: item.kind for item in items}
        self.office.write(
            lambda tx: catalogue._name(
                tx, info, list(kinds.values()), [item.implementation for item in items]
            )
        )

    # --- service ----------------------------------------------------------------------------------------

    def serve(self, wire: Wire) -> Answer:
        """The answer to `wire`. Raises OfficeDown when the machine dies under it."""
        self.world.counts["requests served"] += 1
        started: dict[str, Any] = {}
        body: list[bytes] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": wire.body, "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                started.update(message)
            else:
                body.append(message.get("body", b""))

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": wire.method,
            "scheme": "https",
            "path": f"/v1{wire.path}",
            "raw_path": f"/v1{wire.path}".encode(),
            "query_string": wire.query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in wire.headers.items()],
            "client": (wire.source, 40000),
            "server": ("office.example", 443),
        }
        try:
            _finished(self.app(scope, receive, send))
        except Crash:
            self.world.counts["office crashes"] += 1
            self.world.tell("office crashed")
            raise OfficeDown from None
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            told = f"{type(error).__name__} at {place.name}:{place.lineno}"
            raise Violation("office error", f"{wire.method} {wire.path}: {told}") from error
        headers = {name.decode().title(): value.decode() for name, value in started["headers"]}
        return Answer(started["status"], headers, b"".join(body))


def query_of(params: dict[str, Any] | None) -> str:
    return urlencode(params or {})
