"""Who may ask, and how it is said that one may not."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta

import msgspec
import requests

from back_office.conformance.bench import Bench
from back_office.conformance.promises import CannotTry, Chapter, answered, expect, refused
from back_office.conformance.station import TIMEOUT, enrol
from clerk_app.sync.protocol import CLERK_SESSION_HEADER, DeviceAnswer

chapter = Chapter()
promise = chapter.promise

GUESSED = "conformance-guessed"
"""Stands in requests that are refused; no answer may quote it."""

DEVICE_CALLS = (
    ("GET", "/device"),
    ("POST", "/session"),
    ("DELETE", "/session"),
    ("POST", "/sync/push"),
    ("GET", "/sync/changes?scope=catalogue&since=0"),
    ("GET", "/sync/wait?scopes=catalogue:0"),
    ("GET", "/sync/snapshot/catalogue"),
    ("GET", "/sync/digest/catalogue"),
    ("POST", "/sync/carry"),
    ("GET", "/catalogue"),
    ("GET", "/catalogue/1"),
    ("POST", "/blocks"),
    ("GET", "/queues/A/series"),
    ("POST", "/uploads"),
)
CLERK_CALLS = ("/call", "/recall", "/tickets", "/tickets/1/void")


@promise("enrol-once", "prints a code, once, good for half an hour and one use.")
def _enrol_once(bench: Bench) -> None:
    """One only: whoever guesses is soon kept waiting (429)."""
    refused(enrol(bench.line, bench.access.codes[0]), 403)


@promise("enrol-apart", "A device belongs to one hall; its **epoch** grows with every enrolment")
def _enrol_apart(bench: Bench) -> None:
    one, two = bench.one.device, bench.two.device
    expect(
        one.hall_code == two.hall_code and one.queue == two.queue, "the codes are not of one hall and queue"
    )
    for name in ("device", "token", "recovery_key", "offline_series"):
        expect(getattr(one, name) != getattr(two, name), f"two devices have one {name}")
    expect(one.seal_key == two.seal_key and one.export_key == two.export_key, "two keys of one office")
    for name in ("seal_key", "export_key", "recovery_key"):
        expect(len(bytes.fromhex(getattr(one, name))) == 32, f"{name} is not 32 bytes in hex")
    expect(min(one.epoch, two.epoch) >= 1, "an epoch below 1")


@promise("device", "`GET /v1/device` tells all but token and recovery key again")
def _device(bench: Bench) -> None:
    answer = bench.one.get("/device")
    answered(answer)
    told = asdict(msgspec.json.decode(answer.content, type=DeviceAnswer))
    given = asdict(bench.one.device)
    for part in fields(DeviceAnswer):
        expect(told[part.name] == given[part.name], f"{part.name} is not that of the enrolment")


@promise("grant", "`grant` says the same, sealed for this device.")
def _grant(bench: Bench) -> None:
    session = bench.one.session
    assert session is not None
    told = bench.vouched(session.grant and asdict(session.grant), "grant")
    expect(told["device"] == bench.one.device.device, "the grant is another device's")
    expect(told["staff_no"] == session.staff_no, "the grant is another clerk's")
    expect(sorted(told["rights"]) == sorted(session.rights), "the grant has other rights")
    expect(datetime.fromisoformat(told["not_after"]) == session.not_after, "the grant ends at another time")
    ahead = session.not_after - datetime.now(UTC)
    expect(timedelta(hours=70) < ahead < timedelta(hours=74), "the grant is not one of 72 hours")


@promise("wrong-password", "Five wrong passwords lock the account for 15 minutes.")
def _wrong_password(bench: Bench) -> None:
    """One only: the clerk is needed."""
    wrong = {"staff_no": bench.access.staff_no, "password": GUESSED}
    unknown = {"staff_no": GUESSED, "password": GUESSED}
    try:
        refused(bench.two.post("/session", **wrong), 401)
        refused(bench.two.post("/session", **unknown), 401)
    finally:
        bench.two.sign_in(bench.access.staff_no, bench.access.password)


@promise("device-token", "A device proves itself with `Authorization: Bearer <token>`")
def _device_token(bench: Bench) -> None:
    calls = [*DEVICE_CALLS, *(("POST", f"/queues/A{path}") for path in CLERK_CALLS)]
    if bench.one.ask("OPTIONS", "/uploads").status_code in (404, 405):
        calls.remove(("POST", "/uploads"))
    for method, path in calls:
        for proof in ({}, {"Authorization": f"Bearer {GUESSED}"}):
            answer = bench.one.ask(method, path, headers=proof, json={})
            expect(answer.status_code == 401, f"{method} {path}: {answer.status_code} without a token")
            refused(answer, 401)


@promise("clerk-session", "a clerk with `X-Clerk-Session: <token>`.")
def _clerk_session(bench: Bench) -> None:
    assert bench.two.session is not None
    device = {"Authorization": f"Bearer {bench.one.device.token}"}
    body = {"request_id": GUESSED, "window": bench.one.device.window, "series": "A", "ticket": "1"}
    for path in CLERK_CALLS:
        for session in ({}, {CLERK_SESSION_HEADER: GUESSED}, {CLERK_SESSION_HEADER: bench.two.session.token}):
            whole = f"/queues/{bench.one.device.queue}{path}"
            answer = bench.one.ask(
                "POST", whole, headers=device | session, json=body | {"reason": "not_needed"}
            )
            expect(
                answer.status_code == 401, f"{path}: {answer.status_code} without a session of this device"
            )


@promise("sign-out", "opens a session for this device (12 h)")
def _sign_out(bench: Bench) -> None:
    try:
        answered(bench.one.ask("DELETE", "/session"), 204)
        refused(bench.one.call(), 401)
        answered(bench.one.ask("DELETE", "/session"), 204)
    finally:
        bench.one.sign_in(bench.access.staff_no, bench.access.password)


@promise("scopes-apart", "Scopes of a window: `device:<id>` (its cases)")
def _scopes_apart(bench: Bench) -> None:
    for scope in (bench.two.scope, f"hall:{GUESSED}", GUESSED, "queue:" + GUESSED):
        refused(bench.one.changes(scope, 0), 403, "OFFICE-SCOPE")
        refused(bench.one.get(f"/sync/snapshot/{scope}"), 403, "OFFICE-SCOPE")
        refused(bench.one.get(f"/sync/digest/{scope}"), 403, "OFFICE-SCOPE")
    refused(bench.one.get("/sync/wait", scopes=f"{bench.two.scope}:0", seconds=0), 403, "OFFICE-SCOPE")


@promise("problems", "A refusal is always a `Problem`")
def _problems(bench: Bench) -> None:
    ask = bench.one.ask
    refused(ask("GET", f"/{GUESSED}"), 404)
    refused(ask("PUT", "/time"), 405)
    refused(ask("POST", "/blocks", json={"request_no": GUESSED}), 422)
    refused(ask("POST", "/blocks", data=b'{"request_no": '), 422)
    refused(ask("GET", "/sync/changes?scope=catalogue&since=-1"), 422)
    refused(ask("GET", f"/catalogue/{GUESSED}"), 404)


@promise("no-quotes", "No detail ever quotes what was sent.")
def _no_quotes(bench: Bench) -> None:
    for path, body in (
        ("/session", {"staff_no": {"name": GUESSED}, "password": [GUESSED]}),
        ("/session", {"staff_no": GUESSED, "password": GUESSED}),
        ("/blocks", {"request_no": GUESSED, GUESSED: GUESSED, "kind": GUESSED}),
        ("/sync/push", {"device": GUESSED, "epoch": 1, "base_seq": 1, "commands": []}),
        ("/sync/push", {"device": bench.one.device.device, "epoch": GUESSED}),
        ("/recover", {"code": GUESSED}),
        ("/enrol", {"code": GUESSED, "machine": GUESSED}),
    ):
        answer = bench.one.post(path, **body)
        expect(400 <= answer.status_code < 500, f"{path}: {answer.status_code} to nonsense")
        expect(GUESSED not in answer.text, f"{path}: the refusal quotes what was sent")


@promise("time", "Times are ISO 8601 **with** offset.")
def _time(bench: Bench) -> None:
    told = answered(bench.one.get("/time"))
    moment = datetime.fromisoformat(told["now"])
    expect(moment.tzinfo is not None, "the time has no offset")
    expect(abs(moment - datetime.now(UTC)) < timedelta(minutes=10), "the office's clock is off")
    expect(told.get("schema", 1) >= 1, "no schema")
    for path in ("/health", "/v1/health"):
        health = bench.one.http.get(bench.line.url + path, timeout=TIMEOUT)
        expect(answered(health)["status"] == "ok", f"{path} is not well")


@promise("unknown-fields", "Fields of a request that the office does not know are passed over.")
def _unknown_fields(bench: Bench) -> None:
    bench.one.settle()
    answered(bench.one.push(newer={"field": [1]}))
    asked = {"request_no": bench.one.next_request, "size": 1, "newer": True}
    bench.one.next_request += 1
    answered(bench.one.post("/blocks", **asked))
    answered(bench.one.get("/sync/changes", scope="catalogue", since=0, newer="1"))


@promise("document", "The office publishes its OpenAPI document at `/openapi.json`")
def _document(bench: Bench) -> None:
    answer = requests.get(
        f"{bench.line.url}/openapi.json",
        timeout=TIMEOUT,
        verify=bench.line.verify,
        cert=bench.line.certificate,
    )
    if answer.status_code == 404:
        raise CannotTry("this office publishes none")
    listed = answered(answer)["paths"]
    for path in ("/v1/enrol", "/v1/sync/push", "/v1/sync/changes", "/v1/blocks", "/v1/queues/{queue}/call"):
        expect(path in listed, f"{path} is not in the document")
