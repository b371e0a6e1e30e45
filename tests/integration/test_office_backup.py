"""A backup made while the office serves, restored elsewhere: one moment, nothing lost, nothing twice."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from office_hall import CLERK, DATABASES, Hall, Workstation, served
from sync_window import Window

from back_office import backup
from back_office.cli import main
from back_office.embedded import OfficeServer
from back_office.office import Office, open_office
from back_office.settings import Settings
from back_office.tables import metadata
from clerk_app.domain.case import SyncState
from clerk_app.domain.numbering import case_number
from clerk_app.failures import Failure
from tests.postgres import the_cluster


@pytest.fixture(params=DATABASES)
def hall(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Hall]:
    with served(tmp_path / "data", request.param) as one:
        yield one


@pytest.fixture
def station(hall: Hall) -> Iterator[Workstation]:
    one = hall.workstation()
    yield one
    one.close()


@pytest.fixture
def empty_postgresql() -> Iterator[str]:
    name = the_cluster().new()
    yield the_cluster().address(name)
    the_cluster().drop(name)


def _everything(office: Office) -> dict[str, list[Any]]:
    def read(connection: sa.Connection) -> dict[str, list[Any]]:
        return {
            table.name: sorted(map(repr, connection.execute(sa.select(table)).all()))
            for table in metadata.sorted_tables
        }

    return office.read(read)


CHANGED_BY_RESTORING = {"hall", "series", "official_serial", "scope", "restoration", "enrol_code"}


def test_everything_comes_back_on_either_database(
    hall: Hall, station: Workstation, tmp_path: Path, empty_postgresql: str
) -> None:
    station.push(station.filing(), station.filing())
    station.call()
    before = _everything(hall.server.office)
    made = backup.back_up(hall.server.office, tmp_path / "office.tar.zst")
    assert stat.S_IMODE(made.file.stat().st_mode) == 0o600

    places = [Settings(tmp_path / "lite"), Settings(tmp_path / "city", postgresql=empty_postgresql)]
    for place in places:
        told = backup.restore(place, made.file)
        assert (told.rows, told.files) == (made.rows, made.files)
        office = open_office(place)
        after = _everything(office)
        office.close()
        for name in before.keys() - CHANGED_BY_RESTORING:
            assert after[name] == before[name], name
        assert after["scope"] != before["scope"], "the feed has a new generation"
        files = sorted(hall.folder.glob("catalogue/*"))
        assert [file.read_bytes() for file in sorted(place.catalogue_dir.iterdir())] == [
            file.read_bytes() for file in files
        ]
        assert sorted(path.name for path in place.data_dir.glob(".restoring-*")) == []


def test_a_backup_under_load_shows_one_moment(hall: Hall, station: Workstation, tmp_path: Path) -> None:
    """Every case of the backup has its command, its delivery and its change, and nothing has more."""
    stop = False

    def work() -> int:
        count = 0
        while not stop:
            assert station.push(station.filing()).ok
            count += 1
        return count

    with ThreadPoolExecutor(1) as threads:
        working = threads.submit(work)
        made = [backup.back_up(hall.server.office, tmp_path / f"{n}.tar.zst").file for n in range(3)]
        stop = True
        assert working.result() > 0
    for number, file in enumerate(made):
        place = Settings(tmp_path / f"restored-{number}")
        backup.restore(place, file)
        office = open_office(place)
        rows = _everything(office)
        office.close()
        cases = len(rows["registered_case"])
        assert len(rows["command"]) == len(rows["delivery"]) == cases
        assert sum("'case'" in row for row in rows["change"]) == cases


def test_work_after_the_backup_comes_again_and_is_there_once(
    hall: Hall, station: Workstation, tmp_path: Path
) -> None:
    """Fault 9. A block leased and a sign-in made after the backup are proved by what the office signed."""
    early = [station.filing() for _ in range(3)]
    assert station.push(*early).ok
    file = backup.back_up(hall.server.office, tmp_path / "older.tar.zst").file

    leased = station.block()  # the backup has not heard of it, nor of this sign-in
    serials = range(leased["low"], leased["high"] + 1)
    station.numbers = [case_number(station.device.hall_code, serial) for serial in serials]
    proofs = [leased["lease"], station.sign_in().json()["grant"]]
    late = [station.filing() for _ in range(4)]
    first = {result["id"]: result for result in station.push(*late).json()["results"]}
    lost = [station.filing() for _ in range(2)]  # never sent before the disk died

    place = Settings(tmp_path / "anew")
    backup.restore(place, file)
    with OfficeServer(place) as server:
        station.url = server.url
        refused = station.push(*lost)
        assert refused.status_code == 409
        expected = refused.json()["expected_seq"]
        assert expected == late[0]["seq"]
        answer = station.push(*late, *lost, proofs=proofs)
        assert answer.ok, answer.text
        results = answer.json()["results"]
        assert [result["status"] for result in results] == ["applied"] * 6, results
        assert first.keys() <= {result["id"] for result in results}
        again = station.push(*late, *lost).json()["results"]
        assert again == results
        numbers = server.office.read(
            lambda c: c.execute(sa.text("SELECT number, official_number FROM registered_case")).all()
        )
        assert sorted(row.number for row in numbers) == sorted(
            command["body"]["number"] for command in (*early, *late, *lost)
        )
        assert len({row.official_number for row in numbers}) == 9
        low = station.block(request_no=50)["low"]
        assert low > max(int(row.number[4:12]) for row in numbers), "no serial is leased twice"


def test_windows_that_hold_unsent_work_find_everything_there_once(hall: Hall, tmp_path: Path) -> None:
    """The product's own window: what the backup never saw goes up again, with what was never sent."""
    window = Window(hall, hall.url)
    window.cycle()
    known = [window.file() for _ in range(3)]
    window.cycle()
    file = backup.back_up(hall.server.office, tmp_path / "older.tar.zst").file
    forgotten = [window.file() for _ in range(3)]
    window.cycle()
    told = {case.id: window.case(case).official_number for case in (*known, *forgotten)}
    unsent = [window.file() for _ in range(2)]

    place = Settings(tmp_path / "anew")
    backup.restore(place, file)
    with OfficeServer(place) as server:
        window.url = server.url
        window.hang_up()
        for _ in range(3):
            window.cycle()
        everything = [*known, *forgotten, *unsent]
        assert {window.case(case).sync_state for case in everything} == {SyncState.REGISTERED}
        assert window.unsent() == 0
        query = sa.text("SELECT id, number, official_number FROM registered_case")
        there = server.office.read(lambda c: c.execute(query).all())
        assert sorted(row.number for row in there) == sorted(case.number for case in everything)
        official = {row.id: row.official_number for row in there}
        assert {case: official[case] for case in told} == told, "what the citizen was told stays true"
    window.close()


