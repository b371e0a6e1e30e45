"""A hall of real processes: office, database, network and windows, each of which can be killed by itself.

The runner plays the administrator, the people at the entrance and the printers (whose paper no kill undoes).
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack, redirect_stdout, suppress
from dataclasses import dataclass, field, replace
from io import StringIO
from pathlib import Path
from typing import Any, Self

import requests
import sqlalchemy as sa
from hall_items import ITEMS, KINDS
from office_hall import CLERK, GUIDE, HALL
from workstation_kit import PATIENCE, SUPERVISOR, Enrolled, Window, open_window

from back_office import catalogue
from back_office.cli import main as back_office
from back_office.embedded import enrolment_code, issue_ticket, prepare
from back_office.office import open_office
from back_office.settings import Settings as OfficeSettings
from clerk_app.bootstrap import enrol_with
from clerk_app.desk.ports import LinkState
from clerk_app.devices.printer.simulator.printer import SimulatedPrinter
from clerk_app.settings import Settings
from tests.chaos.history import History
from tests.chaos.nursery import Nursery
from tests.fault_proxy import Fault, Weather
from tests.postgres import Cluster, new_cluster

SMALL_DISK = 48 * 1024 * 1024
"""Of the first seat, where this machine lets us mount one: it can be filled."""


@dataclass(slots=True)
class Seat:
    """One workstation: what lies on its disk and in its keyring, its printer, and the process of its life."""

    number: int
    enrolled: Enrolled
    printer: SimulatedPrinter
    small_disk: bool = False
    ahead: float = 0.0  # seconds the machine's wall clock is ahead
    pid: int = 0
    lives: int = 0

    @property
    def name(self) -> str:
        return f"综合窗口{self.number + 1}"

    @property
    def device(self) -> str:
        (device,) = self.enrolled.tokens.kept
        return device

    @property
    def folder(self) -> Path:
        return self.enrolled.settings.folder


@dataclass(slots=True)
class Office:
    settings: OfficeSettings
    port: int
    pid: int = 0


@dataclass
class ChaosHall:
    """Between `__enter__` and `__exit__`; every process it started has ended after it."""

    folder: Path
    seats_wanted: int = 3
    database: str = "sqlite"
    workers: int = 1
    seed: int = 0
    seats: list[Seat] = field(default_factory=list)
    cluster: Cluster | None = None

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        try:
            self._open()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _open(self) -> None:
        self.histories = self.folder / "histories"
        self.histories.mkdir(parents=True)
        self.log = self.folder / "log"
        self.counts = self.folder / "faults-met"
        self.history = History(self.histories / "runner.history")
        address = ""
        if self.database == "postgresql":
            self.cluster = new_cluster()
            self._stack.callback(self.cluster.remove)
            address = self.cluster.address(self.cluster.new())
        settings = OfficeSettings(self.folder / "office", postgresql=address)
        office = prepare(settings, HALL, [CLERK, SUPERVISOR, GUIDE])
        try:
            catalogue.put_in_force(office, KINDS, ITEMS, "2026.1")
        finally:
            office.close()
        self.office = Office(settings, _a_port())
        self.nursery = Nursery(self.log)
        self._stack.callback(self.nursery.close)
        self._stack.callback(self._let_go)
        self._proxy_pid = 0
        self._proxy_port = _a_port()
        self._orders = self.folder / "orders"
        os.mkfifo(self._orders)
        self._order = os.open(self._orders, os.O_RDWR)
        self._stack.callback(os.close, self._order)
        self.start_office()
        self.start_proxy()
        for number in range(self.seats_wanted):
            self.seats.append(self._seat(number))

    def _let_go(self) -> None:
        for seat in self.seats:
            self.nursery.kill(seat.pid)
        self.kill_office()
        self.kill_proxy()

    # --- office ----------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The office itself, past the proxy."""
        return f"http://127.0.0.1:{self.office.port}"

    def start_office(self, point: str = "") -> None:
        """Start it and wait until it answers. Its port may be its dying workers' for a moment."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            self.office.pid = self.nursery.bear(
                "office",
                data=str(self.office.settings.data_dir),
                database=self.office.settings.postgresql,
                port=self.office.port,
                workers=self.workers,
                point=point,
            )
            while self.nursery.status(self.office.pid) is None:
                with suppress(requests.RequestException):
                    if requests.get(f"{self.url}/v1/time", timeout=2).ok:
                        return
                time.sleep(0.02)
            if point and self.nursery.status(self.office.pid) == -9:
                return  # it reached its point while it started
        raise AssertionError(f"the office did not start; see {self.log}")

    def kill_office(self) -> bool:
        return self.nursery.kill(self.office.pid)

    def kill_worker(self, which: int) -> bool:
        """One of several workers; their parent puts another in its place."""
        with suppress(OSError, IndexError):
            told = Path(f"/proc/{self.office.pid}/task/{self.office.pid}/children").read_text()
            workers = [
                int(p) for p in told.split() if b"spawn_main" in Path(f"/proc/{p}/cmdline").read_bytes()
            ]
            os.kill(workers[which % len(workers)], 9)
            return True
        return False

    def crash_database(self) -> None:
        """`pg_ctl -m immediate`, and up again: it recovers from its log."""
        assert self.cluster is not None
        self.cluster.stop("immediate")
        self.cluster.start()

    def back_up(self) -> Path:
        target = self.folder / f"backup-{len(list(self.folder.glob('backup-*')))}"
        self._administer("backup", str(target))
        return target

    def restore(self, backup: Path) -> None:
        """The office dies, its data are gone, the backup takes their place, it serves again."""
        self.kill_office()
        settings = self.office.settings
        lost = self.folder / f"lost-{backup.name}"
        settings.data_dir.rename(lost)
        if self.cluster is not None:
            settings = replace(settings, postgresql=self.cluster.address(self.cluster.new()))
        self.office.settings = settings
        self._administer("restore", str(backup))
        self.start_office()

    def revoke(self, seat: Seat) -> None:
        self._administer("device", "revoke", seat.device, "--reason", "chaos")

    def ticket(self) -> str | None:
        """A citizen takes a ticket at the entrance; nothing when the office's database is away."""
        try:
            number = issue_ticket(self.office.settings, "A").number
        except (sa.exc.DBAPIError, OSError):
            return None
        self.history.tell("given", ticket=number)
        return number

    def rows(self, query: str) -> list[Any]:
        office = open_office(self.office.settings)
        try:
            return list(office.read(lambda c: c.execute(sa.text(query)).all()))
        finally:
            office.close()

    def _administer(self, *command: str) -> None:
        settings = self.office.settings
        where = ["--data", str(settings.data_dir), "--database", settings.postgresql]
        said = StringIO()
        with redirect_stdout(said):
            assert back_office([*where, *command]) == 0, said.getvalue()

    # --- network ---------------------------------------------------------------------------------------

    def start_proxy(self) -> None:
        told = {"office": self.office.port, "listen": self._proxy_port, "seed": self.seed}
        files = {"orders": str(self._orders), "counts": str(self.counts)}
        self._proxy_pid = self.nursery.bear("proxy", **files, **told)

    def kill_proxy(self) -> bool:
        """The network is gone."""
        return self.nursery.kill(self._proxy_pid)

    def weather(self, odds: Mapping[Fault, float], weather: Weather) -> None:
        told = {name: getattr(weather, name) for name in Weather.__dataclass_fields__}
        self._tell_proxy({"odds": {f.name: p for f, p in odds.items()}, "weather": told})

    def fault(self, fault: Fault, path: str = "", times: int = -1) -> None:
        self._tell_proxy({"fault": fault.name, "path": path, "times": times})

    def calm(self) -> None:
        self._tell_proxy({"clear": 1})

    def met(self) -> Counter[str]:
        """Faults that requests met until the last order; a killed proxy takes its last ones with it."""
        return Counter(self.counts.read_text().split()) if self.counts.is_file() else Counter()

    def _tell_proxy(self, order: dict[str, Any]) -> None:
        os.write(self._order, (json.dumps(order) + "\n").encode())

    # --- windows ---------------------------------------------------------------------------------------

    def _seat(self, number: int) -> Seat:
        folder = self.folder / f"window-{number}"
        small = number == 0 and self._small_disk(folder)
        settings = Settings(folder, office_url=f"http://127.0.0.1:{self._proxy_port}")
        printer = self._stack.enter_context(SimulatedPrinter())
        seat = Seat(number, Enrolled(settings), printer, small)
        self.enrol(seat)
        window = self.open(seat)
        window.until(lambda: window.desk.catalogue.count > 0)
        for user in (SUPERVISOR, CLERK):
            window.sign_in(user)
        window.close()
        return seat

    def enrol(self, seat: Seat, *, again: bool = False) -> None:
        """With the administrator's code, over a cable of the administrator's own."""
        device = seat.device if again else None
        code = enrolment_code(self.office.settings, window=seat.name, again=device)
        direct = replace(seat.enrolled.settings, office_url=self.url)
        enrol_with(direct, code, seat.enrolled.key, seat.enrolled.tokens)

    def open(self, seat: Seat) -> Window:
        """The window in this process, for looking into it; online."""
        window = open_window(seat.enrolled, seat.printer.url)
        window.start()
        window.until_link(LinkState.ONLINE)
        return window

    def live(
        self,
        seat: Seat,
        point: str = "",
        *,
        jump: float = 0.0,
        citizens: int | None = None,
        calls: float = 0.7,
        patience: float = 3.0,
    ) -> None:
        """The seat's next life begins: for so many `citizens` or until it is ended; with 0 nobody comes.

        `calls` is the share of them the authority is asked for, `patience` how many seconds an answer may
        take, `jump` by how many the clock may be set meanwhile.
        """
        seat.lives += 1
        seat.pid = self.nursery.bear(
            "window",
            number=seat.number,
            folder=str(seat.folder),
            office=seat.enrolled.settings.office_url,
            key=seat.enrolled.key.secret.hex(),
            tokens=seat.enrolled.tokens.kept,
            printer=seat.printer.url,
            history=str(self.histories / f"window-{seat.number}.history"),
            seed=f"{self.seed} {seat.number} {seat.lives}",
            ahead=seat.ahead,
            jump=jump,
            point=point,
            citizens=citizens,
            calls=calls,
            patience=patience,
        )

    def lived(self, seat: Seat, *, citizens: int, **how: Any) -> None:
        """A life that ends by itself."""
        self.live(seat, citizens=citizens, **how)
        assert self.nursery.wait(seat.pid, 2 * PATIENCE) == 0, f"see {self.log}"

    def _small_disk(self, folder: Path) -> bool:
        folder.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "none", str(folder)]
        if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
            return False
        self._stack.callback(subprocess.run, ["umount", "-l", str(folder)], check=False)
        return True

    def fill_disk(self, seat: Seat, leave: int = 0) -> None:
        """Only `leave` bytes are left on the seat's disk."""
        with suppress(OSError), (seat.folder / "ballast").open("ab", buffering=0) as ballast:
            while shutil.disk_usage(seat.folder).free > leave and ballast.write(bytes(4096)):
                pass

    def free_disk(self, seat: Seat) -> None:
        (seat.folder / "ballast").unlink(missing_ok=True)


def _a_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
