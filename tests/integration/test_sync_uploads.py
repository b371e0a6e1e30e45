"""Scanned pages on their way up: the window's uploader against the real office, over lines that break."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from office_hall import HALL, Hall, served
from office_memory import forgetful
from sync_window import Window

from back_office import pages, resuming
from back_office.problems import Refused
from clerk_app.desk.ports import Attachment, CommandState
from clerk_app.domain.case import Case, LegalState, SyncState
from clerk_app.domain.ids import uuid7
from clerk_app.failures import Failure
from clerk_app.sync import uploads
from clerk_app.sync.alarms import ALARM_KEY
from clerk_app.sync.uploads import Uploader
from tests.fault_proxy import Fault, FaultProxy, Weather

HERE = Path(__file__).parent
PICTURE = bytes(range(251)) * 900  # 225,900 bytes: four pieces at first


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with served(tmp_path_factory.mktemp("office") / "data") as one:
        yield one


@pytest.fixture
def proxy(hall: Hall) -> Iterator[FaultProxy]:
    with FaultProxy(int(hall.url.rsplit(":", 1)[1])) as one:
        yield one


@pytest.fixture
def window(hall: Hall, proxy: FaultProxy) -> Iterator[Window]:
    one = Window(hall, proxy.url)
    one.cycle()
    yield one
    one.close()


def uploader(window: Window, *, read: float = 10.0, **options: Any) -> Uploader:
    def connect() -> Any:
        return window.connect(read=read)

    return Uploader(
        window.store,
        window.clock,
        connect,
        on_changed=window.changed.append,
        random=lambda: 0.05,
        **options,
    )


def add_page(window: Window, case: Case, content: bytes = PICTURE, *, number: int = 1) -> Attachment:
    digest = hashlib.sha256(content).hexdigest()
    page = Attachment(
        uuid7(), case.id, "身份证", number, 1240, 1754, len(content), digest, window.clock.now(), "camera"
    )
    window.store.write(lambda tx: tx.attachments.add(page, content))
    return page


def a_page(window: Window, content: bytes = PICTURE) -> Attachment:
    """A page of a case the office has registered."""
    case = window.file()
    page = add_page(window, case, content)
    window.cycle()
    assert window.case(case).sync_state is SyncState.REGISTERED
    return page


def at_the_office(hall: Hall, page: Attachment) -> bytes | None:
    file = pages.place(hall.folder, HALL.code, page.id)
    return file.read_bytes() if file.exists() else None


def received(hall: Hall, page: Attachment) -> int:
    found = hall.rows(f"SELECT received FROM upload WHERE id = '{page.id}'")
    return int(found[0].received) if found else 0


def left(window: Window) -> int:
    return window.store.read(lambda tx: tx.outbox.state()).pages


def until_uploaded(window: Window, up: Uploader, attempts: int = 40) -> int:
    """How many failures it took."""
    for failed in range(attempts):
        try:
            up.run()
        except Failure:
            continue
        if not left(window):
            return failed
    raise AssertionError("no progress")


def test_pages_go_up_when_their_case_is_registered(hall: Hall, window: Window) -> None:
    case = window.file()
    both = [add_page(window, case, PICTURE + bytes([number]), number=number) for number in (1, 2)]
    up = uploader(window)
    up.run()
    assert [at_the_office(hall, page) for page in both] == [None, None], "its case is not there yet"
    assert left(window) == 2
    window.cycle()
    window.changed.clear()
    up.run()
    assert [at_the_office(hall, page) for page in both] == [PICTURE + b"\1", PICTURE + b"\2"]
    assert left(window) == 0
    assert [changed.topics for changed in window.changed] == [{"outbox"}, {"outbox"}]
    up.stop()


FAULTS = [
    Fault.REFUSE,
    Fault.CUT_REQUEST,
    Fault.LOSE_ANSWER,
    Fault.CUT_ANSWER,
    Fault.HALF_OPEN,
    Fault.DEAF,
    Fault.PORTAL,
    Fault.GATEWAY,
    Fault.BUSY,
    Fault.CORRUPT,
    Fault.CORRUPT_REQUEST,
    Fault.TWICE,
]


@pytest.mark.parametrize("path", ["/v1/uploads/", "/v1/uploads"])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_whatever_breaks_once_every_byte_arrives(
    hall: Hall, window: Window, proxy: FaultProxy, fault: Fault, path: str
) -> None:
    page = a_page(window)
    up = uploader(window, read=1.0)
    proxy.set(fault, path, times=1)
    until_uploaded(window, up)
    assert proxy.met == 1
    assert at_the_office(hall, page) == PICTURE
    up.stop()


def test_after_a_cut_it_goes_on_where_it_stopped(hall: Hall, window: Window, proxy: FaultProxy) -> None:
    page = a_page(window)
    up = uploader(window)
    met = []

    def break_off(have: int) -> None:
        met.append(have)
        proxy.set(Fault.CUT_REQUEST, "/v1/uploads/", times=1)

    send = up._client.send_piece

    def counted(page: Attachment, offset: int, piece: bytes) -> int:
        have = send(page, offset, piece)
        if len(met) < 2:
            break_off(have)
        return have

    up._client.send_piece = counted  # type: ignore[method-assign]
    begun: list[int] = []
    begin = up._client.begin_page

    def told(page: Attachment) -> int:
        begun.append(begin(page))
        return begun[-1]

    up._client.begin_page = told  # type: ignore[method-assign]
    until_uploaded(window, up)
    assert begun == [0, *met], "each attempt began where the last one stopped"
    assert met == sorted(set(met))
    assert at_the_office(hall, page) == PICTURE
    up.stop()


def test_a_thin_line_gets_smaller_pieces_and_a_good_one_larger(
    hall: Hall, window: Window, proxy: FaultProxy
) -> None:
    page = a_page(window, PICTURE[:120_000])
    proxy.odds({}, Weather(bandwidth=16_384, latency=0.02))
    up = uploader(window, read=2.0)
    sizes: list[int] = []
    send = up._client.send_piece

    def measured(page: Attachment, offset: int, piece: bytes) -> int:
        sizes.append(len(piece))
        return send(page, offset, piece)

    up._client.send_piece = measured  # type: ignore[method-assign]
    until_uploaded(window, up)
    assert at_the_office(hall, page) == PICTURE[:120_000]
    first = uploads.FIRST * uploads.UNIT
    assert sizes[0] == first, "it does not know yet"
    assert max(sizes[1:]) < first
    proxy.clear()
    large = a_page(window, PICTURE * 8)
    until_uploaded(window, up)
    assert at_the_office(hall, large) == PICTURE * 8
    assert up._pace.limit > uploads.FIRST
    up.stop()


def test_a_lossy_line_with_everything_broken_by_chance(hall: Hall, window: Window, proxy: FaultProxy) -> None:
    three = [a_page(window, PICTURE + bytes([n])) for n in range(3)]
    proxy.odds(dict.fromkeys((Fault.REFUSE, Fault.CUT_REQUEST, Fault.LOSE_ANSWER, Fault.TWICE), 0.1))
    up = uploader(window, read=2.0)
    until_uploaded(window, up, 200)
    assert [at_the_office(hall, page) for page in three] == [PICTURE + bytes([n]) for n in range(3)]
    up.stop()


@pytest.mark.parametrize("point", ["begun", "piece-1", "piece-2", "piece-4", "uploaded"])
def test_a_killed_window_goes_on(hall: Hall, tmp_path: Path, point: str) -> None:
    window = Window(hall, hall.url, tmp_path / "cache")
    window.cycle()
    page = a_page(window)
    window.close()
    given = [window.url, window.token, json.dumps(asdict(window.device)), str(window.folder), point]
    run = subprocess.run(
        [sys.executable, "upload_victim.py", *given],
        cwd=HERE,
        env={"PYTHONPATH": f"{HERE.parents[1]}:{HERE}", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == -signal.SIGKILL, run.stderr
    before = received(hall, page)
    window.open()
    up = uploader(window)
    up.run()
    assert left(window) == 0
    assert at_the_office(hall, page) == PICTURE
    sent = {"begun": 0, "piece-1": 65_536, "piece-4": len(PICTURE), "uploaded": len(PICTURE)}
    assert before == sent.get(point, before)
    up.stop()
    window.close()


def test_an_office_restored_from_a_backup_gets_what_it_lacks(tmp_path: Path) -> None:
    with forgetful(tmp_path) as office:
        window = Window(office.hall, office.hall.url)
        window.cycle()
        case = window.file()
        window.cycle()
        kept = add_page(window, case, PICTURE)
        up = uploader(window)
        up.run()
        copy = office.backup()
        lost, half = add_page(window, case, PICTURE + b"2", number=2), a_page(window, PICTURE + b"3")
        up.run()
        assert left(window) == 0
        up.stop()
        office.restore(copy)
        shutil.rmtree(office.hall.folder / "uploads")  # the files were lost too, but one
        pages.place(office.hall.folder, HALL.code, kept.id).parent.mkdir(parents=True)
        pages.place(office.hall.folder, HALL.code, kept.id).write_bytes(PICTURE)
        window.url = office.hall.url
        window.hang_up()
        window.cycle()
        assert left(window) == 3, "all are asked about again"
        up = uploader(window)
        until_uploaded(window, up)
        up.stop()
        for page, content in ((kept, PICTURE), (lost, PICTURE + b"2"), (half, PICTURE + b"3")):
            assert at_the_office(office.hall, page) == content
        window.close()


def test_an_office_that_forgot_the_case_is_asked_later(hall: Hall, window: Window) -> None:
    page = a_page(window)
    hall.execute(f"CREATE TABLE forgotten AS SELECT * FROM registered_case WHERE id = '{page.case_id}'")
    hall.execute(f"DELETE FROM registered_case WHERE id = '{page.case_id}'")
    up = uploader(window)
    up.run()
    assert left(window) == 1
    assert up._aside.keys() == {page.id}
    assert window.meta(ALARM_KEY) is None, "its case comes again by itself"
    hall.execute("INSERT INTO registered_case SELECT * FROM forgotten")
    up.run()
    assert left(window) == 1, "it is left alone for a while"
    up.poke()
    up.run()
    assert left(window) == 0, "a case came, perhaps its own"
    up.stop()


def alarms(window: Window) -> list[str]:
    records = window.store.read(lambda tx: tx.audit.after(0, 1000))
    return [record.subject for record in records if record.act == "sync-alarm"]


def test_a_page_the_office_does_not_take_is_an_alarm_and_holds_up_nothing(hall: Hall, window: Window) -> None:
    bad = a_page(window, PICTURE + b"bad")
    good = a_page(window)
    taken = a_page(window, PICTURE + b"taken")
    other = (HALL.code, bad.id, window.device.id, bad.case_id, "x", 1, 5, "x", 0, "2026-01-01 00:00:00")
    columns = "hall, id, device, case_id, material, page, size, sha256, received, begun_at"
    hall.execute(f"INSERT INTO upload ({columns}) VALUES {other}")  # the id is another page's
    up = uploader(window)
    up.run()
    up._aside.clear()  # an hour later
    up.run()
    assert at_the_office(hall, good) == PICTURE
    assert at_the_office(hall, taken) == PICTURE + b"taken"
    assert left(window) == 1
    assert alarms(window) == ["UPLOAD-REFUSED"], "once"
    late = window.file()
    window.cycle()
    assert window.case(late).sync_state is SyncState.REGISTERED
    up.stop()


def test_a_page_damaged_here_is_an_alarm_and_holds_up_nothing(hall: Hall, window: Window) -> None:
    case = window.file()
    page = add_page(window, case, PICTURE)
    window.cycle()
    window.store.write(lambda tx: tx.attachments.remove(page.id))
    window.store.write(lambda tx: tx.attachments.add(page, PICTURE[:-1] + b"?"))
    good = a_page(window)
    up = uploader(window)
    up.run()
    assert (at_the_office(hall, page), at_the_office(hall, good)) == (None, PICTURE)
    assert alarms(window) == ["UPLOAD-DAMAGED"]
    up.stop()


@pytest.mark.parametrize(("times", "told"), [(1, []), (2, ["UPLOAD-CHANGED"])])
def test_a_page_that_arrives_changed_is_sent_once_more_then_told(
    hall: Hall, window: Window, monkeypatch: pytest.MonkeyPatch, times: int, told: list[str]
) -> None:
    """The office's disk writes something else, as a bad controller does."""
    page = a_page(window)
    honest, spoiled = resuming._complete, []

    def spoil(office: Any, row: Any, file: Path) -> None:
        if len(spoiled) < times:
            spoiled.append(1)
            file.with_name(f"{file.name}.part").write_bytes(bytes(row.size))
        honest(office, row, file)

    monkeypatch.setattr(resuming, "_complete", spoil)
    up = uploader(window)
    up.run()
    assert alarms(window) == told
    assert at_the_office(hall, page) == (None if told else PICTURE)
    assert left(window) == len(told)
    up.stop()


