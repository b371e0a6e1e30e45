"""Commands go up in order, each is applied exactly once, and its answer is the same for ever."""

from __future__ import annotations

from typing import Any

from back_office.conformance.bench import Bench
from back_office.conformance.promises import CannotTry, Chapter, answered, expect, refused
from back_office.conformance.station import Station, now
from clerk_app.domain.audit_chain import link
from clerk_app.domain.ids import uuid7
from clerk_app.domain.numbering import case_number
from clerk_app.sync.protocol import MAX_COMMANDS, MAX_PUSH_BYTES, SCHEMA, command_hash

chapter = Chapter()
promise = chapter.promise


def _ready(bench: Bench) -> Station:
    """The first window, at the end of what the office has, with an item."""
    bench.fileable()
    bench.one.settle()
    return bench.one


def _cases(station: Station) -> list[str]:
    return [one["id"] for one in station.snapshot(station.scope)["changes"] if one["kind"] == "case"]


@promise("push", "A user's act becomes a **command** with an id made at the window (UUIDv7)")
def _push(bench: Bench) -> None:
    station = _ready(bench)
    filed = station.filing()
    (result,) = station.applied(filed)
    expect(bool(result["data"].get("official_number")), "no 办件编号 in the result")
    told = station.snapshot(station.scope)["changes"]
    case = [one["data"] for one in told if one["id"] == filed["body"]["id"]]
    expect(len(case) == 1, "the case is not in the scope of the device")
    expect(case[0]["official_number"] == result["data"]["official_number"], "two official numbers")


@promise("push-order", "Commands go up in order; each is applied **exactly once**")
def _push_order(bench: Bench) -> None:
    station = _ready(bench)
    filed = station.filing()
    accepted = {"case_id": filed["body"]["id"], "accepted_at": now()}
    station.applied(filed, station.command("case.accept", accepted))


@promise("replay", "its answer is stored and replayed byte for byte.")
def _replay(bench: Bench) -> None:
    station = _ready(bench)
    commands = station.filing(), station.filing(number="MY0100000000X")
    first = station.push(*commands)
    answered(first)
    cases = _cases(station)
    for _ in range(2):
        again = station.push(*commands)
        expect(again.content == first.content, "the same commands again, another answer")
    expect(_cases(station) == cases, "the same commands again, another case")


@promise(
    "replay-and-more",
    "Known sequence numbers are answered from the store; new ones may follow in the same batch.",
)
def _replay_and_more(bench: Bench) -> None:
    station = _ready(bench)
    known = station.filing()
    before = station.results(known)
    both = station.results(known, station.filing())
    expect(both[0] == before[0], "a known sequence number has another answer beside a new one")
    expect(both[1]["status"] == "applied", "a new command behind a known one is not applied")


@promise("same-id", "one that had been applied gets its stored answer.")
def _same_id(bench: Bench) -> None:
    station = _ready(bench)
    filed = station.filing()
    (first,) = station.applied(filed)
    station.next_seq += 1
    (again,) = station.applied(filed | {"seq": filed["seq"] + 1})
    expect(again["data"] == first["data"], "the same id under another sequence number has another answer")


@promise("gap", "send again from `expected_seq`")
def _gap(bench: Bench) -> None:
    station = _ready(bench)
    expected = station.next_seq
    commands = [station.filing() for _ in range(3)]
    cases = _cases(station)
    for batch in ([commands[0], commands[2]], [commands[1], commands[2]], [commands[1], commands[0]]):
        problem = refused(station.push(*batch), 409, "OFFICE-GAP")
        expect(problem["expected_seq"] == expected, f"expected_seq is not {expected}")
    expect(_cases(station) == cases, "something of a refused batch was applied")
    station.applied(*commands)


@promise("forked", "stop; two workstations have one identity")
def _forked(bench: Bench) -> None:
    station = _ready(bench)
    station.applied(station.filing())
    twin = station.filing() | {"seq": station.next_seq - 2}
    refused(station.push(twin), 423, "OFFICE-FORKED")
    station.settle()
    station.applied(station.filing())


