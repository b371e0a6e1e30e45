"""Between two visits: a calm page that says what comes next."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QWidget

from clerk_app import failures
from clerk_app.desk.views import DraftRow, QueueView, StatusView
from clerk_app.ui.keys import Key
from clerk_app.ui.moments import day
from clerk_app.ui.pieces import IconLabel, KeyButton, clear, column, label, on_click, row
from clerk_app.ui.words import language, sentences, tr

SHUT_OUT = frozenset({"SYNC-REVOKED", "SYNC-FENCED"})
"""Why the office takes nothing from this workstation: what is filed now may never reach it."""

_NAMED = 3
"""How many numbers are named of those whose limit moved; the timeline of each has the days."""


class ReadyPage(QFrame):
    """Signals: dropped(draft id): discard a draft that was left; cases_asked (those that wait to be
    accepted), outbox_asked (the tasks), due_seen (limits that moved)."""

    dropped = Signal(str)
    cases_asked = Signal()
    outbox_asked = Signal()
    due_seen = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("ready")
        self._queue: QueueView | None = None
        self._left: tuple[DraftRow, ...] = ()
        self._status: StatusView | None = None
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

    def show_status(self, status: StatusView) -> None:
        """What waits for a person here: tasks, cases to be accepted, limits that moved."""
        if status != self._status:
            self._status = status
            self.retranslate()

    def retranslate(self) -> None:
        self._icon.redraw()
        queue = self._queue
        offline = queue is not None and queue.stale
        waiting = queue.people if queue else 0
        code = self._status.link.code if self._status else ""
        if code in SHUT_OUT:
            self._title.setText(tr("signin.barred"))
            self._text.setText(failures.text(code, language()).action)
        elif offline:
            self._title.setText(tr("ready.offline"))
            self._text.setText(tr("ready.offline_hint", key=Key.CALL))
        elif waiting:
            self._title.setText(tr("ready.waiting", count=waiting))
            self._text.setText(tr("ready.waiting_hint", key=Key.CALL))
        else:
            self._title.setText(tr("ready.nobody"))
            self._text.setText(tr("ready.nobody_hint"))
        clear(self._drafts)
        for line in self._waiting():
            self._drafts.addWidget(line)
        for draft in self._left[:3]:
            self._drafts.addWidget(self._line(draft))

    def _waiting(self) -> list[QWidget]:
        status, lines = self._status, []
        if status is None:
            return []
        if status.tasks:
            words = tr("ready.tasks", count=status.tasks)
            lines.append(_line("bad", "bad", words, "ready.look", Key.OUTBOX, self.outbox_asked.emit))
        if status.awaiting and status.accept_by:
            tone = "warn" if status.urgent else "primary"
            date = day(status.accept_by, status.today)
            words = tr("ready.awaiting", count=status.awaiting, date=date)
            if status.urgent:
                words = sentences(words, tr("ready.urgent", count=status.urgent))
            lines.append(_line(tone, "clock", words, "ready.look", Key.CASES, self.cases_asked.emit))
        if status.due_moved:
            numbers = ", ".join(status.due_moved[:_NAMED])
            words = tr("ready.due_moved", count=len(status.due_moved), numbers=numbers)
            lines.append(_line("warn", "clock", words, "ready.seen", "", self.due_seen.emit))
        return lines

    def _line(self, draft: DraftRow) -> QWidget:
        words = tr("ready.draft", what=told(draft), time=f"{draft.updated_at:%m-%d %H:%M}")
        return _line("primary", "case", words, "draft.discard", "", lambda: self.dropped.emit(draft.id))


def _line(tone: str, icon: str, words: str, act_words: str, key: str, act: Callable[[], object]) -> QWidget:
    frame = QFrame()
    frame.setProperty("piece", "banner")
    frame.setProperty("tone", tone)
    line = row(frame)
    line.setContentsMargins(12, 6, 8, 6)
    line.addWidget(IconLabel(icon, tone, 18))
    line.addWidget(label(words, wrap=True), 1)
    button = KeyButton("link")
    button.tell(tr(act_words), key)
    on_click(button, act)
    line.addWidget(button)
    return frame


def told(draft: DraftRow) -> str:
    """A left draft in words: person (masked) and item, as far as they are known."""
    return " · ".join(part for part in (draft.applicant, draft.item) if part) or tr("draft.empty")