def test_a_page_the_office_breaks_on_holds_up_no_other(
    hall: Hall, window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    """500 may be the line's trouble or the page's: the next attempt is another page's."""
    bad, good = a_page(window, PICTURE + b"bad"), a_page(window)
    honest = resuming.begin

    def begin(office: Any, at: Any, told: resuming.Told) -> int:
        if told.id == bad.id:
            raise ZeroDivisionError
        return honest(office, at, told)

    monkeypatch.setattr(resuming, "begin", begin)
    up = uploader(window)
    for _ in range(3):
        with pytest.raises(Failure, match="SYNC-BUSY"):
            up.run()
    assert at_the_office(hall, good) == PICTURE
    assert left(window) == 1
    up.stop()


def test_a_full_disk_at_the_office_is_waited_out(
    hall: Hall, window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = a_page(window)
    with monkeypatch.context() as full:

        def refuse(*_: object) -> None:
            raise Refused("OFFICE-DISK-FULL", status=507, retry_after=300)

        full.setattr(resuming, "_write_at", refuse)
        up = uploader(window)
        with pytest.raises(Failure) as caught:
            up.run()
        assert caught.value.code == "SYNC-BUSY"
        assert getattr(caught.value, "retry_after", None) == 300
    up.run()
    assert at_the_office(hall, page) == PICTURE
    up.stop()


def test_commands_go_first(hall: Hall, window: Window) -> None:
    """A piece waits for an outbox that is not empty, but not for one that is stuck."""
    page = a_page(window)
    waiting = window.file()
    up = uploader(window, give_way_seconds=30.0)
    up.start()
    time.sleep(1.0)  # what must not happen has no event
    assert received(hall, page) == 0
    window.cycle()
    assert window.case(waiting).sync_state is SyncState.REGISTERED
    until(lambda: left(window) == 0)
    up.stop()

    page = a_page(window)
    window.file()
    stuck = uploader(window, give_way_seconds=0.3)
    stuck.run()
    assert at_the_office(hall, page) == PICTURE
    stuck.stop()


def until(true: Any, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_an_upload_that_never_succeeds_leaves_pushes_and_pulls_alone(
    hall: Hall, window: Window, proxy: FaultProxy
) -> None:
    """The pages' line is dead in the worst way, silent; every cycle beside it ends as fast as without it."""

    def cycles() -> float:
        times = []
        for _ in range(15):
            case = window.file()
            begun = time.monotonic()
            window.cycle()
            times.append(time.monotonic() - begun)
            assert window.case(case).sync_state is SyncState.REGISTERED
        return statistics.median(times)

    alone = cycles()
    for number in range(5):
        a_page(window, PICTURE + bytes([number]))
    proxy.set(Fault.HALF_OPEN, "/v1/uploads")
    up = uploader(window, read=0.3)
    up.start()
    assert proxy.wait_met(1)
    beside = cycles()
    assert left(window) == 5
    assert proxy.met > 1, "it was tried all the time"
    assert beside < alone * 2 + 0.05, f"{beside:.3f} s beside a stuck upload, {alone:.3f} s without"
    print(f"median cycle: {alone * 1000:.0f} ms alone, {beside * 1000:.0f} ms beside a stuck upload")
    begun = time.monotonic()
    up.stop()
    assert time.monotonic() - begun < uploads.STOP_SECONDS
    assert not any(thread.name == "sync-upload" for thread in threading.enumerate())


def test_the_background_uploads_by_itself_and_outlives_a_dead_network(
    hall: Hall, window: Window, proxy: FaultProxy
) -> None:
    page = a_page(window)
    proxy.set(Fault.REFUSE, "/v1/uploads", times=3)
    up = uploader(window)
    up.start()
    until(lambda: left(window) == 0)
    assert at_the_office(hall, page) == PICTURE
    later = a_page(window, PICTURE + b"later")
    up.poke()
    until(lambda: left(window) == 0)
    assert at_the_office(hall, later) == PICTURE + b"later"
    up.stop()


def test_a_bug_ends_no_thread(hall: Hall, window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    page = a_page(window)
    up = uploader(window)
    honest, met = up._next, threading.Event()

    def broken() -> Any:
        if met.is_set():
            return honest()
        met.set()
        raise ZeroDivisionError

    monkeypatch.setattr(up, "_next", broken)
    up.start()
    until(lambda: left(window) == 0)
    assert at_the_office(hall, page) == PICTURE
    up.stop()


def test_pages_of_a_case_refused_and_voided_are_counted_no_more(hall: Hall, window: Window) -> None:
    case = window.file(number="MY01-00000000")
    add_page(window, case)
    window.cycle()
    assert window.case(case).sync_state is SyncState.REFUSED
    assert left(window) == 1
    up = uploader(window)
    up.run()
    assert left(window) == 1

    def void(tx: Any) -> None:
        tx.cases.save(replace(tx.cases.get(case.id), legal_state=LegalState.VOID))
        tx.outbox.mark([c.id for c in tx.outbox.stuck()], CommandState.SETTLED)

    window.store.write(void)
    assert left(window) == 0
    up.stop()
