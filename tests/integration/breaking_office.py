"""The office behind somebody who breaks one promise: ASGI middleware, and the ways to break each."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clerk_app.domain.ids import uuid7
from clerk_app.sync.protocol import command_hash


@dataclass(frozen=True, slots=True)
class Asked:
    scope: Scope
    body: bytes

    @property
    def method(self) -> str:
        return str(self.scope["method"])

    @property
    def path(self) -> str:
        return str(self.scope["path"]).removeprefix("/v1")

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.scope["query_string"].decode()))

    def json(self) -> Any:
        return json.loads(self.body)

    def saying(self, body: Any) -> Asked:
        return replace(self, body=json.dumps(body).encode())

    def without(self, *names: bytes) -> Asked:
        kept = [(name, value) for name, value in self.scope["headers"] if name not in names]
        return replace(self, scope={**self.scope, "headers": kept})


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def saying(self, body: Any, status: int | None = None) -> Answer:
        headers = [(b"content-type", b"application/json")]
        return Answer(status or self.status, headers, json.dumps(body).encode())


Office = Callable[[Asked], Awaitable[Answer]]
Break = Callable[[Asked, Office], Awaitable[Answer]]


class Breaking:
    """Asks the office as `broken` says; untouched while it says nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        Breaking.last = self
        self.broken: Break | None = None

    last: Breaking

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self.broken is None:
            await self.app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)

        async def office(asked: Asked) -> Answer:
            return await self._asked(asked, receive)

        answer = await self.broken(Asked(scope, body), office)
        headers = [one for one in answer.headers if one[0].lower() != b"content-length"]
        if answer.status not in (204, 304):
            length = dict(answer.headers).get(b"content-length") if scope["method"] == "HEAD" else None
            headers.append((b"content-length", length or str(len(answer.body)).encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _asked(self, asked: Asked, receive: Receive) -> Answer:
        sent = False
        told: dict[str, Any] = {"body": b""}

        async def once() -> Message:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": asked.body, "more_body": False}

        async def take(message: Message) -> None:
            if message["type"] == "http.response.start":
                told.update(message)
            else:
                told["body"] += message.get("body", b"")

        headers = [one for one in asked.scope["headers"] if one[0] != b"content-length"]
        headers.append((b"content-length", str(len(asked.body)).encode()))
        await self.app({**asked.scope, "headers": headers}, once, take)
        return Answer(told["status"], list(told["headers"]), told["body"])


# --- ways to break ---------------------------------------------------------------------------------------


def answer(method: str, path: str, change: Callable[[Any], Any]) -> Break:
    """Another JSON in the answers that are no refusals: `change` changes it."""

    async def broken(asked: Asked, office: Office) -> Answer:
        told = await office(asked)
        if (
            told.status >= 300
            or asked.method != method
            or not asked.path.startswith(path)
            or told.body[:1] != b"{"
        ):
            return told
        body = told.json()
        change(body)
        return told.saying(body)

    return broken


def request(path: str, change: Callable[[Any], Any]) -> Break:
    """Another JSON in the requests."""

    async def broken(asked: Asked, office: Office) -> Answer:
        if asked.path.startswith(path) and asked.body.startswith(b"{"):
            body = asked.json()
            change(body)
            asked = asked.saying(body)
        return await office(asked)

    return broken


def status(path: str, was: int, now: int, body: Any = None) -> Break:
    """Another status, and body, than that of a refusal."""

    async def broken(asked: Asked, office: Office) -> Answer:
        told = await office(asked)
        if told.status == was and asked.path.startswith(path):
            return told.saying(body if body is not None else told.json() if told.body else {}, now)
        return told

    return broken


def header(name: bytes) -> Break:
    """A header of the requests is passed over."""

    async def broken(asked: Asked, office: Office) -> Answer:
        return await office(asked.without(name))

    return broken


def results(change: Callable[[dict[str, Any]], None]) -> Break:
    """Another result of each command of a push."""

    def each(body: Any) -> None:
        for one in body["results"]:
            change(one)

    return answer("POST", "/sync/push", each)


def applied(*codes: str) -> Break:
    """Refused for one of `codes`, and said to be applied."""

    def change(result: dict[str, Any]) -> None:
        if result["code"] in codes:
            result.update(status="applied", code="")

    return results(change)


async def fresh_requests(asked: Asked, office: Office) -> Answer:
    """A request id means nothing."""
    if "/queues/" in asked.path and asked.method == "POST":
        asked = asked.saying(asked.json() | {"request_id": uuid7()})
    return await office(asked)


async def wrong_batches(asked: Asked, office: Office) -> Answer:
    """A batch that has a hole is said to be applied."""
    told = await office(asked)
    if told.status == 409:
        made = [
            {"seq": c["seq"], "id": c["id"], "status": "applied", "code": "", "data": {}}
            for c in asked.json()["commands"]
        ]
        return told.saying({"last_seq": 0, "results": made}, 200)
    return told


async def spoiled_batches(asked: Asked, office: Office) -> Answer:
    """One command that cannot be applied refuses the whole batch."""
    told = await office(asked)
    refused = [one for one in told.json().get("results", ()) if one["status"] == "refused"]
    if asked.path == "/sync/push" and refused:
        return told.saying({"code": "OFFICE-MALFORMED", "detail": ""}, 422)
    return told


async def kept_for_nobody(asked: Asked, office: Office) -> Answer:
    """Said to be applied, and forgotten."""
    if asked.path != "/sync/push":
        return await office(asked)
    body = asked.json()
    told = await office(asked.saying(body | {"commands": [], "base_seq": 1}))
    data = {"official_number": "1"}
    made = [
        {"seq": c["seq"], "id": c["id"], "status": "applied", "code": "", "data": data}
        for c in body["commands"]
    ]
    return told.saying(told.json() | {"results": made})


async def any_hash(asked: Asked, office: Office) -> Answer:
    """The hash is not looked at."""
    if asked.path == "/sync/push":
        body = asked.json()
        for one in body["commands"]:
            one["hash"] = command_hash(one["id"], one["type"], one["body"])
        asked = asked.saying(body)
    return await office(asked)


def once_more() -> Break:
    """The second answer to the same body is not the first: written anew, with spaces."""
    seen: set[bytes] = set()

    async def broken(asked: Asked, office: Office) -> Answer:
        told = await office(asked)
        if asked.method == "POST" and told.status == 200 and asked.body in seen:
            return replace(told, body=told.body.replace(b'":', b'": '))
        seen.add(asked.body)
        return told

    return broken


def same_ticket() -> Break:
    """Two calls within a moment get one ticket."""
    calls: list[Answer] = []

    async def broken(asked: Asked, office: Office) -> Answer:
        if not asked.path.endswith("/call"):
            return await office(asked)
        if len(calls) % 2:
            calls.append(calls[-1])
        else:
            calls.append(await office(asked))
        return calls[-1]

    return broken


def growing_requests(path: str) -> Break:
    """The number of a request means nothing: each is a new one."""
    count = [10**6]

    def change(body: Any) -> None:
        count[0] += 1
        body["request_no"] = count[0]

    return request(path, change)


async def no_pokes(asked: Asked, office: Office) -> Answer:
    """A wait is answered at once, with nothing."""
    told = await office(asked)
    if asked.path == "/sync/wait" and told.status == 200:
        return told.saying({"poke": []})
    return told


async def false_pokes(asked: Asked, office: Office) -> Answer:
    told = await office(asked)
    if asked.path == "/sync/wait" and told.status == 200:
        return told.saying({"poke": [asked.query["scopes"].rpartition(":")[0]]})
    return told


def unstable() -> Break:
    """Every other snapshot lacks its last change."""
    count = [0]

    def change(body: Any) -> None:
        count[0] += 1
        if count[0] % 2:
            body["changes"] = body["changes"][:-1]

    return answer("GET", "/sync/snapshot", change)


async def echo(asked: Asked, office: Office) -> Answer:
    """A refusal quotes what was sent."""
    told = await office(asked)
    if told.status >= 400 and told.body:
        return told.saying(told.json() | {"detail": asked.body.decode(errors="replace")})
    return told


async def plain(asked: Asked, office: Office) -> Answer:
    told = await office(asked)
    if told.status >= 400:
        return Answer(told.status, [(b"content-type", b"text/plain")], b"no")
    return told


async def strict(asked: Asked, office: Office) -> Answer:
    """Unknown fields are an error."""
    if asked.body.startswith(b"{") and b'"newer"' in asked.body:
        return (await office(asked)).saying({"code": "OFFICE-MALFORMED", "detail": ""}, 422)
    return await office(asked)


async def everything_whole(asked: Asked, office: Office) -> Answer:
    """A page that was announced is said to be whole."""
    told = await office(asked)
    if asked.path.startswith("/uploads") and told.status < 300:
        headers = [(n, b"999999" if n == b"upload-offset" else v) for n, v in told.headers]
        return replace(told, headers=headers)
    return told


async def pieces_anywhere(asked: Asked, office: Office) -> Answer:
    told = await office(asked)
    if asked.method == "PATCH" and told.status == 409:
        return Answer(204, [(b"upload-offset", b"1000")], b"")
    return told


def forgotten_page() -> Break:
    """Beginning a page again begins it anew."""

    async def broken(asked: Asked, office: Office) -> Answer:
        told = await office(asked)
        if asked.method == "POST" and asked.path == "/uploads" and told.status == 201:
            headers = [(n, b"0" if n == b"upload-offset" else v) for n, v in told.headers]
            return replace(told, headers=headers)
        return told

    return broken
