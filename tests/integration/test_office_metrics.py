"""`/metrics` for Prometheus: right numbers, nobody's data, not for everybody; a request and its log."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from office_hall import CLERK, DATABASES, Hall, Workstation, an_office, served
from prometheus_client.parser import text_string_to_metric_families

from back_office import feed, logs
from back_office.embedded import OfficeServer


@pytest.fixture(params=DATABASES)
def hall(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Hall]:
    with served(tmp_path / "data", request.param) as one:
        yield one


@pytest.fixture
def station(hall: Hall) -> Iterator[Workstation]:
    one = hall.workstation()
    yield one
    one.close()


def _samples(url: str, **options: object) -> dict[str, float]:
    """Every sample as "name{labels}" and its value; the parser checks the format."""
    answer = requests.get(f"{url}/metrics", timeout=10, **options)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return {
        sample.name + json.dumps(sample.labels, sort_keys=True).replace("{}", ""): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_it_counts_what_was_done(hall: Hall, station: Workstation) -> None:
    good, bad = station.filing(), station.command("case.file", {"id": "x"})
    assert station.push(good, bad).ok
    assert station.push(good, bad).ok  # stored answers: nothing is applied again
    cursor = station.ask("GET", "/sync/snapshot/queue:A").json()["seq"]
    with ThreadPoolExecutor(1) as threads:
        params = {"scopes": f"queue:A:{cursor}", "seconds": 30}
        waiting = threads.submit(lambda: station.ask("GET", "/sync/wait", params=params))
        while not _samples(hall.url)["back_office_parked_waits"]:
            assert not waiting.done()
        hall.server.office.pokes.send({("MY01", "queue:A"): cursor})  # late: this one has been there
        hall.server.office.pokes.send({("MY01", "queue:A"): cursor + 1})
        assert waiting.result().ok
    found = _samples(hall.url)
    assert found['back_office_commands_total{"status": "applied"}'] == 1
    assert found['back_office_commands_total{"status": "refused"}'] == 1
    push = '{"method": "POST", "route": "/v1/sync/push", "status": "200"}'
    assert found[f"back_office_requests_total{push}"] == 2
    assert found['back_office_request_seconds_count{"route": "/v1/sync/push"}'] == 2
    assert found["back_office_parked_waits"] == 0
    assert found["back_office_pokes_total"] == 1
    assert found["back_office_devices"] == 1
    assert found["back_office_devices_seen"] == 1
    kind = hall.server.office.database.kind
    assert any(name.startswith("back_office_info") and f'"database": "{kind}"' in name for name in found)


def test_what_is_owed_is_told_with_its_age(hall: Hall, station: Workstation) -> None:
    assert station.push(station.filing(), station.filing()).ok
    hall.execute("UPDATE command SET status = 'held'")
    hall.clock.ahead += timedelta(minutes=10)
    found = _samples(hall.url)
    assert found["back_office_commands_owed"] == 2
    assert 600 <= found["back_office_commands_owed_oldest_seconds"] < 660


def test_no_label_says_who_or_what_was_asked_for(hall: Hall, station: Workstation) -> None:
    station.push(station.filing())
    requests.get(f"{hall.url}/v1/sync/snapshot/device:510704199001011234", timeout=10)
    requests.get(f"{hall.url}/510704199001011234", timeout=10)
    requests.request("WANGFANG", f"{hall.url}/v1/time", timeout=10)
    text = requests.get(f"{hall.url}/metrics", timeout=10).text
    for secret in ("510704199001011234", "WANGFANG", CLERK.staff_no, CLERK.name, station.device.device):
        assert secret not in text


def test_other_machines_need_the_token(tmp_path: Path) -> None:
    with an_office(tmp_path / "data") as settings, OfficeServer(settings) as server:
        assert requests.get(f"{server.url}/metrics", timeout=10).ok
        for header in (
            "X-Forwarded-For",
            "Forwarded",
            "X-Real-IP",
        ):  # of a proxy here
            answer = requests.get(f"{server.url}/metrics", headers={header: "192.0.2.7"}, timeout=10)
            assert answer.status_code == 403
            assert answer.json()["code"] == "OFFICE-METRICS"
    forwarded = {"X-Forwarded-For": "192.0.2.7"}
    told = replace(settings, metrics_token="scrape-me")
    with OfficeServer(told) as server:
        wrong = requests.get(
            f"{server.url}/metrics", headers=forwarded | {"Authorization": "Bearer scrape-mé"}, timeout=10
        )
        assert wrong.status_code == 403
        _samples(server.url, headers=forwarded | {"Authorization": "Bearer scrape-me"})


def test_every_line_of_a_request_carries_the_name_the_caller_got(
    hall: Hall, station: Workstation, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "back_office")
    caplog.handler.setFormatter(logs.JsonLines())
    told = station.ask("POST", "/session", json={"staff_no": CLERK.staff_no, "password": "wrong"})
    name = told.headers["X-Request-Id"]

    def mine() -> list[str]:
        lines = [json.loads(line) for line in caplog.text.splitlines()]
        return [line["event"] for line in lines if line.get("request") == name]

    until = time.monotonic() + 10
    while "request" not in mine() and time.monotonic() < until:  # written when the answer is out
        time.sleep(0.01)
    assert mine() == ["sign-in-refused", "request"]
    other = requests.get(f"{hall.url}/v1/time", headers={"X-Request-Id": "510704199001011234"}, timeout=10)
    assert other.headers["X-Request-Id"] != "510704199001011234"
    assert "510704199001011234" not in caplog.text


def test_a_bug_is_told_counted_and_costs_nobody_else_his_connection(
    hall: Hall, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("510704199001011234")

    with requests.Session() as line, monkeypatch.context() as patched:
        patched.setattr(feed, "positions", broken)
        for _ in range(20):  # a closed connection shows at the next request, not always at the first
            told = line.get(f"{hall.url}/health", timeout=10)
            assert (told.status_code, told.json()["code"]) == (500, "OFFICE-ERROR")
            assert told.headers["X-Request-Id"]
            assert told.headers.get("Connection") != "close"
    assert requests.get(f"{hall.url}/health", timeout=10).ok
    counted = '{"method": "GET", "route": "/health", "status": "500"}'
    assert _samples(hall.url)[f"back_office_requests_total{counted}"] == 20
    assert "510704199001011234" not in caplog.text


def test_a_chain_broken_for_practice_is_no_alarm(hall: Hall, station: Workstation) -> None:
    assert station.push(station.filing(), audit_chain="c", audit=[{"n": "no link"}]).ok
    assert _samples(hall.url)["back_office_audit_chains_broken"] == 1
    hall.execute("UPDATE hall SET practice = true")
    assert _samples(hall.url)["back_office_audit_chains_broken"] == 0
