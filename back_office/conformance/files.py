"""The catalogue comes down as one file, scanned pages go up in pieces; both go on where they stopped."""

from __future__ import annotations

import base64
import hashlib
import secrets

import requests

from back_office.conformance.bench import Bench, unpacked
from back_office.conformance.promises import CannotTry, Chapter, answered, expect, refused
from back_office.conformance.station import Station
from clerk_app.domain.ids import uuid7

chapter = Chapter()
promise = chapter.promise


@promise("catalogue", "names the file in force: version, SHA-256 and size of the unpacked file, packed size.")
def _catalogue(bench: Bench) -> None:
    bench.used.pop("catalogue", None)
    info, packed = bench.catalogue()
    plain = unpacked(packed)
    expect(len(packed) == info["packed_size"], "another packed size")
    expect(len(plain) == info["size"], "another size")
    expect(hashlib.sha256(plain).hexdigest() == info["sha256"], "another SHA-256")
    refused(bench.one.get("/catalogue/conformance-none"), 404)


@promise("catalogue-range", "understands `Range` and `If-None-Match`")
def _catalogue_range(bench: Bench) -> None:
    info, packed = bench.catalogue()
    device = {"Authorization": f"Bearer {bench.one.device.token}"}

    def asked(**headers: str) -> requests.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return bench.one.ask("GET", f"/catalogue/{info['version']}", headers=device | named)

    half = len(packed) // 2
    for text, part in (
        (f"bytes={half}-", packed[half:]),
        ("bytes=0-9", packed[:10]),
        ("bytes=-7", packed[-7:]),
    ):
        answer = asked(Range=text)
        expect(answer.status_code == 206, f"Range {text}: {answer.status_code}")
        expect(answer.content == part, f"Range {text}: other bytes")
    beyond = asked(Range=f"bytes={len(packed)}-")
    refused(beyond, 416)
    whole = asked()
    tag = whole.headers.get("ETag", "")
    expect(bool(tag), "no ETag")
    expect(asked().headers.get("ETag") == tag and asked().content == packed, "it changed")
    expect(asked(If_None_Match=tag).status_code == 304, "If-None-Match with its ETag is not answered 304")
    expect(
        asked(If_None_Match='"another"').content == packed, "If-None-Match with another ETag is not answered"
    )
    resumed = asked(Range=f"bytes={half}-", If_Range='"another"')
    expect(
        resumed.status_code == 200 and resumed.content == packed, "If-Range with another ETag gives a part"
    )


def _tus(station: Station, method: str, path: str, content: bytes = b"", **headers: str) -> requests.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    told = {"Authorization": f"Bearer {station.device.token}", "Tus-Resumable": "1.0.0"}
    if method == "PATCH":
        told["Content-Type"] = "application/offset+octet-stream"
    return station.ask(method, path, headers=told | named, data=content)


def _metadata(**told: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in told.items())


class _Page:
    """A page of a case that is registered, and how it is announced."""

    def __init__(self, bench: Bench) -> None:
        if bench.one.ask("OPTIONS", "/uploads").status_code in (404, 405):
            raise CannotTry("the office takes no pages")
        bench.fileable()
        bench.one.settle()
        filed = bench.one.filing()
        bench.one.applied(filed)
        self.station = bench.one
        self.content = secrets.token_bytes(5_000)
        self.id = uuid7()
        self.told = {"id": self.id, "case_id": filed["body"]["id"], "material": "id-copy", "page": "1"}
        self.told["sha256"] = hashlib.sha256(self.content).hexdigest()

    def begin(self, **changes: str) -> requests.Response:
        headers = {
            "Upload_Length": str(len(self.content)),
            "Upload_Metadata": _metadata(**self.told | changes),
        }
        return _tus(self.station, "POST", "/uploads", b"", **headers)

    def add(self, offset: int, piece: bytes, **headers: str) -> requests.Response:
        return _tus(self.station, "PATCH", f"/uploads/{self.id}", piece, Upload_Offset=str(offset), **headers)

    def offset(self) -> int:
        answer = _tus(self.station, "HEAD", f"/uploads/{self.id}")
        expect(answer.status_code == 200, f"HEAD of a page: {answer.status_code}")
        return int(answer.headers["Upload-Offset"])


@promise("upload", "Pages of materials come by **tus 1.0.0**")
def _upload(bench: Bench) -> None:
    page = _Page(bench)
    begun = page.begin()
    expect(begun.status_code == 201, f"a page cannot begin: {begun.status_code}")
    expect(begun.headers.get("Location", "").endswith(f"/uploads/{page.id}"), "no Location of the page")
    first = page.add(0, page.content[:2_000])
    expect(first.status_code == 204 and first.headers["Upload-Offset"] == "2000", "a piece is not taken")
    expect(page.offset() == 2_000, "HEAD tells another offset")
    answered(page.add(2_000, page.content[2_000:]), 204)
    expect(page.offset() == len(page.content), "the whole page is not there")


@promise("upload-again", "Asking again is how to go on")
def _upload_again(bench: Bench) -> None:
    page = _Page(bench)
    answered(page.begin(), 201)
    answered(page.add(0, page.content[:1_000]), 204)
    again = page.begin()
    expect(again.status_code in (200, 201), f"beginning again: {again.status_code}")
    expect(again.headers["Upload-Offset"] == "1000", "beginning again forgets what is there")
    answered(page.add(1_000, page.content[1_000:]), 204)
    whole = page.begin()
    expect(whole.headers.get("Upload-Offset") == str(len(page.content)), "a whole page is not known as one")
    refused(page.begin(sha256="ab" * 32), 422)


@promise("upload-offset", "at `Upload-Offset`, else 409 `OFFICE-OFFSET`")
def _upload_offset(bench: Bench) -> None:
    page = _Page(bench)
    answered(page.begin(), 201)
    answered(page.add(0, page.content[:1_000]), 204)
    for offset in (0, 999, 1_001):
        refused(page.add(offset, page.content[:500]), 409, "OFFICE-OFFSET")
    expect(page.offset() == 1_000, "a piece at a wrong place was taken")


@promise("upload-checksum", "one whose `Upload-Checksum` does not fit (460")
def _upload_checksum(bench: Bench) -> None:
    page = _Page(bench)
    answered(page.begin(), 201)
    piece = page.content[:1_000]
    wrong = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    refused(page.add(0, piece, Upload_Checksum=f"sha256 {wrong}"), 460)
    expect(page.offset() == 0, "a piece with another checksum was taken")
    right = base64.b64encode(hashlib.sha256(piece).digest()).decode()
    answered(page.add(0, piece, Upload_Checksum=f"sha256 {right}"), 204)


@promise("upload-case", "409 `OFFICE-NO-CASE`")
def _upload_case(bench: Bench) -> None:
    page = _Page(bench)
    refused(page.begin(case_id=uuid7()), 409, "OFFICE-NO-CASE")
