"""Paper after the commit: print jobs are rows, run on the printer lane, and may fail without harm.

queued → printing → printed | failed | unknown (→ replaced). A job found "printing" at start was cut by a
kill: nobody knows what is on the paper, so it is asked, never guessed.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from clerk_app.desk import spelling, ticketing
from clerk_app.desk.context import Desk
from clerk_app.desk.ports import Changed, PrintJob, PrintOutcome, PrintResult, PrintState, Transaction
from clerk_app.domain.case import LegalState, TimelineEvent, TimelineKind
from clerk_app.domain.documents import VoidSlip
from clerk_app.failures import Failure

_STATES = {
    PrintOutcome.PRINTED: PrintState.PRINTED,
    PrintOutcome.FAILED: PrintState.FAILED,
    PrintOutcome.UNKNOWN: PrintState.UNKNOWN,
}
INTERRUPTED = "PRINTER-INTERRUPTED"
NO_GLYPH = "PRINTER-NO-GLYPH"
_OF_THE_SLIP = frozenset({NO_GLYPH, ticketing.VOIDING})
"""Failures of the slip, not of the printer: a ready printer changes nothing about them."""


def recover(desk: Desk) -> int:
    """At start, before any printing: jobs cut by a kill become "unknown". Returns how many."""

    return desk.store.write(_doubt)


def run(desk: Desk) -> None:
    """Print what is queued, oldest first. Printer lane only; every job ends in a state on the screen.

    A job found "printing" is of a run whose end the store did not take: it is in doubt.
    """
    desk.store.write(_doubt)
    while True:
        job = desk.store.write(partial(_begin, desk))
        if job is None:
            return
        try:
            result = _print(desk, job)
        except Exception:  # a bug: nobody knows how far it came
            _settle(desk, job, PrintResult(PrintOutcome.UNKNOWN, INTERRUPTED))
            raise
        _settle(desk, job, result)


def retry(desk: Desk, job_id: str) -> None:
    """Queue a failed job again: nothing of it is on paper, so it is no reprint."""

    def queue(tx: Transaction) -> None:
        job = tx.print_jobs.get(job_id)
        if job is not None and job.state is PrintState.FAILED:
            tx.print_jobs.mark(job_id, PrintState.QUEUED)

    desk.store.write(queue)


def answer(desk: Desk, job_id: str, on_paper: bool, operator: str) -> None:
    """The clerk's answer about an unknown job: it is on paper, or it is printed again marked 补打."""

    def settle(tx: Transaction) -> None:
        job = tx.print_jobs.get(job_id)
        if job is None or job.state is not PrintState.UNKNOWN:
            return
        now = desk.clock.now()
        # Either way the job itself is over: half of it may be on paper, so its successor is marked 补打.
        tx.print_jobs.mark(job_id, PrintState.PRINTED if on_paper else PrintState.REPLACED)
        word = "on paper" if on_paper else "not on paper"
        tx.audit.add(at=now, actor=operator, act="print-answer", subject=job.case_id or job.id, detail=word)
        if on_paper:
            _count(tx, job)
        elif not _withdrawn(tx, job):
            again = tx.print_jobs.add(job.slip, case_id=job.case_id, at=now, reprint=job.reprint + 1)
            subject = getattr(job.slip, "number", job.id)
            tx.audit.add(at=now, actor=operator, act="reprint", subject=subject, detail=str(again.reprint))

    desk.store.write(settle)


def spell_out(desk: Desk, job_id: str, operator: str) -> None:
    """Print a slip that failed for a character nobody can write, with `[U+9FA6]` in its place.

    A slip never shows a box or nothing for a character; the clerk decided to write its code instead.
    """

    def queue(tx: Transaction) -> None:
        job = tx.print_jobs.get(job_id)
        if job is None or job.state is not PrintState.FAILED or job.code != NO_GLYPH:
            return
        now = desk.clock.now()
        slip = spelling.spelled_out(job.slip, desk.printer.missing)
        tx.print_jobs.mark(job_id, PrintState.REPLACED)  # nothing of it is on paper: the next is no reprint
        tx.print_jobs.add(slip, case_id=job.case_id, at=now, reprint=job.reprint)
        tx.audit.add(at=now, actor=operator, act="print-spelled", subject=job.case_id or job.id)

    desk.store.write(queue)


