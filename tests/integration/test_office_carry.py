"""An exported outbox brought by another workstation: once, for the right office, by the right hand."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from office_hall import HALL, Hall, Workstation, served

from back_office import devices, halls, seals
from back_office.embedded import enrolment_code
from clerk_app.domain.hall_time import HALL_TIME
from clerk_app.domain.ids import uuid7
from clerk_app.sync import envelope
from clerk_app.sync.envelope import CarriedOutbox, CarriedPage
from clerk_app.sync.protocol import CommandMessage, PushRequest


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def hall(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with served(tmp_path_factory.mktemp("office") / "data", request.param) as one:
        yield one


@pytest.fixture
def origin(hall: Hall) -> Iterator[Workstation]:
    one = hall.workstation("综合窗口01")
    yield one
    one.close()


@pytest.fixture
def carrier(hall: Hall) -> Iterator[Workstation]:
    one = hall.workstation("综合窗口02", signed_in=False)
    yield one
    one.close()


def _export_key(hall: Hall) -> str:
    return hall.server.office.read(seals.public_keys).export


def _exported(hall: Hall, origin: Workstation, commands: list[dict[str, Any]], **changes: Any) -> str:
    """The envelope of `commands`, as the origin's export writes it."""
    token = changes.pop("token", origin.device.token)
    key = changes.pop("export_key", None) or _export_key(hall)
    messages = [CommandMessage(**(one | {"at": datetime.fromisoformat(one["at"])})) for one in commands]
    device, epoch = changes.pop("device", origin.device.device), origin.device.epoch
    request = PushRequest(device, epoch, messages[0].seq if messages else origin.next_seq, messages)
    told = {
        "device": device,
        "epoch": epoch,
        "made_at": datetime.now(HALL_TIME),
        "request": request,
    } | changes
    return base64.b64encode(envelope.close(CarriedOutbox(**told), token, key)).decode()


def _carry(carrier: Workstation, text: str) -> requests.Response:
    return carrier.ask("POST", "/sync/carry", json={"envelope": text})


def _again(hall: Hall, origin: Workstation) -> Workstation:
    code = enrolment_code(hall.settings, window="综合窗口01", again=origin.device.device)
    return Workstation.enrolled(hall.url, code)


def test_an_export_is_applied_once_and_closes_the_epoch_of_its_origin(
    hall: Hall, origin: Workstation, carrier: Workstation
) -> None:
    sent = origin.filing()
    assert origin.result(sent)["status"] == "applied"
    waiting = [origin.filing() for _ in range(230)]
    text = _exported(hall, origin, waiting)

    answer = _carry(carrier, text)
    assert answer.status_code == 200, answer.text
    told = {"device": origin.device.device, "epoch": 1, "applied": 230, "refused": 0, "held": 0}
    assert answer.json() == told
    ids = [one["body"]["id"] for one in waiting]
    rows = hall.rows(f"SELECT id FROM registered_case WHERE device = '{origin.device.device}'")
    assert sorted(row.id for row in rows) == sorted([sent["body"]["id"], *ids]), "as if it had sent them"

    assert _carry(carrier, text).json() == told, "the same file again"
    other = hall.workstation("综合窗口03", signed_in=False)
    assert _carry(other, text).json() == told, "by another hand"
    other.close()

    refused = origin.push(*waiting[:3])
    assert (refused.status_code, refused.json()["code"]) == (423, "OFFICE-FENCED")
    back = _again(hall, origin)
    assert back.device.epoch == 3
    again = back.push(*[one | {"seq": seq} for seq, one in enumerate(waiting[:3], 1)])
    assert [one["status"] for one in again.json()["results"]] == ["applied"] * 3, "the stored answers"
    count = hall.rows(f"SELECT count(*) FROM registered_case WHERE device = '{origin.device.device}'")
    assert count == [(231,)]
    back.close()


def test_what_was_answered_but_not_heard_is_in_it_too(
    hall: Hall, origin: Workstation, carrier: Workstation
) -> None:
    commands = [origin.filing() for _ in range(4)]
    origin.push(*commands[:2])  # the answer is lost
    assert _carry(carrier, _exported(hall, origin, commands)).json()["applied"] == 4
    count = hall.rows(f"SELECT count(*) FROM registered_case WHERE device = '{origin.device.device}'")
    assert count == [(4,)]


