"""Who calls which ticket is the authority's word alone, and the same word however often it is asked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from back_office.conformance.bench import Bench
from back_office.conformance.promises import CannotTry, Chapter, answered, expect, refused
from back_office.conformance.station import Station, now
from clerk_app.domain.ids import uuid7

chapter = Chapter()
promise = chapter.promise

TICKETS = 12
"""Called by two windows at once."""


@promise("series", "names the series of the queue and what each is for.")
def _series(bench: Bench) -> None:
    path = f"/queues/{bench.one.device.queue}/series"
    for one in answered(bench.one.get(path))["series"]:
        expect(one["kind"] in ("general", "appointment", "priority"), f"a series of kind {one['kind']!r}")
    refused(bench.one.get("/queues/conformance-none/series"), 404)


@promise("issue-same", "the same id with the same contents gets the same answer, with other contents 422.")
def _issue_same(bench: Bench) -> None:
    asked, series = uuid7(), bench.series()
    first = bench.one.issue(series, asked)
    ticket = answered(first)
    expect(bench.one.issue(series, asked).content == first.content, "the same request, another answer")
    path = f"/queues/{bench.one.device.queue}"
    other = bench.one.post(f"{path}/call", request_id=asked, window=bench.one.device.window)
    refused(other, 422)
    expect(answered(bench.one.issue(series))["number"] != ticket["number"], "two tickets have one number")


@promise(
    "call-same",
    "carries a request id: ask again, same answer.",
)
def _call_same(bench: Bench) -> None:
    bench.nobody_waits()
    ticket, _next = bench.ticket(), bench.ticket()
    asked = uuid7()
    first = bench.one.call(asked)
    called = answered(first)["ticket"]
    expect(called is not None and called["id"] == ticket["id"], "not the ticket that waits longest")
    expect(
        called["state"] == "called" and called["window"] == bench.one.device.window,
        "not called to this window",
    )
    expect(called["reason"] == "order", f"reason {called['reason']!r} for the first in order")
    expect(bench.one.call(asked).content == first.content, "the same request calls another ticket")


@promise("call-at-once", 'assigns one ticket to this window, or answers `{"ticket": null}`.')
def _call_at_once(bench: Bench) -> None:
    """Two windows call at the same moment until nobody waits: every ticket once, none left."""
    bench.nobody_waits()
    waiting = {bench.ticket()["id"] for _ in range(TICKETS)}

    def calls(station: Station) -> list[str]:
        found = []
        for _ in range(TICKETS + 1):
            ticket = answered(station.call())["ticket"]
            if ticket is None:
                break
            found.append(str(ticket["id"]))
        return found

    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(calls, (bench.one, bench.two))
    called = one + two
    expect(len(called) == len(set(called)), "a ticket was called by two windows")
    expect(waiting <= set(called), "a ticket that waits is called by nobody")


@promise("own-window", "assigns one ticket to this window")
def _own_window(bench: Bench) -> None:
    path = f"/queues/{bench.one.device.queue}/call"
    refused(bench.one.post(path, request_id=uuid7(), window="conformance-elsewhere"), 403)


@promise("recall", "`…/recall` and `…/tickets` (issue) work alike.")
def _recall(bench: Bench) -> None:
    bench.nobody_waits()
    bench.ticket()
    called = answered(bench.one.call())["ticket"]
    path, window = f"/queues/{bench.one.device.queue}/recall", bench.one.device.window
    asked = {"request_id": uuid7(), "ticket": called["id"], "window": window}
    first = bench.one.post(path, **asked)
    expect(answered(first)["ticket"]["calls"] == called["calls"] + 1, "a recall is not counted")
    expect(bench.one.post(path, **asked).content == first.content, "the same recall is counted twice")
    if bench.two.device.window == window:
        return
    other = asked | {"request_id": uuid7(), "window": bench.two.device.window}
    refused(bench.two.post(path, **other), 409)


@promise(
    "ticket-void",
    "(else 409); the answer's state is `void`, in the feed it is a `del`.",
)
def _ticket_void(bench: Bench) -> None:
    bench.nobody_waits()
    scope = f"queue:{bench.one.device.queue}"
    kept, gone = bench.ticket(), bench.ticket()
    seq = bench.one.snapshot(scope)["seq"]
    path = f"/queues/{bench.one.device.queue}/tickets/{gone['id']}/void"
    asked = {"request_id": uuid7(), "reason": "not_printed"}
    first = bench.one.post(path, **asked)
    expect(answered(first)["state"] == "void", "the state is not `void`")
    expect(bench.one.post(path, **asked).content == first.content, "the same request, another answer")
    told = answered(bench.one.changes(scope, seq))["changes"]
    expect([(one["id"], one["op"]) for one in told] == [(gone["id"], "del")], "in the feed it is no `del`")
    called = answered(bench.one.call())["ticket"]
    expect(called["id"] == kept["id"], "a void ticket is called")
    path = f"/queues/{bench.one.device.queue}/tickets/{kept['id']}/void"
    refused(bench.one.post(path, request_id=uuid7(), reason="not_printed"), 409)


@promise("visit", "`ticket.serving`, `ticket.done`, `ticket.no_show`")
def _visit(bench: Bench) -> None:
    bench.one.settle()
    bench.nobody_waits()
    bench.ticket()
    called = answered(bench.one.call())["ticket"]
    body = bench.one.visit(called)
    serving = bench.one.command("ticket.serving", body)
    bench.one.applied(serving, bench.one.command("ticket.done", body | {"at": now()}))


@promise("by-paper", "never refused for the state of the ticket")
def _by_paper(bench: Bench) -> None:
    bench.one.settle()
    bench.nobody_waits()
    ticket = bench.ticket()
    body = bench.one.visit(None, ticket_number=ticket["number"])
    unknown = bench.one.visit(None, ticket_number="Z999")
    told = bench.one.applied(*(bench.one.command("ticket.by_paper", one) for one in (body, body, unknown)))
    expect(all("found" in one["data"] for one in told), "`data.found` is missing")
    expect(answered(bench.one.call())["ticket"] is None, "a ticket that was served by paper is called")


@promise("offline-ticket", "it joins the tail of the queue while that day lasts")
def _offline_ticket(bench: Bench) -> None:
    if not bench.one.device.offline_series:
        raise CannotTry("the office gives no offline series")
    bench.one.settle()
    bench.nobody_waits()
    before = bench.ticket()
    series = bench.one.device.offline_series
    body = {"ticket_id": uuid7(), "number": f"{series}001", "series": series, "issued_at": now()}
    body |= {"queue": bench.one.device.queue}
    bench.one.applied(bench.one.command("ticket.issued", body))
    after = bench.ticket()
    order = [answered(bench.one.call())["ticket"]["id"] for _ in range(3)]
    expect(
        order == [before["id"], body["ticket_id"], after["id"]],
        "it is not called in the order of its arrival",
    )
    foreign = body | {"ticket_id": uuid7(), "number": "A001", "series": "A"}
    (result,) = bench.one.results(bench.one.command("ticket.issued", foreign))
    expect(result["status"] == "refused", "a ticket of a series that is not the device's joins the queue")
