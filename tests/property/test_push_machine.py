"""The push against a model: a dictionary of first answers, and what each kind of command does to a case.

Whatever is sent again, late, out of turn, in another epoch, while the office meets errors of its own, and
after its memory was lost: every command is applied once, answered as it was first answered, and a held one
gets exactly one owed answer, in the order of its case.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from memory_office import CLERK, HALL, LostLine, MemoryOffice, envelope, filing, sender_of

from back_office import applying, blocks, commands, held
from back_office.access import Device
from back_office.commands import Pushed
from back_office.problems import Refused
from clerk_app.domain.numbering import case_number
from clerk_app.sync.protocol import SCHEMA, command_hash

Message = dict[str, Any]

FOREIGN = 80_000_000
"""A serial of no block."""


@dataclass
class Paper:
    """What an office that keeps the protocol's promises has written down."""

    epoch: int
    last_seq: int = 0
    stored: dict[tuple[int, int], tuple[str, str]] = field(default_factory=dict)  # place -> (id, hash)
    texts: dict[tuple[int, int], str] = field(default_factory=dict)  # place -> answer, byte for byte
    known: dict[str, tuple[str, str]] = field(default_factory=dict)  # id -> (status, code)
    hashes: dict[str, str] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)  # id -> data of the final answer, once seen
    places: dict[str, tuple[int, int]] = field(default_factory=dict)  # id -> where it first stood
    held: dict[str, Message] = field(default_factory=dict)
    owed: list[str] = field(default_factory=list)  # ids of held commands, as they were answered at last
    cases: dict[str, str] = field(default_factory=dict)  # id -> legal state

    def waiting(self) -> set[str]:
        return {_case_of(message) for message in self.held.values()}

    def apply(self, message: Message, broken: set[str]) -> tuple[str, str]:
        if message["operator"] != CLERK:
            return "refused", "OFFICE-OPERATOR"
        case = _case_of(message)
        if case in broken:
            return "held", "OFFICE-ERROR"
        state = self.cases.get(case)
        if message["type"] == "case.file":
            if int(message["body"]["number"][4:12]) == FOREIGN:
                return "refused", "OFFICE-NUMBER-FOREIGN"
            self.cases[case] = "received"
        elif state is None:
            return "refused", "OFFICE-NO-CASE"
        elif message["type"] == "case.accept":
            if state != "received":
                return "refused", "OFFICE-CASE-STATE"
            self.cases[case] = "accepted"
        elif state == "void":
            return "refused", "OFFICE-CASE-STATE"
        else:
            self.cases[case] = "void"
        return "applied", ""

    def try_again(self, case: str, broken: set[str], but: set[str]) -> list[str]:
        """What is held of one case, in order, up to one that is held again; how each was answered."""
        mine = [id_ for id_ in self.held if _case_of(self.held[id_]) == case and id_ not in but]
        told: list[str] = []
        for id_ in sorted(mine, key=self.places.__getitem__):
            if told and told[-1] == "held":
                told.append("held")
                continue
            outcome = self.apply(self.held[id_], broken)
            told.append(outcome[0])
            if outcome[0] != "held":
                self.known[id_] = outcome
                del self.held[id_]
                self.owed.append(id_)
        return told

    def deliver(self, message: Message, broken: set[str], batch: set[str]) -> tuple[str, str]:
        """How a command is answered; `batch` are the ids first met in this push."""
        place, id_ = (self.epoch, message["seq"]), message["id"]
        if place in self.stored:
            outcome = self.known.get(id_, ("refused", "OFFICE-MALFORMED"))
            return outcome if self.stored[place][1] == message["hash"] else ("refused", "OFFICE-HASH")
        self.stored[place] = (id_, message["hash"])
        if "at" not in message:
            return "refused", "OFFICE-MALFORMED"
        if self.hashes.setdefault(id_, message["hash"]) != message["hash"]:
            return "refused", "OFFICE-HASH"
        if id_ in self.known:
            if id_ in self.held and id_ not in batch:
                self.try_again(_case_of(message), broken, batch)
            return self.known[id_]
        batch.add(id_)
        self.places[id_] = place
        if _case_of(message) in self.waiting():
            self.known[id_] = ("held", "OFFICE-HELD-BEFORE")
        else:
            self.known[id_] = self.apply(message, broken)
        if self.known[id_][0] == "held":
            self.held[id_] = message
        return self.known[id_]


