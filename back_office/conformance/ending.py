"""Epochs end: an outbox is carried, a workstation enrolled anew. Tried last: the second window ends here."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

import msgspec

from back_office.conformance.bench import Bench
from back_office.conformance.promises import CannotTry, Chapter, answered, expect, refused
from back_office.conformance.station import Station
from clerk_app.domain.hall_time import HALL_TIME
from clerk_app.sync import envelope
from clerk_app.sync.envelope import CarriedOutbox
from clerk_app.sync.protocol import CommandMessage, PushRequest

chapter = Chapter()
promise = chapter.promise


@promise("purged", "begins at any `base_seq` behind the hole")
def _purged(bench: Bench) -> None:
    bench.fileable()
    bench.one.settle()
    filed = bench.one.filing()
    last = filed["seq"]
    behind = filed | {"seq": last + 10}
    refused(bench.one.push(behind, purged_through=last + 8), 409, "OFFICE-GAP")
    bench.one.next_seq = last + 11
    bench.one.applied(behind, purged_through=last + 9)


@promise("ahead", "send again from `expected_seq` (also after the office was restored from a backup)")
def _ahead(bench: Bench) -> None:
    """An office may take this window for one that knows more than it does, and see to its counters."""
    bench.fileable()
    bench.one.settle()
    commands = [bench.one.filing() for _ in range(3)]
    problem = refused(bench.one.push(commands[2]), 409, "OFFICE-GAP")
    expect(problem["expected_seq"] == commands[0]["seq"], "`expected_seq` is not the next one")
    bench.one.applied(*commands)


def _sealed(station: Station, *commands: dict[str, Any], token: str = "") -> bytes:
    device = station.device
    told = [msgspec.convert(one, CommandMessage) for one in commands]
    request = PushRequest(device.device, device.epoch, station.next_seq - len(commands), told)
    outbox = CarriedOutbox(device.device, device.epoch, datetime.now(HALL_TIME), request)
    return envelope.close(outbox, token or device.token, device.export_key)


def _carry(station: Station, sealed: bytes) -> Any:
    return station.post("/sync/carry", envelope=base64.b64encode(sealed).decode())


@promise("carry-forged", "encrypted to the office, signed by its origin")
def _carry_forged(bench: Bench) -> None:
    whole = _sealed(bench.two)
    changed = whole[:-1] + bytes([whole[-1] ^ 1])
    refused(_carry(bench.one, changed), 422)
    refused(_carry(bench.one, b"no envelope"), 422)
    refused(_carry(bench.one, _sealed(bench.two, token=bench.one.device.token)), 403)
    bench.two.settle()


@promise("carry", "the same envelope gets the same answer.")
def _carry_twice(bench: Bench) -> None:
    bench.fileable()
    bench.two.settle()
    filed, odd = bench.two.filing(), bench.two.command("case.fly", {})
    sealed = _sealed(bench.two, filed, odd)
    first = _carry(bench.one, sealed)
    told = answered(first)
    counts = (told["device"], told["epoch"], told["applied"], told["refused"], told["held"])
    expected = (bench.two.device.device, bench.two.device.epoch, 1, 1, 0)
    expect(counts == expected, "one command was right and one not, and the answer counts otherwise")
    expect(_carry(bench.one, sealed).content == first.content, "the same envelope, another answer")


@promise("fenced", "whose epoch ends with it")
def _fenced(bench: Bench) -> None:
    for method, path in (("GET", "/device"), ("GET", "/sync/snapshot/catalogue"), ("POST", "/blocks")):
        refused(bench.two.ask(method, path, json={"request_no": 1}), 423, "OFFICE-FENCED")
    refused(bench.two.push(), 423, "OFFICE-FENCED")
    answered(bench.one.push())


@promise("renewed", "epoch + 1, sequence from 1, old token answered with 423")
def _renewed(bench: Bench) -> None:
    if bench.access.renew is None:
        raise CannotTry("no --renew-command that makes a code for the next epoch of a device")
    bench.fileable()
    bench.one.settle()
    old, filed, block = bench.one, bench.one.filing(), bench.one.lease(3)
    (before,) = old.applied(filed)
    new = Station.enrolled(bench.line, bench.access.renew(old.device.device))
    new.item = old.item
    new.sign_in(bench.access.staff_no, bench.access.password)
    bench.one = new
    expect(new.device.device == old.device.device, "another device")
    expect(new.device.epoch > old.device.epoch, "the epoch did not grow")
    refused(old.get("/device"), 423, "OFFICE-FENCED")
    old.http.close()
    expect(answered(new.push())["last_seq"] == 0, "the sequence does not begin anew")
    new.next_seq = 2
    (after,) = new.results(filed | {"seq": 1})
    expect(after["data"] == before["data"], "a command of the epoch before was applied again")
    void = {"low": block["low"], "high": block["high"], "reason": "conformance"}
    new.applied(new.command("numbers.void", void))
