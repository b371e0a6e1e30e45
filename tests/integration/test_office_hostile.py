"""A workstation that lies: it is answered, harms nobody but itself, and nothing applied is lost by it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from office_hall import Hall, Workstation, served

from back_office.proofs import MAX_PROOFS
from clerk_app.domain.numbering import case_number
from clerk_app.sync.protocol import command_hash


@pytest.fixture
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with served(tmp_path_factory.mktemp("office") / "data") as one:
        yield one


@pytest.fixture
def station(hall: Hall) -> Iterator[Workstation]:
    one = hall.workstation()
    yield one
    one.close()


def _changed(sealed: dict[str, str], **told: Any) -> dict[str, str]:
    return {**sealed, "text": json.dumps({**json.loads(sealed["text"]), **told})}


def test_a_lease_that_is_not_this_devices_or_was_changed_proves_nothing(
    hall: Hall, station: Workstation
) -> None:
    other = hall.workstation()
    foreign = other.block(10)
    own = station.block(10)
    before = hall.rows("SELECT * FROM block ORDER BY low"), hall.rows("SELECT next_serial FROM hall")
    me = station.device.device
    lies = [
        foreign["lease"],
        _changed(foreign["lease"], device=me),
        _changed(own["lease"], id="another", high=own["high"] + 1_000),
        _changed(own["lease"], id="another", low=1, high=80_000_000),
        {**own["lease"], "seal": "0" * 128, "text": own["lease"]["text"].replace(own["id"], "x" * 36)},
        {**own["lease"], "seal": "no hex"},
        {"text": "[" * 3_000, "seal": "00"},
        {"text": "x" * 100_000, "seal": "00"},
        {"text": '{"what": "lease", "device": 1}', "seal": "00"},
        {"text": "\ud800", "seal": ""},
        {"text": 7},
        "not a table",
        None,
    ]
    stolen = station.filing(number=case_number("MY01", foreign["low"]))
    (result,) = station.push(stolen, proofs=lies).json()["results"]
    assert (result["status"], result["code"]) == ("refused", "OFFICE-NUMBER-FOREIGN")
    after = hall.rows("SELECT * FROM block ORDER BY low"), hall.rows("SELECT next_serial FROM hall")
    assert after == before
    assert hall.rows("SELECT 1 FROM restoration") == []
    other.close()


def test_fault_29_a_grant_replayed_at_another_device_or_forged_grants_nothing(hall: Hall) -> None:
    station, other = hall.workstation(signed_in=False), hall.workstation(signed_in=False)
    grant = other.sign_in().json()["grant"]
    me = station.device.device
    guide = station.command("case.file", station.case_body(operator="2048"), operator="2048")
    lies = [
        grant,
        _changed(grant, device=me),
        {"text": _changed(grant, device=me)["text"], "seal": "ab" * 64},
        _changed(grant, device=me, staff_no="2048", rights=["accept"], not_after="2099-01-01T00:00:00+08:00"),
    ]
    results = station.push(station.filing() | {"seq": 2}, proofs=lies)
    assert results.status_code == 409, "in order, even with proofs"
    first = {**guide, "seq": 1}
    second = station.filing() | {"seq": 2}
    answers = station.push(first, second, proofs=lies).json()["results"]
    assert {(r["status"], r["code"]) for r in answers} == {("refused", "OFFICE-OPERATOR")}
    assert hall.rows(f"SELECT 1 FROM session WHERE device = '{me}'") == []
    station.close()
    other.close()


def test_links_that_are_none_spoil_no_command(station: Workstation) -> None:
    answer = station.push(station.filing(), audit=[None, 7, {"n": None}], audit_chain="c")
    assert answer.json()["results"][0]["status"] == "applied"


def test_ten_thousand_proofs_are_too_many_and_change_nothing(hall: Hall, station: Workstation) -> None:
    lease = station.block(10)["lease"]
    filed = station.filing()
    answer = station.push(filed, proofs=[lease] * 10_000)
    assert (answer.status_code, answer.json()["code"]) == (413, "OFFICE-TOO-LARGE")
    assert station.push(filed, proofs=[lease] * MAX_PROOFS).json()["results"][0]["status"] == "applied"


@pytest.mark.parametrize("through", [10**6, 2**53, 2**200, -1])
def test_a_window_that_says_its_commands_are_gone_skips_only_its_own(
    hall: Hall, station: Workstation, through: int
) -> None:
    filed = [station.filing() for _ in range(3)]
    answers = station.push(*filed).json()["results"]
    far = 10**5
    jump = station.push(station.filing() | {"seq": far}, base_seq=far, purged_through=through)
    assert jump.status_code == (200 if through >= far else 409)
    assert station.push(*filed).json()["results"] == answers, "what was applied is there as before"
    assert len(hall.rows("SELECT 1 FROM registered_case")) == (4 if jump.ok else 3)


@pytest.mark.parametrize("base", [2**53 + 1, 2**63, 2**200, 0, -5])
def test_a_place_that_cannot_be_is_a_gap_and_no_sign_of_a_lost_memory(
    hall: Hall, station: Workstation, base: int
) -> None:
    for purged in (0, 2**300):
        answer = station.push(station.filing() | {"seq": base}, base_seq=base, purged_through=purged)
        assert (answer.status_code, answer.json()["code"]) == (409, "OFFICE-GAP")
    assert hall.rows("SELECT 1 FROM restoration") == []


def test_a_liar_about_its_place_makes_the_office_move_once_a_day_at_most(
    hall: Hall, station: Workstation
) -> None:
    before = hall.rows("SELECT next_serial FROM hall")[0][0]
    waits = station.issue().json()["number"]
    for ahead in (50, 500, 5_000):
        assert station.push(station.filing() | {"seq": ahead}).status_code == 409
    moved = hall.rows("SELECT next_serial FROM hall")[0][0] - before
    assert 0 < moved < 60_000
    assert len(hall.rows("SELECT 1 FROM restoration")) == 1
    assert station.call().json()["ticket"]["number"] == waits, "and sends nobody home"


def _json(station: Workstation, path: str, data: bytes) -> requests.Response:
    """Said to be JSON, or the office would not read it at all."""
    station.http.headers["Content-Type"] = "application/json"
    try:
        return station.ask("POST", path, data=data)
    finally:
        del station.http.headers["Content-Type"]


def _deep(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


@pytest.mark.parametrize("levels", [150, 250, 400, 900, 20_000])
def test_deep_json_is_refused_and_the_queue_goes_on(station: Workstation, levels: int) -> None:
    poison, sound = station.command("case.accept", {"deep": 0}), station.filing()
    body = json.dumps(
        {
            "device": station.device.device,
            "epoch": 1,
            "base_seq": 1,
            "commands": [poison, sound],
        }
    ).replace('{"deep": 0}', '{"deep": ' + _deep(levels) + "}")
    answer = _json(station, "/sync/push", body.encode())
    assert answer.status_code in (200, 400, 422), answer.text
    if answer.status_code == 200:
        assert [r["status"] for r in answer.json()["results"]] == ["refused", "applied"]


@pytest.mark.parametrize("schema", [99, 2**70, -1, 0])
def test_an_unknown_schema_is_refused_alone(station: Workstation, schema: int) -> None:
    odd, sound = station.filing() | {"schema": schema}, station.filing()
    answers = station.push(odd, sound).json()["results"]
    assert [(r["status"], r["code"]) for r in answers] == [
        ("refused", "OFFICE-UNKNOWN-COMMAND"),
        ("applied", ""),
    ]


def test_a_text_the_database_cannot_hold_is_refused_alone(hall: Hall, station: Workstation) -> None:
    odd = station.filing()
    odd["body"]["form"] = {"phone": "138\0"}
    odd["hash"] = command_hash(odd["id"], odd["type"], odd["body"])
    literal = station.filing(form={"path": "C:\\u0000"})
    answers = station.push(odd, literal).json()["results"]
    assert [(r["status"], r["code"]) for r in answers] == [("refused", "OFFICE-MALFORMED"), ("applied", "")]


def test_anothers_held_case_holds_nothing_here(
    hall: Hall, station: Workstation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order within a case is kept for the device that filed it; ids are no way to stop another."""
    from back_office import applying

    victim = hall.workstation()
    filed = victim.filing()
    sound = applying.KINDS["case.accept"]

    def explode(*_: Any) -> dict[str, Any]:
        raise ZeroDivisionError

    monkeypatch.setitem(applying.KINDS, "case.accept", applying.Kind("accept", sound.body, explode))
    body = {"case_id": filed["body"]["id"], "accepted_at": filed["at"]}
    assert station.result(station.command("case.accept", body))["status"] == "held"
    assert victim.result(filed)["status"] == "applied"
    victim.close()