def _case_of(message: Message) -> str:
    return str(message["body"].get("case_id") or message["body"]["id"])


class PushMachine(RuleBasedStateMachine):
    @initialize()
    def open(self) -> None:
        self.office = MemoryOffice()
        self.sender = sender_of(self.office.enrol())
        self.office.sign_in(self.sender)
        lease = self.office.write(lambda tx: blocks.lease(tx, self.sender, 1, 500))
        self.serials = iter(range(lease.low, lease.high + 1))
        self.paper = Paper(epoch=1)
        self.outbox: list[Message] = []
        self.finally_answered: set[str] = set()
        self.ids = 0
        self.cases: list[tuple[str, str]] = []
        self.broken: set[str] = set()
        self.copies: list[tuple[Any, Paper]] = []
        self.kinds = dict(applying.KINDS)
        for name in ("case.file", "case.accept", "case.void"):
            applying.KINDS[name] = replace(self.kinds[name], apply=self._breaking(self.kinds[name].apply))

    def teardown(self) -> None:
        if hasattr(self, "kinds"):
            applying.KINDS.update(self.kinds)
            self.office.close()

    def _breaking(self, real: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
        def apply(tx: Any, sender: Device, body: Any, around: Any) -> dict[str, Any]:
            if (getattr(body, "case_id", None) or body.id) in self.broken:
                raise ZeroDivisionError("an error of the office's own")
            return real(tx, sender, body, around)

        return apply

    # --- the window writes ------------------------------------------------------------------------------

    def _add(self, type_: str, body: dict[str, Any], **changes: Any) -> None:
        self.ids += 1
        id_ = f"command-{self.ids}"
        now = self.office.clock().isoformat()
        message = {"id": id_, "type": type_, "schema": SCHEMA, "at": now, "operator": CLERK, "body": body}
        message |= {"hash": command_hash(id_, type_, body), "seq": len(self.outbox) + 1, **changes}
        self.outbox.append(message)

    @rule(foreign=st.sampled_from((False, False, False, True)))
    def file(self, foreign: bool) -> None:
        case, serial = f"case-{len(self.cases)}", FOREIGN if foreign else next(self.serials)
        number = case_number(HALL, serial)
        self.cases.append((case, number))
        self._add("case.file", filing(case, number, self.office.clock().isoformat()))

    @precondition(lambda self: self.cases)
    @rule(which=st.integers(0, 7), void=st.booleans())
    def go_on(self, which: int, void: bool) -> None:
        case, number = self.cases[-1 - which % len(self.cases)]
        now = self.office.clock().isoformat()
        if void:
            body = {"case_id": case, "number": number, "reason": "撤回", "voided_at": now}
            self._add("case.void", body)
        else:
            self._add("case.accept", {"case_id": case, "accepted_at": now})

    @precondition(lambda self: self.cases)
    @rule(which=st.integers(0, 7))
    def in_nobodys_name(self, which: int) -> None:
        case, _ = self.cases[-1 - which % len(self.cases)]
        body = {"case_id": case, "accepted_at": self.office.clock().isoformat()}
        self._add("case.accept", body, operator="9999")

    @rule()
    def nonsense(self) -> None:
        self._add("case.accept", {"case_id": "nobody's"})
        del self.outbox[-1]["at"]

    @precondition(lambda self: self.outbox)
    @rule(which=st.integers(0, 7))
    def once_more(self, which: int) -> None:
        """The same command under a new sequence number."""
        self.outbox.append(self.outbox[-1 - which % len(self.outbox)] | {"seq": len(self.outbox) + 1})

    # --- the line ---------------------------------------------------------------------------------------

    def _push(self, batch: list[Message], base: int, lost: str = "", **changes: Any) -> Pushed:
        sent = envelope(self.sender, batch, base_seq=base, **changes)
        return self.office.write(lambda tx: commands.push(tx, self.sender, sent), lost)

    @rule(back=st.integers(0, 5), count=st.integers(0, 8), lost=st.sampled_from(("", "", "before", "after")))
    def push(self, back: int, count: int, lost: str) -> None:
        """From the next command on, or from an answered one."""
        start = max(1, self.paper.last_seq + 1 - back)
        self._send(start, count, lost, 0)

    @precondition(lambda self: len(self.outbox) > self.paper.last_seq + 1)
    @rule(ahead=st.integers(1, 3), count=st.integers(0, 4))
    def push_behind_a_hole(self, ahead: int, count: int) -> None:
        """Retention took what lies between: those commands were answered once."""
        start = min(self.paper.last_seq + 1 + ahead, len(self.outbox))
        self._send(start, count, "", start - 1)

    def _send(self, start: int, count: int, lost: str, purged: int) -> None:
        batch = self.outbox[start - 1 : start - 1 + count]
        before = deepcopy(self.paper)
        expected, met = [], set()
        self.paper.last_seq = max(self.paper.last_seq, start - 1)
        for message in batch:
            fresh = (self.paper.epoch, message["seq"]) not in self.paper.stored
            expected.append((message, self.paper.deliver(message, self.broken, met)))
            if fresh:
                self.paper.last_seq = max(self.paper.last_seq, message["seq"])
        try:
            pushed = self._push(batch, start, lost, purged_through=purged)
        except LostLine:
            if lost == "before":
                self.paper = before
            return
        assert pushed.last_seq == self.paper.last_seq
        assert len(pushed.answers) == len(expected)
        for text, (message, outcome) in zip(pushed.answers, expected, strict=True):
            self._answered(text, message, outcome)

    def _answered(self, text: str, message: Message, outcome: tuple[str, str]) -> None:
        told = json.loads(text)
        assert (told["seq"], told["id"]) == (message["seq"], message["id"])
        place = (self.paper.epoch, message["seq"])
        assert self.paper.texts.setdefault(place, text) == text
        if (told["status"], told["code"]) == outcome:
            if outcome[0] == "applied":
                assert self.paper.data.setdefault(message["id"], told["data"]) == told["data"]
        else:  # the place was answered "held" before the answer that was owed
            assert told["status"] == "held"
            assert message["id"] in self.paper.owed
        if message["id"] not in self.paper.held:
            self.finally_answered.add(message["id"])

    @rule(ahead=st.integers(2, 4))
    def push_with_a_gap(self, ahead: int) -> None:
        start = self.paper.last_seq + ahead
        with pytest.raises(Refused) as refused:
            self._push(self.outbox[start - 1 : start], start, purged_through=start - 2)
        assert (refused.value.status, refused.value.expected_seq) == (409, self.paper.last_seq + 1)

    @precondition(lambda self: any(place[0] == self.paper.epoch for place in self.paper.stored))
    @rule(which=st.integers(0, 7), other_id=st.booleans())
    def push_something_else(self, which: int, other_id: bool) -> None:
        """A place that is taken: other contents under its id, or the command of a twin."""
        seqs = [seq for epoch, seq in self.paper.stored if epoch == self.paper.epoch]
        seq = seqs[which % len(seqs)]
        message = self.outbox[seq - 1]
        if other_id:
            with pytest.raises(Refused) as refused:
                self._push([message | {"id": "a twin's"}], seq)
            assert (refused.value.status, refused.value.code) == (423, "OFFICE-FORKED")
        elif "at" in message:
            (told,) = (json.loads(text) for text in self._push([message | {"hash": "0" * 64}], seq).answers)
            assert (told["status"], told["code"]) == ("refused", "OFFICE-HASH")

    @rule()
    def push_of_an_earlier_epoch(self) -> None:
        old = replace(self.sender, epoch=self.sender.epoch - 1)
        with pytest.raises(Refused) as refused:
            sent = envelope(old, self.outbox[:1])
            self.office.write(lambda tx: commands.push(tx, old, sent))
        assert refused.value.status == 423

    # --- the office and IT ------------------------------------------------------------------------------

    @precondition(lambda self: self.cases)
    @rule(which=st.integers(0, 7))
    def meet_an_error(self, which: int) -> None:
        self.broken.add(self.cases[-1 - which % len(self.cases)][0])

    @rule(mended=st.booleans())
    def retry(self, mended: bool) -> None:
        if mended:
            self.broken.clear()
        waiting = sorted(self.paper.waiting())
        told = [status for case in waiting for status in self.paper.try_again(case, self.broken, set())]
        tally = held.retry(self.office.office)
        counted = (told.count("applied"), told.count("refused"), told.count("held"))
        assert (tally.applied, tally.refused, tally.held) == counted

    @rule(keep=st.integers(0, 3))
    def enrol_again(self, keep: int) -> None:
        """What has no final answer goes once more, and the `keep` last of what has one."""
        answered = [m["id"] for m in self.outbox if m["id"] in self.finally_answered]
        leave = set(answered[: len(answered) - keep])
        self.sender = sender_of(self.office.enrol(again=self.sender.id))
        self.paper.epoch, self.paper.last_seq = self.sender.epoch, 0
        left = {m["id"]: m for m in self.outbox if m["id"] not in leave}
        self.outbox = [message | {"seq": n} for n, message in enumerate(left.values(), 1)]

    @rule()
    def back_up(self) -> None:
        self.copies = [(self.office.backup(), deepcopy(self.paper))]

    @precondition(lambda self: self.copies)
    @rule()
    def restore(self) -> None:
        """The office forgets; a window of another epoch than it remembers is enrolled again."""
        copy, paper = self.copies[0]
        self.office.restore(copy)
        self.paper = deepcopy(paper)
        self.finally_answered &= set(paper.known) - set(paper.held)
        if self.paper.epoch != self.sender.epoch:
            self.enrol_again(0)

    # --- what always holds ------------------------------------------------------------------------------

    @invariant()
    def the_register_is_what_was_sent(self) -> None:
        if not hasattr(self, "paper"):
            return
        rows = self.office.rows("SELECT id, state, official_number FROM registered_case")
        assert {row.id: row.state for row in rows} == self.paper.cases
        assert len({row.official_number for row in rows}) == len(rows)

    @invariant()
    def every_answer_is_kept(self) -> None:
        if not hasattr(self, "paper"):
            return
        known = {row.id: (row.status, row.code) for row in self.office.rows("SELECT * FROM command")}
        assert known == self.paper.known
        kept = {row.id for row in self.office.rows("SELECT id FROM command WHERE message IS NOT NULL")}
        assert kept == set(self.paper.held)
        rows = self.office.rows("SELECT epoch, seq, command, hash, answer FROM delivery")
        assert {(row.epoch, row.seq): (row.command, row.hash) for row in rows} == self.paper.stored
        for row in rows:
            assert self.paper.texts.setdefault((row.epoch, row.seq), row.answer) == row.answer
        ((last_seq, epoch),) = self.office.rows("SELECT last_seq, epoch FROM device")
        assert (last_seq, epoch) == (self.paper.last_seq, self.paper.epoch)

    @invariant()
    def what_was_owed_was_told_once(self) -> None:
        if not hasattr(self, "paper"):
            return
        told = self.office.rows("SELECT id, data FROM change WHERE kind = 'command' ORDER BY seq")
        assert sorted(row.id for row in told) == sorted(self.paper.owed)
        for case, _ in self.cases:
            mine = [id_ for id_ in self.paper.owed if self._about(id_) == case]
            assert [row.id for row in told if self._about(row.id) == case] == mine
        for row in told:
            answer = json.loads(row.data)
            assert (answer["status"], answer["code"]) == self.paper.known[row.id]

    def _about(self, id_: str) -> str:
        return next((_case_of(m) for m in self.outbox if m["id"] == id_), "")


TestPush = PushMachine.TestCase
