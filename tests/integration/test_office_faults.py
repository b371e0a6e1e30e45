"""The office's side of the table of faults, one name each; what surrounds them is in the files beside this.

8: test_office_restored. 23: test_office_queue. 29, hostile: test_office_hostile. 30: test_office_offline.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from office_hall import CLERK, DATABASES, FADING, ITEMS, KINDS, Hall, Workstation, prepared, served

from back_office import accounts, catalogue, feed
from back_office.embedded import OfficeServer, enrolment_code
from clerk_app.domain.numbering import case_number


@pytest.fixture(params=DATABASES)
def hall(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with served(tmp_path_factory.mktemp("office") / "data", request.param) as one:
        yield one


@pytest.fixture
def station(hall: Hall) -> Iterator[Workstation]:
    one = hall.workstation()
    yield one
    one.close()


def _statuses(answer: requests.Response) -> list[tuple[str, str]]:
    assert answer.status_code == 200, answer.text
    return [(result["status"], result["code"]) for result in answer.json()["results"]]


def _twin(station: Workstation) -> Workstation:
    """The same identity on another socket, or on a copied disk."""
    http = requests.Session()
    http.headers["Authorization"] = f"Bearer {station.device.token}"
    numbers = list(station.numbers)
    return Workstation(station.url, station.device, http, station.session, station.next_seq, numbers)


def test_fault_02_a_lost_answer_is_replayed_and_doubles_nothing(hall: Hall, station: Workstation) -> None:
    batch = [station.filing() for _ in range(3)]
    first = station.push(*batch)
    feeds = hall.rows("SELECT count(*) FROM change")
    assert [station.push(*batch).content for _ in range(3)] == [first.content] * 3
    assert hall.rows("SELECT count(*) FROM registered_case") == [(3,)]
    assert hall.rows("SELECT count(*) FROM change") == feeds


def test_fault_03_the_same_push_on_two_sockets_at_once_is_applied_once(
    hall: Hall, station: Workstation
) -> None:
    twins = [_twin(station), _twin(station)]
    for _ in range(5):
        batch = [station.filing() for _ in range(3)]
        with ThreadPoolExecutor(2) as threads:
            answers = list(threads.map(lambda twin, batch=batch: twin.push(*batch), twins))
        assert answers[0].content == answers[1].content
        assert _statuses(answers[0]) == [("applied", "")] * 3
    assert hall.rows("SELECT count(*) FROM registered_case") == [(15,)]
    for twin in twins:
        twin.close()


def test_fault_04_batches_out_of_order_leave_no_hole(hall: Hall, station: Workstation) -> None:
    first, second, third = ([station.filing(), station.filing()] for _ in range(3))
    station.push(*first)
    late = station.push(*third)
    assert (late.status_code, late.json()["expected_seq"]) == (409, 3)
    assert _statuses(station.push(*second)) == [("applied", "")] * 2
    assert _statuses(station.push(*third)) == [("applied", "")] * 2
    assert station.push(*first).json()["last_seq"] == 6, "an old one that comes once more moves nothing"
    assert hall.rows("SELECT last_seq FROM device") == [(6,)]


SERVER = """
import os, signal, sys
from pathlib import Path
from back_office import commands
from back_office.embedded import OfficeServer

written = commands._write
def dying(*arguments):
    written(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)
commands._write = dying
with OfficeServer(Path(sys.argv[1])) as server:
    print(server.url, flush=True)
    sys.stdin.read()
