"""Between a window and the office: requests are lost, answered into the void, doubled, late, or forged."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import unquote

import msgspec

from clerk_app.sync import transport
from clerk_app.sync.client import OfficeClient
from clerk_app.sync.transport import OfficeFailure
from tests.simulation.office import Answer, OfficeDown, SimOffice, Wire, query_of
from tests.simulation.world import Violation, World

T = TypeVar("T")

ENDLESS = 4_000
"""Requests within one move: more is a loop."""

PORTAL = Answer(200, {"Content-Type": "text/html"}, b"<html>Please accept the terms of use</html>")
BUSY = Answer(503, {"Content-Type": "text/html", "Retry-After": "2"}, b"<h1>503</h1>")
CUT_JSON = Answer(200, {"Content-Type": "application/json"}, b'{"last_seq": 1, "results": [{"seq"')


@dataclass
class Line:
    """The line of one window. `state`: "up", "down", "deaf" (no answer arrives), "mute" (no request leaves),
    "portal" (somebody else answers), "busy"."""

    state: str = "up"
    source: str = "192.0.2.1"
    answers: dict[tuple[str, str], Answer] = field(default_factory=dict)


class Network:
    """Carries bytes, with the world's misfortunes, and reads along: an answer once given stays the same."""

    def __init__(self, world: World, office: SimOffice) -> None:
        self.world = world
        self.office = office
        self.late: list[Wire] = []
        self.asked: Counter[int] = Counter()  # requests by step
        self.given: dict[tuple[int, str, int, int], str] = {}
        self.pushed: dict[tuple[int, str, int, int], tuple[Wire, dict[str, Any]]] = {}

    def ask(self, line: Line, wire: Wire) -> Answer:
        """The answer, or the failure the window sees."""
        world, odds = self.world, self.world.odds
        self.asked[world.step] += 1
        if self.asked[world.step] > ENDLESS:
            raise Violation("endless", f"{wire.method} {wire.path} for ever")
        world.pass_(world.random.uniform(0.004, 0.12))
        if line.state in ("down", "mute") or world.chance(odds.request_lost):
            raise self._broken(wire)
        if line.state == "portal":
            return PORTAL
        if line.state == "busy" or world.chance(odds.busy):
            return BUSY
        if world.chance(odds.later):
            self.late.append(wire)
            world.pass_(15)
            raise OfficeFailure("SYNC-SLOW", f"{wire.path}: time out")
        known = line.answers.get((wire.method, wire.path)) if wire.path.startswith("/sync/") else None
        if known is not None and world.chance(odds.stale):
            world.counts["stale answers"] += 1
            return known
        answer = self.deliver(wire)
        if world.chance(odds.twice):
            world.counts["doubled requests"] += 1
            answer = self.deliver(wire)
        if line.state == "deaf" or world.chance(odds.answer_lost):
            world.counts["answers lost"] += 1
            raise self._broken(wire)
        if world.chance(odds.garbage):
            return world.random.choice((PORTAL, CUT_JSON))
        line.answers[wire.method, wire.path] = answer
        return answer

    def deliver(self, wire: Wire) -> Answer:
        try:
            answer = self.office.serve(wire)
        except OfficeDown:
            raise self._broken(wire) from None
        if wire.path == "/sync/push" and answer.ok:
            self._remember(wire, answer)
        return answer

    def deliver_late(self, count: int = 1) -> None:
        """Requests nobody waits for any more arrive, in any order."""
        for _ in range(min(count, len(self.late))):
            wire = self.late.pop(self.world.random.randrange(len(self.late)))
            self.world.tell(f"a late {wire.method} {wire.path} arrives")
            with suppress(OfficeFailure):  # the office crashed: nobody hears of it
                self.deliver(wire)

    def _broken(self, wire: Wire) -> OfficeFailure:
        self.world.counts["lost"] += 1
        return OfficeFailure("SYNC-OFFLINE", f"{wire.path}: line")

    def _remember(self, wire: Wire, answer: Answer) -> None:
        """The stored answer to a command is replayed byte for byte, however often it is asked for."""
        sent = json.loads(wire.body)
        messages = {message["seq"]: message for message in sent["commands"]}
        for result in json.loads(answer.content)["results"]:
            key = (self.office.generation, sent["device"], sent["epoch"], result["seq"])
            text = json.dumps(result, sort_keys=True)
            before = self.given.setdefault(key, text)
            same = messages.get(result["seq"], {}).get("id") == result["id"]
            if before != text and result["code"] != "OFFICE-HASH":
                raise Violation("replay", f"{key}: {before} then {text}")
            if not same:
                raise Violation("replay", f"{key}: the answer to another command")
            self.pushed.setdefault(key, (wire, messages[result["seq"]]))


class SimTransport:
    """In the place of `Transport`: the same decoding and the same failures, over the simulated line."""

    def __init__(self, network: Network, line: Line, token: str) -> None:
        self._network = network
        self._line = line
        self._token = token

    def ask(
        self,
        method: str,
        path: str,
        answer: type[T],
        *,
        body: object = None,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        read: float | None = None,
    ) -> T:
        sent = {"Accept": "application/json", "Host": "office.example"} | dict(headers or {})
        if self._token:
            sent["Authorization"] = f"Bearer {self._token}"
        content = b"" if body is None else msgspec.json.encode(body)
        if body is not None:
            sent["Content-Type"] = "application/json"
            sent["Content-Length"] = str(len(content))
        wire = Wire(method, unquote(path), query_of(dict(params or {})), sent, content, self._line.source)
        response: Any = self._network.ask(self._line, wire)
        if not response.ok:
            raise transport._refusal(response, response.content, path)
        return transport._decode(response, response.content, answer, path)

    def download(self, path: str, offset: int) -> AbstractContextManager[tuple[bool, Iterator[bytes]]]:
        raise OfficeFailure("SYNC-OFFLINE", path)  # the catalogue file has tests of its own

    def cut(self) -> None:
        """Nothing is under way between two steps of the simulation."""

    close = cut


def client_of(network: Network, line: Line, token: str = "") -> OfficeClient:
    client = OfficeClient("https://office.example")
    client.close()
    client._transport = SimTransport(network, line, token)  # type: ignore[assignment]
    return client
