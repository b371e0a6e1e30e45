"""What really happened in a run, kept outside the product, and the checks against it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from back_office.tables import block, delivery, gap, paper_visit, registered_case, ticket
from clerk_app.desk.ports import CommandState
from clerk_app.domain.case import Case, LegalState, SyncState
from clerk_app.domain.documents import ReceiptSlip, Slip, TicketSlip, VoidSlip
from clerk_app.domain.hall_time import HALL_TIME
from tests.simulation.world import Violation, World

if TYPE_CHECKING:
    from tests.simulation.run import Run
    from tests.simulation.window import SimWindow

CLOCK_OFF = timedelta(minutes=10)

ALWAYS_EXPLAINED = frozenset({"OFFICE-ITEM-NOT-IN-FORCE"})
"""An item ended while the window could not know it: the case is a task for a person, by the rule."""


@dataclass(frozen=True)
class Filed:
    """A case a window committed: from here on a citizen may hold its number."""

    case_id: str
    number: str
    device: str
    hall: str
    twin: bool
    clock_off: bool
    restores: int  # restores of the office before it


@dataclass
class Truth:
    world: World
    filed: dict[str, Filed] = field(default_factory=dict)
    bearers: dict[str, set[str]] = field(default_factory=dict)  # number -> case ids
    paper: dict[tuple[str, ...], tuple[Any, ...]] = field(default_factory=dict)
    copies: dict[tuple[Any, int], int] = field(default_factory=dict)
    called: dict[tuple[str, str, str], str] = field(default_factory=dict)  # hall, day, number -> window
    cloned: set[str] = field(default_factory=set)  # devices whose disk was copied

    # --- while it runs ----------------------------------------------------------------------------------

    def committed(self, window: SimWindow, case: Case, error: timedelta) -> None:
        self.filed[case.id] = Filed(
            case.id,
            case.number,
            window.device.id,
            window.hall,
            window.twin,
            error > CLOCK_OFF,
            window.network.office.generation,
        )
        bearers = self.bearers.setdefault(case.number, set())
        bearers.add(case.id)
        if len(bearers) > 1 and window.device.id not in self.cloned:
            raise Violation("number", f"{case.number} was given twice")

    def printed(self, window: SimWindow, slip: Slip, reprint: int) -> None:
        """Nothing printed is ever taken back: one number on two different papers is the end."""
        match slip:
            case ReceiptSlip():
                key = ("case", slip.number)
                mine: tuple[Any, ...] = (slip.received_at, slip.window, slip.operator, slip.applicant)
            case TicketSlip():
                day = slip.issued_at.astimezone(HALL_TIME).date().isoformat()
                key, mine = ("ticket", window.hall, day, slip.number), (slip.issued_at,)
            case VoidSlip():
                key, mine = ("void", slip.number), (slip.voided_at,)
            case _:
                return
        self.world.counts["slips"] += 1
        times = self.copies[key, reprint] = self.copies.get((key, reprint), 0) + 1
        if times > 1 and window.device.id not in self.cloned:
            raise Violation("paper", f"{key}: the copy {reprint} came out twice")
        before = self.paper.setdefault(key, mine)
        if before != mine and window.device.id not in self.cloned:
            raise Violation("paper", f"{key}: two papers")

    def announced(self, window: SimWindow, number: str) -> None:
        """A ticket is announced once; again only when the window that called it recalls it."""
        day = self.world.now.astimezone(HALL_TIME).date().isoformat()
        key = (window.hall, day, number)
        before = self.called.setdefault(key, window.place)
        again = before == window.place and window.recalling
        fresh = self.world.counts[f"announced {key}"] == 0
        self.world.counts[f"announced {key}"] += 1
        if not fresh and not again and window.device.id not in self.cloned:
            raise Violation("announced", f"{number} by {before}, then by {window.place}")

    @property
    def restored(self) -> bool:
        return self.world.counts["restores"] > 0

    # --- at the end -------------------------------------------------------------------------------------

    def check(self, run: Run) -> None:
        """Everything healed, everybody synced: what must be true now."""
        registered = {row.id: row for row in run.office.rows(sa.select(registered_case))}
        self._cases(run, registered)
        self._office_knows_nobody_else(run, registered)
        self._outboxes(run)
        self._order(run)
        self._deliveries(run)
        self._mirrors(run)
        self._blocks(run)
        self._audit(run)

    def _cases(self, run: Run, registered: dict[str, Any]) -> None:
        """Each committed case is at the office once and under its number, or refused for all to see."""
        where = {w.device.id: w for w in run.windows if not w.twin}
        for filed in self.filed.values():
            row = registered.get(filed.case_id)
            if row is not None and row.number != filed.number:
                raise Violation("case", f"{filed.number} is {row.number} at the office")
            if filed.twin:
                continue  # of a second machine with one identity: it is fenced, and keeps what it has
            case = where[filed.device].read(lambda tx, filed=filed: tx.cases.get(filed.case_id))
            if case is None:
                self._purged(where[filed.device], filed, row)
            elif row is not None and case.sync_state is not SyncState.REFUSED:
                if case.sync_state is not SyncState.REGISTERED:
                    raise Violation("case", f"{filed.number} is registered and shown as {case.sync_state}")
                if case.official_number != row.official_number:
                    raise Violation("case", f"{filed.number} shows another official number")
            elif row is None:
                self._unregistered(run, where[filed.device], filed, case)

    def _purged(self, window: SimWindow, filed: Filed, row: Any) -> None:
        receipt = window.read(lambda tx: tx.receipts.by_number(filed.number))
        if receipt is None:
            raise Violation("case", f"{filed.number} is gone from its window")
        if row is None and receipt.legal_state is not LegalState.VOID:
            if self.restored:  # from a backup older than what the workstations keep: told to IT as a gap
                self.world.counts["lost to retention"] += 1
                return
            raise Violation("case", f"{filed.number} was purged and the office does not have it")

    def _unregistered(self, run: Run, window: SimWindow, filed: Filed, case: Case) -> None:
        mine = (one for one in window.commands() if one.aggregate == filed.case_id)
        filing = next((one for one in mine if one.type == "case.file"), None)
        if filing is None:
            raise Violation("case", f"{filed.number} has no command")
        if filing.state is CommandState.SETTLED:
            return
        if filing.state is not CommandState.REFUSED or case.sync_state is not SyncState.REFUSED:
            raise Violation(
                "case", f"{filed.number} is not registered: {filing.state} {filing.code}, {case.sync_state}"
            )
        explained = (
            filing.code in ALWAYS_EXPLAINED
            or filed.clock_off
            or (filing.code == "OFFICE-NO-ITEM" and run.office.generation > 0)
            or filed.device in self.cloned
        )
        if not explained:
            raise Violation("refused", f"{filed.number}: {filing.code} for honest work")

    def _office_knows_nobody_else(self, run: Run, registered: dict[str, Any]) -> None:
        numbers: dict[str, str] = {}
        for row in registered.values():
            if numbers.setdefault(row.number, row.id) != row.id:
                raise Violation("office", f"{row.number} twice")
            if row.device in run.stranger.devices:
                run.stranger.judge(row)
            elif row.id not in self.filed:
                raise Violation("office", f"{row.number} was filed by nobody")

    def _outboxes(self, run: Run) -> None:
        for window in run.windows:
            if window.twin:
                continue
            for left in window.read(lambda tx: tx.outbox.pending()):
                if left.state is not CommandState.REFUSED:
                    raise Violation("outbox", f"{window.name}: {left.type} {left.seq} is {left.state}")
            if (said := window.read(lambda tx: tx.outbox.state())).unsent:
                raise Violation("outbox", f"{window.name}: {said.unsent} unsent")

    def check_tickets(self, run: Run) -> None:
        """Nobody is called without a window that knows it, or served twice without the office's record."""
        by_window: dict[tuple[str, str], set[str]] = {}
        visits = {}
        for window in run.windows:
            for visit in run.visits_of(window):
                visits[visit.id] = (window, visit)
                known = by_window.setdefault((window.hall, window.place), set())
                known |= {visit.ticket_id or "", visit.ticket_number}
        today = run.world.now.astimezone(HALL_TIME).date()
        rows = run.office.rows(sa.select(ticket).where(ticket.c.day == today))
        for row in rows:
            known = by_window.get((row.hall, row.window or ""), set())
            if (
                row.state in ("called", "serving")
                and row.window in run.places
                and not {row.id, row.number} & known
            ):
                raise Violation("ticket", f"{row.number} is {row.state} at {row.window}, which knows nothing")
        served: dict[str, set[str]] = {}
        papers = {row.visit for row in run.office.rows(sa.select(paper_visit.c.visit))}
        for window, visit in visits.values():
            if visit.ticket_id and (visit.by_paper or visit.serving_since) and not window.twin:
                served.setdefault(visit.ticket_id, set()).add(window.device.id)
                if visit.by_paper and visit.id not in papers and not self.restored:
                    told = [
                        c
                        for c in window.commands()
                        if c.type == "ticket.by_paper" and c.aggregate == visit.id
                    ]
                    if told[0].state is not CommandState.REFUSED or told[0].code != "OFFICE-OPERATOR":
                        raise Violation(
                            "ticket",
                            f"{visit.ticket_number} by paper at {window.name} is not at the office: "
                            f"{told[0].state} {told[0].code}",
                        )

    def _order(self, run: Run) -> None:
        """What was done to a case was applied after it was filed."""
        known = {row.id for row in run.office.rows(sa.select(registered_case.c.id))}
        for window in run.windows:
            for one in window.commands():
                if one.type not in ("case.void", "case.accept") or window.twin:
                    continue
                if (
                    one.state is CommandState.REFUSED
                    and one.code == "OFFICE-NO-CASE"
                    and one.aggregate in known
                ):
                    raise Violation("order", f"{one.type} overtook its case")
                if one.state is not CommandState.APPLIED:
                    continue
                if one.aggregate not in known and not self.restored:
                    raise Violation("order", f"{one.type} applied to a case nobody filed")

    def _deliveries(self, run: Run) -> None:
        """Dense for every device and epoch."""
        holes = {(row.device, row.epoch) for row in run.office.rows(sa.select(gap).where(gap.c.lost))}
        rows = run.office.rows(
            sa.select(delivery.c.device, delivery.c.epoch, delivery.c.seq).order_by(
                delivery.c.device, delivery.c.epoch, delivery.c.seq
            )
        )
        last: dict[tuple[str, int], int] = {}
        for row in rows:
            before = last.get((row.device, row.epoch), 0)
            if row.seq != before + 1 and (row.device, row.epoch) not in holes:
                raise Violation("dense", f"{row.device} epoch {row.epoch}: {row.seq} after {before}")
            last[row.device, row.epoch] = row.seq

    def _mirrors(self, run: Run) -> None:
        for window in run.windows:
            if not window.twin:
                run.compare_mirror(window)

    def _blocks(self, run: Run) -> None:
        """No number is lost on the way: what was leased in the present epoch is on the window's disk."""
        leased = run.office.rows(sa.select(block.c.device, block.c.epoch, block.c.low))
        for window in run.windows:
            here = {one.low for one in window.read(lambda tx: tx.numbers.blocks())}
            epoch = (window.device.id, window.device.epoch)
            there = {row.low for row in leased if (row.device, row.epoch) == epoch}
            if not window.twin and there - here and window.device.id not in self.cloned:
                raise Violation(
                    "block", f"{window.name} was leased {sorted(there - here)} and has not got it"
                )

    def _audit(self, run: Run) -> None:
        far = timedelta(days=400)
        for window in run.windows:
            acts = window.read(lambda tx: tx.audit.acts(run.world.now - far, run.world.now + far))
            if any(act.subject == "SYNC-MISMATCH" for act in acts) and not window.corrupted:
                raise Violation("alarm", f"{window.name}: a mirror was wrong, and nobody had touched it")
            window.read(lambda tx: tx.audit.verify())
