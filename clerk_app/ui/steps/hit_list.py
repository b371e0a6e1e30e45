"""The result list of the item search: one row an item kind, its bodies folded inside."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from clerk_app.desk.ports import BodyChoice, Hit
from clerk_app.ui import icons, theme
from clerk_app.ui.rows import ROW, RowsModel
from clerk_app.ui.words import either, tr

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class HitLine:
    """A line of the list: a hit (with its proposed body), or one body of an unfolded hit."""

    hit: Hit
    body: BodyChoice
    inside: bool = False  # a body below its hit
    unfolded: bool = False

    @property
    def folds(self) -> bool:
        return not self.inside and len(self.hit.bodies) > 1


def _words(line: HitLine) -> str:
    if line.inside:
        return f"{line.body.body_name} · {tr('level.' + line.body.level)}"
    more = tr("item.bodies", count=len(line.hit.bodies)) if line.folds else ""
    name = either(line.hit.name, line.hit.name_en)
    return " · ".join(part for part in (name, line.body.body_name, more) if part)


class HitList(QListView):
    """Signals: picked(item_code)."""

    picked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._hits: tuple[Hit, ...] = ()
        self._unfolded: set[str] = set()
        self.rows = RowsModel[HitLine](
            lambda line: (line.hit.kind_code, line.body.item_code if line.inside else ""), _words, self
        )
        self.setModel(self.rows)
        self.setItemDelegate(_HitPainter(self))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setMouseTracking(True)
        self.activated.connect(self._pick)

    def show_hits(self, hits: tuple[Hit, ...]) -> None:
        """Show what was found; the first row is the one Enter takes."""
        self._hits = hits
        self._unfolded.clear()
        self._refill()
        if self.rows.rows:
            self.setCurrentIndex(self.rows.index(0))
            self.scrollToTop()

    def _refill(self) -> None:
        lines: list[HitLine] = []
        for hit in self._hits:
            unfolded = hit.kind_code in self._unfolded
            lines.append(HitLine(hit, hit.bodies[0], unfolded=unfolded))
            if unfolded:
                lines += [HitLine(hit, body, inside=True) for body in hit.bodies]
        self.rows.update(lines)

    def step(self, by: int) -> None:
        """Move the choice up or down."""
        if self.rows.rows:
            place = min(max(self.currentIndex().row() + by, 0), len(self.rows.rows) - 1)
            self.setCurrentIndex(self.rows.index(place))

    def fold(self, unfolded: bool) -> bool:
        """Unfold or fold the bodies of the chosen row; whether that changed anything."""
        line = self._line()
        if line is None or (kind := line.hit.kind_code) is None or len(line.hit.bodies) < 2:
            return False
        if unfolded == (kind in self._unfolded):
            return False
        (self._unfolded.add if unfolded else self._unfolded.discard)(kind)
        self._refill()
        place = next(i for i, each in enumerate(self.rows.rows) if each.hit.kind_code == kind)
        self.setCurrentIndex(self.rows.index(place))
        return True

    def pick(self) -> None:
        """Take the chosen row."""
        self._pick(self.currentIndex())

    def _pick(self, index: Index) -> None:
        line = index.data(ROW)
        if isinstance(line, HitLine):
            self.picked.emit(line.body.item_code)

    def _line(self) -> HitLine | None:
        line = self.currentIndex().data(ROW)
        return line if isinstance(line, HitLine) else None

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """One click picks; a click on the count of bodies unfolds them."""
        index = self.indexAt(event.position().toPoint())
        line = index.data(ROW)
        if isinstance(line, HitLine) and event.button() == Qt.MouseButton.LeftButton:
            self.setCurrentIndex(index)
            if line.folds and event.position().x() > self.viewport().width() - theme.current().px(140):
                self.fold(not line.unfolded)
            else:
                self._pick(index)
            return
        super().mouseReleaseEvent(event)

    def sizeHint(self) -> QSize:
        height = sum(self.sizeHintForRow(i) for i in range(len(self.rows.rows)))
        return QSize(200, height + 4)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, min(self.sizeHint().height(), theme.current().px(176)))


class _HitPainter(QStyledItemDelegate):
    """Name with the matched runs marked; below it the proposed body and the count of bodies."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        line = index.data(ROW)
        inside = isinstance(line, HitLine) and line.inside
        return QSize(100, theme.current().px(36 if inside else 56))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        line: HitLine = index.data(ROW)
        look = theme.current()
        room = QRect(option.rect).adjusted(1, 1, -2, -1)  # type: ignore[attr-defined]
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)  # type: ignore[attr-defined]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if chosen:
            painter.setPen(QPen(look.colour("primary"), 1))
            painter.setBrush(look.colour("primary_soft"))
            painter.drawRoundedRect(room, look.px(6), look.px(6))
        room = room.adjusted(look.px(12), 0, -look.px(12), 0)
        font = QFont(option.font)  # type: ignore[attr-defined]
        (_paint_body if line.inside else _paint_hit)(painter, room, line, font)
        painter.restore()


