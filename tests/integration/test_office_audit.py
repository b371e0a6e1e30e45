"""The audit of the workstations at the office: held link by link, verified, searched, never in the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from office_hall import Hall, Workstation, served

from back_office import seals
from back_office.cli import main
from clerk_app.domain.audit_chain import link
from clerk_app.domain.hall_time import HALL_TIME
from clerk_app.domain.ids import uuid7
from clerk_app.sync.protocol import MAX_AUDIT, AuditMessage


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def hall(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with served(tmp_path_factory.mktemp("office") / "data", request.param) as one:
        yield one


@pytest.fixture
def station(hall: Hall) -> Iterator[Workstation]:
    one = hall.workstation()
    yield one
    one.close()


@dataclass(slots=True)
class Chain:
    """The audit of one cache, as the window hashes it."""

    id: str = field(default_factory=uuid7)
    links: list[AuditMessage] = field(default_factory=list)

    @property
    def head(self) -> str:
        return self.links[-1].hash if self.links else ""

    def grow(self, count: int = 1, act: str = "sign-in", actor: str = "1024", **told: str) -> Chain:
        for _ in range(count):
            at = told.get("at") or datetime.now(HALL_TIME).isoformat()
            words = (at, actor, act, told.get("subject", ""), told.get("detail", ""))
            n = len(self.links) + 1
            self.links.append(AuditMessage(n, *words, hash=link(self.head, n, *words)))
        return self

    def sent(self, since: int = 0, until: int | None = None) -> dict[str, Any]:
        """What a push says of the links after `since`."""
        links = [asdict(one) for one in self.links[since:until]]
        return {"audit_chain": self.id, "audit": links, "audit_head": self.head}


def _pushed(station: Workstation, said: dict[str, Any], *, filing: bool = False) -> dict[str, Any]:
    answer = station.push(*([station.filing()] if filing else []), **said)
    assert answer.status_code == 200, answer.text
    assert all(result["status"] == "applied" for result in answer.json()["results"])
    return dict(answer.json())


def _broken(hall: Hall, chain: Chain) -> str | None:
    ((broken,),) = hall.rows(f"SELECT broken FROM audit_chain WHERE chain = '{chain.id}'")
    return str(broken) if broken is not None else None


@pytest.fixture
def office(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> Hall:
    """The command line works on the same office."""
    monkeypatch.setenv("BACK_OFFICE_DATA", str(hall.folder))
    monkeypatch.setenv("BACK_OFFICE_DATABASE", hall.settings.postgresql)
    return hall


def _verdict(station: Workstation, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    capsys.readouterr()
    code = main(["audit", "verify", "--device", station.device.device])
    (line,) = capsys.readouterr().out.splitlines()
    return code, line.split("\t")[4]


def test_links_are_held_and_countersigned(
    office: Hall, station: Workstation, capsys: pytest.CaptureFixture[str]
) -> None:
    chain = Chain().grow(3)
    answer = _pushed(station, chain.sent(), filing=True)
    assert answer["audit_through"] == 3

    key = office.server.office.read(seals.public_keys).seal
    sealed = answer["countersign"]
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(
        bytes.fromhex(sealed["seal"]), sealed["text"].encode()
    )
    told = json.loads(sealed["text"])
    assert (told["what"], told["device"], told["chain"]) == ("head", station.device.device, chain.id)
    assert (told["n"], told["head"]) == (3, chain.head)

    again = _pushed(station, chain.sent())
    assert (again["audit_through"], again["countersign"]) == (3, sealed), "the same links change nothing"
    assert _pushed(station, chain.grow(2).sent(3))["audit_through"] == 5
    assert _verdict(station, capsys) == (0, "ok")


def test_five_hundred_links_at_once_and_the_rest_later(hall: Hall, station: Workstation) -> None:
    chain = Chain().grow(MAX_AUDIT + 10)
    assert _pushed(station, chain.sent(), filing=True)["audit_through"] == MAX_AUDIT
    assert _pushed(station, chain.sent(MAX_AUDIT))["audit_through"] == MAX_AUDIT + 10
    assert _broken(hall, chain) is None


def test_a_window_without_a_chain_is_served_as_before(station: Workstation) -> None:
    answer = _pushed(station, {"audit_head": "ab" * 32}, filing=True)
    assert (answer["audit_through"], answer["countersign"]) == (0, None)


def test_a_changed_link_is_noticed_and_commands_go_on(
    office: Hall, station: Workstation, capsys: pytest.CaptureFixture[str]
) -> None:
    chain = Chain().grow(4)
    chain.links[2] = replace(chain.links[2], act="sign-out")
    answer = _pushed(station, chain.sent(), filing=True)
    assert answer["countersign"] is None
    assert _broken(office, chain) == "link 3 does not follow"
    assert answer["audit_through"] == 4, "what came is evidence too"

    assert _pushed(station, chain.grow().sent(4), filing=True)["audit_through"] == 5
    assert _broken(office, chain) == "link 3 does not follow", "the first bad link stays the first"
    code, trouble = _verdict(station, capsys)
    assert (code, trouble) == (1, "link 3 does not follow")


def test_a_chain_rewritten_from_the_middle_is_noticed(hall: Hall, station: Workstation) -> None:
    chain = Chain().grow(6)
    _pushed(station, chain.sent(), filing=True)
    chain.links = chain.links[:3]
    chain.grow(3, act="nothing-happened")
    _pushed(station, chain.sent(3))
    assert _broken(hall, chain) == "link 4 is not the one held"
    kept = hall.rows(f"SELECT act FROM audit_record WHERE chain = '{chain.id}' AND n = 4")
    assert kept == [("sign-in",)], "what was held stays"


def test_a_chain_grown_again_after_its_tail_was_cut_is_noticed(hall: Hall, station: Workstation) -> None:
    chain = Chain().grow(6)
    _pushed(station, chain.sent(), filing=True)
    chain.links = chain.links[:3]
    chain.grow(5, act="nothing-happened")
    answer = _pushed(station, chain.sent(6), filing=True)
    assert _broken(hall, chain) == "link 7 does not follow"
    assert answer["countersign"] is None


def test_a_shorter_chain_is_noticed_by_its_head(hall: Hall, station: Workstation) -> None:
    chain = Chain().grow(6)
    whole = list(chain.links)
    _pushed(station, chain.sent(), filing=True)
    chain.links = chain.links[:4]
    _pushed(station, chain.sent(6), filing=True)
    assert _broken(hall, chain) == "shorter: ends at link 4, held to 6"
    chain.links = whole
    _pushed(station, chain.sent(6), filing=True)
    assert _broken(hall, chain) is None, "it was an older disk image that is gone again"


def test_commands_of_before_a_restore_come_without_links_and_alarm_nobody(
    hall: Hall, station: Workstation
) -> None:
    """The window heard that eight are held, and sends again the commands this office has lost."""
    chain = Chain().grow(8)
    _pushed(station, chain.sent(0, 4))
    answer = _pushed(station, chain.sent(8) | {"audit_after": 8}, filing=True)
    assert answer["audit_through"] == 4
    assert _broken(hall, chain) == "hole after link 4"
    assert _pushed(station, chain.sent(4) | {"audit_after": 4})["audit_through"] == 8
    assert _broken(hall, chain) is None


def test_who_says_again_that_more_is_held_than_there_is_has_a_shorter_chain(
    hall: Hall, station: Workstation
) -> None:
    chain = Chain().grow(6)
    _pushed(station, chain.sent(), filing=True)
    chain.links = chain.links[:4]
    for _ in range(2):
        _pushed(station, chain.sent(6) | {"audit_after": 99}, filing=True)
    assert _broken(hall, chain) == "shorter: ends at link 4, held to 6"


def test_an_old_push_that_comes_twice_marks_nothing(hall: Hall, station: Workstation) -> None:
    chain = Chain().grow(2)
    command = station.filing()
    old = chain.sent()
    station.push(command, **old)
    _pushed(station, chain.grow(2).sent(2), filing=True)
    assert station.push(command, **old).json()["audit_through"] == 4
    assert _broken(hall, chain) is None


def test_a_hole_is_asked_for_again_before_it_counts(
    office: Hall, station: Workstation, capsys: pytest.CaptureFixture[str]
) -> None:
    """An office restored from a backup holds less than it confirmed; the window sends the rest again."""
    chain = Chain().grow(8)
    _pushed(station, chain.sent(0, 4))
    answer = _pushed(station, chain.sent(6), filing=True)
    assert (answer["audit_through"], answer["countersign"]) == (4, None)
    assert _broken(office, chain) == "hole after link 4"
    assert _pushed(station, chain.sent(4))["audit_through"] == 8
    assert _broken(office, chain) is None
    assert _verdict(station, capsys) == (0, "ok")


def test_a_push_that_has_not_heard_of_the_hole_says_nothing_about_it(
    hall: Hall, station: Workstation
) -> None:
    """The office was restored to link 4; its answer was lost, or the push came twice."""
    chain = Chain().grow(8)
    _pushed(station, chain.sent(0, 4))
    for _ in range(3):
        assert _pushed(station, chain.sent(6) | {"audit_after": 6})["audit_through"] == 4
        assert _broken(hall, chain) == "hole after link 4"
    assert _pushed(station, chain.sent(4) | {"audit_after": 4})["audit_through"] == 8
    assert _broken(hall, chain) is None


def test_a_link_that_never_comes_is_missing(
    office: Hall, station: Workstation, capsys: pytest.CaptureFixture[str]
) -> None:
    chain = Chain().grow(8)
    _pushed(station, chain.sent(0, 4))
    _pushed(station, chain.sent(5))
    answer = _pushed(station, chain.sent(5), filing=True)
    assert (answer["audit_through"], answer["countersign"]) == (8, None)
    assert _verdict(station, capsys) == (1, "link 5 is missing")


@pytest.mark.parametrize(
    "change",
    [
        {"n": 0},
        {"n": 2**60},
        {"n": "second"},
        {"at": "yesterday"},
        {"at": "2026-11-22T08:00:00"},
        {"act": None},
        {"subject": "\ud800"},
        {"detail": "\0"},
        {"detail": "x" * 5000},
        {"hash": "zz" * 32},
        {"hash": ""},
    ],
)
def test_what_is_no_link_spoils_neither_commands_nor_the_links_before_it(
    hall: Hall, station: Workstation, change: dict[str, Any]
) -> None:
    chain = Chain().grow(3)
    said = chain.sent()
    said["audit"][1] |= change
    answer = _pushed(station, said, filing=True)
    assert answer["audit_through"] == 1
    assert _broken(hall, chain) == "link after 1 cannot be read"


def test_a_chain_without_end_is_not_opened(hall: Hall, station: Workstation) -> None:
    for _ in range(64):
        _pushed(station, Chain().grow().sent())
    assert _pushed(station, Chain().grow().sent(), filing=True)["audit_through"] == 0
    assert _pushed(station, {"audit_chain": "../x", "audit": []}, filing=True)["audit_through"] == 0


def test_records_changed_in_the_database_are_found(
    office: Hall, station: Workstation, capsys: pytest.CaptureFixture[str]
) -> None:
    chain = Chain().grow(5, act="card-reveal")
    _pushed(station, chain.sent(), filing=True)
    office.execute(f"UPDATE audit_record SET actor = '2048' WHERE chain = '{chain.id}' AND n = 2")
    assert _verdict(station, capsys) == (1, "link 2 does not follow")
    office.execute(f"UPDATE audit_record SET actor = '1024' WHERE chain = '{chain.id}' AND n = 2")
    assert _verdict(station, capsys) == (0, "ok")

    office.execute(f"DELETE FROM audit_record WHERE chain = '{chain.id}' AND n = 5")
    assert _verdict(station, capsys) == (1, "ends at link 4, held to 5")
    cut = f"n = 4, head = '{chain.links[3].hash}'"
    office.execute(f"UPDATE audit_chain SET {cut} WHERE chain = '{chain.id}'")
    assert _verdict(station, capsys) == (1, "not what the office signed"), "cut with its head"


def test_a_tail_rewritten_before_it_was_sent_is_found_by_the_heads_of_the_pushes(
    office: Hall, station: Workstation, capsys: pytest.CaptureFixture[str]
) -> None:
    chain = Chain().grow(6)
    _pushed(station, chain.sent(0, 3), filing=True)  # the head of link 6 was told, its links were not
    chain.links = chain.links[:3]
    chain.grow(3, act="nothing-happened")
    _pushed(station, chain.sent(3), filing=True)
    assert _verdict(station, capsys) == (1, "the head of an earlier push is of no link")


def test_heads_whose_links_are_still_to_come_are_no_trouble(
    office: Hall, station: Workstation, capsys: pytest.CaptureFixture[str]
) -> None:
    chain = Chain().grow(6)
    _pushed(station, chain.sent(0, 3), filing=True)
    capsys.readouterr()
    assert main(["audit", "verify", "--device", station.device.device]) == 0
    assert capsys.readouterr().out.split("\t")[-1].strip() == "1 heads without their links yet"


def test_the_auditor_finds_who_did_what_and_is_in_the_audit_too(
    office: Hall, station: Workstation, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = station.device.device
    chain = Chain()
    chain.grow(act="reprint", subject="MY01-1", detail="2", at="2026-03-01T09:00:00+08:00")
    chain.grow(act="card-reveal", actor="os:it", detail="印刷故障", at="2026-03-02T09:00:00+08:00")
    chain.grow(act="reprint", actor="2048", subject="MY01-2", at="2026-03-03T09:00:00+08:00")
    _pushed(station, chain.sent(), filing=True)

    def found(*asked: str) -> list[list[str]]:
        capsys.readouterr()
        assert main(["audit", "search", "--device", mine, *asked]) == 0
        return [line.split("\t") for line in capsys.readouterr().out.splitlines()]

    assert [line[4] for line in found()] == ["reprint", "card-reveal", "reprint"]
    assert [line[5] for line in found("--act", "reprint")] == ["MY01-1", "MY01-2"]
    assert [line[3] for line in found("--since", "2026-03-02", "--until", "2026-03-02")] == ["os:it"]
    assert [line[3] for line in found("--until", "2026-03-02")] == ["1024", "os:it"], "all of that day"
    assert [line[3] for line in found("--until", "2026-03-02T09:00")] == ["1024"], "a moment is its end"
    assert [line[5] for line in found("--actor", "2048")] == ["MY01-2"]
    assert [line[6] for line in found("--subject", "MY01-1")] == ["2"]
    assert len(found("--limit", "1")) == 1
    capsys.readouterr()
    main(["audit", "search", "--device", mine, "--json", "--act", "card-reveal"])
    assert json.loads(capsys.readouterr().out)["detail"] == "印刷故障"

    main(["audit", "search", "--act", "audit-search", "--limit", "100000"])
    looks = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert len([line for line in looks if line[5] == mine]) == 8
    assert all(line[2] == "office" and line[3].startswith("os:") for line in looks)


def test_the_office_s_own_acts_are_a_chain_that_verifies(
    office: Hall, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACK_OFFICE_PASSWORD", "another-password")
    assert main(["user", "add", "3072", "--name", "刘洋", "--rights", "call"]) == 0
    assert main(["user", "rights", "3072", "call,void"]) == 0
    assert main(["user", "password", "3072"]) == 0
    assert main(["user", "disable", "3072"]) == 0
    assert main(["user", "enable", "3072"]) == 0
    capsys.readouterr()
    assert main(["audit", "search", "--subject", "3072", "--json"]) == 0
    acts = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["act"] for one in acts] == [
        "user-add",
        "user-rights",
        "user-password",
        "user-disable",
        "user-enable",
    ]
    assert {(one["hall"], one["device"]) for one in acts} == {("MY01", "")}
    assert "刘洋" not in json.dumps(acts, ensure_ascii=False)

    main(["audit", "verify"])
    own = [line for line in capsys.readouterr().out.splitlines() if line.startswith("office\t")]
    assert {line.split("\t")[1] for line in own} == {"MY01", "office"}
    assert {line.split("\t")[4] for line in own} == {"ok"}
    office.execute("UPDATE audit_record SET detail = 'call' WHERE device = '' AND act = 'user-rights'")
    assert main(["audit", "verify"]) == 1


def test_a_search_where_nothing_can_be_found_is_refused_and_leaves_no_chain(
    office: Hall, capsys: pytest.CaptureFixture[str]
) -> None:
    before = office.rows("SELECT device, chain, n FROM audit_chain ORDER BY device, chain")
    assert main(["audit", "search", "--hall", "XX99"]) == 1
    assert "OFFICE-NO-HALL" in capsys.readouterr().err
    assert main(["audit", "search", "--device", "nobody"]) == 1
    assert "OFFICE-NO-DEVICE" in capsys.readouterr().err
    assert office.rows("SELECT device, chain, n FROM audit_chain ORDER BY device, chain") == before
    assert main(["audit", "search", "--hall", "MY01"]) == 0


def test_a_workstation_that_is_enrolled_and_has_done_nothing_can_be_asked_for(
    office: Hall, station: Workstation, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["audit", "search", "--device", station.device.device]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (["--since", "foo"], "a day such as 2026-11-22, or 2026-11-22T08:30"),
        (["--until", "22.11.2026"], "a day such as 2026-11-22, or 2026-11-22T08:30"),
        (["--since", "0001-01-01"], "a day such as"),
        (["--until", "9999-12-31"], "a day such as"),
        (["--limit", "0"], "a number from 1"),
        (["--limit=-5"], "a number from 1"),
        (["--limit", "9" * 30], "a number from 1"),
        (["--limit", "many"], "a number from 1"),
    ],
)
def test_what_no_search_can_mean_is_refused(
    capsys: pytest.CaptureFixture[str], asked: list[str], told: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["audit", "search", *asked])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert told in said
    assert "invalid" not in said


def test_verify_knows_only_devices_with_a_chain(office: Hall, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "verify", "--device", "nobody"]) == 1
    assert "OFFICE-NO-DEVICE" in capsys.readouterr().err


def test_an_audit_that_cannot_be_taken_stops_no_command(
    hall: Hall, station: Workstation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bug(*_: object) -> str:
        raise RuntimeError("a bug of ours")

    monkeypatch.setattr("back_office.audit._countersign", bug)
    chain = Chain().grow(2)
    assert _pushed(station, chain.sent(), filing=True)["audit_through"] == 0
    monkeypatch.undo()
    assert _pushed(station, chain.sent())["audit_through"] == 2
    assert _broken(hall, chain) is None


@pytest.mark.parametrize("name", ["x\0y", "x\ud800y"])
def test_a_chain_whose_name_cannot_be_stored_stops_no_command(station: Workstation, name: str) -> None:
    answer = _pushed(station, {"audit_chain": name, "audit_head": "a" * 64, "audit": []}, filing=True)
    assert [one["status"] for one in answer["results"]] == ["applied"]
    assert answer["audit_through"] == 0
