"""One case from the card to the filed case, by keys alone."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QComboBox

from clerk_app.desk.views import Paper
from clerk_app.domain.case import LegalState, SyncState
from clerk_app.ui.keys import Key
from clerk_app.ui.steps.field_editor import FieldEditor
from practice.tour.driver import Driver, StepFailed

ACCEPTED, RECEIVED = LegalState.ACCEPTED, LegalState.RECEIVED


def file_case(
    tour: Driver, card: str, words: str, item: str, files: LegalState, *, shown: bool = False
) -> None:
    """The case of the holder of `card`, found by `words`; every step is pictured when `shown`."""
    before = len(tour.cases())
    tour.act("card-read", shown, lambda: tour.lay(card), lambda: tour.open_step() == 2)
    choose_item(tour, words, item, shown=shown)
    fill_form(tour, shown=shown)
    hand_materials(tour, shown=shown)
    tour.key("Alt+6")
    # Offline, an item that needs a check of the office is received only.
    accepting = files is ACCEPTED
    tour.act("checked", shown, tour.nothing, lambda: tour.draft().accept.open is accepting, looks=True)
    file(tour, before, files)
    tour.hall.reader.remove()


def choose_item(tour: Driver, words: str, item: str, *, shown: bool = False) -> None:
    """Type into the search, which has the focus, and take the first hit."""
    tour.act("item-found", shown, lambda: tour.type(words), lambda: _first_hit(tour) == item)
    tour.act(
        "item-chosen",
        shown,
        lambda: tour.hit(Qt.Key.Key_Return),
        lambda: tour.draft().item is not None and tour.draft().item.name == item,
    )


def fill_form(tour: Driver, *, shown: bool = False) -> None:
    """Type into every field that the card did not fill and the form asks for."""
    tour.key("Alt+4")
    tour.until(lambda: tour.open_step() == 4, "step 4 is open")
    for editor in tour.counter().steps.form.findChildren(FieldEditor):
        field = editor.field
        if not field.problem:
            continue
        editor.focus()
        if isinstance(tour.focus(), QComboBox):
            tour.hit(Qt.Key.Key_Down)
        else:
            tour.type(_sample_value(field.kind, field.label), enter=True)
        tour.until(partial(_field_stored, tour, field.key), f"the field {field.key} is stored")
    tour.act("form-filled", shown, lambda: tour.key("Alt+4"), lambda: tour.open_step() == 4)


def hand_materials(tour: Driver, *, shown: bool = False) -> None:
    """Tick every material."""
    tour.key("Alt+5")
    tour.until(lambda: tour.open_step() == 5, "step 5 is open")
    for place in range(len(tour.draft().materials)):
        ticks = [t for t in tour.counter().steps.material.findChildren(QCheckBox) if t.isVisible()]
        if not ticks[place].isChecked():
            ticks[place].setFocus()
            QTest.keyClick(ticks[place], Qt.Key.Key_Space)
            tour.until(partial(_handed, tour, place), "a material is handed")
    tour.act("materials", shown, tour.nothing, lambda: tour.open_step() in (5, 6))


def file(tour: Driver, before: int, files: LegalState) -> None:
    """Accept or receive what is in hand; there were `before` cases."""
    tour.key("F9" if files is ACCEPTED else "F8")
    tour.until(
        lambda: len(tour.cases()) == before + 1 and tour.newest().legal_state is files,
        f"the case is {files}",
    )


def finish(tour: Driver) -> None:
    tour.key("F7")
    tour.until(lambda: tour.visit() is None, "the visit has ended")


def all_registered(tour: Driver) -> bool:
    return all(case.sync_state is SyncState.REGISTERED for case in tour.cases())


def choose_slip(tour: Driver, paper: Paper) -> None:
    """Open the sheet of slips and lead the choice to `paper`."""
    sheet = tour.counter().slips
    if sheet.isHidden():
        tour.key(Key.SLIPS)
    tour.until(lambda: sheet.isVisible() and sheet.current is not None, "the slips are listed")
    for _ in Paper:
        if sheet.current is not None and sheet.current.paper is paper:
            return
        tour.hit(Qt.Key.Key_Down)
    raise StepFailed(f"no slip {paper}")


def _first_hit(tour: Driver) -> str:
    hits = tour.counter().steps.item.hits.model()
    return str(hits.index(0, 0).data(Qt.ItemDataRole.UserRole).hit.name) if hits.rowCount() else ""


def _field_stored(tour: Driver, key: str) -> bool:
    return not next(field.problem for field in tour.draft().fields if field.key == key)


def _handed(tour: Driver, place: int) -> bool:
    return tour.draft().materials[place].mode is not None


def _sample_value(kind: str, label: str) -> str:
    return {"phone": "13800001234", "date": "2026-11-20", "number": "1"}.get(kind, f"{label}（练习）")
