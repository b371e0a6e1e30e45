"""What drives the tour: acts by keys, waits until the window shows what a step says, takes its pictures.

A step that does not come true ends the tour with a failure: pictures of a window that lies are worth nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QInputMethodEvent, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from clerk_app.desk import following
from clerk_app.desk.ports import LinkState
from clerk_app.desk.views import CaseRow
from clerk_app.domain.ticket import VisitState
from clerk_app.ui.application import ClerkWindow
from clerk_app.ui.counter import Counter
from clerk_app.ui.lock_page import LockPage
from clerk_app.ui.services import Look
from clerk_app.ui.words import tr
from practice.hall import PracticeHall
from practice.hand_scanner import HandScanner

WAIT_SECONDS = 30.0
SETTLE_MILLISECONDS = 80  # layouts of wrapped text take a few turns of the event loop
MOST_LOOKS = 20
LANGUAGES = ("zh", "en")
SIZE = (1366, 768)


class StepFailed(Exception):
    """The window did not come to show what the step says."""


@dataclass(slots=True)
class Step:
    """One step as it went; `seconds` from the key to the window showing it."""

    number: int
    name: str
    seconds: float
    pictures: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Summary:
    """What the tour did, for people and for tests."""

    steps: list[Step] = field(default_factory=list)
    cases: list[dict[str, Any]] = field(default_factory=list)
    slips: list[str] = field(default_factory=list)
    items: int = 0
    failed: str = ""


class Driver:
    """The window under the keys of the tour, and the hall behind it. Everything waited for has a limit."""

    def __init__(
        self, window: ClerkWindow, hall: PracticeHall, folder: Path, say: Callable[[str], None]
    ) -> None:
        self.summary = Summary()
        self.window = window
        self.hall = hall
        self.desk = hall.workstation.desk
        self._folder = folder
        self._say = say
        self._scanner = HandScanner(window)

    # --- acting ------------------------------------------------------------------------------------------

    def step(
        self, name: str, act: Callable[[], object], shows: Callable[[], bool], *, looks: bool = False
    ) -> None:
        """Act, wait until the window shows it, and take its picture in both languages."""
        begun = time.perf_counter()
        act()
        self.until(shows, name)
        self.until(lambda: self.window.idle, f"{name}: the window is calm")
        seconds = round(time.perf_counter() - begun, 3)
        done = Step(len(self.summary.steps) + 1, name, seconds)
        title = f"{done.number:02d}-{name}"
        done.pictures = [self.picture(f"{title}.{lang}", Look(language=lang)) for lang in LANGUAGES]
        if looks:
            done.pictures.append(self.picture(f"{title}.dark", Look("en", "dark")))
            done.pictures.append(self.picture(f"{title}.contrast", Look("zh", "contrast")))
        self.window.set_look(Look())
        self.summary.steps.append(done)
        self._say(f"{title}  {seconds:.2f} s")

    def act(
        self,
        name: str,
        shown: bool,
        act: Callable[[], object],
        shows: Callable[[], bool],
        *,
        looks: bool = False,
    ) -> None:
        """A step that is pictured only when `shown`."""
        if shown:
            self.step(name, act, shows, looks=looks)
        else:
            act()
            self.until(shows, name)

    def until(self, true: Callable[[], bool], what: str, seconds: float = WAIT_SECONDS) -> None:
        end = time.monotonic() + seconds
        while not true():
            if time.monotonic() > end:
                raise StepFailed(what)
            QTest.qWait(5)

    def fail(self, why: str) -> None:
        """The tour ends here."""
        self.summary.failed = why
        self._say(f"FAILED: {why}")

    def picture(self, name: str, look: Look) -> str:
        self.window.set_look(look)
        QTest.qWait(SETTLE_MILLISECONDS)
        seen = self.window.grab().toImage()
        for _ in range(MOST_LOOKS):  # on a busy machine the layouts are still at it
            QTest.qWait(SETTLE_MILLISECONDS // 4)
            before, seen = seen, self.window.grab().toImage()
            if seen == before:
                break
        file = f"{name}.png"
        seen.save(str(self._folder / file))
        return file

    def key(self, keys: str) -> None:
        """Press a chord on whatever has the focus."""
        QTest.keySequence(self.focus(), QKeySequence(keys))

    def type(self, text: str, *, enter: bool = False) -> None:
        """Type into whatever has the focus. Chinese comes as an input method delivers it: in one piece."""
        target = self.focus()
        if text.isascii():
            QTest.keyClicks(target, text)
        else:
            event = QInputMethodEvent()
            event.setCommitString(text)
            QApplication.sendEvent(target, event)
        if enter:
            QTest.keyClick(target, Qt.Key.Key_Return)

    def focus(self) -> QWidget:
        return QApplication.focusWidget() or self.window

    def hit(self, key: Qt.Key) -> None:
        """One key on whatever has the focus."""
        QTest.keyClick(self.focus(), key)

    def click(self, key: str) -> None:
        """Lead the focus to the button that says the words `key`, then press it."""
        for _ in range(MOST_LOOKS):
            found = self.focus()
            if isinstance(found, QAbstractButton) and tr(key) in (found.accessibleName(), found.text()):
                QTest.keyClick(found, Qt.Key.Key_Space)
                return
            self.hit(Qt.Key.Key_Tab)
        raise StepFailed(f"no button says {key}")

    def nothing(self) -> None:
        """The step is what the window comes to show by itself."""

    def scan(self, text: str) -> None:
        """What a bar code scanner writes, whatever has the focus."""
        self._scanner.scan(text)

    def lay(self, card: str) -> None:
        self.hall.reader.remove()
        self.hall.reader.lay(card)

    # --- looking -----------------------------------------------------------------------------------------

    def counter(self) -> Counter:
        if self.window.counter is None:
            raise StepFailed("nobody is signed in")
        return self.window.counter

    def draft(self) -> Any:
        return self.counter().shown.draft

    def open_step(self) -> int:
        return self.counter().steps.open_number

    def visit(self) -> VisitState | None:
        counter = self.window.counter
        return counter.shown.visit.state if counter and counter.shown.visit else None

    def waiting(self) -> int:
        counter = self.window.counter
        return len(counter.shown.queue.waiting) if counter and counter.shown.queue else 0

    def link(self) -> LinkState:
        return self.hall.workstation.link.state

    def window_is_online(self) -> bool:
        """What the clerk sees, not what the sync knows: calling is offered, the queue is no longer stale."""
        queue = self.counter().shown.queue
        return not self.counter().ticket.serves_by_paper and queue is not None and not queue.stale

    def locked(self) -> bool:
        page = self.window.findChild(LockPage)
        return page is not None and page.isVisible()

    def told_offline(self) -> bool:
        """The clerk is told since when, and serves by paper."""
        return self.counter().ticket.serves_by_paper and self.counter().band.message is not None

    def unsent(self) -> int:
        return len(following.outbox(self.desk))

    def cases(self) -> tuple[CaseRow, ...]:
        return following.cases(self.desk)

    def newest(self) -> CaseRow:
        return self.cases()[0]

    def write_summary(self) -> None:
        for number, paper in enumerate(self.hall.printer.papers, start=1):
            name = f"slip-{number:02d}"
            (self._folder / f"{name}.png").write_bytes(paper.png)
            (self._folder / f"{name}.txt").write_text(paper.text, encoding="utf-8")
            self.summary.slips.append(f"{name}.png")
        self.summary.cases = [
            {
                "number": case.number,
                "official_number": case.official_number,
                "legal_state": case.legal_state,
                "sync_state": case.sync_state,
                "print_state": case.print_state,
                "received_at": case.received_at.isoformat(),
            }
            for case in reversed(self.cases())
        ]
        text = json.dumps(asdict(self.summary), ensure_ascii=False, indent=2)
        (self._folder / "summary.json").write_text(text + "\n", encoding="utf-8")
