"""kill -9 of the whole window, at every step of a case and at twenty random moments."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hall_items import ACCEPTED_OFFLINE
from window_victim import settle
from workstation_kit import CLERK, PATIENCE, Enrolled, OpenHall, Window

from clerk_app.desk import acceptance, calling, drafting, following
from clerk_app.desk.draft_view import draft_view
from clerk_app.desk.ports import LinkState, PrintState
from clerk_app.devices.printer.simulator.printer import NO_FAULTS, Faults
from clerk_app.domain.case import Case, MaterialMode, SyncState, TimelineKind
from clerk_app.sync.client import OfficeClient
from tests.fault_proxy import Fault

HERE = Path(__file__).parent
KILLS = 20
STEPS = [
    ["card", "resident"],
    ["item", ACCEPTED_OFFLINE],
    ["field", "phone", "13800001234"],
    ["field", "address", "绵阳市涪城区样例路 1 号"],
    ["hand", "id", "seen"],
    ["hand", "form", "paper"],
]


class Nursery:
    """Windows in processes of their own, one at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "window_victim.py"],
            cwd=HERE,
            env=os.environ | {"PYTHONPATH": f"{HERE.parents[1]}:{HERE}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._pid = 0

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()

    @property
    def busy(self) -> bool:
        return bool(self._pid)

    def begin(self, hall: OpenHall, enrolled: Enrolled) -> None:
        """Start the window of `enrolled`; the key goes through a pipe, as nothing secret is an argument."""
        self.send(
            {
                "folder": str(enrolled.settings.folder),
                "office": enrolled.settings.office_url,
                "key": enrolled.key.secret.hex(),
                "tokens": enrolled.tokens.kept,
                "printer": hall.printer.url,
            }
        )
        pid = self.hear()
        assert isinstance(pid, int), pid
        self._pid = pid

    def do(self, *order: str) -> Any:
        """Give an order and wait until it is done."""
        self.send(order)
        return self.hear()

    def send(self, what: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()

    def hear(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def ended(self) -> None:
        """The window has gone."""
        self._pid = 0

    def kill(self) -> list[Any]:
        """kill -9; returns what the window had said and nobody had heard."""
        os.kill(self._pid, signal.SIGKILL)
        self.ended()
        said = []
        while (line := self.hear()) != ["ended", -signal.SIGKILL]:
            said.append(line)
        return said


@pytest.fixture(scope="module")
def mother() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest.fixture
def nursery(mother) -> Iterator[Nursery]:
    yield mother
    if mother.busy:  # the test has failed before its kill
        mother.kill()


@pytest.fixture
def hall(tmp_path):
    with OpenHall(tmp_path) as hall:
        yield hall


@pytest.fixture
def enrolled(hall) -> Enrolled:
    """A workstation at which the clerk has signed in once; its program is not running."""
    return hall.first


@pytest.fixture
def victim(nursery, hall, enrolled) -> Nursery:
    nursery.begin(hall, enrolled)
    return nursery


def prepare(victim: Nursery) -> None:
    """A citizen at the victim, with a draft ready to be filed."""
    victim.do("by-paper", "A001")
    for step in STEPS:
        victim.do(*step)


def filed(victim: Nursery) -> str:
    """A case in the victim, accepted and not yet sent to the printer; its number."""
    prepare(victim)
    return victim.do("accept")


def reopened(hall: OpenHall, enrolled: Enrolled) -> Window:
    return hall.window(enrolled, ready=False)


def the_case(window: Window, number: str) -> Case:
    case = window.desk.store.read(lambda tx: tx.cases.by_number(number))
    assert case is not None
    return case


def test_a_draft_is_resumed_with_all_but_the_field_in_hand(hall, nursery, enrolled):
    for place, step in enumerate(STEPS):
        nursery.begin(hall, enrolled)
        if place == 0:
            nursery.do("by-paper", "A001")
        nursery.do(*step)
        nursery.send(["field", "address", "正在输入"])  # killed with this one in hand
        nursery.kill()
    window = reopened(hall, enrolled)
    draft = drafting.current_draft(window.desk, CLERK.staff_no)
    view = draft_view(window.desk, draft)
    assert view.applicant.party.name == "李晓明"
    assert view.item.code == ACCEPTED_OFFLINE
    written = {field.key: field.value for field in view.fields}
    assert written["phone"] == "13800001234"
    assert written["address"] in ("绵阳市涪城区样例路 1 号", "正在输入")
    assert [material.mode for material in view.materials] == [MaterialMode.SEEN, MaterialMode.PAPER]
    case = acceptance.accept(window.desk, draft)
    window.workstation.print_queued()
    window.until_registered(case)
    window.until_printed(case)
    window.until_sent()
    window.reckon(hall)


def test_killed_at_the_commit_of_a_filing_nothing_of_it_is_missing(hall, victim, enrolled):
    prepare(victim)
    victim.send(["accept-and-die"])
    assert victim.hear() == ["ended", -signal.SIGKILL]
    victim.ended()

    window = reopened(hall, enrolled)
    (case,) = window.desk.store.read(lambda tx: tx.cases.recent())
    assert drafting.drafts(window.desk, CLERK.staff_no) == ()
    events = window.desk.store.read(lambda tx: tx.timeline.of_case(case.id))
    assert events[0].kind is TimelineKind.ACCEPTED
    assert window.desk.store.read(lambda tx: tx.audit.verify()) == 3  # two sign-ins and the filing
    window.until_sent()
    window.until_registered(case)
    window.until_printed(case)
    assert len(hall.papers(f"[QR {case.number}]")) == 1
    window.reckon(hall)


def test_killed_between_the_commit_and_the_paper_the_slip_prints_at_the_next_start(hall, victim, enrolled):
    number = filed(victim)
    victim.kill()
    assert hall.printer.papers == []
    window = reopened(hall, enrolled)
    case = the_case(window, number)
    window.until_printed(case)
    window.until_sent()
    window.until_registered(case)
    (paper,) = hall.papers(f"[QR {number}]")
    assert "补打" not in paper
    window.reckon(hall)


@pytest.mark.parametrize("said", [True, False])
def test_killed_in_the_middle_of_printing_the_slip_is_asked_about(hall, victim, enrolled, said):
    hall.printer.set_faults(Faults(no_buffered_answer=True))  # on paper, and nobody has confirmed it
    number = filed(victim)
    victim.do("print")
    hall.printer.wait_for_papers(1, PATIENCE)
    victim.kill()
    hall.printer.set_faults(NO_FAULTS)

    window = reopened(hall, enrolled)
    case = the_case(window, number)
    row = window.row(case)
    assert (row.print_state, row.print_code) == (PrintState.UNKNOWN, "PRINTER-INTERRUPTED")
    window.until_registered(case)
    window.until_sent()
    assert len(hall.papers(f"[QR {number}]")) == 1  # nothing was printed again unasked
    window.answer(case, on_paper=said)
    window.until_printed(case)
    first, *copies = hall.papers(f"[QR {number}]")
    assert "补打" not in first
    assert ["补打 第1次" in copy for copy in copies] == ([] if said else [True])
    window.reckon(hall)


def test_killed_between_the_push_and_its_answer_the_case_is_registered_once(hall, victim, enrolled):
    prepare(victim)
    victim.do("sent")
    ((device, token),) = enrolled.tokens.kept.items()
    (scope,) = hall.office.rows(f"SELECT seq FROM scope WHERE name = 'device:{device}'")
    hall.proxy.set(Fault.DEAF, "/sync/push")
    number = victim.do("accept")
    # The office's own long poll tells when it has committed something for this workstation.
    client = OfficeClient(hall.office.url, token=token)
    while not hall.registered():
        assert client.wait({f"device:{device}": scope.seq}, 20).poke
    client.close()
    assert hall.registered() == {number: "accepted"}
    victim.kill()
    hall.proxy.clear()

    window = reopened(hall, enrolled)
    case = the_case(window, number)
    assert case.sync_state is SyncState.SENT
    window.until_registered(case)
    window.until_sent()
    (filings,) = hall.office.rows("SELECT count(*) AS n FROM command WHERE type = 'case.file'")
    assert filings.n == 1
    events = window.desk.store.read(lambda tx: tx.timeline.of_case(case.id))
    assert TimelineKind.REFUSED not in [event.kind for event in events]  # the answer it had missed came again
    window.until_printed(case)
    window.reckon(hall)


def test_killed_between_the_call_and_its_answer_the_ticket_is_called_once(hall, victim, enrolled):
    tickets = hall.tickets(2)
    victim.do("sign-in")
    hall.proxy.set(Fault.DEAF, "/call")
    victim.send(["call"])
    assert hall.proxy.wait_met(seconds=PATIENCE)
    victim.kill()
    hall.proxy.clear()
    window = reopened(hall, enrolled)
    window.until_link(LinkState.ONLINE)
    window.sign_in()
    visit = calling.call_next(window.desk, window.operator)
    assert visit.ticket_number == tickets[0]
    called = hall.office.rows("SELECT number FROM ticket WHERE state = 'called'")
    assert [row.number for row in called] == tickets[:1]


def test_killed_offline_with_cases_waiting_each_is_registered_once(hall, victim, enrolled):
    hall.cable.pull()
    victim.do("offline")
    numbers = [filed(victim)]
    for step in STEPS[1:]:
        victim.do(*step)
    numbers.append(victim.do("accept"))
    victim.kill()
    assert hall.registered() == {}

    window = reopened(hall, enrolled)
    assert [row.type for row in following.outbox(window.desk)].count("case.file") == 2
    hall.cable.plug()
    window.workstation.scheduler.network_up()
    window.until_sent()
    cases = [the_case(window, number) for number in numbers]
    window.until_registered(*cases)
    window.until_printed(*cases)
    assert hall.registered() == dict.fromkeys(numbers, "accepted")
    assert [case.number for case in window.reckon(hall)] == numbers


def test_twenty_kills_at_random_moments_lose_nothing_and_double_nothing(hall, nursery, enrolled):
    chance = random.Random("twenty kills")
    acked: list[str] = []
    for _ in range(KILLS):
        nursery.begin(hall, enrolled)
        nursery.send(["busy"])
        acked += [nursery.hear() for _ in range(chance.randrange(1, 4))]
        until = time.perf_counter() + chance.random() * 0.1
        while time.perf_counter() < until:
            pass  # a kill lands anywhere: in a commit, a slip, a push, a page of the feed
        acked += nursery.kill()

    window = reopened(hall, enrolled)
    settle(window)
    window.workstation.print_queued()
    window.until_sent()
    cases = window.desk.store.read(lambda tx: tx.cases.recent(1000))
    window.until_registered(*cases)
    window.until_printed(*cases)
    numbers = [case.number for case in window.reckon(hall)]
    assert len(set(acked)) == len(acked)
    assert set(acked) <= set(numbers)
    assert len(numbers) - len(acked) <= KILLS  # at most one commit a life was not told any more