def resume_when_ready(desk: Desk) -> bool:
    """Queue what failed once the printer is ready again; True when something is to be printed.

    That includes what a kill between commit and paper left queued. Printer lane only.
    """
    if desk.store.read(_cut):
        recover(desk)
        desk.changed(Changed(frozenset({"printing", "cases"})))

    waiting = desk.store.read(_waiting)
    if not waiting or not desk.printer.status().ready:
        return False

    def queue(tx: Transaction) -> bool:
        # Anew: while the printer was asked, a number may have begun to be withdrawn, a slip been settled.
        ready = _waiting(tx)
        for job in ready:
            tx.print_jobs.mark(job.id, PrintState.QUEUED)
        return bool(ready)

    return desk.store.write(queue)


def withdraw(tx: Transaction, case_id: str) -> None:
    """The case is void: a receipt not begun never reaches paper. Part of the caller's transaction."""
    for job in tx.print_jobs.of_case(case_id):
        if job.state in (PrintState.QUEUED, PrintState.FAILED):
            tx.print_jobs.mark(job.id, PrintState.REPLACED)


def _doubt(tx: Transaction) -> int:
    """What is "printing" without anybody printing it becomes "unknown". Returns how many."""
    cut = _cut(tx)
    for job in cut:
        tx.print_jobs.mark(job.id, PrintState.UNKNOWN, INTERRUPTED)
    return len(cut)


def _cut(tx: Transaction) -> tuple[PrintJob, ...]:
    return tuple(job for job in tx.print_jobs.unfinished() if job.state is PrintState.PRINTING)


def _waiting(tx: Transaction) -> tuple[PrintJob, ...]:
    """What a ready printer is to print without being told."""
    failed = PrintState.FAILED
    return tuple(
        job
        for job in tx.print_jobs.unfinished()
        if job.state is PrintState.QUEUED or (job.state is failed and job.code not in _OF_THE_SLIP)
    )


def _begin(desk: Desk, tx: Transaction) -> PrintJob | None:
    """The oldest queued job, from now on "printing": committed before the first byte leaves."""
    for job in tx.print_jobs.unfinished():
        if ticketing.over(desk, tx, job.slip):
            tx.print_jobs.mark(
                job.id, PrintState.REPLACED
            )  # failed or in doubt, nobody asks about it any more
            continue
        if job.state is not PrintState.QUEUED:
            continue
        tx.print_jobs.mark(job.id, PrintState.PRINTING)
        return job
    return None


def _withdrawn(tx: Transaction, job: PrintJob) -> bool:
    """Whether the case was voided while its receipt was on its way: only the 作废 slip may follow."""
    case = tx.cases.get(job.case_id) if job.case_id else None
    return case is not None and case.legal_state is LegalState.VOID and not isinstance(job.slip, VoidSlip)


def _print(desk: Desk, job: PrintJob) -> PrintResult:
    try:
        return desk.printer.print(job.slip, reprint=job.reprint)
    except Failure as failure:
        return PrintResult(PrintOutcome.FAILED, failure.code, failure.detail)


def _settle(desk: Desk, job: PrintJob, result: PrintResult) -> None:
    desk.store.write(partial(_end, desk, job, result))
    desk.changed(Changed(frozenset({"printing", "cases"})))


def _end(desk: Desk, job: PrintJob, result: PrintResult, tx: Transaction) -> None:
    state = _STATES[result.outcome]
    if state is PrintState.FAILED and _withdrawn(tx, job):
        state = PrintState.REPLACED
    tx.print_jobs.mark(job.id, state, result.code)
    printed = result.outcome is PrintOutcome.PRINTED
    case = tx.cases.get(job.case_id) if job.case_id else None
    if case is not None:
        kind = TimelineKind.PRINTED if printed else TimelineKind.PRINT_FAILED
        tx.timeline.add(TimelineEvent(desk.clock.now(), kind, result.code, case.visit_id, case.id))
    if printed:
        _count(tx, job)


def _count(tx: Transaction, job: PrintJob) -> None:
    case = tx.cases.get(job.case_id) if job.case_id else None
    if case is not None:
        tx.cases.save(replace(case, printed=case.printed + 1))
