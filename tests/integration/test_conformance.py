"""The trial of an office: ours keeps every promise, and one that breaks a single one is found out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import breaking_office as ways
import pytest
from breaking_office import Break, Breaking
from office_hall import CLERK, Hall, served

from back_office import app as application
from back_office import embedded
from back_office.cli import contract, main
from back_office.conformance import Access, Bench, Line, promises, run, tried
from back_office.conformance.station import enrol
from back_office.embedded import enrolment_code
from clerk_app.failures import Failure

PROTOCOL = Path(__file__).parents[2] / "docs" / "protocol.md"
BY_NAME = {promise.name: promise for promise in promises()}


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    """An office with somebody in front of it who may break a promise."""

    def behind(settings: Any) -> Any:
        app = application.create_app(settings)
        app.add_middleware(Breaking)
        return app

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(embedded, "create_app", behind)
        with served(tmp_path_factory.mktemp("office") / "data") as one:
            yield one


def _codes(hall: Hall) -> tuple[str, str]:
    """Fresh; what was guessed before is forgotten, or so many trials were kept waiting."""
    hall.execute("DELETE FROM attempt")
    first, second = (enrolment_code(hall.settings, window=window) for window in ("12", "13"))
    return first, second


def _access(hall: Hall) -> Access:
    def renew(device: str) -> str:
        return enrolment_code(hall.settings, window="12", again=device)

    return Access(Line(hall.url), CLERK.staff_no, CLERK.password, _codes(hall), renew)


@pytest.fixture(scope="module")
def bench(hall: Hall) -> Iterator[Bench]:
    one = Bench.made(_access(hall))
    yield one
    one.close()


def test_this_office_keeps_every_promise(hall: Hall) -> None:
    results = list(run(_access(hall), any_hall=True))
    assert [(one.name, one.detail) for one in results if one.outcome == "broken"] == []
    assert [one.name for one in results if one.outcome == "skipped"] == ["held"]
    assert len(results) == len(BY_NAME) > 50, "each has a name of its own"


def test_every_promise_is_a_sentence_of_the_document() -> None:
    text = " ".join(PROTOCOL.read_text(encoding="utf-8").split())
    for promise in promises():
        assert promise.sentence in text, promise.name


def _set(*path: str, to: Any) -> Any:
    """A change of the JSON at `path`."""

    def change(body: Any) -> None:
        for name in path[:-1]:
            body = body[name]
        body[path[-1]] = to

    return change


def _unsealed(name: str) -> Any:
    def change(body: Any) -> None:
        sealed = body[name]
        sealed["text"] = sealed["text"].replace('"what"', '"What"', 1)

    return change


def _lower(body: Any) -> None:
    body["low"] -= 3


def _drop_first(body: Any) -> None:
    body["changes"] = body["changes"][1:]


def _one_fewer(body: Any) -> None:
    if body["changes"]:
        body["changes"] = body["changes"][:-1]


def _no_dels(body: Any) -> None:
    for one in body["changes"]:
        one["op"] = "put"


def _registered(body: Any) -> None:
    for one in body["changes"]:
        if one["kind"] == "case":
            one["data"]["state"] = "registered"


def _of_another(body: Any) -> None:
    if body.get("ticket"):
        body["ticket"]["calls"] = 1


def _not_found(result: dict[str, Any]) -> None:
    result["data"].pop("found", None)


def _refuse(type_: str) -> Break:
    def change(body: Any) -> None:
        for one in body.get("commands", ()):
            if one["type"] == type_:
                one["type"] += "?"

    return ways.request("/sync/push", change)


def _old_refused(body: Any) -> None:
    for one in body.get("commands", ()):
        one["schema"] = 99 if one["schema"] == 1 else one["schema"]


def _small(body: Any) -> None:
    body["size"] = min(max(body.get("size", 500), 1), 5_000)


def _no_audit_no_work(body: Any) -> None:
    for one in body["results"]:
        one.update(status="refused", code="OFFICE-AUDIT")


def _more_links(body: Any) -> None:
    body["audit_through"] += 1


def _no_case_twice(body: Any) -> None:
    for one in body["results"]:
        one["data"]["official_number"] = ways.uuid7()


def _first_only(body: Any) -> None:
    body["results"] = body["results"][:1]


def _doubled(body: Any) -> None:
    body["applied"] += 1


BREAKS: dict[str, Break] = {
    "enrol-once": ways.status("/enrol", 403, 200, {}),
    "device": ways.answer("GET", "/device", _set("window", to="99")),
    "wrong-password": ways.status("/session", 401, 200, {}),
    "device-token": ways.status("/blocks", 401, 200, {}),
    "clerk-session": ways.status("/queues", 401, 200, {}),
    "sign-out": ways.status("/queues", 401, 200, {"ticket": None}),
    "scopes-apart": ways.status("/sync/digest", 403, 200, {}),
    "problems": ways.plain,
    "no-quotes": ways.echo,
    "time": ways.answer("GET", "/time", _set("now", to="2026-11-21T09:30:00")),
    "unknown-fields": ways.strict,
    "document": ways.answer("GET", "/openapi.json", _set("paths", to={})),
    "catalogue": ways.answer("GET", "/catalogue", _set("sha256", to="ab" * 32)),
    "catalogue-range": ways.header(b"range"),
    "upload": ways.everything_whole,
    "upload-again": ways.forgotten_page(),
    "upload-offset": ways.pieces_anywhere,
    "upload-checksum": ways.header(b"upload-checksum"),
    "upload-case": ways.status("/uploads", 409, 201, {}),
    "blocks-same": ways.growing_requests("/blocks"),
    "blocks-apart": ways.answer("POST", "/blocks", _lower),
    "lease": ways.answer("POST", "/blocks", _unsealed("lease")),
    "emergency": ways.request("/blocks", _set("kind", to="case")),
    "blocks-size": ways.request("/blocks", _small),
    "numbers-void": ways.applied("OFFICE-NUMBER-FOREIGN"),
    "push": ways.kept_for_nobody,
    "push-order": _refuse("case.accept"),
    "replay": ways.once_more(),
    "replay-and-more": ways.answer("POST", "/sync/push", _first_only),
    "same-id": ways.answer("POST", "/sync/push", _no_case_twice),
    "gap": ways.wrong_batches,
    "forked": ways.status("/sync/push", 423, 200, {}),
    "fenced-epoch": ways.status("/sync/push", 423, 200, {}),
    "hash": ways.any_hash,
    "poison": ways.spoiled_batches,
    "limits": ways.status("/sync/push", 413, 200, {"last_seq": 0, "results": []}),
    "number-used": ways.applied("OFFICE-NUMBER-USED"),
    "operator": ways.applied("OFFICE-OPERATOR"),
    "void": ways.answer("GET", "/sync/snapshot", _registered),
    "schema-before": ways.request("/sync/push", _old_refused),
    "second-person": ways.applied("OFFICE-OPERATOR"),
    "proofs-passed-over": ways.applied("OFFICE-NUMBER-FOREIGN"),
    "audit": ways.answer("POST", "/sync/push", _more_links),
    "audit-broken": ways.answer("POST", "/sync/push", _no_audit_no_work),
    "changes": ways.answer("GET", "/sync/changes", _drop_first),
    "changes-pages": ways.answer("GET", "/sync/changes", _set("more", to=False)),
    "resync": ways.status("/sync/changes", 410, 200, {}),
    "snapshot": ways.answer("GET", "/sync/changes", _one_fewer),
    "snapshot-stable": ways.unstable(),
    "digest": ways.answer("GET", "/sync/digest", _set("digest", to="0-0000000000000000")),
    "wait-at-once": ways.no_pokes,
    "wait-empty": ways.false_pokes,
    "wait-poked": ways.no_pokes,
    "lost-cards": ways.answer("GET", "/sync/snapshot/lost-cards", _set("changes", to=[{"kind": "x"}])),
    "series": ways.answer("GET", "/queues", _set("series", to=[{"code": "A", "kind": "urgent"}])),
    "issue-same": ways.fresh_requests,
    "call-same": ways.fresh_requests,
    "call-at-once": ways.same_ticket(),
    "own-window": ways.status("/queues", 403, 200, {"ticket": None}),
    "recall": ways.answer("POST", "/queues", _of_another),
    "ticket-void": ways.answer("GET", "/sync/changes", _no_dels),
    "visit": _refuse("ticket.done"),
    "by-paper": ways.results(_not_found),
    "offline-ticket": _refuse("ticket.issued"),
    "purged": ways.request("/sync/push", lambda body: body.pop("purged_through", None)),
    "ahead": ways.status("/sync/push", 409, 409, {"code": "OFFICE-GAP", "detail": "", "expected_seq": 0}),
    "carry-forged": ways.status("/sync/carry", 403, 200, {}),
    "carry": ways.answer("POST", "/sync/carry", _doubled),
    "fenced": ways.status("/blocks", 423, 200, {}),
    "renewed": ways.status("/device", 423, 200, {}),
}
"""A way to break each promise, while the windows are at work."""

AT_ENROLMENT: dict[str, Break] = {
    "enrol-apart": ways.answer("POST", "/enrol", _set("offline_series", to="L1")),
    "grant": ways.answer("POST", "/session", _unsealed("grant")),
}
"""Broken before the windows are at work."""

ENDS = frozenset({"carry", "fenced", "renewed"})
"""The second window, or the first, is fenced by them."""

PROVOKED_BY_NOBODY = frozenset({"held"})


def test_there_is_a_way_to_break_each_promise() -> None:
    assert BREAKS.keys() | AT_ENROLMENT.keys() == BY_NAME.keys() - PROVOKED_BY_NOBODY


@pytest.mark.parametrize("name", [name for name in BREAKS if name not in ENDS])
def test_a_broken_promise_is_found_out(bench: Bench, name: str) -> None:
    """And by nothing else: unbroken, the same windows find it kept."""
    _found_out(bench, name, BREAKS[name])
    assert tried(bench, BY_NAME[name]).outcome == "kept"


@pytest.mark.parametrize("name", sorted(AT_ENROLMENT))
def test_a_promise_broken_at_enrolment_is_found_out(hall: Hall, name: str) -> None:
    Breaking.last.broken = AT_ENROLMENT[name]
    try:
        bench = Bench.made(_access(hall))
    finally:
        Breaking.last.broken = None
    _found_out(bench, name, None)
    bench.close()


@pytest.mark.parametrize("name", sorted(ENDS))
def test_a_promise_broken_at_the_end_is_found_out(hall: Hall, name: str) -> None:
    bench = Bench.made(_access(hall))
    if name == "fenced":
        assert tried(bench, BY_NAME["carry"]).outcome == "kept"
    _found_out(bench, name, BREAKS[name])
    bench.close()


def _found_out(bench: Bench, name: str, broken: Break | None) -> None:
    Breaking.last.broken = broken
    try:
        result = tried(bench, BY_NAME[name])
    finally:
        Breaking.last.broken = None
    assert result.outcome == "broken", result
    assert result.detail
    assert "李小明" not in result.detail


def test_the_command_tells_what_is_broken(
    hall: Hall, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACK_OFFICE_PASSWORD", CLERK.password)
    asked = ["conformance", "--url", hall.url + "/", "--staff-no", CLERK.staff_no, "--only", "time,digest"]
    assert main([*asked, "--any-hall", "--enrol-codes", ",".join(_codes(hall))]) == 0
    told = capsys.readouterr()
    assert re.findall(r"^kept +(\S+)", told.out, re.MULTILINE) == ["time", "digest"]
    assert "2 kept, 0 broken, 0 skipped" in told.err

    Breaking.last.broken = BREAKS["time"]
    try:
        assert main([*asked, "--any-hall", "--json", "--enrol-codes", ",".join(_codes(hall))]) == 1
    finally:
        Breaking.last.broken = None
    told = capsys.readouterr()
    results = json.loads(told.out)
    assert [(one["name"], one["outcome"]) for one in results] == [("time", "broken"), ("digest", "kept")]
    assert results[0]["sentence"] == "Times are ISO 8601 **with** offset."
    assert "OFFICE-CONFORMANCE" in told.err


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"--enrol-codes": "A,B"}, "403 OFFICE-CODE"),
        ({"--enrol-codes": "A"}, "--enrol-codes"),
        ({"--only": "tme"}, "no promise tme"),
        ({"--url": "http://127.0.0.1:9"}, "ConnectionError"),
        ({"--ca": "/nonexist"}, "/nonexist: No such file or directory"),
        ({"--client-certificate": "/nonexist"}, "/nonexist: No such file or directory"),
        ({"--ca": __file__}, f"{__file__}: "),
        ({}, "not a practice hall"),
    ],
)
def test_a_trial_that_cannot_begin_says_why(
    hall: Hall,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, str],
    told: str,
) -> None:
    monkeypatch.setenv("BACK_OFFICE_PASSWORD", CLERK.password)
    codes = "" if "--enrol-codes" in changes else ",".join(_codes(hall))
    asked = {
        "--url": hall.url,
        "--staff-no": CLERK.staff_no,
        "--enrol-codes": codes,
        "--only": "time",
    } | changes
    assert main(["conformance", *(word for pair in asked.items() for word in pair)]) == 1
    said = capsys.readouterr().err
    assert "OFFICE-NOT-TRIED" in said
    assert told in said


def test_certificates_are_looked_at_before_anything_is_asked(
    hall: Hall, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACK_OFFICE_PASSWORD", CLERK.password)
    asked = ["conformance", "--url", "https://127.0.0.1:9", "--staff-no", "1", "--enrol-codes", "A,B"]
    for option in ("--ca", "--client-certificate"):
        assert main([*asked, option, "/nonexist"]) == 1
        assert "/nonexist: No such file or directory" in capsys.readouterr().err


def test_a_hall_at_work_is_left_with_one_workstation_that_is_named(
    hall: Hall, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACK_OFFICE_PASSWORD", CLERK.password)
    before = {row.id for row in hall.rows("SELECT id FROM device")}
    codes = _codes(hall)
    asked = ["conformance", "--url", hall.url, "--staff-no", CLERK.staff_no, "--enrol-codes", ",".join(codes)]
    assert main(asked) == 1
    (left,) = {row.id for row in hall.rows("SELECT id FROM device")} - before
    told = capsys.readouterr().err
    (command,) = re.findall(r"back-office (device revoke .*)$", told, re.MULTILINE)
    assert left in command
    assert "code is used" in told
    assert main(["--data", str(hall.folder), *command.split()]) == 0
    assert enrol(Line(hall.url), codes[1]).ok, "the second is as good as before"


def test_a_trial_leaves_no_alarm_in_a_practice_hall(hall: Hall, capsys: pytest.CaptureFixture[str]) -> None:
    """A run breaks a chain on purpose; `audit verify` once a day would tell of nothing else for ever."""
    verify = ["--data", str(hall.folder), "audit", "verify"]
    bench = Bench.made(_access(hall))
    try:
        assert tried(bench, BY_NAME["audit-broken"]).outcome == "kept"
    finally:
        bench.close()
    hall.execute("UPDATE hall SET practice = true")
    try:
        assert main(verify) == 0
        lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
        mine = {line[4] for line in lines if line[0] == bench.one.device.device}
        assert mine == {"link 1 does not follow (practice)"}
        hall.execute("UPDATE audit_record SET detail = 'x' WHERE device = '' AND n = 1")
        assert main(verify) == 1, "what the office itself did is no trial"
    finally:
        hall.execute("UPDATE hall SET practice = false")
    assert main(verify) == 1
    assert "(practice)" not in capsys.readouterr().out.splitlines()[-1]


def test_a_renewing_command_that_is_not_there_is_named() -> None:
    with pytest.raises(Failure, match="--renew-command: /nonexist: No such file or directory"):
        contract._renewed_by("/nonexist --device {device}")("id")
