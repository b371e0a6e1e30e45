"""What happens in a run, one move at a time: people work, machines and lines fail, IT does what IT does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from back_office import accounts, catalogue, feed, lost_cards
from clerk_app.desk import (
    acceptance,
    calling,
    correction,
    printing,
    retention,
    second_person,
    sign_in,
    ticketing,
)
from clerk_app.desk.ports import LinkState, PrintState
from clerk_app.domain.case import Case, Draft, LegalState
from clerk_app.domain.ids import uuid7
from clerk_app.domain.ticket import VisitState
from tests.simulation import people
from tests.simulation.office import PASSWORD, SUPERVISOR
from tests.simulation.window import SimWindow

if TYPE_CHECKING:
    from tests.simulation.run import Run

Move = Callable[["Run"], None]


# --- at a window -------------------------------------------------------------------------------------------


def work(run: Run) -> None:
    """The clerk's next act, whatever the visit needs."""
    window = run.a_window()
    if window.operator is None:
        window.guarded("sign-in", window.sign_in)
        return
    visit = window.read(lambda tx: tx.visits.current(window.clerk))
    chance = run.world.random.random()
    if visit is None:
        if window.link is LinkState.ONLINE or chance < 0.2:
            window.guarded("call", lambda: calling.call_next(window.desk, window.clerk))
        else:
            number = run.a_paper_ticket(window)
            window.guarded("by-paper", lambda: calling.serve_paper(window.desk, window.clerk, number))
    elif visit.state is VisitState.CALLED and chance < 0.12:
        window.guarded("no-show", lambda: calling.no_show(window.desk, visit.id))
    elif visit.state is VisitState.CALLED and chance < 0.25:
        window.recalling = True
        window.guarded("recall", lambda: calling.recall(window.desk, visit.id))
        window.recalling = False
    elif chance < 0.75:
        file(run, window)
    else:
        window.guarded("finish", lambda: calling.finish(window.desk, visit.id))
    if run.world.chance(0.6):
        window.guarded("print", lambda: printing.run(window.desk))


def file(run: Run, window: SimWindow) -> None:
    """A case from the card to the commit. What the store holds afterwards is the truth, crash or no crash."""
    operator = window.operator
    visit = window.read(lambda tx: tx.visits.current(window.clerk))
    if visit is None or operator is None:
        return
    run.filed += 1
    item = run.world.random.choice(list(window.catalogue.items.values()))
    now = window.clock.now()
    draft = Draft(
        uuid7(),
        visit.id,
        operator,
        now,
        now,
        applicant=run.applicant(),
        item_code=item.implementation.code,
        item_version=item.implementation.version,
    )

    def begin() -> None:
        def write(tx) -> None:
            calling.begin_serving(window.desk, tx, visit.id, window.clock.now())
            tx.drafts.save(draft)

        window.store.write(write)

    accepted = run.world.chance(0.6)
    verb = acceptance.accept if accepted else acceptance.receive
    error = window.clock.error
    window.guarded("draft", begin)
    window.guarded("accept" if accepted else "receive", lambda: verb(window.desk, draft.id))
    case = window.read(lambda tx: tx.cases.get(draft.id))
    if case is not None:
        run.truth.committed(window, case, error)


def void(run: Run) -> None:
    """Without the office a second person approves, who signed in here before."""
    window = run.a_window()
    cases = window.read(lambda tx: tx.cases.recent(6))
    if window.operator is None or not cases:
        return
    case = run.world.random.choice(cases)
    me = window.clerk

    def act() -> None:
        approval = None
        if window.link is LinkState.OFFLINE:
            approval = second_person.approve(window.desk, me, SUPERVISOR, PASSWORD, "void", case.id)
        correction.void(window.desk, case.id, "材料有误", me, approval)

    window.guarded("void", act)


def supervisor(run: Run) -> None:
    """A supervisor signs in and out at a window: from then on known there without the office too."""
    window = run.a_window()
    if window.operator is None:

        def pass_by() -> None:
            sign_in.sign_in(window.desk, SUPERVISOR, PASSWORD)
            sign_in.sign_out(window.desk, SUPERVISOR)

        window.guarded("supervisor", pass_by)


