"""What list delegates share: one line of text in a role's size and colour, shortened to its room."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPen

from clerk_app.ui import icons, theme

LEFT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
RIGHT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight

AIR = 6
"""Between the words of a list and the ring around it when it has the focus, in pixels."""


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


def row_card(painter: QPainter, row: QRect, *, chosen: bool) -> QRect:
    """Draw the ground of one row, a card with air around it; returns the room inside for its words."""
    look = theme.current()
    ground = row.adjusted(2, 2, -look.px(8), -2)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(look.colour("primary" if chosen else "line"), 1))
    painter.setBrush(look.colour("primary_soft" if chosen else "sunken"))
    painter.drawRoundedRect(ground, look.px(6), look.px(6))
    return ground.adjusted(look.px(10), look.px(4), -look.px(10), -look.px(4))
