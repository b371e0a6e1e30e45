"""Working without the office on its signed word: grants, lock-outs, clocks, and acts that take two."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, timedelta

import pytest
from desk_kit import (
    CHIEF,
    CLERK,
    DEVICE,
    FRIDAY,
    ITEM,
    PERSON,
    RIGHTS,
    Bench,
    bench,
    operator,
)

from clerk_app.desk import (
    acceptance,
    calling,
    correction,
    drafting,
    following,
    proving,
    rights,
    second_person,
    sign_in,
    standing,
    time_seen,
)
from clerk_app.desk.ports import AuditAct, Operator, Seal
from clerk_app.desk.second_person import Approval
from clerk_app.domain.case import Case, LegalState, MaterialMode
from clerk_app.failures import Failure
from tests import office_seal

DAYS_3 = FRIDAY + timedelta(hours=72)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def hall() -> Iterator[Bench]:
    with bench() as made:
        yield made


def refused(code: str) -> pytest.RaisesExc[Failure]:
    return pytest.raises(Failure, match=f"^{code}")


def known(hall: Bench, **changes: object) -> None:
    """CLERK signed in here online; then somebody changed the row."""
    sign_in.sign_in(hall.desk, CLERK, "right")
    hall.offline()

    def change(tx: object) -> None:
        kept, verifier = tx.operators.get(CLERK)
        tx.operators.save(replace(kept, **changes), verifier)

    hall.store.write(change)


def acts(hall: Bench) -> list[AuditAct]:
    span = FRIDAY - timedelta(days=9), FRIDAY + timedelta(days=9)
    return list(hall.store.read(lambda tx: tx.audit.acts(*span)))


# --- the office's signature --------------------------------------------------------------------------------


def test_rights_and_time_come_from_the_signature_whatever_the_row_says(hall: Bench) -> None:
    hall.office.rights = frozenset({"call"})
    known(hall, rights=RIGHTS, grant_until=DAYS_3 + timedelta(days=300))
    signed_in = sign_in.sign_in(hall.desk, CLERK, "right")
    assert (signed_in.rights, signed_in.grant_until) == ({"call"}, DAYS_3)
    with refused("DESK-RIGHT"):
        hall.store.read(lambda tx: rights.require(tx, CLERK, rights.VOID))
    assert not rights.has(hall.desk, CLERK, rights.ACCEPT)
    hall.clock.advance(timedelta(hours=73))
    with refused("SIGN-IN-EXPIRED"):
        sign_in.sign_in(hall.desk, CLERK, "right")


FORGED = {
    "none": None,
    "of another workstation": office_seal.grant("device-2", CLERK, RIGHTS, DAYS_3, FRIDAY),
    "of another clerk": office_seal.grant(DEVICE.id, CHIEF, RIGHTS, DAYS_3, FRIDAY),
    "of something else": office_seal.seal(
        what="lease", device=DEVICE.id, staff_no=CLERK, rights=sorted(RIGHTS), not_after=DAYS_3.isoformat()
    ),
    "without a time": office_seal.seal(what="grant", device=DEVICE.id, staff_no=CLERK, rights=[]),
    "signed by nobody": Seal(office_seal.grant(DEVICE.id, CLERK, RIGHTS, DAYS_3, FRIDAY).text, "00" * 64),
}


@pytest.mark.parametrize("forged", FORGED)
def test_without_the_offices_signature_nobody_signs_in_and_nothing_is_allowed(
    hall: Bench, forged: str
) -> None:
    known(hall, grant=FORGED[forged])
    with refused("SIGN-IN-NOT-KNOWN"):
        sign_in.sign_in(hall.desk, CLERK, "right")
    with refused("DESK-RIGHT"):
        hall.store.read(lambda tx: rights.require(tx, CLERK, rights.ACCEPT))


def test_until_when_one_may_sign_in_is_told_in_the_halls_time(hall: Bench) -> None:
    """The office signs its moments as UTC."""
    clerk = operator(CLERK, RIGHTS, DAYS_3.astimezone(UTC))
    known(hall, grant=clerk.grant)
    lines = standing.standing(hall.desk, clerk, hall.desk.link()).lines
    [told] = [line.values for line in lines if line.what == "standing.sign_in"]
    assert [(name, f"{time:%d %H:%M}") for name, time in told] == [("time", "23 16:55")]


def test_a_longer_grant_with_the_old_signature_is_none(hall: Bench) -> None:
    real = operator(CLERK, RIGHTS, DAYS_3).grant
    longer = office_seal.grant(DEVICE.id, CLERK, RIGHTS, DAYS_3 + timedelta(days=30), FRIDAY)
    known(hall, grant=Seal(longer.text, real.seal))
    with refused("SIGN-IN-NOT-KNOWN"):
        sign_in.sign_in(hall.desk, CLERK, "right")


def test_a_workstation_enrolled_before_there_were_signatures_needs_the_office_once(hall: Bench) -> None:
    hall.store.write(lambda tx: tx.meta.set_device(replace(DEVICE, seal_key="")))
    sign_in.sign_in(hall.desk, CLERK, "right")
    hall.store.read(lambda tx: rights.require(tx, CLERK, rights.ACCEPT))  # at work, with the office
    hall.offline()
    with refused("SIGN-IN-NOT-KNOWN"):
        sign_in.sign_in(hall.desk, CLERK, "right")
    hall.store.write(lambda tx: tx.meta.set_device(DEVICE))
    assert sign_in.sign_in(hall.desk, CLERK, "right").rights == RIGHTS


def test_an_answer_under_another_key_is_told_at_once_and_not_kept(hall: Bench) -> None:
    hall.store.write(lambda tx: tx.meta.set_device(replace(DEVICE, seal_key="ab" * 32)))
    hall.office.passwords["2048"] = "new"
    with refused("SYNC-SEAL"):
        sign_in.sign_in(hall.desk, "2048", "new")
    assert hall.store.read(lambda tx: tx.operators.get("2048")) is None


def test_nothing_is_done_under_a_grant_that_has_run_out(hall: Bench) -> None:
    """The office would refuse it: the citizen must not leave with its slip."""
    hall.store.write(lambda tx: time_seen.note(tx, DAYS_3))
    hall.store.read(lambda tx: rights.require(tx, CLERK, rights.CALL))
    hall.store.write(lambda tx: time_seen.note(tx, DAYS_3, ran=60))
    with refused("SIGN-IN-OVER"):
        hall.store.read(lambda tx: rights.require(tx, CLERK, rights.CALL))


# --- clocks ------------------------------------------------------------------------------------------------


def test_what_the_program_ran_counts_while_the_clock_stands_back(hall: Bench) -> None:
    sign_in.sign_in(hall.desk, CLERK, "right")
    hall.offline()
    hall.clock.advance(timedelta(days=-1))
    for _ in range(73):
        hall.store.write(lambda tx: time_seen.note(tx, hall.clock.now(), ran=3600))
    with refused("SIGN-IN-EXPIRED"):
        sign_in.sign_in(hall.desk, CLERK, "right")
    hall.store.write(lambda tx: time_seen.confirm(tx, FRIDAY))  # the office says what time it is
    assert sign_in.sign_in(hall.desk, CLERK, "right").staff_no == CLERK


@pytest.mark.parametrize("jump", [timedelta(days=-1), timedelta(hours=-1)])
def test_a_clock_turned_back_neither_ends_nor_lengthens_a_lock_out(hall: Bench, jump: timedelta) -> None:
    known(hall)
    for code in 4 * ["SIGN-IN-WRONG"] + ["SIGN-IN-LOCKED"]:
        with refused(code):
            sign_in.sign_in(hall.desk, CLERK, "wrong")
    hall.clock.advance(jump)
    with refused("SIGN-IN-LOCKED"):
        sign_in.sign_in(hall.desk, CLERK, "right")
    hall.store.write(lambda tx: time_seen.note(tx, hall.clock.now(), ran=15 * 60))
    assert sign_in.sign_in(hall.desk, CLERK, "right").staff_no == CLERK


def test_a_colleagues_sign_in_online_under_a_clock_turned_back_revives_no_grant(hall: Bench) -> None:
    sign_in.sign_in(hall.desk, CHIEF, "chief")
    hall.clock.at = later = FRIDAY + timedelta(days=5)
    hall.offline()
    with refused("SIGN-IN-EXPIRED"):
        sign_in.sign_in(hall.desk, CHIEF, "chief")
    hall.clock.at = FRIDAY + timedelta(hours=1)  # turned back, and the office asked for nothing but this
    hall.online()
    signed = office_seal.grant(DEVICE.id, CLERK, RIGHTS, later + timedelta(hours=72), later)
    until = later + timedelta(hours=72)
    hall.office._operator = lambda staff_no: Operator(staff_no, "王芳", RIGHTS, until, "Wang Fang", signed)
    sign_in.sign_in(hall.desk, CLERK, "right")
    hall.offline()
    with refused("SIGN-IN-EXPIRED"):
        sign_in.sign_in(hall.desk, CHIEF, "chief")
    with refused("SIGN-IN-OVER"):
        hall.store.read(lambda tx: rights.require(tx, CHIEF, rights.VOID))


def test_an_attempt_counts_before_it_is_looked_at(hall: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ending the program in the middle of an attempt does not give another one."""
    known(hall)

    def killed(verifier: str, password: str) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(proving, "_verify", killed)
    for _ in range(5):
        with pytest.raises(KeyboardInterrupt):
            sign_in.sign_in(hall.desk, CLERK, "guess")
    monkeypatch.undo()
    with refused("SIGN-IN-LOCKED"):
        sign_in.sign_in(hall.desk, CLERK, "right")


