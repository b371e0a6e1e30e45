"""The server killed with SIGKILL: a batch is there as a whole or not at all, and sending it again is safe."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa
from office_hall import Workstation, prepared

from back_office.db import open_database
from back_office.embedded import OfficeServer, enrolment_code

SERVER = """
import os, signal, sys
from pathlib import Path
from back_office import commands
from back_office.commands import KINDS, Kind
from back_office.embedded import OfficeServer
from back_office.pokes import Pokes

folder, when = Path(sys.argv[1]), sys.argv[2]

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

if when == "mid-batch":
    sound, count = KINDS["case.file"], iter(range(100))
    def dying(*arguments):
        return die() if next(count) == 25 else sound.apply(*arguments)
    KINDS["case.file"] = Kind(sound.right, sound.body, dying)
elif when == "before-commit":
    written = commands._write
    def dying(*arguments):
        written(*arguments)
        die()
    commands._write = dying
elif when == "after-commit":
    Pokes.send = lambda self, scopes: die() if any("device" in name for _, name in scopes) else None

with OfficeServer(folder) as server:
    print(server.url, flush=True)
    sys.stdin.read()
"""


@contextmanager
def _killing_server(folder: Path, when: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, str(folder), when],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip(), process
        finally:
            process.kill()


@pytest.mark.parametrize(("when", "kept"), [("mid-batch", 0), ("before-commit", 0), ("after-commit", 50)])
def test_a_batch_survives_as_a_whole_or_not_at_all(tmp_path: Path, when: str, kept: int) -> None:
    folder = prepared(tmp_path / "data")
    code = enrolment_code(folder, window="综合窗口12")
    with _killing_server(folder, when) as (url, process):
        station = Workstation.enrolled(url, code)
        station.sign_in()
        batch = [station.filing() for _ in range(50)]
        with pytest.raises(requests.ConnectionError):
            station.push(*batch)
        assert process.wait(30) == -signal.SIGKILL

    assert _counts(folder) == {"registered_case": kept, "command": kept, "delivery": kept, "change": kept}

    with OfficeServer(folder) as server:
        station.url = server.url
        answer = station.push(*batch).json()
    assert answer["last_seq"] == 50
    assert {result["status"] for result in answer["results"]} == {"applied"}
    assert _counts(folder) == {"registered_case": 50, "command": 50, "delivery": 50, "change": 50}
    station.close()


def _counts(folder: Path) -> dict[str, int]:
    database = open_database(folder / "office.db")
    try:
        assert database.read(lambda c: c.exec_driver_sql("PRAGMA integrity_check").scalar()) == "ok"
        tables = ("registered_case", "command", "delivery", "change")
        where = {"change": " WHERE kind = 'case'"}
        queries = {table: sa.text(f"SELECT count(*) FROM {table}{where.get(table, '')}") for table in tables}
        return database.read(lambda c: {table: c.scalar(query) for table, query in queries.items()})
    finally:
        database.close()
