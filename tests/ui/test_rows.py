"""The list model: whatever becomes of the rows, selection stays on its row and nothing is reset."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QItemSelectionModel, QPersistentModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QStyledItemDelegate
from pytestqt.qtbot import QtBot

from clerk_app.ui.rows import ROW, RowsModel, SteadyList


@dataclass(frozen=True)
class Line:
    key: int
    text: str = ""


def model() -> RowsModel[Line]:
    return RowsModel[Line](lambda line: line.key, lambda line: f"line {line.key}")


lines = st.lists(st.builds(Line, st.integers(0, 12), st.sampled_from(["", "changed"])), max_size=12)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=lines, after=lines)
def test_becomes_what_it_is_told(before: list[Line], after: list[Line]) -> None:
    rows = model()
    tester = QAbstractItemModelTester(rows, QAbstractItemModelTester.FailureReportingMode.Fatal)
    rows.update(before)
    kept = [QPersistentModelIndex(rows.index(i)) for i in range(len(before))]
    rows.update(after)
    assert list(rows.rows) == after
    assert [rows.index(i).data(ROW) for i in range(len(after))] == after
    keys = [line.key for line in before]
    for line, index in zip(before, kept, strict=True):
        if keys.count(line.key) == 1 and any(line.key == new.key for new in after):
            assert index.data(ROW).key == line.key
    del tester


def test_selection_and_scroll_survive(qtbot: QtBot) -> None:
    rows = model()
    view = SteadyList(rows, QStyledItemDelegate())
    qtbot.addWidget(view)
    view.resize(120, 200)
    with qtbot.waitExposed(view):
        view.show()
    view.update_rows([Line(n) for n in range(100)])
    view.selectionModel().setCurrentIndex(rows.index(50), QItemSelectionModel.SelectionFlag.ClearAndSelect)
    view.scrollTo(rows.index(50))
    before = view.visualRect(view.currentIndex())
    resets: list[bool] = []
    rows.modelReset.connect(lambda: resets.append(True))
    view.update_rows([Line(n, "new") for n in range(10, 120)])
    assert view.currentIndex().data(ROW) == Line(50, "new")
    assert view.visualRect(view.currentIndex()) == before
    assert not resets


def test_unchanged_rows_stay_untouched(qtbot: QtBot) -> None:
    rows = model()
    rows.update([Line(1), Line(2)])
    changed: list[int] = []
    rows.dataChanged.connect(lambda first, _last: changed.append(first.row()))
    rows.update([Line(1), Line(2, "new")])
    assert changed == [1]


def test_a_screen_reader_and_a_tooltip_say_the_whole(qtbot: QtBot) -> None:
    rows = model()
    rows.update([Line(7)])
    for role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
        assert rows.index(0).data(role) == "line 7"