def _paint_body(painter: QPainter, room: QRect, line: HitLine, font: QFont) -> None:
    look = theme.current()
    font.setPixelSize(look.px(14))
    painter.setFont(font)
    painter.setPen(look.colour("muted"))
    level = tr("level." + line.body.level)
    painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, level)
    painter.setPen(look.colour("text"))
    taken = QFontMetrics(font).horizontalAdvance(level) + look.px(12)
    words = room.adjusted(look.px(22), 0, -taken, 0)
    shown = QFontMetrics(font).elidedText(line.body.body_name, Qt.TextElideMode.ElideRight, words.width())
    painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, shown)


def _paint_hit(painter: QPainter, room: QRect, line: HitLine, font: QFont) -> None:
    look = theme.current()
    half = room.height() // 2
    small = QFont(font)
    small.setPixelSize(look.px(13))
    top = QRect(room.left(), room.top() + look.px(6), room.width(), half - look.px(4))
    low = QRect(room.left(), room.top() + half, room.width(), half - look.px(5))
    painter.setFont(small)
    painter.setPen(look.colour("muted"))
    right = tr("type." + line.hit.type)
    painter.drawText(top, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, right)
    top.setRight(top.right() - QFontMetrics(small).horizontalAdvance(right) - look.px(12))
    if line.folds:
        count = tr("item.bodies", count=len(line.hit.bodies))
        width = QFontMetrics(small).horizontalAdvance(count)
        painter.setPen(look.colour("primary"))
        painter.drawText(low, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, count)
        side = look.px(12)
        left = low.right() - width - side - look.px(6)
        spot = QRect(left, low.center().y() - side // 2, side, side)
        icons.icon("caret_down" if line.unfolded else "caret_right", "primary").paint(painter, spot)
        low.setRight(left - look.px(10))
    painter.setPen(look.colour("muted"))
    parts = [line.body.body_name] if line.hit.acceptable else [tr("item.not_here"), line.body.body_name]
    where = QFontMetrics(small).elidedText("  ·  ".join(parts), Qt.TextElideMode.ElideRight, low.width())
    painter.drawText(low, Qt.AlignmentFlag.AlignVCenter, where)
    bold = QFont(font)
    bold.setWeight(QFont.Weight.DemiBold)
    painter.setFont(bold)
    name = either(line.hit.name, line.hit.name_en)
    marks = line.hit.marks if name == line.hit.name else ()
    _paint_marked(painter, top, name, marks)


def _paint_marked(painter: QPainter, room: QRect, name: str, marks: tuple[tuple[int, int], ...]) -> None:
    """Write `name` into `room`, the matched runs on the marker's colour."""
    look = theme.current()
    metrics = painter.fontMetrics()
    shown = metrics.elidedText(name, Qt.TextElideMode.ElideRight, room.width())
    for start, length in marks:
        run = shown[start : start + length]
        if not run:
            continue
        left = room.left() + metrics.horizontalAdvance(shown[:start])
        height = metrics.height()
        band = QRect(left, room.center().y() - height // 2, metrics.horizontalAdvance(run), height)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(look.colour("mark"))
        painter.drawRoundedRect(band, 2, 2)
    left = room.left()
    edges = sorted({0, len(shown), *(e for s, n in marks for e in (s, s + n) if e < len(shown))})
    for start, end in pairwise(edges):
        marked = any(s <= start < s + n for s, n in marks)
        painter.setPen(look.colour("mark_text" if marked else "text"))
        spot = QPoint(left, room.center().y() + (metrics.ascent() - metrics.descent()) // 2)
        painter.drawText(spot, shown[start:end])
        left += metrics.horizontalAdvance(shown[start:end])