def test_refused_commands_are_counted(hall: Hall, origin: Workstation, carrier: Workstation) -> None:
    commands = [origin.filing(), origin.filing(number="MY01-00000000")]
    answer = _carry(carrier, _exported(hall, origin, commands)).json()
    assert (answer["applied"], answer["refused"]) == (1, 1)


def test_an_office_restored_from_a_backup_goes_on_behind_what_it_misses(
    hall: Hall, origin: Workstation, carrier: Workstation
) -> None:
    origin.filing()  # answered once, by an office that has forgotten it
    assert _carry(carrier, _exported(hall, origin, [origin.filing()])).json()["applied"] == 1


def test_an_outbox_with_nothing_in_it_closes_the_epoch_too(
    hall: Hall, origin: Workstation, carrier: Workstation
) -> None:
    assert _carry(carrier, _exported(hall, origin, [])).json()["applied"] == 0
    assert origin.ask("GET", "/catalogue").status_code == 423


def test_a_second_export_of_the_same_epoch_is_refused(
    hall: Hall, origin: Workstation, carrier: Workstation
) -> None:
    one = origin.filing()
    assert _carry(carrier, _exported(hall, origin, [one])).ok
    second = _carry(carrier, _exported(hall, origin, [one, origin.filing()]))
    assert (second.status_code, second.json()["code"]) == (409, "OFFICE-CARRIED")


def test_an_origin_enrolled_again_sends_by_itself(
    hall: Hall, origin: Workstation, carrier: Workstation
) -> None:
    text = _exported(hall, origin, [origin.filing()])
    _again(hall, origin).close()
    refused = _carry(carrier, text)
    assert (refused.status_code, refused.json()["code"]) == (423, "OFFICE-FENCED")


def test_later_parts_come_after_the_first(hall: Hall, origin: Workstation, carrier: Workstation) -> None:
    first = _exported(hall, origin, [origin.filing()], parts=2)
    second = _exported(hall, origin, [], part=2, parts=2)
    early = _carry(carrier, second)
    assert (early.status_code, early.json()["code"]) == (409, "OFFICE-GAP")
    assert _carry(carrier, first).json()["applied"] == 1
    assert _carry(carrier, second).json()["applied"] == 0
    assert _carry(carrier, second).ok


def _page(case_id: str, data: bytes, **changes: Any) -> CarriedPage:
    told = {"id": uuid7(), "case_id": case_id, "material": "id-copy", "page": 1, "size": len(data)}
    told |= {"sha256": hashlib.sha256(data).hexdigest(), "content": base64.b64encode(data).decode()}
    return CarriedPage(**(told | changes))


def test_pages_come_with_it_when_their_case_is_registered(
    hall: Hall, origin: Workstation, carrier: Workstation
) -> None:
    filed, refused = origin.filing(), origin.filing(number="MY01-00000000")
    first = _exported(hall, origin, [filed, refused], parts=2)
    good = _page(filed["body"]["id"], b"a page" * 1000)
    left = _page(refused["body"]["id"], b"another")
    second = _exported(hall, origin, [], part=2, parts=2, pages=[good, left])
    assert _carry(carrier, first).ok
    assert _carry(carrier, second).ok
    assert _carry(carrier, second).ok
    rows = hall.rows(f"SELECT id, received FROM upload WHERE device = '{origin.device.device}'")
    assert rows == [(good.id, 6000)], "a page of a refused case stays where the case is"
    file = hall.folder / "uploads" / HALL.code / good.id
    assert file.read_bytes() == b"a page" * 1000
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"sha256": "0" * 64}, "OFFICE-ENVELOPE"),
        ({"content": "..."}, "OFFICE-ENVELOPE"),
        ({"id": "../../office.db"}, "OFFICE-MALFORMED"),
        ({"id": ""}, "OFFICE-MALFORMED"),
        ({"size": 2**40}, "OFFICE-TOO-LARGE"),
    ],
)
def test_a_page_that_is_not_what_it_says_spoils_its_envelope(
    hall: Hall, origin: Workstation, carrier: Workstation, change: dict[str, Any], code: str
) -> None:
    filed = origin.filing()
    text = _exported(hall, origin, [filed], pages=[_page(filed["body"]["id"], b"a page", **change)])
    assert _carry(carrier, text).json()["code"] == code
    assert hall.rows(f"SELECT id FROM command WHERE id = '{filed['id']}'") == [], "all of it or nothing"


