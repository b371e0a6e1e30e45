"""Accepting what was only received, limits that follow the calendar, and tasks a person settles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from desk_kit import CLERK, FRIDAY, ITEM, KIND, PERSON, Bench, bench

from clerk_app.desk import acceptance, calling, correction, drafting, due_dates, following, printing, settling
from clerk_app.desk.draft_view import draft_view
from clerk_app.desk.ports import CommandState, LinkState, LinkStatus, Operator, PrintOutcome, PrintResult
from clerk_app.desk.views import CaseRow
from clerk_app.domain.case import Case, LegalState, MaterialMode, SyncState, TimelineKind
from clerk_app.domain.catalogue import OfflineRule, ServiceItem
from clerk_app.domain.documents import ReceiptSlip
from clerk_app.domain.working_days import WorkingCalendar
from clerk_app.failures import Failure

CODE = ITEM.implementation.code
RECEIVE_ONLY = ServiceItem(replace(KIND, offline=OfflineRule.RECEIVE), ITEM.implementation)
YEAR_2026 = WorkingCalendar(frozenset({2026}))


@pytest.fixture
def hall() -> Iterator[Bench]:
    with bench({CODE: RECEIVE_ONLY}) as made:
        made.store.write(lambda tx: tx.meta.set_calendar(YEAR_2026))
        yield made


def received(hall: Bench, *, complete: bool = True) -> Case:
    """A case received while the office was out of reach."""
    hall.offline()
    calling.serve_paper(hall.desk, CLERK, "A037")
    draft = drafting.open_draft(hall.desk, CLERK)
    drafting.applicant_from_card(hall.desk, draft, PERSON)
    drafting.choose_item(hall.desk, draft, CODE)
    if complete:
        drafting.fill(hall.desk, draft, "phone", "13800001234")
    drafting.hand(hall.desk, draft, "id", MaterialMode.SEEN)
    assert not draft_view(hall.desk, draft).accept.open
    return acceptance.receive(hall.desk, draft)


def registered(hall: Bench, case: Case) -> Case:
    """What the feed brings: the office has it."""

    def fact(tx: object) -> Case:
        known = tx.cases.get(case.id)  # type: ignore[attr-defined]
        known = replace(known, sync_state=SyncState.REGISTERED, official_number="X20261120001", refusal=None)
        tx.cases.save(known)  # type: ignore[attr-defined]
        tx.outbox.mark([c.id for c in tx.outbox.pending()], CommandState.APPLIED)  # type: ignore[attr-defined]
        return known

    return hall.store.write(fact)


def row(hall: Bench, case: Case) -> CaseRow:
    return next(one for one in following.cases(hall.desk) if one.id == case.id)


def refused(code: str) -> pytest.RaisesExc[Failure]:
    return pytest.raises(Failure, match=f"^{code}")


def test_a_case_received_offline_is_accepted_when_the_office_has_it(hall: Bench) -> None:
    case = received(hall)
    printing.run(hall.desk)
    [(slip, _)] = hall.printer.papers
    assert isinstance(slip, ReceiptSlip) and slip.check_later and slip.accepted_at is None
    assert row(hall, case).accept.reason == "gate.accept_offline"
    hall.online()
    assert row(hall, case).accept.reason == "gate.accept_unregistered"
    registered(hall, case)
    assert row(hall, case).accept.open
    hall.clock.advance(timedelta(days=3))  # Monday

    accepted = acceptance.accept_received(hall.desk, case.id, CLERK)

    assert (accepted.legal_state, accepted.sync_state) == (LegalState.ACCEPTED, SyncState.HERE)
    assert accepted.number == case.number
    assert accepted.due == date(2026, 11, 26)  # three working days after the day of acceptance
    [command] = hall.store.read(lambda tx: tx.outbox.pending())
    assert (command.type, command.aggregate) == ("case.accept", case.id)
    assert command.body == {"case_id": case.id, "accepted_at": hall.clock.now().isoformat()}
    printing.run(hall.desk)
    slip, mark = hall.printer.papers[-1]
    assert isinstance(slip, ReceiptSlip)
    assert (slip.accepted_at, slip.due, slip.check_later, slip.offline) == (
        hall.clock.now(),
        accepted.due,
        False,
        False,
    )
    assert mark == 1
    kinds, links = hall.store.read(
        lambda tx: ([event.kind for event in tx.timeline.of_case(case.id)], tx.audit.verify())
    )
    assert kinds.count(TimelineKind.ACCEPTED) == 1 and links
    with refused("DESK-NOT-ACCEPTABLE"):
        acceptance.accept_received(hall.desk, case.id, CLERK)


def test_a_voucher_that_never_came_out_is_replaced_by_the_one_of_acceptance(hall: Bench) -> None:
    hall.printer.outcomes[:] = [PrintResult(PrintOutcome.FAILED, "PRINTER-PAPER-OUT")]
    case = received(hall)
    printing.run(hall.desk)
    hall.online()
    registered(hall, case)
    acceptance.accept_received(hall.desk, case.id, CLERK)
    printing.resume_when_ready(hall.desk)
    printing.run(hall.desk)
    [(slip, mark)] = hall.printer.papers
    assert (slip.accepted_at is not None, mark) == (True, 0)


@pytest.mark.parametrize("state", [CommandState.REFUSED, CommandState.HELD])
def test_a_filing_the_office_refused_or_keeps_is_not_accepted(hall: Bench, state: CommandState) -> None:
    case = received(hall)
    hall.online()

    def stuck(tx: object) -> None:
        filing = next(c for c in tx.outbox.pending() if c.type == "case.file")  # type: ignore[attr-defined]
        tx.outbox.mark([filing.id], state, "OFFICE-NO-ITEM")  # type: ignore[attr-defined]
        tx.cases.save(replace(case, sync_state=SyncState.REFUSED, refusal="OFFICE-NO-ITEM"))  # type: ignore[attr-defined]

    hall.store.write(stuck)
    held = state is CommandState.HELD
    assert row(hall, case).held is held
    assert row(hall, case).accept.reason == ("gate.filing_held" if held else "gate.filing_refused")
    with refused("DESK-NOT-ACCEPTABLE"):
        acceptance.accept_received(hall.desk, case.id, CLERK)
    [task] = [one for one in following.outbox(hall.desk) if one.case_id == case.id]
    assert task.void.open is not held
    assert task.settle.open is False


def test_what_lacked_something_is_not_accepted_at_the_window(hall: Bench) -> None:
    case = received(hall, complete=False)
    hall.online()
    registered(hall, case)
    assert row(hall, case).accept.reason == "gate.form"
    with refused("DESK-NOT-ACCEPTABLE"):
        acceptance.accept_received(hall.desk, case.id, CLERK)


def test_the_five_working_days_of_a_received_case_run_and_are_told(hall: Bench) -> None:
    case = received(hall)
    assert (row(hall, case).accept_by, row(hall, case).days_left) == (date(2026, 11, 27), 5)
    clerk = Operator(CLERK, "王芳", frozenset(), FRIDAY)
    link = LinkStatus(LinkState.OFFLINE)
    assert following.status(hall.desk, clerk, link).urgent == 0
    hall.clock.advance(timedelta(days=6))  # Thursday: one is left
    status = following.status(hall.desk, clerk, link)
    assert (status.awaiting, status.urgent, status.accept_by) == (1, 1, date(2026, 11, 27))
    hall.clock.advance(timedelta(days=1))
    assert row(hall, case).days_left == 0
    hall.clock.advance(timedelta(days=1))  # Saturday: over
    assert row(hall, case).days_left < 0


def test_a_received_case_is_listed_however_old_it_is(hall: Bench) -> None:
    case = received(hall)
    assert [one.id for one in following.cases(hall.desk, 1)] == [case.id]
    other = replace(case, id="later", number="MY01000000989", legal_state=LegalState.ACCEPTED)
    hall.store.write(lambda tx: tx.cases.add(other))
    assert [one.id for one in following.cases(hall.desk, 1)] == ["later", case.id]


def test_a_limit_beyond_the_calendar_is_provisional_and_counted_again_when_it_arrives(hall: Bench) -> None:
    hall.clock.at = FRIDAY.replace(month=12, day=30)
    case = received(hall)
    hall.online()
    registered(hall, case)
    accepted = acceptance.accept_received(hall.desk, case.id, CLERK)
    assert (accepted.due, accepted.due_provisional) == (date(2027, 1, 4), True)
    assert due_dates.recompute(hall.desk) == 0

    holiday = WorkingCalendar(frozenset({2026, 2027}), frozenset({date(2027, 1, 1)}))
    hall.store.write(lambda tx: tx.meta.set_calendar(holiday))
    assert due_dates.recompute(hall.desk) == 1
    assert due_dates.recompute(hall.desk) == 0
    now, events, moved = hall.store.read(
        lambda tx: (tx.cases.get(case.id), tx.timeline.of_case(case.id), due_dates.moved(tx))
    )
    assert (now.due, now.due_provisional) == (date(2027, 1, 5), False)
    assert events[-1].kind is TimelineKind.DUE_CHANGED
    assert events[-1].detail == "2027-01-04 → 2027-01-05"
    assert moved == (row(hall, case).number,)
    assert any({"cases", "due"} <= change.topics for change in hall.changes)
    due_dates.seen(hall.desk)
    assert hall.store.read(due_dates.moved) == ()


def test_a_limit_that_the_calendar_confirms_is_no_news(hall: Bench) -> None:
    hall.clock.at = FRIDAY.replace(month=12, day=30)
    case = received(hall)
    hall.online()
    registered(hall, case)
    acceptance.accept_received(hall.desk, case.id, CLERK)
    hall.store.write(lambda tx: tx.meta.set_calendar(WorkingCalendar(frozenset({2026, 2027}))))
    assert due_dates.recompute(hall.desk) == 0
    assert hall.store.read(lambda tx: tx.cases.get(case.id)).due_provisional is False


def test_a_refused_command_of_a_registered_case_is_settled_by_a_person(hall: Bench) -> None:
    case = received(hall)
    hall.online()
    registered(hall, case)
    acceptance.accept_received(hall.desk, case.id, CLERK)

    def refuse(tx: object) -> str:
        [command] = tx.outbox.pending()  # type: ignore[attr-defined]
        tx.outbox.mark([command.id], CommandState.REFUSED, "OFFICE-CASE-STATE")  # type: ignore[attr-defined]
        known = tx.cases.get(case.id)  # type: ignore[attr-defined]
        tx.cases.save(replace(known, sync_state=SyncState.REFUSED, refusal="OFFICE-CASE-STATE"))  # type: ignore[attr-defined]
        return str(command.id)

    task = hall.store.write(refuse)
    assert [(one.id, one.settle.open, one.void.open) for one in following.outbox(hall.desk)] == [
        (task, True, False)
    ]
    with refused("DESK-SETTLE-HOW"):
        settling.settle(hall.desk, task, "  ", CLERK)
    settling.settle(hall.desk, task, "督导已在后台改正", CLERK)
    assert following.outbox(hall.desk) == ()
    kept, known, acts = hall.store.read(
        lambda tx: (
            tx.outbox.get(task),
            tx.cases.get(case.id),
            tx.audit.acts(FRIDAY, hall.clock.now() + timedelta(days=1)),
        )
    )
    assert (kept.state, kept.code) == (CommandState.SETTLED, "OFFICE-CASE-STATE")
    assert (known.sync_state, known.refusal) == (SyncState.REGISTERED, None)
    assert "task-settled" in [act.act for act in acts]
    with refused("DESK-NOT-A-TASK"):
        settling.settle(hall.desk, task, "again", CLERK)


def test_a_refused_filing_of_a_case_voided_meanwhile_can_be_put_away(hall: Bench) -> None:
    case = received(hall)
    hall.online()
    correction.void(hall.desk, case.id, "重复收件", CLERK)

    def refuse(tx: object) -> list[str]:
        tasks = [c.id for c in tx.outbox.pending() if c.type.startswith("case.")]  # type: ignore[attr-defined]
        tx.outbox.mark(tasks, CommandState.REFUSED, "DESK-ITEM-RETIRED")  # type: ignore[attr-defined]
        known = tx.cases.get(case.id)  # type: ignore[attr-defined]
        tx.cases.save(replace(known, sync_state=SyncState.REFUSED, refusal="DESK-ITEM-RETIRED"))  # type: ignore[attr-defined]
        return tasks

    for task in hall.store.write(refuse):
        settling.settle(hall.desk, task, "后台本来就没有", CLERK)
    assert not [one for one in following.outbox(hall.desk) if one.case_id == case.id]


def test_a_window_that_began_without_the_office_says_since_when(hall: Bench) -> None:
    hall.store.write(lambda tx: tx.meta.set("synced_at", "2026-11-18T16:20:00+08:00"))
    clerk = Operator(CLERK, "王芳", frozenset(), FRIDAY)
    shown = following.status(hall.desk, clerk, LinkStatus(LinkState.OFFLINE, since=FRIDAY)).link
    assert f"{shown.since:%m-%d %H:%M}" == "11-18 16:20"
    assert shown.synced_at == shown.since
