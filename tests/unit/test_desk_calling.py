"""The call loop and signing in, with the office there and without it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from desk_kit import CLERK, PERSON, Bench, bench, ticket

from clerk_app.desk import calling, drafting, finding, following, rights, sign_in
from clerk_app.domain.case import TimelineKind
from clerk_app.domain.ticket import VisitState
from clerk_app.failures import Failure


@pytest.fixture
def hall() -> Iterator[Bench]:
    with bench() as made:
        yield made


def refused(code: str) -> pytest.RaisesExc[Failure]:
    return pytest.raises(Failure, match=f"^{code}")


def test_call_serve_finish(hall: Bench) -> None:
    visit = calling.call_next(hall.desk, CLERK)
    assert visit is not None
    assert (visit.ticket_number, visit.state) == ("A037", VisitState.CALLED)
    with refused("DESK-VISIT-OPEN"):
        calling.call_next(hall.desk, CLERK)
    drafting.applicant_from_card(hall.desk, drafting.open_draft(hall.desk, CLERK), PERSON)
    view = calling.visit_view(hall.desk, CLERK)
    assert view is not None
    assert view.state is VisitState.SERVING
    calling.finish(hall.desk, visit.id)
    assert calling.visit_view(hall.desk, CLERK) is None
    kinds = [row.kind for row in following.timeline(hall.desk, visit.id)]
    assert kinds == [TimelineKind.TICKET_CALLED, TimelineKind.CARD_READ, TimelineKind.FINISHED]
    types = [row.type for row in following.outbox(hall.desk)]
    assert types == ["ticket.serving", "ticket.done"]


def test_a_call_whose_answer_was_lost_gives_the_same_ticket(hall: Bench) -> None:
    hall.office.lose_answer = True
    with refused("SYNC-OFFLINE"):
        calling.call_next(hall.desk, CLERK)
    visit = calling.call_next(hall.desk, CLERK)
    assert visit is not None
    assert visit.ticket_number == "A037"
    assert len(hall.office.answered) == 1


def test_a_call_whose_answer_was_lost_yesterday_calls_nobody_of_yesterday(hall: Bench) -> None:
    hall.office.lose_answer = True
    with pytest.raises(Failure, match="SYNC-OFFLINE"):
        calling.call_next(hall.desk, CLERK)
    hall.clock.advance(timedelta(days=1))
    hall.office.tickets = [replace(ticket("A037"), issued_at=hall.clock.now())]
    visit = calling.call_next(hall.desk, CLERK)
    assert visit is not None
    assert visit.ticket_id == hall.store.read(lambda tx: tx.tickets.by_number("A037")).id
    assert hall.store.read(lambda tx: tx.tickets.get(visit.ticket_id)).issued_at == hall.clock.now()
    assert hall.voice.said == [("A037", hall.desk.device.window)]


def test_a_session_is_renewed_by_the_office_alone(hall: Bench) -> None:
    with refused("SIGN-IN-WRONG"):
        sign_in.renew(hall.desk, CLERK, "wrong")
    hall.office.rights = frozenset({"call"})
    assert sign_in.renew(hall.desk, CLERK, "right").rights == {"call"}
    with refused("DESK-RIGHT"):
        hall.store.read(lambda tx: rights.require(tx, CLERK, rights.ACCEPT))
    hall.offline()
    with refused("SYNC-OFFLINE"):
        sign_in.renew(hall.desk, CLERK, "right")


def test_a_crowd_is_counted_whole_and_listed_as_far_as_anybody_reads(hall: Bench) -> None:
    crowd = [ticket(f"A{number:03d}") for number in range(calling.LISTED + 50)]
    hall.store.write(lambda tx: tx.tickets.put(crowd))
    queue = calling.queue_view(hall.desk)
    assert queue.people == len(crowd)
    assert [row.number for row in queue.waiting] == [one.number for one in crowd[: calling.LISTED]]


def test_nobody_waits(hall: Bench) -> None:
    hall.office.tickets = []
    assert calling.call_next(hall.desk, CLERK) is None
    hall.office.tickets = []
    assert calling.call_next(hall.desk, CLERK) is None
    assert len(hall.office.answered) == 2, "an empty answer is an answer: the next call is a new request"


def test_recall_counts_and_no_show_frees_the_window(hall: Bench) -> None:
    visit = calling.call_next(hall.desk, CLERK)
    assert visit is not None
    assert calling.recall(hall.desk, visit.id).calls == 2
    calling.no_show(hall.desk, visit.id)
    after = calling.call_next(hall.desk, CLERK)
    assert after is not None
    assert after.ticket_number == "A038"
    with refused("DESK-NO-VISIT"):
        calling.no_show(hall.desk, visit.id)


def test_offline_the_window_announces_nothing_and_serves_by_paper(hall: Bench) -> None:
    hall.offline()
    with refused("SYNC-OFFLINE"):
        calling.call_next(hall.desk, CLERK)
    with refused("DESK-TICKET-NUMBER"):
        calling.serve_paper(hall.desk, CLERK, "37")
    visit = calling.serve_paper(hall.desk, CLERK, " a041 ")
    assert (visit.ticket_number, visit.by_paper) == ("A041", True)
    with refused("DESK-BY-PAPER"):
        calling.recall(hall.desk, visit.id)
    assert calling.queue_view(hall.desk).stale


def test_after_paper_service_an_unanswered_call_is_asked_again(hall: Bench) -> None:
    """The ticket the office gave while the answer was lost is not forgotten: it comes at the next call."""
    hall.office.lose_answer = True
    with refused("SYNC-OFFLINE"):
        calling.call_next(hall.desk, CLERK)
    hall.offline()
    paper = calling.serve_paper(hall.desk, CLERK, "A050")
    calling.finish(hall.desk, paper.id)
    hall.online()
    visit = calling.call_next(hall.desk, CLERK)
    assert visit is not None
    assert visit.ticket_number == "A037"


def test_search_is_told_what_window_and_applicant_say(hall: Bench) -> None:
    calling.call_next(hall.desk, CLERK)
    draft = drafting.open_draft(hall.desk, CLERK)
    drafting.applicant_from_card(hall.desk, draft, PERSON)
    finding.search(hall.desk, "sbk", draft)
    context = hall.catalogue.asked[-1]
    assert (context.region, context.applicant_region, context.audience) == ("510700", "510704", "person")


def test_sign_in_online_then_offline_with_the_same_password(hall: Bench) -> None:
    assert sign_in.sign_in(hall.desk, CLERK, "right").name == "王芳"
    hall.offline()
    assert sign_in.sign_in(hall.desk, CLERK, "right").staff_no == CLERK
    with refused("SIGN-IN-WRONG"):
        sign_in.sign_in(hall.desk, CLERK, "wrong")


def test_offline_sign_in_needs_an_earlier_one_here(hall: Bench) -> None:
    hall.offline()
    with refused("SIGN-IN-NOT-KNOWN"):
        sign_in.sign_in(hall.desk, "2048", "right")


def test_offline_sign_in_ends_with_the_grant_and_a_clock_turned_back_does_not_extend_it(hall: Bench) -> None:
    sign_in.sign_in(hall.desk, CLERK, "right")
    hall.offline()
    hall.clock.advance(timedelta(hours=71))
    sign_in.sign_in(hall.desk, CLERK, "right")
    hall.clock.advance(timedelta(hours=2))
    with refused("SIGN-IN-EXPIRED"):
        sign_in.sign_in(hall.desk, CLERK, "right")
    hall.clock.advance(timedelta(hours=-48))
    with refused("SIGN-IN-EXPIRED"):
        sign_in.sign_in(hall.desk, CLERK, "right")


def test_five_failures_lock_for_fifteen_minutes(hall: Bench) -> None:
    sign_in.sign_in(hall.desk, CLERK, "right")
    hall.offline()
    for _ in range(4):
        with refused("SIGN-IN-WRONG"):
            sign_in.sign_in(hall.desk, CLERK, "wrong")
    with refused("SIGN-IN-LOCKED"):
        sign_in.sign_in(hall.desk, CLERK, "wrong")
    with refused("SIGN-IN-LOCKED"):
        sign_in.sign_in(hall.desk, CLERK, "right")
    hall.clock.advance(timedelta(minutes=16))
    assert sign_in.sign_in(hall.desk, CLERK, "right").staff_no == CLERK


def test_a_wrong_future_clock_does_not_lock_out_after_an_online_sign_in(hall: Bench) -> None:
    sign_in.sign_in(hall.desk, CLERK, "right")
    hall.clock.advance(timedelta(days=400))
    hall.offline()
    with refused("SIGN-IN-EXPIRED"):
        sign_in.sign_in(hall.desk, CLERK, "right")
    hall.clock.advance(timedelta(days=-400))
    hall.online()
    sign_in.sign_in(hall.desk, CLERK, "right")
    hall.offline()
    assert sign_in.sign_in(hall.desk, CLERK, "right").staff_no == CLERK


def test_an_online_sign_in_and_a_served_lock_count_failures_anew(hall: Bench) -> None:
    sign_in.sign_in(hall.desk, CLERK, "right")
    hall.offline()
    for _ in range(4):
        with refused("SIGN-IN-WRONG"):
            sign_in.sign_in(hall.desk, CLERK, "wrong")
    hall.online()
    sign_in.sign_in(hall.desk, CLERK, "right")
    hall.offline()
    for _ in range(4):
        with refused("SIGN-IN-WRONG"):
            sign_in.sign_in(hall.desk, CLERK, "wrong")
    with refused("SIGN-IN-LOCKED"):
        sign_in.sign_in(hall.desk, CLERK, "wrong")
    hall.clock.advance(timedelta(minutes=16))
    with refused("SIGN-IN-WRONG"):
        sign_in.sign_in(hall.desk, CLERK, "wrong")


def test_a_visit_by_paper_begun_while_a_call_was_out_keeps_one_visit_and_loses_no_ticket(hall: Bench) -> None:
    original = hall.office.call_next

    def slow(request_id: str) -> object:
        called = original(request_id)
        calling.serve_paper(hall.desk, CLERK, "A050")
        return called

    hall.office.call_next = slow  # type: ignore[method-assign,assignment]
    with refused("DESK-VISIT-OPEN"):
        calling.call_next(hall.desk, CLERK)
    paper = calling.visit_view(hall.desk, CLERK)
    assert paper is not None
    assert paper.ticket_number == "A050"
    calling.finish(hall.desk, paper.id)
    assert calling.visit_view(hall.desk, CLERK) is None
    hall.office.call_next = original  # type: ignore[method-assign]
    visit = calling.call_next(hall.desk, CLERK)
    assert visit is not None
    assert visit.ticket_number == "A037"


def test_the_voice_calls_after_the_commit_and_again_at_a_recall(hall: Bench) -> None:
    stored: list[str] = []

    def look() -> None:
        visit = hall.store.read(lambda tx: tx.visits.current(CLERK))
        stored.append(f"{visit.ticket_number} {visit.calls}" if visit else "nothing")

    hall.voice.watch = look
    visit = calling.call_next(hall.desk, CLERK)
    assert visit is not None
    calling.recall(hall.desk, visit.id)
    assert hall.voice.said == [("A037", "综合窗口 12"), ("A037", "综合窗口 12")]
    assert stored == ["A037 1", "A037 2"], "spoken before it was written"


def test_the_voice_calls_nobody_who_was_not_called(hall: Bench) -> None:
    hall.offline()
    with refused("SYNC-OFFLINE"):
        calling.call_next(hall.desk, CLERK)
    visit = calling.serve_paper(hall.desk, CLERK, "B052")
    with refused("DESK-BY-PAPER"):
        calling.recall(hall.desk, visit.id)
    assert hall.voice.said == []
