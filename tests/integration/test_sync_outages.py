"""Days without the office, and an office that came back different: the real window against the real one."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from office_hall import FILEABLE, Hall, a_kind, an_item, served
from office_memory import Forgetful, forgetful
from sync_window import Window, registered_numbers

from back_office import applying, audit_reading, catalogue, devices, feed, held
from back_office.embedded import issue_ticket
from clerk_app.domain.case import SyncState
from clerk_app.domain.numbering import FIRST_EMERGENCY
from clerk_app.failures import Failure
from clerk_app.sync.alarms import ALARM_KEY
from clerk_app.sync.audit import COUNTERSIGN_KEY, THROUGH_KEY
from clerk_app.sync.digests import of_mirror
from clerk_app.sync.protocol import PushRequest
from clerk_app.sync.transport import Transport


@pytest.fixture
def hall(tmp_path):
    with served(tmp_path / "data") as hall:
        yield hall


@pytest.fixture
def window(hall):
    window = Window(hall, hall.url)
    window.cycle()
    yield window
    window.close()


@pytest.fixture
def office(tmp_path):
    with forgetful(tmp_path) as office:
        yield office


@pytest.fixture
def kept(office: Forgetful):
    """A window of an office that will lose its memory."""
    window = Window(office.hall, office.hall.url)
    window.cycle()
    yield window
    window.close()


def failing(window: Window) -> str:
    with pytest.raises(Failure) as caught:
        window.cycle()
    return caught.value.code


def find_again(window: Window, office: Forgetful) -> None:
    window.url = office.hall.url
    window.hang_up()


def times_registered(hall: Hall, cases) -> set[int]:
    numbers = registered_numbers(hall)
    return {numbers.count(case.number) for case in cases}


def arrivals(hall: Hall) -> list[int]:
    return [row.seq for row in hall.rows("SELECT seq FROM delivery ORDER BY rowid")]


def test_faults_20_21_three_days_and_two_thousand_commands_drain_in_order(hall, window):
    cases = []
    for hour in range(60):
        window.clock.ahead = timedelta(hours=hour)
        cases += [window.file() for _ in range(20)]
    for case in cases[:800]:
        window.accept(case)
    serials = [int(case.number[4:12]) for case in cases]
    assert sum(serial >= FIRST_EMERGENCY for serial in serials) == 200
    hall.clock.ahead = window.clock.ahead = timedelta(hours=71)
    window.cycle()
    assert window.unsent() == 0
    assert times_registered(hall, cases) == {1}
    assert arrivals(hall) == [*range(1, 2001)]
    assert {window.case(case).sync_state for case in cases} == {SyncState.REGISTERED}


def test_fault_04_a_push_that_arrives_late_changes_nothing(hall, window):
    sent: list[PushRequest] = []
    honest = window.client.push

    def remember(request: PushRequest):
        sent.append(request)
        return honest(request)

    window.client.push = remember
    early = [window.file() for _ in range(3)]
    window.cycle()
    late = [window.file() for _ in range(2)]
    window.cycle()
    with_commands = [request for request in sent if request.commands]
    again = honest(with_commands[0])  # a copy that was on its way all the time
    assert [result.status for result in again.results] == ["applied"] * 3
    assert times_registered(hall, early + late) == {1}
    with pytest.raises(Failure) as caught:  # and one that overtook another
        honest(PushRequest(window.device.id, window.device.epoch, with_commands[-1].base_seq + 7, []))
    assert caught.value.code == "SYNC-GAP"


@pytest.mark.parametrize("jump", [timedelta(days=1), timedelta(days=-1), timedelta(hours=1)])
def test_fault_14_a_clock_that_jumps_changes_no_order(hall, window, jump):
    before = [window.file() for _ in range(2)]
    window.clock.ahead = jump
    after = [window.file() for _ in range(2)]
    window.cycle()
    assert times_registered(hall, before + after) == {1}
    assert arrivals(hall) == [1, 2, 3, 4]
    skew = float(window.meta("clock_skew") or 0)
    assert skew == pytest.approx(-jump.total_seconds(), abs=5)


def test_fault_27_a_log_trimmed_below_the_cursor_means_a_snapshot_and_the_outbox_survives(hall, window):
    case = window.file()
    hall.clock.ahead = timedelta(days=100)
    numbers = [issue_ticket(hall.settings, "A").number for _ in range(3)]
    hall.server.office.write(lambda tx: feed.trim(tx.connection, tx.now + timedelta(days=1)))
    hall.clock.ahead = timedelta()
    window.cycle()
    assert [ticket.number for ticket in window.store.read(lambda tx: tx.tickets.waiting())] == numbers
    assert times_registered(hall, [case]) == {1}


def test_fault_28_a_case_keeps_the_version_of_the_item_it_was_filed_under(hall, window):
    case = window.file()
    changed = an_item(FILEABLE, version=2)
    catalogue.put_in_force(hall.server.office, [a_kind(FILEABLE)], [changed], "2026.2")
    window.cycle()
    assert times_registered(hall, [case]) == {1}
    assert window.case(case).item.version == 1
    [row] = hall.rows("SELECT item_version FROM registered_case")
    assert row.item_version == 1


@pytest.fixture
def broken(monkeypatch):
    """Filing meets an error of the office's own until the patch is undone."""

    def explode(*_: Any) -> dict[str, Any]:
        raise ZeroDivisionError

    sound = applying.KINDS["case.file"]
    with monkeypatch.context() as patch:
        patch.setitem(applying.KINDS, "case.file", applying.Kind("accept", sound.body, explode))
        yield patch


