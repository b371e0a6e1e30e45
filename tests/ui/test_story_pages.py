"""Materials are scanned: pages from files and the camera, taken away, given back, filed with the case."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QFileDialog
from window_fakes import LI
from window_hall import Hall

from clerk_app.desk.ports import CameraPhoto
from clerk_app.ui.pieces import KeyButton
from clerk_app.ui.scan_sheet import ScanSheet
from tests.unit.page_samples import encoded, photograph, sheet

CTRL, ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier
PAGES = [encoded(photograph(sheet(lines=lines), 3.0, (600, 800))) for lines in (30, 20)]


@pytest.fixture
def hall(window_hall: Hall) -> Iterator[Hall]:
    """Everything done but the materials; the clerk stands in step 5."""
    hall = window_hall
    hall.sign_in()
    hall.press(Qt.Key.Key_F1)
    hall.lay_card(LI)
    hall.type("补领")
    hall.press(Qt.Key.Key_Return)
    hall.type("13812345678")
    hall.press(Qt.Key.Key_Return)
    hall.press(Qt.Key.Key_Down)
    hall.press(Qt.Key.Key_5, ALT)
    yield hall


def files(folder: Path) -> list[Path]:
    for number, page in enumerate(PAGES):
        (folder / f"{number}.jpg").write_bytes(page)
    return sorted(folder.glob("*.jpg"))


def drop(hall: Hall, paths: list[Path]) -> None:
    """Drag files from a file manager onto the sheet and let them go."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    sheet, copy, left = hall.counter.scan, Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    no = Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(20, 20), copy, mime, left, no)
    QApplication.sendEvent(sheet, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(sheet, QDropEvent(QPointF(20, 20), copy, mime, left, no))
    hall.settle()


def chips(hall: Hall) -> list[str]:
    return [row._pages.text if row._pages.isVisible() else "" for row in rows(hall)]


def rows(hall: Hall) -> list[object]:
    return list(hall.counter.steps.material._rows.values())


def numbers(sheet: ScanSheet) -> list[int]:
    assert all(not row.picture.isNull() for row in sheet.model.rows), "a page without its picture"
    return [row.page.number for row in sheet.model.rows]


def test_two_pages_one_taken_away_given_back_and_filed(hall: Hall, tmp_path: Path) -> None:
    hall.press(Qt.Key.Key_S, ALT)
    sheet = hall.counter.scan
    assert sheet.isVisible()
    assert not sheet.sees, "there is no camera"
    drop(hall, files(tmp_path))
    assert numbers(sheet) == [1, 2]
    assert chips(hall)[0] == "2 页"
    sheet.list.setCurrentIndex(sheet.model.index(0))
    sheet.list.setFocus()
    kept = sheet.model.rows[1].page.id
    hall.press(Qt.Key.Key_Delete)
    assert [row.page.id for row in sheet.model.rows] == [kept]
    assert chips(hall)[0] == "1 页"
    hall.press(Qt.Key.Key_Y, ALT)
    assert numbers(sheet) == [1, 2]
    assert sheet.model.rows[1].page.id == kept
    hall.press(Qt.Key.Key_Escape)
    assert not sheet.isVisible()
    draft = hall.counter.shown.draft.id
    for line in rows(hall):
        line._tick.click()
        hall.settle()
    hall.press(Qt.Key.Key_F9)
    (case,) = hall.counter.shown.visit.cases
    assert case.id == draft
    kept = hall.store.read(lambda tx: tx.attachments.of_case(case.id))
    assert len(kept) == 2
    assert all(hall.store.read(lambda tx, page=page: tx.attachments.content(page.id)) for page in kept)


def test_the_camera_takes_a_page_at_a_key(hall: Hall) -> None:
    hall.camera.sees = PAGES[0]
    hall.press(Qt.Key.Key_S, ALT)
    sheet = hall.counter.scan
    assert sheet.sees
    hall.press(Qt.Key.Key_Return)
    hall.press(Qt.Key.Key_Space)
    assert numbers(sheet) == [1, 2]
    (page, _) = hall.store.read(lambda tx: tx.attachments.of_case(hall.counter.shown.draft.id))
    assert page.source == "camera"
    assert page.height / page.width == pytest.approx(1754 / 1240, rel=0.03), "not cut to the paper"
    hall.press(Qt.Key.Key_Escape)
    assert hall.camera.listener is None, "the camera is still on"


def test_the_hand_comes_back_to_the_material(hall: Hall) -> None:
    material = hall.counter.steps.material
    hall.press(Qt.Key.Key_Down)
    hall.press(Qt.Key.Key_S, ALT)
    scanned = material.in_hand()
    hall.press(Qt.Key.Key_L, CTRL)
    hall.press(Qt.Key.Key_Escape)
    assert material._rows[scanned].isAncestorOf(hall.focus())
    hall.press(Qt.Key.Key_L, CTRL)
    assert material._rows[scanned].isAncestorOf(hall.focus()), "also in the other language"


def test_a_camera_that_gives_no_picture_is_told_and_files_go_on(hall: Hall, tmp_path: Path) -> None:
    hall.camera.lost = "SCAN-CAMERA"
    hall.press(Qt.Key.Key_S, ALT)
    sheet = hall.counter.scan
    assert sheet.banner.message.failure == "SCAN-CAMERA"
    drop(hall, files(tmp_path))
    assert numbers(sheet) == [1, 2]


def test_a_file_that_is_no_picture_is_named_and_stops_none_of_the_others(hall: Hall, tmp_path: Path) -> None:
    (tmp_path / "0a.jpg").write_bytes(b"no picture")
    hall.press(Qt.Key.Key_S, ALT)
    drop(hall, files(tmp_path))
    sheet = hall.counter.scan
    assert numbers(sheet) == [1, 2]
    assert sheet.banner.message.failure == "SCAN-NO-IMAGE"
    assert sheet.banner.message.values == {"name": "0a.jpg"}


def test_files_are_picked_in_a_dialog(hall: Hall, tmp_path: Path) -> None:
    hall.press(Qt.Key.Key_S, ALT)
    hall.press(Qt.Key.Key_Return)
    (dialog,) = hall.counter.scan.findChildren(QFileDialog)
    dialog.filesSelected.emit([str(path) for path in files(tmp_path)])
    dialog.reject()
    hall.settle()
    assert numbers(hall.counter.scan) == [1, 2]


def test_progress_is_told_while_a_lane_of_its_own_works(hall: Hall, tmp_path: Path) -> None:
    hall.press(Qt.Key.Key_S, ALT)
    sheet, told = hall.counter.scan, []
    show = sheet.show_progress
    sheet.show_progress = lambda done, count: (told.append((done, count)), show(done, count))
    drop(hall, files(tmp_path))
    assert (0, 2) in told
    assert (1, 2) in told
    assert sheet._progress.text() == "2 页"


def test_the_key_means_the_material_at_hand(hall: Hall) -> None:
    last = rows(hall)[-1]
    last.focus()
    hall.press(Qt.Key.Key_S, ALT)
    assert hall.counter.scan._what.text() == last._material.name
    hall.press(Qt.Key.Key_Escape)
    button = next(b for b in rows(hall)[0].findChildren(KeyButton))
    button.click()
    hall.settle()
    assert hall.counter.scan._what.text() == rows(hall)[0]._material.name


def test_the_sheet_goes_with_its_draft(hall: Hall) -> None:
    hall.press(Qt.Key.Key_S, ALT)
    assert hall.counter.scan.isVisible()
    hall.press(Qt.Key.Key_X, CTRL | Qt.KeyboardModifier.ShiftModifier)
    assert not hall.counter.scan.isVisible()
    hall.press(Qt.Key.Key_S, ALT)  # nothing is in hand that has a material
    assert not hall.counter.scan.isVisible()


def test_nobody_leaves_the_camera_on(hall: Hall) -> None:
    hall.camera.sees = PAGES[0]
    hall.press(Qt.Key.Key_S, ALT)
    assert hall.camera.listener is not None
    hall.press(Qt.Key.Key_Q, CTRL | Qt.KeyboardModifier.ShiftModifier)
    assert hall.camera.listener is None


def test_a_photo_that_comes_late_is_not_put_to_the_next_material(hall: Hall) -> None:
    hall.camera.sees = PAGES[0]
    hall.press(Qt.Key.Key_S, ALT)
    late = hall.camera.listener
    assert late is not None
    hall.press(Qt.Key.Key_Escape)
    hall.press(Qt.Key.Key_Down)
    hall.press(Qt.Key.Key_S, ALT)
    late(CameraPhoto(PAGES[0]))
    hall.settle()
    assert hall.counter.scan.isVisible()
    assert not hall.counter.scan.model.rows


def test_files_being_picked_when_the_sheet_goes_are_for_nobody(hall: Hall) -> None:
    """The citizen's case went on elsewhere, or was given up: the next one's must not get them."""
    hall.press(Qt.Key.Key_S, ALT)
    hall.press(Qt.Key.Key_Return)
    (dialog,) = hall.window.findChildren(QFileDialog)
    assert dialog.isVisible()
    hall.counter.scan.put_away()
    assert not dialog.isVisible()
    hall.settle()
    assert not hall.window.findChildren(QFileDialog)