"""


def test_fault_07_an_office_killed_in_a_push_did_all_of_it_or_nothing(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "data")
    with OfficeServer(folder) as server:
        station = Workstation.enrolled(server.url, enrolment_code(folder, window="综合窗口12"))
        station.sign_in()
        batch = [station.filing() for _ in range(10)]
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        station.url = process.stdout.readline().strip()
        with pytest.raises(requests.ConnectionError):
            station.push(*batch)
        assert process.wait(10) == -signal.SIGKILL
    with OfficeServer(folder) as server:
        station.url = server.url
        own = station.changes(station.own_scope()).json()
        assert own["changes"] == [], "killed before its commit: nothing of it"
        assert _statuses(station.push(*batch)) == [("applied", "")] * 10
        assert len(station.changes(station.own_scope()).json()["changes"]) == 10
    station.close()


def test_fault_08_a_window_ahead_of_the_office_has_it_healed(hall: Hall, station: Workstation) -> None:
    """On both databases, by rows taken away; with real backups in test_office_restored."""
    grant = station.sign_in().json()["grant"]
    block = station.block(20)
    station.numbers = [case_number("MY01", serial) for serial in range(block["low"], block["high"] + 1)]
    filed = [station.filing() for _ in range(3)]
    answers = station.push(*filed).json()["results"]
    for table in ("change", "registered_case", "delivery", "command", "block", "session", "official_serial"):
        hall.execute(f"DELETE FROM {table}")
    hall.execute("UPDATE device SET last_seq = 0")
    hall.execute("UPDATE hall SET next_serial = 1")

    new = station.filing()
    assert station.push(new).json()["expected_seq"] == 1
    earlier = [
        {**command, "earlier": {"official_number": answer["data"]["official_number"]}}
        for command, answer in zip(filed, answers, strict=True)
    ]
    again = station.push(*earlier, new, proofs=[grant, block["lease"]])
    assert _statuses(again) == [("applied", "")] * 4
    told = [result["data"]["official_number"] for result in again.json()["results"]]
    assert told[:3] == [answer["data"]["official_number"] for answer in answers]
    assert len(set(told)) == 4
    assert station.block(20, request_no=2)["low"] > block["high"]


def test_fault_09_of_two_copies_of_a_disk_one_goes_on(hall: Hall, station: Workstation) -> None:
    station.push(station.filing())
    twin = _twin(station)
    assert _statuses(station.push(station.filing())) == [("applied", "")]
    forked = twin.push(twin.filing())
    assert (forked.status_code, forked.json()["code"]) == (423, "OFFICE-FORKED")

    code = enrolment_code(hall.settings, window="综合窗口12", again=station.device.device)
    new = Workstation.enrolled(hall.url, code)
    new.sign_in()
    for old in (station, twin):
        assert old.push(old.filing()).json()["code"] == "OFFICE-FENCED"
        assert old.ask("POST", "/blocks", json={"request_no": 77, "size": 1}).status_code == 423
    assert _statuses(new.push(new.filing())) == [("applied", "")]
    twin.close()
    new.close()


@pytest.mark.parametrize("kind", ["case", "emergency"])
def test_fault_22_a_block_asked_for_twice_is_one_block(hall: Hall, station: Workstation, kind: str) -> None:
    asked = {"request_no": 4, "size": 30, "kind": kind}

    def ask(_: int) -> dict[str, object]:
        twin = _twin(station)
        found: dict[str, object] = twin.ask("POST", "/blocks", json=asked).json()
        twin.close()
        return found

    with ThreadPoolExecutor(4) as threads:
        blocks = list(threads.map(ask, range(8)))
    assert all(block == blocks[0] for block in blocks)
    assert hall.rows("SELECT count(*) FROM block") == [(1,)]


def test_fault_27_a_cursor_below_the_log_takes_the_snapshot_and_commands_go_on(
    hall: Hall, station: Workstation
) -> None:
    station.push(station.filing())
    unsent = [station.filing(), station.filing()]
    hall.clock.ahead = timedelta(days=1)
    hall.server.office.write(lambda tx: feed.trim(tx.connection, tx.now))
    assert station.changes(station.own_scope()).json()["code"] == "OFFICE-RESYNC"
    snapshot = station.ask("GET", f"/sync/snapshot/{station.own_scope()}").json()
    assert [change["kind"] for change in snapshot["changes"]] == ["case"]
    assert _statuses(station.push(*unsent)) == [("applied", "")] * 2
    following = station.changes(station.own_scope(), snapshot["seq"]).json()
    assert len(following["changes"]) == 2


def test_fault_28_a_case_filed_under_a_version_replaced_since_is_registered_and_marked(
    hall: Hall, station: Workstation
) -> None:
    changed, retired = station.filing(), station.filing(item=FADING)
    catalogue.put_in_force(hall.server.office, KINDS, [replace(ITEMS[0], version=2), *ITEMS[1:3]])
    answers = station.push(changed, retired, station.filing()).json()["results"]
    assert [(r["status"], r["data"].get("flags")) for r in answers[:2]] == [
        ("applied", ["item-changed"]),
        ("applied", ["item-changed"]),
    ]
    assert answers[2]["code"] == "OFFICE-ITEM-NOT-IN-FORCE", "received after the change"
    versions = hall.rows("SELECT DISTINCT item_version FROM registered_case")
    assert versions == [(1,)], "the version at the moment of filing"


def test_fault_29_work_of_a_clerk_disabled_meanwhile_is_kept_and_marked(
    hall: Hall, station: Workstation
) -> None:
    offline = station.filing()
    hall.server.office.write(lambda tx: accounts.disable_user(tx, "MY01", CLERK.staff_no))
    (result,) = station.push(offline).json()["results"]
    assert (result["status"], result["data"]["flags"]) == ("applied", ["operator-changed"])
    assert station.sign_in().status_code == 401
    hall.clock.ahead = timedelta(days=4)
    late = station.filing() | {"at": (hall.clock()).isoformat()}
    assert _statuses(station.push(late)) == [("refused", "OFFICE-OPERATOR")], "the grant was over"
