"""Who gets in: enrolment once and in time, clerks and their rights, and what every path says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import requests
from office_hall import CLERK, GUIDE, Hall, Workstation, served
from starlette.requests import Request

from back_office import attempts
from back_office.embedded import enrolment_code
from clerk_app import failures


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with served(tmp_path_factory.mktemp("office") / "data") as one:
        yield one


@pytest.fixture(autouse=True)
def _on_time(hall: Hall) -> Iterator[None]:
    yield
    hall.clock.ahead = timedelta()


def _enrol(hall: Hall, code: str) -> requests.Response:
    return requests.post(f"{hall.url}/v1/enrol", json={"code": code, "machine": "PC"}, timeout=10)


def test_a_code_enrols_one_workstation_once(hall: Hall) -> None:
    code = enrolment_code(hall.settings, window="综合窗口07")

    first = _enrol(hall, code.lower())
    assert first.status_code == 200
    assert first.json()["window"] == "综合窗口07"
    assert first.json()["epoch"] == 1

    again = _enrol(hall, code)
    assert (again.status_code, again.json()["code"]) == (403, "OFFICE-CODE")


def test_one_code_sent_at_once_enrols_one_workstation(hall: Hall) -> None:
    code = enrolment_code(hall.settings, window="综合窗口07")
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: _enrol(hall, code).status_code, range(8)))
    assert sorted(answers) == [200] + [403] * 7


def test_a_code_lives_half_an_hour(hall: Hall) -> None:
    code = enrolment_code(hall.settings, window="综合窗口07")
    hall.clock.ahead = timedelta(minutes=31)
    assert _enrol(hall, code).json()["code"] == "OFFICE-CODE"


def test_nothing_secret_is_stored_as_it_is(hall: Hall) -> None:
    code = enrolment_code(hall.settings, window="综合窗口07")
    station = Workstation.enrolled(hall.url, code)
    station.sign_in()
    contents = b"".join(file.read_bytes() for file in hall.folder.glob("office.db*"))
    for secret in (code, station.device.token, station.session, CLERK.password):
        assert secret.encode() not in contents
    station.close()


def test_a_new_epoch_fences_the_old_token(hall: Hall) -> None:
    old = hall.workstation()
    new = Workstation.enrolled(
        hall.url, enrolment_code(hall.settings, window="综合窗口12", again=old.device.device)
    )
    assert (new.device.device, new.device.epoch) == (old.device.device, 2)

    refused = old.ask("GET", "/catalogue")
    assert (refused.status_code, refused.json()["code"]) == (423, "OFFICE-FENCED")
    assert new.ask("GET", "/catalogue").status_code == 200
    old.close()
    new.close()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/session"),
        ("DELETE", "/session"),
        ("POST", "/sync/push"),
        ("GET", "/sync/changes?scope=catalogue&since=0"),
        ("GET", "/sync/wait?scopes=catalogue:0"),
        ("GET", "/sync/snapshot/catalogue"),
        ("GET", "/catalogue"),
        ("GET", "/catalogue/2026.1"),
        ("POST", "/blocks"),
        ("POST", "/queues/A/call"),
        ("POST", "/queues/A/recall"),
        ("POST", "/queues/A/tickets"),
    ],
)
def test_without_a_device_token_nothing_is_answered(hall: Hall, method: str, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer guessed"}):
        answer = requests.request(method, f"{hall.url}/v1{path}", headers=headers, json={}, timeout=10)
        assert (answer.status_code, answer.json()["code"]) == (401, "OFFICE-DEVICE")


def test_rights_are_asked_on_every_call(hall: Hall) -> None:
    station = hall.workstation(signed_in=False)
    assert station.call().status_code == 401

    station.sign_in(GUIDE)
    assert station.issue().status_code == 200
    refused = station.call()
    assert (refused.status_code, refused.json()["code"]) == (403, "OFFICE-RIGHT")

    hall.execute(f"UPDATE staff SET rights = '[]' WHERE staff_no = '{GUIDE.staff_no}'")
    assert station.issue().status_code == 403, "what was taken away is gone at once"
    hall.execute(f"""UPDATE staff SET rights = '["issue"]' WHERE staff_no = '{GUIDE.staff_no}'""")
    station.close()


def test_a_session_belongs_to_its_device_and_ends(hall: Hall) -> None:
    one, other = hall.workstation(), hall.workstation(signed_in=False)
    other.session = one.session
    assert other.call().json()["code"] == "OFFICE-SESSION"

    hall.clock.ahead = timedelta(hours=13)
    assert one.call().json()["code"] == "OFFICE-SESSION"
    hall.clock.ahead = timedelta()
    assert one.call().status_code == 200

    assert one.ask("DELETE", "/session").status_code == 204
    assert one.call().json()["code"] == "OFFICE-SESSION"
    one.close()
    other.close()


def test_a_device_reads_its_own_scopes_only(hall: Hall) -> None:
    one, other = hall.workstation(), hall.workstation()
    for scope in (other.own_scope(), "hall:MY02", "queue:Z", "staff", ""):
        assert one.changes(scope).status_code == 403
        assert one.ask("GET", f"/sync/snapshot/{scope or 'x'}").status_code == 403
    assert one.ask("GET", "/sync/wait", params={"scopes": f"{other.own_scope()}:0"}).status_code == 403
    for scope in (one.own_scope(), "hall:MY01", "queue:A", "catalogue"):
        assert one.changes(scope).status_code == 200
    one.close()
    other.close()


def test_a_window_calls_for_itself_only(hall: Hall) -> None:
    station = hall.workstation()
    answer = station.ask("POST", "/queues/A/call", json={"request_id": "r", "window": "综合窗口01"})
    assert (answer.status_code, answer.json()["code"]) == (403, "OFFICE-WINDOW")
    station.close()


def test_five_wrong_passwords_lock_the_account_even_when_sent_at_once(hall: Hall) -> None:
    station = hall.workstation(signed_in=False)

    def guess(_: int) -> str:
        asked = {"staff_no": GUIDE.staff_no, "password": "wrong-password"}
        headers = {"Authorization": f"Bearer {station.device.token}"}
        answer = requests.post(f"{hall.url}/v1/session", json=asked, headers=headers, timeout=60)
        return str(answer.json()["code"])

    with ThreadPoolExecutor(8) as threads:
        codes = sorted(threads.map(guess, range(8)))
    assert codes == ["OFFICE-LOCKED"] * 3 + ["OFFICE-SIGN-IN"] * 5
    assert station.sign_in(GUIDE).json()["code"] == "OFFICE-LOCKED", "the right one too"

    hall.clock.ahead = timedelta(minutes=16)
    assert station.sign_in(GUIDE).status_code == 200
    station.close()


def test_an_unknown_number_is_answered_as_a_wrong_password(hall: Hall) -> None:
    station = hall.workstation(signed_in=False)
    answer = station.ask("POST", "/session", json={"staff_no": "9999", "password": "whatever-it-is"})
    assert (answer.status_code, answer.json()["code"]) == (401, "OFFICE-SIGN-IN")
    station.close()


def test_problems_never_quote_what_was_sent(hall: Hall) -> None:
    station = hall.workstation()
    answer = station.ask("POST", "/session", json={"staff_no": {"name": "李小明"}, "password": 7})
    assert answer.status_code == 422
    assert answer.json()["code"] == "OFFICE-MALFORMED"
    assert "staff_no" in answer.json()["detail"]
    assert "李小明" not in answer.text
    assert station.ask("GET", "/nothing").json()["code"] == "OFFICE-NO-PATH"
    station.close()


def test_a_body_nobody_should_send_is_refused(hall: Hall) -> None:
    station = hall.workstation()
    answer = station.http.post(f"{hall.url}/v1/blocks", data=b" " * (9 * 1024 * 1024), timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (413, "OFFICE-TOO-LARGE")
    station.close()


def test_the_document_lists_every_path(hall: Hall) -> None:
    document = requests.get(f"{hall.url}/openapi.json", timeout=10).json()
    listed = {(method, path) for path, methods in document["paths"].items() for method in methods}
    assert listed == {
        ("post", "/v1/enrol"),
        ("post", "/v1/recover"),
        ("post", "/v1/sync/carry"),
        ("post", "/v1/session"),
        ("delete", "/v1/session"),
        ("post", "/v1/sync/push"),
        ("get", "/v1/sync/changes"),
        ("get", "/v1/sync/wait"),
        ("get", "/v1/sync/snapshot/{scope}"),
        ("get", "/v1/sync/digest/{scope}"),
        ("get", "/v1/device"),
        ("get", "/v1/catalogue"),
        ("get", "/v1/catalogue/{version}"),
        ("post", "/v1/blocks"),
        ("post", "/v1/queues/{queue}/call"),
        ("post", "/v1/queues/{queue}/recall"),
        ("post", "/v1/queues/{queue}/tickets"),
        ("get", "/v1/queues/{queue}/series"),
        ("post", "/v1/queues/{queue}/tickets/{ticket}/void"),
        ("options", "/v1/uploads"),
        ("post", "/v1/uploads"),
        ("head", "/v1/uploads/{upload_id}"),
        ("patch", "/v1/uploads/{upload_id}"),
        ("post", "/v1/uploads/{upload_id}"),
        ("get", "/v1/time"),
        ("get", "/v1/health"),
        ("get", "/health"),
    }
    schemas = document["components"]["schemas"]
    assert {"CommandMessage", "PushAnswer", "ChangesAnswer", "Problem", "TicketMessage"} <= schemas.keys()
    assert set(schemas["CommandMessage"]["required"]) >= {"seq", "id", "type", "body", "hash"}


def test_time_and_health_answer_anybody(hall: Hall) -> None:
    assert requests.get(f"{hall.url}/health", timeout=10).json()["status"] == "ok"
    assert requests.get(f"{hall.url}/v1/time", timeout=10).json()["now"].endswith("+08:00")


def test_every_code_of_the_office_has_its_texts() -> None:
    known = [code for code in failures.codes() if code.startswith("OFFICE-")]
    assert len(known) > 40
    for code in known:
        for language in ("zh", "en"):
            text = failures.text(code, language)
            assert text.sentence
            assert text.action


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("::ffff:10.1.0.1", "::ffff:10.2.0.2", False),
        ("::ffff:10.1.0.1", "10.1.0.1", True),
        ("2001:db8::1", "2001:db8::2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
    ],
)
def test_who_guesses_keeps_nobody_else_out(one: str, other: str, same: bool) -> None:
    def origin(host: str) -> str:
        return attempts.origin_of(Request({"type": "http", "client": (host, 1)}))

    assert (origin(one) == origin(other)) is same


def test_what_a_wrong_clock_counted_keeps_nobody_out_when_it_is_right_again(hall: Hall) -> None:
    hall.clock.ahead = timedelta(days=1)
    station = hall.workstation(signed_in=False)
    wrong = {"staff_no": GUIDE.staff_no, "password": "wrong-password"}
    for _ in range(5):
        station.ask("POST", "/session", json=wrong)
    for _ in range(10):
        _enrol(hall, "AAAA")
    assert station.sign_in(GUIDE).json()["code"] == "OFFICE-LOCKED"
    assert _enrol(hall, "AAAA").json()["code"] == "OFFICE-ATTEMPTS"
    hall.clock.ahead = timedelta()
    assert _enrol(hall, "AAAA").json()["code"] == "OFFICE-CODE"
    assert station.sign_in(GUIDE).status_code == 200
    station.close()
