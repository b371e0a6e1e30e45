"""Workstations at the office: listed, revoked, recovered; and how often anybody may guess."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import requests
from office_hall import CLERK, GUIDE, Hall, Workstation, served

from back_office import seals
from back_office.cli import main
from back_office.embedded import enrolment_code

BOTH = pytest.mark.parametrize("hall", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def hall(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Hall]:
    database = getattr(request, "param", "sqlite")
    with served(tmp_path_factory.mktemp("office") / "data", database) as one:
        monkeypatch.setenv("BACK_OFFICE_DATA", str(one.folder))
        monkeypatch.setenv("BACK_OFFICE_DATABASE", one.settings.postgresql)
        yield one


@pytest.fixture
def station(hall: Hall) -> Iterator[Workstation]:
    one = hall.workstation()
    yield one
    one.close()


def _typed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert main(list(arguments)) == 0
    return capsys.readouterr().out.strip()


def _post(hall: Hall, path: str, body: dict[str, Any], **headers: str) -> requests.Response:
    return requests.post(f"{hall.url}/v1{path}", json=body, headers=headers, timeout=30)


def _code_of(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_the_list_names_every_workstation(
    hall: Hall, station: Workstation, capsys: pytest.CaptureFixture[str]
) -> None:
    station.result(station.filing())
    one = json.loads(_typed(capsys, "device", "list", "--json"))[0]
    told = (one["id"], one["hall"], one["window"], one["machine"], one["epoch"], one["last_seq"])
    assert told == (station.device.device, "MY01", station.device.window, "TEST-PC", 1, 1)
    assert one["seen_at"]
    assert station.device.device in _typed(capsys, "device", "list")
    assert station.device.device in _typed(capsys, "device", "list", "--hall", "MY01")
    assert main(["device", "list", "--hall", "MY99"]) == 1
    assert "OFFICE-NO-HALL" in capsys.readouterr().err


@BOTH
def test_a_revoked_workstation_is_refused_everywhere(
    hall: Hall, station: Workstation, capsys: pytest.CaptureFixture[str]
) -> None:
    pending = enrolment_code(hall.settings, window="12", again=station.device.device)
    recovery = _typed(capsys, "device", "recovery-code", station.device.device)
    _typed(capsys, "device", "revoke", station.device.device, "--reason", "stolen")

    asked = [
        ("GET", "/catalogue"),
        ("POST", "/session"),
        ("POST", "/sync/push"),
        ("POST", "/blocks"),
        ("GET", "/sync/wait?scopes=catalogue:0"),
    ]
    for method, path in asked:
        assert _code_of(station.ask(method, path, json={})) == (403, "OFFICE-REVOKED"), path
    assert _code_of(_post(hall, "/enrol", {"code": pending, "machine": "PC"})) == (403, "OFFICE-CODE")
    assert _code_of(_post(hall, "/recover", {"code": recovery})) == (403, "OFFICE-CODE")
    assert main(["device", "recovery-code", station.device.device]) == 1
    assert "revoked" in _typed(capsys, "device", "list")

    fresh = enrolment_code(hall.settings, window="12", again=station.device.device)
    back = Workstation.enrolled(hall.url, fresh)
    assert back.device.epoch == 2
    assert back.ask("GET", "/catalogue").status_code == 200, "a code made after it lets it in again"
    assert station.ask("GET", "/catalogue").status_code == 423
    back.close()


@BOTH
def test_revoking_ends_a_parked_wait(
    hall: Hall, station: Workstation, capsys: pytest.CaptureFixture[str]
) -> None:
    scope = station.own_scope()
    cursor = station.changes(scope).json()["to"]
    with ThreadPoolExecutor(1) as thread:
        wait = thread.submit(
            station.ask, "GET", "/sync/wait", params={"scopes": f"{scope}:{cursor}", "seconds": 25}
        )
        while "back_office_parked_waits 1.0" not in requests.get(f"{hall.url}/metrics", timeout=10).text:
            assert not wait.done()
        _typed(capsys, "device", "revoke", station.device.device, "--reason", "sold")
        assert wait.result(10).json()["poke"] == [scope]
    assert station.changes(scope, cursor).status_code == 403


def test_an_unknown_workstation_cannot_be_revoked(hall: Hall, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["device", "revoke", "nobody", "--reason", "x"]) == 1
    assert "OFFICE-NO-DEVICE" in capsys.readouterr().err


@BOTH
def test_a_lost_keyring_is_recovered_once(
    hall: Hall, station: Workstation, capsys: pytest.CaptureFixture[str]
) -> None:
    code = _typed(capsys, "device", "recovery-code", station.device.device)
    answer = _post(hall, "/recover", {"code": code.lower()})
    assert answer.status_code == 200
    told = answer.json()
    wrapped = hall.server.office.read(lambda c: seals.recovery_key(c, station.device.device, 1))
    assert (told["device"], told["recovery_key"]) == (station.device.device, wrapped)
    assert told["recovery_key"] == station.device.recovery_key, "the key that wrapped at enrolment"

    assert _code_of(station.ask("GET", "/catalogue")) == (401, "OFFICE-DEVICE"), "the old token is void"
    station.http.headers["Authorization"] = f"Bearer {told['token']}"
    assert station.result(station.filing())["status"] == "applied", "the same device and epoch"
    assert _code_of(_post(hall, "/recover", {"code": code})) == (403, "OFFICE-CODE")

    acts = _typed(capsys, "audit", "search", "--subject", station.device.device, "--json").splitlines()
    assert [json.loads(line)["act"] for line in acts] == ["enrol", "recovery-code", "recover"]


def test_a_recovery_code_lives_half_an_hour(
    hall: Hall, station: Workstation, capsys: pytest.CaptureFixture[str]
) -> None:
    code = _typed(capsys, "device", "recovery-code", station.device.device)
    hall.clock.ahead = timedelta(minutes=31)
    assert _code_of(_post(hall, "/recover", {"code": code})) == (403, "OFFICE-CODE")


@BOTH
def test_one_recovery_code_sent_at_once_recovers_once(
    hall: Hall, station: Workstation, capsys: pytest.CaptureFixture[str]
) -> None:
    code = _typed(capsys, "device", "recovery-code", station.device.device)
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: _post(hall, "/recover", {"code": code}).status_code, range(6)))
    assert sorted(answers) == [200] + [403] * 5


@BOTH
@pytest.mark.parametrize(("path", "more"), [("/enrol", {"machine": "PC"}), ("/recover", {})])
def test_ten_wrong_codes_of_one_address_are_enough(hall: Hall, path: str, more: dict[str, str]) -> None:
    with ThreadPoolExecutor(4) as threads:
        guesses = threads.map(
            lambda n: _code_of(_post(hall, path, {"code": f"AAAA-BBBB-{n:04d}"} | more)), range(14)
        )
        codes = sorted(code for _, code in guesses)
    assert codes == ["OFFICE-ATTEMPTS"] * 4 + ["OFFICE-CODE"] * 10

    good = enrolment_code(hall.settings, window="12")
    blocked = _post(hall, path, {"code": good} | more)
    assert _code_of(blocked) == (429, "OFFICE-ATTEMPTS")
    assert 1 <= int(blocked.headers["Retry-After"]) <= 900

    elsewhere = {"X-Forwarded-For": "192.0.2.7"}  # as the proxy of this machine tells it
    assert _code_of(_post(hall, path, {"code": "AAAA"} | more, **elsewhere)) == (403, "OFFICE-CODE")
    lied = {"X-Forwarded-For": "192.0.2.8, 192.0.2.9"}
    for _ in range(10):
        _post(hall, path, {"code": "AAAA"} | more, **lied)
        lied["X-Forwarded-For"] = f"192.0.2.{_ + 20}, 192.0.2.9"
    assert _code_of(_post(hall, path, {"code": "AAAA"} | more, **lied)) == (429, "OFFICE-ATTEMPTS")

    hall.clock.ahead = timedelta(minutes=16)
    assert _post(hall, path, {"code": "AAAA"} | more).status_code == 403, "the quarter of an hour is over"


def test_right_codes_count_as_no_failures(hall: Hall) -> None:
    for _ in range(15):
        code = enrolment_code(hall.settings, window="12")
        assert _post(hall, "/enrol", {"code": code, "machine": "PC"}).status_code == 200


def test_addresses_of_one_ipv6_network_are_one_origin(hall: Hall) -> None:
    codes = [
        _code_of(_post(hall, "/recover", {"code": "A"}, **{"X-Forwarded-For": f"2001:db8:1:2::{n:x}"}))
        for n in range(1, 12)
    ]
    assert codes == [(403, "OFFICE-CODE")] * 10 + [(429, "OFFICE-ATTEMPTS")]


def test_guessing_passwords_is_slow_at_one_workstation_too(hall: Hall, station: Workstation) -> None:
    """One wrong password for each of many clerks locks no account."""
    other = hall.workstation(signed_in=False)
    for number in range(10):
        asked = {"staff_no": f"77{number:02d}", "password": "summer-2026"}
        assert _code_of(station.ask("POST", "/session", json=asked)) == (401, "OFFICE-SIGN-IN")
    assert _code_of(station.sign_in(GUIDE)) == (429, "OFFICE-ATTEMPTS")
    assert other.sign_in(CLERK).status_code == 200, "the next window is not disturbed"
    hall.clock.ahead = timedelta(minutes=16)
    assert station.sign_in(GUIDE).status_code == 200
    other.close()


def test_a_new_password_ends_sessions_and_locks(
    hall: Hall,
    station: Workstation,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BACK_OFFICE_PASSWORD", "another-password")
    _typed(capsys, "user", "password", CLERK.staff_no)
    assert _code_of(station.call()) == (401, "OFFICE-SESSION")
    assert _code_of(station.sign_in(CLERK)) == (401, "OFFICE-SIGN-IN")
    asked = {"staff_no": CLERK.staff_no, "password": "another-password"}
    assert station.ask("POST", "/session", json=asked).status_code == 200

    monkeypatch.setenv("BACK_OFFICE_PASSWORD", "short")
    assert main(["user", "password", CLERK.staff_no]) == 1
    assert main(["user", "password", "9999"]) == 1


def test_rights_change_at_once_and_clerks_come_back(
    hall: Hall, station: Workstation, capsys: pytest.CaptureFixture[str]
) -> None:
    _typed(capsys, "user", "rights", CLERK.staff_no, "issue")
    assert _code_of(station.call()) == (403, "OFFICE-RIGHT")
    assert station.issue().status_code == 200
    assert main(["user", "rights", CLERK.staff_no, "fly"]) == 1
    _typed(capsys, "user", "rights", CLERK.staff_no, "issue,call")
    assert station.call().status_code == 200

    _typed(capsys, "user", "disable", CLERK.staff_no)
    assert _code_of(station.call()) == (401, "OFFICE-SESSION")
    listed = _typed(capsys, "user", "list").splitlines()
    assert [line.split("\t")[:3] for line in listed] == [
        ["1024", "王芳", "call,issue"],
        ["2048", "赵敏", "issue"],
    ]
    assert "disabled" in listed[0]
    _typed(capsys, "user", "enable", CLERK.staff_no)
    assert station.sign_in(CLERK).status_code == 200
