"""The catalogue arrives whole or not at all, and a broken download goes on where it broke."""

from __future__ import annotations

import hashlib
import json
import queue
import threading

import pytest
import zstandard
from sync_hall import Answers, no_beat

from clerk_app.failures import Failure
from clerk_app.sync.catalogue_file import fetch_catalogue
from clerk_app.sync.client import OfficeClient
from clerk_app.sync.courier import CatalogueCourier

CONTENT = bytes(range(256)) * 4000 + b"".join(hashlib.sha256(bytes([n])).digest() for n in range(256))
PACKED = zstandard.compress(CONTENT)
JSON = {"Content-Type": "application/json"}


class CatalogueOffice:
    """Serves one catalogue, with ranges; `stop_at` breaks the line after so many bytes of the file."""

    def __init__(self) -> None:
        self.packed = PACKED
        self.sha256 = hashlib.sha256(CONTENT).hexdigest()
        self.ranges: list[str | None] = []
        self.stop_at: int | None = None
        self.knows_ranges = True
        self.file_type = "application/zstd"
        self.server = Answers(self.answer)

    def answer(self, request):
        if request.path == "/v1/catalogue":
            info = {
                "version": "2026-11",
                "sha256": self.sha256,
                "size": len(CONTENT),
                "packed_size": len(PACKED),
                "items": 3,
            }
            return 200, JSON, json.dumps(info).encode()
        asked = request.headers.get("Range")
        self.ranges.append(asked)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.knows_ranges else 0
        body = self.packed[start:]
        headers = {"Content-Type": self.file_type, "Content-Length": str(len(body))}
        if self.stop_at is not None:
            body, self.stop_at = body[: self.stop_at], None
            request.close_connection = True
        return (206 if start else 200), headers, body


@pytest.fixture
def office():
    office = CatalogueOffice()
    yield office
    office.server.close()


@pytest.fixture
def client(office):
    client = OfficeClient(office.server.url)
    yield client
    client.close()


class Installed:
    def __init__(self) -> None:
        self.packed: list[bytes] = []

    def __call__(self, path, info) -> None:
        self.packed.append(path.read_bytes())


def test_another_version_is_fetched_verified_and_installed(client, tmp_path):
    installed = Installed()
    assert fetch_catalogue(client, "2026-10", tmp_path, installed, no_beat)
    assert installed.packed == [PACKED]
    assert list(tmp_path.iterdir()) == []


def test_the_same_version_is_left_alone(office, client, tmp_path):
    assert not fetch_catalogue(client, "2026-11", tmp_path, Installed(), no_beat)
    assert office.ranges == []


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_a_broken_download_goes_on(office, client, tmp_path, knows_ranges):
    office.stop_at = 1000
    office.knows_ranges = knows_ranges
    installed = Installed()
    with pytest.raises(Failure) as caught:
        fetch_catalogue(client, "", tmp_path, installed, no_beat)
    assert caught.value.code == "SYNC-OFFLINE"
    assert installed.packed == []
    assert fetch_catalogue(client, "", tmp_path, installed, no_beat)
    assert office.ranges == [None, "bytes=1000-"]
    assert installed.packed == [PACKED]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda packed: packed[:500] + bytes([packed[500] ^ 1]) + packed[501:],
        lambda packed: zstandard.compress(CONTENT[::-1]).ljust(len(packed), b"\0"),
        lambda packed: b"x" * len(packed),
    ],
    ids=["one bit", "another file", "not zstd"],
)
def test_what_the_office_did_not_announce_is_not_installed(office, client, tmp_path, spoil):
    office.packed = spoil(PACKED)[: len(PACKED)]
    installed = Installed()
    with pytest.raises(Failure) as caught:
        fetch_catalogue(client, "", tmp_path, installed, no_beat)
    assert caught.value.code == "SYNC-CATALOGUE-DAMAGED"
    assert installed.packed == []
    office.packed = PACKED
    assert fetch_catalogue(client, "", tmp_path, installed, no_beat)


def test_a_page_of_the_portal_is_not_a_catalogue(office, client, tmp_path):
    office.file_type = "text/html"
    with pytest.raises(Failure) as caught:
        fetch_catalogue(client, "", tmp_path, Installed(), no_beat)
    assert caught.value.code == "SYNC-NOT-OFFICE"


def test_a_digest_that_is_none_names_no_file(office, client, tmp_path):
    office.sha256 = "../../etc/passwd"
    with pytest.raises(Failure) as caught:
        fetch_catalogue(client, "", tmp_path, Installed(), no_beat)
    assert caught.value.code == "SYNC-NOT-OFFICE"


def test_parts_of_older_versions_are_cleared_away(client, tmp_path):
    (tmp_path / "catalogue-0123456789abcdef.part").write_bytes(b"old")
    fetch_catalogue(client, "", tmp_path, Installed(), no_beat)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_named(client, tmp_path):
    with pytest.raises(Failure) as caught:
        fetch_catalogue(client, "", tmp_path / "missing", Installed(), no_beat)
    assert caught.value.code == "STORE-IO"


def test_the_courier_tries_until_it_has_it_and_again_when_poked():
    outcomes: queue.Queue = queue.Queue()
    told: queue.Queue = queue.Queue()
    for outcome in (Failure("SYNC-OFFLINE"), Failure("SYNC-SLOW"), True, False, True):
        outcomes.put(outcome)

    def fetch(client, beat) -> bool:
        # A poke too many finds nothing new.
        outcome = outcomes.get() if outcomes.qsize() else False
        if isinstance(outcome, Failure):
            raise outcome
        return outcome

    courier = CatalogueCourier(
        fetch,
        lambda: OfficeClient("http://127.0.0.1:1"),
        on_fetched=lambda: told.put("fetched"),
        on_trouble=lambda failure: told.put(failure.code),
        random=lambda: 0.0,
    )
    courier.start()
    assert [told.get(timeout=5) for _ in range(3)] == ["SYNC-OFFLINE", "SYNC-SLOW", "fetched"]
    while outcomes.qsize():
        courier.poke()
    assert told.get(timeout=5) == "fetched"
    courier.stop()
    assert not any(thread.name == "sync-catalogue" for thread in threading.enumerate())