def accept_later(run: Run) -> None:
    window = run.a_window()
    received = [c for c in window.read(lambda tx: tx.cases.recent(8)) if c.legal_state is LegalState.RECEIVED]
    if window.operator is not None and received:
        case = run.world.random.choice(received)
        window.guarded("accept later", lambda: acceptance.accept_received(window.desk, case.id, window.clerk))


def purge(run: Run) -> None:
    """Retention, with shorter days than any hall has."""
    window = run.a_window()
    days = run.world.random.choice((1, 1, 2))
    window.guarded("purge", lambda: retention.purge(window.desk, days))


def lost_card(run: Run) -> None:
    number = people.applicant(run.world.random.randrange(1000)).number
    run.at_office("lost card", lambda: run.office.office.write(lambda tx: lost_cards.add(tx, number)))


def corrupt(run: Run) -> None:
    window = run.a_window()
    window.corrupt()
    run.world.tell(f"{window.name}: a row of a mirror is gone")


def reprint(run: Run) -> None:
    window = run.a_window()
    cases = window.read(lambda tx: tx.cases.recent(6))
    if window.operator is not None and cases:
        case: Case = run.world.random.choice(cases)
        window.guarded("reprint", lambda: correction.reprint(window.desk, case.id, window.clerk))


def issue(run: Run) -> None:
    window = run.a_window()
    if window.operator is not None:

        def act() -> None:
            chosen = run.world.random.choice(list(ticketing.series(window.desk)))
            ticketing.issue(window.desk, window.clerk, chosen)

        window.guarded("issue", act)


def papers(run: Run) -> None:
    """The clerk looks at the printer: prints what failed, says what became of a slip in doubt."""
    window = run.a_window()
    for job in window.read(lambda tx: tx.print_jobs.unfinished()):
        if job.state is PrintState.UNKNOWN and run.world.chance(0.5):
            there = run.world.chance(0.5)
            window.guarded(
                "print-answer",
                lambda job=job, there=there: printing.answer(window.desk, job.id, there, window.clerk),
            )
    window.guarded("resume", lambda: printing.resume_when_ready(window.desk))
    window.guarded("print", lambda: printing.run(window.desk))


def sync(run: Run) -> None:
    window = run.a_window()
    window.guarded("cycle", window.cycle)


def kill(run: Run) -> None:
    window = run.a_window()
    run.world.tell(f"{window.name} is killed")
    window.boot()


# --- the world ---------------------------------------------------------------------------------------------


def line(run: Run) -> None:
    window = run.a_window()
    states = ("up", "up", "up", "up", "down", "deaf", "mute", "portal", "busy")
    window.line.state = run.world.random.choice(states)
    run.world.tell(f"{window.name} line {window.line.state}")


def time(run: Run) -> None:
    """Minutes mostly, sometimes a night, seldom a long weekend."""
    random = run.world.random
    chance = random.random()
    seconds = random.uniform(1, 600) if chance < 0.8 else random.uniform(600, 4 * 3600)
    if chance > 0.96:
        seconds = random.uniform(10, 72) * 3600
    run.world.pass_(seconds)
    run.world.tell(f"{seconds:.0f} s pass")


def clock(run: Run) -> None:
    """The workstation's clock is set, by minutes or by a day."""
    window, random = run.a_window(), run.world.random
    hours = random.choice((-24, -1, -0.1, -0.02, 0, 0, 0, 0.02, 0.1, 1, 24))
    window.clock.offset = timedelta(hours=hours)
    run.world.tell(f"{window.name} clock {hours} h")


def late(run: Run) -> None:
    run.network.deliver_late(run.world.random.randrange(1, 4))


def tickets(run: Run) -> None:
    """The guide's desk issues tickets at the office itself."""
    for _ in range(run.world.random.randrange(1, 4)):
        letter = run.world.random.choice(("A", "A", "A", "Y", "P"))
        hall = run.world.random.choice(run.halls)
        run.at_office("guide", lambda hall=hall, letter=letter: run.office.issue(hall, letter))