def test_only_an_empty_place_is_restored_into(hall: Hall, tmp_path: Path) -> None:
    file = backup.back_up(hall.server.office, tmp_path / "office.tar.zst").file
    with pytest.raises(Failure, match="OFFICE-NOT-EMPTY"):
        backup.restore(hall.settings, file)
    with pytest.raises(Failure, match="OFFICE-NOT-EMPTY"):
        backup.restore(replace(hall.settings, data_dir=tmp_path / "other"), file) if (
            hall.settings.postgresql
        ) else backup.restore(hall.settings, file)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Path]:
    with served(tmp_path / "data") as hall:
        yield backup.back_up(hall.server.office, tmp_path / "office.tar.zst").file


@pytest.mark.parametrize("damage", ["cut", "flipped", "not one", "gone"])
def test_a_damaged_backup_is_refused_and_leaves_nothing(made: Path, tmp_path: Path, damage: str) -> None:
    data = made.read_bytes()
    if damage == "cut":
        made.write_bytes(data[: len(data) * 2 // 3])
    elif damage == "flipped":
        middle = len(data) // 2
        made.write_bytes(data[:middle] + bytes([data[middle] ^ 0x40]) + data[middle + 1 :])
    elif damage == "not one":
        made.write_bytes(b"PK" + data[:500])
    else:
        made.unlink()
    place = Settings(tmp_path / "anew")
    with pytest.raises(Failure, match="OFFICE-BACKUP"):
        backup.restore(place, made)
    assert not place.data_dir.exists(), "refused before anything is written"
    with pytest.raises(Failure, match="OFFICE-NOT-READY"):
        open_office(place)


def test_a_backup_takes_the_place_of_nothing(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not of the backup before, not of the office's database, not of a device, through a link neither."""
    data = tmp_path / "data"
    link = tmp_path / "link"
    link.symlink_to(data)
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "nowhere")
    before = made.read_bytes()
    device = tmp_path / "device"
    os.mkfifo(device)
    targets = [made, data / "office.db", link / "office.db", data / "new", data, link, dangling, device]
    for target in [*targets, tmp_path / "none" / "new"]:
        assert main(["--data", str(data), "backup", str(target)]) == 1
        told = capsys.readouterr().err
        assert "OFFICE-BACKUP-FILE" in told
        assert str(target) in told
        assert "Error" not in told
    assert made.read_bytes() == before
    assert device.is_fifo()
    assert not list(data.glob("*.zst"))
    assert not list(data.glob("*.new"))
    assert main(["--data", str(data), "device", "list"]) == 0, "the office is as it was"


def _without_links(*_: object) -> None:
    raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_got_the_name_meanwhile_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    """Two backups begun in the same second, or a file system without hard links."""
    target = tmp_path / "office.tar.zst"
    if not links:
        monkeypatch.setattr("os.link", _without_links)
    with served(tmp_path / "data") as hall:
        assert backup.back_up(hall.server.office, target).file.stat().st_size > 0
        assert stat.S_IMODE(target.stat().st_mode) == 0o600
        whole = target.read_bytes()
        monkeypatch.setattr(backup, "_check_free", lambda *_: None)  # the other came after it
        with pytest.raises(Failure, match="File exists"):
            backup.back_up(hall.server.office, target)
    assert target.read_bytes() == whole
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "office.tar.zst"]


def test_what_a_restore_makes_is_nobody_elses_from_the_start(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looked at while it works, under the mask most systems have: later it may be put right too late."""
    place = Settings(tmp_path / "anew")
    modes = {}
    load = backup._load

    def look(*arguments: Any) -> None:
        for path in [place.data_dir, *place.data_dir.rglob("*")]:
            modes[path.name] = (path.is_dir(), stat.S_IMODE(path.stat().st_mode))
        load(*arguments)

    monkeypatch.setattr(backup, "_load", look)
    mask = os.umask(0o022)
    try:
        backup.restore(place, made)
    finally:
        os.umask(mask)
    assert {"anew", "office.db", "catalogue", "staff.jsonl"} <= modes.keys()
    assert {
        name: mode for name, (folder, mode) in modes.items() if mode != (0o700 if folder else 0o600)
    } == {}
    assert stat.S_IMODE(place.database.stat().st_mode) == 0o600


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "anew"
    for file, why in ((tmp_path / "gone.tar.zst", "No such file"), (tmp_path, "Is a directory")):
        assert main(["--data", str(place), "restore", str(file)]) == 1
        told = capsys.readouterr().err
        assert "OFFICE-BACKUP-FILE" in told
        assert f"{file}: {why}" in told
    assert not place.exists()


def test_a_member_that_was_changed_and_packed_again_is_noticed(made: Path, tmp_path: Path) -> None:
    import io
    import tarfile

    import zstandard

    plain = zstandard.ZstdDecompressor().stream_reader(made.read_bytes()).read()
    changed = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(plain)) as old, tarfile.open(fileobj=changed, mode="w") as new:
        for entry in old:
            data = old.extractfile(entry).read()  # type: ignore[union-attr]
            if entry.name == "tables/staff.jsonl":
                data = data.replace(b"accept", b"approve")
                entry.size = len(data)
            new.addfile(entry, io.BytesIO(data))
    made.write_bytes(zstandard.ZstdCompressor().compress(changed.getvalue()))
    with pytest.raises(Failure, match="OFFICE-BACKUP"):
        backup.restore(Settings(tmp_path / "anew"), made)


def test_the_commands(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    assert main(["--data", str(tmp_path / "data"), "backup", str(folder)]) == 0
    (file,) = folder.iterdir()
    assert file.name.startswith("back-office-")
    assert file.name.endswith("Z.tar.zst")
    assert str(file) in capsys.readouterr().out
    assert main(["--data", str(tmp_path / "anew"), "restore", str(file)]) == 0
    assert "rows" in capsys.readouterr().out
    assert main(["--data", str(tmp_path / "anew"), "restore", str(file)]) == 1
    assert "OFFICE-NOT-EMPTY" in capsys.readouterr().err
    names = {"format", "program", "schema", "made_at", "database", "tables", "members"}
    with backup._unpacked(file, tmp_path) as (place, manifest):
        assert json.loads((place / "manifest.json").read_bytes()).keys() == names == manifest.keys()
    assert CLERK.password not in file.read_bytes().decode("latin-1")
