"""Two offices on one PostgreSQL: what both are asked at once happens once, in one order, whatever fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, pairwise
from pathlib import Path
from typing import Any

import pytest
import requests
import sqlalchemy as sa
from office_hall import Workstation, an_office, prepared
from office_processes import serving
from sqlalchemy.exc import DBAPIError

from back_office import db
from back_office.db import Database, open_database
from back_office.embedded import OfficeServer, enrolment_code, issue_ticket, write
from back_office.settings import Settings
from clerk_app.domain.ids import uuid7
from tests.postgres import new_cluster, the_cluster

ROUNDS = 15


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with an_office(tmp_path_factory.mktemp("office") / "data", "postgresql") as one:
        yield one


@pytest.fixture(scope="module")
def urls(settings: Settings) -> Iterator[list[str]]:
    """Two processes, as on two machines."""
    with serving(settings) as one, serving(settings) as other:
        yield [one.url, other.url]


@pytest.fixture
def stations(settings: Settings, urls: list[str]) -> Iterator[list[Workstation]]:
    """Eight workstations, four at each process."""
    made = [
        Workstation.enrolled(url, enrolment_code(settings, window=f"综合窗口{number:02d}"))
        for number, url in zip(range(1, 9), cycle(urls), strict=False)
    ]
    for one in made:
        one.sign_in()
    yield made
    for one in made:
        one.close()


def rows(settings: Settings, query: str) -> list[Any]:
    return write(settings, lambda tx: list(tx.connection.execute(sa.text(query)).all()))


def elsewhere(station: Workstation, url: str) -> Workstation:
    """The same device on a connection to the other process."""
    twin = Workstation(url, station.device, requests.Session(), station.session)
    twin.http.headers.update(station.http.headers)
    return twin


def test_fault_03_the_same_push_on_two_sockets_at_once_is_applied_once(
    settings: Settings, urls: list[str], stations: list[Workstation]
) -> None:
    station = stations[0]
    twin = elsewhere(station, urls[1])
    with ThreadPoolExecutor(2) as threads:
        for _ in range(ROUNDS):
            batch = [station.filing() for _ in range(5)]
            answers = [threads.submit(one.push, *batch) for one in (station, twin)]
            first, second = (answer.result() for answer in answers)
            assert first.status_code == second.status_code == 200, (first.text, second.text)
            assert first.content == second.content
    twin.close()
    mine = f"device = '{station.device.device}'"
    for table in ("registered_case", "command", "delivery"):
        assert rows(settings, f"SELECT count(*) FROM {table} WHERE {mine}")[0][0] == ROUNDS * 5


def test_fault_23_windows_that_call_at_once_never_get_the_same_ticket(
    settings: Settings, stations: list[Workstation]
) -> None:
    issued = {issue_ticket(settings, "A").number for _ in range(40)}

    def call_all(station: Workstation) -> list[str]:
        got = []
        while True:
            answer = station.call()
            assert answer.status_code == 200, answer.text
            ticket = answer.json()["ticket"]
            if ticket is None:
                return got
            got.append(ticket["number"])

    with ThreadPoolExecutor(len(stations)) as threads:
        called = list(threads.map(call_all, stations))
    everything = sorted(number for got in called for number in got)
    assert everything == sorted(issued)
    assert sum(bool(got) for got in called) > 1, "several windows took part"


def test_a_call_asked_twice_at_both_processes_gives_one_ticket(
    settings: Settings, urls: list[str], stations: list[Workstation]
) -> None:
    station = stations[0]
    twin = elsewhere(station, urls[1])
    with ThreadPoolExecutor(2) as threads:
        for _ in range(ROUNDS):
            issue_ticket(settings, "A")
            request_id = uuid7()
            answers = [threads.submit(one.call, request_id) for one in (station, twin)]
            first, second = (answer.result() for answer in answers)
            assert first.content == second.content
            assert first.json()["ticket"] is not None
        assert station.call().json()["ticket"] is None
    twin.close()


def test_blocks_asked_for_at_once_never_touch(stations: list[Workstation]) -> None:
    def lease(station: Workstation) -> list[tuple[int, int]]:
        found = [station.block(size=7) for _ in range(ROUNDS)]
        return [(block["low"], block["high"]) for block in found]

    with ThreadPoolExecutor(len(stations)) as threads:
        leased = sorted(one for found in threads.map(lease, stations) for one in found)
    assert len(leased) == ROUNDS * len(stations)
    assert all(before[1] < after[0] for before, after in pairwise(leased))


def test_a_code_used_at_once_at_both_processes_enrols_one_workstation(
    settings: Settings, urls: list[str]
) -> None:
    with ThreadPoolExecutor(2) as threads:
        for _ in range(5):
            body = {"code": enrolment_code(settings, window="综合窗口12"), "machine": "PC"}
            answers = [
                threads.submit(requests.post, f"{url}/v1/enrol", json=body, timeout=20) for url in urls
            ]
            assert sorted(answer.result().status_code for answer in answers) == [200, 403]


def test_a_reader_never_passes_a_change_that_commits_later(
    settings: Settings, stations: list[Workstation]
) -> None:
    """Cursors are in the order of commits: a page ends where the next begins, and nothing appears behind."""
    reader, writers = stations[0], stations[1:]
    start = cursor = int(reader.ask("GET", "/sync/snapshot/queue:A").json()["seq"])
    seen: list[int] = []
    done = threading.Event()

    def read() -> None:
        nonlocal cursor
        while True:
            last_round = done.is_set()
            page = reader.changes("queue:A", cursor, limit=7).json()
            seen.extend(change["seq"] for change in page["changes"])
            cursor = page["to"]
            if last_round and not page["more"]:
                return

    def work(station: Workstation) -> None:
        for number in range(ROUNDS):
            assert station.call().ok if number % 3 == 2 else bool(issue_ticket(settings, "A"))

    with ThreadPoolExecutor(len(stations)) as threads:
        reading = threads.submit(read)
        for working in [threads.submit(work, station) for station in writers]:
            working.result()
        done.set()
        reading.result()
    scope = "hall = 'MY01' AND scope = 'queue:A'"
    written = [row.seq for row in rows(settings, f"SELECT seq FROM change WHERE {scope} AND seq > {start}")]
    assert seen == sorted(written)
    assert seen == list(range(start + 1, cursor + 1))


@pytest.fixture
def database() -> Iterator[Database]:
    name = the_cluster().new()
    one = open_database(the_cluster().address(name))
    one.write(lambda c: c.execute(sa.text("CREATE TABLE thing (id int PRIMARY KEY, n int NOT NULL)")))
    one.write(lambda c: c.execute(sa.text("INSERT INTO thing VALUES (1, 0), (2, 0)")))
    yield one
    one.close()
    the_cluster().drop(name)


def test_writers_that_wait_in_a_ring_both_end(database: Database) -> None:
    meeting = threading.Barrier(2)
    attempts = []

    def both(order: tuple[int, int]) -> None:
        def work(connection: sa.Connection) -> None:
            attempts.append(order)
            for turn, row in enumerate(order):
                connection.execute(sa.text("UPDATE thing SET n = n + 1 WHERE id = :id"), {"id": row})
                if not turn and len(attempts) <= 2:
                    meeting.wait()

        database.write(work)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(both, [(1, 2), (2, 1)]))
    found = database.read(lambda c: c.execute(sa.text("SELECT n FROM thing")).all())
    assert [row.n for row in found] == [2, 2]
    assert len(attempts) == 3, "PostgreSQL broke the ring and one of them ran again"


@pytest.mark.parametrize("state", sorted(db.TRANSIENT_SQLSTATES))
def test_what_postgresql_asks_to_run_again_runs_again_but_not_for_ever(
    database: Database, state: str
) -> None:
    raising = sa.text(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}'; END $$")
    attempts = 0

    def work(connection: sa.Connection, failures: int) -> None:
        nonlocal attempts
        attempts += 1
        connection.execute(sa.text("UPDATE thing SET n = n + 1 WHERE id = 1"))
        if attempts <= failures:
            connection.execute(raising)

    database.write(lambda connection: work(connection, 2))
    assert attempts == 3
    assert database.read(lambda c: c.scalar(sa.text("SELECT n FROM thing WHERE id = 1"))) == 1
    attempts = 0
    with pytest.raises(DBAPIError):
        database.write(lambda connection: work(connection, 99))
    assert attempts == db.ATTEMPTS


def test_a_read_sees_one_moment_and_writes_nothing(database: Database) -> None:
    def read(connection: sa.Connection) -> None:
        before = connection.scalar(sa.text("SELECT sum(n) FROM thing"))
        database.write(lambda c: c.execute(sa.text("UPDATE thing SET n = n + 1")))
        assert connection.scalar(sa.text("SELECT sum(n) FROM thing")) == before
        with pytest.raises(DBAPIError, match="read-only"):
            connection.execute(sa.text("UPDATE thing SET n = 0"))

    with pytest.raises(DBAPIError):  # the commit of a transaction that failed
        database.read(lambda c: (read(c), c.execute(sa.text("SELECT 1"))))


def test_what_postgresql_cannot_keep_is_refused_to_its_sender_alone(
    settings: Settings, stations: list[Workstation]
) -> None:
    """A zero byte in a text, a number beyond the column: SQLite would take them."""
    station = stations[0]
    item = station.case_body()["item"]
    batch = [
        station.command("case.file", station.case_body(id="\x00")),
        station.command("case.file", station.case_body(), id="zero\x00byte"),
        station.command("case.file", station.case_body(), operator="10\x0024"),
        station.command("case.file", station.case_body() | {"item": item | {"version": 2**40}}),
        station.filing(),
    ]
    answer = station.push(*batch)
    assert answer.status_code == 200, answer.text
    assert [result["status"] for result in answer.json()["results"]] == ["refused"] * 4 + ["applied"]
    told = station.ask("POST", "/session", json={"staff_no": "1\x00", "password": "window-twelve"})
    assert told.status_code == 422
    assert told.json()["code"] == "OFFICE-MALFORMED"


def test_postgresql_killed_in_the_middle_costs_time_and_nothing_else(tmp_path: Path) -> None:
    """The office says 503 until it is back, then goes on: what was answered is there, nothing twice."""
    cluster = new_cluster()
    try:
        settings = Settings(tmp_path / "data", postgresql=cluster.address(cluster.new()))
        prepared(settings.data_dir, settings.postgresql)
        with OfficeServer(settings) as server:
            station = Workstation.enrolled(server.url, enrolment_code(settings, window="综合窗口12"))
            station.sign_in()
            station.block()
            answered: list[str] = []
            refused: list[int] = []
            stop = threading.Event()

            def work() -> None:
                while not stop.is_set():
                    batch = [station.filing() for _ in range(3)]
                    while not (answer := station.push(*batch)).ok:
                        refused.append(answer.status_code)
                        time.sleep(0.05)
                    assert [one["status"] for one in answer.json()["results"]] == ["applied"] * 3
                    answered.extend(command["body"]["number"] for command in batch)

            with ThreadPoolExecutor(1) as threads:
                working = threads.submit(work)
                try:
                    for _ in range(3):
                        before = len(answered)
                        _until(lambda before=before: len(answered) > before + 9 or working.done())
                        cluster.stop("immediate")
                        known = len(refused)
                        _until(lambda known=known: len(refused) > known or working.done())
                        cluster.start()
                finally:
                    stop.set()
                working.result(30)
            assert set(refused) == {503}
            kept = rows(settings, "SELECT number FROM registered_case ORDER BY number")
            assert [row.number for row in kept] == sorted(answered)
            _woken_again(settings, station)
            station.close()
    finally:
        cluster.remove()


def _woken_again(settings: Settings, station: Workstation) -> None:
    """The line of the notices is made anew after the cut."""
    lines = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'back-office listening'"
    _until(lambda: len(rows(settings, lines)) == 1)
    since = int(station.ask("GET", "/sync/snapshot/queue:A").json()["seq"])
    with ThreadPoolExecutor(1) as threads:
        params = {"scopes": f"queue:A:{since}", "seconds": 20}
        waiting = threads.submit(lambda: station.ask("GET", "/sync/wait", params=params))
        time.sleep(0.2)
        began = time.monotonic()
        issue_ticket(settings, "A")
        assert waiting.result().json()["poke"] == ["queue:A"]
        assert time.monotonic() - began < 5


def _until(condition: Any, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)
