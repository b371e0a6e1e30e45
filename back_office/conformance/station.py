"""A window as the office sees it: plain HTTP, no memory but its numbers, nothing repaired behind its back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import requests

from back_office.conformance.promises import answered, expect
from clerk_app.domain.hall_time import HALL_TIME
from clerk_app.domain.ids import uuid7
from clerk_app.domain.numbering import case_number
from clerk_app.sync.protocol import (
    CLERK_SESSION_HEADER,
    SCHEMA,
    EnrolAnswer,
    SessionAnswer,
    command_hash,
)

TIMEOUT = 60
"""Seconds: a wait may take fifty."""

BLOCK = 50


@dataclass(frozen=True, slots=True)
class Item:
    """An item that may be filed today."""

    code: str
    version: int
    kind: str
    name: str
    body_code: str
    body_name: str


@dataclass(frozen=True, slots=True)
class Line:
    """How the office is reached: its address, and what `requests` verifies its certificate by."""

    url: str
    verify: bool | str = True
    certificate: tuple[str, str] | str | None = None

    def session(self) -> requests.Session:
        """Straight to the office: no proxy of the machine, no credentials of its files."""
        http = requests.Session()
        http.trust_env = False
        http.verify, http.cert = self.verify, self.certificate
        return http


class Station:
    """One enrolled window with, mostly, a clerk signed in."""

    def __init__(self, line: Line, enrolled: EnrolAnswer, item: Item | None = None) -> None:
        self.line = line
        self.http = line.session()
        self.device = enrolled
        self.item = item
        self.session: SessionAnswer | None = None
        self.next_seq = 1
        self.next_request = 1
        self._serials: list[int] = []

    @classmethod
    def enrolled(cls, line: Line, code: str) -> Station:
        """Raises BrokenPromise."""
        answer = enrol(line, code)
        answered(answer)
        return cls(line, msgspec.json.decode(answer.content, type=EnrolAnswer))

    # --- asking ----------------------------------------------------------------------------------------

    def ask(self, method: str, path: str, **asked: Any) -> requests.Response:
        """As the device, and as its clerk when one is signed in; `headers` given replace both."""
        headers = asked.pop("headers", None)
        if headers is None:
            headers = {"Authorization": f"Bearer {self.device.token}"}
            if self.session is not None:
                headers[CLERK_SESSION_HEADER] = self.session.token
        url = f"{self.line.url}/v1{path}"
        return self.http.request(method, url, headers=headers, timeout=TIMEOUT, **asked)

    def get(self, path: str, **params: Any) -> requests.Response:
        return self.ask("GET", path, params=params)

    def post(self, path: str, **body: Any) -> requests.Response:
        return self.ask("POST", path, json=body)

    def sign_in(self, staff_no: str, password: str) -> None:
        """Raises BrokenPromise."""
        answer = self.post("/session", staff_no=staff_no, password=password)
        answered(answer)
        self.session = msgspec.json.decode(answer.content, type=SessionAnswer)

    @property
    def operator(self) -> str:
        return "" if self.session is None else self.session.staff_no

    @property
    def scope(self) -> str:
        return f"device:{self.device.device}"

    # --- numbers ---------------------------------------------------------------------------------------

    def lease(self, size: int = BLOCK, **body: Any) -> dict[str, Any]:
        """A new block. Raises BrokenPromise."""
        request_no, self.next_request = self.next_request, self.next_request + 1
        block: dict[str, Any] = answered(self.post("/blocks", request_no=request_no, size=size, **body))
        return block

    def number(self) -> str:
        if not self._serials:
            block = self.lease()
            self._serials = list(range(block["low"], block["high"] + 1))
        return case_number(self.device.hall_code, self._serials.pop(0))

    # --- commands --------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Learn where the office is, whatever went wrong before. Raises BrokenPromise."""
        answer = answered(self.push(base_seq=1))
        self.next_seq = int(answer["last_seq"]) + 1

    def command(self, type_: str, body: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """The next command in order."""
        made: dict[str, Any] = {
            "seq": self.next_seq,
            "id": uuid7(),
            "type": type_,
            "schema": SCHEMA,
            "at": now(),
        }
        made |= {"operator": self.operator, "body": body} | changes
        self.next_seq += 1
        if "hash" not in made:
            made["hash"] = command_hash(made["id"], made["type"], made["body"])
        return made

    def filing(self, **changes: Any) -> dict[str, Any]:
        """A `case.file` of an invented person. Raises BrokenPromise."""
        item = self.item
        assert item is not None
        person = {
            "name": "李小明",
            "number": "510704199001011234",
            "kind": "resident_id",
            "source": "typed",
            "sex": "male",
            "birth": "1990-01-01",
            "ethnicity": "01",
            "address": "",
            "valid_until": None,
            "long_term": False,
            "typed_reason": "no_card",
        }
        filed = {"code": item.code, "kind": item.kind, "name": item.name, "version": item.version}
        filed |= {"body_code": item.body_code, "body_name": item.body_name}
        filed |= {"legal_days": 20, "promised_days": 5, "day_unit": "working"}
        body: dict[str, Any] = {
            "id": uuid7(),
            "number": self.number() if "number" not in changes else "",
            "visit_id": uuid7(),
            "item": filed,
            "applicant": {"party": person, "agent": None},
            "situations": {},
            "form": {},
            "materials": [],
            "legal_state": "received",
            "operator": self.operator,
            "received_at": now(),
            "accepted_at": None,
            "due": None,
            "due_provisional": False,
        }
        return self.command("case.file", body | changes)

    def push(self, *commands: dict[str, Any], **changes: Any) -> requests.Response:
        envelope = {
            "device": self.device.device,
            "epoch": self.device.epoch,
            "base_seq": commands[0]["seq"] if commands else self.next_seq,
            "commands": list(commands),
        }
        return self.post("/sync/push", **(envelope | changes))

    def results(self, *commands: dict[str, Any], **changes: Any) -> list[dict[str, Any]]:
        """Push; the results, one a command and in their order. Raises BrokenPromise."""
        found = answered(self.push(*commands, **changes))["results"]
        told = [(one["seq"], one["id"]) for one in found]
        expect(told == [(one["seq"], one["id"]) for one in commands], "not one result a command, in order")
        return list(found)

    def applied(self, *commands: dict[str, Any], **changes: Any) -> list[dict[str, Any]]:
        """Push; every command must be applied. Their results. Raises BrokenPromise."""
        found = self.results(*commands, **changes)
        for command, result in zip(commands, found, strict=True):
            told = f"{command['type']}: {result['status']} {result.get('code', '')}"
            expect(result["status"] == "applied", told)
        return found

    # --- feed and queue --------------------------------------------------------------------------------

    def snapshot(self, scope: str) -> dict[str, Any]:
        found: dict[str, Any] = answered(self.get(f"/sync/snapshot/{scope}"))
        return found

    def changes(self, scope: str, since: int, **params: Any) -> requests.Response:
        return self.get("/sync/changes", scope=scope, since=since, **params)

    def issue(self, series: str, request_id: str | None = None) -> requests.Response:
        path = f"/queues/{self.device.queue}/tickets"
        return self.post(path, request_id=request_id or uuid7(), series=series)

    def call(self, request_id: str | None = None) -> requests.Response:
        path = f"/queues/{self.device.queue}/call"
        return self.post(path, request_id=request_id or uuid7(), window=self.device.window)

    def visit(self, ticket: dict[str, Any] | None, **changes: Any) -> dict[str, Any]:
        """The body of a ticket command."""
        body: dict[str, Any] = {
            "ticket_id": ticket["id"] if ticket else None,
            "visit_id": uuid7(),
            "at": now(),
        }
        body |= {"ticket_number": ticket["number"] if ticket else "K001", "window": self.device.window}
        return body | changes


def enrol(line: Line, code: str) -> requests.Response:
    body = {"code": code, "machine": "CONFORMANCE"}
    with line.session() as http:
        return http.post(f"{line.url}/v1/enrol", json=body, timeout=TIMEOUT)


def now() -> str:
    return datetime.now(HALL_TIME).isoformat()
