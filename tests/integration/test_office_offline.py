"""What a window did without the office, and what it was given for that beforehand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from office_hall import DATABASES, GUIDE, Hall, Workstation, served

from back_office import accounts, seals
from back_office.embedded import enrolment_code
from clerk_app.domain.hall_time import HALL_TIME
from clerk_app.domain.ids import uuid7
from clerk_app.domain.numbering import FIRST_EMERGENCY, case_number
from clerk_app.sync.protocol import SCHEMA, Sealed, command_hash
from clerk_app.sync.seals import read_seal


@pytest.fixture(params=DATABASES)
def hall(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with served(tmp_path_factory.mktemp("office") / "data", request.param) as one:
        yield one


@pytest.fixture
def station(hall: Hall) -> Iterator[Workstation]:
    one = hall.workstation()
    yield one
    one.close()


def _now(ahead: timedelta = timedelta()) -> str:
    return (datetime.now(HALL_TIME) + ahead).isoformat()


def _again(hall: Hall, station: Workstation) -> Workstation:
    code = enrolment_code(hall.settings, window="综合窗口12", again=station.device.device)
    new = Workstation.enrolled(hall.url, code)
    new.sign_in()
    return new


# --- keys and statements -----------------------------------------------------------------------------------


def test_enrolment_gives_the_keys_and_a_series_no_other_epoch_has(hall: Hall, station: Workstation) -> None:
    other, new = hall.workstation(), _again(hall, station)
    series = [one.device.offline_series for one in (station, other, new)]
    assert len(set(series)) == 3
    assert all(one.startswith("L") and one[1:].isdigit() for one in series)
    keys = {(one.device.seal_key, one.device.export_key) for one in (station, other, new)}
    assert len(keys) == 1
    recovery = {one.device.recovery_key for one in (station, other, new)}
    assert len(recovery) == 3, "one a device and epoch"
    known = hall.server.office.read(lambda c: seals.recovery_key(c, station.device.device, 1))
    assert known == station.device.recovery_key
    other.close()
    new.close()


def test_the_device_hears_what_the_office_has_it_as(hall: Hall, station: Workstation) -> None:
    told = station.ask("GET", "/device").json()
    enrolled = {name: getattr(station.device, name) for name in told}
    assert told == enrolled
    assert "recovery_key" not in told
    hall.execute("UPDATE device SET \"window\" = '综合窗口3', offline_series = ''")
    told = station.ask("GET", "/device").json()
    assert told["window"] == "综合窗口3"
    assert told["offline_series"], "one enrolled before there were series gets its own now"
    assert station.ask("GET", "/device").json() == told


def test_a_sign_in_brings_a_signed_grant(station: Workstation) -> None:
    answer = station.sign_in().json()
    told = read_seal(station.device.seal_key, Sealed(**answer["grant"]))
    assert (told["what"], told["device"], told["staff_no"]) == ("grant", station.device.device, "1024")
    assert told["rights"] == answer["rights"]
    assert datetime.fromisoformat(told["not_after"]) == datetime.fromisoformat(answer["not_after"])


def test_time_tells_the_schema(station: Workstation) -> None:
    assert station.ask("GET", "/time").json()["schema"] == SCHEMA


# --- numbers -----------------------------------------------------------------------------------------------


def test_emergency_blocks_are_told_by_their_numbers(hall: Hall, station: Workstation) -> None:
    asked = {"request_no": 90, "size": 500, "kind": "emergency"}
    block = station.ask("POST", "/blocks", json=asked).json()
    assert (block["low"], block["high"], block["kind"]) == (
        FIRST_EMERGENCY,
        FIRST_EMERGENCY + 499,
        "emergency",
    )
    assert station.ask("POST", "/blocks", json=asked).json() == block, "lost answer, same block"
    lease = read_seal(station.device.seal_key, Sealed(**block["lease"]))
    assert (lease["what"], lease["low"], lease["kind"]) == ("lease", FIRST_EMERGENCY, "emergency")
    filed = station.filing(number=case_number("MY01", FIRST_EMERGENCY + 7))
    assert station.result(filed)["status"] == "applied"


def test_ordinary_numbers_end_where_the_emergency_ones_begin(hall: Hall, station: Workstation) -> None:
    hall.execute(f"UPDATE hall SET next_serial = {FIRST_EMERGENCY - 500}")
    assert station.block(500)["high"] == FIRST_EMERGENCY - 1
    answer = station.ask("POST", "/blocks", json={"request_no": 9, "size": 1})
    assert (answer.status_code, answer.json()["code"]) == (409, "OFFICE-NUMBERS-USED-UP")


def test_the_rest_of_an_old_block_is_explained_once(hall: Hall, station: Workstation) -> None:
    block = station.block(10, request_no=50)
    low, high = block["low"], block["high"]
    used = station.filing(number=case_number("MY01", low + 3))
    station.push(used)
    new = _again(hall, station)
    void = new.command("numbers.void", {"low": low, "high": high, "reason": "epoch"}, operator="")
    assert new.result(void) | {"seq": 0} == {
        "seq": 0,
        "id": void["id"],
        "status": "applied",
        "code": "",
        "data": {"void": 9},
    }
    assert new.result(new.command("numbers.void", void["body"], operator=""))["data"] == {"void": 0}
    told = [tuple(row) for row in hall.rows("SELECT low, high, reason FROM void_numbers ORDER BY low")]
    assert told == [(low, low + 2, "epoch"), (low + 4, high, "epoch")]

    # A slip that is in somebody's hand weighs more than the explanation: registered, and marked.
    late = new.result(new.filing(number=case_number("MY01", low + 5)))
    assert (late["status"], late["data"]["flags"]) == ("applied", ["number-declared-void"])
    new.close()


@pytest.mark.parametrize("body", [{"low": 1}, {"low": -(2**70)}, {"high": 2**70}, {"reason": " "}])
def test_only_what_was_leased_here_is_void(hall: Hall, station: Workstation, body: dict[str, Any]) -> None:
    hall.workstation().block(5)
    block = station.block(10)
    void = {"low": block["low"], "high": block["high"], "reason": "epoch"} | body
    assert station.result(station.command("numbers.void", void))["status"] == "refused"
    assert hall.rows("SELECT * FROM void_numbers") == []


# --- tickets -----------------------------------------------------------------------------------------------


def _issued(station: Workstation, digits: str = "001", **changes: Any) -> dict[str, Any]:
    series = station.device.offline_series
    body = {"ticket_id": uuid7(), "number": f"{series}{digits}", "series": series, "issued_at": _now()}
    return station.command("ticket.issued", body | {"queue": "A"} | changes)


def test_a_ticket_issued_offline_waits_behind_the_others(hall: Hall, station: Workstation) -> None:
    online = station.issue().json()["number"]
    paper = _issued(station)
    assert station.result(paper)["data"] == {"ticket": paper["body"]["ticket_id"], "state": "waiting"}
    after = station.issue().json()["number"]
    called = [station.call().json()["ticket"]["number"] for _ in range(3)]
    assert called == [online, paper["body"]["number"], after]
    (change,) = [
        change
        for change in station.changes("queue:A").json()["changes"]
        if change["id"] == paper["body"]["ticket_id"] and change["version"] == 1
    ]
    assert (change["data"]["series"], change["data"]["state"]) == (station.device.offline_series, "waiting")


def test_a_ticket_of_yesterday_is_recorded_and_called_by_nobody(hall: Hall, station: Workstation) -> None:
    paper = _issued(station, issued_at=_now(-timedelta(days=1)))
    assert station.result(paper)["data"]["state"] == "no_show"
    assert station.call().json()["ticket"] is None
    assert station.changes("queue:A").json()["changes"] == []


def test_a_visit_by_paper_finds_the_ticket_issued_offline(hall: Hall, station: Workstation) -> None:
    paper = _issued(station)
    served = station.ticket_body(None, ticket_number=paper["body"]["number"])
    by_paper = station.command("ticket.by_paper", served)
    done = station.command("ticket.done", served)
    results = station.push(paper, by_paper, done).json()["results"]
    assert [r["status"] for r in results] == ["applied"] * 3
    assert (results[1]["data"]["ticket"], results[1]["data"]["found"]) == (
        paper["body"]["ticket_id"],
        "waiting",
    )
    assert hall.rows("SELECT state FROM ticket") == [("done",)]


def test_a_number_of_another_series_or_twice_is_refused(hall: Hall, station: Workstation) -> None:
    other = hall.workstation()
    foreign = other.device.offline_series
    assert station.result(_issued(station))["status"] == "applied"
    refused = [
        _issued(station),
        _issued(station, series=foreign, number=f"{foreign}002"),
        _issued(station, series="A", number="A001"),
        _issued(station, "0001"),
        _issued(station, "٠٠٢"),
    ]
    answers = station.push(*refused).json()["results"]
    assert {(r["status"], r["code"]) for r in answers} == {("refused", "OFFICE-TICKET-STATE")}
    assert station.result(_issued(station, "003", queue="Z"))["code"] == "OFFICE-NO-QUEUE"
    other.close()


# --- schemas, and the second person ------------------------------------------------------------------------


def _void(station: Workstation, filed: dict[str, Any], **changes: Any) -> dict[str, Any]:
    body = {"case_id": filed["body"]["id"], "number": filed["body"]["number"], "reason": "撤回"}
    return station.command("case.void", body | {"voided_at": _now()} | changes)


def test_fault_30_commands_of_the_schema_before_are_applied_a_newer_one_is_not(station: Workstation) -> None:
    old = station.command("case.file", station.case_body(), schema=1)
    void = _void(station, old) | {"schema": 1}
    newer = station.command("case.file", station.case_body(), schema=SCHEMA + 1)
    early = station.command("numbers.void", {"low": 1, "high": 2, "reason": "epoch"}, schema=1)
    results = station.push(old, void, newer, early).json()["results"]
    assert [(r["status"], r["code"]) for r in results] == [
        ("applied", ""),
        ("applied", ""),
        ("refused", "OFFICE-UNKNOWN-COMMAND"),
        ("refused", "OFFICE-UNKNOWN-COMMAND"),
    ]


def _add(hall: Hall, staff_no: str, *rights: str) -> None:
    verifier = accounts.verifier_of("second-person")
    hall.server.office.write(
        lambda tx: accounts.add_user(tx, "MY01", staff_no, "陈静", verifier, rights=rights)
    )


def _sign_in(station: Workstation, staff_no: str) -> None:
    station.ask("POST", "/session", json={"staff_no": staff_no, "password": "second-person"})


def test_a_void_without_the_office_keeps_who_approved_it(hall: Hall, station: Workstation) -> None:
    _add(hall, "3001", "void")
    filed = station.filing()
    station.push(filed)
    assert station.result(_void(station, filed, approved_by="3001"))["code"] == "OFFICE-OPERATOR", (
        "never signed in at this window"
    )
    _sign_in(station, "3001")
    result = station.result(_void(station, filed, approved_by="3001"))
    assert (result["status"], result["data"]["flags"]) == ("applied", ["second-person"])
    ((by, flags),) = hall.rows("SELECT void_approved_by, flags FROM registered_case")
    assert (by, json.loads(flags)) == ("3001", ["second-person"])


def test_nobody_approves_alone_or_without_the_right(hall: Hall, station: Workstation) -> None:
    _add(hall, "3002", "accept")
    _sign_in(station, "3002")
    station.sign_in(GUIDE)
    station.sign_in()
    filed = station.filing()
    station.push(filed)
    for who in ("1024", "3002", GUIDE.staff_no, "nobody"):
        assert station.result(_void(station, filed, approved_by=who))["code"] == "OFFICE-OPERATOR", who
    smuggled = _void(station, filed, approved_by="1024") | {"operator": "3002", "schema": 1}
    assert station.result(smuggled)["code"] == "OFFICE-OPERATOR", "schema 1 knows no second person"


# --- digests -----------------------------------------------------------------------------------------------


def test_the_digest_is_that_of_the_snapshot_and_moves_with_every_fact(
    hall: Hall, station: Workstation
) -> None:
    seen = set()
    for act in (station.issue, station.issue, station.call):
        act()
        snapshot = station.ask("GET", "/sync/snapshot/queue:A").json()
        told = station.ask("GET", "/sync/digest/queue:A").json()
        assert {name: told[name] for name in ("scope", "generation", "seq", "digest")} == {
            name: snapshot[name] for name in ("scope", "generation", "seq", "digest")
        }
        assert told["count"] == len(snapshot["changes"])
        seen.add(told["digest"])
    assert len(seen) == 3
    assert station.ask("GET", "/sync/digest/device:somebody").status_code == 403


def test_a_hash_still_covers_the_body_as_it_was_sent(station: Workstation) -> None:
    filed = station.filing()
    station.push(filed)
    void = _void(station, filed) | {"schema": 1}
    upcast = command_hash(void["id"], void["type"], void["body"] | {"approved_by": ""})
    assert station.result(void | {"hash": upcast})["code"] == "OFFICE-HASH"


def test_old_tombstones_go_and_young_ones_stay(hall: Hall, station: Workstation) -> None:
    """Also behind a clock that was set back: the floor stops at the first change that is not old."""
    from back_office import feed

    for _ in range(2):
        ticket = station.issue().json()["id"]
        void = {"request_id": uuid7(), "reason": "not_needed"}
        station.ask("POST", f"/queues/A/tickets/{ticket}/void", json=void)
    hall.clock.ahead = timedelta(days=89)
    trim = lambda tx: feed.trim(tx.connection, tx.now - feed.KEEP)  # noqa: E731
    assert hall.server.office.write(trim) == 0
    ops = [change["op"] for change in station.changes("queue:A").json()["changes"]]
    assert ops == ["put", "del"] * 2

    old = datetime(2020, 1, 1, tzinfo=HALL_TIME)
    late = sa.text("UPDATE change SET at = :at WHERE scope = 'queue:A' AND seq = 4").bindparams(
        sa.bindparam("at", old, sa.DateTime(timezone=True))
    )
    hall.server.office.write(lambda tx: tx.connection.execute(late))
    hall.server.office.write(trim)
    assert len(station.changes("queue:A").json()["changes"]) == 4
    hall.clock.ahead = timedelta(days=91)
    hall.server.office.write(trim)
    assert station.changes("queue:A").status_code == 410
    assert station.ask("GET", "/sync/snapshot/queue:A").json()["changes"] == []
