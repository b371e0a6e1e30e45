"""Several workers behind one port: they wake each other's windows, are replaced, and end together."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from office_hall import DATABASES, Workstation, an_office
from office_processes import Served, serving

from back_office.embedded import enrolment_code, issue_ticket
from back_office.settings import Settings

PARKED = 24


@pytest.fixture(scope="module", params=DATABASES)
def settings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with an_office(tmp_path_factory.mktemp("office") / "data", request.param) as one:
        yield one


@pytest.fixture
def served(settings: Settings) -> Iterator[Served]:
    with serving(settings, workers=2) as one:
        yield one


@pytest.fixture
def station(settings: Settings, served: Served) -> Iterator[Workstation]:
    one = Workstation.enrolled(served.url, enrolment_code(settings, window="综合窗口12"))
    one.sign_in()
    yield one
    one.close()


def _until(condition: Callable[[], bool], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def _metric(served: Served, name: str) -> float:
    text = requests.get(f"{served.url}/metrics", timeout=10).text
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))


def _waits(station: Workstation, threads: ThreadPoolExecutor, since: int) -> list[Future[requests.Response]]:
    """Parked requests, each on a connection of its own so that both workers hold some."""

    def wait() -> requests.Response:
        return requests.get(
            f"{station.url}/v1/sync/wait",
            params={"scopes": f"queue:A:{since}", "seconds": 40},
            headers=dict(station.http.headers) | {"Connection": "close"},
            timeout=60,
        )

    return [threads.submit(wait) for _ in range(PARKED)]


def _queue_cursor(station: Workstation) -> int:
    return int(station.ask("GET", "/sync/snapshot/queue:A").json()["seq"])


def test_a_commit_at_one_worker_wakes_the_windows_of_all(
    settings: Settings, served: Served, station: Workstation
) -> None:
    with ThreadPoolExecutor(PARKED) as threads:
        waits = _waits(station, threads, _queue_cursor(station))
        _until(lambda: _metric(served, "back_office_parked_waits") == PARKED)
        began = time.monotonic()
        issue_ticket(settings, "A")  # neither worker: a process of its own, as at the command line
        assert all(wait.result().json()["poke"] == ["queue:A"] for wait in waits)
        took = time.monotonic() - began
        assert took < 5, "the look every 30 s would be too late: the notice was heard"
        _until(lambda: _metric(served, "back_office_parked_waits") == 0)
    assert _metric(served, "back_office_pokes_total") >= PARKED


def test_the_metrics_are_those_of_all_workers(served: Served) -> None:
    for _ in range(30):
        assert requests.get(f"{served.url}/v1/time", timeout=10).ok  # a connection each
    counted = _metric(served, 'back_office_requests_total{method="GET",route="/v1/time",status="200"}')
    assert counted == 30


def test_a_killed_worker_is_replaced_and_what_it_counted_as_parked_is_forgotten(
    served: Served, station: Workstation
) -> None:
    before = served.workers()
    assert len(before) == 2
    with ThreadPoolExecutor(PARKED) as threads:
        waits = _waits(station, threads, _queue_cursor(station))
        _until(lambda: _metric(served, "back_office_parked_waits") == PARKED)
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        for wait in waits:
            with pytest.raises(requests.ConnectionError):
                wait.result()
    for _ in before:
        served.until("serving")
    assert set(served.workers()).isdisjoint(before)
    assert station.push(station.filing()).ok
    assert _metric(served, "back_office_parked_waits") == 0


def test_told_to_stop_they_let_the_parked_go_and_end(served: Served, station: Workstation) -> None:
    workers = served.workers()
    with ThreadPoolExecutor(PARKED) as threads:
        waits = _waits(station, threads, _queue_cursor(station))
        _until(lambda: _metric(served, "back_office_parked_waits") == PARKED)
        assert served.stop() == 0
        assert [wait.result().status_code for wait in waits] == [200] * PARKED
    assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]


def test_workers_end_with_their_parent(served: Served) -> None:
    workers = served.workers()
    served.process.kill()
    served.process.wait(10)
    _until(lambda: not any(_lives(pid) for pid in workers))


def test_after_a_kill_it_starts_again_at_once_on_its_port(settings: Settings) -> None:
    with serving(settings, workers=2) as first:
        first.process.kill()
        first.process.wait(10)
        with serving(settings, "--port", first.url.rsplit(":", 1)[1], workers=2) as second:
            assert requests.get(f"{second.url}/health", timeout=30).ok


def _lives(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False
