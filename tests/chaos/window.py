"""A window's life: a clerk who never rests, in a process of its own, until somebody ends it.

Everything is the product's: cache on the disk, lanes, scheduler, printer driver. Only the hands, the voice
(it writes down whom it called) and the machine's wall clock are the test's. What a citizen was told or given
is in the history before the next thing happens.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta, tzinfo
from functools import cache
from io import BytesIO
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from hall_items import ACCEPTED_OFFLINE, RECEIVED_OFFLINE
from office_hall import CLERK
from PIL import Image
from sync_window import Tokens
from workstation_kit import Window

import clerk_app.clock
from clerk_app.bootstrap import open_workstation
from clerk_app.desk import acceptance, calling, correction, drafting, offline_tickets, printing, scanning
from clerk_app.desk.draft_view import draft_view
from clerk_app.desk.ports import LinkState, Page, PrintState, VoiceState, VoiceStatus
from clerk_app.devices.card.samples import sample_cards
from clerk_app.devices.card.simulator import SimulatedReader
from clerk_app.devices.printer.printer import Limits, printer_from_url
from clerk_app.domain.case import Case
from clerk_app.domain.ticket import VisitState
from clerk_app.failures import Failure
from clerk_app.settings import Settings
from clerk_app.store.vault import GivenKey
from clerk_app.sync.transport import TimeOuts
from clerk_app.workstation import Parts
from tests.chaos import points
from tests.chaos.history import History

PRINTER = Limits(connect=5.0, answer=5.0, confirm=20.0, look=0.1)
LETTERS = "JKMNPQRSTUVWXYZ"
"""First letters of the tickets on paper, one a window; the queue's are A."""
LINE_SECONDS = 4.0


class TellingVoice:
    """The voice port: whom it called is in the history before anybody can hear it."""

    def __init__(self, history: History) -> None:
        self._history = history

    @property
    def status(self) -> VoiceStatus:
        return VoiceStatus(VoiceState.OFF)

    def start(self) -> None:
        pass

    def call(self, ticket_number: str, window: str) -> None:
        self._history.tell("announced", ticket=ticket_number, window=window)

    def stop(self) -> None:
        pass


class MachineClock(datetime):
    """The wall clock of this machine, which people and dead batteries set."""

    ahead = timedelta()

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return datetime.now(tz) + cls.ahead


def live(told: dict[str, Any]) -> None:
    """One life. `told` says which window, how its machine is, when to die, and what the clerk does."""
    logging.basicConfig(level=logging.ERROR)
    clerk_app.clock.datetime = MachineClock  # type: ignore[attr-defined]
    MachineClock.ahead = timedelta(seconds=told["ahead"])
    points.arm(told["point"])
    history = History(Path(told["history"]))
    try:
        window = open_window(told, history)
        window.start()
        clerk = Clerk(window, history, Random(told["seed"]), LETTERS[told["number"]], told["calls"])
        clerk.settle()
    except Failure as failure:  # a full disk: the program says so and ends
        history.tell("failed", at_work="open", code=failure.code)
        return
    history.tell("open", point=told["point"])
    clerk.wait_for_the_line()
    for _ in count() if told["citizens"] is None else range(told["citizens"]):
        clerk.serve(told["jump"])
    if told["citizens"] == 0:
        threading.Event().wait()  # nobody comes; the window stays open
    window.close()


def open_window(told: dict[str, Any], history: History) -> Window:
    tokens = Tokens()
    tokens.kept.update(told["tokens"])
    parts = Parts(
        key=GivenKey(bytes.fromhex(told["key"])),
        tokens=tokens,
        reader=SimulatedReader(),
        printer=printer_from_url(told["printer"], limits=PRINTER),
        voice=TellingVoice(history),
        office_time_outs=TimeOuts(2.0, told["patience"]),
        printer_watch=0.4,
    )
    return Window(open_workstation(Settings(Path(told["folder"]), office_url=told["office"]), parts))


