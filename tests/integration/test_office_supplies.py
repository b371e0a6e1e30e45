"""What windows are supplied with: blocks of numbers, the catalogue file, changes of single items."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import zstandard
from office_hall import DATABASES, FADING, FILEABLE, ITEMS, KINDS, Hall, Workstation, an_item, served

from back_office import catalogue
from back_office.embedded import enrolment_code
from clerk_app.catalogue import shipping
from clerk_app.domain.catalogue import ItemStatus
from clerk_app.failures import Failure


@pytest.fixture(params=DATABASES)
def hall(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with served(tmp_path_factory.mktemp("office") / "data", request.param) as one:
        yield one


@pytest.fixture
def station(hall: Hall) -> Iterator[Workstation]:
    one = hall.workstation()
    yield one
    one.close()


def test_the_same_request_gets_the_same_block(station: Workstation) -> None:
    first = station.block(request_no=1)
    assert (first["high"] - first["low"] + 1, first["epoch"]) == (500, 1)
    assert station.block(request_no=1) == first
    assert station.block(request_no=1, size=9) == first
    assert station.block(request_no=2)["low"] == first["high"] + 1


def test_blocks_never_touch_however_they_are_asked_for(hall: Hall) -> None:
    stations = [hall.workstation(signed_in=False) for _ in range(4)]

    def ask(n: int) -> tuple[int, int]:
        block = stations[n % 4].block(size=7 + n, request_no=n // 8)  # each request comes twice
        return block["low"], block["high"]

    with ThreadPoolExecutor(8) as threads:
        blocks = sorted(set(threads.map(ask, range(32))))
    assert len(blocks) == 16
    assert all(high < low for (_, high), (low, _) in pairwise(blocks))
    for station in stations:
        station.close()


def test_a_new_epoch_gets_new_blocks_under_the_same_request_numbers(hall: Hall) -> None:
    old = hall.workstation()
    first = old.block(request_no=1)
    new = Workstation.enrolled(
        hall.url, enrolment_code(hall.settings, window="综合窗口12", again=old.device.device)
    )
    second = new.block(request_no=1)
    assert second["low"] > first["high"]
    assert second["epoch"] == 2
    old.close()
    new.close()


@pytest.mark.parametrize("asked", [{"size": 0}, {"size": 5001}, {"request_no": -1}, {"request_no": 2**70}])
def test_a_block_of_no_size_is_refused(station: Workstation, asked: dict[str, int]) -> None:
    answer = station.ask("POST", "/blocks", json={"request_no": 1, "size": 1} | asked)
    assert answer.status_code == 422


def test_the_catalogue_arrives_whole_and_its_digest_is_right(station: Workstation) -> None:
    info = station.ask("GET", "/catalogue").json()
    answer = station.ask("GET", f"/catalogue/{info['version']}")
    content = zstandard.ZstdDecompressor().decompress(answer.content)

    assert hashlib.sha256(content).hexdigest() == info["sha256"]
    assert (len(content), len(answer.content)) == (info["size"], info["packed_size"])
    assert info["items"] == len(ITEMS)
    assert answer.headers["Content-Type"] == "application/zstd"
    assert answer.headers["ETag"] == f'"{info["sha256"]}"'
    assert "immutable" in answer.headers["Cache-Control"]


def test_a_broken_download_goes_on_where_it_stopped(station: Workstation) -> None:
    path = "/catalogue/2026.1"
    whole = station.ask("GET", path).content
    token = station.http.headers["Authorization"]
    headers = {"Authorization": token, "Range": "bytes=100-"}
    rest = station.http.get(f"{station.url}/v1{path}", headers=headers, timeout=10)
    assert rest.status_code == 206
    assert rest.content == whole[100:]


def test_a_catalogue_already_here_is_not_sent_again(station: Workstation) -> None:
    path = f"{station.url}/v1/catalogue/2026.1"
    tag = station.http.get(path, timeout=10).headers["ETag"]
    answer = station.http.get(path, headers={"If-None-Match": tag}, timeout=10)
    assert (answer.status_code, answer.content) == (304, b"")


@pytest.mark.parametrize("version", ["2027.9", "..%2Foffice.db", "%2e%2e"])
def test_only_named_versions_are_served(station: Workstation, version: str) -> None:
    assert station.ask("GET", f"/catalogue/{version}").status_code == 404


def test_a_new_catalogue_wakes_the_windows_and_ends_what_it_lacks(hall: Hall, station: Workstation) -> None:
    before = station.changes("catalogue").json()["to"]
    old = station.filing(item=FADING)
    items = [replace(ITEMS[0], version=2), *ITEMS[1:3]]

    info = catalogue.put_in_force(hall.server.office, KINDS, items)

    assert station.ask("GET", "/catalogue").json()["version"] == info.version
    page = station.changes("catalogue", before).json()
    assert (page["changes"], page["to"]) == ([], before + 1), "nothing to apply, something to fetch"
    answer = station.push(
        old,
        station.filing(item=FADING),
        station.filing(item=FILEABLE, version=2),
        station.filing(item=FILEABLE, version=1),
    )
    results = [(r["status"], r["code"]) for r in answer.json()["results"]]
    assert results == [
        ("applied", ""),
        ("refused", "OFFICE-ITEM-NOT-IN-FORCE"),
        ("applied", ""),
        ("refused", "OFFICE-ITEM-NOT-IN-FORCE"),
    ]


def test_a_retired_item_is_told_as_a_version_of_its_own(hall: Hall, station: Workstation) -> None:
    before = station.changes("catalogue").json()["to"]
    hall.server.office.write(lambda tx: catalogue.retire(tx, FADING))
    (change,) = station.changes("catalogue", before).json()["changes"]
    data = change["data"]
    assert (change["kind"], data["code"], data["status"], data["version"]) == ("item", FADING, "retired", 2)
    with pytest.raises(Failure, match="OFFICE-NO-ITEM"):
        hall.server.office.write(lambda tx: catalogue.retire(tx, FADING))


def test_a_source_that_has_not_heard_of_it_does_not_revive_a_retired_item(
    hall: Hall, station: Workstation
) -> None:
    hall.server.office.write(lambda tx: catalogue.retire(tx, FADING))
    catalogue.put_in_force(hall.server.office, KINDS, ITEMS, "2026.2")
    assert station.result(station.filing(item=FADING))["code"] == "OFFICE-ITEM-NOT-IN-FORCE"
    kinds = {c["op"] for c in station.changes("catalogue").json()["changes"]}
    assert kinds == {"put"}, "the change stands: the file is older than it"

    catalogue.put_in_force(hall.server.office, KINDS, [*ITEMS[:3], an_item(FADING, version=3)], "2026.3")
    assert station.result(station.filing(item=FADING, version=3))["status"] == "applied"
    snapshot = station.ask("GET", "/sync/snapshot/catalogue").json()
    assert snapshot["changes"] == [], "the file says it now"


@pytest.mark.parametrize(
    ("items", "version", "code"),
    [
        ([], "2026.2", "OFFICE-IMPORT-EMPTY"),
        ([ITEMS[0], ITEMS[0]], "2026.2", "OFFICE-IMPORT-CONTRADICTS"),
        ([an_item("x", kind="no such kind")], "2026.2", "OFFICE-IMPORT-CONTRADICTS"),
        (ITEMS, "2026.1", "OFFICE-CATALOGUE-VERSION"),
        (ITEMS, "../2026.2", "OFFICE-CATALOGUE-VERSION"),
    ],
)
def test_a_bad_catalogue_changes_nothing(
    hall: Hall, station: Workstation, items: list[Any], version: str, code: str
) -> None:
    before = sorted(file.name for file in hall.folder.glob("catalogue/*"))
    with pytest.raises(Failure, match=code):
        catalogue.put_in_force(hall.server.office, KINDS, items, version)
    assert station.ask("GET", "/catalogue").json()["version"] == "2026.1"
    assert sorted(file.name for file in hall.folder.glob("catalogue/*")) == before


def test_an_item_published_as_retired_is_not_registered(hall: Hall, station: Workstation) -> None:
    items = [an_item(FILEABLE, version=2, status=ItemStatus.RETIRED), *ITEMS[1:]]
    catalogue.put_in_force(hall.server.office, KINDS, items, "2026.2")
    result = station.result(station.filing(item=FILEABLE, version=2))
    assert result["code"] == "OFFICE-ITEM-NOT-IN-FORCE"


def test_of_two_imports_of_one_version_the_second_leaves_the_first_ones_file(
    hall: Hall, station: Workstation, monkeypatch: pytest.MonkeyPatch
) -> None:
    packing = shipping.pack

    def overtaken(plain: Path) -> bytes:
        packed = packing(plain)
        monkeypatch.undo()
        catalogue.put_in_force(hall.server.office, KINDS, ITEMS[:2], "2026.9")
        return packed

    monkeypatch.setattr(shipping, "pack", overtaken)
    with pytest.raises(Failure) as failed:
        catalogue.put_in_force(hall.server.office, KINDS, ITEMS, "2026.9")
    assert failed.value.code == "OFFICE-CATALOGUE-VERSION"
    told = station.ask("GET", "/catalogue").json()
    packed = station.ask("GET", "/catalogue/2026.9").content
    plain = zstandard.ZstdDecompressor().decompress(packed, max_output_size=told["size"])
    assert hashlib.sha256(plain).hexdigest() == told["sha256"]
