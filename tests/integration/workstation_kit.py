"""A hall for the end-to-end tests: real office, cable, windows and printer; only the people are played.

Between a window and the office stand a cable that can be pulled and a proxy that breaks. The catalogue is
small, so that a hall opens at once.
"""

from __future__ import annotations

import atexit
import queue
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from hall_items import ACCEPTED_OFFLINE, ITEMS, KINDS
from office_hall import CLERK, HALL, Hall, TestClock
from sync_window import Tokens

from back_office import catalogue
from back_office.embedded import OfficeServer, UserSetup, enrolment_code, issue_ticket, prepare
from back_office.settings import Settings as OfficeSettings
from clerk_app.bootstrap import enrol_with, open_workstation
from clerk_app.desk import (
    acceptance,
    calling,
    correction,
    drafting,
    following,
    printing,
    rights,
    second_person,
    sign_in,
)
from clerk_app.desk.ports import (
    CardEvent,
    CardFailed,
    CardRead,
    CardReader,
    Changed,
    LinkState,
    Operator,
    PrintState,
    ReaderState,
    ReaderStatus,
)
from clerk_app.desk.views import CaseRow
from clerk_app.devices.card.simulator import SimulatedReader
from clerk_app.devices.printer.printer import Limits, printer_from_url
from clerk_app.devices.printer.simulator.printer import SimulatedPrinter
from clerk_app.domain.applicant import CardRecord
from clerk_app.domain.case import Case, MaterialMode, SyncState
from clerk_app.domain.ticket import Visit
from clerk_app.failures import Failure
from clerk_app.settings import Settings
from clerk_app.store.vault import GivenKey, throw_away_key
from clerk_app.sync.transport import TimeOuts
from clerk_app.workstation import Parts, Workstation
from practice.network import Cable
from tests.fault_proxy import FaultProxy

COLLEAGUE = UserSetup("1025", "陈静", "window-thirteen", name_en="Chen Jing")
SUPERVISOR = UserSetup("1001", "陈立", "all-the-windows", name_en="Chen Li")  # known at every window
PATIENCE = 60.0  # seconds; only a failing test waits that long
WINDOW = "综合窗口 12"


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a window waits for the office and for the printer, and how often it looks at the printer."""

    office: TimeOuts
    printer: Limits
    watch: float


STEADY = Pace(TimeOuts(5.0, 15.0), Limits(connect=5.0, answer=5.0, confirm=10.0, look=0.1), 0.4)
HASTY = Pace(TimeOuts(1.0, 1.0), Limits(answer=0.8, confirm=1.2, look=0.1), 0.4)
"""For faults that are silence: what must be waited for in full."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """One workstation as it lies on its disk and in its keyring: it can be opened again and again."""

    settings: Settings
    key: GivenKey = field(default_factory=throw_away_key)
    tokens: Tokens = field(default_factory=Tokens)


def _enrol(office: Path, settings: Settings, window: str) -> Enrolled:
    enrolled = Enrolled(settings)
    code = enrolment_code(office, window=window)
    enrol_with(settings, code, enrolled.key, enrolled.tokens)
    return enrolled


@cache
def _template() -> Enrolled:
    """An office and a workstation at which the clerk has signed in, made once: verifiers are slow on purpose.

    The office lies beside the folder of the workstation.
    """
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    office = prepare(folder / "office", HALL, [CLERK, COLLEAGUE, SUPERVISOR])
    try:
        catalogue.put_in_force(office, KINDS, ITEMS, "2026.1")
    finally:
        office.close()
    with OfficeServer(folder / "office") as server:
        settings = Settings(folder / "window", office_url=server.url)
        enrolled = _enrol(folder / "office", settings, WINDOW)
        window = open_window(enrolled, "tcp://127.0.0.1:1")
        window.start()
        window.until_link(LinkState.ONLINE)
        window.until(lambda: window.desk.catalogue.count > 0)
        window.sign_in(SUPERVISOR)
        window.sign_in()
        window.close()
    return enrolled


class OpenHall:
    """Office, proxy, cable and printer between `__enter__` and `__exit__`, with the windows opened in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self.windows: list[Window] = []
        self._on_disk: dict[Window, Enrolled] = {}

    def __enter__(self) -> Self:
        office = self._folder / "office"
        made = _template().settings.folder.parent
        shutil.copytree(made, self._folder, dirs_exist_ok=True)
        clock = TestClock()
        told = OfficeSettings(office, clock)
        server = OfficeServer(told)
        server.start()
        self.office = Hall(office, clock, server, told)
        self._stack.callback(self.end_office)
        self.proxy = self._stack.enter_context(FaultProxy(int(urlsplit(server.url).port or 0)))
        address = urlsplit(self.proxy.url)
        self.cable = self._stack.enter_context(Cable(str(address.hostname), int(address.port or 0)))
        self.printer = self._stack.enter_context(SimulatedPrinter())
        settings = Settings(self._folder / "window", office_url=self.cable.url)
        self.first = Enrolled(settings, _template().key, _template().tokens)
        return self

    def __exit__(self, *_: object) -> None:
        for window in self.windows:
            window.close()
        self._stack.close()

    def end_office(self) -> None:
        """The office's program ends; its data stay."""
        self._port = int(urlsplit(self.office.url).port or 0)
        self.office.server.stop()

    def start_office(self) -> None:
        """It starts again where it was."""
        self.office.server = OfficeServer(OfficeSettings(self.office.folder, self.office.clock), self._port)
        self.office.server.start()

    def enrol(self, name: str) -> Enrolled:
        """Another workstation, at which nobody has signed in yet."""
        settings = Settings(self._folder / name, office_url=self.cable.url)
        return _enrol(self.office.folder, settings, name)

    def window(
        self,
        enrolled: Enrolled | None = None,
        reader: CardReader | None = None,
        pace: Pace = STEADY,
        *,
        ready: bool = True,
    ) -> Window:
        """A window at work, in sync and with its catalogue unless it need not be `ready`.

        By default the one at which the clerk has signed in before: what needs no session can be done at once.
        """
        enrolled = enrolled or self.first
        window = open_window(enrolled, self.printer.url, reader, pace)
        self.windows.append(window)
        self._on_disk[window] = enrolled
        window.start()
        if ready:
            window.until_link(LinkState.ONLINE)
            window.until(lambda: window.desk.catalogue.count > 0)
        return window

    def on_disk(self, window: Window) -> Enrolled:
        """What outlives the window's program."""
        return self._on_disk[window]

    def again(self, window: Window, pace: Pace = STEADY) -> Window:
        """The same workstation after its program was ended and started anew."""
        window.close()
        return self.window(self.on_disk(window), pace=pace, ready=False)

    def tickets(self, count: int, series: str = "A") -> list[str]:
        """Citizens take tickets at the entrance."""
        return [issue_ticket(self.office.folder, series).number for _ in range(count)]

    def registered(self) -> dict[str, str]:
        """Case number -> state, as the office has it. Fails when a number is there twice."""
        rows = self.office.rows("SELECT number, state FROM registered_case")
        assert len({row.number for row in rows}) == len(rows)
        return {row.number: row.state for row in rows}

    def papers(self, words: str) -> list[str]:
        """The text of every paper with `words` on it."""
        return [paper.text for paper in self.printer.papers if words in paper.text]