def test_what_the_office_held_is_registered_without_the_window(hall, window, broken):
    case = window.file()
    window.accept(case)
    window.cycle()
    assert window.case(case).sync_state is SyncState.HELD
    assert window.store.read(lambda tx: tx.outbox.state()).held == 2
    other = window.file()
    broken.undo()
    window.cycle()
    assert window.case(other).sync_state is SyncState.REGISTERED
    held.retry(hall.server.office)
    window.cycle()
    assert window.case(case).sync_state is SyncState.REGISTERED
    assert window.unsent() == 0
    assert times_registered(hall, [case, other]) == {1}


def test_what_the_office_held_goes_on_under_a_new_epoch(hall, window, broken):
    case = window.file()
    window.cycle()
    window.enrol_again(hall)
    broken.undo()
    window.cycle()
    assert window.case(case).sync_state is SyncState.REGISTERED
    assert times_registered(hall, [case]) == {1}
    rest = hall.rows("SELECT low, high, reason FROM void_numbers ORDER BY low")
    assert [(row.low, row.high) for row in rest] == [(2, 500), (501, 1000), (90000000, 90000499)]
    fresh = window.file()
    window.cycle()
    assert int(fresh.number[4:12]) > 1000
    assert times_registered(hall, [case, fresh]) == {1}


@pytest.mark.parametrize("told", [True, False], ids=["IT said so", "IT forgot"])
def test_fault_08_a_restored_office_has_everything_again_also_from_a_window_with_nothing_to_send(
    office, kept, told
):
    early = [kept.file() for _ in range(2)]
    kept.cycle()
    copy = office.backup()
    cases = [kept.file() for _ in range(3)]
    kept.cycle()
    official = [kept.case(case).official_number for case in cases]
    office.restore(copy, told=told)
    find_again(kept, office)
    if not told:
        kept.file()  # nobody knows before the first command
    kept.cycle()
    kept.cycle()
    assert times_registered(office.hall, early + cases) == {1}
    known = {
        row.number: row.official_number
        for row in office.hall.rows("SELECT number, official_number FROM registered_case")
    }
    assert [known[case.number] for case in cases] == official
    assert kept.unsent() == 0


def test_a_restored_office_gets_the_audit_again_and_takes_nothing_for_tampering(office, kept, caplog):
    def act(count: int) -> None:
        for number in range(count):
            kept.store.write(
                lambda tx, n=number: tx.audit.add(
                    at=kept.clock.now(), actor="1024", act="reveal", subject=f"MY01-{n}"
                )
            )

    act(3)
    kept.file()
    kept.cycle()
    copy = office.backup()
    act(40)
    kept.file()
    kept.cycle()
    office.restore(copy)
    find_again(kept, office)
    kept.cycle()  # the lost command comes without a link: the window knows of none that is missing
    kept.cycle()
    [verdict] = office.hall.server.office.write(lambda tx: audit_reading.verify(tx, kept.device.id))
    assert (verdict.trouble, verdict.uncovered) == ("", 0)
    assert office.hall.rows("SELECT n FROM audit_chain WHERE device <> ''")[0].n == 43
    assert "audit-chain-broken" not in caplog.text


def test_an_enrolment_and_a_block_made_after_the_backup_are_believed(office, kept):
    copy = office.backup()
    case = kept.file()
    kept.cycle()
    for _ in range(300):
        kept.store.write(lambda tx: tx.numbers.take())
    kept.cycle()  # a block that the backup has not heard of
    for _ in range(700):
        kept.store.write(lambda tx: tx.numbers.take())
    newest = kept.file()
    office.restore(copy)
    find_again(kept, office)
    kept.cycle()
    assert times_registered(office.hall, [case, newest]) == {1}


def test_the_audit_chain_is_at_the_office_and_holds(hall, window):
    for number in range(700):
        window.store.write(
            lambda tx, n=number: tx.audit.add(
                at=window.clock.now(), actor="1024", act="reveal", subject=f"MY01-{n}"
            )
        )
    window.file()
    window.cycle()
    [verdict] = hall.server.office.write(lambda tx: audit_reading.verify(tx, window.device.id))
    assert (verdict.trouble, verdict.uncovered) == ("", 0)
    assert hall.rows("SELECT count(*) AS n FROM audit_record")[0].n >= 700
    countersign = json.loads(json.loads(window.meta(COUNTERSIGN_KEY) or "{}")["text"])
    assert countersign["n"] == int(window.meta(THROUGH_KEY) or 0) == 700


def test_the_mirrors_have_the_offices_digests(hall, window):
    for _ in range(4):
        issue_ticket(hall.settings, "A")
    window.cycle()
    scope = f"queue:{window.device.queue}"
    mine = window.store.read(lambda tx: of_mirror(tx, scope))
    assert mine == window.client.digest(scope).digest
    window.clock.ahead = timedelta(days=1)
    window.cycle()
    assert window.meta(ALARM_KEY) is None


def test_a_revoked_workstation_is_told_and_keeps_its_work(hall, window):
    case = window.file()
    hall.server.office.write(lambda tx: devices.revoke(tx, window.device.id))
    assert failing(window) == "SYNC-REVOKED"
    assert window.unsent() == 1
    assert window.case(case).sync_state in (SyncState.HERE, SyncState.SENT)


def test_a_call_the_office_does_not_have_is_an_older_offices(hall):
    transport = Transport(hall.url)
    with pytest.raises(Failure) as caught:
        transport.ask("GET", "/not-yet", dict)
    assert caught.value.code == "SYNC-NO-CALL"
    transport.close()


def test_a_renamed_window_and_its_keys_reach_the_workstation(hall, window):
    hall.execute("UPDATE device SET \"window\" = '窗口7'")
    window.wire()
    window.cycle()
    device = window.store.read(lambda tx: tx.meta.device())
    assert device.window == "窗口7"
    assert device.seal_key == window.device.seal_key != ""
