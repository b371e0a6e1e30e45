"""Intents go up: the outbox in batches, each marked before it leaves, each answer written before the next.

Sequence numbers are dense, so everything is sent in order, a later command of a refused case included: the
office refuses or holds that too, and the commands of all other cases go on. With them goes what an office
whose memory was restored from a backup needs to believe them: signed grants and leases, and the official
number it gave a case before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from clerk_app.desk.ports import (
    AuditRecord,
    Clock,
    Command,
    CommandState,
    Device,
    Seal,
    Store,
    Transaction,
)
from clerk_app.failures import Failure
from clerk_app.sync import settling
from clerk_app.sync.audit import AuditTrail, message
from clerk_app.sync.client import OfficeClient
from clerk_app.sync.messages import command_message
from clerk_app.sync.pace import Pace
from clerk_app.sync.protocol import (
    MAX_COMMANDS,
    MAX_PUSH_BYTES,
    SCHEMA,
    CommandMessage,
    PushAnswer,
    PushRequest,
    Sealed,
)
from clerk_app.sync.slices import write_in_slices
from clerk_app.sync.transport import OfficeFailure

_ENVELOPE = 1024
"""Bytes kept free for what a push says beside its parts."""
_SERIAL = slice(4, 12)
"""Where the serial stands in a case number."""

_REWOUND = "outbox_rewound"
"""Meta: "epoch:sequence" from where everything goes up again; sequence 0 when nothing does."""

_UNANSWERED = (CommandState.WAITING, CommandState.SENT)


@dataclass(frozen=True, slots=True)
class _Load:
    """What one push carries: the commands as the outbox has them, the links, and the request of both."""

    commands: Sequence[Command]
    links: Sequence[AuditRecord]
    request: PushRequest


class Push:
    """Empties the outbox. Keeps from cycle to cycle how much the link carries at once."""

    def __init__(self, store: Store, device: Device, clock: Clock) -> None:
        self._store = store
        self._device = device
        self._clock = clock
        self._pace = Pace(MAX_COMMANDS)
        self._audit = AuditTrail(device, clock.monotonic)

    def drain(
        self,
        client: OfficeClient,
        beat: Callable[[], None],
        *,
        schema: int = SCHEMA,
        probe: bool = False,
    ) -> bool:
        """Send until nothing waits; whether a command was answered.

        `schema` is the newest body the office reads; `probe` asks it, with nothing else to send, whether it
        still has what it once answered. A batch that gets no answer, or that the office cannot read, is sent
        again in the next cycle, half as long. Failures: SYNC-GAP when the office misses commands that are
        neither here nor taken by retention, SYNC-OFFICE-OLD when what waits is newer than the office, and
        those of `transport`.
        """
        answered = False
        rewound = self._store.read(self._rewound)
        while (load := self._take(rewound, schema, beat)).commands or load.links or probe:
            begun = self._clock.monotonic()
            try:
                answer = client.push(load.request)
            except OfficeFailure as failure:
                if failure.code in ("SYNC-SLOW", "SYNC-OFFLINE", "SYNC-REJECTED"):
                    self._pace.failed(len(load.commands))
                missing = failure.problem.expected_seq if failure.problem else None
                if missing is None or missing >= load.request.base_seq or missing == rewound:
                    raise
                # The office was restored from a backup: it gets again what it had already answered. That is
                # noted first, for it counts them as answered before its answers are here.
                rewound = missing
                self._store.write(lambda tx, seq=missing: self._note_rewound(tx, seq))  # type: ignore[misc]
                continue
            self._pace.took(self._clock.monotonic() - begun)
            beat()
            if rewound is not None:
                rewound = load.commands[-1].seq + 1 if load.commands else None
                self._settle(load, answer, rewound or 0)
            else:
                self._settle(load, answer)
            probe = False
            answered = answered or bool(load.commands)
        if rewound is not None:
            self._store.write(lambda tx: self._note_rewound(tx, 0))
        self._refuse_newer(schema)
        return answered

    def _rewound(self, tx: Transaction) -> int | None:
        """From where a restored office still has to get everything again, in this epoch."""
        epoch, _, seq = (tx.meta.get(_REWOUND) or "").partition(":")
        return int(seq) if epoch == str(self._device.epoch) and int(seq) else None

    def _note_rewound(self, tx: Transaction, seq: int) -> None:
        tx.meta.set(_REWOUND, f"{self._device.epoch}:{seq}")

    def _take(self, rewound: int | None, schema: int, beat: Callable[[], None]) -> _Load:
        load = self._store.read(lambda tx: self._load(tx, rewound, schema))
        if load.links and not load.request.audit_chain:
            self._store.write(self._audit.begin)
            load = self._store.read(lambda tx: self._load(tx, rewound, schema))
        unanswered = [command for command in load.commands if command.state in _UNANSWERED]
        now = self._clock.now()
        write_in_slices(
            self._store,
            unanswered,
            lambda tx, commands: settling.mark_sent(tx, commands, now),
            monotonic=self._clock.monotonic,
            beat=beat,
            chunk=MAX_COMMANDS,  # three statements for all of them
        )
        return load

    def _load(self, tx: Transaction, rewound: int | None, schema: int) -> _Load:
        if rewound is None:
            found = tx.outbox.next_batch(self._pace.limit)
        else:
            found = tx.outbox.since(rewound, self._pace.limit)
        purged = tx.outbox.purged_through()
        first = found[0].seq if found else tx.outbox.next_seq()
        if rewound is not None and first - 1 > max(rewound - 1, purged):
            raise Failure("SYNC-GAP", f"command {rewound} is no longer here")
        links = self._audit.waiting(tx, self._pace.share)
        records = [message(record) for record in links]
        room = MAX_PUSH_BYTES - _ENVELOPE - len(msgspec.json.encode(records))
        readable = [command for command in found if command.schema <= schema]
        if len(readable) < len(found):
            readable = list(found[: next(n for n, c in enumerate(found) if c.schema > schema)])
        commands, messages = _fitting(tx, readable, room)
        request = PushRequest(
            device=self._device.id,
            epoch=self._device.epoch,
            base_seq=first,
            commands=messages,
            audit_head=tx.audit.head(),
            purged_through=_gone_before(tx, purged, first, rewound),
            proofs=proofs(tx, commands),
            audit_chain=self._audit.chain(tx),
            audit=records,
            audit_after=self._audit.through(tx),
        )
        return _Load(commands, links, request)

    def _settle(self, load: _Load, answer: PushAnswer, rewound: int | None = None) -> None:
        """Write the results of one push in one transaction, and from where the next goes on when rewound."""
        told = [(result.seq, result.id) for result in answer.results]
        asked = [(command.seq, command.id) for command in load.commands[: len(told)]]
        if told != asked or bool(load.commands) != bool(told):
            raise Failure("SYNC-NOT-OFFICE", "results of other commands")
        now = self._clock.now()

        def write(tx: Transaction) -> None:
            settling.settle(tx, zip(load.commands, answer.results, strict=False), now)
            self._audit.answered(tx, load.links, answer)
            if rewound is not None:
                self._note_rewound(tx, rewound)

        self._store.write(write)

    def _refuse_newer(self, schema: int) -> None:
        """Raises SYNC-OFFICE-OLD when a command waits for an office that reads it."""
        if schema < SCHEMA and any(c.schema > schema for c in self._store.read(_waiting)):
            raise Failure("SYNC-OFFICE-OLD", f"the office reads schema {schema}")


def _gone_before(tx: Transaction, purged: int, first: int, rewound: int | None) -> int:
    """Up to where the office need not wait for commands: retention took them, and none of them is here.

    Asked for everything from `rewound` on, that is up to the first there is. Otherwise one that retention
    kept among those it took holds the office back, so that it asks for that one too.
    """
    if rewound is not None:
        return min(purged, first - 1)
    kept = tx.outbox.since(1, 1) if purged else ()
    return min(purged, kept[0].seq - 1) if kept else purged


def _waiting(tx: Transaction) -> Sequence[Command]:
    return tx.outbox.next_batch(1)


def _fitting(
    tx: Transaction, commands: Sequence[Command], room: int
) -> tuple[list[Command], list[CommandMessage]]:
    """The longest dense start of `commands` one push may carry; at least one, however long it is."""
    batch: list[Command] = []
    messages: list[CommandMessage] = []
    for command in commands:
        one = command_message(command, official_number(tx, command))
        room -= len(msgspec.json.encode(one)) + 1
        if batch and (room < 0 or command.seq != batch[-1].seq + 1):
            break
        batch.append(command)
        messages.append(one)
    return batch, messages


def official_number(tx: Transaction, command: Command) -> str:
    """What the office had given the case of a filing that is sent again; "" when nothing is known."""
    if command.type != "case.file" or command.state is CommandState.WAITING:
        return ""
    if case := tx.cases.get(command.aggregate):
        return case.official_number or ""
    receipt = tx.receipts.by_number(str(command.body.get("number", "")))
    return receipt.official_number or "" if receipt else ""


def proofs(tx: Transaction, commands: Sequence[Command]) -> list[Sealed]:
    """The grants of everybody in the batch, and the leases of the numbers in it or still to come."""
    people = {command.operator for command in commands}
    people |= {str(command.body.get("approved_by", "")) for command in commands}
    known = (tx.operators.get(staff_no) for staff_no in sorted(people - {""}))
    grants: list[Seal] = [found[0].grant for found in known if found and found[0].grant]
    serials = {_serial(command) for command in commands} - {0}
    return [Sealed(seal.text, seal.seal) for seal in (*grants, *tx.numbers.proofs(serials))]


def _serial(command: Command) -> int:
    """The serial a command uses; 0 for one that uses none."""
    if command.type == "numbers.void":
        return int(command.body["low"])
    serial = str(command.body.get("number", ""))[_SERIAL] if command.type == "case.file" else ""
    return int(serial) if serial.isdecimal() else 0
