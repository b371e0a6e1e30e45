"""An office restored from an older backup: it takes back what it is shown, and gives nothing out twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import sqlalchemy as sa
from kept_window import KeptWindow
from office_hall import FILEABLE, ITEMS, KINDS, Workstation
from office_memory import Forgetful, forgetful

from back_office import accounts, catalogue, held, restoring
from back_office.embedded import enrolment_code
from back_office.office import Transaction
from back_office.problems import Refused
from clerk_app.domain.hall_time import HALL_TIME
from clerk_app.domain.numbering import case_number
from clerk_app.failures import Failure


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Forgetful]:
    with forgetful(tmp_path) as one:
        yield one


def _block(station: Workstation, size: int = 20, **changes: Any) -> dict[str, Any]:
    """A block with its lease; the numbers are the station's next ones."""
    block = station.block(size, **changes)
    serials = range(block["low"], block["high"] + 1)
    station.numbers = [case_number(station.device.hall_code, serial) for serial in serials]
    return block


def _statuses(answer: Any) -> list[tuple[str, str]]:
    assert answer.status_code == 200, answer.text
    return [(result["status"], result["code"]) for result in answer.json()["results"]]


def _rows(office: Forgetful, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in office.hall.rows(query)]


def test_fault_08_a_window_sends_again_what_the_backup_had_not_seen(office: Forgetful) -> None:
    station = office.workstation()
    _block(station)
    before = station.filing()
    station.push(before)
    copy = office.backup()
    lost = [station.filing(), station.filing()]
    answers = station.push(*lost).json()["results"]
    office.restore(copy)
    new = station.filing()

    assert station.changes(station.own_scope(), 3).status_code == 410, "cursors of before are not valid"
    gap = station.push(new)
    assert (gap.status_code, gap.json()["expected_seq"]) == (409, 2)
    assert _rows(office, "SELECT low, high, lost FROM gap") == [(2, 3, 0)]
    earlier = [
        {**command, "earlier": {"official_number": answer["data"]["official_number"]}}
        for command, answer in zip(lost, answers, strict=True)
    ]
    again = station.push(*earlier, new)
    assert _statuses(again) == [("applied", "")] * 3
    told = [result["data"]["official_number"] for result in again.json()["results"]]
    assert told[:2] == [answer["data"]["official_number"] for answer in answers], "as it was told the citizen"
    assert int(told[2][-4:]) > restoring.OFFICIAL, "no number of the lost time is given to another"
    numbers = [command["body"]["number"] for command in (before, *lost, new)]
    assert _rows(office, "SELECT number FROM registered_case ORDER BY number") == [
        (n,) for n in sorted(numbers)
    ]


def test_a_lease_given_out_after_the_backup_is_believed(office: Forgetful) -> None:
    station = office.workstation()
    copy = office.backup()
    block = _block(station)
    filed = station.filing()
    station.push(filed)
    office.restore(copy)

    assert _statuses(station.push(filed)) == [("refused", "OFFICE-NUMBER-FOREIGN")]
    other = station.filing()
    assert _statuses(station.push(other, proofs=[block["lease"]])) == [("applied", "")]
    known = _rows(office, f"SELECT low, high, request_no FROM block WHERE device = '{station.device.device}'")
    assert known == [(block["low"], block["high"], 1)]
    asked = {"request_no": 1, "size": 20}
    assert station.ask("POST", "/blocks", json=asked).json() == block, "asked for again: the same block"


def test_a_grant_given_out_after_the_backup_is_believed_here(office: Forgetful) -> None:
    station = office.workstation(signed_in=False)
    copy = office.backup()
    grant = station.sign_in().json()["grant"]
    _block(station)
    office.restore(copy, told=False)
    other = office.workstation(signed_in=False)
    _block(other)

    refused = other.push(other.filing(), proofs=[grant])
    assert _statuses(refused) == [("refused", "OFFICE-OPERATOR")], "the grant of another device"
    _block(station)
    assert _statuses(station.push(station.filing())) == [("refused", "OFFICE-OPERATOR")]
    assert _statuses(station.push(station.filing(), proofs=[grant])) == [("applied", "")]
    assert _statuses(station.push(station.filing())) == [("applied", "")], "once shown, known"
    assert len(_rows(office, "SELECT 1 FROM session WHERE closed_at IS NOT NULL")) == 1
    assert station.call().status_code == 401, "a proof opens no session"