@promise("fenced-epoch", "everything of an older epoch is fenced (423).")
def _fenced_epoch(bench: Bench) -> None:
    station = _ready(bench)
    for epoch in (station.device.epoch - 1, station.device.epoch + 1):
        refused(station.push(epoch=epoch), 423, "OFFICE-FENCED")
    refused(station.push(device=bench.two.device.device), 403)


@promise(
    "hash",
    "A command whose hash is not that of its contents, or whose id came with another one, is refused alone.",
)
def _hash(bench: Bench) -> None:
    station = _ready(bench)
    wrong = station.filing()
    wrong["hash"] = "0" * 64
    right = station.filing()
    results = station.results(wrong, right)
    expect([one["status"] for one in results] == ["refused", "applied"], "a wrong hash is not refused alone")
    body = right["body"] | {"situations": {"other": "contents"}}
    changed = right | {"body": body, "hash": command_hash(right["id"], "case.file", body)}
    (again,) = station.results(changed)
    expect(again["status"] == "refused", "a known id with other contents is not refused")
    (stored,) = station.results(right)
    expect(stored == results[1], "the stored answer was changed by other contents")


@promise("poison", "a rule says no; nothing was applied; the sequence number is used")
def _poison(bench: Bench) -> None:
    station = _ready(bench)
    before, after = station.filing(), station.filing()
    odd: list[dict[str, Any]] = [
        station.command("case.fly", {}),
        station.command("case.accept", {"case_id": uuid7(), "accepted_at": "yesterday"}),
        station.command("case.accept", {"case_id": uuid7(), "accepted_at": now()}),
        station.filing() | {"schema": SCHEMA + 97},
        station.filing() | {"at": "2026-11-21T09:30:00"},
        station.filing() | {"body": "no table"},
    ]
    commands = [before, *odd, after]
    for place, one in enumerate(commands):
        one["seq"] = before["seq"] + place
    results = station.results(*commands)
    told = [one["status"] for one in results]
    expect(
        told == ["applied", *["refused"] * len(odd), "applied"], "one that cannot be applied spoils others"
    )
    expect(all(one.get("code") for one in results[1:-1]), "a refused command has no code")


