"""Resumable uploads at the office: tus by the letter, and what is lost, repeated, forged and too much."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from office_hall import DATABASES, HALL, Hall, Workstation, served
from office_processes import serving

from back_office import halls, pages, resuming, uploads
from back_office.access import Device
from back_office.cli import main
from back_office.embedded import enrolment_code
from back_office.settings import Settings
from clerk_app.domain.ids import uuid7

PAGE = bytes(range(256)) * 800  # 204,800 bytes
TUS = {"Tus-Resumable": "1.0.0"}


@pytest.fixture(params=DATABASES, scope="module")
def hall(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with served(tmp_path_factory.mktemp("office") / "data", request.param) as one:
        yield one


@pytest.fixture
def station(hall: Hall) -> Iterator[Workstation]:
    one = hall.workstation()
    yield one
    one.close()


@pytest.fixture
def case(station: Workstation) -> str:
    return registered(station)


def registered(station: Workstation) -> str:
    filing = station.filing()
    assert station.result(filing)["status"] == "applied"
    return str(filing["body"]["id"])


def told(case: str, data: bytes = PAGE, **changes: Any) -> dict[str, str]:
    page = {"id": uuid7(), "case_id": case, "material": "身份证", "page": "1"}
    page |= {"sha256": hashlib.sha256(data).hexdigest(), "size": str(len(data))}
    return page | {name: str(value) for name, value in changes.items()}


def metadata(page: dict[str, str]) -> str:
    pairs = [(key, value) for key, value in page.items() if key != "size"]
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs)


def ask(station: Workstation, method: str, path: str, **headers: str) -> requests.Response:
    url = f"{station.url}/v1/uploads{path}"
    plain = {name.replace("_", "-"): value for name, value in headers.items()}
    return station.http.request(method, url, headers=TUS | plain, timeout=30)


def begin(station: Workstation, page: dict[str, str]) -> requests.Response:
    return ask(station, "POST", "", Upload_Length=page["size"], Upload_Metadata=metadata(page))


def add(station: Workstation, page: str, offset: int, data: bytes, **headers: str) -> requests.Response:
    plain = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = TUS | {"Content-Type": uploads.CONTENT_TYPE, "Upload-Offset": str(offset)} | plain
    url = f"{station.url}/v1/uploads/{page}"
    return station.http.patch(url, data=data, headers=sent, timeout=30)


def offset(answer: requests.Response) -> int:
    assert answer.status_code < 300, answer.text
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    return int(answer.headers["Upload-Offset"])


def refusal(answer: requests.Response) -> tuple[int, str]:
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    return answer.status_code, answer.json()["code"]


def place(hall: Hall, page: dict[str, str]) -> Path:
    return pages.place(hall.folder, HALL.code, page["id"])


def part(hall: Hall, page: dict[str, str]) -> Path:
    return place(hall, page).with_name(f"{page['id']}.part")


def row(hall: Hall, page: dict[str, str]) -> Any:
    (found,) = hall.rows(f"SELECT * FROM upload WHERE id = '{page['id']}'")
    return found


def test_a_page_in_pieces(hall: Hall, station: Workstation, case: str) -> None:
    page = told(case)
    answer = begin(station, page)
    assert (answer.status_code, offset(answer)) == (201, 0)
    assert answer.headers["Location"] == f"/v1/uploads/{page['id']}"
    at = 0
    for size in (1, 70_000, 100_000, 40_000):
        piece = PAGE[at : at + size]
        at += len(piece)
        digest = base64.b64encode(hashlib.sha256(piece).digest()).decode()
        sent = add(station, page["id"], at - len(piece), piece, Upload_Checksum=f"sha256 {digest}")
        assert (sent.status_code, offset(sent)) == (204, at)
        standing = ask(station, "HEAD", f"/{page['id']}")
        assert (offset(standing), standing.headers["Upload-Length"]) == (at, page["size"])
        assert standing.headers["Cache-Control"] == "no-store"
    file = place(hall, page)
    assert file.read_bytes() == PAGE
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert not part(hall, page).exists()
    found = row(hall, page)
    assert (found.material, found.page, found.received) == ("身份证", 1, len(PAGE))
    assert found.completed_at is not None
    assert offset(begin(station, page)) == len(PAGE), "once more"
    assert offset(add(station, page["id"], len(PAGE), b"")) == len(PAGE)
    assert refusal(add(station, page["id"], 0, PAGE[:10])) == (409, "OFFICE-OFFSET")
    assert file.read_bytes() == PAGE


def test_what_is_understood_is_told(station: Workstation) -> None:
    answer = ask(station, "OPTIONS", "")
    assert answer.status_code == 204
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert answer.headers["Tus-Extension"] == "creation,checksum"
    assert answer.headers["Tus-Checksum-Algorithm"] == "sha256"
    assert int(answer.headers["Tus-Max-Size"]) == pages.MAX_BYTES
    older = station.http.post(f"{station.url}/v1/uploads", headers={"Tus-Resumable": "0.2.2"}, timeout=10)
    assert refusal(older) == (412, "OFFICE-TUS")
    assert older.headers["Tus-Version"] == "1.0.0"


def test_a_network_without_patch_and_head(hall: Hall, station: Workstation, case: str) -> None:
    page = told(case, b"a page")
    begin(station, page)
    told_as = TUS | {"X-HTTP-Method-Override": "PATCH", "Content-Type": uploads.CONTENT_TYPE}
    url = f"{station.url}/v1/uploads/{page['id']}"
    sent = station.http.post(url, data=b"a pa", headers=told_as | {"Upload-Offset": "0"}, timeout=10)
    assert (sent.status_code, offset(sent)) == (204, 4)
    assert offset(ask(station, "POST", f"/{page['id']}", X_HTTP_Method_Override="HEAD")) == 4
    assert ask(station, "POST", f"/{page['id']}", X_HTTP_Method_Override="DELETE").status_code == 405


def test_before_its_case_is_registered_a_page_waits(hall: Hall, station: Workstation) -> None:
    filing = station.filing()
    page = told(filing["body"]["id"])
    assert refusal(begin(station, page)) == (409, "OFFICE-NO-CASE")
    station.result(filing)
    assert offset(begin(station, page)) == 0


def test_another_page_under_the_same_id_is_refused(hall: Hall, station: Workstation, case: str) -> None:
    page = told(case)
    begin(station, page)
    for change in ({"sha256": "0" * 64}, {"size": "5"}, {"case_id": registered(station)}):
        assert refusal(begin(station, page | change)) == (422, "OFFICE-REQUEST-REUSED")


def test_the_case_of_a_voided_filing_takes_its_pages(station: Workstation) -> None:
    filing = station.filing()
    station.result(filing)
    body = {"case_id": filing["body"]["id"], "number": filing["body"]["number"], "reason": "typo"}
    at = filing["body"]["received_at"]
    void = station.command("case.void", body | {"voided_at": at, "approved_by": ""})
    assert station.result(void)["status"] == "applied"
    page = told(filing["body"]["id"], b"a page")
    begin(station, page)
    assert offset(add(station, page["id"], 0, b"a page")) == 6


def test_a_workstation_enrolled_again_goes_on(hall: Hall, station: Workstation, case: str) -> None:
    page = told(case)
    begin(station, page)
    add(station, page["id"], 0, PAGE[:1000])
    code = enrolment_code(hall.settings, window="12", again=station.device.device)
    again = Workstation.enrolled(hall.url, code)
    assert offset(begin(again, page)) == 1000
    assert offset(add(again, page["id"], 1000, PAGE[1000:])) == len(PAGE)
    assert add(station, page["id"], 1000, b"x").status_code == 423
    again.close()


def test_another_workstation_sees_nothing_of_a_page(hall: Hall, station: Workstation, case: str) -> None:
    page = told(case)
    begin(station, page)
    other = hall.workstation("综合窗口02", signed_in=False)
    assert ask(other, "HEAD", f"/{page['id']}").status_code == 404
    assert refusal(add(other, page["id"], 0, b"garbage")) == (404, "OFFICE-NO-UPLOAD")
    nobody = requests.post(f"{hall.url}/v1/uploads", headers=TUS, timeout=10)
    assert refusal(nobody) == (401, "OFFICE-DEVICE")
    other.close()


def test_another_hall_has_no_such_case(tmp_path: Path) -> None:
    with served(tmp_path / "data") as hall:
        station = hall.workstation()
        page = told(registered(station))
        begin(station, page)
        hall.server.office.write(lambda tx: halls.add_hall(tx, "MY02", "另一大厅", "510700"))
        foreign = Workstation.enrolled(hall.url, enrolment_code(hall.settings, window="1", hall="MY02"))
        assert refusal(begin(foreign, page)) == (409, "OFFICE-NO-CASE")
        assert refusal(begin(foreign, told(page["case_id"]))) == (409, "OFFICE-NO-CASE")
        assert ask(foreign, "HEAD", f"/{page['id']}").status_code == 404
        foreign.close()
        station.close()


@pytest.mark.parametrize(
    "change",
    [
        {"id": "../../office.db"},
        {"id": "/etc/passwd"},
        {"id": "a/b"},
        {"id": ".."},
        {"id": "x.part"},
        {"id": ""},
        {"id": "x" * 65},
        {"case_id": "../x"},
        {"material": ""},
        {"material": "x\x00y"},
        {"material": "x" * 201},
        {"page": "-1"},
        {"page": "1e3"},
        {"page": "99999999999999999999"},
        {"sha256": "short"},
        {"size": "-1"},
        {"size": "0"},
        {"size": "1.5"},
        {"size": "٣"},
        {"size": ""},
        {"size": "9" * 40},
    ],
)
def test_what_is_no_page_is_refused(
    hall: Hall, station: Workstation, case: str, change: dict[str, str]
) -> None:
    page = told(case) | change
    length = page["size"].encode()
    url = f"{station.url}/v1/uploads"
    sent = TUS | {"Upload-Length": length, "Upload-Metadata": metadata(page)}
    answer = station.http.post(url, headers=sent, timeout=10)
    assert refusal(answer) == (422, "OFFICE-MALFORMED")
    told_of = [value for value in change.values() if len(value) > 3]
    assert not any(value in answer.text for value in told_of), "nothing that was sent is quoted"


def test_metadata_that_is_garbage_is_refused(station: Workstation, case: str) -> None:
    good = metadata(told(case))
    for text in ("", ",", "id", "id %%%", good.replace(",", ";"), good[:-5], "id /w==," + good[20:]):
        answer = ask(station, "POST", "", Upload_Length="10", Upload_Metadata=text)
        assert refusal(answer) == (422, "OFFICE-MALFORMED"), text


def test_too_much(hall: Hall, station: Workstation, case: str) -> None:
    large = told(case, size=pages.MAX_BYTES + 1)
    assert refusal(begin(station, large)) == (413, "OFFICE-TOO-LARGE")
    page = told(case)
    begin(station, page)
    assert refusal(add(station, page["id"], 0, PAGE + b"x")) == (413, "OFFICE-TOO-LARGE")
    assert add(station, page["id"], 0, bytes(9 * 1024 * 1024)).status_code == 413
    for text in ("-1", "", "x", "9" * 30):
        assert refusal(add(station, page["id"], 0, b"x", Upload_Offset=text)) == (422, "OFFICE-MALFORMED")
    assert refusal(add(station, page["id"], 5, b"x")) == (409, "OFFICE-OFFSET")
    plain = add(station, page["id"], 0, b"x", Content_Type="image/jpeg")
    assert refusal(plain) == (415, "OFFICE-MALFORMED")
    assert not part(hall, page).exists()


def test_a_piece_with_another_digest_is_thrown_away(hall: Hall, station: Workstation, case: str) -> None:
    page = told(case)
    begin(station, page)
    digest = base64.b64encode(hashlib.sha256(PAGE[:10]).digest()).decode()
    answer = add(station, page["id"], 0, b"damaged...", Upload_Checksum=f"sha256 {digest}")
    assert refusal(answer) == (460, "OFFICE-CHECKSUM")
    other_kind = add(station, page["id"], 0, b"x", Upload_Checksum="md5 x")
    assert refusal(other_kind) == (400, "OFFICE-MALFORMED")
    assert offset(begin(station, page)) == 0


def test_a_page_that_is_not_what_was_announced_begins_anew(
    hall: Hall, station: Workstation, case: str
) -> None:
    page = told(case)
    begin(station, page)
    add(station, page["id"], 0, b"other" * 20)
    assert refusal(add(station, page["id"], 100, PAGE[100:])) == (422, "OFFICE-PAGE-DIGEST")
    assert offset(begin(station, page)) == 0
    assert offset(add(station, page["id"], 0, PAGE)) == len(PAGE)
    assert place(hall, page).read_bytes() == PAGE


def test_a_line_cut_in_the_middle_of_a_piece_counts_nothing_of_it(
    hall: Hall, station: Workstation, case: str
) -> None:
    page = told(case)
    begin(station, page)
    add(station, page["id"], 0, PAGE[:1000])
    port = urlsplit(hall.url).port
    assert port is not None
    head = (
        f"PATCH /v1/uploads/{page['id']} HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\n"
        f"Authorization: Bearer {station.device.token}\r\nContent-Type: {uploads.CONTENT_TYPE}\r\n"
        "Upload-Offset: 1000\r\nContent-Length: 100000\r\n\r\n"
    )
    with closing(socket.create_connection(("127.0.0.1", port))) as line:
        line.sendall(head.encode() + PAGE[1000:50_000])
    assert offset(ask(station, "HEAD", f"/{page['id']}")) == 1000
    assert offset(add(station, page["id"], 1000, PAGE[1000:])) == len(PAGE)


@pytest.mark.parametrize("on_disk", [0, 400, 1000, 5000, len(PAGE) + 5000])
def test_after_a_kill_what_the_row_and_the_disk_both_have_counts(
    hall: Hall, station: Workstation, case: str, on_disk: int
) -> None:
    """The file is longer: killed between the two. It is shorter, or gone: it was not in the backup."""
    page = told(case)
    begin(station, page)
    add(station, page["id"], 0, PAGE[:1000])
    part(hall, page).write_bytes((PAGE[:1000] + b"garbage" * 40_000)[:on_disk])
    at = offset(ask(station, "HEAD", f"/{page['id']}"))
    assert at == min(1000, on_disk)
    assert refusal(add(station, page["id"], at + 1, b"x")) == (409, "OFFICE-OFFSET")
    assert offset(add(station, page["id"], at, PAGE[at:2000])) == 2000
    assert offset(add(station, page["id"], 2000, PAGE[2000:])) == len(PAGE)
    assert place(hall, page).read_bytes() == PAGE


def test_killed_between_the_name_and_the_row_the_page_is_whole(
    hall: Hall, station: Workstation, case: str
) -> None:
    page = told(case)
    begin(station, page)
    add(station, page["id"], 0, PAGE[:1000])
    part(hall, page).unlink()
    place(hall, page).write_bytes(PAGE)
    assert offset(begin(station, page)) == len(PAGE)
    assert row(hall, page).completed_at is not None


@pytest.mark.parametrize(
    "damage", [lambda file: file.unlink(), lambda file: file.write_bytes(bytes(len(PAGE)))]
)
def test_a_whole_page_whose_file_was_lost_is_asked_for_again(
    hall: Hall, station: Workstation, case: str, damage: Any
) -> None:
    page = told(case)
    begin(station, page)
    add(station, page["id"], 0, PAGE)
    damage(place(hall, page))
    assert offset(begin(station, page)) == 0
    assert offset(add(station, page["id"], 0, PAGE)) == len(PAGE)
    assert place(hall, page).read_bytes() == PAGE


def test_the_same_page_twice_at_once(hall: Hall, station: Workstation, case: str) -> None:
    """Whoever is late is told where it stands; in the end the page is there once and right."""
    page = told(case)
    twin = Workstation(station.url, station.device, requests.Session())
    twin.http.headers.update(station.http.headers)
    together = threading.Barrier(2)

    def send(one: Workstation) -> set[int]:
        statuses: set[int] = set()
        together.wait()
        while (at := offset(begin(one, page))) < len(PAGE):
            statuses.add(add(one, page["id"], at, PAGE[at : at + 20_000]).status_code)
        return statuses

    with ThreadPoolExecutor(2) as both:
        met = set().union(*both.map(send, (station, twin)))
    assert met <= {204, 409}
    assert place(hall, page).read_bytes() == PAGE
    assert not part(hall, page).exists()
    twin.close()


def test_one_who_was_overtaken_counts_nothing(
    hall: Hall, station: Workstation, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = told(case)
    begin(station, page)
    at = Device(station.device.device, HALL.code, 1, "12", "A")
    honest, calls = resuming._write_at, []

    def overtaken(part: Path, offset: int, chunk: bytes) -> None:
        calls.append(offset)
        honest(part, offset, chunk)
        if len(calls) == 1:
            assert resuming.append(hall.server.office, at, page["id"], 0, PAGE[:5000]) == 5000

    monkeypatch.setattr(resuming, "_write_at", overtaken)
    assert refusal(add(station, page["id"], 0, PAGE[:1000])) == (409, "OFFICE-OFFSET")
    assert row(hall, page).received == 5000, "what was told to the other holds"
    assert offset(add(station, page["id"], 5000, PAGE[5000:])) == len(PAGE)
    assert place(hall, page).read_bytes() == PAGE


def test_many_slow_pages_leave_threads_for_commands(
    hall: Hall, station: Workstation, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More pages stuck on a slow disk than there are threads to serve with, and a case is registered."""
    page, many = told(case), 60
    begin(station, page)
    reached, released = threading.Semaphore(0), threading.Event()

    def slow(*_: object) -> int:
        reached.release()
        released.wait(30)
        return 0

    monkeypatch.setattr(resuming, "append", slow)
    url, sent = f"{hall.url}/v1/uploads/{page['id']}", dict(station.http.headers) | TUS
    sent |= {"Content-Type": uploads.CONTENT_TYPE, "Upload-Offset": "0"}
    with ThreadPoolExecutor(many) as pool:
        stuck = [pool.submit(requests.patch, url, data=b"x", headers=sent, timeout=60) for _ in range(many)]
        try:
            for _ in range(uploads.TURNS):
                assert reached.acquire(timeout=20)
            registered(station)
            assert not reached.acquire(blocking=False)
        finally:
            released.set()
        assert {one.result().status_code for one in stuck} == {204}