class Window:
    """A clerk at one workstation: what the hands do, and what the eyes wait for."""

    def __init__(self, workstation: Workstation) -> None:
        self.workstation = workstation
        self.reader = workstation.parts.reader
        self.desk = self.workstation.desk
        self.operator = CLERK.staff_no
        self._news: queue.SimpleQueue[Changed] = queue.SimpleQueue()
        self._cards: queue.SimpleQueue[CardEvent] = queue.SimpleQueue()
        self._open = True

    def start(self) -> None:
        self.workstation.subscribe(self._news.put)
        self.workstation.start()
        self.workstation.reader.start(self._cards.put)

    def close(self) -> None:
        if self._open:
            self._open = False
            self.workstation.close()

    # --- waiting ---------------------------------------------------------------------------------------

    def until(self, true: Callable[[], bool], seconds: float = PATIENCE) -> None:
        """Look again at every change the window is told of, until it is so."""
        end = time.monotonic() + seconds
        while not true():
            try:
                self._news.get(timeout=max(0.001, end - time.monotonic()))
            except queue.Empty:
                link = self.workstation.link
                raise AssertionError(f"not so after {seconds} s; link {link.state} {link.code}") from None

    def until_link(self, state: LinkState, code: str = "") -> None:
        self.until(lambda: (self.workstation.link.state, self.workstation.link.code) == (state, code))

    def until_sent(self) -> None:
        """Until the office has answered everything."""
        self.until(lambda: not following.outbox(self.desk))

    def until_printed(self, *cases: Case) -> None:
        self.until(lambda: all(row.print_state is PrintState.PRINTED for row in self.rows(*cases)))

    def until_registered(self, *cases: Case) -> None:
        self.until(lambda: all(row.sync_state is SyncState.REGISTERED for row in self.rows(*cases)))

    def card(self) -> CardRecord:
        """The record of the card that lies there; a failure fails the test."""
        while True:
            event = self._cards.get(timeout=PATIENCE)
            assert not isinstance(event, CardFailed), event.code
            if isinstance(event, CardRead):
                return event.record

    def card_failure(self) -> str:
        """The code of the next card that could not be read."""
        while True:
            event = self._cards.get(timeout=PATIENCE)
            assert not isinstance(event, CardRead), "the card was read"
            if isinstance(event, CardFailed):
                return event.code

    def card_gone(self) -> None:
        """Until the reader reports that nothing lies on it."""
        while True:
            event = self._cards.get(timeout=PATIENCE)
            if isinstance(event, ReaderStatus) and event.state is ReaderState.EMPTY:
                return

    # --- the clerk's hands -----------------------------------------------------------------------------

    def sign_in(self, user: UserSetup = CLERK) -> Operator:
        self.operator = user.staff_no
        return sign_in.sign_in(self.desk, user.staff_no, user.password)

    def void_by_two(self, case: Case, reason: str) -> None:
        """Void a case without the office; SUPERVISOR approves it."""
        given = (SUPERVISOR.staff_no, SUPERVISOR.password, rights.VOID, case.id)
        approval = second_person.approve(self.desk, self.operator, *given)
        correction.void(self.desk, case.id, reason, self.operator, approval)

    def void(self, case: Case, reason: str) -> None:
        """Void a case; by two where the office is out of reach."""
        try:
            correction.void(self.desk, case.id, reason, self.operator)
        except Failure as failure:
            if failure.code != "DESK-SECOND-PERSON":
                raise
            self.void_by_two(case, reason)

    def by_paper(self, number: str) -> Visit:
        return calling.serve_paper(self.desk, self.operator, number)

    def lay(self, card: str) -> CardRecord:
        """Lay a sample card on the simulated reader, wait for its record, take it away."""
        assert isinstance(self.reader, SimulatedReader)
        self.reader.lay(card)
        record = self.card()
        self.reader.remove()
        return record

    def draft(self, item: str = ACCEPTED_OFFLINE, card: str = "resident") -> str:
        """A draft ready to be filed for the visit at the window."""
        draft = drafting.open_draft(self.desk, self.operator)
        drafting.applicant_from_card(self.desk, draft, self.lay(card))
        self.fill(draft, item)
        return draft

    def fill(self, draft: str, item: str = ACCEPTED_OFFLINE) -> None:
        """Item, form and materials."""
        drafting.choose_item(self.desk, draft, item)
        drafting.fill(self.desk, draft, "phone", "13800001234")
        drafting.hand(self.desk, draft, "id", MaterialMode.SEEN)
        drafting.hand(self.desk, draft, "form", MaterialMode.PAPER)

    def accept(self, item: str = ACCEPTED_OFFLINE, card: str = "resident") -> Case:
        """Accept a case for the visit at the window and send its slip to the printer, as the window does."""
        case = acceptance.accept(self.desk, self.draft(item, card))
        self.workstation.print_queued()
        return case

    def answer(self, case: Case, *, on_paper: bool) -> None:
        """What the clerk says when asked whether a slip is on paper."""
        job = self.row(case).print_job
        assert job is not None
        printing.answer(self.desk, job, on_paper, self.operator)
        self.workstation.print_queued()

    def row(self, case: Case) -> CaseRow:
        """The case as the window lists it."""
        (row,) = self.rows(case)
        return row

    def rows(self, *cases: Case) -> list[CaseRow]:
        """The cases as the window lists them, newest first."""
        wanted = {case.id for case in cases}
        return [row for row in following.cases(self.desk, limit=1000) if row.id in wanted]

    # --- what must hold, whatever happened -----------------------------------------------------------

    def reckon(self, hall: OpenHall) -> list[Case]:
        """The window's books, when everything is sent; returns its cases, oldest first.

        Numbers: as many used as there are cases, none twice. The office: each case once, no other case of
        this device, its commands dense. The audit chain whole. No slip on paper twice without a mark.
        """
        device = self.desk.device.id
        cases = self.desk.store.read(lambda tx: tx.cases.recent(100_000))[::-1]
        numbers = [case.number for case in cases]
        used = self.desk.store.read(lambda tx: [range(b.low, b.next) for b in tx.numbers.blocks()])
        assert sorted(int(number[4:12]) for number in numbers) == [n for serials in used for n in serials]
        rows = hall.office.rows(f"SELECT id, number, state FROM registered_case WHERE device = '{device}'")
        filed = sorted((case.id, case.number, str(case.legal_state)) for case in cases)
        assert sorted(tuple(row) for row in rows) == filed
        seqs = hall.office.rows(f"SELECT seq FROM delivery WHERE device = '{device}' ORDER BY seq")
        assert [row.seq for row in seqs] == list(range(1, len(seqs) + 1))
        self.desk.store.read(lambda tx: tx.audit.verify())
        for number in numbers:
            unmarked = [text for text in hall.papers(f"[QR {number}]") if "补打" not in text]
            assert len(unmarked) <= 1, unmarked
        return cases


def open_window(
    enrolled: Enrolled, printer_url: str, reader: CardReader | None = None, pace: Pace = STEADY
) -> Window:
    """The workstation that lies in `enrolled`, wired as the program wires it; not started yet."""
    parts = Parts(
        key=enrolled.key,
        tokens=enrolled.tokens,
        reader=reader or SimulatedReader(),
        printer=printer_from_url(printer_url, limits=pace.printer),
        office_time_outs=pace.office,
        printer_watch=pace.watch,
    )
    return Window(open_workstation(enrolled.settings, parts))
