"""A window with the real use cases on the real store in memory, and the hands that work with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import qasync
import sample_items
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot
from window_fakes import (
    CLERK,
    DEVICE,
    LI,
    MORNING,
    PASSWORD,
    FakeCamera,
    FakeCatalogue,
    FakeDoctor,
    FakeOffice,
    FakePrinter,
    FakeReader,
    KeptLook,
    StandingClock,
    WindowLanes,
)

from clerk_app.desk.context import Desk
from clerk_app.desk.ports import (
    CardRead,
    Changed,
    CommandState,
    LinkState,
    LinkStatus,
    LostCard,
    PhotoDecoder,
)
from clerk_app.devices.scanner.page import pages
from clerk_app.devices.voice.voice import NoVoice
from clerk_app.domain.applicant import CardRecord
from clerk_app.domain.case import SyncState
from clerk_app.domain.catalogue import OfflineRule
from clerk_app.domain.ids import uuid7
from clerk_app.domain.lost_cards import SALT_KEY, digest
from clerk_app.domain.numbering import NumberBlock
from clerk_app.domain.ticket import Ticket, TicketState
from clerk_app.lanes import Lane
from clerk_app.store.cache import SqlStore
from clerk_app.ui.application import ClerkWindow
from clerk_app.ui.counter import Counter
from clerk_app.ui.services import Look, Services

_NO_MODIFIER = Qt.KeyboardModifier.NoModifier


@dataclass
class Hall:
    """The window, and everything a story wants to move."""

    bot: QtBot
    window: ClerkWindow
    desk: Desk
    store: SqlStore
    office: FakeOffice
    catalogue: FakeCatalogue
    printer: FakePrinter
    reader: FakeReader
    clock: StandingClock
    link: list[LinkStatus]
    preferences: KeptLook
    lanes: WindowLanes
    doctor: FakeDoctor
    camera: FakeCamera

    @property
    def counter(self) -> Counter:
        assert self.window.counter is not None
        return self.window.counter

    def settle(self) -> None:
        """Wait until no act is under way and what it changed is on the screen."""
        self.bot.waitUntil(lambda: self.window.idle, timeout=10_000)
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        for _ in range(5):  # a changed text moves its neighbours one pass later
            QApplication.processEvents()
        if not self.window.idle:
            self.settle()

    def sign_in(self, staff_no: str = CLERK) -> Counter:
        self.type(staff_no)
        self.press(Qt.Key.Key_Return)
        self.type(PASSWORD)
        self.press(Qt.Key.Key_Return)
        self.settle()
        return self.counter

    def focus(self) -> QWidget:
        widget = QApplication.focusWidget()
        assert widget is not None, "nothing has the focus"
        return widget

    def press(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """Press a key where the focus is, then wait until what it began is done."""
        self.bot.keyClick(QApplication.focusWidget() or self.window, key, modifier)
        self.settle()

    def type(self, text: str) -> None:
        """Type where the focus is; what is not ASCII arrives as from an input method."""
        if text.isascii():
            self.bot.keyClicks(self.focus(), text)
        else:
            event = QInputMethodEvent()
            event.setCommitString(text)
            QApplication.sendEvent(self.focus(), event)
        self.settle()

    def scan(self, text: str, end: Qt.Key | None = Qt.Key.Key_Return) -> None:
        """Scan `text` as a scanner does: key after key where the keyboard is, too fast for anybody."""
        window = QApplication.focusWindow()
        assert window is not None, "no window has the keyboard"
        scanner = self.window._shift._scanner
        scanner._at = lambda _event: 1_000  # however busy the machine that runs the test is
        scanner._patience.blockSignals(True)
        for line in text.splitlines():
            for char in line:
                shift = Qt.KeyboardModifier.ShiftModifier if char.isupper() or char == "<" else _NO_MODIFIER
                QTest.keyPress(window, char, shift)
                QTest.keyRelease(window, char, shift)
            if end is not None:
                QTest.keyClick(window, end)
        scanner._patience.blockSignals(False)
        if scanner._held:
            scanner._wait(1)
        self.bot.waitUntil(lambda: not scanner._held, timeout=5_000)
        self.settle()

    def click(self, words: str) -> None:
        """Click the visible button that says `words`."""
        buttons = self.window.findChildren(QPushButton)
        said = (b for b in buttons if words in (b.accessibleName(), b.text(), getattr(b, "words", None)))
        next(b for b in said if b.isVisible()).click()
        self.settle()

    def lay_card(self, record: CardRecord) -> None:
        self.reader.lay(CardRead(record, "Sample Reader"))
        self.settle()

    def report_lost(self, record: CardRecord) -> None:
        """The office's list says that the card of this number is lost."""

        def write(tx: object) -> None:
            tx.meta.set(SALT_KEY, "salt")
            tx.lost_cards.put([LostCard("report", digest(record.number, None, "salt"), 1)])

        self.store.write(write)

    def changed(self, *topics: str) -> None:
        """Something happened in the background."""
        self.window._bridge.on_changed(Changed(frozenset(topics)))
        self.bot.wait(60)
        self.settle()

    def offline(self) -> None:
        self.office.failure = "SYNC-OFFLINE"
        self.link[:] = [LinkStatus(LinkState.OFFLINE, since=MORNING)]
        self.changed("link")

    def broken(self, code: str) -> None:
        """Nothing is sent, for a reason that the network does not mend."""
        self.office.failure = code
        state = LinkState.OFFLINE
        self.link[:] = [LinkStatus(state, since=MORNING, code=code, tried_at=MORNING, next_at=None)]
        self.changed("link")

    def receive(self) -> str:
        """A case received offline by paper ticket, because the office has to check its item first: its id."""
        for code, item in self.catalogue.items.items():
            kind = replace(item.kind, offline=OfflineRule.RECEIVE)
            self.catalogue.items[code] = replace(item, kind=kind)
        if self.window.counter is None:
            self.sign_in()
        self.offline()
        self.press(Qt.Key.Key_F1)
        self.type("B052")
        self.press(Qt.Key.Key_Return)
        self.lay_card(LI)
        self.type("sbk bl")
        self.press(Qt.Key.Key_Return)
        self.type("13812345678")
        self.press(Qt.Key.Key_Return)
        self.press(Qt.Key.Key_Down)
        for row in self.counter.steps.material._rows.values():
            if not row._tick.isChecked():
                row._tick.click()
                self.settle()
        self.press(Qt.Key.Key_F8)
        visit = self.counter.shown.visit
        assert visit is not None and visit.cases, "nothing was received"
        return visit.cases[-1].id

    def register(self, case_id: str) -> None:
        """The office has everything, and told its number of this case."""

        def write(tx: object) -> None:
            tx.outbox.mark([one.id for one in tx.outbox.pending()], CommandState.APPLIED)
            known = tx.cases.get(case_id)
            official = "11510700MB0000001X51160000100020261120001"
            registered = SyncState.REGISTERED
            tx.cases.save(replace(known, sync_state=registered, official_number=official, refusal=None))

        self.store.write(write)
        self.online()
        self.changed("cases", "outbox")

    def refuse(self, type_: str, code: str, state: CommandState = CommandState.REFUSED) -> None:
        """The office refuses the oldest command of a type, or keeps it."""

        def write(tx: object) -> None:
            waits = (CommandState.WAITING, CommandState.SENT)
            command = next(c for c in tx.outbox.pending() if c.type == type_ and c.state in waits)
            tx.outbox.mark([command.id], state, code)
            if (case := tx.cases.get(command.aggregate)) is not None:
                held = state is CommandState.HELD
                sync = SyncState.HELD if held else SyncState.REFUSED
                tx.cases.save(replace(case, sync_state=sync, refusal=code))

        self.store.write(write)
        self.changed("cases", "outbox")

    def online(self) -> None:
        self.office.failure = ""
        self.link[:] = [LinkStatus(LinkState.ONLINE, synced_at=MORNING)]
        self.changed("link")