def retire(run: Run) -> None:
    item = run.world.random.choice(run.items)
    code = item.implementation.code
    run.at_office("retire", lambda: run.office.office.write(lambda tx: catalogue.retire(tx, code)))


def renew_items(run: Run) -> None:
    """A new catalogue: every item in its next version, the retired ones in force again."""
    items = [people.next_version(people.next_version(item)) for item in run.items]
    while not run.at_office("catalogue", lambda: run.office.put_in_force(items)):
        pass  # whoever sees the import break off does it once more
    run.items = items
    run.imported.append(items)
    for window in run.windows:  # the file itself is not simulated; a window that is up has it soon
        if window.line.state == "up" and run.world.chance(0.7):
            window.catalogue.items = {item.implementation.code: item for item in run.items}


def people_change(run: Run) -> None:
    """A clerk is disabled; until enabled again nobody is lost who worked under a grant."""
    hall, clerk = run.world.random.choice(run.halls), run.world.random.choice(run.clerks)
    run.at_office(
        "disable", lambda: run.office.office.write(lambda tx: accounts.disable_user(tx, hall, clerk))
    )
    run.disabled.add((hall, clerk))


def trim(run: Run) -> None:
    """The log is cut as if its time were over."""
    back = timedelta(seconds=run.world.random.uniform(0, 7200))
    run.at_office("trim", lambda: run.office.office.write(lambda tx: feed.trim(tx.connection, tx.now - back)))


def enrol_again(run: Run) -> None:
    """IT enrols a fenced workstation again, sometimes one that is not."""
    fenced = [w for w in run.windows if w.fenced and not w.twin]
    window = run.world.random.choice(fenced) if fenced else run.a_window()
    if not window.twin and window.line.state == "up":
        window.guarded("enrol", window.enrol)


def clone(run: Run) -> None:
    """A disk is copied into a second machine; both go on."""
    originals = [w for w in run.windows if not w.twin]
    if run.twins and not any(w.twin for w in run.windows):
        window = run.world.random.choice(originals)
        run.windows.append(window.copy())
        run.truth.cloned.add(window.device.id)
        run.world.tell(f"{window.name} is cloned")


def backup(run: Run) -> None:
    run.copies.append((run.office.backup(), run.world.now))
    run.world.tell("the office is backed up")


def restore(run: Run) -> None:
    """An older copy takes the office's place; IT says so, as the manual tells."""
    if not run.copies or run.office.generation >= 2:
        return
    copy, at = run.copies.pop(run.world.random.randrange(len(run.copies)))
    run.restored(copy, at)


def poison(run: Run) -> None:
    """An error of the office's own: some cases cannot be registered until it is mended."""
    run.poisoned = 0.0 if run.poisoned else 0.3
    run.world.tell(f"poison {run.poisoned}")
    if not run.poisoned:
        run.mend()


def burst(run: Run) -> None:
    """A busy hour at one window, whatever its line does."""
    window = run.a_window()
    for _ in range(run.world.random.randrange(3, 10)):
        file(run, window)
    window.guarded("print", lambda: printing.run(window.desk))


def hostile(run: Run) -> None:
    run.stranger.act()


MOVES: tuple[tuple[Move, float], ...] = (
    (work, 34),
    (sync, 22),
    (tickets, 6),
    (time, 7),
    (papers, 5),
    (void, 3),
    (reprint, 1),
    (supervisor, 1),
    (accept_later, 2),
    (purge, 1),
    (lost_card, 0.7),
    (corrupt, 0.5),
    (issue, 2.5),
    (line, 5),
    (late, 3),
    (kill, 1.5),
    (burst, 1.5),
    (clock, 0.7),
    (retire, 0.5),
    (renew_items, 0.7),
    (people_change, 0.3),
    (trim, 1),
    (enrol_again, 0.8),
    (clone, 0.2),
    (backup, 0.8),
    (restore, 0.5),
    (poison, 0.8),
    (hostile, 3),
)
