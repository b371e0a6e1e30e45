"""The first case with a card on a real PC/SC reader: pcscd, its virtual reader, the driver and the parser."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from workstation_kit import OpenHall, Window

from clerk_app.desk import acceptance, drafting
from clerk_app.desk.draft_view import draft_view
from clerk_app.desk.views import CheckState
from clerk_app.devices.card.encoder import encode, stream
from clerk_app.devices.card.monitor import PcscReader
from clerk_app.devices.card.samples import sample_cards
from clerk_app.domain.applicant import EntrySource

sys.path.append(str(Path(__file__).parents[1] / "devices"))
from pcscd import BANK_ATR, Bench

pytestmark = pytest.mark.pcsc

CARDS = sample_cards()
CHIP = CARDS["resident"].chip


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    bench = Bench()
    try:
        bench.start()
        yield bench
    finally:
        bench.close()


@pytest.fixture(scope="module")
def hall(tmp_path_factory) -> Iterator[OpenHall]:
    with OpenHall(tmp_path_factory.mktemp("hall")) as hall:
        yield hall


@pytest.fixture(scope="module")
def window(bench, hall) -> Window:
    window = hall.window(reader=PcscReader(backoff=(0.05, 0.2)))
    window.card_gone()  # both slots are empty at first
    window.card_gone()
    window.by_paper("A001")
    return window


def take(bench: Bench, window: Window) -> None:
    """The citizen takes the card; the window has noticed when this returns."""
    bench.take()
    window.card_gone()


@pytest.mark.parametrize("card", ["resident", "resident-rare-yan", "foreign-2023-latin", "permit-hongkong"])
def test_from_the_card_to_the_paper(bench, hall, window, card):
    record = CARDS[card].record
    draft = drafting.open_draft(window.desk, window.operator)
    bench.lay(CARDS[card].chip)
    drafting.applicant_from_card(window.desk, draft, window.card())
    take(bench, window)
    window.fill(draft)
    shown = draft_view(window.desk, draft).applicant.party
    assert (shown.name, shown.source) == (record.name, EntrySource.CARD)
    assert record.number[6:-4] not in shown.number
    case = acceptance.accept(window.desk, draft)
    window.workstation.print_queued()
    window.until_printed(case)
    window.until_registered(case)
    assert case.applicant.number == record.number
    assert case.form["number"] == record.number
    (paper,) = hall.papers(f"[QR {case.number}]")
    assert record.number not in paper
    assert shown.number in paper
    window.reckon(hall)


WRONG_CHECK_DIGIT = replace(CARDS["resident"].record, number=CARDS["resident"].record.number[:-1] + "0")


@pytest.mark.parametrize(
    ("chip", "check", "state"),
    [
        (CARDS["resident-expired"].chip, "check.card_expired", CheckState.BAD),
        (CARDS["resident-minor"].chip, "check.guardian", CheckState.BAD),
        (stream(encode(WRONG_CHECK_DIGIT)), "check.card_odd", CheckState.WARN),
    ],
    ids=["expired", "minor", "wrong-check-digit"],
)
def test_what_is_doubtful_about_a_card_is_on_the_screen(bench, window, chip, check, state):
    draft = drafting.open_draft(window.desk, window.operator)
    bench.lay(chip)
    drafting.applicant_from_card(window.desk, draft, window.card())
    take(bench, window)
    window.fill(draft)
    view = draft_view(window.desk, draft)
    assert {line.key: line.state for line in view.checks}[check] is state
    assert view.accept.open is (state is CheckState.WARN)
    drafting.discard(window.desk, draft)


@pytest.mark.parametrize(
    ("atr", "faults", "code"),
    [
        (BANK_ATR, {}, "CARD-UNKNOWN"),
        (None, {0: "6300"}, "CARD-UNREADABLE"),
        (None, {512: "pull"}, "CARD-PULLED"),
    ],
)
def test_a_card_that_gives_no_person_leaves_the_draft_as_it_was(bench, window, atr, faults, code):
    draft = drafting.open_draft(window.desk, window.operator)
    before = draft_view(window.desk, draft)
    bench.lay(CHIP, faults=faults, **({"atr": atr} if atr else {}))
    assert window.card_failure() == code
    assert draft_view(window.desk, draft) == before
    take(bench, window)

    bench.lay(CHIP)  # the same card once more, and the work goes on
    drafting.applicant_from_card(window.desk, draft, window.card())
    take(bench, window)
    assert draft_view(window.desk, draft).applicant.party.name == CARDS["resident"].record.name
