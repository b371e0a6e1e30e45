"""Numbers that a window gives out alone belong to nobody else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

from back_office.conformance.bench import Bench
from back_office.conformance.promises import Chapter, answered, expect, refused
from clerk_app.domain.numbering import FIRST_EMERGENCY

chapter = Chapter()
promise = chapter.promise

LEASES = 8
"""Of each window, asked for at once."""


@promise("blocks-same", "the same number gives the same block, within an epoch.")
def _blocks_same(bench: Bench) -> None:
    block = bench.one.lease(20)
    expect(block["high"] - block["low"] == 19, "another size than asked for")
    asked = bench.one.next_request - 1
    for size in (20, 30):
        again = answered(bench.one.post("/blocks", request_no=asked, size=size))
        same = (again["id"], again["low"], again["high"]) == (block["id"], block["low"], block["high"])
        expect(same, "the same request number, another block")


@promise("blocks-apart", "Blocks never overlap in a hall.")
def _blocks_apart(bench: Bench) -> None:
    def lease(asked: tuple[Any, int]) -> dict[str, Any]:
        station, request_no = asked
        with station.line.session() as http:
            url, token = f"{station.line.url}/v1/blocks", f"Bearer {station.device.token}"
            body = {"request_no": request_no, "size": 7}
            answer = http.post(url, json=body, headers={"Authorization": token}, timeout=60)
        found: dict[str, Any] = answered(answer)
        return found

    asked = []
    for station in (bench.one, bench.two):
        asked += [(station, station.next_request + place) for place in range(LEASES)]
        station.next_request += LEASES
    with ThreadPoolExecutor(LEASES) as pool:
        blocks = sorted(pool.map(lease, asked), key=lambda block: int(block["low"]))
    for before, after in pairwise(blocks):
        expect(before["high"] < after["low"], "two blocks have serials in common")
    expect(all(block["low"] >= 1 for block in blocks), "a serial below 1")


@promise("lease", "Keep the `lease`.")
def _lease(bench: Bench) -> None:
    block = bench.one.lease(5)
    told = bench.vouched(block["lease"], "lease")
    expect(told["device"] == bench.one.device.device, "the lease is another device's")
    expect(told["hall"] == bench.one.device.hall_code, "the lease is another hall's")
    for name in ("id", "low", "high", "epoch"):
        expect(told[name] == block[name], f"the lease has another {name}")


@promise("emergency", "leases from serial 90,000,000 on")
def _emergency(bench: Bench) -> None:
    usual, spare = bench.one.lease(3), bench.one.lease(3, kind="emergency")
    expect(spare["low"] >= FIRST_EMERGENCY, "an emergency block below 90,000,000")
    expect(usual["high"] < FIRST_EMERGENCY, "an ordinary block beyond 90,000,000")
    expect(bench.vouched(spare["lease"], "lease")["kind"] == "emergency", "the lease does not say so")


@promise("blocks-size", "leases serials `low..high`, 5,000 at most.")
def _blocks_size(bench: Bench) -> None:
    for size in (0, -1, 5_001):
        refused(bench.one.post("/blocks", request_no=bench.one.next_request, size=size), 422)
    bench.one.lease(5_000)


@promise("numbers-void", "serials of one block of this device that no case will bear")
def _numbers_void(bench: Bench) -> None:
    bench.one.settle()
    block, foreign = bench.one.lease(5), bench.two.lease(5)
    told = [
        bench.one.command("numbers.void", {"low": one["low"], "high": one["high"], "reason": "conformance"})
        for one in (block, foreign)
    ]
    results = [one["status"] for one in bench.one.results(*told)]
    expect(results == ["applied", "refused"], f"own and foreign serials: {results}")
