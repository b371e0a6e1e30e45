"""The pages of a material as a list: a small picture of each, its number and its size."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QFont, QImage, QPainter

from clerk_app.desk.views import PageView
from clerk_app.ui import painting, theme
from clerk_app.ui.row_painter import RowPainter
from clerk_app.ui.words import tr

SIDE = 176
"""Pixels of a small picture's long side, twice what it is drawn with at 100 %."""


@dataclass(frozen=True, slots=True)
class PageRow:
    """One page with its small picture; null until it was read."""

    page: PageView
    picture: QImage


def small(content: bytes) -> QImage:
    """A page's JPEG, as small as it is shown. Takes some milliseconds: not on the window's thread."""
    picture = QImage.fromData(content)
    return picture.scaled(
        SIDE, SIDE, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    )


def words(row: PageRow) -> str:
    page = row.page
    return f"{tr('pages.page', number=page.number)} · {page.width} × {page.height} · {page.size // 1000} kB"


class PageLine(RowPainter[PageRow]):
    """Picture at the left, number and size beside it."""

    def height(self, row: PageRow) -> int:
        return 100

    def draw(self, painter: QPainter, room: QRect, row: PageRow, base: QFont) -> None:
        look = theme.current()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        spot = QRect(room.left(), room.top(), look.px(88), room.height())
        if not row.picture.isNull():
            shape = row.picture.size().scaled(spot.size(), Qt.AspectRatioMode.KeepAspectRatio)
            drawn = QRect(spot.topLeft(), shape)
            drawn.moveCenter(spot.center())
            painter.drawImage(drawn, row.picture)
            painter.setPen(look.colour("edge"))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(drawn)
        line = room.adjusted(look.px(104), look.px(12), 0, 0)
        line.setHeight(look.px(24))
        painter.setFont(painting.font(base, 15, bold=True))
        painting.write(painter, line, tr("pages.page", number=row.page.number), "text")
        line.translate(0, look.px(26))
        painter.setFont(painting.font(base, 13))
        painting.write(painter, line, words(row).split(" · ", 1)[1], "muted")