@pytest.mark.parametrize("cursor", ["9" * 5_000, "٣", "", "-1", "1_0", "1e3"])
def test_a_wait_for_no_cursor_is_refused(station: Workstation, cursor: str) -> None:
    answer = station.ask("GET", "/sync/wait", params={"scopes": f"queue:A:{cursor}", "seconds": 0})
    assert (answer.status_code, answer.json()["code"]) == (422, "OFFICE-MALFORMED")


@pytest.mark.parametrize("text", ["\ud800", "a\0b", "", "x" * 65])
def test_a_request_id_nobody_can_keep_is_refused(station: Workstation, text: str) -> None:
    for path, body in (("call", {"window": station.device.window}), ("tickets", {"series": "A"})):
        data = json.dumps({"request_id": text} | body).encode()
        answer = _json(station, f"/queues/A/{path}", data)
        assert (answer.status_code, answer.json()["code"]) == (422, "OFFICE-MALFORMED"), path


@pytest.mark.parametrize("odd", ["1", True, 1.5, None, [1], 10**400])
def test_what_is_no_number_is_refused(station: Workstation, odd: Any) -> None:
    answers = [station.ask("POST", "/blocks", json={"request_no": odd})]
    if odd != 10**400:
        answers += [station.push(epoch=odd), station.push(station.filing() | {"seq": odd}, base_seq=1)]
    for answer in answers:
        assert answer.status_code == 422, answer.text


