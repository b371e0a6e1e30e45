"""Commands go up exactly once: replays, lost answers, gaps, epochs, poison, and what the register accepts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests
import sqlalchemy as sa
from office_hall import CLERK, DATABASES, ENDED, FADING, FILEABLE, GUIDE, PENALTY, Hall, Workstation, served
from sqlalchemy.exc import OperationalError

from back_office import accounts, catalogue, commands
from back_office.embedded import enrolment_code
from back_office.feed import News
from clerk_app.domain.hall_time import HALL_TIME
from clerk_app.domain.ids import uuid7
from clerk_app.domain.numbering import case_number
from clerk_app.sync.protocol import MAX_PUSH_BYTES, command_hash


@pytest.fixture(scope="module", params=DATABASES)
def hall(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with served(tmp_path_factory.mktemp("office") / "data", request.param) as one:
        yield one


@pytest.fixture
def station(hall: Hall) -> Iterator[Workstation]:
    one = hall.workstation()
    yield one
    one.close()


def _registered(hall: Hall, station: Workstation) -> list[Any]:
    return hall.rows(
        f"SELECT number, official_number, state FROM registered_case WHERE device = '{station.device.device}'"
        " ORDER BY number"
    )


def test_a_filed_case_is_registered_numbered_and_routed(hall: Hall, station: Workstation) -> None:
    first, second = station.filing(), station.filing()
    answer = station.push(first, second).json()

    assert answer["last_seq"] == 2
    assert [result["status"] for result in answer["results"]] == ["applied", "applied"]
    data = answer["results"][0]["data"]
    assert data["case_id"] == first["body"]["id"]
    assert data["state"] == "registered"
    assert data["routed_to"] == "绵阳市人社局"
    official, following = (result["data"]["official_number"] for result in answer["results"])
    today = datetime.now(HALL_TIME).strftime("%Y%m%d")
    assert len(official) == 43
    assert official.startswith(FILEABLE + today)
    assert int(following[-4:]) == int(official[-4:]) + 1

    feed = station.changes(station.own_scope()).json()
    assert [change["data"]["official_number"] for change in feed["changes"]] == [official, following]


def test_a_lost_answer_is_asked_for_again_and_comes_byte_for_byte(hall: Hall, station: Workstation) -> None:
    batch = [station.filing() for _ in range(3)]
    first = station.push(*batch)
    before = hall.rows("SELECT count(*) FROM change")

    again = station.push(*batch)

    assert again.content == first.content
    assert len(_registered(hall, station)) == 3
    assert hall.rows("SELECT count(*) FROM change") == before


def test_an_answered_command_comes_again_in_front_of_new_ones(hall: Hall, station: Workstation) -> None:
    old, new = station.filing(), station.filing()
    first = station.push(old).json()["results"]
    both = station.push(old, new).json()
    assert both["results"][0] == first[0]
    assert both["last_seq"] == 2
    assert len(_registered(hall, station)) == 2


def test_the_same_push_on_two_sockets_at_once_is_applied_once(hall: Hall, station: Workstation) -> None:
    for _ in range(5):
        batch = [station.filing() for _ in range(4)]
        twins = [
            Workstation(hall.url, station.device, _another_socket(station), station.session) for _ in range(2)
        ]
        with ThreadPoolExecutor(2) as threads:
            answers = list(threads.map(lambda twin, batch=batch: twin.push(*batch).content, twins))
        assert answers[0] == answers[1]
        for twin in twins:
            twin.close()
    assert len(_registered(hall, station)) == 20


def _another_socket(station: Workstation) -> Any:
    http = requests.Session()
    http.headers["Authorization"] = f"Bearer {station.device.token}"
    return http


def test_a_gap_is_refused_with_the_number_expected(hall: Hall, station: Workstation) -> None:
    station.push(station.filing())
    lost, late = station.filing(), station.filing()

    answer = station.push(late)

    assert answer.status_code == 409
    assert answer.json() == {"code": "OFFICE-GAP", "detail": "", "expected_seq": 2}
    assert station.push(lost, late).json()["last_seq"] == 3


def test_a_push_that_is_not_dense_in_itself_is_told_where_to_go_on(station: Workstation) -> None:
    station.push(station.filing())
    skipping = [station.filing() | {"seq": seq} for seq in (2, 4)]
    answer = station.push(*skipping, base_seq=2)
    assert (answer.status_code, answer.json()["expected_seq"]) == (409, 2)


def test_an_older_epoch_is_fenced_and_its_unsent_work_goes_up_in_the_new_one(hall: Hall) -> None:
    old = hall.workstation()
    sent, unsent = old.filing(), old.filing()
    old.push(sent)
    new = Workstation.enrolled(
        hall.url, enrolment_code(hall.settings, window="综合窗口12", again=old.device.device)
    )
    new.sign_in()

    assert old.push(unsent).status_code == 423
    assert new.push({**unsent, "seq": 1}, epoch=1).status_code == 423

    # Resequenced under the same ids; the one whose answer was lost is not doubled.
    renumbered = [{**sent, "seq": 1}, {**unsent, "seq": 2}]
    results = new.push(*renumbered).json()["results"]
    assert [(r["seq"], r["status"]) for r in results] == [(1, "applied"), (2, "applied")]
    assert len(_registered(hall, new)) == 2
    old.close()
    new.close()


def test_two_workstations_with_one_identity_are_told_apart(hall: Hall, station: Workstation) -> None:
    station.push(station.filing())
    station.next_seq = 1  # a copied disk goes on from where the copy was made
    answer = station.push(station.filing())
    assert (answer.status_code, answer.json()["code"]) == (423, "OFFICE-FORKED")


def test_the_same_id_with_other_contents_is_refused_alone(hall: Hall, station: Workstation) -> None:
    filed = station.filing()
    station.push(filed)
    changed = {**filed, "seq": 2, "body": {**filed["body"], "form": {"phone": "13900000000"}}}
    changed["hash"] = command_hash(changed["id"], changed["type"], changed["body"])
    station.next_seq = 3

    results = station.push(changed, station.filing()).json()["results"]

    assert [(r["status"], r["code"]) for r in results] == [("refused", "OFFICE-HASH"), ("applied", "")]
    same_place = {**changed, "seq": 1}
    told = station.result(same_place)
    assert (told["status"], told["code"]) == ("refused", "OFFICE-HASH")


def test_a_hash_that_does_not_fit_the_body_is_refused(station: Workstation) -> None:
    assert station.result({**station.filing(), "hash": "0" * 64})["code"] == "OFFICE-HASH"


def test_a_poison_command_is_held_and_blocks_nobody(
    hall: Hall, station: Workstation, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = commands.KINDS["case.void"]

    def explode(tx: Any, *_: Any) -> dict[str, Any]:
        tx.connection.execute(sa.text("UPDATE hall SET name = 'half done'"))
        tx.tell(News((station.device.hall_code, station.own_scope()), "case", "half done", 1))
        raise ZeroDivisionError

    monkeypatch.setitem(commands.KINDS, "case.void", commands.Kind("void", sound.body, explode))
    filed = station.filing()
    void = station.command(
        "case.void",
        {
            "case_id": filed["body"]["id"],
            "number": filed["body"]["number"],
            "reason": "材料不全",
            "voided_at": datetime.now(HALL_TIME).isoformat(),
        },
    )
    results = station.push(filed, void, station.filing()).json()
    assert [(r["status"], r["code"]) for r in results["results"]] == [
        ("applied", ""),
        ("held", "OFFICE-ERROR"),
        ("applied", ""),
    ]
    assert results["last_seq"] == 3
    assert hall.rows("SELECT name FROM hall") != [("half done",)], "its savepoint was rolled back"
    told = [change["id"] for change in station.changes(station.own_scope()).json()["changes"]]
    assert len(told) == 2
    assert "half done" not in told
    assert station.result(void)["status"] == "held", "the same place gives the same answer"

    monkeypatch.setitem(commands.KINDS, "case.void", sound)
    again = {**void, "seq": station.next_seq}
    station.next_seq += 1
    assert station.result(again)["status"] == "applied", "held means: not applied, so it may be tried anew"


def test_a_database_that_cannot_work_fails_the_request_and_holds_nothing(
    hall: Hall, station: Workstation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk is nobody's refusal: the same batch goes up when there is room again."""
    sound = commands.KINDS["case.file"]

    def full(*_: Any) -> dict[str, Any]:
        raise OperationalError("INSERT", {}, RuntimeError("database or disk is full"))

    batch = [station.filing(), station.filing()]
    monkeypatch.setitem(commands.KINDS, "case.file", commands.Kind("accept", sound.body, full))
    answer = station.push(*batch)
    assert (answer.status_code, answer.json()["code"]) == (503, "OFFICE-BUSY")
    assert int(answer.headers["Retry-After"]) > 0

    monkeypatch.setitem(commands.KINDS, "case.file", sound)
    assert [r["status"] for r in station.push(*batch).json()["results"]] == ["applied", "applied"]


