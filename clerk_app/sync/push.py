"""Intents go up: the outbox in batches, each marked before it leaves, each answer written before the next.

Sequence numbers are dense, so everything is sent in order, a later command of a refused case included: the
office refuses or holds that too, and the commands of all other cases go on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

import msgspec

from clerk_app import failures
from clerk_app.desk.ports import Clock, Command, CommandState, Device, Store, Transaction
from clerk_app.domain.case import SyncState, TimelineEvent, TimelineKind
from clerk_app.failures import Failure
from clerk_app.sync.client import OfficeClient
from clerk_app.sync.messages import command_message
from clerk_app.sync.protocol import (
    MAX_COMMANDS,
    MAX_PUSH_BYTES,
    CommandMessage,
    CommandResult,
    PushAnswer,
    PushRequest,
)
from clerk_app.sync.slices import write_in_slices
from clerk_app.sync.transport import OfficeFailure

_ENVELOPE = 1024
"""Bytes kept free for what a push says beside its commands."""

_STATES = {
    "applied": CommandState.APPLIED,
    "refused": CommandState.REFUSED,
    "held": CommandState.HELD,
}
_UNANSWERED = (CommandState.WAITING, CommandState.SENT)


class Push:
    """Empties the outbox. Keeps from cycle to cycle how much the link carries at once."""

    def __init__(self, store: Store, device: Device, clock: Clock) -> None:
        self._store = store
        self._device = device
        self._clock = clock
        self._limit = MAX_COMMANDS

    def drain(self, client: OfficeClient, beat: Callable[[], None]) -> bool:
        """Send until nothing waits; whether anything was answered.

        A batch that gets no answer, or that the office cannot read, is sent again in the next cycle, half as
        long. Failures: SYNC-GAP when the office misses commands that are no longer here, and those of
        `transport`.
        """
        answered = False
        rewound: int | None = None
        while batch := self._take(rewound, beat):
            try:
                answer = client.push(self._request(batch))
            except OfficeFailure as failure:
                if failure.code in ("SYNC-SLOW", "SYNC-REJECTED"):
                    self._limit = max(1, len(batch) // 2)
                missing = failure.problem.expected_seq if failure.problem else None
                if missing is None or missing >= batch[0].seq:
                    raise
                # The office was restored from a backup: it gets again what it had already answered.
                rewound = missing
                continue
            beat()
            self._settle(batch, answer)
            answered = True
            self._limit = min(MAX_COMMANDS, self._limit * 2)
            if rewound is not None:
                rewound = batch[-1].seq + 1
        return answered

    def _take(self, rewound: int | None, beat: Callable[[], None]) -> list[Command]:
        def look(tx: Transaction) -> Sequence[Command]:
            if rewound is None:
                return tx.outbox.next_batch(self._limit)
            return tx.outbox.since(rewound, self._limit)

        found = self._store.read(look)
        if rewound is not None and found and found[0].seq != rewound:
            raise Failure("SYNC-GAP", f"command {rewound} is no longer here")
        batch = _fitting(found)
        unanswered = [command for command in batch if command.state in _UNANSWERED]
        write_in_slices(self._store, unanswered, self._mark_sent, monotonic=self._clock.monotonic, beat=beat)
        return batch

    def _mark_sent(self, tx: Transaction, commands: Sequence[Command]) -> None:
        """Before the first byte leaves: from here on the office may have them, whatever happens to us."""
        tx.outbox.mark([command.id for command in commands], CommandState.SENT)
        for command in commands:
            if command.state is not CommandState.WAITING or not _of_case(command):
                continue
            case = tx.cases.get(command.aggregate)
            if case is not None and case.sync_state is SyncState.HERE:
                tx.cases.save(replace(case, sync_state=SyncState.SENT))
                tx.timeline.add(
                    TimelineEvent(
                        self._clock.now(), TimelineKind.SENT, visit_id=case.visit_id, case_id=case.id
                    )
                )

    def _request(self, batch: Sequence[Command]) -> PushRequest:
        return PushRequest(
            device=self._device.id,
            epoch=self._device.epoch,
            base_seq=batch[0].seq,
            commands=[command_message(command) for command in batch],
            audit_head=self._store.read(lambda tx: tx.audit.head()),
        )

    def _settle(self, batch: Sequence[Command], answer: PushAnswer) -> None:
        """Write the results of one batch in one transaction."""
        if [(result.seq, result.id) for result in answer.results] != [
            (command.seq, command.id) for command in batch[: len(answer.results)]
        ] or not answer.results:
            raise Failure("SYNC-NOT-OFFICE", "results of other commands")

        def write(tx: Transaction) -> None:
            marks: dict[tuple[CommandState, str], list[str]] = defaultdict(list)
            for command, result in zip(batch, answer.results, strict=False):
                state = _STATES[result.status]
                code = "" if state is CommandState.APPLIED else _clerk_code(result)
                marks[state, code].append(command.id)
                if code and _of_case(command) and command.state in _UNANSWERED:
                    self._show_refusal(tx, command, code, result)
            for (state, code), ids in marks.items():
                tx.outbox.mark(ids, state, code)

        self._store.write(write)

    def _show_refusal(self, tx: Transaction, command: Command, code: str, result: CommandResult) -> None:
        """A refusal is a visible task for a person; the case and its receipt stay."""
        case = tx.cases.get(command.aggregate)
        if case is None:
            return
        if case.refusal is None:  # the first refusal says why; what was held behind it does not
            tx.cases.save(replace(case, sync_state=SyncState.REFUSED, refusal=code))
        tx.timeline.add(
            TimelineEvent(
                self._clock.now(), TimelineKind.REFUSED, result.code, visit_id=case.visit_id, case_id=case.id
            )
        )


def _fitting(commands: Sequence[Command]) -> list[Command]:
    """The longest dense start of `commands` one push may carry; at least one, however long it is."""
    batch: list[Command] = []
    size = _ENVELOPE
    for command in commands:
        message: CommandMessage = command_message(command)
        size += len(msgspec.json.encode(message)) + 1
        if batch and (size > MAX_PUSH_BYTES or command.seq != batch[-1].seq + 1):
            break
        batch.append(command)
    return batch


def _of_case(command: Command) -> bool:
    return command.type.startswith("case.")


def _clerk_code(result: CommandResult) -> str:
    """The office's code where this program has a text for it, else one that says what to do."""
    if result.code in failures.codes():
        return result.code
    return "SYNC-HELD" if result.status == "held" else "SYNC-REFUSED"
