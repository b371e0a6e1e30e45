"""The judgement: when everything is up again, do the books of windows, office, paper and people agree?

A finding is a sentence; no findings is the only good result.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from workstation_kit import CLERK, Window

from back_office import feed
from back_office.office import open_office
from clerk_app.desk import printing
from clerk_app.desk.ports import PrintState, Transaction
from clerk_app.domain.case import Case, LegalState, SyncState
from clerk_app.failures import Failure
from clerk_app.sync import digests
from clerk_app.sync.protocol import LOST_CARDS
from tests.chaos.hall import ChaosHall, Seat
from tests.chaos.history import told
from tests.chaos.nursery import BROKEN_OFF

_CODE = re.compile(r"\[QR (\w+)\]")
SECONDS = 180.0
"""For one window to send and fetch what is left, on a busy machine."""


@dataclass
class Verdict:
    findings: list[str] = field(default_factory=list)
    figures: Counter[str] = field(default_factory=Counter)

    def expect(self, what: object, finding: str) -> None:
        if not what:
            self.findings.append(finding)


@dataclass(frozen=True, slots=True)
class _Books:
    """What one window holds when it has nothing left to do."""

    seat: Seat
    cases: dict[str, Case]
    stuck: list[str]  # refused or held, told as tasks
    waiting: list[str]
    links: int
    pages_left: int
    pages: dict[str, dict[str, str]]  # case -> page -> SHA-256
    digests: dict[str, tuple[Any, str | None]]


def judge(hall: ChaosHall) -> Verdict:
    """Everything is up and the network is well. Opens each window, lets it settle, and compares."""
    verdict = Verdict()
    books = [_books(hall, seat, verdict) for seat in hall.seats]
    _histories(hall, books, verdict)
    _papers(hall, books, verdict)
    _office(hall, books, verdict)
    _log(hall, verdict)
    return verdict


def _books(hall: ChaosHall, seat: Seat, verdict: Verdict) -> _Books:
    window = hall.open(seat)
    try:
        _settle(window, verdict, seat)
        read = window.desk.store.read
        try:
            links = read(lambda tx: tx.audit.verify())
        except Failure as failure:
            verdict.findings.append(f"{seat.name}: {failure}")
            links = -1
        return _Books(
            seat,
            {case.id: case for case in read(lambda tx: tx.cases.recent(1_000_000))},
            [f"{c.type} {c.state} {c.code}" for c in read(lambda tx: tx.outbox.stuck())],
            [f"{c.type} {c.state}" for c in read(lambda tx: tx.outbox.next_batch(1000))],
            links,
            len(read(lambda tx: tx.attachments.to_upload(1000))),
            read(_pages),
            read(_mirrors(window)),
        )
    finally:
        window.close()


def _settle(window: Window, verdict: Verdict, seat: Seat) -> None:
    """The clerk answers for the paper, everything goes up, the slips come out, the audit arrives."""

    def done() -> bool:
        return window.desk.store.read(
            lambda tx: (
                not tx.outbox.next_batch(1)
                and not tx.print_jobs.unfinished()
                and not tx.attachments.to_upload(1)
                and all(case.sync_state is not SyncState.SENT for case in tx.cases.recent(1_000_000))
            )
        )

    for job in window.desk.store.read(lambda tx: tx.print_jobs.unfinished()):
        if job.state is PrintState.UNKNOWN:
            printing.answer(window.desk, job.id, on_paper=False, operator=CLERK.staff_no)
    window.workstation.print_queued()
    window.workstation.scheduler.network_up()
    try:
        window.until(done, SECONDS)
    except AssertionError as error:
        verdict.findings.append(f"{seat.name} does not come to rest: {error}")


def _pages(tx: Transaction) -> dict[str, dict[str, str]]:
    cases = [case.id for case in tx.cases.recent(1_000_000)]
    return {case: {page.id: page.sha256 for page in tx.attachments.of_case(case)} for case in cases}


def _mirrors(window: Window) -> Any:
    scopes = [f"queue:{window.desk.device.queue}", LOST_CARDS]

    def look(tx: Transaction) -> dict[str, tuple[Any, str | None]]:
        return {scope: (tx.feed.cursor(scope), digests.of_mirror(tx, scope)) for scope in scopes}

    return look


def _histories(hall: ChaosHall, books: list[_Books], verdict: Verdict) -> None:
    """What citizens were told is so."""
    by_name = {f"window-{one.seat.number}": one for one in books}
    announced: Counter[str] = Counter()
    own: Counter[str] = Counter()
    for event in told(hall.histories):
        what = event["what"]
        verdict.figures[f"told: {what}"] += 1
        if what == "announced":
            announced[event["ticket"]] += 1
        elif what == "issued":
            own[event["ticket"]] += 1
        elif what == "failed":
            verdict.figures[f"met {event['code']}"] += 1
        elif what in ("filed", "void", "accepted"):
            case = by_name[event["by"]].cases.get(event["id"])
            if case is None or case.number != event["number"]:
                verdict.findings.append(f"{event['by']}: {what} {event['number']} is lost")
                continue
            state = case.legal_state
            verdict.expect(
                what == "filed" or state in (LegalState.VOID, LegalState(what)),
                f"{event['number']} was {what} and is {state}",
            )
    for ticket, times in announced.items():
        verdict.expect(times == 1, f"ticket {ticket} was announced {times} times")
    for ticket, times in own.items():
        verdict.expect(times == 1, f"offline ticket {ticket} was given {times} times")


def _papers(hall: ChaosHall, books: list[_Books], verdict: Verdict) -> None:
    """A number is on the slips of one case, and unmarked on one paper at most."""
    owner = {case.number: one.seat.number for one in books for case in one.cases.values()}
    verdict.expect(len(owner) == sum(len(one.cases) for one in books), "two cases at windows bear one number")
    unmarked: Counter[str] = Counter()
    out: set[str] = set()
    for seat in hall.seats:
        for paper in seat.printer.papers:
            text = paper.text
            verdict.figures["papers"] += 1
            for number in _CODE.findall(text):
                if number not in owner:
                    verdict.expect(number[:1].isalpha() and len(number) < 10, f"{number} is on paper alone")
                    continue
                verdict.expect(owner[number] == seat.number, f"{number} is on the paper of another window")
                unmarked[number] += "补打" not in text
                out.add(number)
    for number, times in unmarked.items():
        verdict.expect(times <= 1, f"{number} is on {times} papers without a mark")
    for one in books:
        for case in one.cases.values():
            if case.legal_state is not LegalState.VOID:
                verdict.expect(case.number in out, f"{case.number} never came out on paper")


def _office(hall: ChaosHall, books: list[_Books], verdict: Verdict) -> None:
    registered = {row.id: row for row in hall.rows("SELECT id, number, state, device FROM registered_case")}
    verdict.figures["registered"] = len(registered)
    arrived = {
        row.id: row.sha256
        for row in hall.rows("SELECT id, sha256 FROM upload WHERE completed_at IS NOT NULL")
    }
    verdict.figures["pages uploaded"] = len(arrived)
    verdict.expect(
        len({row.number for row in registered.values()}) == len(registered), "a number is registered twice"
    )
    for one in books:
        name = one.seat.name
        verdict.expect(not one.waiting, f"{name}: {len(one.waiting)} unanswered, {one.waiting[:3]}")
        verdict.figures["stuck, as a task"] += len(one.stuck)
        for words in one.stuck:
            verdict.figures[f"task: {words}"] += 1
        verdict.figures["audit links"] += one.links
        verdict.expect(not one.pages_left, f"{name}: {one.pages_left} pages not uploaded")
        for case in one.cases.values():
            verdict.figures["cases"] += 1
            row = registered.pop(case.id, None)
            if case.sync_state in (SyncState.REFUSED, SyncState.HELD) or case.refusal is not None:
                verdict.figures["refused or held, visibly"] += 1
            elif row is None:
                gone = case.legal_state is LegalState.VOID
                verdict.expect(gone, f"{case.number} is {case.sync_state} and the office has no such case")
            else:
                same = (row.number, row.state, row.device) == (case.number, case.legal_state, one.seat.device)
                for page, sha256 in one.pages[case.id].items():
                    verdict.expect(arrived.get(page) == sha256, f"{case.number}: a page is not at the office")
                verdict.expect(
                    same, f"{case.number} is {case.legal_state} here, {row.number} {row.state} there"
                )
    for row in registered.values():
        verdict.findings.append(f"{row.number}: the office has a case no window knows")
    _order(hall, verdict)
    _audit(hall, books, verdict)
    _mirrors_agree(hall, books, verdict)


def _order(hall: ChaosHall, verdict: Verdict) -> None:
    """The commands of a case arrived in the order they were given, dense in their epoch."""
    query = (
        "SELECT d.device, d.epoch, d.seq, c.type, c.aggregate, c.status FROM delivery d JOIN command c "
        "ON c.id = d.command ORDER BY d.device, d.epoch, d.seq"
    )
    filed: set[str] = set()
    seqs: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    for row in hall.rows(query):
        verdict.figures["commands"] += 1
        verdict.figures[f"commands {row.status}"] += 1
        seqs[row.device, row.epoch].append(row.seq)
        if row.type == "case.file":
            filed.add(row.aggregate)
        elif row.type.startswith("case."):
            verdict.expect(row.aggregate in filed, f"{row.type} came before its case")
    for (device, epoch), found in seqs.items():
        dense = found == list(range(found[0], found[0] + len(found)))
        verdict.expect(dense, f"commands of {device} epoch {epoch} have a hole")


def _audit(hall: ChaosHall, books: list[_Books], verdict: Verdict) -> None:
    chains = {(row.device, row.n): row for row in hall.rows("SELECT device, n, broken FROM audit_chain")}
    for row in chains.values():
        verdict.expect(row.broken is None, f"audit chain of {row.device} does not hold: {row.broken}")
    for one in books:
        held = max((n for device, n in chains if device == one.seat.device), default=0)
        # The last acts of the settling may still be on their way: they go with the next push.
        verdict.expect(
            one.links - 20 <= held <= one.links, f"audit of {one.seat.name}: {held} of {one.links}"
        )


def _mirrors_agree(hall: ChaosHall, books: list[_Books], verdict: Verdict) -> None:
    office = open_office(hall.office.settings)
    try:
        if office.database.kind == "sqlite":
            fine = office.read(lambda c: c.execute(sa.text("PRAGMA integrity_check")).scalar())
            verdict.expect(fine == "ok", f"office.db: {fine}")
        hall_code = books[0].seat.enrolled and office.read(
            lambda c: c.scalar(sa.text("SELECT code FROM hall"))
        )
        for one in books:
            for scope, (cursor, mine) in one.digests.items():
                key = ("" if scope == LOST_CARDS else hall_code, scope)
                theirs = office.read(lambda c, key=key: feed.digest(c, key))
                if cursor != (theirs.generation, theirs.seq):
                    verdict.figures["mirrors that moved on"] += 1  # a later window served somebody
                    continue
                verdict.expect(mine == theirs.digest, f"{one.seat.name}: the mirror of {scope} differs")
                verdict.figures["mirrors compared"] += 1
    finally:
        office.close()


def _log(hall: ChaosHall, verdict: Verdict) -> None:
    """Nobody met a bug, and no mirror had to be fetched anew."""
    text = hall.log.read_text(errors="replace")
    for words in ("SYNC-MISMATCH", "a sync cycle broke", "a bug on a lane", BROKEN_OFF):
        if count := text.count(words):
            verdict.findings.append(f"the log says {words!r} {count} times")
