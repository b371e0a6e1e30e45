"""Facts come down by scope, in the order of commits, and a poke tells when to look."""

from __future__ import annotations

import threading
import time
from typing import Any

from back_office.conformance.bench import Bench
from back_office.conformance.promises import Chapter, answered, expect, refused
from clerk_app.sync.protocol import LOST_CARDS, scope_digest

chapter = Chapter()
promise = chapter.promise

POKED_SECONDS = 10
"""From the commit to the answer of a parked wait; the reference office needs milliseconds."""


def _queue(bench: Bench) -> str:
    return f"queue:{bench.one.device.queue}"


def _some_changes(bench: Bench) -> dict[str, Any]:
    """The whole scope of the queue after a few tickets, from a snapshot taken before."""
    before = bench.one.snapshot(_queue(bench))
    for _ in range(3):
        bench.ticket()
    bench.used["before"] = before
    whole: dict[str, Any] = answered(bench.one.changes(_queue(bench), before["seq"]))
    return whole


@promise("changes", "Apply a page only when `since` and `generation` are your cursor")
def _changes(bench: Bench) -> None:
    whole = _some_changes(bench)
    before = bench.used["before"]
    expect(whole["since"] == before["seq"], "`since` is not what was asked")
    expect(whole["generation"] == before["generation"], "another generation than that of the snapshot")
    seqs = [one["seq"] for one in whole["changes"]]
    expect(len(seqs) >= 3, "three tickets were issued, and are not all in the feed")
    expect(seqs == sorted(set(seqs)), "changes are not in their order")
    expect(all(before["seq"] < seq <= whole["to"] for seq in seqs), "a change outside of its page")
    expect(not whole["more"], "`more` with nothing behind it")


@promise("changes-pages", "`to` may be beyond the last change.")
def _changes_pages(bench: Bench) -> None:
    whole = _some_changes(bench)
    at, joined = whole["since"], []
    for _ in range(len(whole["changes"]) + 1):
        page = answered(bench.one.changes(_queue(bench), at, limit=1, generation=whole["generation"]))
        expect(page["since"] == at and len(page["changes"]) <= 1, "a page does not begin at its cursor")
        joined += page["changes"]
        at = page["to"]
        if not page["more"]:
            break
    expect(
        joined[: len(whole["changes"])] == whole["changes"], "pages of one change lose or change something"
    )
    expect(at >= whole["to"], "the last page ends before the whole one")


@promise("resync", "older than the log (90 days), beyond it, or of another generation.")
def _resync(bench: Bench) -> None:
    seq = bench.one.snapshot(_queue(bench))["seq"]
    refused(bench.one.changes(_queue(bench), seq + 1_000_000), 410, "OFFICE-RESYNC")
    refused(bench.one.changes(_queue(bench), seq, generation="conformance"), 410, "OFFICE-RESYNC")


@promise("snapshot", "Take `GET /v1/sync/snapshot/{scope}` and go on from its `seq`.")
def _snapshot(bench: Bench) -> None:
    _some_changes(bench)
    before = bench.used["before"]
    after = bench.one.snapshot(_queue(bench))
    page = answered(bench.one.changes(_queue(bench), before["seq"], limit=1000))
    expect(page["to"] == after["seq"], "a snapshot and the feed are not at the same place")
    facts = {(one["kind"], one["id"]): one for one in before["changes"]}
    for one in page["changes"]:
        facts[one["kind"], one["id"]] = one
    standing = {key: one["version"] for key, one in facts.items() if one["op"] == "put"}
    told = {(one["kind"], one["id"]): one["version"] for one in after["changes"]}
    expect(told == standing, "a snapshot and the changes since the one before it do not come to the same")
    expect(all(one["op"] == "put" for one in after["changes"]), "a snapshot holds what is gone")