def test_work_of_a_clerk_added_after_the_backup_is_kept_and_marked(office: Forgetful) -> None:
    station = office.workstation()
    _block(station)
    copy = office.backup()
    verifier = accounts.verifier_of("second-person")
    office.hall.server.office.write(lambda tx: accounts.add_user(tx, "MY01", "3001", "陈静", verifier))
    asked = {"staff_no": "3001", "password": "second-person"}
    grant = station.ask("POST", "/session", json=asked).json()["grant"]
    office.restore(copy)
    body = station.case_body(operator="3001")
    filed = station.command("case.file", body, operator="3001")
    (result,) = station.push(filed, proofs=[grant]).json()["results"]
    assert (result["status"], result["data"]["flags"]) == ("applied", ["operator-changed"])
    assert station.ask("POST", "/session", json=asked).status_code == 401, "until IT gives a password"


def test_nothing_given_out_after_the_backup_is_given_out_twice(office: Forgetful) -> None:
    hall, station = office.hall, office.workstation()
    for _ in range(3):
        station.issue()
    code = enrolment_code(hall.settings, window="综合窗口1")
    copy = office.backup()
    lost = {
        "serial": _block(station)["high"],
        "emergency": station.ask(
            "POST", "/blocks", json={"request_no": 9, "size": 500, "kind": "emergency"}
        ).json()["high"],
        "ticket": station.issue().json()["number"],
        "series": office.workstation().device.offline_series,
    }
    Workstation.enrolled(hall.url, code).close()
    office.restore(copy)

    assert station.block(20, request_no=2)["low"] > lost["serial"] + 1000
    emergency = {"request_no": 10, "size": 500, "kind": "emergency"}
    assert station.ask("POST", "/blocks", json=emergency).json()["low"] > lost["emergency"] + 1000
    assert int(station.issue().json()["number"][1:]) > int(lost["ticket"][1:]) + 50
    assert int(office.workstation().device.offline_series[1:]) > int(lost["series"][1:])
    answer = station.ask("POST", "/enrol", json={"code": code, "machine": "PC"})
    assert answer.status_code == 403, "a code that may have been used is over"


def test_epochs_of_the_lost_time_are_passed_over(office: Forgetful) -> None:
    hall, old = office.hall, office.workstation()
    copy = office.backup()

    def again() -> Workstation:
        code = enrolment_code(hall.settings, window="综合窗口12", again=old.device.device)
        one = Workstation.enrolled(hall.url, code)
        office.stations.append(one)
        return one

    lost = again()
    lost.sign_in()
    lease = _block(lost)["lease"]
    filed = lost.filing()
    office.restore(copy)
    assert lost.push(filed).status_code == 401, "its token is forgotten"

    new = again()
    assert new.device.epoch > lost.device.epoch, "so its sequence numbers are not taken for another's"
    new.sign_in()
    assert _statuses(new.push(filed, proofs=[lease])) == [("applied", "")]
    assert again().device.epoch == new.device.epoch + 1

    hall.clock.ahead += timedelta(minutes=3)
    office.restore(copy)
    assert again().device.epoch > new.device.epoch + 1, "the same backup once more gives no epoch again"


def test_a_workstation_that_knows_its_epoch_is_given_a_later_one_by_an_office_nobody_told(
    office: Forgetful, tmp_path: Path
) -> None:
    """Its cache would take no earlier one, and the code would be spent for nothing."""
    window = KeptWindow(office.hall, tmp_path / "window")
    copy = office.backup()
    for _ in range(2):
        window.enrol_here(office.hall, window.device.id)
    lost = window.device.epoch
    office.restore(copy, told=False)
    window.settings = replace(window.settings, office_url=office.hall.url)
    window.enrol_here(office.hall, window.device.id)
    assert window.device.epoch == lost + 1
    code = enrolment_code(office.hall.settings, window="综合窗口12", again=window.device.id)
    refused = requests.post(
        f"{office.hall.url}/v1/enrol", json={"code": code, "machine": "PC", "epoch": 2**31}, timeout=10
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "OFFICE-MALFORMED")


def test_a_workstation_enrolled_after_the_backup_comes_back_under_its_id(office: Forgetful) -> None:
    copy = office.backup()
    lost = office.workstation()
    lease, filed = _block(lost)["lease"], lost.filing()
    office.restore(copy, told=False)
    hall = office.hall
    asked = {"window": "综合窗口12", "again": lost.device.device}
    with pytest.raises(Failure, match="OFFICE-NO-DEVICE"):
        enrolment_code(hall.settings, **asked)
    hall.server.office.write(restoring.restored)
    with pytest.raises(Failure, match="OFFICE-NO-DEVICE"):
        enrolment_code(hall.settings, window="综合窗口12", again="../7")
    new = Workstation.enrolled(hall.url, enrolment_code(hall.settings, **asked))
    office.stations.append(new)
    assert (new.device.device, new.device.epoch > 1) == (lost.device.device, True)
    new.sign_in()
    assert _statuses(new.push(filed, proofs=[lease])) == [("applied", "")], (
        "the number on its slip stays good"
    )


