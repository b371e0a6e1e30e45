from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from window_hall import Hall, hall


@pytest.fixture
def window_hall(qtbot: QtBot, qapp: QApplication) -> Iterator[Hall]:
    """A window on the screen, not signed in."""
    with hall(qtbot, qapp) as made:
        yield made


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The offscreen platform says this of every window with a least size; a real one never does."""
    for item in items:
        if item.path.parent.name == "ui":
            item.add_marker(pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints"))
