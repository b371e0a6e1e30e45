"""What IT does with a closed window: the outbox carried in a file, the key that was lost; and twins."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from kept_window import KeptWindow
from office_hall import Hall, served
from sqlalchemy import delete
from store_samples import NOW
from sync_window import Tokens, registered_numbers

from back_office import devices
from clerk_app import cli, upkeep
from clerk_app.desk.ports import Attachment, Check, CommandState, Level
from clerk_app.doctor import standing
from clerk_app.doctor.rounds import Rounds
from clerk_app.domain.case import Case, LegalState, SyncState
from clerk_app.domain.ids import uuid7
from clerk_app.failures import Failure
from clerk_app.store import recovery
from clerk_app.store.cache import SqlStore
from clerk_app.store.tables import cases
from clerk_app.store.transaction import SqlTransaction
from clerk_app.sync import carrying

NAME = "李晓明"
IDENTITY = "510704199001011233"


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    with served(tmp_path / "office") as one:
        yield one


@pytest.fixture
def window(hall: Hall, tmp_path: Path) -> KeptWindow:
    """Closed, with one registered case and three that the office has not got."""
    one = KeptWindow(hall, tmp_path / "window").work()
    one.cycle()
    one.file()
    one.cycle()
    for _ in range(3):
        one.file()
    one.close()
    return one


def recovery_code(hall: Hall, window: KeptWindow) -> str:
    return hall.server.office.write(lambda tx: devices.new_recovery_code(tx, window.device.id))[0]


def refused(code: str) -> pytest.RaisesExc[Failure]:
    return pytest.raises(Failure, match=f"^{code}")


def add_page(window: KeptWindow, case: Case, content: bytes) -> None:
    digest = hashlib.sha256(content).hexdigest()
    page = Attachment(uuid7(), case.id, "id", 1, 100, 100, len(content), digest, NOW, "camera")
    window.store.write(lambda tx: tx.attachments.add(page, content))


# --- the outbox in a file ------------------------------------------------------------------------------


def test_what_waits_is_listed_and_nobody_is_named(
    window: KeptWindow, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(upkeep, "upkeep", lambda _: window.upkeep())
    assert cli.main(["outbox", "list"]) == 0
    told = capsys.readouterr().out
    assert told.count("case.file") == 3
    assert "3 unsent, 0 refused, 0 held, 0 pages to upload" in told
    assert cli.main(["outbox", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert (listed["device"], listed["unsent"]) == (window.device.id, 3)
    assert [line["seq"] for line in listed["commands"]] == [2, 3, 4]
    for word in (NAME, IDENTITY, "测试路"):
        assert word not in told + json.dumps(listed, ensure_ascii=False)


def test_an_open_window_is_told_not_disturbed(window: KeptWindow, tmp_path: Path) -> None:
    window.work(signed_in=False)
    for act in (window.upkeep().outbox, lambda: window.upkeep().export(tmp_path / "out")):
        with refused("STORE-IN-USE"):
            act()
    window.close()


def test_a_workstation_that_was_never_enrolled(tmp_path: Path) -> None:
    here = SimpleNamespace(key=None)
    with refused("SETTINGS-NOT-ENROLLED"):
        upkeep.Upkeep(SimpleNamespace(folder=tmp_path), here, here).outbox()  # type: ignore[arg-type]


def test_an_export_is_carried_by_another_workstation_and_registered_once(
    hall: Hall, window: KeptWindow, tmp_path: Path
) -> None:
    file = tmp_path / "outbox.clerk"
    assert window.upkeep().export(file) == upkeep.Exported(3, 0, 1)
    other = KeptWindow(hall, tmp_path / "other", "综合窗口13")
    carried = other.upkeep().carry(file)
    assert (carried.device, carried.applied, carried.refused, carried.held) == (window.device.id, 3, 0, 0)
    assert len(registered_numbers(hall)) == 4
    assert other.upkeep().carry(file) == carried  # again: the same answer, nothing doubled
    assert len(registered_numbers(hall)) == 4


def test_an_export_is_not_carried_by_its_own_workstation(
    hall: Hall, window: KeptWindow, tmp_path: Path
) -> None:
    """It would close its own epoch, for what goes up by itself."""
    first, second = tmp_path / "first", tmp_path / "second"
    for file in (first, second):
        window.upkeep().export(file)
    for file in (first, second):
        with refused("SYNC-OWN-EXPORT"):
            window.upkeep().carry(file)
    window.work(signed_in=False).cycle()
    assert window.unsent() == 0
    window.close()


def test_with_nothing_to_export_no_file_is_written(window: KeptWindow, tmp_path: Path) -> None:
    window.work(signed_in=False).cycle()
    window.close()
    assert window.upkeep().export(tmp_path / "out") == upkeep.Exported(0, 0, 0)
    assert not (tmp_path / "out").exists()


def test_the_origin_is_fenced_and_after_enrolling_again_gets_the_stored_answers(
    hall: Hall, window: KeptWindow, tmp_path: Path
) -> None:
    window.upkeep().export(tmp_path / "out")
    KeptWindow(hall, tmp_path / "other", "综合窗口13").upkeep().carry(tmp_path / "out")
    window.work(signed_in=False)
    with refused("SYNC-"):
        window.cycle()
    assert window.unsent() == 3
    window.close()
    window.enrol_here(hall, window.device.id)
    window.work().cycle()
    window.cycle()
    assert window.unsent() == 0
    states = window.store.read(lambda tx: {case.sync_state for case in tx.cases.recent()})
    assert states == {SyncState.REGISTERED}
    assert len(registered_numbers(hall)) == 4
    window.close()


def test_the_file_tells_nothing_and_only_this_account_reads_it(window: KeptWindow, tmp_path: Path) -> None:
    window.work(signed_in=False)
    (newest, *_) = window.store.read(lambda tx: tx.cases.recent())
    add_page(window, newest, b"\xff\xd8" + NAME.encode() * 100)
    window.close()
    file = tmp_path / "out"
    assert window.upkeep().export(file) == upkeep.Exported(3, 1, 2)
    content = file.read_bytes()
    for line in content.splitlines():
        for word in (NAME, IDENTITY, newest.number, window.device.id, window.token):
            assert word.encode() not in content
            assert word.encode() not in carrying.base64.b64decode(line)
    assert file.stat().st_mode & 0o777 == 0o600


def test_pages_travel_in_envelopes_of_their_own(
    window: KeptWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hall: Hall
) -> None:
    monkeypatch.setattr(carrying, "PART_BYTES", 250)
    window.work(signed_in=False)
    for case in window.store.read(lambda tx: tx.cases.recent()):
        add_page(window, case, os.urandom(100))
    window.close()
    assert window.upkeep().export(tmp_path / "out") == upkeep.Exported(3, 4, 3)  # 2 pages a part
    carried = KeptWindow(hall, tmp_path / "other", "综合窗口13").upkeep().carry(tmp_path / "out")
    assert carried.applied == 3


def test_an_export_replaces_no_file_and_leaves_none_behind_when_it_fails(
    window: KeptWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there").write_text("somebody's")
    with refused("SYNC-EXPORT-FILE"):
        window.upkeep().export(tmp_path / "there")
    assert (tmp_path / "there").read_text() == "somebody's"
    with refused("SYNC-EXPORT-FILE"):
        window.upkeep().export(tmp_path / "nowhere" / "out")
    monkeypatch.setattr(carrying.envelope, "close", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        window.upkeep().export(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_export_is_in_the_audit(window: KeptWindow, tmp_path: Path) -> None:
    window.upkeep().export(tmp_path / "out")
    window.work(signed_in=False)
    acts = window.store.read(lambda tx: [record.act for record in tx.audit.after(0, 100)])
    assert acts[-1] == "outbox-export"
    assert window.store.read(lambda tx: tx.audit.verify()) == len(acts)
    window.close()


@pytest.mark.parametrize("content", [b"", b"hello", b"aGVsbG8=\n", b"\xff\xfe"])
def test_a_file_that_is_no_export_is_refused_before_anything_is_sent(
    window: KeptWindow, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "out").write_bytes(content)
    with refused("SYNC-NOT-EXPORT"):
        window.upkeep().carry(tmp_path / "out")


def test_an_export_cut_at_its_end_is_refused_by_the_office(
    hall: Hall, window: KeptWindow, tmp_path: Path
) -> None:
    window.upkeep().export(tmp_path / "out")
    whole = (tmp_path / "out").read_bytes()
    (tmp_path / "out").write_bytes(whole[: len(whole) // 8 * 4])
    other = KeptWindow(hall, tmp_path / "other", "综合窗口13")
    with refused("OFFICE-ENVELOPE"):
        other.upkeep().carry(tmp_path / "out")
    assert len(registered_numbers(hall)) == 1


# --- the key that was lost -----------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["lose", "change"])
def test_a_lost_key_is_recovered_with_everything_unsent(hall: Hall, window: KeptWindow, how: str) -> None:
    getattr(window.key, how)()
    with refused("STORE-KEY-LOST" if how == "lose" else "STORE-WRONG-KEY"):
        SqlStore.open(window.cache, window.key)
    window.tokens.kept.clear()  # it was in the same keyring
    found = window.upkeep().recover(recovery_code(hall, window))
    assert (found.state.unsent, found.device.id) == (3, window.device.id)
    window.work(signed_in=False).cycle()
    assert window.unsent() == 0
    assert len(registered_numbers(hall)) == 4
    acts = window.store.read(lambda tx: [record.act for record in tx.audit.after(0, 100)])
    assert "key-recover" in acts
    window.close()


def test_the_file_alone_opens_nothing(window: KeptWindow) -> None:
    wrapped = (window.cache / recovery.FILE).read_text()
    key = window.key.key(create=False)
    assert key.hex() not in wrapped
    assert (window.cache / recovery.FILE).stat().st_mode & 0o777 == 0o600
    with refused("STORE-NO-RECOVERY"):
        recovery.unwrap(window.cache, os.urandom(32))


def test_a_wrong_or_used_code_changes_nothing(hall: Hall, window: KeptWindow) -> None:
    window.key.lose()
    with refused("SYNC-CODE|^OFFICE-"):
        window.upkeep().recover("WRONG-CODE")
    code = recovery_code(hall, window)
    window.upkeep().recover(code)
    window.key.lose()
    with refused("SYNC-CODE|^OFFICE-"):
        window.upkeep().recover(code)
    assert window.key.kept is None


def test_without_the_file_no_code_is_spent(hall: Hall, window: KeptWindow) -> None:
    content = (window.cache / recovery.FILE).read_bytes()
    code = recovery_code(hall, window)
    window.key.lose()
    for broken in (None, b"{", content.replace(b'"epoch":', b'"other":')):
        (window.cache / recovery.FILE).unlink(missing_ok=True)
        if broken is not None:
            (window.cache / recovery.FILE).write_bytes(broken)
        with refused("STORE-NO-RECOVERY"):
            window.upkeep().recover(code)
    (window.cache / recovery.FILE).write_bytes(content)
    assert window.upkeep().recover(code).state.unsent == 3


def test_a_code_for_another_workstation_shuts_that_one_out_of_nothing(
    hall: Hall, window: KeptWindow, tmp_path: Path
) -> None:
    other = KeptWindow(hall, tmp_path / "other", "综合窗口13").work()
    code = recovery_code(hall, other)
    window.key.lose()
    with refused("SYNC-CODE|OFFICE-CODE"):
        window.upkeep().recover(code)
    other.cycle()  # at work all the while, with the token it had
    other.close()
    other.key.lose()
    other.upkeep().recover(code)  # read out at the right one it is still good


def test_a_file_moved_from_another_epoch_or_device_does_not_open(window: KeptWindow) -> None:
    key, wrapping = window.key.key(create=False), os.urandom(32)
    recovery.wrap(window.cache, key, wrapping, device="dev", epoch=1)
    assert recovery.unwrap(window.cache, wrapping) == key
    told = json.loads((window.cache / recovery.FILE).read_text())
    for change in ({"device": "other"}, {"epoch": 2}, {"key_id": "0" * 16}):
        (window.cache / recovery.FILE).write_text(json.dumps(told | change))
        with refused("STORE-NO-RECOVERY"):
            recovery.unwrap(window.cache, wrapping)


def test_a_new_enrolment_wraps_the_key_anew(hall: Hall, window: KeptWindow) -> None:
    before = json.loads((window.cache / recovery.FILE).read_text())
    window.enrol_here(hall, window.device.id)
    after = json.loads((window.cache / recovery.FILE).read_text())
    assert (before["epoch"], after["epoch"]) == (1, 2)
    window.key.lose()
    assert window.upkeep().recover(recovery_code(hall, window)).state.unsent == 3


@pytest.mark.keyring
def test_with_a_real_secret_service_whose_entry_is_deleted_and_changed(tmp_path: Path) -> None:
    script = (
        "printf x | gnome-keyring-daemon --unlock --components=secrets "
        '--control-directory="$HOME" >"$HOME/log"; exec "$0" "$@"'
    )
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    child = Path(__file__).with_name("recovery_child.py")
    told = subprocess.run(
        ["dbus-run-session", "--", "sh", "-c", script, sys.executable, str(child), str(tmp_path)],
        env=environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert json.loads(told.stdout.splitlines()[-1]) == {
        "deleted": "STORE-KEY-LOST",
        "after deletion": 1,
        "changed": "STORE-WRONG-KEY",
        "after change": 1,
        "registered": 1,
    }


def test_an_export_of_everything_goes_on_behind_what_retention_took(
    hall: Hall, window: KeptWindow, tmp_path: Path
) -> None:
    window.work(signed_in=False)
    window.cycle()

    def purge(tx: SqlTransaction) -> None:
        """Two cases in the middle have left, with their commands; a newer one has not."""
        gone = [c for c in tx.outbox.since(1) if c.seq in (1, 3)]
        for command in gone:
            tx._statements.execute(delete(cases).where(cases.c.id == command.aggregate))
        assert tx.retention.rest(gone[-1].at + timedelta(seconds=1))

    window.store.write(purge)
    window.file()
    window.close()
    assert window.upkeep().export(tmp_path / "out", everything=True).commands == 3
    carried = KeptWindow(hall, tmp_path / "other", "综合窗口13").upkeep().carry(tmp_path / "out")
    assert (carried.applied, carried.refused, carried.held) == (3, 0, 0)
    assert len(registered_numbers(hall)) == 5


def test_an_open_window_stays_at_work_and_the_code_is_not_spent(hall: Hall, window: KeptWindow) -> None:
    """The office would end its token with the answer, and what it has not sent would wait for IT."""
    code = recovery_code(hall, window)
    window.work()
    with refused("STORE-IN-USE"):
        window.upkeep().recover(code)
    assert window.tokens.kept == {window.device.id: window.token}
    window.cycle()
    assert window.unsent() == 0
    window.close()
    assert window.upkeep().recover(code).device == window.device


def test_no_window_opens_while_a_key_is_recovered(hall: Hall, window: KeptWindow) -> None:
    restore, met = window.key.restore, []

    def try_the_door(key: bytes) -> None:
        restore(key)
        with refused("STORE-IN-USE") as met_here:
            SqlStore.open(window.cache, window.key)
        met.append(met_here.value.code)

    window.key.lose()
    window.key.restore = try_the_door
    window.upkeep().recover(recovery_code(hall, window))
    assert met == ["STORE-IN-USE"]
    window.work(signed_in=False).close()  # and it opens after


# --- the cache that was damaged ------------------------------------------------------------------------


def salvaged(window: KeptWindow, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(upkeep, "upkeep", lambda _: window.upkeep())
    return cli.main(["recover", "--salvage"])


def test_a_cache_that_is_whole_is_not_called_damaged(
    window: KeptWindow, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(file.name for file in window.cache.glob("*.db"))
    assert salvaged(window, monkeypatch) == 0
    assert capsys.readouterr().out == "The cache is not damaged. Nothing was done.\n"
    assert sorted(file.name for file in window.cache.glob("*.db")) == before
    window.work(signed_in=False).cycle()
    assert window.unsent() == 0
    window.close()


def test_what_was_lost_is_not_understated(
    window: KeptWindow, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Eleven cases, and a run of pages overwritten: the cases' table among them."""
    window.work()
    for _ in range(7):
        window.file()
    window.close()
    with (window.cache / "cache.db").open("r+b") as file:
        file.seek(8192)
        file.write(bytes(40960 - 8192))
    assert salvaged(window, monkeypatch) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("Rescued 0 cases and ")
    assert told[1].startswith("Not read to the end: ")
    assert " cases" in told[1]
    assert told[1].endswith("How many rows are missing there is not known.")
    assert told[2] == "Case numbers given out here whose cases are missing: 11."
    assert not [line for line in told if "Could not be read: 1 in" in line]


