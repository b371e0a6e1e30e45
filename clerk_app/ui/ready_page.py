"""Between two visits: a calm page that says what comes next."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QWidget

from clerk_app.desk.views import DraftRow, QueueView
from clerk_app.ui.keys import Key
from clerk_app.ui.pieces import IconLabel, KeyButton, clear, column, label, on_click, row
from clerk_app.ui.words import tr


class ReadyPage(QFrame):
    """Signals: dropped(draft id): discard a draft that was left."""

    dropped = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("ready")
        self._queue: QueueView | None = None
        self._left: tuple[DraftRow, ...] = ()
        self._icon = IconLabel("ticket", "primary", 56)
        self._title = label(role="heading", wrap=True)
        self._text = label(role="muted", wrap=True)
        self._drafts = column(gap=6)
        body = column(self, margin=24, gap=10)
        body.addStretch(2)
        for part in (self._icon, self._title, self._text):
            part.setAlignment(Qt.AlignmentFlag.AlignCenter)
            body.addWidget(part)
        body.addSpacing(8)
        body.addLayout(self._drafts)
        body.addStretch(3)

    def show_queue(self, queue: QueueView | None, left: tuple[DraftRow, ...]) -> None:
        self._queue, self._left = queue, left
        self.retranslate()

    def retranslate(self) -> None:
        self._icon.redraw()
        queue = self._queue
        offline = queue is not None and queue.stale
        waiting = queue.people if queue else 0
        if offline:
            self._title.setText(tr("ready.offline"))
            self._text.setText(tr("ready.offline_hint", key=Key.CALL))
        elif waiting:
            self._title.setText(tr("ready.waiting", count=waiting))
            self._text.setText(tr("ready.waiting_hint", key=Key.CALL))
        else:
            self._title.setText(tr("ready.nobody"))
            self._text.setText(tr("ready.nobody_hint"))
        clear(self._drafts)
        for draft in self._left[:3]:
            self._drafts.addWidget(self._line(draft))

    def _line(self, draft: DraftRow) -> QWidget:
        frame = QFrame()
        frame.setProperty("piece", "banner")
        frame.setProperty("tone", "primary")
        line = row(frame)
        line.setContentsMargins(12, 6, 8, 6)
        line.addWidget(IconLabel("case", "primary", 18))
        line.addWidget(
            label(tr("ready.draft", what=told(draft), time=f"{draft.updated_at:%m-%d %H:%M}"), wrap=True), 1
        )
        drop = KeyButton("link")
        drop.tell(tr("draft.discard"))
        on_click(drop, lambda: self.dropped.emit(draft.id))
        line.addWidget(drop)
        return frame


def told(draft: DraftRow) -> str:
    """A left draft in words: person (masked) and item, as far as they are known."""
    return " · ".join(part for part in (draft.applicant, draft.item) if part) or tr("draft.empty")