def test_a_password_of_a_megabyte_is_not_hashed(station: Workstation) -> None:
    answer = station.ask("POST", "/session", json={"staff_no": "1024", "password": "x" * 10**6})
    assert (answer.status_code, answer.json()["code"]) == (422, "OFFICE-MALFORMED")


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("bytes=0-0", 206),
        ("bytes=-1", 206),
        ("bytes=99999999-", 416),
        ("bytes=-0", 416),
        ("bytes=5-2", 200),
        ("bytes=0-1,3-4", 200),
        ("bytes=a-b", 200),
        ("lines=1-2", 200),
        ("bytes=" + "9" * 400 + "-", 200),
    ],
)
def test_an_odd_range_is_the_whole_file_or_a_problem(station: Workstation, asked: str, status: int) -> None:
    answer = station.http.get(f"{station.url}/v1/catalogue/2026.1", headers={"Range": asked}, timeout=30)
    assert answer.status_code == status
    if status == 416:
        assert answer.json()["code"] == "OFFICE-MALFORMED"
        assert answer.headers["Content-Range"].startswith("bytes */")


def test_every_method_of_a_path_is_allowed(station: Workstation) -> None:
    answer = station.ask("PUT", "/session")
    assert (answer.status_code, answer.json()["code"]) == (405, "OFFICE-NO-PATH")
    assert answer.headers["Allow"] == "DELETE, POST"