def test_where_there_is_no_cache_it_says_enrol(
    window: KeptWindow, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(window.cache)
    assert salvaged(window, monkeypatch) == 2
    assert capsys.readouterr().err.startswith("SETTINGS-NOT-ENROLLED: ")


# --- what the doctor says of the enrolment -------------------------------------------------------------


def enrolment(window: KeptWindow) -> Check:
    told: list[Check] = []
    looks = standing.stored(window.settings, window.key, window.tokens)
    Rounds(lambda _: looks).run(told.append)
    return next(check for check in told if check.key == "enrolment")


def test_the_doctor_says_that_the_office_took_the_enrolment_back(hall: Hall, window: KeptWindow) -> None:
    assert enrolment(window).level is Level.OK
    hall.server.office.write(lambda tx: devices.revoke(tx, window.device.id))
    told = enrolment(window)
    assert (told.level, told.code) == (Level.FAIL, "SYNC-REVOKED")


def test_the_doctor_says_that_it_was_enrolled_elsewhere(hall: Hall, window: KeptWindow) -> None:
    KeptWindow.enrol_here(elsewhere(window), hall, window.device.id)
    told = enrolment(window)
    assert (told.level, told.code) == (Level.FAIL, "SYNC-FENCED")


def test_the_doctor_says_that_the_office_knows_no_such_token(window: KeptWindow) -> None:
    window.tokens.kept[window.device.id] = "of another office"
    assert enrolment(window).code == "SYNC-RIGHTS"


def test_an_office_that_does_not_answer_says_nothing_against_an_enrolment(window: KeptWindow) -> None:
    window.settings = replace(window.settings, office_url="http://127.0.0.1:1")
    assert enrolment(window).level is Level.OK


def elsewhere(window: KeptWindow) -> KeptWindow:
    """A copy of the workstation's folder and keyring on another machine."""
    folder = window.settings.folder.with_name("elsewhere")
    shutil.copytree(window.settings.folder, folder)
    twin = KeptWindow.__new__(KeptWindow)
    twin.__dict__.update(window.__dict__)
    twin.settings, twin.tokens = replace(window.settings, folder=folder), Tokens()
    return twin


# --- enrolled again ------------------------------------------------------------------------------------


def test_a_code_for_a_new_device_leaves_a_workstation_that_has_worked_as_it_was(
    hall: Hall, window: KeptWindow
) -> None:
    before, kept = window.device, dict(window.tokens.kept)
    recovery_file = (window.cache / recovery.FILE).read_bytes()
    with refused("SETTINGS-OTHER-DEVICE") as met:
        window.enrol_here(hall)
    (unused,) = (row.id for row in hall.rows("SELECT id FROM device") if row.id != before.id)
    assert f"back-office device revoke {unused}" in met.value.detail
    assert before.id in met.value.detail
    assert window.tokens.kept == kept
    assert (window.cache / recovery.FILE).read_bytes() == recovery_file
    window.work(signed_in=False)
    window.cycle()
    assert window.store.read(lambda tx: (tx.meta.device().id, tx.outbox.pending())) == (before.id, ())
    window.close()
    assert len(registered_numbers(hall)) == 4


def test_a_salvaged_cache_goes_on_as_its_own_device_only(hall: Hall, window: KeptWindow) -> None:
    window.work(signed_in=False)
    window.store.lane.run(lambda: window.store._driver.execute("DELETE FROM device"))  # as salvage leaves it
    window.close()
    with refused("SETTINGS-OTHER-DEVICE"):
        window.enrol_here(hall)
    window.enrol_here(hall, window.device.id)
    window.work(signed_in=False).cycle()
    assert len(registered_numbers(hall)) == 4
    window.close()


def test_what_a_damaged_outbox_lost_is_filed_again_from_the_cases(hall: Hall, window: KeptWindow) -> None:
    window.work()
    voided = window.file()
    window.store.write(
        lambda tx: tx.cases.save(
            replace(tx.cases.get(voided.id), legal_state=LegalState.VOID, void_reason="重复收件")
        )
    )
    window.store.lane.run(lambda: window.store._driver.execute("DELETE FROM outbox WHERE seq > 2"))
    window.store.lane.run(lambda: window.store._driver.execute("DELETE FROM device"))  # as salvage leaves it
    window.close()
    window.enrol_here(hall, window.device.id)
    window.work()
    window.cycle()
    window.cycle()
    states = {case.sync_state for case in window.store.read(lambda tx: tx.cases.recent()) if case != voided}
    assert window.store.read(lambda tx: tx.outbox.pending()) == ()
    assert len(registered_numbers(hall)) == 4
    assert states == {SyncState.REGISTERED, SyncState.HERE}, "what is void and was never sent stays here"
    window.close()


def test_a_lost_filing_that_the_office_has_is_no_task(hall: Hall, window: KeptWindow) -> None:
    window.work()
    window.client.push = lambda request: window.connect().push(request) and (_ for _ in ()).throw(OSError())
    with pytest.raises(OSError):
        window.cycle()  # the office committed, the answer was lost
    window.store.lane.run(lambda: window.store._driver.execute("DELETE FROM outbox WHERE seq > 1"))
    window.close()
    window.enrol_here(hall, window.device.id)
    window.work()
    window.cycle()
    window.cycle()
    assert window.store.read(lambda tx: tx.outbox.pending()) == ()
    assert {c.sync_state for c in window.store.read(lambda tx: tx.cases.recent())} == {SyncState.REGISTERED}
    assert len(registered_numbers(hall)) == 4
    window.close()


# --- twins ---------------------------------------------------------------------------------------------


def test_of_two_copies_of_one_workstation_both_never_bring_different_work(
    hall: Hall, window: KeptWindow, tmp_path: Path
) -> None:
    """Fault 9: the machine was cloned. The first to push takes the sequence; the twin is stopped and told.

    Nothing of the twin is lost. Enrolled again it goes on with numbers of its own; the one case whose number
    both had printed is a task for a person.
    """
    shutil.copytree(window.settings.folder, tmp_path / "twin")
    twin = KeptWindow.__new__(KeptWindow)
    twin.__dict__.update(window.__dict__)
    twin.settings = type(window.settings)(tmp_path / "twin", office_url=hall.url)
    window.work(signed_in=False)
    mine = window.file()
    window.cycle()
    window.cycle()
    window.close()
    twin.work(signed_in=False)
    theirs = twin.file()
    assert theirs.number == mine.number  # the block was copied with the rest
    with refused("SYNC-FENCED"):
        twin.cycle()
    assert len(registered_numbers(hall)) == 5
    (kept,) = (c for c in twin.store.read(lambda tx: tx.outbox.pending()) if c.aggregate == theirs.id)
    assert kept.state in (CommandState.WAITING, CommandState.SENT)
    twin.close()
    twin.enrol_here(hall, twin.device.id)
    twin.work().cycle()
    assert twin.case(theirs).sync_state is SyncState.REFUSED  # its number is another citizen's: a person acts
    assert len(set(registered_numbers(hall))) == 5
    fresh = twin.file()
    twin.cycle()
    twin.cycle()
    assert twin.case(fresh).sync_state is SyncState.REGISTERED
    twin.close()