# --- the locked window -------------------------------------------------------------------------------------


def test_a_locked_window_is_opened_by_its_clerk_with_and_without_the_office(hall: Bench) -> None:
    sign_in.sign_in(hall.desk, CLERK, "right")
    sign_in.lock(hall.desk, CLERK, idle=True)
    sign_in.unlock(hall.desk, CLERK, "right")
    hall.offline()
    sign_in.lock(hall.desk, CLERK, idle=False)
    with refused("SIGN-IN-WRONG"):
        sign_in.unlock(hall.desk, CLERK, "wrong")
    assert sign_in.unlock(hall.desk, CLERK, "right").rights == RIGHTS
    told = [(act.act, act.subject) for act in acts(hall)]
    assert told == [
        ("sign-in", "online"),
        ("lock", "idle"),
        ("unlock", "online"),
        ("lock", "asked"),
        ("unlock", "offline"),
    ]


def test_five_wrong_passwords_keep_it_locked(hall: Bench) -> None:
    known(hall)
    for code in 4 * ["SIGN-IN-WRONG"] + ["SIGN-IN-LOCKED"]:
        with refused(code):
            sign_in.unlock(hall.desk, CLERK, "wrong")
    with refused("SIGN-IN-LOCKED"):
        sign_in.unlock(hall.desk, CLERK, "right")


