"""The cache of a workstation against a model, through kills, new epochs, retention and an older disk.

The outbox stays dense and in order, no number is printed twice or lost without a word, nothing leaves that
the office has not settled, and every case that left can still be found by the number on its slip.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from memory_office import CLERK, HandClock
from memory_window import CopiedCache, a_device, new_cache

from clerk_app.desk.ports import Command, CommandState, Transaction
from clerk_app.domain.case import LegalState, SyncState
from clerk_app.domain.numbering import NumberBlock, serial
from clerk_app.failures import Failure
from clerk_app.sync import facts, settling
from clerk_app.sync.protocol import CaseMessage, CommandResult
from tests.unit.sync_hall import make_case

BLOCK = 4
KEEP_DAYS = 7
OPEN = (CommandState.WAITING, CommandState.SENT, CommandState.HELD)
GOING = (CommandState.WAITING, CommandState.SENT)
OVER = (CommandState.APPLIED, CommandState.SETTLED)


@dataclass
class Intent:
    """A command as the model knows it."""

    id: str
    case: str
    type: str
    state: CommandState = CommandState.WAITING


@dataclass
class Filed:
    """A case as the model knows it."""

    number: str
    received_at: datetime
    legal: LegalState = LegalState.ACCEPTED
    official: str | None = None


@dataclass
class Paper:
    """What a cache that keeps its promises holds."""

    epoch: int = 1
    outbox: list[Intent] = field(default_factory=list)  # in the order of their writing
    seqs: dict[str, int] = field(default_factory=dict)  # id -> the number in this epoch it was last seen with
    last_seq: int = 0
    cases: dict[str, Filed] = field(default_factory=dict)
    left: dict[str, Filed] = field(default_factory=dict)
    free: dict[int, list[int]] = field(default_factory=dict)  # epoch -> serials that are left, in order
    used: set[int] = field(default_factory=set)
    void: set[int] = field(default_factory=set)

    def intents(self, *states: CommandState) -> list[Intent]:
        return [intent for intent in self.outbox if intent.state in states]


class StoreMachine(RuleBasedStateMachine):
    @initialize()
    def open(self) -> None:
        self.clock = HandClock()
        self.paper = Paper()
        self.epochs = 1
        self.next_serial = 1
        self.ever_printed: dict[int, str] = {}
        self.copies: list[tuple[CopiedCache, Paper]] = []
        self.store = new_cache(a_device())
        self.lease()

    def teardown(self) -> None:
        if not hasattr(self, "store"):
            return
        try:
            self.everything_leaves()
        finally:
            self.store.close()
            for copy, _ in self.copies:
                copy.close()

    def everything_leaves(self) -> None:
        """Answered, registered and old: nothing is kept, and the outbox says how far it was emptied."""
        self.answer(100, ["applied"], 1)
        for intent in self.paper.intents(CommandState.HELD):
            self._owed(intent, "applied")
        while refused := self.paper.intents(CommandState.REFUSED):
            self._settle(refused[0])
        self.answer(100, ["applied"], 1)
        for case_id in list(self.paper.cases):
            self._register(case_id)
        self.pass_time(200)
        self.purge()
        self.what_is_open_is_all_there()
        assert self.paper.cases == {}
        next_seq, purged = self.store.read(lambda tx: (tx.outbox.next_seq(), tx.outbox.purged_through()))
        assert purged == next_seq - 1
        assert self.store.read(lambda tx: tx.outbox.since(0)) == ()

    # --- the clerk --------------------------------------------------------------------------------------

    @rule()
    def lease(self) -> None:
        low = self.next_serial
        self.next_serial += BLOCK
        block = NumberBlock(f"block-{low}", low, low + BLOCK - 1, low, self.paper.epoch)
        self.store.write(lambda tx: tx.numbers.add(block))
        self.store.write(lambda tx: tx.numbers.add(block))  # a lost answer was asked for again
        self.paper.free.setdefault(self.paper.epoch, []).extend(range(low, low + BLOCK))

    @rule(received=st.booleans())
    def file(self, received: bool) -> None:
        free = self.paper.free.get(self.paper.epoch, [])
        legal = LegalState.RECEIVED if received else LegalState.ACCEPTED
        try:
            command = self.store.write(lambda tx: self._file(tx, legal))
        except Failure as failure:
            assert failure.code == "STORE-NO-NUMBERS"
            assert not free
            return
        number = serial(str(command.body["number"]))
        assert number == free.pop(0)
        assert self.ever_printed.setdefault(number, command.aggregate) == command.aggregate
        self.paper.used.add(number)
        filed = Filed(str(command.body["number"]), self.clock.now(), legal)
        self.paper.cases[command.aggregate] = filed
        self._note(command)

    def _file(self, tx: Transaction, legal: LegalState) -> Command:
        now = self.clock.now()
        case = replace(make_case(tx.numbers.take()), received_at=now, legal_state=legal)
        tx.cases.add(case)
        tx.audit.add(at=now, actor=CLERK, act="case.file", subject=case.number)
        body = {"id": case.id, "number": case.number}
        return tx.outbox.add("case.file", case.id, body, at=now, operator=CLERK)

    def _note(self, command: Command) -> None:
        self.paper.last_seq += 1
        assert command.seq == self.paper.last_seq
        self.paper.outbox.append(Intent(command.id, command.aggregate, command.type))

    @precondition(lambda self: self.paper.cases)
    @rule(which=st.integers(0, 7))
    def void(self, which: int) -> None:
        case_id = list(self.paper.cases)[which % len(self.paper.cases)]
        if self.paper.cases[case_id].legal is LegalState.VOID:
            return
        now = self.clock.now()

        def work(tx: Transaction) -> Command:
            case = tx.cases.get(case_id)
            assert case is not None
            tx.cases.save(replace(case, legal_state=LegalState.VOID, void_reason="撤回"))
            body = {"case_id": case_id, "number": case.number, "reason": "撤回"}
            return tx.outbox.add("case.void", case_id, body, at=now, operator=CLERK)

        self._note(self.store.write(work))
        self.paper.cases[case_id].legal = LegalState.VOID

    @precondition(lambda self: self.paper.intents(CommandState.REFUSED))
    @rule(which=st.integers(0, 7))
    def settle(self, which: int) -> None:
        refused = self.paper.intents(CommandState.REFUSED)
        self._settle(refused[which % len(refused)])

    def _settle(self, intent: Intent) -> None:
        """A person puts a refusal right: the case is void here, the task put away."""

        def work(tx: Transaction) -> None:
            case = tx.cases.get(intent.case)
            assert case is not None
            assert case.refusal is not None
            tx.cases.save(replace(case, legal_state=LegalState.VOID, void_reason="重办"))
            tx.outbox.mark([intent.id], CommandState.SETTLED)

        self.store.write(work)
        intent.state = CommandState.SETTLED
        self.paper.cases[intent.case].legal = LegalState.VOID

    # --- the sync ---------------------------------------------------------------------------------------

    @rule(
        limit=st.integers(1, 5),
        statuses=st.lists(st.sampled_from(("applied", "applied", "refused", "held")), min_size=1, max_size=5),
        times=st.integers(0, 2),
    )
    def answer(self, limit: int, statuses: list[str], times: int) -> None:
        """A push: marked, then answered once, or twice, or never."""
        batch = self.store.read(lambda tx: tx.outbox.next_batch(limit))
        going = self.paper.intents(*GOING)
        assert [command.id for command in batch] == [intent.id for intent in going][:limit]
        self.store.write(lambda tx: settling.mark_sent(tx, batch, self.clock.now()))
        told = [statuses[n % len(statuses)] for n in range(len(batch))]
        for intent in going[:limit]:
            intent.state = CommandState.SENT
        results = [CommandResult(c.seq, c.id, s, "") for c, s in zip(batch, told, strict=True)]  # type: ignore[arg-type]
        for _ in range(times):
            pairs = [(self._command(result.id), result) for result in results]
            self.store.write(lambda tx, now_=pairs: settling.settle(tx, now_, self.clock.now()))
        if times:
            for intent, status in zip(going, told, strict=False):
                intent.state = settling.STATES[status]

    def _command(self, command_id: str) -> Command:
        found = self.store.read(lambda tx: tx.outbox.get(command_id))
        assert found is not None
        return found

    @precondition(lambda self: self.paper.intents(CommandState.HELD))
    @rule(which=st.integers(0, 7), status=st.sampled_from(("applied", "refused")))
    def answer_owed(self, which: int, status: str) -> None:
        held = self.paper.intents(CommandState.HELD)
        self._owed(held[which % len(held)], status)

    def _owed(self, intent: Intent, status: str) -> None:
        now = self.clock.now()
        assert self.store.write(lambda tx: settling.settle_owed(tx, intent.id, status, "", now))
        assert not self.store.write(lambda tx: settling.settle_owed(tx, intent.id, status, "", now))
        intent.state = settling.STATES[status]

    @precondition(lambda self: self.paper.cases)
    @rule(which=st.integers(0, 7))
    def register(self, which: int) -> None:
        self._register(list(self.paper.cases)[which % len(self.paper.cases)])

    def _register(self, case_id: str) -> None:
        """What the feed says of a case whose filing the office applied."""
        filing = [i for i in self.paper.outbox if i.case == case_id and i.type == "case.file"]
        if filing and filing[0].state is not CommandState.APPLIED:
            return
        filed = self.paper.cases[case_id]
        filed.official = f"official-{filed.number}"
        state = "void" if filed.legal is LegalState.VOID else "registered"
        now = self.clock.now()
        told = CaseMessage(case_id, filed.number, 1, state, filed.official, "局", now)  # type: ignore[arg-type]
        for _ in range(2):
            self.store.write(lambda tx: facts.apply(tx, [told], self.clock.now))

    # --- time, IT and the machine -----------------------------------------------------------------------

    @rule(days=st.integers(1, 90))
    def pass_time(self, days: int) -> None:
        self.clock.pass_(days=days)

    @rule()
    def purge(self) -> None:
        now = self.clock.now()
        limit = now - timedelta(days=KEEP_DAYS)
        while self.store.write(lambda tx: tx.retention.cases(limit, now.date(), now)):
            pass
        for case_id in self._gone():
            filed = self.paper.cases.pop(case_id)
            self.paper.left[case_id] = filed
            assert filed.official is not None or filed.legal is LegalState.VOID
            assert filed.received_at < limit
            assert all(i.state in OVER for i in self.paper.outbox if i.case == case_id)
        while self.store.write(lambda tx: tx.retention.rest(limit)):
            pass
        there = {c.id for c in self.store.read(lambda tx: tx.outbox.since(0, 10_000))}
        for intent in [i for i in self.paper.outbox if i.id in self.paper.seqs and i.id not in there]:
            assert intent.state in OVER
            assert intent.case not in self.paper.cases
            self.paper.outbox.remove(intent)

    def _gone(self) -> list[str]:
        return self.store.read(lambda tx: [id_ for id_ in self.paper.cases if tx.cases.get(id_) is None])

    @rule()
    def enrol_again(self) -> None:
        """A new epoch: what is open goes again under the same ids, old blocks are told void once."""
        self.epochs += 1
        self.store.write(lambda tx: tx.meta.set_device(a_device(self.epochs)))
        self.paper.epoch = self.epochs
        for intent in self.paper.intents(CommandState.HELD):
            intent.state = CommandState.SENT
        self.paper.last_seq = len(self.paper.intents(*OPEN))
        rest = self.store.write(lambda tx: tx.numbers.void_rest())
        told = [number for low, high in rest for number in range(low, high + 1)]
        left = [number for epoch in sorted(self.paper.free) for number in self.paper.free.pop(epoch)]
        assert sorted(told) == sorted(left)
        assert self.store.write(lambda tx: tx.numbers.void_rest()) == ()
        self.paper.void.update(told)

    @rule()
    def kill(self) -> None:
        """A power cut in the middle of a filing: the disk as it was, opened again."""
        disks: list[CopiedCache] = []

        def killed(tx: Transaction) -> None:
            self._file(tx, LegalState.ACCEPTED)
            raise KeyboardInterrupt

        try:
            self.store.write(killed)
        except (KeyboardInterrupt, Failure):
            disks.append(self.store.copied())
        self.store.close()
        (self.store,) = disks

    @rule()
    def copy_disk(self) -> None:
        for copy, _ in self.copies:
            copy.close()
        self.copies = [(self.store.copied(), deepcopy(self.paper))]

    @precondition(lambda self: self.copies)
    @rule()
    def an_older_disk(self) -> None:
        """Put back by mistake; IT enrols it again, as the office tells it to."""
        self.store.close()
        self.store, self.paper = self.copies.pop()
        self.enrol_again()

    # --- what always holds ------------------------------------------------------------------------------

    @invariant()
    def what_is_open_is_all_there(self) -> None:
        if not hasattr(self, "store"):
            return
        pending = self.store.read(lambda tx: tx.outbox.pending())
        assert [(c.id, c.state) for c in pending] == [
            (i.id, i.state) for i in self.paper.outbox if i.state not in OVER
        ]
        state = self.store.read(lambda tx: tx.outbox.state())
        counted = [len(self.paper.intents(*one)) for one in (GOING, (CommandState.REFUSED,), OPEN[2:])]
        assert [state.unsent, state.tasks, state.held] == counted

    @invariant()
    def sequence_numbers_are_dense(self) -> None:
        if not hasattr(self, "store"):
            return
        rows, purged, following = self.store.read(
            lambda tx: (tx.outbox.since(0, 10_000), tx.outbox.purged_through(), tx.outbox.next_seq())
        )
        assert following == self.paper.last_seq + 1
        assert purged <= self.paper.last_seq
        seqs = [command.seq for command in rows]
        holes = set(range(1, following)) - set(seqs)
        assert len(seqs) == len(set(seqs))
        assert max(seqs, default=0) < following
        assert max(holes, default=0) <= purged
        order = [intent.id for intent in self.paper.outbox if intent.id in {c.id for c in rows}]
        assert [command.id for command in rows] == order
        self.paper.seqs = {command.id: command.seq for command in rows}

    @invariant()
    def every_case_is_found(self) -> None:
        if not hasattr(self, "store"):
            return
        for case_id, filed in self.paper.cases.items():
            case = self.store.read(lambda tx, id_=case_id: tx.cases.get(id_))
            assert case is not None
            assert (case.number, case.legal_state) == (filed.number, filed.legal)
            assert case.official_number == filed.official
            mine = [i.state for i in self.paper.outbox if i.case == case_id]
            assert (CommandState.REFUSED not in mine) or case.refusal is not None
            if case.sync_state is SyncState.REGISTERED:
                assert filed.official is not None
        for case_id, filed in self.paper.left.items():
            receipt = self.store.read(lambda tx, number=filed.number: tx.receipts.by_number(number))
            assert receipt is not None
            assert (receipt.case_id, receipt.official_number) == (case_id, filed.official)

    @invariant()
    def every_serial_is_accounted_for(self) -> None:
        if not hasattr(self, "store"):
            return
        blocks = self.store.read(lambda tx: tx.numbers.blocks())
        left = [number for block in blocks for number in range(block.next, block.high + 1)]
        assert left == self.paper.free.get(self.paper.epoch, [])
        assert not self.paper.used & (self.paper.void | set(left))

    @invariant()
    def the_audit_holds(self) -> None:
        if hasattr(self, "store"):
            assert self.store.read(lambda tx: tx.audit.verify()) == len(self.paper.used)


TestStore = StoreMachine.TestCase
