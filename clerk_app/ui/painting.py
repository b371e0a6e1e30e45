"""What list delegates share: one line of text in a role's size and colour, shortened to its room."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter

from clerk_app.ui import icons, theme

LEFT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
RIGHT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight


def font(base: QFont, size: int, *, bold: bool = False) -> QFont:
    """`base` at `size` pixels (at 100 %)."""
    made = QFont(base)
    made.setPixelSize(theme.current().px(size))
    made.setWeight(QFont.Weight.Bold if bold else QFont.Weight.Normal)
    return made


def write(painter: QPainter, room: QRect, text: str, ink: str, align: Qt.AlignmentFlag = LEFT) -> int:
    """Write one line in the painter's font; returns the width it took. The model's tooltip has it whole."""
    metrics = painter.fontMetrics()
    shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room.width())
    painter.setPen(theme.current().colour(ink))
    painter.drawText(room, align, shown)
    return metrics.horizontalAdvance(shown)


def icon(painter: QPainter, room: QRect, name: str, ink: str, size: int = 16) -> int:
    """Draw an icon at the left of `room`, in the middle of its height; returns the width it took."""
    side = theme.current().px(size)
    spot = QRect(room.left(), room.center().y() - side // 2 + 1, side, side)
    icons.icon(name, ink).paint(painter, spot)
    return side


def width(of: QFont, text: str) -> int:
    return QFontMetrics(of).horizontalAdvance(text)