@promise("snapshot-stable", "Facts come down as **changes** of a **scope**, in the order of commits")
def _snapshot_stable(bench: Bench) -> None:
    bench.ticket()
    one, two = (bench.one.snapshot(_queue(bench)) for _ in range(2))
    expect(one["seq"] != two["seq"] or one == two, "two snapshots of one moment differ")
    other = bench.two.snapshot(_queue(bench))
    expect(other["seq"] != two["seq"] or other == two, "two windows see different snapshots of one moment")


@promise("digest", "count and sum modulo 2⁶⁴ of the first 8 bytes of SHA-256(`kind NUL id NUL version`)")
def _digest(bench: Bench) -> None:
    bench.ticket()
    for scope in (_queue(bench), bench.one.scope, "catalogue", f"hall:{bench.one.device.hall_code}"):
        shot = bench.one.snapshot(scope)
        told = answered(bench.one.get(f"/sync/digest/{scope}"))
        if shot["seq"] != told["seq"]:
            continue  # it moved in between: somebody else is at work
        computed = scope_digest((one["kind"], one["id"], one["version"]) for one in shot["changes"])
        expect(told["digest"] == computed, f"{scope}: the digest is not that of what exists")
        expect(shot.get("digest", computed) == computed, f"{scope}: the snapshot has another digest")
        expect(told["count"] == len(shot["changes"]), f"{scope}: another count")
        expect(told["generation"] == shot["generation"], f"{scope}: another generation")


@promise("wait-at-once", 'answers `{"poke": ["queue:A"]}` as soon as a scope is not at its cursor')
def _wait_at_once(bench: Bench) -> None:
    seq = bench.one.snapshot(_queue(bench))["seq"]
    bench.ticket()
    told = answered(bench.one.get("/sync/wait", scopes=f"{_queue(bench)}:{seq}", seconds=POKED_SECONDS))
    expect(told == {"poke": [_queue(bench)]}, "a scope that moved is not poked at once")


@promise("wait-empty", "or an empty list after `seconds` (at most 50).")
def _wait_empty(bench: Bench) -> None:
    hall = f"hall:{bench.one.device.hall_code}"
    seq = bench.one.snapshot(hall)["seq"]
    began = time.monotonic()
    told = answered(bench.one.get("/sync/wait", scopes=f"{hall}:{seq}", seconds=1))
    seconds = time.monotonic() - began
    if bench.one.snapshot(hall)["seq"] == seq:
        expect(told == {"poke": []}, "poked for nothing")
        expect(0.9 < seconds < POKED_SECONDS, f"one second was asked, {seconds:.1f} were waited")
    refused(bench.one.get("/sync/wait", scopes=f"{hall}:{seq}", seconds=51), 422)


@promise("wait-poked", "It carries no data: losing a poke loses nothing.")
def _wait_poked(bench: Bench) -> None:
    """Parked first, then something is committed by another window."""
    seq = bench.one.snapshot(_queue(bench))["seq"]
    series = bench.series()
    late = threading.Timer(1.0, lambda: bench.two.issue(series))
    late.start()
    began = time.monotonic()
    answer = bench.one.get("/sync/wait", scopes=f"{_queue(bench)}:{seq}", seconds=POKED_SECONDS + 5)
    seconds = time.monotonic() - began
    late.join()
    expect(answered(answer) == {"poke": [_queue(bench)]}, "the poke is lost")
    expect(seconds < POKED_SECONDS + 1, f"the poke came after {seconds - 1:.1f} seconds")


@promise("lost-cards", "An office without such a list answers the scope with 403 `OFFICE-SCOPE`")
def _lost_cards(bench: Bench) -> None:
    answer = bench.one.get(f"/sync/snapshot/{LOST_CARDS}")
    if answer.status_code == 403:
        refused(answer, 403, "OFFICE-SCOPE")
        return
    changes = answered(answer)["changes"]
    salts = sum(one["kind"] == "lost_card_salt" for one in changes)
    expect(salts == 1 or not changes, f"{salts} salts of one list")
    for one in changes:
        if one["kind"] == "lost_card":
            expect(len(bytes.fromhex(one["data"]["digest"])) == 16, "a digest is not 32 hex characters")
