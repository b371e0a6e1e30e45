"""Rights on every call the office's own document lists, and a log that tells nothing about anybody."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
from office_hall import CLERK, HALL, Hall, Workstation, served

from back_office import cases, devices, halls
from back_office.embedded import enrolment_code
from back_office.logs import JsonLines

OPEN_TO_ANYBODY = {
    ("post", "/v1/enrol"),
    ("post", "/v1/recover"),
    ("get", "/v1/time"),
    ("get", "/v1/health"),
    ("get", "/health"),
}
FOR_CLERKS = {
    ("post", "/v1/queues/{queue}/call"),
    ("post", "/v1/queues/{queue}/recall"),
    ("post", "/v1/queues/{queue}/tickets"),
    ("post", "/v1/queues/{queue}/tickets/{ticket}/void"),
}
"""Everything else a workstation does by itself, or in commands that carry their clerk."""


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with served(tmp_path_factory.mktemp("office") / "data") as one:
        one.server.office.write(lambda tx: halls.add_hall(tx, "MY02", "另一大厅", "510700"))
        yield one


def _enrolled(hall: Hall, code: str) -> Workstation:
    return Workstation.enrolled(hall.url, enrolment_code(hall.settings, window="综合窗口12", hall=code))


@pytest.fixture
def station(hall: Hall) -> Iterator[Workstation]:
    one = _enrolled(hall, HALL.code)
    one.sign_in()
    yield one
    one.close()


@pytest.fixture
def foreign(hall: Hall) -> Iterator[Workstation]:
    """A workstation of the other hall."""
    one = _enrolled(hall, "MY02")
    yield one
    one.close()


def _operations(hall: Hall) -> dict[tuple[str, str], dict[str, Any]]:
    document = requests.get(f"{hall.url}/openapi.json", timeout=10).json()
    return {
        (method, path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def _asked(hall: Hall, method: str, path: str, **headers: str) -> requests.Response:
    filled = path.replace("{", "").replace("}", "")
    return requests.request(method, hall.url + filled, json={}, headers=headers, timeout=10)


def _code(answer: requests.Response) -> tuple[int, str]:
    """Of a refusal; an answer to HEAD has no body to tell the code."""
    return answer.status_code, answer.json()["code"] if answer.content else ""


def test_every_call_of_the_document_wants_a_device(hall: Hall) -> None:
    operations = _operations(hall)
    closed = operations.keys() - OPEN_TO_ANYBODY
    assert len(closed) > 15
    assert operations.keys() >= OPEN_TO_ANYBODY
    for method, path in sorted(closed):
        for headers in ({}, {"Authorization": "Bearer guessed"}, {"Authorization": "Basic eDp5"}):
            status, code = _code(_asked(hall, method, path, **headers))
            assert (status, code or "OFFICE-DEVICE") == (401, "OFFICE-DEVICE"), (method, path, headers)


def test_every_call_refuses_a_workstation_fenced_or_revoked(hall: Hall) -> None:
    old = _enrolled(hall, HALL.code)
    again = enrolment_code(hall.settings, window="12", again=old.device.device, hall=HALL.code)
    new = Workstation.enrolled(hall.url, again)
    revoked = _enrolled(hall, HALL.code)
    hall.server.office.write(lambda tx: devices.revoke(tx, revoked.device.device))
    for method, path in sorted(_operations(hall).keys() - OPEN_TO_ANYBODY):
        fenced = _asked(hall, method, path, Authorization=f"Bearer {old.device.token}")
        assert fenced.status_code == 423, (method, path)
        ended = _asked(hall, method, path, Authorization=f"Bearer {revoked.device.token}")
        assert ended.status_code == 403, (method, path)
        if ended.content:
            assert ended.json()["code"] == "OFFICE-REVOKED"
    for one in (old, new, revoked):
        one.close()


def test_what_a_clerk_does_wants_a_session(hall: Hall, station: Workstation) -> None:
    token = f"Bearer {station.device.token}"
    for method, path in sorted(_operations(hall).keys() - OPEN_TO_ANYBODY):
        answer = _asked(hall, method, path, Authorization=token)
        wants = answer.status_code == 401
        assert wants == ((method, path) in FOR_CLERKS), (method, path, answer.text)
        guessed = _asked(hall, method, path, Authorization=token, **{"X-Clerk-Session": "guessed"})
        assert (guessed.status_code == 401) == wants, (method, path)
        if wants:
            assert answer.json()["code"] == guessed.json()["code"] == "OFFICE-SESSION"


def test_the_session_of_one_workstation_opens_nothing_at_another(
    hall: Hall, station: Workstation, foreign: Workstation
) -> None:
    for method, path in sorted(FOR_CLERKS):
        headers = {"Authorization": f"Bearer {foreign.device.token}", "X-Clerk-Session": station.session}
        assert _code(_asked(hall, method, path, **headers)) == (401, "OFFICE-SESSION")


def test_another_hall_s_workstation_reads_and_writes_nothing_here(
    hall: Hall, station: Workstation, foreign: Workstation
) -> None:
    filed = station.filing()
    assert station.result(filed)["status"] == "applied"
    ticket = station.issue().json()
    own = station.device.device

    for scope in (f"device:{own}", f"hall:{HALL.code}"):
        for path in (f"/sync/changes?scope={scope}&since=0", f"/sync/wait?scopes={scope}:0"):
            assert _code(foreign.ask("GET", path)) == (403, "OFFICE-SCOPE"), path
        for kind in ("snapshot", "digest"):
            assert _code(foreign.ask("GET", f"/sync/{kind}/{scope}")) == (403, "OFFICE-SCOPE"), kind
    theirs = foreign.ask("GET", "/sync/snapshot/queue:A").json()["changes"]
    assert ticket["id"] not in [change["id"] for change in theirs], "its own queue of that name"

    assert _code(foreign.push(filed, device=own)) == (403, "OFFICE-DEVICE")
    stolen = foreign.command("case.void", {"case_id": filed["body"]["id"], "reason": "x"})
    answer = foreign.push(stolen).json()["results"][0]
    assert (answer["status"], hall.rows(_STATE.format(filed["body"]["id"]))) == ("refused", [("received",)])
    assert _code(foreign.ask("POST", "/session", json=_sign_in(CLERK.password))) == (401, "OFFICE-SIGN-IN")


_STATE = "SELECT state FROM registered_case WHERE id = '{}'"


def _sign_in(password: str) -> dict[str, str]:
    return {"staff_no": CLERK.staff_no, "password": password}


def test_a_day_of_calls_leaves_nothing_about_anybody_in_the_log(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What people are called, their numbers, words, passwords, tokens and codes: in no line, in no figure."""
    told = io.StringIO()
    handler = logging.StreamHandler(told)
    handler.setFormatter(JsonLines())
    loggers = [logging.getLogger(name) for name in ("back_office", "uvicorn", "sqlalchemy")]
    for logger in loggers:
        logger.addHandler(handler)
    level = loggers[0].level
    loggers[0].setLevel(logging.INFO)
    try:
        with served(tmp_path_factory.mktemp("office") / "data") as hall:
            secrets = _a_day(hall, monkeypatch)
            figures = requests.get(f"{hall.url}/metrics", timeout=10).text
    finally:
        loggers[0].setLevel(level)
        for logger in loggers:
            logger.removeHandler(handler)
    lines = [json.loads(line) for line in told.getvalue().splitlines()]
    events = {line["event"] for line in lines}
    assert events >= {"request", "enrolled", "signed-in", "sign-in-refused", "command-held"}, events
    assert events >= {"audit-chain-broken", "recovered", "request"}, events
    for secret in secrets:
        for form in (secret, json.dumps(secret)[1:-1]):
            assert form not in told.getvalue(), secret
            assert form not in figures, secret


