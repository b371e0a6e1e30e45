"""Case numbers from both sides: the product's windows and the office, and everything that may go wrong.

Answers are lost before and after the commit, workstations enrolled again, disks copied, the office restored
from a backup, with and without being told. No two windows hold one serial, no slip in anybody's hand bears
the number of another, and what was printed is registered in the end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from itertools import combinations, pairwise
from typing import Any

import sqlalchemy as sa
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from memory_office import CLERK, HALL, HandClock, Line, LostLine, MemoryOffice, filing, sender_of
from memory_window import CopiedCache, new_cache

from clerk_app.desk.ports import CommandState, Operator, Seal, Transaction
from clerk_app.domain.numbering import FIRST_EMERGENCY, case_number, parse, printed, serial
from clerk_app.failures import Failure
from clerk_app.store.tables import number_blocks
from clerk_app.sync.blocks import keep_ahead, report_void
from clerk_app.sync.enrolment import device_of
from clerk_app.sync.pull import Pull
from clerk_app.sync.push import Push
from clerk_app.sync.transport import OfficeFailure
from tests.unit.sync_hall import make_case

MOST_WINDOWS, MOST_ENROLMENTS = 4, 6


@dataclass
class Window:
    """One workstation: its cache, its line, and the slips it printed: case id -> serial."""

    store: CopiedCache
    line: Line
    slips: dict[str, int] = field(default_factory=dict)
    enrolments: int = 1
    copied: bool = False  # there are two disks with this identity
    shut_out: bool = False  # the one of the two that IT did not enrol again

    def ranges(self) -> list[tuple[int, int]]:
        """Every block this workstation ever held."""
        held = sa.select(number_blocks.c.low, number_blocks.c.high)
        return self.store.read(lambda tx: [tuple(r) for r in tx.numbers._sql.execute(held)])


class NumbersMachine(RuleBasedStateMachine):
    @initialize()
    def open(self) -> None:
        self.clock = HandClock()
        self.office = MemoryOffice(self.clock)
        self.windows: list[Window] = []
        self.copies: list[Any] = []
        self.restored_from: Any = None
        self.untold = False  # some serials may have been leased twice: found by the office, and its own fault
        self.new_window()

    def teardown(self) -> None:
        if not hasattr(self, "windows"):
            return
        try:
            self.everything_arrives()
        finally:
            for window in self.windows:
                window.store.close()
            self.office.close()

    def everything_arrives(self) -> None:
        """Lines are up again: every slip of a workstation that was not copied is registered, or our fault."""
        for _ in range(2):  # whom the first round showed that the office lost its memory sends again
            for window in self.windows:
                if not window.shut_out:
                    self.sync(window, 3)
        there = {row.id: serial(row.number) for row in self.office.rows("SELECT * FROM registered_case")}
        for window in self.windows:
            if window.copied:
                continue
            pending = window.store.read(lambda tx: tx.outbox.pending())
            assert {c.state for c in pending} <= {CommandState.REFUSED}
            lost = {c.aggregate: c.code for c in pending}
            assert set(lost.values()) <= ({"OFFICE-NUMBER-TWICE"} if self.untold else set())
            assert {i: n for i, n in window.slips.items() if i not in lost} == {
                i: n for i, n in there.items() if i in window.slips and i not in lost
            }

    def a_window(self, which: int) -> Window:
        alive = [window for window in self.windows if not window.shut_out]
        return alive[which % len(alive)]

    # --- the workstations -------------------------------------------------------------------------------

    @precondition(lambda self: len(self.windows) < MOST_WINDOWS)
    @rule()
    def new_window(self) -> None:
        answer = self.office.enrol(f"{len(self.windows) + 1}")
        window = Window(new_cache(device_of(answer)), Line(self.office, sender_of(answer)))
        told = self.office.sign_in(window.line.sender)
        assert told.grant is not None
        grant = Seal(told.grant.text, told.grant.seal)
        clerk = Operator(CLERK, told.name, frozenset(told.rights), told.not_after, grant=grant)
        window.store.write(lambda tx: tx.operators.save(clerk, "no verifier"))
        self.windows.append(window)

    @rule(which=st.integers(0, 3), size=st.integers(1, 5), lost=st.sampled_from(("", "", "before", "after")))
    def lease(self, which: int, size: int, lost: str) -> None:
        window = self.a_window(which)
        window.line.lost = lost
        device = window.store.read(lambda tx: tx.meta.device())
        assert device is not None
        try:
            keep_ahead(window.line, window.store, device, size, emergency=True)
        except LostLine:
            assert lost
        except Failure as failure:
            self.at_office(window, failure)

    @rule(which=st.integers(0, 3), count=st.integers(1, 9))
    def file(self, which: int, count: int) -> None:
        window = self.a_window(which)
        for _ in range(count):
            try:
                case_id, number = window.store.write(self._file)
            except Failure as failure:
                assert failure.code == "STORE-NO-NUMBERS"
                left = window.store.read(lambda tx: sum(block.left for block in tx.numbers.blocks()))
                assert left == 0
                return
            assert parse(printed(case_number(HALL, number))) == case_number(HALL, number)
            assert number not in window.slips.values()
            window.slips[case_id] = number

    def _file(self, tx: Transaction) -> tuple[str, int]:
        ordinary = sum(block.left for block in tx.numbers.blocks() if block.kind == "case")
        number = tx.numbers.take()
        assert (number >= FIRST_EMERGENCY) == (ordinary == 0)
        case = make_case(number)
        tx.cases.add(case)
        body = filing(case.id, case.number, self.clock.now().isoformat())
        tx.outbox.add("case.file", case.id, body, at=self.clock.now(), operator=CLERK)
        return case.id, number

    @rule(which=st.integers(0, 3), lose=st.integers(0, 3), lost=st.sampled_from(("before", "after")))
    def sync_of(self, which: int, lose: int, lost: str) -> None:
        self.sync(self.a_window(which), lose, lost)

    def sync(self, window: Window, lose: int, lost: str = "") -> None:
        """A cycle: what is to be reported, the outbox, blocks, the device's own facts, and once more up."""
        now = self.clock.now()
        device = window.store.read(lambda tx: tx.meta.device())
        assert device is not None
        report_void(window.store, now)
        push = partial(Push(window.store, device, self.clock).drain, window.line, lambda: None)
        pull = Pull(window.store, self.clock, lambda items: None)
        steps = (
            partial(push, probe=True),
            partial(keep_ahead, window.line, window.store, device, 3, emergency=True),
            partial(pull.scope, window.line, f"device:{device.id}", lambda: None),
            push,
        )
        for n, step in enumerate(steps):
            window.line.lost = lost if n == lose else ""
            try:
                step()
            except LostLine:
                assert lost
            except Failure as failure:
                self.at_office(window, failure)
                return
        window.line.lost = ""

    def at_office(self, window: Window, failure: Failure) -> None:
        """A refusal of a whole request: only twins and those of a restored office hear one."""
        assert window.copied or self.untold, failure
        if window.copied:
            if isinstance(failure, OfficeFailure) and failure.code == "SYNC-FENCED":
                self.tell_apart(window)
        else:
            assert failure.code in ("STORE-BLOCK-OVERLAP", "SYNC-FENCED"), failure

    def tell_apart(self, window: Window) -> None:
        """IT finds two disks with one identity and enrols this one again; the other stays shut out."""
        mine = window.line.sender.id
        for other in self.windows:
            if other is not window and other.line.sender.id == mine:
                other.shut_out = True
        self.again(window)

    @precondition(lambda self: len(self.windows) < MOST_WINDOWS)
    @rule(which=st.integers(0, 3))
    def copy_disk(self, which: int) -> None:
        window = self.a_window(which)
        if window.copied:
            return
        window.copied = True
        line = Line(self.office, window.line.sender)
        twin = Window(window.store.copied(), line, dict(window.slips), copied=True)
        self.windows.append(twin)

    @rule(which=st.integers(0, 3))
    def kill(self, which: int) -> None:
        """A power cut in the middle of a filing: the disk as it was, opened again."""
        window = self.a_window(which)
        disks: list[CopiedCache] = []

        def killed(tx: Transaction) -> None:
            self._file(tx)
            raise KeyboardInterrupt

        try:
            window.store.write(killed)
        except (KeyboardInterrupt, Failure):
            disks.append(window.store.copied())
        window.store.close()
        (window.store,) = disks

    # --- IT and the office ------------------------------------------------------------------------------

    @rule(which=st.integers(0, 3))
    def enrol_again(self, which: int) -> None:
        window = self.a_window(which)
        if window.enrolments < MOST_ENROLMENTS and not window.copied:
            self.again(window)

    def again(self, window: Window) -> None:
        mine = window.line.sender
        answer = self.office.enrol(mine.window, again=mine.id, epoch=mine.epoch)
        window.store.write(lambda tx: tx.meta.set_device(device_of(answer)))
        window.line.sender = sender_of(answer)
        window.enrolments += 1

    @rule()
    def back_up(self) -> None:
        self.copies = [self.office.backup()]

    @precondition(lambda self: self.copies)
    @rule(told=st.sampled_from((True, True, False)))
    def restore(self, told: bool) -> None:
        """Without a word only where the office still knows everybody; else IT could not go on.

        From one backup twice, what was leased between the two is passed over by nothing: as without a word.
        """
        (copy,) = self.copies
        with copy.connect() as connection:
            known = {row.id: row.epoch for row in connection.execute(sa.text("SELECT id, epoch FROM device"))}
        alive = [window for window in self.windows if not window.shut_out]
        present = all(known.get(one.line.sender.id) == one.line.sender.epoch for one in alive)
        told = told or not present
        self.untold = self.untold or not told or self.restored_from is copy
        self.restored_from = copy
        self.office.restore(copy, told=told)
        for window in alive:
            if window.shut_out:  # its twin came first
                continue
            if known.get(window.line.sender.id) != window.line.sender.epoch:
                if window.copied:
                    self.tell_apart(window)
                else:
                    self.again(window)

    # --- what always holds ------------------------------------------------------------------------------

    @invariant()
    def no_two_windows_hold_one_serial(self) -> None:
        for one, other in combinations(getattr(self, "windows", ()), 2):
            if one.line.sender.id == other.line.sender.id or self.untold:
                continue
            for low, high in one.ranges():
                assert all(high < first or last < low for first, last in other.ranges())

    @invariant()
    def a_number_is_of_one_case(self) -> None:
        if not hasattr(self, "windows"):
            return
        rows = self.office.rows("SELECT * FROM registered_case")
        assert len({row.number for row in rows}) == len(rows)
        slips = {case: number for window in self.windows for case, number in window.slips.items()}
        assert {row.id: serial(row.number) for row in rows}.items() <= slips.items()

    @invariant()
    def void_numbers_are_on_no_slip(self) -> None:
        if not hasattr(self, "windows"):
            return
        void = self.office.rows("SELECT device, low, high FROM void_numbers ORDER BY low")
        assert all(one.high < other.low for one, other in pairwise(void))
        for window in self.windows:
            if not (window.copied or self.untold):
                assert not [n for n in window.slips.values() for v in void if v.low <= n <= v.high]


TestNumbers = NumbersMachine.TestCase