def test_a_full_disk_asks_to_come_back(hall: Hall, station: Workstation, case: str) -> None:
    page = told(case)
    begin(station, page)
    part(hall, page).symlink_to("/dev/full")
    answer = add(station, page["id"], 0, PAGE)
    assert refusal(answer) == (507, "OFFICE-DISK-FULL")
    assert int(answer.headers["Retry-After"]) == resuming.FULL_SECONDS
    part(hall, page).unlink()
    assert offset(begin(station, page)) == 0
    assert offset(add(station, page["id"], 0, PAGE)) == len(PAGE)


def test_what_nobody_goes_on_with_is_forgotten_after_a_week(
    hall: Hall, station: Workstation, case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, left, going_on = told(case), told(case), told(case)
    for page in (whole, left, going_on):
        begin(station, page)
        add(station, page["id"], 0, PAGE if page is whole else PAGE[:1000])
    arguments = ["--data", str(hall.folder), "--database", hall.settings.postgresql, "uploads", "list"]
    assert main(arguments) == 0
    listed = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    mine = [line[-2:] for line in listed if line[3] == case]
    assert mine == [[left["id"], f"1000 of {len(PAGE)}"], [going_on["id"], f"1000 of {len(PAGE)}"]]

    stray = place(hall, whole).with_name("stray.part")
    stray.write_bytes(b"x")
    assert resuming.sweep(hall.server.office) == 0
    later = hall.clock().astimezone(UTC) + timedelta(days=7, seconds=1)
    touched = (later - timedelta(days=1)).timestamp()
    os.utime(part(hall, going_on), (touched, touched))
    hall.clock.ahead = timedelta(days=7, seconds=1)
    try:
        assert resuming.sweep(hall.server.office) >= 1
    finally:
        hall.clock.ahead = timedelta()
    assert not part(hall, left).exists()
    assert not stray.exists()
    assert place(hall, whole).read_bytes() == PAGE
    assert ask(station, "HEAD", f"/{left['id']}").status_code == 404
    assert offset(begin(station, going_on)) == 1000
    assert offset(begin(station, left)) == 0
    assert offset(begin(station, whole)) == len(PAGE)


def test_a_killed_office_has_on_its_disk_what_it_told(tmp_path: Path) -> None:
    with served(tmp_path / "data") as hall:
        station = hall.workstation()
        case = registered(station)
    page, at = told(case), 0
    settings = Settings(hall.folder)
    for _ in range(3):
        with serving(settings) as office:
            station.url = office.url
            at = max(at, offset(begin(station, page)))
            stop = threading.Event()

            def kill(process: Any = office.process, stop: threading.Event = stop) -> None:
                stop.wait(0.05)
                process.kill()

            killer = threading.Thread(target=kill)
            try:
                killer.start()
                while at < len(PAGE) - 2000:
                    at = offset(add(station, page["id"], at, PAGE[at : at + 500]))
            except requests.ConnectionError:
                stop.set()
            killer.join()
            office.process.wait(10)
    with serving(settings) as office:
        station.url = office.url
        resumed = offset(begin(station, page))
        assert resumed >= at, "what was told is there"
        assert offset(add(station, page["id"], resumed, PAGE[resumed:])) == len(PAGE)
    assert place(hall, page).read_bytes() == PAGE
    station.close()
