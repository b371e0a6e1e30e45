"""A list model that changes only what changed: selection and scroll survive every sync."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, QPoint, QSize, Qt
from PySide6.QtWidgets import QListView, QStyledItemDelegate

T = TypeVar("T")
Index = QModelIndex | QPersistentModelIndex

ROW = int(Qt.ItemDataRole.UserRole)
"""The role under which a delegate gets the snapshot itself."""


class RowsModel(QAbstractListModel, Generic[T]):
    """Snapshots in a list, told apart by `key`; `words` is what a screen reader and a tooltip say of one."""

    def __init__(
        self, key: Callable[[T], object], words: Callable[[T], str], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._key = key
        self._words = words
        self._rows: list[T] = []
        self._keys: list[tuple[object, int]] = []

    @property
    def rows(self) -> Sequence[T]:
        return self._rows

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's own default)
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        shown = self._rows[index.row()]
        if role == ROW:
            return shown
        if role in (
            Qt.ItemDataRole.DisplayRole,
            Qt.ItemDataRole.ToolTipRole,
            Qt.ItemDataRole.AccessibleTextRole,
        ):
            return self._words(shown)
        return None

    def update(self, rows: Sequence[T]) -> None:
        """Become `rows` by removing, moving, inserting and changing single rows, never by a reset."""
        keys = self._told_apart(rows)
        self._drop_absent(set(keys))
        present = set(self._keys)
        for place, (key, new) in enumerate(zip(keys, rows, strict=True)):
            if place < len(self._rows) and self._keys[place] == key:
                self._replace(place, new)
            elif key in present:
                self._move(key, place)
                self._replace(place, new)
            else:
                self.beginInsertRows(QModelIndex(), place, place)
                self._rows.insert(place, new)
                self._keys.insert(place, key)
                self.endInsertRows()

    def say_again(self) -> None:
        """The words changed (language, theme), the rows did not."""
        if self._rows:
            self.dataChanged.emit(self.index(0), self.index(len(self._rows) - 1))

    def _told_apart(self, rows: Sequence[T]) -> list[tuple[object, int]]:
        """The key of every row, with a number for those that share one (two events of the same moment)."""
        seen: Counter[object] = Counter()
        keys: list[tuple[object, int]] = []
        for each in rows:
            key = self._key(each)
            keys.append((key, seen[key]))
            seen[key] += 1
        return keys

    def _drop_absent(self, wanted: set[tuple[object, int]]) -> None:
        for place in range(len(self._rows) - 1, -1, -1):
            if self._keys[place] not in wanted:
                self.beginRemoveRows(QModelIndex(), place, place)
                del self._rows[place]
                del self._keys[place]
                self.endRemoveRows()

    def _move(self, key: tuple[object, int], place: int) -> None:
        source = self._keys.index(key, place)
        self.beginMoveRows(QModelIndex(), source, source, QModelIndex(), place)
        self._rows.insert(place, self._rows.pop(source))
        self._keys.insert(place, self._keys.pop(source))
        self.endMoveRows()

    def _replace(self, place: int, new: T) -> None:
        if self._rows[place] != new:
            self._rows[place] = new
            self.dataChanged.emit(self.index(place), self.index(place))


class SteadyList(QListView, Generic[T]):
    """A list whose topmost visible row stays where it is while others come and go around it."""

    def __init__(self, model: RowsModel[T], delegate: QStyledItemDelegate) -> None:
        super().__init__()
        self._model = model
        delegate.setParent(self)
        self.setModel(model)
        self.setItemDelegate(delegate)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)

    def sizeHint(self) -> QSize:
        """One row: a list takes the room that is left, what stands beside it comes first."""
        return QSize(80, max(self.sizeHintForRow(0), 0) + 2 * self.frameWidth() + 2)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def update_rows(self, rows: Sequence[T]) -> None:
        """Show `rows`; scroll and selection stay with the rows they belong to."""
        top = QPersistentModelIndex(self.indexAt(QPoint(1, 1)))
        before = self.visualRect(top).top() if top.isValid() else 0
        at_top = self.verticalScrollBar().value() == 0
        self._model.update(rows)
        if at_top or not top.isValid():
            return
        self.doItemsLayout()
        moved = self.visualRect(top).top() - before
        self.verticalScrollBar().setValue(self.verticalScrollBar().value() + moved)