def test_what_cannot_be_read_or_is_unknown_is_refused_alone(station: Workstation) -> None:
    spoiled = [
        {**station.filing(), "at": "yesterday"},
        {**station.filing(), "at": "2026-11-21T10:00:00"},
        {**station.filing(), "body": [1, 2]},
        {**station.filing(), "operator": "\ud800"},
        {**station.filing(), "id": {"a": 1}},
        {**station.filing(), "id": "a\0b"},
        {**station.filing(), "id": "\ud800" + "x" * 70},
        station.command("case.teleport", {}),
        station.command("case.file", {"number": 1}),
        station.command("case.file", {}, schema=7),
        station.command("case.file", {"form": {"\udfff": "x"}}, hash="0" * 64),
        station.command("case.file", {"form": {"long": "长" * 50_000}}),
        station.filing(received_at="2026-11-21T10:00:00"),
    ]
    good = station.filing()
    answer = station.push(*spoiled, good)

    assert answer.status_code == 200, answer.text
    results = answer.json()["results"]
    assert [r["code"] for r in results[:-1]] == [
        *["OFFICE-MALFORMED"] * 7,
        "OFFICE-UNKNOWN-COMMAND",
        "OFFICE-MALFORMED",
        "OFFICE-UNKNOWN-COMMAND",
        "OFFICE-MALFORMED",
        "OFFICE-TOO-LARGE",
        "OFFICE-MALFORMED",
    ]
    assert [r["data"]["detail"] for r in results[:7]] == ["at", "at", "body", "text", "id", "text", "text"]
    assert [r["id"] for r in results[4:7]] == ["dict", "a?b", "?" + "x" * 63]
    assert results[-1]["status"] == "applied"
    assert station.push(*spoiled, good).content == answer.content


