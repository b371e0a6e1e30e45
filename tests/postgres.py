"""A PostgreSQL of our own for the tests: a private cluster a process, a database of its own for each test.

It listens on a socket in a temporary folder only and forgets its data when the machine stops (`fsync=off`);
a killed server loses nothing all the same, because what it wrote is with the operating system (with
`synchronous_commit=off` it would lose answered work). Never the system's own cluster.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

USER = "postgres"
OPTIONS = (
    "listen_addresses=''",
    "fsync=off",
    "full_page_writes=off",
    "shared_buffers=64MB",
    "max_connections=200",
    "deadlock_timeout=100ms",
    "logging_collector=off",
)


@dataclass(slots=True)
class Cluster:
    """A running server. `address` names one of its databases."""

    programs: Path
    folder: Path
    options: tuple[str, ...] = OPTIONS
    _names: Any = field(default_factory=lambda: count(1))

    def address(self, name: str = "postgres") -> str:
        return f"postgresql:///{name}?host={self.folder}&user={USER}"

    def new(self, template: str | None = None) -> str:
        """The name of a fresh database: empty, or a copy of `template`, to which nobody may be connected."""
        name = f"office_{next(self._names)}"
        self._execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        return name

    def drop(self, name: str) -> None:
        self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def start(self) -> None:
        options = " ".join(
            f"-c {option}" for option in (*self.options, f"unix_socket_directories={self.folder}")
        )
        log = str(self.folder / "log")
        self._run("pg_ctl", "-D", self._data, "-l", log, "-w", "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        """`immediate` is a crash: nothing is finished, the next start recovers."""
        self._run("pg_ctl", "-D", self._data, "-m", mode, "-w", "stop")

    def remove(self) -> None:
        """Crash it when it still runs, and leave nothing."""
        if Path(self._data, "postmaster.pid").exists():
            self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.address(), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[arg-type]

    def _run(self, program: str, *arguments: str) -> None:
        account: dict[str, Any] = {}
        if os.geteuid() == 0:  # the server refuses to run as root
            account = {"user": USER, "group": USER, "extra_groups": []}
        command = [str(self.programs / program), *arguments]
        done = subprocess.run(
            command,
            cwd="/",
            env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
            **account,
        )
        assert done.returncode == 0, done.stderr.decode()


def new_cluster(options: tuple[str, ...] = OPTIONS) -> Cluster:
    """A started cluster with these settings. Skips the test where PostgreSQL is not installed."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if not programs:
        pytest.skip("PostgreSQL is missing: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="office-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, USER, USER)
    cluster = Cluster(programs[-1].parent, folder, options)
    cluster._run("initdb", "-D", cluster._data, "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync")
    cluster.start()
    return cluster


@cache
def the_cluster() -> Cluster:
    """The one of this process, stopped when it ends."""
    cluster = new_cluster()

    atexit.register(cluster.remove)
    return cluster
