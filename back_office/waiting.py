"""The parked wait, answered in front of the application.

One commit may wake every window of a city at the same moment, and the last of them waits for all the work in
between. What the application does around an answer (validation, exit stacks, a log line) costs some ten times
the answer itself, so the usual question is answered here; anything else about it, every refusal included, is
left to the path of the application, which is the one the document describes.
"""

from __future__ import annotations

import json
import time
from functools import lru_cache
from urllib.parse import parse_qsl

from anyio import CapacityLimiter, to_thread
from fastapi.security import HTTPAuthorizationCredentials
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp, Receive, Scope, Send

from back_office.access import the_device
from back_office.exchange import MAX_WAIT_SECONDS, WAIT_SECONDS, news, standing
from back_office.office import Office
from back_office.pokes import ScopeKey
from back_office.problems import Refused

PATH = "/v1/sync/wait"

TURNS = 2
"""Threads that look where the scopes are. The looks are short: more of them would only wait for each other,
and when a whole city comes back at once they would keep the threads from those who call and file."""


class Waiting:
    """ASGI middleware; outermost, so that nothing else runs a second time when thousands wake."""

    def __init__(self, app: ASGIApp, office: Office) -> None:
        self.app = app
        self.office = office
        self._turns = CapacityLimiter(TURNS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        names = await self._news(scope)
        if names is None:
            await self.app(scope, receive, send)
            return
        start, body = _answer(tuple(names))
        await send(start)
        await send(body)
        self.office.metrics.request("GET", PATH, 200, time.perf_counter() - began)

    async def _news(self, scope: Scope) -> list[str] | None:
        """The poked scopes after a usual question; None for everything that is not one."""
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "GET":
            return None
        asked = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        token = _bearer(scope)
        try:
            seconds = float(asked.pop("seconds", WAIT_SECONDS))
            scopes = asked.pop("scopes")
        except (KeyError, ValueError):
            return None
        if token is None or asked or not 0 <= seconds <= MAX_WAIT_SECONDS:
            return None

        def look() -> tuple[dict[ScopeKey, int], set[ScopeKey]]:
            proof = HTTPAuthorizationCredentials(scheme="Bearer", credentials=token)
            return standing(self.office, the_device(self.office, proof), scopes)

        try:
            cursors, moved = await to_thread.run_sync(look, limiter=self._turns)
            return await news(self.office, cursors, moved, seconds)
        except (Refused, SQLAlchemyError):
            return None


def _bearer(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, token = value.decode("latin-1").partition(" ")
            return token.strip() if scheme.lower() == "bearer" and token else None
    return None


@lru_cache(maxsize=256)
def _answer(names: tuple[str, ...]) -> tuple[dict[str, object], dict[str, object]]:
    body = json.dumps({"poke": names}, ensure_ascii=False, separators=(",", ":")).encode()
    headers = [(b"content-length", str(len(body)).encode()), (b"content-type", b"application/json")]
    return (
        {"type": "http.response.start", "status": 200, "headers": headers},
        {"type": "http.response.body", "body": body},
    )