def _a_day(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Good and bad calls with everything in them that must not be told; what that was."""
    name, number, phone, word = "欧阳标记", "510704199112121239", "13987654321", "MARKERWORD"
    code = enrolment_code(hall.settings, window="综合窗口12")
    station = Workstation.enrolled(hall.url, code)
    station.sign_in()
    wrong = "wrong-marker-password"
    station.ask("POST", "/session", json=_sign_in(wrong))

    def body(**changes: Any) -> dict[str, Any]:
        made = station.case_body(**changes)
        party = made["applicant"]["party"]
        made["applicant"]["party"] = party | {"name": name, "number": number, "address": word}
        return made | {"form": {"phone": phone}}

    def bug(*_: object) -> None:
        raise RuntimeError(f"{name} {number} {word}")

    assert station.result(station.command("case.file", body()))["status"] == "applied"
    assert station.result(station.command("case.file", body(number=word)))["status"] == "refused"
    bad = station.command("case.file", body(received_at=word))
    assert station.result(bad)["status"] == "refused"
    station.result(station.command(word, {"name": name}, operator=number))
    with monkeypatch.context() as broken:
        broken.setattr(cases, "register", bug)
        assert station.result(station.command("case.file", body()))["status"] == "held"
    link = {"n": 1, "at": "2026-11-22T08:00:00+08:00", "actor": word, "act": word, "subject": number}
    link |= {"detail": name, "hash": "ab" * 32}
    station.push(audit_chain="c1", audit=[link], audit_head="ab" * 32)

    station.issue()
    called = station.call().json()["ticket"]
    station.result(station.command("ticket.by_paper", station.ticket_body(None, ticket_number=word)))
    station.result(station.command("ticket.serving", station.ticket_body(called)))
    for path in (f"/{word}/{number}", f"/catalogue/{word}", f"/sync/snapshot/{word}"):
        station.ask("GET", path)
    station.ask("GET", "/sync/changes", params={"scope": name, "since": number})
    station.ask(word, "/time")
    station.ask("POST", "/sync/carry", json={"envelope": word})
    station.http.post(f"{hall.url}/v1/sync/push", data=f'{{"device": "{name}'.encode(), timeout=10)
    requests.get(f"{hall.url}/v1/time", headers={"User-Agent": word, "X-Request-Id": word}, timeout=10)
    requests.post(f"{hall.url}/v1/enrol", json={"code": word, "machine": name}, timeout=10)

    recovery, _hall = hall.server.office.write(
        lambda tx: devices.new_recovery_code(tx, station.device.device)
    )
    answer = requests.post(f"{hall.url}/v1/recover", json={"code": recovery}, timeout=10).json()
    hall.clock.ahead = timedelta(hours=1)
    station.close()
    keys = [answer["token"], answer["recovery_key"], recovery, code]
    people = [name, number, phone, word, CLERK.name, CLERK.password, wrong, station.session]
    return [*people, station.device.token, *keys]