class Clerk:
    """What a clerk does with one citizen after another, drawn from a seed."""

    def __init__(self, window: Window, history: History, random: Random, letter: str, calls: float) -> None:
        self._window = window
        self._desk = window.desk
        self._history = history
        self._random = random
        self._letter = letter
        self._calls = calls
        self._signed_in = False

    def settle(self) -> None:
        """Nobody knows what the last life left on paper: the clerk says that it is not there."""
        for job in self._desk.store.read(lambda tx: tx.print_jobs.unfinished()):
            if job.state is PrintState.UNKNOWN:
                printing.answer(self._desk, job.id, on_paper=False, operator=CLERK.staff_no)

    def wait_for_the_line(self) -> None:
        """Whoever wants to call the queue does not begin before the office answers, or seems not to."""
        if self._random.random() < self._calls:
            with suppress(AssertionError):
                online = LinkState.ONLINE
                self._window.until(lambda: self._window.workstation.link.state is online, LINE_SECONDS)

    def serve(self, jump: float = 0.0) -> None:
        """One citizen; `jump` is how many seconds the machine's clock may be set by meanwhile."""
        chance = self._random.random
        self._tried("work", self._visit)
        if jump and chance() < 0.05:
            MachineClock.ahead += timedelta(seconds=self._random.choice((-jump, jump)))
            self._history.tell("clock", ahead=MachineClock.ahead.total_seconds())
        if chance() < 0.1:
            self._tried("accept-later", self._accept_later)
        if chance() < 0.15:
            self._tried("issue", self._issue)
        time.sleep(chance() * 0.05)  # a person, if a quick one

    def _visit(self) -> None:
        visit = calling.visit_view(self._desk, CLERK.staff_no)
        if visit is None:
            self._next()
            visit = calling.visit_view(self._desk, CLERK.staff_no)
        if visit is None:
            return
        chance = self._random.random
        if visit.state is VisitState.CALLED and not visit.cases and chance() < 0.15:
            calling.no_show(self._desk, visit.id)
            return
        try:
            for _ in range(1 + (chance() < 0.2)):
                self._file()
        finally:
            calling.finish(self._desk, visit.id)

    def _next(self) -> None:
        """The next citizen: called by the authority, or with a paper in hand."""
        link = self._window.workstation.link.state
        if link is not LinkState.OFFLINE and self._random.random() < self._calls:
            if not self._signed_in:
                self._window.sign_in(CLERK)
                self._signed_in = True
            if calling.call_next(self._desk, CLERK.staff_no) is not None:
                return
        waiting = self._desk.store.read(lambda tx: tx.tickets.waiting(20))
        if link is LinkState.OFFLINE and waiting and self._random.random() < 0.3:
            number = self._random.choice(waiting).number
        else:
            number = f"{self._letter}{self._random.randrange(1000):03d}"
        self._window.by_paper(number)

    def _file(self) -> None:
        draft = drafting.open_draft(self._desk, CLERK.staff_no)
        record = sample_cards()["resident"].record
        drafting.applicant_from_card(self._desk, draft, record)
        chance = self._random.random
        self._window.fill(draft, ACCEPTED_OFFLINE if chance() < 0.7 else RECEIVED_OFFLINE)
        if chance() < 0.25:
            scanning.add(self._desk, draft, "form", [a_page(self._random.randrange(8))], "file")
        accepts = draft_view(self._desk, draft).accept.open
        case = (acceptance.accept if accepts else acceptance.receive)(self._desk, draft)
        self._history.tell("filed", id=case.id, number=case.number)
        self._window.workstation.print_queued()
        if chance() < 0.15:
            self._tried("void", lambda: self._void(case))
        elif chance() < 0.1:
            self._tried("reprint", lambda: correction.reprint(self._desk, case.id, CLERK.staff_no))
        self._window.workstation.print_queued()

    def _void(self, case: Case) -> None:
        self._window.void(case, "申请人撤回")
        self._history.tell("void", id=case.id, number=case.number)

    def _accept_later(self) -> None:
        for case in self._desk.store.read(lambda tx: tx.cases.unaccepted())[:2]:
            acceptance.accept_received(self._desk, case.id, CLERK.staff_no)
            self._history.tell("accepted", id=case.id, number=case.number)
        self._window.workstation.print_queued()

    def _issue(self) -> None:
        """A ticket of the own series, when nobody else can give one."""
        if self._window.workstation.link.state is LinkState.OFFLINE:
            number = offline_tickets.issue(self._desk, CLERK.staff_no)
            day = self._desk.clock.now().date().isoformat()  # it is on the slip, too
            self._history.tell("issued", ticket=f"{day} {number}")
            self._window.workstation.print_queued()

    def _tried(self, what: str, work: Callable[[], object]) -> None:
        """The world may say no, with a code; anything else ends the life, and the run with it."""
        try:
            work()
        except Failure as failure:
            self._signed_in = self._signed_in and failure.code != "OFFICE-SESSION"
            self._history.tell("failed", at_work=what, code=failure.code)


@cache
def a_page(shade: int) -> Page:
    picture = Image.effect_noise((160, 220), 20 + 20 * shade)
    file = BytesIO()
    picture.save(file, "JPEG")
    return Page(file.getvalue(), 160, 220)
