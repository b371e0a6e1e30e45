"""The order in which Tab visits controls: as the layouts are read, left to right and top to bottom.

Qt's own chain follows the order of construction, and much of this window is built anew while it is open.
"""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLayout, QScrollArea, QStackedWidget, QWidget


def stops(root: QWidget) -> list[QWidget]:
    """Every control inside `root` that Tab can visit now, in reading order."""
    return [widget for widget in _read(root) if _takes_focus(widget)]


def step(root: QWidget, here: QWidget | None, *, forward: bool) -> bool:
    """Move the focus to the next or the previous stop, round and round; False when there is none."""
    order = stops(root)
    if not order:
        return False
    by = 1 if forward else -1
    place = order.index(here) + by if here is not None and here in order else min(by, 0)
    target = order[place % len(order)]
    reason = Qt.FocusReason.TabFocusReason if forward else Qt.FocusReason.BacktabFocusReason
    target.setFocus(reason)
    _bring_into_view(target)
    return True


def _takes_focus(widget: QWidget) -> bool:
    return widget.isVisible() and widget.isEnabled() and bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)


def _read(widget: QWidget) -> Iterator[QWidget]:
    yield widget
    if isinstance(widget, QStackedWidget):
        yield from _read(widget.currentWidget())
    elif isinstance(widget, QScrollArea):
        yield from _read(widget.widget())
    elif (layout := widget.layout()) is not None:
        yield from _read_layout(layout)


def _read_layout(layout: QLayout) -> Iterator[QWidget]:
    for place in range(layout.count()):
        item = layout.itemAt(place)
        assert item is not None, "count() said it is there"
        if (widget := item.widget()) is not None:
            yield from _read(widget)
        elif (inner := item.layout()) is not None:
            yield from _read_layout(inner)


def _bring_into_view(widget: QWidget) -> None:
    parent = widget.parentWidget()
    while parent is not None:
        if isinstance(parent, QScrollArea):
            parent.ensureWidgetVisible(widget, 0, 12)
        parent = parent.parentWidget()
