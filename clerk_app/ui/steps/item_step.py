"""Step 2: what is asked for. One line finds it among all items of the city; the keys stay in that line."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QSizePolicy, QWidget

from clerk_app.desk.ports import Hit
from clerk_app.desk.views import CaseRow, ItemView
from clerk_app.ui import icons
from clerk_app.ui.announce import announce
from clerk_app.ui.flow import FlowLayout
from clerk_app.ui.keys import Key
from clerk_app.ui.pieces import Chip, FittingScroll, IconLabel, KeyButton, clear, column, label, on_click, row
from clerk_app.ui.steps.hit_list import HitList
from clerk_app.ui.steps.step_card import StepCard
from clerk_app.ui.words import either, tr

_OFFLINE = {
    "accept": ("ok", "ok"),
    "receive": ("warn", "warn"),
    "nothing": ("bad", "bad"),
}
"""How an item's offline rule looks beside it while the office is out of reach."""


class ItemStep(StepCard):
    """Signals: searched(text), picked(item_code), cleared."""

    searched = Signal(str)
    picked = Signal(str)
    cleared = Signal()

    def __init__(self) -> None:
        super().__init__(2, "step.item", scrolls=False)
        self._item: ItemView | None = None
        self._same: tuple[CaseRow, ...] = ()
        self._count = 0
        self._offline = False
        self._answered: str | None = None
        self._enter_waits = False
        self._search = QLineEdit()
        self._glass = self._search.addAction(
            icons.icon("search", "muted"), QLineEdit.ActionPosition.LeadingPosition
        )
        self._search.textChanged.connect(self._typed)
        self._search.installEventFilter(self)
        self._hint = label(role="faint")
        self.hits = HitList()
        self.hits.picked.connect(self.picked)
        self.hits.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self._nothing = label(role="muted", wrap=True)
        self._chosen = QFrame()
        self._chosen.setObjectName("chosen")
        self._chosen_body = column(self._chosen, gap=4)
        self._chosen_body.setContentsMargins(12, 8, 8, 8)
        told = QWidget()
        told_body = column(told, gap=8)
        self._warnings = column(gap=6)
        told_body.addWidget(self._chosen)
        told_body.addLayout(self._warnings)
        self._told = FittingScroll(told)
        self._searching = QWidget()
        find = column(self._searching, gap=6)
        line = row(gap=8)
        line.addWidget(self._search, 1)
        line.addWidget(self._hint)
        find.addLayout(line)
        find.addWidget(self.hits, 1)
        find.addWidget(self._nothing)
        self.body.addWidget(self._told)
        self.body.addWidget(self._searching, 1)

    def show_item(self, item: ItemView | None, same: tuple[CaseRow, ...]) -> None:
        """Show the chosen item, or the search; `same` are open cases of the same person."""
        if item is None and self._item is not None:
            self._search.clear()
        self._item, self._same = item, same
        self.retranslate()

    def show_hits(self, text: str, hits: tuple[Hit, ...]) -> None:
        """The answer to `text`; one that comes after more was typed is out of date and not shown."""
        if text != self._search.text():
            return
        self._answered = text
        self.hits.show_hits(hits)
        self.hits.updateGeometry()
        self._tell_count()
        if text:
            announce(self._search, tr("item.found", count=len(hits)))
        if self._enter_waits:
            self._enter_waits = False
            self.hits.pick()

    def show_catalogue(self, count: int) -> None:
        """How many items can be found here."""
        if count != self._count:
            self._count = count
            self.retranslate()

    def show_offline(self, offline: bool) -> None:
        """Whether what the item allows without the office matters now."""
        if offline != self._offline:
            self._offline = offline
            self.retranslate()

    @property
    def search_text(self) -> str:
        return self._search.text()

    def focus_first(self) -> None:
        if self._item is None:
            self._search.setFocus()
            self._search.selectAll()
        else:
            super().focus_first()

    def clear_search(self) -> bool:
        """Empty the search line; whether there was anything in it."""
        had = bool(self._search.text()) and self._item is None
        if had:
            self._search.clear()
        return had

    def _typed(self, text: str) -> None:
        self._enter_waits = False
        self.searched.emit(text)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._search and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            return self._key(Qt.Key(event.key())) or super().eventFilter(watched, event)
        return super().eventFilter(watched, event)

    def _key(self, key: Qt.Key) -> bool:
        """Arrows and Enter work on the list while the focus stays in the line."""
        at_end = self._search.cursorPosition() == len(self._search.text())
        if key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self.hits.step(1 if key == Qt.Key.Key_Down else -1)
            return True
        if key in (Qt.Key.Key_PageDown, Qt.Key.Key_PageUp):
            self.hits.step(5 if key == Qt.Key.Key_PageDown else -5)
            return True
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            # Enter takes what was typed, never what an earlier text had found: it waits for its answer.
            if self._answered == self._search.text():
                self.hits.pick()
            else:
                self._enter_waits = True
            return True
        if key == Qt.Key.Key_Right and at_end:
            return self.hits.fold(True)
        if key == Qt.Key.Key_Left and at_end:
            return self.hits.fold(False)
        return False

    def retranslate(self) -> None:
        item = self._item
        self._searching.setVisible(item is None)
        self._told.setVisible(item is not None)
        clear(self._chosen_body)
        clear(self._warnings)
        if item is not None:
            self._tell_item(item)
        for case in self._same:
            self._warnings.addWidget(_same_open(case))
        self._glass.setIcon(icons.icon("search", "muted"))
        self._search.setPlaceholderText(tr("item.search", count=f"{self._count:,}"))
        self._search.setAccessibleName(tr("item.search_name"))
        self._search.setAccessibleDescription(tr("item.search_keys"))
        self._hint.setText(Key.SEARCH)
        self.hits.setAccessibleName(tr("item.results"))
        self.hits.rows.say_again()
        self._tell_count()
        super().retranslate()

    def _tell_count(self) -> None:
        found = bool(self.hits.rows.rows)
        self.hits.setVisible(found)
        self._nothing.setVisible(not found)
        self._nothing.setText(tr("item.nothing") if self._answered else tr("item.start"))

    def _tell_item(self, item: ItemView) -> None:
        top = row(gap=8)
        top.addWidget(label(either(item.name, item.name_en), "title", wrap=True), 1)
        change = KeyButton("link")
        change.tell(tr("item.change"), Key.SEARCH)
        on_click(change, self.cleared.emit)
        top.addWidget(change)
        self._chosen_body.addLayout(top)
        self._chosen_body.addWidget(
            label(_dotted(item.body_name, time_limit(item), item.fee or tr("item.free")), "muted", wrap=True)
        )
        chips = QWidget()
        flow = FlowLayout(chips)
        flow.addWidget(_authority(item))
        if self._offline:
            icon, tone = _OFFLINE[item.offline]
            flow.addWidget(Chip(icon, tr(f"item.offline_{item.offline}"), tone))
        self._chosen_body.addWidget(chips)

    def summary(self) -> str:
        if self._item is None:
            return tr("item.none")
        if self.is_open:
            return ""  # the item stands below in full
        name = either(self._item.name, self._item.name_en)
        return _dotted(name, self._item.body_name, time_limit(self._item))


def time_limit(item: ItemView) -> str:
    """When it is decided: on the spot, or within the days promised."""
    if item.immediate:
        return tr("item.immediate")
    return tr(f"item.days_{item.day_unit}", count=item.promised_days)


def _dotted(*parts: str) -> str:
    return "  ·  ".join(part for part in parts if part)


def _authority(item: ItemView) -> Chip:
    if not item.acceptable.open:
        return Chip("off", tr("item.cannot"), "bad")
    if item.window_decides:
        return Chip("ok", tr("item.decides"), "ok")
    return Chip("ok", tr("item.accepts"), "ok")


def _same_open(case: CaseRow) -> QWidget:
    """The same person already has an open case for this item: said beside it, not in the way."""
    frame = QFrame()
    frame.setProperty("piece", "banner")
    frame.setProperty("tone", "warn")
    line = row(frame)
    line.setContentsMargins(10, 6, 10, 6)
    line.addWidget(IconLabel("warn", "warn", 18))
    words = tr(
        "item.same_open",
        number=case.number,
        state=tr(f"legal.{case.legal_state.value}"),
        date=f"{case.received_at:%Y-%m-%d}",
    )
    line.addWidget(label(words, wrap=True), 1)
    return frame
