"""What must not be filed, and a program that must not start twice."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hall_items import ACCEPTED_OFFLINE, ITEMS, KINDS, RECEIVED_OFFLINE
from sync_window import Tokens
from workstation_kit import OpenHall, Window, open_window

from back_office import catalogue
from clerk_app.desk import acceptance, drafting, finding
from clerk_app.desk.draft_view import draft_view
from clerk_app.desk.ports import LinkState
from clerk_app.desk.views import CheckState
from clerk_app.failures import Failure
from clerk_app.store.vault import throw_away_key
from tests.fault_proxy import Fault


@pytest.fixture
def hall(tmp_path):
    with OpenHall(tmp_path) as hall:
        yield hall


@pytest.fixture
def window(hall) -> Window:
    window = hall.window()
    window.by_paper("A001")
    return window


def retire(hall: OpenHall, code: str) -> None:
    hall.office.server.office.write(lambda tx: catalogue.retire(tx, code))


def gate(window: Window, draft: str) -> str:
    return draft_view(window.desk, draft).accept.reason


def found(window: Window, text: str) -> list[str]:
    return [hit.name for hit in finding.search(window.desk, text, None)]


def test_a_second_start_on_the_same_folder_is_refused_and_the_first_goes_on(hall, window):
    mine = hall.on_disk(window)
    for enrolled in (mine, replace(mine, key=throw_away_key())):
        with pytest.raises(Failure, match="STORE-IN-USE"):
            open_window(enrolled, hall.printer.url)
    case = window.accept()
    window.until_registered(case)
    window.close()
    hall.window(mine, ready=False).reckon(hall)


def test_a_workstation_nobody_enrolled_does_not_start(hall, window):
    window.close()
    without_token = replace(hall.on_disk(window), tokens=Tokens())
    with pytest.raises(Failure, match="SETTINGS-NOT-ENROLLED"):
        open_window(without_token, hall.printer.url)
    hall.again(window).until_link(LinkState.ONLINE)  # nothing stayed open or locked


def test_an_item_retired_between_search_and_accept_closes_the_gate(hall, window):
    draft = window.draft()
    assert draft_view(window.desk, draft).accept.open
    retire(hall, ACCEPTED_OFFLINE)
    window.until(lambda: gate(window, draft) == "gate.retired")
    for act in (acceptance.receive, acceptance.accept):
        with pytest.raises(Failure, match=r"DESK-NOT-READY: gate\.retired"):
            act(window.desk, draft)
    assert "社会保障卡补领" not in found(window, "社会保障卡")
    drafting.clear_item(window.desk, draft)
    with pytest.raises(Failure, match="DESK-ITEM-RETIRED"):
        drafting.choose_item(window.desk, draft, ACCEPTED_OFFLINE)
    window.fill(draft, RECEIVED_OFFLINE)  # the applicant and the form are kept
    case = acceptance.accept(window.desk, draft)
    window.until_registered(case)
    window.reckon(hall)


def test_a_retired_item_stays_retired_after_a_restart(hall, window):
    retire(hall, ACCEPTED_OFFLINE)
    window.until(lambda: "社会保障卡补领" not in found(window, "社会保障卡"))
    hall.cable.pull()
    window = hall.again(window)
    assert found(window, "社会保障卡") == []
    assert found(window, "失业") == ["失业登记"]


def test_a_workstation_that_comes_later_knows_what_was_retired_before(hall):
    retire(hall, ACCEPTED_OFFLINE)
    hall.proxy.set(Fault.REFUSE, "/v1/catalogue")  # the feed arrives before the file
    window = hall.window(hall.enrol("综合窗口 13"), ready=False)
    window.until_link(LinkState.ONLINE)
    assert window.desk.catalogue.count == 0
    hall.proxy.clear()
    window.until(lambda: window.desk.catalogue.count > 0)
    assert found(window, "社会保障卡") == []
    with pytest.raises(Failure, match="DESK-ITEM-RETIRED"):
        drafting.require_acceptable(window.desk, window.desk.catalogue.item(ACCEPTED_OFFLINE))


@pytest.mark.parametrize("damaged", ["catalogue.db", "catalogue.db.changes"])
def test_a_damaged_catalogue_is_fetched_again_and_forgets_nothing(hall, window, damaged):
    retire(hall, ACCEPTED_OFFLINE)
    window.until(lambda: found(window, "社会保障卡") == [])
    window.close()
    (hall.on_disk(window).settings.folder / damaged).write_bytes(b"damaged")
    hall.cable.pull()
    window = hall.again(window)
    assert window.desk.catalogue.count == 0  # the window opens all the same
    hall.cable.plug()
    window.workstation.scheduler.network_up()
    window.until(lambda: window.desk.catalogue.count > 0)
    window.until_link(LinkState.ONLINE)
    assert found(window, "失业") == ["失业登记"]
    assert found(window, "社会保障卡") == []


def test_a_new_catalogue_is_in_force_without_a_restart(hall, window):
    draft = window.draft()
    fresh = replace(KINDS[0], code="512014009000", name="养老保险待遇资格认证")
    item = replace(ITEMS[0], code=f"{ITEMS[0].code[:-12]}{fresh.code}", kind=fresh.code)
    catalogue.put_in_force(hall.office.server.office, [*KINDS, fresh], [*ITEMS[1:], item], "2026.2")
    window.until(lambda: found(window, "养老保险") == [fresh.name])
    assert window.desk.catalogue.version == "2026.2"
    with pytest.raises(Failure, match=r"DESK-NOT-READY: gate\.retired"):  # its item is not in the new one
        acceptance.accept(window.desk, draft)
    window.fill(draft, item.code)
    case = acceptance.accept(window.desk, draft)
    window.until_registered(case)


@pytest.mark.parametrize(
    ("card", "check"), [("resident-expired", "check.card_expired"), ("resident-minor", "check.guardian")]
)
def test_the_card_of_somebody_who_may_not_apply_alone(hall, window, card, check):
    draft = window.draft(card=card)
    checks = {line.key: line.state for line in draft_view(window.desk, draft).checks}
    assert checks[check] is CheckState.BAD
    with pytest.raises(Failure, match=f"DESK-NOT-READY: {check}"):
        acceptance.accept(window.desk, draft)
    case = acceptance.receive(window.desk, draft)  # the papers may be taken, the clock does not run
    window.until_registered(case)
    assert hall.registered() == {case.number: "received"}


def test_a_minor_with_a_guardian_is_accepted(hall, window):
    draft = window.draft(card="resident-minor")
    drafting.applicant_from_card(window.desk, draft, window.lay("resident-woman"), role="agent")
    case = acceptance.accept(window.desk, draft)
    window.workstation.print_queued()
    window.until_printed(case)
    (paper,) = hall.papers(f"[QR {case.number}]")
    assert case.applicant.agent.name in paper
    assert window.workstation.link.state is LinkState.ONLINE
