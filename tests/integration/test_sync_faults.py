"""Faults of the network between the real window and the real office: nothing lost, nothing doubled."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from office_hall import CLERK, FILEABLE, Hall, served
from sync_window import Tokens, Window, registered_numbers

from back_office import catalogue, feed
from back_office.embedded import enrolment_code, issue_ticket
from back_office.queues import issue
from clerk_app.desk.ports import LinkState
from clerk_app.domain.case import SyncState
from clerk_app.domain.ids import uuid7
from clerk_app.failures import Failure
from clerk_app.sync.enrolment import enrol
from clerk_app.sync.office import DirectOffice
from tests.fault_proxy import Fault, FaultProxy


@pytest.fixture(scope="module")
def hall(tmp_path_factory):
    with served(tmp_path_factory.mktemp("office") / "data") as hall:
        yield hall


@pytest.fixture
def proxy(hall: Hall):
    with FaultProxy(int(urlsplit(hall.url).port or 0)) as proxy:
        yield proxy


@pytest.fixture
def window(hall, proxy):
    window = Window(hall, proxy.url)
    window.cycle()
    yield window
    window.close()


def failing(window: Window) -> str:
    with pytest.raises(Failure) as caught:
        window.cycle()
    return caught.value.code


def how_often(hall: Hall, number: str) -> int:
    return registered_numbers(hall).count(number)


@pytest.mark.parametrize(
    ("fault", "codes"),
    [
        (Fault.REFUSE, "SYNC-OFFLINE"),
        (Fault.LOSE_ANSWER, "SYNC-OFFLINE"),
        (Fault.CUT_ANSWER, "SYNC-OFFLINE SYNC-NOT-OFFICE"),
        (Fault.HALF_OPEN, "SYNC-SLOW"),
        (Fault.DEAF, "SYNC-SLOW"),
        (Fault.PORTAL, "SYNC-NOT-OFFICE"),
        (Fault.CORRUPT, "SYNC-OFFLINE SYNC-NOT-OFFICE SYNC-SLOW"),  # the length of the answer is hit, too
    ],
    ids=lambda value: value.name.lower() if isinstance(value, Fault) else "",
)
@pytest.mark.parametrize("where", ["/sync/push", "/sync/changes"])
def test_faults_01_02_15_17_a_case_filed_meanwhile_is_registered_once(
    hall, proxy, window, fault, codes, where
):
    case = window.file()
    proxy.set(fault, where)
    window.hang_up(read=0.5)
    for _ in range(2):
        assert failing(window) in codes.split()
    assert proxy.met == 2
    proxy.clear()
    window.hang_up()
    window.cycle()
    known = window.case(case)
    assert known.sync_state is SyncState.REGISTERED
    assert known.official_number.startswith(FILEABLE)
    assert how_often(hall, case.number) == 1
    assert window.unsent() == 0


def test_a_slow_line_is_only_slow(hall, proxy, window):
    proxy.set(Fault.SLOW)
    case = window.file()
    window.cycle()
    assert how_often(hall, case.number) == 1


def test_fault_02_an_answer_lost_after_the_commit_is_replayed(hall, proxy, window):
    before = hall.rows("SELECT count(*) FROM delivery")[0][0]
    cases = [window.file() for _ in range(5)]
    proxy.set(Fault.LOSE_ANSWER, "/sync/push", times=1)
    assert failing(window) == "SYNC-OFFLINE"
    assert how_often(hall, cases[0].number) == 1  # the office has it, the window cannot know
    assert window.case(cases[0]).sync_state is SyncState.SENT
    assert hall.rows("SELECT count(*) FROM delivery")[0][0] == before + 5
    window.cycle()
    assert hall.rows("SELECT count(*) FROM delivery")[0][0] == before + 5
    assert [window.case(case).sync_state for case in cases] == [SyncState.REGISTERED] * 5


def test_fault_22_a_lost_block_answer_costs_no_numbers(hall, proxy):
    window = Window(hall, proxy.url)
    proxy.set(Fault.LOSE_ANSWER, "/blocks", times=1)
    before = hall.rows("SELECT count(*) FROM block")[0][0]
    assert failing(window) == "SYNC-OFFLINE"
    window.cycle()
    assert hall.rows("SELECT count(*) FROM block")[0][0] == before + 3  # in use, in reserve, emergency
    window.close()


def test_a_lost_call_gives_the_same_ticket(hall, proxy, window):
    issued = [issue_ticket(hall.folder, "A").number for _ in range(2)]
    office = DirectOffice(window.client, window.device)
    office.sign_in(CLERK.staff_no, CLERK.password)
    request = uuid7()
    proxy.set(Fault.LOSE_ANSWER, "/call", times=1)
    first = office.call_next(request)
    again = office.call_next(request)
    assert first.number == again.number == issued[0]
    called = [row.number for row in hall.rows("SELECT number FROM ticket WHERE state = 'called'")]
    assert called == issued[:1]
    window.cycle()
    assert [ticket.number for ticket in window.store.read(lambda tx: tx.tickets.waiting())] == issued[1:]


def test_a_refused_case_is_a_task_and_the_others_go_on(hall, window):
    unknown = window.file(item={"code": "nowhere"})
    good = window.file()
    window.cycle()
    refused = window.case(unknown)
    assert refused.sync_state is SyncState.REFUSED
    assert refused.refusal
    assert window.case(good).sync_state is SyncState.REGISTERED
    assert window.unsent() == 1


def test_an_office_restored_from_a_backup_gets_everything_again(hall, window):
    hall.execute("CREATE TABLE backup_device AS SELECT * FROM device")
    lost = [window.file() for _ in range(3)]
    window.cycle()
    # What a restore undoes: the device's place in the order, the answers, the cases.
    hall.execute(f"DELETE FROM registered_case WHERE device = '{window.device.id}'")
    hall.execute(f"DELETE FROM command WHERE device = '{window.device.id}'")
    hall.execute(f"DELETE FROM delivery WHERE device = '{window.device.id}'")
    hall.execute("UPDATE device SET last_seq = (SELECT last_seq FROM backup_device b WHERE b.id = device.id)")
    hall.execute("DROP TABLE backup_device")
    hall.server.office.write(lambda tx: feed.new_generations(tx.connection))
    new = window.file()
    window.cycle()
    assert [how_often(hall, case.number) for case in [*lost, new]] == [1, 1, 1, 1]
    assert window.unsent() == 0
    assert window.case(new).sync_state is SyncState.REGISTERED


def test_a_new_generation_means_snapshots_and_keeps_unsent_work(hall, window):
    case = window.file()
    hall.server.office.write(lambda tx: feed.new_generations(tx.connection))
    before = window.store.read(lambda tx: tx.feed.cursor("queue:A"))
    window.cycle()
    after = window.store.read(lambda tx: tx.feed.cursor("queue:A"))
    assert before[0] != after[0]
    assert how_often(hall, case.number) == 1


def test_a_workstation_enrolled_anew_is_fenced_and_its_work_goes_up_once_under_the_new_epoch(
    hall, proxy, window
):
    known = window.file()  # the office has it, the window cannot know
    proxy.set(Fault.LOSE_ANSWER, "/sync/push", times=1)
    assert failing(window) == "SYNC-OFFLINE"
    unknown = window.file()
    enrol_elsewhere = enrolment_code(hall.folder, window="综合窗口12", again=window.device.id)
    enrol(hall.url, enrol_elsewhere, "OTHER-PC", Tokens())
    assert failing(window) == "SYNC-FENCED"
    assert window.unsent() == 2
    assert how_often(hall, unknown.number) == 0

    window.enrol_again(hall)
    window.cycle()
    for case in (known, unknown):
        assert window.case(case).sync_state is SyncState.REGISTERED
        assert how_often(hall, case.number) == 1
    assert window.unsent() == 0


def test_a_retired_item_reaches_the_window(hall, window):
    hall.server.office.write(lambda tx: catalogue.retire(tx, FILEABLE[:-5] + "04000"))
    window.items.clear()
    window.cycle()
    assert window.items == [FILEABLE[:-5] + "04000"]


def test_the_window_works_through_an_outage_by_itself(hall, proxy, window):
    scheduler = window.scheduler(random=lambda: 0.0)
    scheduler.start()
    try:
        window.until(LinkState.ONLINE)
        proxy.set(Fault.REFUSE)
        case = window.file()
        scheduler.poke()
        down = window.until(LinkState.OFFLINE)
        assert down.code == "SYNC-OFFLINE"
        proxy.clear()
        up = window.until(LinkState.ONLINE)
        assert up.synced_at >= down.since
        assert window.case(case).sync_state is SyncState.REGISTERED
        assert how_often(hall, case.number) == 1
    finally:
        scheduler.stop()


def test_news_of_the_office_arrives_by_the_long_poll(hall, window):
    scheduler = window.scheduler()
    scheduler.start()
    try:
        window.until(LinkState.ONLINE)
        office = hall.server.office
        ticket = office.write(lambda tx: issue(tx, "MY01", "P"))
        while window.store.read(lambda tx: tx.tickets.get(ticket.id)) is None:
            window.until(LinkState.ONLINE)
    finally:
        scheduler.stop()


def test_a_line_that_hangs_is_abandoned_and_the_case_still_goes_up_once(hall, proxy, window):
    scheduler = window.scheduler(watchdog_seconds=0.3, random=lambda: 0.0)
    scheduler.start()
    try:
        window.until(LinkState.ONLINE)
        case = window.file()
        proxy.set(Fault.DEAF, "/sync/push", times=1)
        scheduler.poke()
        stuck = window.links.get(timeout=10)
        assert stuck.code == "SYNC-STUCK"
        window.until(LinkState.ONLINE)
        assert window.case(case).sync_state is SyncState.REGISTERED
        assert how_often(hall, case.number) == 1
    finally:
        scheduler.stop()