# --- IT forgot to say so -----------------------------------------------------------------------------------


def test_the_first_window_that_is_ahead_gives_a_forgotten_restore_away(office: Forgetful) -> None:
    station, idle = office.workstation(), office.workstation()
    _block(station)
    copy = office.backup()
    lost = _block(station, request_no=7)
    filed = [station.filing(), station.filing()]
    station.push(*filed)
    office.restore(copy, told=False)
    generation = idle.changes("queue:A").json()["generation"]

    assert station.push(station.filing()).status_code == 409
    assert _rows(office, "SELECT cause FROM restoration") == [("sequence",)]
    assert idle.changes("queue:A").json()["generation"] != generation
    assert idle.block(20)["low"] > lost["high"], "before its lease was shown"
    assert station.push(station.filing()).status_code == 409
    assert len(_rows(office, "SELECT cause FROM restoration")) == 1, "once: no window burns numbers by it"
    assert _statuses(station.push(*filed, proofs=[lost["lease"]])) == [("applied", "")] * 2


def test_a_lease_beyond_the_counter_gives_it_away_too(office: Forgetful) -> None:
    station = office.workstation()
    copy = office.backup()
    lost = _block(station)
    office.restore(copy, told=False)
    assert _statuses(station.push(station.filing(), proofs=[lost["lease"]])) == [("applied", "")]
    assert _rows(office, "SELECT cause FROM restoration") == [("lease",)]
    assert station.block(20, request_no=2)["low"] > lost["high"] + 1000


def test_a_lost_lease_whose_request_got_another_block_since_is_taken_back_too(office: Forgetful) -> None:
    station = office.workstation()
    copy = office.backup()
    lost = _block(station, request_no=1)
    filed = station.filing()
    office.restore(copy)
    since = station.block(20, request_no=1)
    assert since["low"] > lost["high"]
    assert _statuses(station.push(filed, proofs=[lost["lease"]])) == [("applied", "")]
    assert station.block(20, request_no=1)["id"] == since["id"]


def test_no_official_number_is_given_out_between_the_proof_and_what_follows_from_it(
    office: Forgetful,
) -> None:
    station, other = office.workstation(), office.workstation()
    _block(other)
    copy = office.backup()
    lost = _block(station)
    theirs = other.filing()
    (told,) = other.push(theirs).json()["results"]
    office.restore(copy, told=False)

    (mine,) = station.push(station.filing(), proofs=[lost["lease"]]).json()["results"]
    assert mine["data"]["official_number"] != told["data"]["official_number"]
    again = {**theirs, "earlier": {"official_number": told["data"]["official_number"]}}
    (kept,) = other.push(again).json()["results"]
    assert kept["data"]["official_number"] == told["data"]["official_number"], "as the citizen was told"


def test_a_proof_is_not_kept_without_what_follows_from_it(
    office: Forgetful, monkeypatch: pytest.MonkeyPatch
) -> None:
    station = office.workstation()
    copy = office.backup()
    lost = _block(station)
    office.restore(copy, told=False)

    def ends(_tx: Transaction, _cause: str) -> bool:
        raise Refused("OFFICE-BUSY", status=503)

    with monkeypatch.context() as patched:
        patched.setattr(restoring, "noticed", ends)
        assert station.push(proofs=[lost["lease"]]).status_code == 503
    assert station.push(proofs=[lost["lease"]]).status_code == 200
    assert _rows(office, "SELECT cause FROM restoration") == [("lease",)]


def test_a_window_that_is_ahead_and_shows_a_lease_is_believed_by_its_lease(office: Forgetful) -> None:
    station = office.workstation()
    copy = office.backup()
    lost = _block(station)
    station.push(station.filing())
    office.restore(copy, told=False)
    assert station.push(station.filing(), proofs=[lost["lease"]]).status_code == 409
    assert _rows(office, "SELECT cause FROM restoration") == [("lease",)]