def test_nobody_writes_in_a_workstation_s_name(hall: Hall, origin: Workstation, carrier: Workstation) -> None:
    """The office's public key is known to every window; the origin's token only to the origin."""
    command = origin.filing()
    hostile = {
        "a guessed token": _exported(hall, origin, [command], token="guessed"),
        "the carrier's own": _exported(hall, origin, [command], token=carrier.device.token),
        "an unknown device": _exported(hall, origin, [command], device="nobody"),
        "in the carrier's name": _exported(hall, origin, [command], device=carrier.device.device),
    }
    for what, text in hostile.items():
        answer = _carry(carrier, text)
        assert (answer.status_code, answer.json()["code"]) == (403, "OFFICE-ENVELOPE"), what
    assert hall.rows(f"SELECT id FROM command WHERE id = '{command['id']}'") == []
    assert origin.ask("GET", "/catalogue").status_code == 200, "nobody fenced it"


def test_the_request_inside_is_of_the_workstation_that_signs(
    hall: Hall, origin: Workstation, carrier: Workstation
) -> None:
    foreign = PushRequest(carrier.device.device, 1, 1, [])
    answer = _carry(carrier, _exported(hall, origin, [], request=foreign))
    assert (answer.status_code, answer.json()["code"]) == (422, "OFFICE-ENVELOPE")


def test_what_is_no_envelope_of_this_office_is_refused(
    hall: Hall, origin: Workstation, carrier: Workstation
) -> None:
    good = _exported(hall, origin, [origin.filing()])
    data = bytearray(base64.b64decode(good))
    data[-1] ^= 1
    hostile = {
        "changed on its way": base64.b64encode(data).decode(),
        "cut": good[: len(good) // 2 // 4 * 4],
        "for another office": _exported(hall, origin, [], export_key=envelope.public_key(b"7" * 32)),
        "no base64": "..",
        "empty": "",
        "something else": base64.b64encode(b"hello" * 100).decode(),
        "a key of low order": base64.b64encode(b"CLERKBX1" + bytes(200)).decode(),
    }
    for what, text in hostile.items():
        answer = _carry(carrier, text)
        assert (answer.status_code, answer.json()["code"]) == (422, "OFFICE-ENVELOPE"), what
    assert _carry(carrier, good).ok


def test_a_carrier_of_another_hall_is_refused(tmp_path: Path) -> None:
    with served(tmp_path / "data") as hall:
        origin = hall.workstation()
        hall.server.office.write(lambda tx: halls.add_hall(tx, "MY02", "另一大厅", "510700"))
        code = enrolment_code(hall.settings, window="1", hall="MY02")
        foreign = Workstation.enrolled(hall.url, code)
        answer = _carry(foreign, _exported(hall, origin, [origin.filing()]))
        assert (answer.status_code, answer.json()["code"]) == (403, "OFFICE-ENVELOPE")
        foreign.close()
        origin.close()


def test_a_revoked_origin_is_not_carried(hall: Hall, origin: Workstation, carrier: Workstation) -> None:
    text = _exported(hall, origin, [origin.filing()])
    hall.server.office.write(lambda tx: devices.revoke(tx, origin.device.device))
    answer = _carry(carrier, text)
    assert (answer.status_code, answer.json()["code"]) == (403, "OFFICE-REVOKED")


def test_carrying_is_in_the_audit(hall: Hall, origin: Workstation, carrier: Workstation) -> None:
    _carry(carrier, _exported(hall, origin, [origin.filing()]))
    rows = hall.rows(
        f"SELECT actor, act, hall FROM audit_record WHERE subject = '{origin.device.device}'"
        " AND act = 'outbox-carried'"
    )
    assert rows == [(f"device:{carrier.device.device}", "outbox-carried", HALL.code)]


def test_a_long_outage_fits_in_one_request(hall: Hall, origin: Workstation, carrier: Workstation) -> None:
    """Larger than any other body may be."""
    commands = [origin.filing(form={"note": "一" * 25_000}) for _ in range(100)]
    text = _exported(hall, origin, commands)
    assert len(text) > 8 * 1024 * 1024
    assert _carry(carrier, text).json()["applied"] == 100
