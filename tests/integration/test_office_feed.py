"""Facts come down: pages that chain, snapshots, cursors that are too old, and waits that wake."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from office_hall import DATABASES, Hall, Workstation, served

from back_office import feed, lost_cards
from back_office.calendar import Announced, calendar_from
from back_office.embedded import issue_ticket
from back_office.pokes import Pokes
from clerk_app.domain.lost_cards import digest


@pytest.fixture(params=DATABASES)
def hall(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with served(tmp_path_factory.mktemp("office") / "data", request.param) as one:
        yield one


@pytest.fixture
def station(hall: Hall) -> Iterator[Workstation]:
    one = hall.workstation()
    yield one
    one.close()


def _follow(station: Workstation, scope: str, limit: int) -> list[dict[str, Any]]:
    """All changes of a scope, page by page; checks that the pages chain."""
    found: list[dict[str, Any]] = []
    since, more = 0, True
    while more:
        page = station.changes(scope, since, limit=limit).json()
        assert page["since"] == since
        assert len(page["changes"]) <= limit
        found += page["changes"]
        since, more = page["to"], page["more"]
    return found


def test_pages_chain_without_holes_or_doubles(station: Workstation) -> None:
    numbers = [station.issue().json()["number"] for _ in range(7)]
    for limit in (1, 3, 7, 100):
        changes = _follow(station, "queue:A", limit)
        assert [change["data"]["number"] for change in changes] == numbers
        assert [change["seq"] for change in changes] == list(range(1, 8))


def test_cursors_follow_commits_under_many_writers(hall: Hall, station: Workstation) -> None:
    """A reader that polls all the while misses nothing: the order of cursors is the order of commits."""
    writers_done = threading.Event()
    seen: list[int] = []

    def read() -> None:
        since, last_round = 0, False
        while True:
            page = station.changes("queue:A", since).json()
            seen.extend(change["seq"] for change in page["changes"])
            since = page["to"]
            if last_round:
                return
            last_round = writers_done.is_set()

    reader = threading.Thread(target=read)
    reader.start()
    with ThreadPoolExecutor(6) as threads:
        issued = list(threads.map(lambda _: issue_ticket(hall.settings, "A").number, range(60)))
    writers_done.set()
    reader.join(30)
    assert len(set(issued)) == 60
    assert seen == list(range(1, 61))


def test_a_snapshot_is_the_last_word_on_everything(station: Workstation) -> None:
    for _ in range(3):
        station.issue()
    called = station.call().json()["ticket"]
    snapshot = station.ask("GET", "/sync/snapshot/queue:A").json()
    assert snapshot["seq"] == 4
    states = {change["id"]: change["data"]["state"] for change in snapshot["changes"]}
    assert len(states) == 3
    assert states[called["id"]] == "called"
    assert station.changes("queue:A", snapshot["seq"]).json()["changes"] == []


def test_a_cursor_below_the_floor_takes_the_snapshot(hall: Hall, station: Workstation) -> None:
    for _ in range(3):
        station.issue()
    station.call()
    gone = hall.server.office.write(lambda tx: feed.trim(tx.connection, tx.now + timedelta(seconds=1)))
    assert gone == 1, "only what has a later word"

    refused = station.changes("queue:A", 3)
    assert (refused.status_code, refused.json()["code"]) == (410, "OFFICE-RESYNC")
    snapshot = station.ask("GET", "/sync/snapshot/queue:A").json()
    assert len(snapshot["changes"]) == 3
    station.issue()
    assert len(station.changes("queue:A", snapshot["seq"]).json()["changes"]) == 1


def test_the_log_keeps_ninety_days(hall: Hall, station: Workstation) -> None:
    station.issue()
    hall.clock.ahead = timedelta(days=89)
    trim = lambda tx: feed.trim(tx.connection, tx.now - feed.KEEP)  # noqa: E731
    hall.server.office.write(trim)
    assert station.changes("queue:A", 0).status_code == 200
    hall.clock.ahead = timedelta(days=91)
    hall.server.office.write(trim)
    assert station.changes("queue:A", 0).status_code == 410


def test_a_cursor_of_another_generation_or_from_the_future_is_refused(
    hall: Hall, station: Workstation
) -> None:
    station.issue()
    page = station.changes("queue:A").json()
    hall.server.office.write(lambda tx: feed.new_generations(tx.connection))
    assert station.changes("queue:A", 1, generation=page["generation"]).status_code == 410
    assert station.changes("queue:A", 2).status_code == 410, "the office forgot: restored from a backup"
    assert station.changes("queue:A", 1).json()["generation"] != page["generation"]


def test_a_wait_answers_at_once_when_there_is_news(station: Workstation) -> None:
    station.issue()
    answer = station.ask("GET", "/sync/wait", params={"scopes": "queue:A:0,catalogue:1", "seconds": 50})
    assert answer.json() == {"poke": ["queue:A"]}


def test_a_parked_wait_is_woken_by_the_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("back_office.app.LOOK_SECONDS", 3600)  # nobody looks: the commit itself must wake it
    parked = threading.Event()
    park = Pokes.parked

    def noticed(self: Pokes, scopes: Any) -> Any:
        parked.set()
        return park(self, scopes)

    monkeypatch.setattr(Pokes, "parked", noticed)
    with served(tmp_path / "data") as hall, ThreadPoolExecutor(1) as thread:
        station, other = hall.workstation(), hall.workstation()
        asked = {"scopes": "queue:A:0,hall:MY01:1", "seconds": 50}
        waiting = thread.submit(other.ask, "GET", "/sync/wait", params=asked)
        assert parked.wait(10)
        station.issue()
        assert waiting.result(10).json() == {"poke": ["queue:A"]}
        station.close()
        other.close()


def test_a_wait_notices_what_another_process_committed(hall: Hall, station: Workstation) -> None:
    with ThreadPoolExecutor(1) as thread:
        asked = {"scopes": "queue:A:0", "seconds": 30}
        waiting = thread.submit(station.ask, "GET", "/sync/wait", params=asked)
        issue_ticket(hall.settings, "A")  # its own connection: nobody pokes
        assert waiting.result(15).json() == {"poke": ["queue:A"]}


def test_one_look_without_a_connection_is_not_the_last_one(tmp_path: Path) -> None:
    failed = threading.Event()

    class Watch(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.getMessage() == "look-out":
                failed.set()

    watch = Watch()
    with served(tmp_path / "data") as hall, ThreadPoolExecutor(1) as thread:
        station = hall.workstation()
        pool = hall.server.office.database._engine.pool
        assert isinstance(pool, sa.QueuePool)
        pool._timeout = 0.05
        logging.getLogger("back_office").addHandler(watch)
        with ExitStack() as taken:
            taken.callback(logging.getLogger("back_office").removeHandler, watch)
            with suppress(sa.exc.TimeoutError):
                while True:
                    taken.callback(pool.connect().close)
            assert failed.wait(10)
        pool._timeout = 30
        asked = {"scopes": "queue:A:0", "seconds": 20}
        waiting = thread.submit(station.ask, "GET", "/sync/wait", params=asked)
        issue_ticket(hall.settings, "A")
        assert waiting.result(25).json() == {"poke": ["queue:A"]}
        station.close()


def test_a_quiet_wait_ends_empty(station: Workstation) -> None:
    answer = station.ask("GET", "/sync/wait", params={"scopes": "queue:A:0", "seconds": 0.05})
    assert answer.json() == {"poke": []}


def test_parked_waits_do_not_hold_up_the_end_of_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parked = threading.Event()
    park = Pokes.parked

    def noticed(self: Pokes, scopes: Any) -> Any:
        parked.set()
        return park(self, scopes)

    monkeypatch.setattr(Pokes, "parked", noticed)
    with ThreadPoolExecutor(1) as thread:
        with served(tmp_path / "data") as hall:
            station = hall.workstation()
            asked = {"scopes": "queue:A:0", "seconds": 50}
            waiting = thread.submit(station.ask, "GET", "/sync/wait", params=asked)
            assert parked.wait(10)
            began = time.monotonic()
        assert time.monotonic() - began < 5
        assert waiting.result(5).json() == {"poke": []}
        station.close()


def test_the_calendar_is_in_the_halls_scope(station: Workstation) -> None:
    (change,) = station.changes("hall:MY01").json()["changes"]
    assert change["kind"] == "calendar"
    data = change["data"]
    assert 2026 in data["years"]
    assert "2026-10-01" in data["holidays"]
    assert "2026-10-10" in data["make_up_days"], "a Saturday that is worked"


def test_a_calendar_holds_weekday_holidays_and_working_weekends_only() -> None:
    announced = Announced(
        days_off=frozenset({date(2025, 10, 1), date(2026, 10, 1), date(2026, 10, 3)}),
        working_weekends=frozenset({date(2025, 9, 28), date(2026, 9, 27)}),
    )
    message = calendar_from(announced, 2026)
    assert message.years == [2026]
    assert message.holidays == [date(2026, 10, 1)]
    assert message.make_up_days == [date(2026, 9, 27)]


def test_lost_cards_reach_the_windows_of_every_hall(hall: Hall, station: Workstation) -> None:
    """The salt first, then the digests a window computes from the card; one taken back is gone."""
    number, issued = "510704199001011233", date(2016, 5, 11)
    office = hall.server.office
    report = office.write(lambda tx: lost_cards.add(tx, number, issued))
    whole = office.write(lambda tx: lost_cards.add(tx, number))
    salt, *cards = station.changes("lost-cards").json()["changes"]
    assert (salt["kind"], [card["id"] for card in cards]) == ("lost_card_salt", [report, whole])
    told = [card["data"]["digest"] for card in cards]
    assert told == [digest(number, day, salt["data"]["salt"]) for day in (issued, None)]

    began = station.ask("GET", "/sync/wait", params={"scopes": "lost-cards:2,queue:A:0", "seconds": 5}).json()
    assert began == {"poke": ["lost-cards"]}
    office.write(lambda tx: lost_cards.remove(tx, report))
    gone = station.changes("lost-cards", 3).json()["changes"]
    assert [(one["op"], one["id"], one["version"], one["data"]) for one in gone] == [("del", report, 2, {})]
    left = station.ask("GET", "/sync/snapshot/lost-cards").json()
    assert {one["id"] for one in left["changes"]} == {"salt", whole}
    assert number not in station.changes("lost-cards").text

    again = office.write(lambda tx: lost_cards.add(tx, number, issued))  # lost a second time: a new report
    assert again != report


def test_two_offices_made_from_one_copy_tell_their_own_digests(tmp_path: Path) -> None:
    """Scope, generation and sequence number are the same, the tickets are not."""
    with served(tmp_path / "one") as one, served(tmp_path / "other") as other:
        told = []
        for hall in (one, other):
            issue_ticket(hall.folder, "A")
            station = hall.workstation(signed_in=False)
            answer = station.ask("GET", "/sync/digest/queue:A").json()
            assert answer["digest"] == station.ask("GET", "/sync/snapshot/queue:A").json()["digest"]
            told.append(answer)
            station.close()
    first, second = told
    assert (first["generation"], first["seq"]) == (second["generation"], second["seq"])
    assert first["digest"] != second["digest"]
