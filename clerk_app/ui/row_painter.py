"""What paints the rows of a list: how high one is and what is written into it is all a list says itself."""

from __future__ import annotations

from typing import Generic, TypeVar

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize
from PySide6.QtGui import QFont, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from clerk_app.ui import painting, theme
from clerk_app.ui.rows import ROW

T = TypeVar("T")


class RowPainter(QStyledItemDelegate, Generic[T]):
    """Paints one snapshot of a `RowsModel` a row. A subclass says `height` and writes its words in `draw`."""

    def height(self, row: T) -> int:
        """Height of a row in pixels at 100 %."""
        raise NotImplementedError

    def draw(self, painter: QPainter, room: QRect, row: T, base: QFont) -> None:
        """Write the row into `room`; `base` is the list's font. The painter is restored afterwards."""
        raise NotImplementedError

    def ground(self, painter: QPainter, row: QRect, *, chosen: bool) -> QRect:
        """Draw what lies under the words, a card; returns the room on it."""
        return painting.row_card(painter, row, chosen=chosen)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        row = index.data(ROW)
        return QSize(100, 0 if row is None else theme.current().px(self.height(row)))

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)  # type: ignore[attr-defined]
        painter.save()
        room = self.ground(painter, QRect(option.rect), chosen=chosen)  # type: ignore[attr-defined]
        self.draw(painter, room, index.data(ROW), self.parent().font())  # type: ignore[attr-defined]
        painter.restore()
