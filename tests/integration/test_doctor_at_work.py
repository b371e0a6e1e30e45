"""The doctor inside a running window: it asks the parts at work, disturbs none, and follows what breaks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from workstation_kit import OpenHall, Window

from back_office import devices
from clerk_app.bootstrap import doctor_at_work
from clerk_app.desk.ports import Check, Level
from clerk_app.devices.card.samples import sample_cards
from clerk_app.devices.printer.simulator.printer import Faults
from clerk_app.sync.alarms import ALARM_KEY, alarm


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[OpenHall]:
    with OpenHall(tmp_path) as opened:
        yield opened


def examine(window: Window, *, test_page: bool = False) -> dict[str, Check]:
    told: list[Check] = []
    doctor_at_work(window.workstation).run(told.append, test_page=test_page)
    assert len(told) == len({check.key for check in told})
    return {check.key: check for check in told}


def test_a_window_at_work_is_well(hall: OpenHall) -> None:
    window = hall.window()
    told = examine(window)
    bad = {check.key: check.code for check in told.values() if check.level is not Level.OK}
    assert bad == {}
    assert told["keyring"].said == "unused"  # the key of this test is in no keyring
    assert dict(told["enrolment"].values)["window"] == window.desk.device.window
    assert dict(told["catalogue"].values)["items"] == window.desk.catalogue.count


def test_what_breaks_is_told_and_the_window_goes_on(hall: OpenHall) -> None:
    window = hall.window()
    hall.printer.set_faults(Faults(paper_out=True))
    window.reader.unplug()
    hall.end_office()
    told = examine(window)
    codes = {check.key: check.code for check in told.values() if check.code}
    assert codes["printer"] == "PRINTER-PAPER-OUT"
    assert codes["reader"] == "CARD-NO-READER"
    assert codes["office"] == "SYNC-OFFLINE"
    assert codes["clock"] == "DOCTOR-NOT-CHECKED"
    assert window.desk.store.read(lambda tx: tx.meta.device()) == window.desk.device
    hall.start_office()


def test_a_workstation_the_office_takes_nothing_from_is_not_well(hall: OpenHall) -> None:
    window = hall.window()
    hall.office.server.office.write(lambda tx: devices.revoke(tx, window.desk.device.id))
    told = examine(window)
    assert (told["enrolment"].level, told["enrolment"].code) == (Level.FAIL, "SYNC-REVOKED")
    assert told["office"].level is Level.OK


def test_a_test_page_comes_after_what_is_printing(hall: OpenHall) -> None:
    window = hall.window()
    told = examine(window, test_page=True)
    assert told["test_page"].level is Level.OK
    (paper,) = hall.papers("打印测试页")
    assert window.desk.device.hall_name in paper


def test_settings_edited_wrongly_are_told_before_the_next_start(hall: OpenHall) -> None:
    window = hall.window()
    (window.workstation.settings.folder / "settings.toml").write_text("[printer]\nwidth = 81\n")
    assert examine(window)["settings"].code == "SETTINGS-INVALID"


def test_a_card_that_was_read_names_nobody(hall: OpenHall) -> None:
    window = hall.window()
    record = sample_cards()["resident"].record
    window.reader.lay("resident")
    window.card()
    told = examine(window)
    assert told["card"].said == "read"
    assert record.name not in str(told)
    assert record.number not in str(told)


def test_what_the_sync_had_to_mend_is_told_for_a_week(hall: OpenHall) -> None:
    window = hall.window()
    store, clock = window.desk.store, window.desk.clock
    alarm(store, clock, "SYNC-MISMATCH", "queue:A")
    told = examine(window)["sync"]
    assert (told.level, told.code) == (Level.WARN, "SYNC-MISMATCH")
    long_ago = clock.now() - timedelta(days=8)
    store.write(lambda tx: tx.meta.set(ALARM_KEY, f"SYNC-MISMATCH {long_ago.isoformat()}"))
    assert examine(window)["sync"].level is Level.OK
