"""A whole office inside another program: practice halls and tests run the real server on loopback.

prepare(folder, HallSetup("MY01", "绵阳市民中心", "510700"), [UserSetup("1024", "王芳", "practice-only")])
with OfficeServer(folder) as server:
    code = enrolment_code(folder, window="综合窗口12")
    requests.post(f"{server.url}/v1/enrol", json={"code": code, "machine": "PC"})
"""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import uvicorn
from fastapi import FastAPI
from sqlalchemy.exc import DBAPIError

from back_office import accounts, enrolment, halls, logs, migrations, queues
from back_office.app import create_app
from back_office.db import open_database
from back_office.office import Office, Transaction, is_unusable, no_folder, open_office, unusable
from back_office.settings import Settings, settings_of
from clerk_app.failures import Failure
from clerk_app.sync.protocol import TicketMessage

T = TypeVar("T")

START_SECONDS = 30
STOP_SECONDS = 10

KEEP_SECONDS = 75
"""An idle window asks every 60 s: on the line it has, instead of a new one with its TLS each time."""
BACKLOG = 4096
"""Connections that wait to be taken: a hall of windows that come back at once."""


@dataclass(frozen=True, slots=True)
class HallSetup:
    code: str
    name: str
    region: str
    name_en: str = ""
    practice: bool = False


@dataclass(frozen=True, slots=True)
class UserSetup:
    staff_no: str
    name: str
    password: str
    name_en: str = ""
    rights: tuple[str, ...] = accounts.RIGHTS


def prepare(where: Path | Settings, hall: HallSetup, users: Iterable[UserSetup] = ()) -> Office:
    """Make or upgrade the database of `where`, open the hall and add the users unless they are there.

    `where` is a data folder, with SQLite in it, or the settings of an office on PostgreSQL. The office it
    returns is for preparing data directly (`catalogue.put_in_force(office, …)`); close it.
    """
    settings = settings_of(where)
    make_database(settings)
    office = open_office(settings)
    verifiers = [(user, accounts.verifier_of(user.password)) for user in users]

    def fill(tx: Transaction) -> None:
        halls.add_hall(tx, hall.code, hall.name, hall.region, name_en=hall.name_en, practice=hall.practice)
        known = accounts.staff_numbers(tx, hall.code)
        for user, verifier in verifiers:
            if user.staff_no in known:
                continue
            accounts.add_user(
                tx,
                hall.code,
                user.staff_no,
                user.name,
                verifier,
                name_en=user.name_en,
                rights=user.rights,
            )

    try:
        office.write(fill)
    except BaseException:
        office.close()
        raise
    return office


def make_database(settings: Settings) -> None:
    """Make or upgrade the database and its folder.

    Raises Failure("OFFICE-FOLDER"), ("OFFICE-FILE") or, of PostgreSQL, ("OFFICE-DATABASE").
    """
    make_folder(settings)
    database = open_database(settings.database_address)
    try:
        database.write(migrations.upgrade)
        if not settings.postgresql:
            settings.database.chmod(0o600)
    except DBAPIError as error:
        if not is_unusable(error):
            raise
        raise unusable(settings, error) from None
    except OSError as error:
        raise no_folder(settings, error) from None
    finally:
        database.close()


def make_folder(settings: Settings) -> None:
    """The data folder, for its owner alone. Raises Failure("OFFICE-FOLDER")."""
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise no_folder(settings, error) from None


def enrolment_code(
    where: Path | Settings,
    *,
    window: str,
    queue: str = "A",
    hall: str | None = None,
    again: str | None = None,
) -> str:
    """A fresh one-time code; `again` is the id of a device that gets a new epoch."""

    def new(tx: Transaction) -> str:
        return enrolment.new_code(tx, halls.the_hall(tx, hall), window, queue, again)

    return write(where, new)


def issue_ticket(where: Path | Settings, series: str, *, hall: str | None = None) -> TicketMessage:
    """A ticket as the guide's desk issues it."""
    return write(where, lambda tx: queues.issue(tx, halls.the_hall(tx, hall), series))


def write(where: Path | Settings, work: Callable[[Transaction], T]) -> T:
    """One transaction on the office of `where`, beside a server that may be running there.

    Raises Failure("OFFICE-FILE") or ("OFFICE-DATABASE") when the database cannot be used.
    """
    settings = settings_of(where)
    office = open_office(settings)
    try:
        return office.write(work)
    except DBAPIError as error:
        if not is_unusable(error):
            raise
        raise unusable(settings, error) from None
    finally:
        office.close()


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM files: the certificate with its chain, its key, and the authority of the clients let in."""

    certificate: Path
    key: Path | None = None
    client_ca: Path | None = None

    def options(self) -> dict[str, Any]:
        """For uvicorn. Raises Failure("OFFICE-TLS") when the files cannot be used."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(self.certificate, self.key, password="")
            if self.client_ca is not None:
                context.load_verify_locations(self.client_ca)
        except (OSError, ssl.SSLError, ValueError) as error:
            raise Failure("OFFICE-TLS", type(error).__name__) from None
        asked: dict[str, Any] = {"ssl_certfile": self.certificate, "ssl_keyfile": self.key}
        if self.client_ca is not None:
            asked |= {"ssl_ca_certs": str(self.client_ca), "ssl_cert_reqs": ssl.CERT_REQUIRED}
        return asked


class Server(uvicorn.Server):
    """uvicorn that lets parked waits go before it counts who is still being served."""

    def __init__(self, app: FastAPI, host: str = "127.0.0.1", port: int = 0, tls: Tls | None = None) -> None:
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=STOP_SECONDS,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_SECONDS,
            **(tls.options() if tls else {}),
        )
        super().__init__(config)
        self.office: Office = app.state.office
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for server in self.servers if self.started else ():
            for bound in server.sockets:
                logs.info("serving", host=str(bound.getsockname()[0]), port=int(bound.getsockname()[1]))
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.office.pokes.close()
        await super().shutdown(sockets)


class OfficeServer:
    """The real server in a thread on 127.0.0.1, on a port the system chooses (or `port`)."""

    def __init__(self, where: Path | Settings, port: int = 0) -> None:
        self._settings = settings_of(where)
        self._port = port
        self._socket: socket.socket | None = None
        self._server: Server | None = None
        self._thread: threading.Thread | None = None
        self.url = ""

    @property
    def office(self) -> Office:
        """The running office: what is written through it wakes its parked windows at once."""
        assert self._server is not None
        return self._server.office

    def start(self) -> None:
        """Serve; returns when requests are answered. Raises Failure("OFFICE-NOT-READY")."""
        # With the protocol named, asyncio sets TCP_NODELAY; without, each answer waits 40 ms for an ACK.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        if os.name == "posix":  # elsewhere the option lets another program take the port
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", self._port))
        try:
            self._server = Server(create_app(self._settings))
        except BaseException:
            self.stop()
            raise
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="back-office", daemon=True
        )
        self._thread.start()
        if not (self._server.ready.wait(START_SECONDS) and self._server.started):
            self.stop()
            raise TimeoutError("the office did not start")

    def stop(self) -> None:
        """Finish what is being served, then end; the database is closed when this returns."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(START_SECONDS)
        if self._socket is not None:
            self._socket.close()
        self._server = self._thread = self._socket = None

    def __enter__(self) -> OfficeServer:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