@pytest.mark.parametrize("odd", [5, None, "case.file", [1]])
def test_what_is_no_command_at_all_has_no_place_and_is_refused_with_its_push(
    station: Workstation, odd: Any
) -> None:
    envelope = {"device": station.device.device, "epoch": 1, "base_seq": 1, "commands": [odd]}
    answer = station.ask("POST", "/sync/push", json=envelope)
    assert (answer.status_code, answer.json()["code"]) == (422, "OFFICE-MALFORMED")
    assert station.push(station.filing()).json()["results"][0]["status"] == "applied"


def test_a_push_that_is_too_long_is_refused_whole_and_changes_nothing(station: Workstation) -> None:
    many = [station.command("case.void", {}) for _ in range(101)]
    answer = station.push(*many)
    assert (answer.status_code, answer.json()["code"]) == (413, "OFFICE-TOO-LARGE")

    station.next_seq = 1
    heavy = [station.command("case.void", {"long": "x" * (MAX_PUSH_BYTES // 5)}) for _ in range(6)]
    assert station.push(*heavy).status_code == 413

    station.next_seq = 1
    alone = station.command("case.void", {"long": "x" * (MAX_PUSH_BYTES + 1)})
    assert station.result(alone)["code"] == "OFFICE-TOO-LARGE", "one alone gets an answer and never blocks"


def test_a_push_in_another_devices_name_is_refused(hall: Hall, station: Workstation) -> None:
    other = hall.workstation()
    answer = station.push(station.filing(), device=other.device.device)
    assert (answer.status_code, answer.json()["code"]) == (403, "OFFICE-DEVICE")
    other.close()


# --- what the register accepts ---------------------------------------------------------------------------


def test_a_number_must_be_of_a_block_of_this_device(hall: Hall, station: Workstation) -> None:
    other = hall.workstation()
    foreign = other.number()
    assert station.result(station.filing(number=foreign))["code"] == "OFFICE-NUMBER-FOREIGN"
    assert station.result(station.filing(number=case_number("MY01", 90_000_000)))["code"] == (
        "OFFICE-NUMBER-FOREIGN"
    )
    other.close()


def test_a_number_must_be_whole_and_of_this_hall(station: Workstation) -> None:
    number = station.number()
    wrong = number[:-1] + ("A" if number[-1] != "A" else "B")
    assert station.result(station.filing(number=wrong))["code"] == "OFFICE-NUMBER"
    assert station.result(station.filing(number=case_number("MY02", 1)))["code"] == "OFFICE-NUMBER"
    assert station.result(station.filing(number=number.lower()))["code"] == "OFFICE-NUMBER"


def test_a_number_is_used_once_even_when_its_case_is_void(hall: Hall, station: Workstation) -> None:
    filed = station.filing()
    case, number = filed["body"]["id"], filed["body"]["number"]
    now = datetime.now(HALL_TIME).isoformat()
    void = station.command(
        "case.void", {"case_id": case, "number": number, "reason": "材料不全", "voided_at": now}
    )
    results = station.push(filed, void, station.filing(number=number)).json()["results"]
    assert [r["status"] for r in results] == ["applied", "applied", "refused"]
    assert results[1]["data"]["state"] == "void"
    assert results[2]["code"] == "OFFICE-NUMBER-USED"
    ((_, _, state),) = _registered(hall, station)
    assert state == "void"
    versions = [c["version"] for c in station.changes(station.own_scope()).json()["changes"]]
    assert versions == [1, 2]


@pytest.mark.parametrize(
    ("item", "version", "code"),
    [
        (PENALTY, 1, "OFFICE-ITEM-NOT-FILEABLE"),
        (ENDED, 1, "OFFICE-ITEM-NOT-IN-FORCE"),
        (FILEABLE, 2, "OFFICE-NO-ITEM"),
        ("nothing", 1, "OFFICE-NO-ITEM"),
    ],
)
def test_only_an_item_in_force_and_filed_on_application_is_registered(
    station: Workstation, item: str, version: int, code: str
) -> None:
    assert station.result(station.filing(item=item, version=version))["code"] == code


def test_a_refused_case_uses_no_official_number(hall: Hall, station: Workstation) -> None:
    before = station.result(station.filing())["data"]["official_number"]
    filed = station.filing()
    station.push(filed)
    number = filed["body"]["number"]
    assert station.result(station.filing(number=number))["code"] == "OFFICE-NUMBER-USED"
    after = station.result(station.filing())["data"]["official_number"]
    assert int(after[-4:]) == int(before[-4:]) + 2


def test_a_case_filed_before_its_item_was_retired_is_registered_and_marked(
    hall: Hall, station: Workstation
) -> None:
    filed_offline = station.filing(item=FADING)
    hall.server.office.write(lambda tx: catalogue.retire(tx, FADING))
    too_late = station.filing(item=FADING)

    results = station.push(filed_offline, too_late).json()["results"]

    assert (results[0]["status"], results[0]["data"]["flags"]) == ("applied", ["item-changed"])
    assert results[1]["code"] == "OFFICE-ITEM-NOT-IN-FORCE"


def test_receive_then_accept_then_void_until_it_is_decided(hall: Hall, station: Workstation) -> None:
    body = station.case_body()
    case, number = body["id"], body["number"]
    now = datetime.now(HALL_TIME).isoformat()
    accept = {"case_id": case, "accepted_at": now}
    void = {"case_id": case, "number": number, "reason": "申请人撤回", "voided_at": now}

    assert station.result(station.command("case.accept", accept))["code"] == "OFFICE-NO-CASE"
    assert station.result(station.command("case.file", body))["status"] == "applied"
    assert station.result(station.command("case.accept", accept))["status"] == "applied"
    assert station.result(station.command("case.accept", accept))["code"] == "OFFICE-CASE-STATE"
    hall.execute(f"UPDATE registered_case SET decided_at = '2026-11-21 00:00:00' WHERE id = '{case}'")
    assert station.result(station.command("case.void", void))["code"] == "OFFICE-CASE-DECIDED"
    assert station.result(station.command("case.void", {**void, "case_id": uuid7()}))["code"] == (
        "OFFICE-NO-CASE"
    )


def test_a_case_accepted_on_the_spot_says_when(station: Workstation) -> None:
    now = datetime.now(HALL_TIME).isoformat()
    assert station.result(station.filing(legal_state="accepted"))["code"] == "OFFICE-CASE-DATES"
    assert station.result(station.filing(legal_state="accepted", accepted_at=now))["status"] == "applied"


def test_a_command_carries_a_clerk_who_signed_in_here(hall: Hall, station: Workstation) -> None:
    never = station.filing(operator=GUIDE.staff_no)
    assert station.result({**never, "operator": GUIDE.staff_no})["code"] == "OFFICE-OPERATOR"
    station.sign_in(GUIDE)
    no_right = station.filing(operator=GUIDE.staff_no)
    assert station.result({**no_right, "operator": GUIDE.staff_no})["code"] == "OFFICE-OPERATOR"
    two_names = {**station.filing(operator=GUIDE.staff_no), "operator": CLERK.staff_no}
    assert station.result(two_names)["code"] == "OFFICE-OPERATOR"
    late = (datetime.now(HALL_TIME) + timedelta(hours=73)).isoformat()
    assert station.result({**station.filing(), "at": late})["code"] == "OFFICE-OPERATOR"


def test_work_of_a_clerk_disabled_meanwhile_is_kept_and_marked(hall: Hall, station: Workstation) -> None:
    hall.server.office.write(lambda tx: accounts.disable_user(tx, "MY01", CLERK.staff_no))
    try:
        result = station.result(station.filing())
        assert (result["status"], result["data"]["flags"]) == ("applied", ["operator-changed"])
        assert station.sign_in().json()["code"] == "OFFICE-SIGN-IN"
        assert station.call().json()["code"] == "OFFICE-SESSION"
    finally:
        hall.execute("UPDATE staff SET disabled_at = NULL")


def test_the_head_of_the_audit_chain_is_kept(hall: Hall, station: Workstation) -> None:
    station.push(station.filing(), audit_head="a" * 64)
    station.push(station.filing(), audit_head="b" * 64)
    kept = hall.rows(f"SELECT seq, head FROM audit_head WHERE device = '{station.device.device}'")
    assert kept == [(1, "a" * 64), (2, "b" * 64)]


def test_logs_hold_nothing_personal(
    hall: Hall, station: Workstation, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("INFO", "back_office")

    def explode(_tx: Any, _sender: Any, body: Any, _flags: Any) -> dict[str, Any]:
        raise KeyError(body.applicant.party.name)

    kind = commands.KINDS["case.file"]
    monkeypatch.setitem(commands.KINDS, "case.file", commands.Kind("accept", kind.body, explode))
    assert station.result(station.filing())["status"] == "held"
    monkeypatch.undo()
    caplog.set_level("INFO", "back_office")
    station.push(station.filing(number="李小明"))

    said = json.dumps([vars(record) for record in caplog.records], default=str, ensure_ascii=False)
    assert "command-held" in said
    for personal in ("李小明", "510704199001011234", "13800000000", "涪城区", CLERK.name):
        assert personal not in said


@pytest.mark.parametrize(
    ("kind", "number", "source"),
    [
        ("passport", "L898902C3", "mrz"),
        ("mainland_travel_permit", "H12345678", "mrz"),
        ("travel_document", "D23145890734", "mrz"),
        ("passport", "L898902C3", "typed"),
        ("social_security", "51070419890604123X", "card"),
    ],
)
def test_a_case_of_any_document_is_registered(
    hall: Hall, station: Workstation, kind: str, number: str, source: str
) -> None:
    filing = station.filing()
    party = filing["body"]["applicant"]["party"]
    party |= {"kind": kind, "number": number, "source": source, "nationality": "UTO", "birth": None}
    party["typed_reason"] = "机读区磨损" if source == "typed" else ""
    filing["hash"] = command_hash(filing["id"], filing["type"], filing["body"])
    answer = station.push(filing).json()["results"][0]
    assert (answer["status"], answer["data"]["state"]) == ("applied", "registered")
    kept = json.loads(
        hall.rows(f"SELECT filing FROM registered_case WHERE id = '{filing['body']['id']}'")[0][0]
    )
    assert {key: kept["applicant"]["party"][key] for key in ("kind", "source", "nationality")} == {
        "kind": kind,
        "source": source,
        "nationality": "UTO",
    }


def test_a_source_or_kind_the_office_does_not_know_is_refused(station: Workstation) -> None:
    filing = station.filing()
    filing["body"]["applicant"]["party"]["source"] = "hearsay"
    filing["hash"] = command_hash(filing["id"], filing["type"], filing["body"])
    assert station.push(filing).json()["results"][0]["code"] == "OFFICE-MALFORMED"


def test_the_numbers_of_a_batch_go_on_after_refusals_and_in_the_next_batch(
    hall: Hall, station: Workstation
) -> None:
    """The counter is locked and read once a batch; what a refused command took back is not counted."""

    def last() -> int:
        return int(hall.rows(f"SELECT last FROM official_serial WHERE item_code = '{FILEABLE}'")[0].last)

    first = station.filing()
    station.result(first)
    before = last()
    taken = station.filing(number=first["body"]["number"])  # takes a serial, then gives it back
    batch = [taken, station.filing(), station.filing(item=PENALTY), station.filing(), station.filing()]
    results = station.push(*batch).json()["results"]
    statuses = [result["status"] for result in results]
    assert statuses == ["refused", "applied", "refused", "applied", "applied"]
    official = [result["data"]["official_number"] for result in results if result["status"] == "applied"]
    assert [int(number[-4:]) for number in official] == [before + 1, before + 2, before + 3]
    assert last() == before + 3
    following = station.result(station.filing())["data"]["official_number"]
    assert int(following[-4:]) == last() == before + 4
