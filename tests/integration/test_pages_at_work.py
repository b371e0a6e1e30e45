"""A workstation at work: what the camera took lies at the office a moment after its case is registered."""

from __future__ import annotations

from pathlib import Path

import pytest
from office_hall import HALL
from workstation_kit import OpenHall, Window

from clerk_app.desk import acceptance, scanning
from clerk_app.desk.ports import Page

PICTURE = bytes(range(256)) * 500


def taken(window: Window, count: int) -> list[str]:
    """Accept a case with so many pages; their ids."""
    draft = window.draft()
    for number in range(count):
        scanning.add(window.desk, draft, "form", [Page(PICTURE + bytes([number]), 1240, 1754)], "camera")
    case = acceptance.accept(window.desk, draft)
    pages = window.desk.store.read(lambda tx: tx.attachments.of_case(case.id))
    return [page.id for page in pages]


@pytest.mark.parametrize("offline", [False, True])
def test_pages_follow_their_case(tmp_path: Path, offline: bool) -> None:
    with OpenHall(tmp_path) as hall:
        window = hall.window()
        (ticket,) = hall.tickets(1)
        window.sign_in()
        window.by_paper(ticket)
        if offline:
            hall.cable.pull()
        ids = taken(window, 2)
        if offline:
            assert window.desk.store.read(lambda tx: tx.outbox.state()).pages == 2
            hall.cable.plug()
            window.workstation.scheduler.network_up()
        window.until(lambda: window.desk.store.read(lambda tx: tx.outbox.state()).pages == 0)
        folder = hall.office.folder / "uploads" / HALL.code
        assert [(folder / one).read_bytes() for one in ids] == [PICTURE + b"\0", PICTURE + b"\1"]