@pytest.mark.parametrize("reachable", [True, False])
def test_another_clerk_takes_over_and_the_visit_stays_with_whom_it_was(hall: Bench, reachable: bool) -> None:
    sign_in.sign_in(hall.desk, CHIEF, "chief")
    sign_in.sign_in(hall.desk, CLERK, "right")
    visit = calling.call_next(hall.desk, CLERK)
    if not reachable:
        hall.offline()
    with refused("SIGN-IN-WRONG"):
        sign_in.change(hall.desk, CLERK, CHIEF, "no")
    assert sign_in.change(hall.desk, CLERK, f" {CHIEF} ", "chief").staff_no == CHIEF
    assert [(a.actor, a.act) for a in acts(hall)][-2:] == [(CLERK, "sign-out"), (CHIEF, "sign-in")]
    whose = hall.office.sessions[-1]
    assert whose == (CHIEF if reachable else ""), "nobody acts in the session of somebody who has left"
    assert hall.store.read(lambda tx: tx.visits.current(CLERK)).id == visit.id
    assert hall.store.read(lambda tx: tx.visits.current(CHIEF)) is None


# --- a second person ---------------------------------------------------------------------------------------


@pytest.fixture
def filed(hall: Bench) -> Case:
    """A case filed here; both clerks signed in before, then the office went out of reach."""
    for staff_no, password in ((CHIEF, "chief"), (CLERK, "right")):
        sign_in.sign_in(hall.desk, staff_no, password)
    calling.call_next(hall.desk, CLERK)
    draft = drafting.open_draft(hall.desk, CLERK)
    drafting.applicant_from_card(hall.desk, draft, PERSON)
    drafting.choose_item(hall.desk, draft, ITEM.implementation.code)
    drafting.fill(hall.desk, draft, "phone", "13800001234")
    drafting.hand(hall.desk, draft, "id", MaterialMode.SEEN)
    case = acceptance.accept(hall.desk, draft)
    hall.offline()
    return case


