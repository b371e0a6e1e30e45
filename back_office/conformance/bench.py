"""What the promises are tried with: two windows of one hall and queue, a clerk, and an item to file."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import zstandard
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from back_office.conformance.promises import CannotTry, answered, expect
from back_office.conformance.station import Item, Line, Station
from clerk_app.domain.catalogue import ON_APPLICATION
from clerk_app.domain.hall_time import HALL_TIME
from clerk_app.failures import Failure

LARGEST = 1 << 30
"""Bytes of an unpacked catalogue."""

_AT_WORK = (
    "not a practice hall: --any-hall. The first code is used and has enrolled a workstation nobody needs:"
    " back-office device revoke {device} --reason conformance"
)


@dataclass(frozen=True, slots=True)
class Access:
    """What somebody in charge of the office gives: a clerk with every right, and two codes to enrol with.

    `renew` answers the id of a device with a code for its next epoch; without it that is not tried.
    """

    line: Line
    staff_no: str
    password: str
    codes: tuple[str, str]
    renew: Callable[[str], str] | None = None


@dataclass(slots=True)
class Bench:
    """Two windows at work; a promise may leave anything behind but a window that is fenced."""

    access: Access
    one: Station
    two: Station
    used: dict[str, Any] = field(default_factory=dict)
    """What one promise leaves for another: the catalogue, a series."""

    @property
    def line(self) -> Line:
        return self.access.line

    @classmethod
    def made(cls, access: Access, *, any_hall: bool = True) -> Bench:
        """Enrol and sign in. Raises BrokenPromise where that is not answered as described.

        Which hall it is the first enrolment tells, and that is there for good: the second is not made in a
        hall at work unless `any_hall`. Raises Failure("OFFICE-NOT-TRIED").
        """
        one = Station.enrolled(access.line, access.codes[0])
        if not (any_hall or one.device.practice):
            one.http.close()
            raise Failure("OFFICE-NOT-TRIED", _AT_WORK.format(device=one.device.device))
        two = Station.enrolled(access.line, access.codes[1])
        for station in (one, two):
            station.sign_in(access.staff_no, access.password)
        return cls(access, one, two)

    def close(self) -> None:
        self.one.http.close()
        self.two.http.close()

    def series(self) -> str:
        """A general series of the windows' queue. Raises CannotTry when there is none."""
        if "series" not in self.used:
            told = answered(self.one.get(f"/queues/{self.one.device.queue}/series"))["series"]
            general = [one["code"] for one in told if one["kind"] == "general"]
            if not general:
                raise CannotTry("the queue has no general series")
            self.used["series"] = general[0]
        return str(self.used["series"])

    def ticket(self) -> dict[str, Any]:
        """A new ticket that waits. Raises BrokenPromise."""
        found: dict[str, Any] = answered(self.one.issue(self.series()))
        return found

    def nobody_waits(self) -> None:
        """Call until the queue is empty. Raises BrokenPromise, or CannotTry for a queue without an end."""
        for _ in range(500):
            if answered(self.one.call())["ticket"] is None:
                return
        raise CannotTry("500 tickets wait and more: not a hall made for trying")

    def catalogue(self) -> tuple[dict[str, Any], bytes]:
        """What the office says of its catalogue, and the packed file. Raises CannotTry when there is none."""
        if "catalogue" not in self.used:
            answer = self.one.get("/catalogue")
            if answer.status_code == 404:
                raise CannotTry("the office has no catalogue")
            info = answered(answer)
            packed = self.one.get(f"/catalogue/{info['version']}")
            expect(packed.status_code == 200, f"the file of the catalogue: {packed.status_code}")
            self.used["catalogue"] = info, packed.content
        found: tuple[dict[str, Any], bytes] = self.used["catalogue"]
        return found

    def fileable(self) -> None:
        """Give both windows an item that may be filed. Raises CannotTry when the catalogue has none."""
        if self.one.item is None:
            _info, packed = self.catalogue()
            changed = {one["id"] for one in self.one.snapshot("catalogue")["changes"]}
            self.one.item = self.two.item = _first_item(packed, changed)

    def vouched(self, sealed: Any, what: str) -> dict[str, Any]:
        """What a sealed statement says, its signature checked with `seal_key`. Raises BrokenPromise."""
        expect(isinstance(sealed, dict), f"no sealed {what}")
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.one.device.seal_key))
        try:
            key.verify(bytes.fromhex(sealed["seal"]), sealed["text"].encode())
        except (InvalidSignature, ValueError):
            expect(False, f"the seal of the {what} is not one of `seal_key`")
        told: dict[str, Any] = json.loads(sealed["text"])
        expect(told.get("what") == what, f"a sealed statement says {told.get('what')!r} instead of {what!r}")
        return told


def unpacked(packed: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompress(packed, max_output_size=LARGEST)


def _first_item(packed: bytes, changed: set[str]) -> Item:
    query = (
        "SELECT k.type, i.code, i.version, k.code, k.name, b.code, b.name FROM item i"
        " JOIN kind k ON k.id = i.kind JOIN body b ON b.id = i.body WHERE i.status = 'published'"
        " AND coalesce(i.valid_from, ?1) <= ?1 AND coalesce(i.valid_to, ?1) >= ?1 ORDER BY i.code"
    )
    today = datetime.now(HALL_TIME).date().isoformat()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / hashlib.sha256(packed).hexdigest()
        file.write_bytes(unpacked(packed))
        uri = f"{file.as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            for type_, code, *told in connection.execute(query, [today]):
                if type_ in ON_APPLICATION and code not in changed:
                    return Item(code, *told)
    raise CannotTry("no item of the catalogue may be filed")
