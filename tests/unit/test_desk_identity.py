"""Who applies and how we know: zones, typed passports, reported lost cards, minors and their agents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from desk_kit import CLERK, FRIDAY, ITEM, PERSON, Bench, bench

from clerk_app.desk import acceptance, calling, draft_view, drafting, finding, following, looking_up
from clerk_app.desk.ports import LostCard
from clerk_app.desk.views import CheckState, DraftView
from clerk_app.domain.applicant import CardRecord, DocumentKind, EntrySource
from clerk_app.domain.case import MaterialMode, TimelineKind
from clerk_app.domain.documents import ReceiptSlip
from clerk_app.domain.lost_cards import SALT_KEY, digest
from clerk_app.domain.ticket import TicketState
from clerk_app.failures import Failure

ZONE = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\r\nL898902C36UTO7408122F3204153ZE184226B<<<<<16"
SALT = "the office's own"
ISSUED = date(2026, 5, 11)


@pytest.fixture
def hall() -> Iterator[Bench]:
    with bench() as made:
        calling.call_next(made.desk, CLERK)
        yield made


def draft_of(hall: Bench) -> str:
    return drafting.open_draft(hall.desk, CLERK)


def view(hall: Bench) -> DraftView:
    return draft_view.draft_view(hall.desk, draft_of(hall))


def report_lost(hall: Bench, valid_from: date | None) -> None:
    def write(tx) -> None:
        tx.meta.set(SALT_KEY, SALT)
        tx.lost_cards.put([LostCard("report-1", digest(PERSON.number, valid_from, SALT), 1)])

    hall.store.write(write)


def states(shown: DraftView) -> dict[str, CheckState]:
    return {check.key: check.state for check in shown.checks}


def test_a_zone_makes_the_applicant_and_says_so(hall: Bench) -> None:
    draft = draft_of(hall)
    drafting.applicant_from_mrz(hall.desk, draft, ZONE)
    drafting.choose_item(hall.desk, draft, ITEM.implementation.code)
    who = view(hall).applicant.party
    assert (who.name, who.kind, who.source) == (
        "ERIKSSON ANNA MARIA",
        DocumentKind.PASSPORT,
        EntrySource.MRZ,
    )
    assert (who.nationality, who.age, who.valid_until) == ("UTO", 52, date(2032, 4, 15))
    assert states(view(hall))["check.identity_mrz"] is CheckState.OK
    visit = calling.visit_view(hall.desk, CLERK)
    assert TimelineKind.MRZ_READ in [row.kind for row in following.timeline(hall.desk, visit.id)]


def test_a_zone_read_badly_changes_nothing(hall: Bench) -> None:
    with pytest.raises(Failure, match="MRZ-NUMBER"):
        drafting.applicant_from_mrz(hall.desk, draft_of(hall), ZONE.replace("L898", "L899"))
    assert view(hall).applicant is None


def test_an_expired_passport_is_received_only(hall: Bench) -> None:
    hall.clock.advance(timedelta(days=366 * 6))
    drafting.applicant_from_mrz(hall.desk, draft_of(hall), ZONE)
    drafting.choose_item(hall.desk, draft_of(hall), ITEM.implementation.code)
    assert view(hall).applicant.party.notes == ("DESK-CARD-EXPIRED",)
    assert states(view(hall))["check.card_expired"] is CheckState.BAD


def test_the_slip_of_a_zone_is_not_marked_typed(hall: Bench) -> None:
    draft = draft_of(hall)
    drafting.applicant_from_mrz(hall.desk, draft, ZONE)
    drafting.choose_item(hall.desk, draft, ITEM.implementation.code)
    drafting.hand(hall.desk, draft, "id", MaterialMode.SEEN)
    acceptance.receive(hall.desk, draft)
    slip = hall.store.read(lambda tx: tx.print_jobs.unfinished()[0].slip)
    assert isinstance(slip, ReceiptSlip)
    assert (slip.applicant, slip.identity, slip.typed_identity) == (
        "ERIKSSON ANNA MARIA",
        "*****02C3",
        False,
    )


def test_a_passport_can_be_typed_with_its_birth_date(hall: Bench) -> None:
    draft = draft_of(hall)
    given = ("Anna Maria Eriksson", "l898902c3", "机读区磨损")
    passport = DocumentKind.PASSPORT
    with pytest.raises(Failure, match="DESK-BIRTH"):
        drafting.applicant_typed(hall.desk, draft, *given, kind=passport)
    with pytest.raises(Failure, match="DESK-BIRTH"):
        drafting.applicant_typed(hall.desk, draft, *given, kind=passport, birth=date(2026, 11, 21))
    with pytest.raises(Failure, match="ID-DOCUMENT-NUMBER"):
        drafting.applicant_typed(
            hall.desk, draft, *given, kind=DocumentKind.MAINLAND_TRAVEL_PERMIT, birth=date(1974, 8, 12)
        )
    drafting.applicant_typed(hall.desk, draft, *given, kind=passport, birth=date(1974, 8, 12))
    who = view(hall).applicant.party
    assert (who.kind, who.source, who.birth) == (passport, EntrySource.TYPED, date(1974, 8, 12))
    assert who.notes == ("DESK-TYPED",)


def test_a_typed_child_needs_a_guardian(hall: Bench) -> None:
    drafting.applicant_typed(
        hall.desk,
        draft_of(hall),
        "LI MING",
        "H12345678",
        "证件无芯片",
        kind=DocumentKind.MAINLAND_TRAVEL_PERMIT,
        birth=date(2015, 1, 1),
    )
    assert "DESK-MINOR" in view(hall).applicant.party.notes


def test_an_adult_must_act_for_a_minor(hall: Bench) -> None:
    draft = draft_of(hall)
    child = replace(PERSON, number="510704201503071231", birth=date(2015, 3, 7))
    sister = replace(PERSON, number="510704201003071236", birth=date(2010, 3, 7))
    drafting.applicant_from_card(hall.desk, draft, child)
    drafting.choose_item(hall.desk, draft, ITEM.implementation.code)
    drafting.applicant_from_card(hall.desk, draft, sister, role="agent")
    shown = view(hall)
    assert shown.applicant.party.notes == ("DESK-MINOR",)
    assert shown.applicant.agent.notes == ("DESK-AGENT-MINOR",)
    assert states(shown)["check.guardian"] is CheckState.BAD
    drafting.clear_applicant(hall.desk, draft, "agent")
    drafting.applicant_from_card(hall.desk, draft, PERSON, role="agent")
    shown = view(hall)
    assert shown.applicant.party.notes == ()
    assert states(shown)["check.guardian"] is CheckState.OK


@pytest.mark.parametrize(
    ("reported", "laid", "lost"),
    [(None, ISSUED, True), (ISSUED, ISSUED, True), (ISSUED, date(2026, 6, 1), False), (None, None, True)],
)
def test_a_card_reported_lost_is_told_and_stops_nothing(
    hall: Bench, reported: date | None, laid: date | None, lost: bool
) -> None:
    report_lost(hall, reported)
    draft = draft_of(hall)
    card: CardRecord = replace(PERSON, valid_from=laid, warnings=("CARD-TEXT-ODD",))
    drafting.applicant_from_card(hall.desk, draft, card)
    drafting.choose_item(hall.desk, draft, ITEM.implementation.code)
    shown = view(hall)
    assert shown.applicant.party.notes == (("CARD-REPORTED-LOST",) if lost else ()) + ("CARD-TEXT-ODD",)
    assert ("check.card_lost" in states(shown)) is lost
    assert CheckState.BAD not in states(shown).values()


def test_a_lost_card_alone_does_not_prove_the_identity(hall: Bench) -> None:
    report_lost(hall, None)
    drafting.applicant_from_card(hall.desk, draft_of(hall), PERSON)
    drafting.choose_item(hall.desk, draft_of(hall), ITEM.implementation.code)
    assert "check.identity_card" not in states(view(hall))


def test_only_an_identity_number_tells_a_division(hall: Bench) -> None:
    draft = draft_of(hall)
    drafting.applicant_typed(
        hall.desk,
        draft,
        "LIN",
        "51070412",
        "证件无芯片",
        kind=DocumentKind.MAINLAND_TRAVEL_PERMIT,
        birth=date(1990, 1, 1),
    )
    finding.search(hall.desk, "", draft)
    drafting.applicant_from_card(hall.desk, draft, PERSON)
    finding.search(hall.desk, "", draft)
    assert [asked.applicant_region for asked in hall.catalogue.asked] == ["", "510704"]


def test_what_a_slip_bears_is_looked_up(hall: Bench) -> None:
    draft = draft_of(hall)
    drafting.applicant_from_card(hall.desk, draft, PERSON)
    drafting.choose_item(hall.desk, draft, ITEM.implementation.code)
    drafting.hand(hall.desk, draft, "id", MaterialMode.SEEN)
    case = acceptance.receive(hall.desk, draft)
    found = looking_up.case(hall.desk, case.number)
    assert found is not None and found.id == case.id and found.applicant == "李**"
    assert looking_up.case(hall.desk, "MY0199999999X") is None
    assert [row.id for row in following.cases(hall.desk, 0, also=case.id)] == [case.id]
    assert [row.id for row in following.cases(hall.desk, 5, also=case.id)] == [case.id]
    assert following.cases(hall.desk, 0, also="gone") == ()


def test_a_ticket_is_seen_as_the_queue_last_told_it(hall: Bench) -> None:
    called, *waiting = hall.office.tickets
    later = replace(called, id="later", number="A040", issued_at=FRIDAY + timedelta(minutes=5))
    hall.store.write(lambda tx: tx.tickets.put([called, *waiting, later]))
    sight = looking_up.ticket(hall.desk, "A040")
    assert sight is not None
    assert (sight.state, sight.place) == (TicketState.WAITING, 2)
    assert looking_up.ticket(hall.desk, "A037").place == 0
    assert looking_up.ticket(hall.desk, "Z999") is None
