"""The practice hall: with slip templates of one's own, and with an office that has its bad days."""

from __future__ import annotations

from pathlib import Path
from queue import SimpleQueue

import pytest

from clerk_app import cli
from clerk_app.desk.ports import LinkState
from clerk_app.devices.printer.sample_slips import sample
from clerk_app.devices.printer.templates import loading as templates
from clerk_app.settings import PrinterSettings
from practice.hall import PracticeHall


def test_the_practice_hall_prints_by_the_templates_it_was_given(tmp_path: Path) -> None:
    own = tmp_path / "slips"
    own.mkdir()
    (own / "ticket.slip").write_text("banner 试印\n" + templates.source("ticket"), encoding="utf-8")
    with PracticeHall(tmp_path / "hall", lambda _: None, printer=PrinterSettings(templates=str(own))) as hall:
        hall.workstation.desk.printer.print(sample("ticket"))
        (paper,) = hall.printer.papers
        assert "试印" in paper.text


def test_a_folder_that_is_not_there_is_told_before_anything_opens(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["demo", "--templates", str(tmp_path / "none")]) == 2
    assert "--templates: no such folder" in capsys.readouterr().err


def test_the_office_goes_back_to_its_backup_and_shuts_the_window_out(tmp_path: Path) -> None:
    with PracticeHall(tmp_path / "hall", lambda _: None) as hall:
        news: SimpleQueue[object] = SimpleQueue()
        hall.workstation.subscribe(news.put)

        def until(state: LinkState, code: str = "") -> None:
            while (hall.workstation.link.state, hall.workstation.link.code) != (state, code):
                news.get(timeout=60)

        hall.workstation.start()
        until(LinkState.ONLINE)
        hall.errands.run(lambda: None)  # the backup
        ticket = hall.errands.run(hall.office.take_ticket, "A")
        hall.errands.run(hall.office.go_back)
        hall.workstation.scheduler.network_up()
        until(LinkState.ONLINE)
        assert hall.errands.run(hall.office.take_ticket, "A") != ticket, "no number is given twice"
        hall.errands.run(hall.shut_out)
        hall.workstation.scheduler.network_up()
        until(LinkState.OFFLINE, "SYNC-REVOKED")
