"""An exported outbox: read by its office alone, believed of its workstation alone."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from clerk_app.sync import envelope
from clerk_app.sync.envelope import BadEnvelope, CarriedOutbox, CarriedPage
from clerk_app.sync.protocol import CommandMessage, PushRequest, command_hash

_OFFICE = secrets.token_bytes(32)
_TOKEN = "token-of-window-three"
_BODY = {"applicant": {"name": "王秀兰", "number": "110101199003074493"}}


def _outbox() -> CarriedOutbox:
    command = CommandMessage(
        seq=4, id="c4", type="case.file", schema=2, at=datetime(2026, 11, 21, tzinfo=UTC), operator="0417",
        body=_BODY, hash=command_hash("c4", "case.file", _BODY),
    )  # fmt: skip
    content = b"\xff\xd8 a page"
    page = CarriedPage(
        "p1", "case-1", "id-card", 1, hashlib.sha256(content).hexdigest(), len(content),
        base64.b64encode(content).decode(),
    )  # fmt: skip
    request = PushRequest("dev-3", 2, 4, [command], audit_head="ab", purged_through=3)
    return CarriedOutbox("dev-3", 2, datetime(2026, 11, 22, tzinfo=UTC), request, [page])


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def test_what_was_closed_opens_the_same() -> None:
    closed = envelope.close(_outbox(), _TOKEN, envelope.public_key(_OFFICE))
    opened = envelope.open_(closed, _OFFICE)
    assert opened.check(_hash(_TOKEN))
    assert opened.outbox() == _outbox()
    assert opened.outbox().pages[0].data() == b"\xff\xd8 a page"


def test_it_shows_nothing_and_never_looks_the_same_twice() -> None:
    key = envelope.public_key(_OFFICE)
    closed = envelope.close(_outbox(), _TOKEN, key)
    for told in ("王秀兰", "110101199003074493", "dev-3", "case-1", "applicant"):
        assert told.encode() not in closed
    assert envelope.close(_outbox(), _TOKEN, key)[8:] != closed[8:]


def test_another_office_cannot_open_it() -> None:
    closed = envelope.close(_outbox(), _TOKEN, envelope.public_key(_OFFICE))
    with pytest.raises(BadEnvelope):
        envelope.open_(closed, secrets.token_bytes(32))


def test_another_workstation_cannot_write_in_its_name() -> None:
    closed = envelope.close(_outbox(), "token of another", envelope.public_key(_OFFICE))
    assert not envelope.open_(closed, _OFFICE).check(_hash(_TOKEN))


@pytest.mark.parametrize("place", [0, 9, 41, 53, 120, -1])
def test_one_changed_byte_is_seen(place: int) -> None:
    closed = bytearray(envelope.close(_outbox(), _TOKEN, envelope.public_key(_OFFICE)))
    closed[place] ^= 1
    with pytest.raises(BadEnvelope):
        envelope.open_(bytes(closed), _OFFICE)


@pytest.mark.parametrize("length", [0, 7, 8, 51, 52, 67])
def test_a_cut_file_is_seen(length: int) -> None:
    closed = envelope.close(_outbox(), _TOKEN, envelope.public_key(_OFFICE))
    with pytest.raises(BadEnvelope):
        envelope.open_(closed[:length], _OFFICE)


def test_a_key_of_low_order_opens_nothing() -> None:
    closed = envelope.close(_outbox(), _TOKEN, envelope.public_key(_OFFICE))
    with pytest.raises(BadEnvelope):
        envelope.open_(closed[:8] + bytes(32) + closed[40:], _OFFICE)


def test_a_page_that_is_not_what_it_says_is_refused() -> None:
    page = _outbox().pages[0]
    for wrong in (replace(page, content="!"), replace(page, size=3), replace(page, sha256="00" * 32)):
        with pytest.raises(BadEnvelope):
            wrong.data()