@promise(
    "limits",
    "(413 asks for less; a single command always gets an answer of its own).",
)
def _limits(bench: Bench) -> None:
    station = _ready(bench)
    first = station.next_seq
    many = [station.command("case.fly", {}) for _ in range(MAX_COMMANDS + 1)]
    refused(station.push(*many), 413)
    long = "长" * (MAX_PUSH_BYTES // 3)
    large = [station.command("case.fly", {"long": long}, seq=first + place) for place in range(2)]
    refused(station.push(*large), 413)
    (alone,) = station.results(large[0])
    expect(alone["status"] == "refused", "a command that is too large has no answer of its own")
    station.settle()


@promise("number-used", "from a block of this device and unused")
def _number_used(bench: Bench) -> None:
    station = _ready(bench)
    filed = station.filing()
    station.applied(filed)
    twice = station.filing(number=filed["body"]["number"])
    foreign = station.filing(number=bench.two.number())
    nobody = station.filing(number=case_number(station.device.hall_code, 89_999_999))
    torn = station.filing(number=filed["body"]["number"][:-1] + "?")
    for one in station.results(twice, foreign, nobody, torn):
        expect(one["status"] == "refused", "a number that is not this window's to give is taken")


@promise("operator", "A command is checked against the clerk who signed in **at this device**")
def _operator(bench: Bench) -> None:
    station = _ready(bench)
    stranger = "conformance-nobody"
    (result,) = station.results(station.filing(operator=stranger) | {"operator": stranger})
    expect(result["status"] == "refused", "a command of a clerk who never signed in here is applied")


@promise("void", "until the case is decided; the number stays used")
def _void(bench: Bench) -> None:
    station = _ready(bench)
    filed = station.filing()
    void = {"case_id": filed["body"]["id"], "number": filed["body"]["number"], "reason": "withdrawn"}
    void |= {"voided_at": now(), "approved_by": ""}
    station.applied(filed, station.command("case.void", void))
    told = [one for one in station.snapshot(station.scope)["changes"] if one["id"] == filed["body"]["id"]]
    expect([one["data"]["state"] for one in told] == ["void"], "the feed does not tell that it is void")
    (again,) = station.results(station.filing(number=filed["body"]["number"]))
    expect(again["status"] == "refused", "the number of a void case is given again")


@promise("schema-before", "The office accepts this schema and the one before")
def _schema_before(bench: Bench) -> None:
    station = _ready(bench)
    filed = station.filing() | {"schema": SCHEMA - 1}
    void = {"case_id": filed["body"]["id"], "number": filed["body"]["number"], "reason": "withdrawn"}
    station.applied(filed, station.command("case.void", void | {"voided_at": now()}, schema=SCHEMA - 1))


@promise("second-person", "was approved by another clerk who signed in at this device and has the right")
def _second_person(bench: Bench) -> None:
    station = _ready(bench)
    filed = station.filing()
    void = {"case_id": filed["body"]["id"], "number": filed["body"]["number"], "reason": "withdrawn"}
    void |= {"voided_at": now()}
    own = station.command("case.void", void | {"approved_by": station.operator})
    stranger = station.command("case.void", void | {"approved_by": "conformance-nobody"})
    told = [one["status"] for one in station.results(filed, own, stranger)]
    expect(told == ["applied", "refused", "refused"], "somebody approved who may not")


@promise("proofs-passed-over", "any other is passed over.")
def _proofs_passed_over(bench: Bench) -> None:
    station = _ready(bench)
    lease = bench.two.lease(10)["lease"]
    forged = {
        "text": lease["text"].replace(bench.two.device.device, station.device.device),
        "seal": lease["seal"],
    }
    low = bench.vouched(lease, "lease")["low"]
    stolen = station.filing(number=case_number(station.device.hall_code, low))
    nonsense = {"text": "{", "seal": "00"}
    (result,) = station.results(stolen, proofs=[lease, forged, nonsense])
    expect(result["status"] == "refused", "a lease of another device is believed")
    station.applied(station.filing(), proofs=[nonsense])


@promise("audit", "while the chain holds, a sealed head.")
def _audit(bench: Bench) -> None:
    station = _ready(bench)
    chain, head, links = uuid7(), "", []
    for n in range(1, 4):
        told = (now(), station.operator, "conformance", "", f"link {n}")
        head = link(head, n, *told)
        names = ("at", "actor", "act", "subject", "detail")
        links.append({"n": n, **dict(zip(names, told, strict=True)), "hash": head})
    answer = answered(station.push(audit_chain=chain, audit=links[:2], audit_head=links[1]["hash"]))
    expect(answer["audit_through"] == 2, "two links were sent, others are confirmed")
    answer = answered(station.push(audit_chain=chain, audit=links, audit_head=head))
    expect(answer["audit_through"] == 3, "three links were sent, others are confirmed")
    sealed = bench.vouched(answer["countersign"], "head")
    kept = (sealed["device"], sealed["chain"], sealed["n"], sealed["head"])
    expect(kept == (station.device.device, chain, 3, head), "the sealed head is not that of the chain")


@promise("audit-broken", "A broken chain is marked and blocks no command.")
def _audit_broken(bench: Bench) -> None:
    station = _ready(bench)
    told = {
        "n": 1,
        "at": now(),
        "actor": "",
        "act": "conformance",
        "subject": "",
        "detail": "",
        "hash": "ab" * 32,
    }
    answer = station.push(station.filing(), audit_chain=uuid7(), audit=[told], audit_head="ab" * 32)
    body = answered(answer)
    expect(body["results"][0]["status"] == "applied", "a broken audit chain stops a command")
    expect(body.get("countersign") is None, "a chain that does not hold is countersigned")


@promise("held", "The office keeps a held command whole and tries again")
def _held(_bench: Bench) -> None:
    raise CannotTry("no window can cause an error of the office itself")
