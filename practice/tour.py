"""The tour: the real window driven by keys through a morning of one clerk, off-screen.

Every step does something, waits until the window shows what it says, and takes a picture in each language.
A step that does not come true ends the tour with a failure: pictures of a window that lies are worth nothing.
"""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QWidget

from clerk_app.application import clerk_window, qt_loop
from clerk_app.desk import following
from clerk_app.desk.ports import LinkState, PrintState
from clerk_app.desk.views import CaseRow
from clerk_app.devices.printer.mechanism import NO_FAULTS, Faults
from clerk_app.domain.case import LegalState, SyncState
from clerk_app.domain.ticket import VisitState
from clerk_app.ui.application import ClerkWindow
from clerk_app.ui.counter import Counter
from clerk_app.ui.services import Look
from clerk_app.ui.steps.field_editor import FieldEditor
from practice.hall import CLERK, PracticeHall

log = logging.getLogger(__name__)

WAIT_SECONDS = 30.0
SETTLE_MILLISECONDS = 80  # layouts of wrapped text take a few turns of the event loop
LANGUAGES = ("zh", "en")
ACCEPTED, RECEIVED = LegalState.ACCEPTED, LegalState.RECEIVED
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


def take_tour(app: QApplication, hall: PracticeHall, folder: Path, say: Callable[[str], None]) -> int:
    """Run the whole tour; returns the exit code."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    with qt_loop(app) as loop:
        window = clerk_window(hall.workstation, loop)
        window.setFixedSize(*SIZE)
        tour = _Tour(window, hall, folder, say)
        window.show()
        hall.workstation.start()
        # A plain callback, not a task: it spins the event loop, and a task that does so blocks all others.
        QTimer.singleShot(0, partial(_take_and_stop, tour, loop))
        loop.run_forever()
        window.close()
    return 1 if tour.summary.failed else 0


def _take_and_stop(tour: _Tour, loop: asyncio.AbstractEventLoop) -> None:
    try:
        tour.take()
    finally:
        loop.stop()


class _Tour:
    def __init__(
        self, window: ClerkWindow, hall: PracticeHall, folder: Path, say: Callable[[str], None]
    ) -> None:
        self.summary = Summary()
        self._window = window
        self._hall = hall
        self._desk = hall.workstation.desk
        self._folder = folder
        self._say = say

    def take(self) -> None:
        """The whole morning, then the summary; whatever went wrong is in it."""
        try:
            self.morning()
        except StepFailed as failure:
            self.summary.failed = str(failure)
            self.picture("failed", Look())
            self._say(f"FAILED: {failure}")
        except Exception as broken:
            self.summary.failed = f"the tour itself broke: {type(broken).__name__}"
            log.exception("the tour itself broke")
        finally:
            self.write_summary()

    # --- the story ---------------------------------------------------------------------------------------

    def morning(self) -> None:
        """Sign in, one case online, two by paper without the network, then everything registered."""
        self.until(lambda: self._desk.catalogue.count > 0, "the catalogue has arrived")
        self.summary.items = self._desk.catalogue.count
        self.until(lambda: self._link() is LinkState.ONLINE, "the office answers")
        self.step("sign-in", self._nothing, lambda: self._window.counter is None)
        self.step("signed-in", self._sign_in, lambda: self._waiting() > 0, looks=True)
        self.step("called", lambda: self.key("F1"), lambda: self._visit() is VisitState.CALLED)
        self._case("resident", "sbk bl", "社会保障卡补领", ACCEPTED, first=True)
        self.step(
            "registered",
            self._nothing,
            lambda: (
                self._newest().sync_state is SyncState.REGISTERED
                and self._newest().official_number is not None
                and self._newest().print_state is PrintState.PRINTED
            ),
            looks=True,
        )
        self.step("finished", lambda: self.key("F7"), lambda: self._visit() is None)

        self.step("network-down", self._hall.cable.pull, lambda: self._counter().ticket.serves_by_paper)
        self._by_paper("A031", "resident-rare-yan", "失业登记", "失业登记", ACCEPTED)
        self._by_paper("A032", "resident-woman", "jzz", "居住证首次申请", RECEIVED)
        self.step("outbox", lambda: self.key("Ctrl+O"), lambda: self._unsent() > 0)
        self.key("Esc")
        self.step("network-up", self._plug, self._window_is_online)
        self.step(
            "drained",
            lambda: self.key("Alt+C"),
            lambda: (
                self._unsent() == 0 and all(case.sync_state is SyncState.REGISTERED for case in self._cases())
            ),
        )

        self._paper_out()
        self._check_the_morning()

    def _by_paper(self, ticket: str, card: str, words: str, item: str, files: LegalState) -> None:
        self.key("F1")
        self.step(
            f"paper-{ticket}",
            lambda: self.type(ticket, enter=True),
            lambda: self._visit() is VisitState.SERVING,
        )
        self._case(card, words, item, files)
        self.step(
            f"filed-offline-{ticket}",
            self._nothing,
            lambda: (
                self._newest().sync_state is SyncState.HERE
                and self._newest().print_state is PrintState.PRINTED
            ),
        )
        self.key("F7")
        self.until(lambda: self._visit() is None, "the visit has ended")

    def _case(self, card: str, words: str, item: str, files: LegalState, *, first: bool = False) -> None:
        """From the card to the filed case, by keys alone. The first one shows every step."""
        before = len(self._cases())
        self.act("card-read", first, lambda: self._lay(card), lambda: self._open_step() == 2)
        self.act(
            "item-found",
            first,
            lambda: self.type(words),
            lambda: self._first_hit() == item,
        )
        self.act(
            "item-chosen",
            first,
            lambda: QTest.keyClick(self._focus(), Qt.Key.Key_Return),
            lambda: self._draft().item is not None and self._draft().item.name == item,
        )
        self._fill_form(first)
        self._hand_materials(first)
        self.key("Alt+6")
        # Offline, an item that needs a check of the office is received only.
        accepting = files is ACCEPTED
        self.act("checked", first, self._nothing, lambda: self._draft().accept.open is accepting, looks=True)
        self.key("F9" if accepting else "F8")
        self.until(
            lambda: len(self._cases()) == before + 1 and self._newest().legal_state is files,
            f"the case is {files}",
        )
        self._hall.reader.remove()

    def _fill_form(self, first: bool) -> None:
        """Type into every field that the card did not fill and the form asks for."""
        self.key("Alt+4")
        self.until(lambda: self._open_step() == 4, "step 4 is open")
        for editor in self._counter().steps.form.findChildren(FieldEditor):
            field = editor.field
            if not field.problem:
                continue
            editor.focus()
            if isinstance(self._focus(), QComboBox):
                QTest.keyClick(self._focus(), Qt.Key.Key_Down)
            else:
                self.type(_sample_value(field.kind, field.label), enter=True)
            self.until(partial(self._field_stored, field.key), f"the field {field.key} is stored")
        self.act("form-filled", first, lambda: self.key("Alt+4"), lambda: self._open_step() == 4)

    def _hand_materials(self, first: bool) -> None:
        self.key("Alt+5")
        self.until(lambda: self._open_step() == 5, "step 5 is open")
        for place in range(len(self._draft().materials)):
            ticks = [t for t in self._counter().steps.material.findChildren(QCheckBox) if t.isVisible()]
            if not ticks[place].isChecked():
                ticks[place].setFocus()
                QTest.keyClick(ticks[place], Qt.Key.Key_Space)
                self.until(partial(self._handed, place), "a material is handed")
        self.act("materials", first, self._nothing, lambda: self._open_step() in (5, 6))

    def _paper_out(self) -> None:
        """The printer runs out of paper at the moment of printing: the case stands, the slip waits."""
        self.key("F1")
        self.until(lambda: self._visit() is VisitState.CALLED, "the next ticket is called")
        self._hall.printer.set_faults(Faults(paper_out=True))
        self._case("resident-qiang", "老年人优待证", "老年人优待证办理", ACCEPTED)
        self.step("paper-out", self._nothing, lambda: self._newest().print_state is PrintState.FAILED)
        self._hall.printer.set_faults(NO_FAULTS)
        self.step("paper-back", self._nothing, lambda: self._newest().print_state is PrintState.PRINTED)
        self.key("F7")
        self.until(lambda: self._visit() is None, "the visit has ended")

    def _check_the_morning(self) -> None:
        """Four cases, each registered and printed once, no number twice."""
        self.until(
            lambda: all(case.sync_state is SyncState.REGISTERED for case in self._cases()), "all registered"
        )
        cases = self._cases()
        if [case.legal_state for case in cases] != [ACCEPTED, RECEIVED, ACCEPTED, ACCEPTED]:
            raise StepFailed(f"legal states: {[str(case.legal_state) for case in cases]}")
        for numbers in ({case.number for case in cases}, {case.official_number for case in cases} - {None}):
            if len(numbers) != len(cases):
                raise StepFailed(f"numbers are not unique: {sorted(map(str, numbers))}")
        if len(self._hall.printer.papers) != len(cases):
            raise StepFailed(f"{len(self._hall.printer.papers)} slips for {len(cases)} cases")

    # --- acting ------------------------------------------------------------------------------------------

    def step(
        self, name: str, act: Callable[[], object], shows: Callable[[], bool], *, looks: bool = False
    ) -> None:
        """Act, wait until the window shows it, and take its picture in both languages."""
        begun = time.perf_counter()
        act()
        self.until(shows, name)
        self.until(lambda: self._window.idle, f"{name}: the window is calm")
        seconds = round(time.perf_counter() - begun, 3)
        done = Step(len(self.summary.steps) + 1, name, seconds)
        title = f"{done.number:02d}-{name}"
        done.pictures = [self.picture(f"{title}.{lang}", Look(language=lang)) for lang in LANGUAGES]
        if looks:
            done.pictures.append(self.picture(f"{title}.dark", Look("en", "dark")))
            done.pictures.append(self.picture(f"{title}.contrast", Look("zh", "contrast")))
        self._window.set_look(Look())
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

    def until(self, true: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + WAIT_SECONDS
        while not true():
            if time.monotonic() > end:
                raise StepFailed(what)
            QTest.qWait(5)

    def picture(self, name: str, look: Look) -> str:
        self._window.set_look(look)
        QTest.qWait(SETTLE_MILLISECONDS)
        file = f"{name}.png"
        self._window.grab().save(str(self._folder / file))
        return file

    def key(self, keys: str) -> None:
        """Press a chord on whatever has the focus."""
        from PySide6.QtGui import QKeySequence

        QTest.keySequence(self._focus(), QKeySequence(keys))

    def type(self, text: str, *, enter: bool = False) -> None:
        """Type into whatever has the focus. Chinese comes as an input method delivers it: in one piece."""
        target = self._focus()
        if text.isascii():
            QTest.keyClicks(target, text)
        else:
            from PySide6.QtGui import QInputMethodEvent

            event = QInputMethodEvent()
            event.setCommitString(text)
            QApplication.sendEvent(target, event)
        if enter:
            QTest.keyClick(target, Qt.Key.Key_Return)

    def _focus(self) -> QWidget:
        return QApplication.focusWidget() or self._window

    def _nothing(self) -> None:
        """The step is what the window comes to show by itself."""

    def _sign_in(self) -> None:
        self.type(CLERK.staff_no)
        QTest.keyClick(self._focus(), Qt.Key.Key_Tab)
        self.type(CLERK.password, enter=True)

    def _lay(self, card: str) -> None:
        self._hall.reader.remove()
        self._hall.reader.lay(card)

    def _plug(self) -> None:
        """The cable is in again, and the operating system tells the program so."""
        self._hall.cable.plug()
        self._hall.workstation.scheduler.network_up()

    # --- looking -----------------------------------------------------------------------------------------

    def _counter(self) -> Counter:
        if self._window.counter is None:
            raise StepFailed("nobody is signed in")
        return self._window.counter

    def _draft(self) -> Any:
        return self._counter().shown.draft

    def _field_stored(self, key: str) -> bool:
        return not next(field.problem for field in self._draft().fields if field.key == key)

    def _handed(self, place: int) -> bool:
        return self._draft().materials[place].mode is not None

    def _first_hit(self) -> str:
        hits = self._counter().steps.item.hits.model()
        return str(hits.index(0, 0).data(Qt.ItemDataRole.UserRole).hit.name) if hits.rowCount() else ""

    def _open_step(self) -> int:
        return self._counter().steps.open_number

    def _visit(self) -> VisitState | None:
        counter = self._window.counter
        return counter.shown.visit.state if counter and counter.shown.visit else None

    def _waiting(self) -> int:
        counter = self._window.counter
        return len(counter.shown.queue.waiting) if counter and counter.shown.queue else 0

    def _link(self) -> LinkState:
        return self._hall.workstation.link.state

    def _window_is_online(self) -> bool:
        """What the clerk sees, not what the sync knows: calling is offered, the queue is no longer stale."""
        queue = self._counter().shown.queue
        return not self._counter().ticket.serves_by_paper and queue is not None and not queue.stale

    def _unsent(self) -> int:
        return len(following.outbox(self._desk))

    def _cases(self) -> tuple[CaseRow, ...]:
        return following.cases(self._desk)

    def _newest(self) -> CaseRow:
        return self._cases()[0]

    def write_summary(self) -> None:
        for number, paper in enumerate(self._hall.printer.papers, start=1):
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
            for case in reversed(self._cases())
        ]
        text = json.dumps(asdict(self.summary), ensure_ascii=False, indent=2)
        (self._folder / "summary.json").write_text(text + "\n", encoding="utf-8")


def _sample_value(kind: str, label: str) -> str:
    return {"phone": "13800001234", "date": "2026-11-20", "number": "1"}.get(kind, f"{label}（练习）")
