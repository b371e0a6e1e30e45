"""Windows that are killed (-9). Run as a process by `test_window_kills`.

The process has everything imported and forks a window for each line it is given, so that a kill costs no
start. A line of JSON says which window; the next ones are orders, each answered by a line, until the kill.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import escpos.printer  # noqa: F401  the printer's lane would import it in each window
from sync_window import Tokens
from workstation_kit import CLERK, STEADY, Enrolled, Window, open_window

from clerk_app.desk import acceptance, calling, correction, drafting, printing
from clerk_app.desk.ports import LinkState, PrintState, Store, Transaction
from clerk_app.devices.card.samples import sample_cards
from clerk_app.devices.printer.printer import Limits
from clerk_app.domain.case import Case, MaterialMode
from clerk_app.failures import Failure
from clerk_app.settings import Settings
from clerk_app.store.vault import GivenKey

PACE = replace(STEADY, printer=Limits(confirm=60.0, look=0.1), watch=3600.0)
CARDS = sample_cards()


def say(answer: object) -> None:
    os.write(1, (json.dumps(answer) + "\n").encode())


def the_draft(window: Window) -> str:
    return drafting.open_draft(window.desk, window.operator)


def card(window: Window, card_id: str) -> None:
    drafting.applicant_from_card(window.desk, the_draft(window), CARDS[card_id].record)


def accept(window: Window) -> str:
    return acceptance.accept(window.desk, the_draft(window)).number


class MortalStore:
    """The window's store; the first write that is on the disk is the last thing that happens."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.read = store.read

    def write(self, work: Callable[[Transaction], Any]) -> None:
        self._store.write(work)
        os.kill(os.getpid(), signal.SIGKILL)


def accept_and_die(window: Window) -> None:
    """Accept; killed as soon as anything of it is on the disk."""
    acceptance.accept(replace(window.desk, store=MortalStore(window.desk.store)), the_draft(window))


def busy(window: Window) -> None:
    """A clerk who never rests: says each number once its case is committed. Ends by being killed."""
    settle(window)
    count = 0
    while True:
        count += 1
        if calling.visit_view(window.desk, window.operator) is None:
            window.by_paper(f"A{count:03d}")
        draft = the_draft(window)
        drafting.applicant_from_card(window.desk, draft, CARDS["resident"].record)
        window.fill(draft)
        case = acceptance.accept(window.desk, draft)
        say(case.number)
        window.workstation.print_queued()
        row = window.row(case)
        if count % 3 == 0 and row.void.open:
            window.void(case, "申请人撤回")
        elif count % 4 == 0 and row.reprint.open:
            correction.reprint(window.desk, case.id, window.operator)
        window.workstation.print_queued()
        if count % 2 == 0:  # a clerk waits for the paper, more or less
            window.until_printed(case)
        visit = calling.visit_view(window.desk, window.operator)
        assert visit is not None
        calling.finish(window.desk, visit.id)


def withdraw(window: Window, case: Case) -> None:
    """The citizen changes his mind; in vain once the office has the case, or while nobody can approve it."""
    try:
        correction.void(window.desk, case.id, "申请人撤回", window.operator)
    except Failure as failure:
        if failure.code not in ("DESK-REGISTERED", "DESK-SECOND-PERSON"):
            raise


def settle(window: Window) -> None:
    """Nobody knows what the last life left on paper: the clerk says that it is not there."""
    for job in window.desk.store.read(lambda tx: tx.print_jobs.unfinished()):
        if job.state is PrintState.UNKNOWN:
            printing.answer(window.desk, job.id, on_paper=False, operator=window.operator)


ORDERS: dict[str, Callable[..., Any]] = {
    "by-paper": lambda window, number: window.by_paper(number).id,
    "card": card,
    "item": lambda window, code: drafting.choose_item(window.desk, the_draft(window), code),
    "field": lambda window, key, value: drafting.fill(window.desk, the_draft(window), key, value),
    "hand": lambda window, key, mode: drafting.hand(window.desk, the_draft(window), key, MaterialMode(mode)),
    "accept": accept,
    "accept-and-die": accept_and_die,
    "print": lambda window: window.workstation.print_queued(),
    "sent": lambda window: window.until_sent(),
    "offline": lambda window: window.until_link(LinkState.OFFLINE, "SYNC-OFFLINE"),
    "sign-in": lambda window: window.sign_in().staff_no,
    "call": lambda window: getattr(calling.call_next(window.desk, CLERK.staff_no), "ticket_number", None),
    "busy": busy,
}


def live(told: dict[str, Any]) -> None:
    """One window, from its start to its kill."""
    settings = Settings(Path(told["folder"]), office_url=told["office"])
    tokens = Tokens()
    tokens.kept.update(told["tokens"])
    enrolled = Enrolled(settings, GivenKey(bytes.fromhex(told["key"])), tokens)
    window = open_window(enrolled, told["printer"], pace=PACE)
    window.start()
    say(os.getpid())
    while order := sys.stdin.readline():
        name, *words = json.loads(order)
        say(ORDERS[name](window, *words))


def main() -> None:
    while line := sys.stdin.readline():
        told = json.loads(line)
        if isinstance(told, list):
            continue  # an order the last window did not live to read
        child = os.fork()
        if child == 0:
            try:
                live(told)
            except BaseException:
                traceback.print_exc()  # the parent's stack ends here
            os._exit(1)
        _, status = os.waitpid(child, 0)
        say(["ended", os.waitstatus_to_exitcode(status)])


if __name__ == "__main__":
    main()
