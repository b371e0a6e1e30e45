"""A client that does not keep to the protocol: two devices of its own, one with a clerk signed in."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa

from back_office.tables import block, command
from clerk_app.desk.acceptance import plain
from clerk_app.domain.case import FiledItem
from clerk_app.domain.hall_time import HALL_TIME
from clerk_app.domain.ids import uuid7
from clerk_app.domain.numbering import case_number
from clerk_app.failures import Failure
from clerk_app.sync.client import OfficeClient
from clerk_app.sync.protocol import (
    BlockRequest,
    CommandMessage,
    EnrolRequest,
    PushRequest,
    SessionRequest,
    command_hash,
)
from tests.simulation import people
from tests.simulation.network import Line, client_of
from tests.simulation.office import PASSWORD
from tests.simulation.world import Violation, replaced

if TYPE_CHECKING:
    from tests.simulation.run import Run

CLERK = "6666"


class Stranger:
    """Attacks with what it has: its tokens, old requests it overheard, ids and numbers it saw on paper."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.hall = run.halls[0]
        self.clients: list[OfficeClient] = []
        self.devices: list[str] = []
        self.seqs = [0, 0]
        for place in ("x1", "x2"):
            code = run.office.code(self.hall, place)
            answer = client_of(run.network, Line()).enrol(EnrolRequest(code, "STRANGER"))
            self.devices.append(answer.device)
            self.clients.append(client_of(run.network, Line(), answer.token))
        self.clients[0].open_session(SessionRequest(CLERK, PASSWORD))
        self.own, self.theirs = (
            list(range(leased.low, leased.high + 1))
            for leased in (client.block(BlockRequest(1)) for client in self.clients)
        )

    def act(self) -> None:
        random = self.run.world.random
        act = random.choice(
            (
                self.foreign_number,
                self.own_number,
                self.no_clerk,
                self.old_push,
                self.wild_push,
                self.other_body,
            )
        )
        try:
            act()
        except Failure as failure:
            self.run.world.tell(f"stranger {act.__name__}: {failure.code}")
        else:
            self.run.world.tell(f"stranger {act.__name__}")
        self.run.world.counts["hostile acts"] += 1

    def foreign_number(self) -> None:
        """A number of another device's block: the next paper there may bear it."""
        leases = self.run.office.rows(sa.select(block).where(block.c.hall == self.hall))
        others = [row for row in leases if row.device not in self.devices]
        if others:
            row = self.run.world.random.choice(others)
            serial = self.run.world.random.randrange(row.low, min(row.low + 40, row.high + 1))
            self._push(0, self._filing(serial))

    def own_number(self) -> None:
        self._push(0, self._filing(self.run.world.random.choice(self.own)))

    def no_clerk(self) -> None:
        self._push(1, self._filing(self.run.world.random.choice(self.theirs)))

    def old_push(self) -> None:
        """A request overheard earlier, sent as it was."""
        if self.run.network.pushed:
            key = self.run.world.random.choice(list(self.run.network.pushed))
            if key[0] == self.run.office.generation:
                self.run.network.deliver(self.run.network.pushed[key][0])

    def wild_push(self) -> None:
        """Any sequence number, any epoch, another device's name."""
        random = self.run.world.random
        body = self._filing(random.choice(self.own))
        self.clients[0].push(
            PushRequest(
                device=random.choice((self.devices[0], self.run.windows[0].device.id)),
                epoch=random.choice((0, 1, 2, 7)),
                base_seq=random.choice((0, 1, 5, 10**6)),
                commands=[self._message(random.choice((0, 1, 5, 10**6)), body)],
                purged_through=random.choice((0, 0, 3)),
            )
        )

    def other_body(self) -> None:
        """The id of a command of somebody else, with contents of its own.

        At once: one that came before its owner's, to an office restored in between, would take the id. Nobody
        but its device and the office ever sees an id that is not there yet.
        """
        calm = replace(self.run.world.odds, later=0.0)
        ids = self.run.office.rows(sa.select(command.c.id).where(command.c.hall == self.hall))
        if ids:
            body = self._filing(self.run.world.random.choice(self.own))
            with replaced((self.run.world, "odds", calm)):
                self._push(0, body, self.run.world.random.choice(ids).id)

    def judge(self, row: Any) -> None:
        """A case the office registered for the stranger."""
        if row.device == self.devices[1]:
            raise Violation("grant", f"{row.number}: no clerk ever signed in at that device")
        if int(row.number[4:12]) not in self.own:
            raise Violation("lease", f"{row.number} was leased to another device")

    def _filing(self, serial: int) -> dict[str, Any]:
        run = self.run
        item = run.items[0]
        own, kind = item.implementation, item.kind
        filed = FiledItem(
            own.code, kind.code, kind.name, own.body_code, own.body_name, own.version, 20, 3, "working"
        )
        body: dict[str, Any] = {
            "id": uuid7(),
            "number": case_number(self.hall, serial),
            "visit_id": uuid7(),
            "item": plain(asdict(filed)),
            "applicant": plain(asdict(people.applicant(1))),
            "situations": {},
            "form": {},
            "materials": [],
            "legal_state": "received",
            "operator": CLERK,
            "received_at": run.world.now.astimezone(HALL_TIME).isoformat(),
        }
        return body

    def _message(self, seq: int, body: dict[str, Any], id_: str | None = None) -> CommandMessage:
        id_ = id_ or uuid7()
        at = self.run.world.now.astimezone(HALL_TIME)
        body = json.loads(msgspec.json.encode(body))
        return CommandMessage(seq, id_, "case.file", 1, at, CLERK, body, command_hash(id_, "case.file", body))

    def _push(self, which: int, body: dict[str, Any], id_: str | None = None) -> None:
        seq = self.seqs[which] + 1
        request = PushRequest(self.devices[which], 1, seq, [self._message(seq, body, id_)])
        try:
            answer = self.clients[which].push(request)
        except Failure as failure:
            problem = getattr(failure, "problem", None)
            if problem is not None and problem.expected_seq is not None:
                self.seqs[which] = problem.expected_seq - 1
            raise
        self.seqs[which] = answer.last_seq
        self.run.world.tell(f"stranger: {answer.results[0].status} {answer.results[0].code}")
