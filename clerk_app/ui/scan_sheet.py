"""Scanning a material: what the camera sees, files to pick or to drop, and the pages there are by now."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QSizePolicy, QWidget

from clerk_app.desk.views import MaterialView
from clerk_app.ui import theme
from clerk_app.ui.announce import announce
from clerk_app.ui.banner import BannerSlot
from clerk_app.ui.page_list import PageLine, PageRow, words
from clerk_app.ui.pieces import KeyButton, label, on_click, row
from clerk_app.ui.rows import RowsModel, SteadyList
from clerk_app.ui.side_sheet import SideSheet
from clerk_app.ui.words import either, tr

PICTURES = "*.jpg *.jpeg *.png *.tif *.tiff *.webp *.bmp"
_TAKE = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)


class Finder(QWidget):
    """What the camera sees, as large as there is room."""

    def __init__(self) -> None:
        super().__init__()
        self._seen = QImage()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_frame(self, seen: QImage) -> None:
        self._seen = seen
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(480), theme.current().px(270))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.current().colour("sunken"))
        shape = self._seen.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        room = QRect(0, 0, shape.width(), shape.height())
        room.moveCenter(self.rect().center())
        painter.drawImage(room, self._seen)
        painter.end()


class ScanSheet(SideSheet):
    """Signals: take (a page with the camera), picked(list of files), removed(page id)."""

    take = Signal()
    picked = Signal(object)
    removed = Signal(str)

    def __init__(self, over: QWidget) -> None:
        super().__init__(over, "pages.title", 540)
        self.setAcceptDrops(True)
        self.had_hand = False
        self._material: MaterialView | None = None
        self._done, self._count = 0, 0
        self._what = label(role="title", wrap=True)
        self.finder = Finder()
        self._take, self._pick, self._remove = KeyButton("primary"), KeyButton(), KeyButton()
        self._hint = label(role="muted", wrap=True)
        self.banner = BannerSlot()
        self._progress = label(role="muted")
        self.model = RowsModel[PageRow](lambda shown: shown.page.id, words, self)
        self.list = SteadyList[PageRow](self.model, PageLine())
        on_click(self._take, self.take.emit)
        on_click(self._pick, self._ask_files)
        on_click(self._remove, self._remove_chosen)
        ways = row()
        ways.addWidget(self._take)
        ways.addWidget(self._pick)
        ways.addStretch()
        foot = row()
        foot.addWidget(self._progress)
        foot.addStretch()
        foot.addWidget(self._remove)
        self.body.addWidget(self._what)
        self.body.addWidget(self.finder)
        self.body.addLayout(ways)
        self.body.addWidget(self._hint)
        self.body.addWidget(self.banner)
        self._none = label(role="muted")
        self._none.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.body.addWidget(self._none, 1)
        self.body.addWidget(self.list, 1)
        self.body.addLayout(foot)
        self.show_camera(False)

    # --- what is shown -------------------------------------------------------------------------------

    def open(self, material: MaterialView) -> None:
        self._material = material
        self.banner.withdraw()
        self.show_camera(False)
        self.show_pages(())
        self.show_up()
        self._pick.setFocus()

    def put_away(self) -> bool:
        """Close the sheet; `had_hand` then says whether the focus was inside."""
        focused = QApplication.focusWidget()
        self.had_hand = focused is not None and self.isAncestorOf(focused)
        return super().put_away()

    @property
    def sees(self) -> bool:
        """Whether the camera shows a picture."""
        return not self.finder.isHidden()

    def show_camera(self, sees: bool) -> None:
        self.finder.setVisible(sees)
        self._take.setVisible(sees)
        self._pick.set_kind("" if sees else "primary")

    def show_frame(self, seen: QImage) -> None:
        self.finder.show_frame(seen)
        if not self.sees:
            self.show_camera(True)
            self._take.setFocus()

    def show_pages(self, pages: tuple[PageRow, ...]) -> None:
        more = len(pages) > len(self.model.rows)
        self.list.update_rows(pages)
        if pages and (more or not self.list.currentIndex().isValid()):
            self.list.setCurrentIndex(self.model.index(len(pages) - 1))
        self._remove.setVisible(bool(pages))
        self.list.setVisible(bool(pages))
        self._none.setVisible(not pages)

    def show_progress(self, done: int, count: int) -> None:
        """`done` of `count` pictures are made straight; nothing is under way when they are equal."""
        self._done, self._count = done, count
        self._tell_progress()
        if count and done == count:
            announce(self, tr("pages.count", count=len(self.model.rows)))

    def _tell_progress(self) -> None:
        working = self._done < self._count
        self._progress.setText(
            tr("pages.working", done=self._done + 1, count=self._count)
            if working
            else tr("pages.count", count=len(self.model.rows))
            if self.model.rows
            else ""
        )

    def retranslate(self) -> None:
        super().retranslate()
        material = self._material
        self._what.setText(either(material.name, material.name_en) if material else "")
        self.finder.setAccessibleName(tr("pages.camera"))
        self.finder.updateGeometry()
        self._take.tell(tr("pages.take"), tr("pages.take_key"), "scan", "on")
        self._pick.tell(tr("pages.pick"), icon="add", ink="text" if self.sees else "on")
        self._hint.setText(tr("pages.hint"))
        self._remove.tell(tr("pages.remove"), "Del")
        self._none.setText(tr("pages.none"))
        self.list.setAccessibleName(tr("pages.list"))
        self._tell_progress()
        self.model.say_again()
        self.banner.retranslate()

    # --- what the hand does --------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter and space take a page while the camera sees; Delete removes the chosen one."""
        if event.key() == Qt.Key.Key_Delete and not self._remove.isHidden():
            self._remove_chosen()
        elif event.key() in _TAKE and self.sees and not event.isAutoRepeat():
            self.take.emit()
        elif event.key() in _TAKE and self._pick.hasFocus():
            self._ask_files()
        else:
            super().keyPressEvent(event)

    def _remove_chosen(self) -> None:
        chosen = self.list.currentIndex()
        if chosen.isValid() and chosen.row() < len(self.model.rows):
            self.removed.emit(self.model.rows[chosen.row()].page.id)

    def _ask_files(self) -> None:
        dialog = QFileDialog(self, tr("pages.pick"), "", f"{tr('pages.pictures')} ({PICTURES})")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.filesSelected.connect(lambda names: self.picked.emit([Path(name) for name in names]))
        self.closed.connect(dialog.reject)  # what is picked then is for nobody
        dialog.open()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        files = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        event.acceptProposedAction()
        self.picked.emit(files)