def test_more_numbers_than_are_passed_over_are_passed_over_when_shown(office: Forgetful) -> None:
    station, other = office.workstation(), office.workstation()
    copy = office.backup()
    for request_no in range(1, 12):
        last = _block(station, 5_000, request_no=request_no)
    office.restore(copy)
    assert last["low"] > restoring.SERIALS
    assert _statuses(station.push(station.filing(), proofs=[last["lease"]])) == [("applied", "")]
    assert other.block(10)["low"] == last["high"] + 1


def test_a_number_leased_twice_registers_one_case_and_calls_a_person_for_the_other(office: Forgetful) -> None:
    """Nobody said so, and the second window asked before the first one showed itself: neither is lost."""
    first, second, third = (office.workstation() for _ in range(3))
    copy = office.backup()
    lost = _block(first)
    office.restore(copy, told=False)
    twice = _block(second)
    assert twice["low"] == lost["low"], "what this test is about"

    mine = first.filing()  # the same number, on two slips
    assert _statuses(first.push(mine, proofs=[lost["lease"]])) == [("applied", "")]
    theirs, next_ = second.filing(), second.filing()
    assert _statuses(second.push(theirs, next_)) == [("refused", "OFFICE-NUMBER-TWICE"), ("applied", "")]
    late = first.filing()
    assert _statuses(first.push(late)) == [("refused", "OFFICE-NUMBER-TWICE")], "whichever comes second"
    assert len(_rows(office, "SELECT 1 FROM registered_case")) == 2
    assert len(_rows(office, "SELECT 1 FROM doubled_block")) == 1
    unused = {"low": lost["low"], "high": lost["high"], "reason": "enrolled again"}
    assert _statuses(first.push(first.command("numbers.void", unused))) == [("applied", "")]
    assert _rows(office, "SELECT 1 FROM void_numbers") == [], "they are the second window's"
    outside = third.filing(number=mine["body"]["number"])
    assert _statuses(third.push(outside)) == [("refused", "OFFICE-NUMBER-FOREIGN")]


# --- what retention took -----------------------------------------------------------------------------------


def test_the_office_goes_on_behind_what_has_left_the_window(office: Forgetful) -> None:
    station = office.workstation()
    _block(station)
    copy = office.backup()
    gone = [station.filing() for _ in range(3)]
    kept = station.filing()  # refused once, say: it stays whatever its age
    more_gone = station.filing()
    station.push(*gone, kept, more_gone)
    office.restore(copy)
    new = station.filing()

    assert station.push(new, purged_through=4).json()["expected_seq"] == 1, "5 is not said to be gone"
    first = station.push(kept, purged_through=5)
    assert _statuses(first) == [("applied", "")]
    assert _statuses(station.push(new, purged_through=5)) == [("applied", "")]
    assert _rows(office, "SELECT low, high FROM gap WHERE lost ORDER BY low") == [(1, 3), (5, 5)]
    assert station.push(kept).json()["results"] == first.json()["results"]
    assert _statuses(station.push(gone[1])) == [("applied", "")], "it comes late after all: not lost"


def test_nothing_is_passed_over_that_the_office_has(office: Forgetful) -> None:
    station = office.workstation()
    _block(station)
    filed = [station.filing() for _ in range(3)]
    answers = station.push(*filed).content
    assert station.push(*filed, purged_through=10**6).content == answers
    new = station.filing()
    assert _statuses(station.push(new, purged_through=10**6)) == [("applied", "")]
    assert _rows(office, "SELECT last_seq FROM device") == [(4,)]
    assert _rows(office, "SELECT 1 FROM gap") == []


# --- visits ------------------------------------------------------------------------------------------------


def test_a_ticket_called_in_the_lost_time_is_not_called_again(office: Forgetful) -> None:
    station = office.workstation()
    station.issue()
    copy = office.backup()
    called = station.call().json()["ticket"]
    done = station.command("ticket.done", station.ticket_body(called))
    issued = station.issue().json()
    unknown = station.command("ticket.no_show", station.ticket_body(issued))
    office.restore(copy)
    results = station.push(done, unknown).json()["results"]
    assert [r["status"] for r in results] == ["applied", "applied"]
    assert results[1]["data"]["ticket"] is None
    assert station.call().json()["ticket"] is None
    later = station.command(
        "ticket.done", station.ticket_body(issued, at=datetime.now(HALL_TIME).isoformat())
    )
    assert station.result(later)["code"] == "OFFICE-TICKET-STATE"


# --- an earlier official number ----------------------------------------------------------------------------


def _day(days: int) -> str:
    return (datetime.now(HALL_TIME) + timedelta(days=days)).strftime("%Y%m%d")


