"""Slips printed through the real desk, store and driver on a simulated printer that breaks at random.

The clerk of this test looks at the paper and answers truthfully. What the store says of every job is then
compared with the papers: a job is printed when its paper is there, and of a number one paper is unmarked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

import desk_kit
import slip_samples

from clerk_app.desk import printing
from clerk_app.desk.context import Desk
from clerk_app.desk.ports import PrintJob, PrintState
from clerk_app.devices.printer.printer import Limits, printer_from_url
from clerk_app.devices.printer.simulator.printer import NO_FAULTS, Faults, SimulatedPrinter
from clerk_app.domain.documents import Slip
from clerk_app.domain.numbering import case_number
from clerk_app.store.cache import SqlStore
from clerk_app.store.vault import throw_away_key

QUICK = Limits(connect=0.5, answer=0.1, send=0.5, confirm=0.3, look=0.05)
A_PRINTER = 50
"""Slips after which the printer, its port and the store are closed and opened anew."""
MOST_TRIES = 12

Say = Callable[[str], None]


@dataclass
class Papers:
    """What the clerk has in hand: how often each number came out whole, and how often without a mark."""

    whole: Counter[str] = field(default_factory=Counter)
    unmarked: Counter[str] = field(default_factory=Counter)
    marks: Counter[tuple[str, int]] = field(default_factory=Counter)

    def take(self, printer: SimulatedPrinter, numbers: dict[str, str]) -> None:
        """Collect what came out. `numbers` are the slips by the words that only a whole paper of them has."""
        for paper in printer.take_papers():
            for words, number in numbers.items():
                if words not in paper.text:
                    continue
                self.whole[number] += 1
                mark = re.search("补打 第 ?([0-9]+) ?次", paper.text)
                if mark is None:
                    self.unmarked[number] += 1
                else:
                    self.marks[number, int(mark[1])] += 1


def faults(random: Random) -> Faults:
    """Half of the time the printer is well; else it breaks before, in the middle of or after a slip."""
    if random.random() < 0.5:
        return NO_FAULTS
    return random.choice(
        (
            Faults(paper_out=True),
            Faults(paper_near_end=True),
            Faults(paper_out_after_lines=random.randrange(20)),
            Faults(cover_open=True),
            Faults(cutter_jammed=True),
            Faults(overheated=True),
            Faults(offline=True),
            Faults(silent=True),
            Faults(lies=True, paper_out=True),
            Faults(no_buffered_answer=True),
            Faults(refuses=True),
            Faults(hangs_up_after_bytes=random.randrange(1, 4000)),
        )
    )


def soak(slips: int, seed: int, folder: Path, say: Say) -> None:
    """Print `slips`, each until its paper is in hand. AssertionError when store and paper differ."""
    random = Random(seed)
    done = 0
    key = throw_away_key()
    papers = Papers()
    while done < slips:
        with desk_kit.bench() as kit, SimulatedPrinter() as printer:
            store = SqlStore.open(folder / f"cache-{seed}", key)
            driver = printer_from_url(printer.url, limits=QUICK)
            desk = replace(kit.desk, store=store, printer=driver)
            try:
                for number in range(done, min(done + A_PRINTER, slips)):
                    _one(desk, printer, random, papers, number)
                    done += 1
            finally:
                store.close()
        say(f"slips: {done} of {slips}, {sum(papers.whole.values())} papers")


def _slip(number: int, random: Random) -> tuple[Slip, str]:
    """A slip of its own number, and the words that stand at the end of it."""
    case = case_number("MY01", number + 1)
    if random.random() < 0.5:
        slip: Slip = replace(slip_samples.TICKET, number=f"S{number:04d}")
        return slip, f"[CODE128 S{number:04d}]"
    slip = replace(slip_samples.RECEIPT, number=case, applicant=random.choice(("李晓明", "赵䶮", "𠮷田〇")))
    return slip, f"[QR {case}]"


def _one(desk: Desk, printer: SimulatedPrinter, random: Random, papers: Papers, number: int) -> None:
    """One slip from the queue to the hand of its owner, whatever the printer does."""
    slip, words = _slip(number, random)
    name, numbers = str(number), {words: str(number)}
    now = desk.clock.now()
    first = desk.store.write(lambda tx: tx.print_jobs.add(slip, case_id=None, at=now))
    job, known = first, [first]
    for attempt in range(MOST_TRIES):
        printer.set_faults(faults(random) if attempt < MOST_TRIES - 3 else NO_FAULTS)
        if random.random() < 0.05:
            desk.store.write(lambda tx, job=job: tx.print_jobs.mark(job.id, PrintState.PRINTING))
            printing.recover(desk)  # the program was killed before the first byte
        else:
            printing.run(desk)
        state = _state(desk, job)
        at_once = papers.whole[name]
        papers.take(printer, numbers)
        if state is PrintState.FAILED:
            assert papers.whole[name] == at_once, f"slip {number}: a failed job is on paper"
        printer.set_faults(NO_FAULTS)  # repaired, it prints what it still holds
        hanging = printer.tear_off()
        papers.take(printer, numbers)
        there = papers.marks[name, job.reprint] if job.reprint else papers.unmarked[name]
        if state is PrintState.PRINTED:
            assert there, f"slip {number}: printed, says the store, and there is no paper; {hanging.text!r}"
            break
        if state is PrintState.FAILED:
            assert not there, f"slip {number}: a failed job is on paper"
            printing.retry(desk, job.id)
            continue
        assert state is PrintState.UNKNOWN, state
        printing.answer(desk, job.id, on_paper=bool(there), operator=desk_kit.CLERK)
        if there:
            break
        job = _successor(desk, known)
        known.append(job)
    else:
        raise AssertionError(f"slip {number}: not on paper after {MOST_TRIES} attempts")
    assert papers.unmarked[name] <= 1, f"slip {number}: two papers without a mark"
    assert max([count for (each, _), count in papers.marks.items() if each == name], default=0) <= 1
    assert not desk.store.read(lambda tx: tx.print_jobs.unfinished())
    _forget(papers, name)


def _forget(papers: Papers, name: str) -> None:
    """A slip that is in its owner's hand need not be counted any longer."""
    for key in [key for key in papers.marks if key[0] == name]:
        del papers.marks[key]
    del papers.unmarked[name]


def _state(desk: Desk, job: PrintJob) -> PrintState:
    found = desk.store.read(lambda tx: tx.print_jobs.get(job.id))
    assert found is not None
    return found.state


def _successor(desk: Desk, known: list[PrintJob]) -> PrintJob:
    """The job that an answer has queued: the same slip, one reprint more."""
    (job,) = desk.store.read(lambda tx: tx.print_jobs.unfinished())
    assert job.id not in {each.id for each in known}
    assert job.reprint == known[-1].reprint + 1
    return job
