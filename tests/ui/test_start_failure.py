"""The screen of a start that failed: every store failure can be told, in both languages."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot
from window_fakes import FakeDoctor

from clerk_app import failures
from clerk_app.desk.ports import Check, Level
from clerk_app.failures import Failure
from clerk_app.ui.doctor_page import DoctorPage
from clerk_app.ui.services import Look
from clerk_app.ui.start_failure import StartFailure


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("code", [c for c in failures.codes() if c.startswith(("STORE-", "SETTINGS-"))])
def test_it_says_the_code_what_happened_and_what_to_do(qtbot: QtBot, code: str, language: str) -> None:
    screen = StartFailure(Failure(code, "detail for IT"), Look(language=language))
    qtbot.addWidget(screen)
    screen.show()
    said = [label.text() for label in screen.findChildren(QLabel)]
    told = failures.text(code, language)
    assert told.sentence in said
    assert told.action in said
    assert any(code in text for text in said)
    assert "detail for IT" in said


def test_the_rest_can_be_looked_at_from_there(qtbot: QtBot) -> None:
    doctor = FakeDoctor(
        [Check("disk", values=(("megabytes", 9000),)), Check("keyring", Level.FAIL, "STORE-NO-KEYRING")]
    )
    screen = StartFailure(Failure("STORE-NO-KEYRING"), Look(), lambda: doctor)
    qtbot.addWidget(screen)
    screen.show()
    button = next(b for b in screen.findChildren(QPushButton) if b.text() == "设备检查")
    button.click()
    page = screen.findChild(DoctorPage)
    assert page is not None
    qtbot.waitUntil(lambda: len(page.checks) == 2 and not page.busy)
    qtbot.waitUntil(lambda: all(line.isVisible() for line in page._lines.values()))
    screen.grab().save("build/pictures/start-failure-doctor.png")
    button.click()
    qtbot.waitUntil(lambda: doctor.asked == [False, False] and not page.busy)
