"""One step of the page: a head line that says how it stands, and a body that opens below it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from clerk_app.ui import icons, theme
from clerk_app.ui.banner import BannerSlot
from clerk_app.ui.keys import STEPS as STEP_KEYS
from clerk_app.ui.pieces import Card, ElidedLabel, FittingScroll, IconLabel, column, label, mark, row
from clerk_app.ui.steps.progress import Progress, StepState
from clerk_app.ui.words import tr

_NARROW = 560
"""Below this width (at 100 %) the head of a step that names itself drops its title."""


class _Head(QPushButton):
    """The line that opens a step; as high as what stands in it."""

    def sizeHint(self) -> QSize:
        inside = self.layout()
        return inside.sizeHint() if inside else super().sizeHint()

    def minimumSizeHint(self) -> QSize:
        return QSize(60, self.sizeHint().height())


class StepCard(Card):
    """A step. Subclasses fill `body` and `head_line`, and call `tell_head()` from `retranslate()`.

    Signals: asked (the clerk wants it open).
    """

    asked = Signal()

    def __init__(self, number: int, title: str, *, scrolls: bool = True) -> None:
        super().__init__()
        self.number = number
        self._title_key = title
        self._open = False
        self._left_behind = False
        self._progress = Progress(StepState.TODO)
        self._head = _Head()
        self._head.setProperty("kind", "step")
        self._head.clicked.connect(lambda _checked=False: self.asked.emit())
        self._badge = label(role="badge")
        self._badge.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._title = label(role="title")
        self._summary = ElidedLabel(role="muted")
        self._warning = IconLabel(size=16)
        self.banner = BannerSlot()
        inside = QWidget()
        self.body: QVBoxLayout = column(inside)
        self._room: QWidget = FittingScroll(inside) if scrolls else inside
        self.head_line: QHBoxLayout = row()
        self._lay_out()
        self._fold(False)

    def _lay_out(self) -> None:
        line = row(self._head, gap=8)
        self._head_line = line
        for part in (self._badge, self._title, self._warning, self._summary):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        line.addWidget(self._badge)
        line.addWidget(self._title)
        line.addLayout(self.head_line)
        line.addWidget(self._warning)
        line.addWidget(self._summary, 1)
        self._head.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        card = column(self, gap=0)
        self._card = card
        self.set_thin(False)
        card.addWidget(self._head)
        below = column(gap=8)
        below.setContentsMargins(8, 0, 8, 0)
        below.addWidget(self.banner)
        below.addWidget(self._room)
        self._below = below
        card.addLayout(below)

    def set_thin(self, thin: bool) -> None:
        """Thin lines leave the room to the open step where the screen is low."""
        air = 1 if thin else 5
        self._head_line.setContentsMargins(6, air, 6, air)
        self._card.setContentsMargins(6, air - 1, 6, air - 1)

    @property
    def is_open(self) -> bool:
        return self._open

    def set_open(self, opened: bool) -> None:
        self._fold(opened)
        self.tell_head()

    def _fold(self, opened: bool) -> None:
        self._open = opened
        self._room.setVisible(opened)
        self._below.setContentsMargins(8, 4 if opened else 0, 8, 8 if opened else 0)
        self.setSizePolicy(
            QSizePolicy.Policy.Preferred,
            QSizePolicy.Policy.Maximum if opened else QSizePolicy.Policy.Fixed,
        )
        mark(self, open="true" if opened else "false")

    def set_left_behind(self, left: bool) -> None:
        """Whether the work is further on: only then does what stops this step look like a warning."""
        if left != self._left_behind:
            self._left_behind = left
            self.tell_head()

    def set_progress(self, progress: Progress) -> None:
        self._progress = progress
        self.tell_head()

    @property
    def progress(self) -> Progress:
        return self._progress

    @property
    def titles_itself(self) -> bool:
        """Whether the head line says enough without the step's title, when there is little room."""
        return False

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_title()

    def _fit_title(self) -> None:
        narrow = self.width() < theme.current().px(_NARROW)
        self._title.setVisible(not (narrow and self.titles_itself))

    def focus_first(self) -> None:
        """Put the focus where the work of this step begins."""
        self._head.setFocus()

    def focus_problem(self) -> None:
        """Put the focus on what stops the case here."""
        self.focus_first()

    def summary(self) -> str:
        """What the folded line says when nothing is wrong."""
        return ""

    def retranslate(self) -> None:
        self.banner.retranslate()
        self.tell_head()

    def tell_head(self) -> None:
        state = self._progress.state
        look = theme.current()
        self._badge.setFixedSize(look.px(24), look.px(24))
        if state is StepState.DONE and not self._open:
            self._badge.setPixmap(icons.pixmap("done", "ok", 14))
        else:
            self._badge.setText(str(self.number))
        blocked_ahead = state is StepState.BLOCKED and not self._left_behind
        shown = "open" if self._open else "todo" if blocked_ahead else state.value
        mark(self._badge, state=shown)
        title = tr(self._title_key)
        self._title.setText(title)
        self._fit_title()
        reason = tr(self._progress.reason) if self._progress.reason else ""
        words = reason or self.summary()
        self._summary.set_whole(words)
        warns = bool(reason) and self._left_behind
        mark(self._summary, tone="warn" if warns else "")
        self._warning.setVisible(warns)
        self._warning.show_icon("warn", "warn")
        self._head.setAccessibleName(
            tr("step.spoken", number=self.number, title=title, state=tr(f"step.{state.value}"), words=words)
        )
        self._head.setToolTip(f"{title}  {STEP_KEYS[self.number - 1]}" + (f"\n{words}" if words else ""))