def approve(
    hall: Bench, case: Case, staff_no: str = CHIEF, password: str = "chief"
) -> second_person.Approval:
    return second_person.approve(hall.desk, CLERK, staff_no, password, rights.VOID, case.id)


def test_without_the_office_a_case_is_voided_by_two(hall: Bench, filed: Case) -> None:
    with refused("DESK-SECOND-PERSON"):
        correction.void(hall.desk, filed.id, "重复", CLERK)
    sessions = list(hall.office.sessions)
    correction.void(hall.desk, filed.id, "重复", CLERK, approve(hall, filed))
    assert hall.office.sessions == sessions, "the clerk's own session stays"
    command = hall.store.read(lambda tx: tx.outbox.pending())[-1]
    assert (command.type, command.schema, command.body["approved_by"]) == ("case.void", 2, CHIEF)
    record = hall.store.read(lambda tx: [r for r in tx.audit.after(0, 99) if r.act == "second-person"])
    assert [(r.actor, r.subject, r.detail) for r in record] == [(CLERK, filed.number, CHIEF)]


def test_with_the_office_the_clerks_own_right_is_enough(hall: Bench, filed: Case) -> None:
    hall.online()
    correction.void(hall.desk, filed.id, "重复", CLERK)
    assert hall.store.read(lambda tx: tx.outbox.pending())[-1].body["approved_by"] == ""


def test_the_office_says_who_the_second_person_is_when_it_answers_by_then(hall: Bench, filed: Case) -> None:
    hall.office.failure = ""  # the link does not know it yet
    hall.office.passwords["3001"] = "new here"
    with refused("SIGN-IN-WRONG"):
        approve(hall, filed, "3001", "guess")
    approval = approve(hall, filed, "3001", "new here")
    correction.void(hall.desk, filed.id, "重复", CLERK, approval)
    assert hall.store.read(lambda tx: tx.outbox.pending())[-1].body["approved_by"] == "3001"


def test_nobody_approves_his_own_act(hall: Bench, filed: Case) -> None:
    with refused("DESK-SECOND-SAME"):
        approve(hall, filed, f" {CLERK}", "right")
    own = Approval(CLERK, rights.VOID, filed.id, hall.clock.now())
    with refused("DESK-SECOND-PERSON"):
        correction.void(hall.desk, filed.id, "重复", CLERK, own)


def test_who_may_not_void_may_not_approve_it(hall: Bench, filed: Case) -> None:
    hall.store.write(lambda tx: _weaken(tx, CHIEF))
    with refused("DESK-SECOND-RIGHT"):
        approve(hall, filed)
    claimed = Approval(CHIEF, rights.VOID, filed.id, hall.clock.now())
    with refused("DESK-RIGHT"):
        correction.void(hall.desk, filed.id, "重复", CLERK, claimed)
    assert _state(hall, filed) is LegalState.ACCEPTED


def _weaken(tx: object, staff_no: str) -> None:
    kept, verifier = tx.operators.get(staff_no)
    less: Operator = operator(staff_no, frozenset({"call"}), kept.grant_until)
    tx.operators.save(less, verifier)


def test_an_approval_is_for_one_case_and_for_now(hall: Bench, filed: Case) -> None:
    approval = approve(hall, filed)
    for other in (
        replace(approval, case_id="another"),
        replace(approval, right=rights.ISSUE),
        replace(approval, at=approval.at - 6 * MINUTE),
    ):
        with refused("DESK-SECOND-PERSON"):
            correction.void(hall.desk, filed.id, "重复", CLERK, other)
    assert _state(hall, filed) is LegalState.ACCEPTED
    assert "second-person" not in [act.act for act in acts(hall)], "what was not done is not approved"


def _state(hall: Bench, case: Case) -> LegalState:
    return hall.store.read(lambda tx: tx.cases.get(case.id)).legal_state


def test_five_wrong_passwords_lock_that_person_not_the_clerk(hall: Bench, filed: Case) -> None:
    for code in 4 * ["SIGN-IN-WRONG"] + ["SIGN-IN-LOCKED"]:
        with refused(code):
            approve(hall, filed, password="wrong")
    with refused("SIGN-IN-LOCKED"):
        approve(hall, filed)
    assert sign_in.unlock(hall.desk, CLERK, "right").staff_no == CLERK
    assert len(following.outbox(hall.desk)) == 2
