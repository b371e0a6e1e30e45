"""The screen of a start that failed: every store failure can be told, in both languages."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from clerk_app import failures
from clerk_app.failures import Failure
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