def tickets() -> list[Ticket]:
    """Six people: general, one appointment, one with priority."""
    rows = (
        ("A037", "order", 12),
        ("A038", "order", 9),
        ("Y012", "appointment", 6),
        ("A039", "order", 5),
        ("P003", "priority", 3),
        ("A040", "order", 1),
    )
    return [
        Ticket(
            uuid7(),
            number,
            number[0],
            TicketState.WAITING,
            MORNING - timedelta(minutes=ago),
            1,
            reason=reason,
        )
        for number, reason, ago in rows
    ]


@contextmanager
def hall(
    bot: QtBot,
    app: QApplication,
    *,
    practice: bool = False,
    look: Look | None = None,
    decode_photo: PhotoDecoder | None = None,
    lock_minutes: int = 0,
) -> Iterator[Hall]:
    """A window on the screen, not signed in, with six people waiting and a hundred case numbers."""
    store = SqlStore.in_memory()
    device = replace(DEVICE, practice=practice)
    waiting = tickets()
    office, printer, reader, clock = FakeOffice(list(waiting)), FakePrinter(), FakeReader(), StandingClock()
    catalogue = FakeCatalogue(sample_items.items())
    link = [LinkStatus(LinkState.ONLINE, synced_at=MORNING)]
    preferences = KeptLook(look or Look())
    doctor = FakeDoctor()
    camera = FakeCamera()
    listeners: list[Callable[[Changed], None]] = []

    def tell(changed: Changed) -> None:
        for listener in listeners:
            listener(changed)

    desk = Desk(
        device=device,
        store=store,
        office=office,
        catalogue=catalogue,
        printer=printer,
        voice=NoVoice(),
        straighten=pages,
        clock=clock,
        new_id=uuid7,
        link=lambda: link[0],
        poke=lambda: None,
        changed=tell,
    )

    def fill(tx: object) -> None:
        tx.meta.set_device(device)
        tx.numbers.add(NumberBlock(uuid7(), 1207, 1306, 1207, device.epoch))
        tx.tickets.put(waiting)

    store.write(fill)
    loop: asyncio.AbstractEventLoop = qasync.QEventLoop(app)
    lanes = WindowLanes(
        Lane("desk"), Lane("network"), Lane("catalogue"), Lane("printer"), Lane("scanner"), Lane("photo")
    )
    window = ClerkWindow(preferences)
    window.open(
        Services(
            desk,
            lanes,
            reader,
            lambda: link[0],
            listeners.append,
            loop,
            doctor,
            practice,
            camera,
            decode_photo,
            lock_minutes,
        )
    )
    with bot.waitActive(window):
        window.show()
        window.activateWindow()
    made = Hall(
        bot,
        window,
        desk,
        store,
        office,
        catalogue,
        printer,
        reader,
        clock,
        link,
        preferences,
        lanes,
        doctor,
        camera,
    )
    try:
        yield made
    finally:
        window.close()
        bot.waitUntil(lambda: window.isHidden() and window.idle, timeout=5_000)
        window.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        for lane in (lanes.desk, lanes.network, lanes.catalogue, lanes.printer, lanes.scanner, lanes.photo):
            lane.close()
        store.close()
        loop.close()
