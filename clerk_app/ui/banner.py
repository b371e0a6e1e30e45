"""Messages where the hand is: a failure with its code, one sentence, one action; details fold out for IT."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from clerk_app import failures
from clerk_app.ui import icons
from clerk_app.ui.announce import announce
from clerk_app.ui.keys import Key
from clerk_app.ui.pieces import IconLabel, KeyButton, clear, column, label, on_click, row
from clerk_app.ui.words import language, sentences, tr

_ICONS = {"bad": "bad", "warn": "warn", "ok": "ok", "primary": "info"}


@dataclass(frozen=True, slots=True)
class Answer:
    """A button of a message: the translation key of its words, and what it does."""

    words: str
    act: Callable[[], object]
    primary: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """What a banner says, as keys, so that it can be said again in the other language.

    `failure` is a failure code, or `words` is a translation key with `values`. `detail` is for IT.
    `seconds` > 0 lets it go by itself. Tones: "bad", "warn", "ok", "primary".
    """

    tone: str
    words: str = ""
    values: dict[str, object] = field(default_factory=dict)
    failure: str = ""
    detail: str = ""
    answers: tuple[Answer, ...] = ()
    seconds: int = 0
    closable: bool = True

    def sentence(self) -> tuple[str, str]:
        """The sentence and the one thing to do now (may be empty)."""
        said = tr(self.words, **self.values) if self.words else ""
        if not self.failure:
            return said, ""
        try:
            text = failures.text(self.failure, language())
        except KeyError:
            return said or tr("failure.unknown"), tr("failure.unknown_action")
        return said or text.sentence, sentences(text.sentence, text.action) if said else text.action


def failure_message(failure: failures.Failure, *answers: Answer) -> Message:
    """The message of a failure; what it says in detail folds out."""
    return Message("bad", failure=failure.code, detail=failure.detail, answers=answers)


class BannerSlot(QWidget):
    """A place where one message can stand. Empty, it takes no room.

    Signals: taken (whether a message stands here now).
    """

    taken = Signal(bool)

    def __init__(self, *, narrow: bool = False) -> None:
        """In a `narrow` place the answers stand one below the other, under the sentence."""
        super().__init__()
        self._narrow = narrow
        self._body: QVBoxLayout = column(self)
        self._message: Message | None = None
        self._unfolded = False
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.dismiss)
        self._gone: Callable[[], object] | None = None
        self._of_an_act = False
        self.hide()

    @property
    def message(self) -> Message | None:
        return self._message

    def tell(self, message: Message, *, gone: Callable[[], object] | None = None) -> None:
        """Show `message` in place of what stood here. `gone` is called when it leaves."""
        self._leave()
        self._of_an_act = False
        self._message, self._gone, self._unfolded = message, gone, False
        self._timer.stop()
        if message.seconds:
            self._timer.start(message.seconds * 1000)
        self.retranslate()
        announce(self, " ".join(part for part in message.sentence() if part), urgent=message.tone == "bad")

    def tell_failure(self, failure: failures.Failure) -> None:
        self.tell(failure_message(failure))
        self._of_an_act = True

    def tell_bug(self, name: str) -> None:
        """We have a bug: what is stored is safe, IT gets the name of the error."""
        self.tell(Message("bad", "failure.bug", detail=name))
        self._of_an_act = True

    def tell_worked(self) -> None:
        """An act of this place went well: the failure of the one before is settled."""
        if self._of_an_act:
            self.withdraw()

    def answer(self, place: int) -> bool:
        """Give the answer at `place` (0 first); whether the message here has one."""
        if self._message is None or place >= len(self._message.answers):
            return False
        self._message.answers[place].act()
        return True

    def dismiss(self) -> None:
        """Take the message away; what hangs on its leaving happens."""
        self._timer.stop()
        self._leave()
        self.retranslate()

    def withdraw(self) -> None:
        """Take the message away because its answer was given: nothing further happens."""
        self._gone = None
        self.dismiss()

    def _leave(self) -> None:
        self._of_an_act = False
        gone, self._gone, self._message = self._gone, None, None
        if gone is not None:
            gone()

    def retranslate(self) -> None:
        clear(self._body)
        self.setVisible(self._message is not None)
        self.taken.emit(self._message is not None)
        if self._message is not None:
            self._body.addWidget(self._drawn(self._message))

    def _drawn(self, message: Message) -> QFrame:
        frame = QFrame()
        frame.setProperty("piece", "banner")
        frame.setProperty("tone", message.tone)
        sentence, action = message.sentence()
        frame.setAccessibleName(f"{sentence} {action}".strip())
        body = column(frame, gap=6)
        body.setContentsMargins(12, 6, 8, 6)
        top = row(gap=8)
        top.addWidget(IconLabel(_ICONS[message.tone], message.tone, 18), 0, Qt.AlignmentFlag.AlignTop)
        top.addWidget(label(sentence, "title" if action else "", wrap=True), 1)
        if not self._narrow and not message.failure and len(message.answers) == 1:
            _add_answers(top, message)
        if message.closable:
            top.addWidget(self._close_button(), 0, Qt.AlignmentFlag.AlignTop)
        body.addLayout(top)
        if self._narrow:  # before what is long: the answers stay in sight
            _add_answers(body, message, wide=True)
        if action:
            body.addWidget(label(action, wrap=True))
        if message.failure or message.detail or len(message.answers) > 1:
            body.addLayout(self._foot(message))
        if message.detail and self._unfolded:
            body.addWidget(label(message.detail, "faint", wrap=True, selectable=True))
        return frame

    def _close_button(self) -> QPushButton:
        close = QPushButton()
        close.setProperty("kind", "icon")
        close.setIcon(icons.icon("close"))
        close.setAccessibleName(tr("banner.close"))
        close.setToolTip(tr("banner.close"))
        on_click(close, self.dismiss)
        return close

    def _foot(self, message: Message) -> QHBoxLayout:
        """The code to read out on the telephone, the details for IT, the answers."""
        foot = row()
        if message.failure:
            foot.addWidget(label(tr("banner.code", code=message.failure), "faint"))
        if message.detail:
            fold = QPushButton(tr("banner.less" if self._unfolded else "banner.more"))
            fold.setProperty("kind", "link")
            on_click(fold, self._fold)
            foot.addWidget(fold)
        foot.addStretch()
        if not self._narrow and (message.failure or len(message.answers) > 1):
            _add_answers(foot, message)
        return foot

    def _fold(self) -> None:
        self._unfolded = not self._unfolded
        self.retranslate()


ANSWER_KEYS = (Key.YES, Key.NO)
"""The first and the second answer of the topmost message; see `Counter.answer`."""


def _add_answers(line: QBoxLayout, message: Message, *, wide: bool = False) -> None:
    for answer, key in zip(message.answers, ANSWER_KEYS, strict=False):
        button = KeyButton("primary" if answer.primary else "", wide=wide)
        button.tell(tr(answer.words), key)
        on_click(button, answer.act)
        line.addWidget(button)