@pytest.mark.parametrize(
    "earlier",
    [
        FILEABLE + _day(1) + "0001",
        FILEABLE + _day(0) + "9999",
        FILEABLE + _day(0) + "0000",
        FILEABLE + "20261345" + "0001",
        "X" + FILEABLE[1:] + _day(-1) + "0001",
        FILEABLE + _day(-1) + "00001",
        7,
        ["x"],
        {"a": 1},
    ],
)
def test_an_earlier_number_that_cannot_be_is_not_given(office: Forgetful, earlier: object) -> None:
    station = office.workstation()
    office.hall.server.office.write(restoring.restored)
    _block(station)
    filed = station.filing() | {"earlier": {"official_number": earlier}}
    (result,) = station.push(filed).json()["results"]
    assert (result["status"], result["data"]["flags"]) == ("applied", ["official-number-changed"])
    assert result["data"]["official_number"] != earlier
    following = station.result(station.filing())["data"]["official_number"]
    assert int(following[-4:]) < 2 * restoring.OFFICIAL, "no window uses up the numbers of an item"


def test_an_earlier_number_needs_a_lost_memory_and_is_given_once(office: Forgetful) -> None:
    station, other = office.workstation(), office.workstation()
    _block(station)
    _block(other)
    yesterday = {"earlier": {"official_number": FILEABLE + _day(-1) + "0007"}}
    (result,) = station.push(station.filing() | yesterday).json()["results"]
    assert result["data"]["flags"] == ["official-number-changed"], "nothing was forgotten here"

    office.hall.server.office.write(restoring.restored)
    (result,) = station.push(station.filing() | yesterday).json()["results"]
    assert result["data"]["official_number"] == yesterday["earlier"]["official_number"]
    (result,) = other.push(other.filing() | yesterday).json()["results"]
    assert result["status"] == "applied", "somebody else's: filed under one of its own"
    assert result["data"]["flags"] == ["official-number-changed"]


def test_restored_leaves_room_on_a_day_of_many_cases(office: Forgetful) -> None:
    office.hall.execute(
        f"INSERT INTO official_serial VALUES ('{FILEABLE}', '{datetime.now(HALL_TIME).date()}', 9001)"
    )
    office.hall.server.office.write(restoring.restored)
    assert _rows(office, f"SELECT last FROM official_serial WHERE item_code = '{FILEABLE}'") == [(9500,)]


def test_a_case_of_an_item_published_after_the_backup_waits_for_the_catalogue(office: Forgetful) -> None:
    station = office.workstation()
    _block(station)
    copy = office.backup()
    changed = [replace(ITEMS[0], version=2), *ITEMS[1:]]
    catalogue.put_in_force(office.hall.server.office, KINDS, changed, "2026.2")
    filed = station.filing(version=2)
    office.restore(copy)
    late = station.filing(version=3)
    answers = _statuses(station.push(filed, late))
    assert answers == [("held", "OFFICE-ITEM-FORGOTTEN"), ("refused", "OFFICE-NO-ITEM")]
    assert held.retry(office.hall.server.office).held == 1
    catalogue.put_in_force(office.hall.server.office, KINDS, changed, "2026.3")
    assert held.retry(office.hall.server.office).applied == 1


def test_a_day_of_many_tickets_is_passed_over_whole(office: Forgetful) -> None:
    station = office.workstation()
    for _ in range(2):
        station.issue()
    busy = sa.text(
        "INSERT INTO ticket SELECT id || n, hall, queue, series, kind, :day, number || n, position, state,"
        ' version, issued_at, "window", called_at, calls, reason FROM ticket,'
        " (WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 150) SELECT n FROM c)"
    ).bindparams(day=(datetime.now(HALL_TIME) - timedelta(days=2)).date().isoformat())
    office.hall.server.office.write(lambda tx: tx.connection.execute(busy))
    office.hall.server.office.write(restoring.restored)
    assert station.issue().json()["number"] == "A303"


def test_who_waited_in_the_backup_is_not_announced_a_second_time(office: Forgetful) -> None:
    station, other = office.workstation(), office.workstation()
    ticket = station.issue().json()
    copy = office.backup()
    assert station.call().json()["ticket"]["id"] == ticket["id"]
    office.restore(copy)
    other.sign_in()
    assert other.call().json()["ticket"] is None
    body = other.ticket_body(ticket)
    assert other.result(other.command("ticket.by_paper", body))["data"]["found"] == "no_show"
    assert _rows(office, "SELECT state FROM ticket") == [("serving",)], "the paper in the hand is still good"
