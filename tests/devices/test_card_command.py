"""`clerk-app card read`: what it prints, and what it keeps to itself."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from pcscd import Bench

from clerk_app.devices.card.command import read_card
from clerk_app.devices.card.samples import sample_cards
from clerk_app.devices.card.simulator import Fault, SimulatedReader
from clerk_app.domain.applicant import CardRecord
from clerk_app.failures import Failure

CARDS = sample_cards()


@pytest.mark.parametrize("card_id", CARDS)
@pytest.mark.parametrize("as_json", [True, False])
def test_nothing_personal_is_printed_unasked(card_id: str, as_json: bool) -> None:
    out, err = StringIO(), StringIO()
    record = CARDS[card_id].record

    assert read_card(simulate=card_id, as_json=as_json, out=out, err=err) == 0

    said = out.getvalue()
    for secret in (record.number, record.name, record.latin_name, record.address, record.former_number):
        assert not secret or secret not in said
    assert record.birth.isoformat() not in said
    assert record.number[-4:] in said
    assert err.getvalue() == ""


def test_revealed_json_is_the_whole_card() -> None:
    out = StringIO()
    shown: list[CardRecord] = []

    assert read_card(simulate="resident-rare-ji", as_json=True, reveal=shown.append, out=out) == 0

    card = json.loads(out.getvalue())
    record = CARDS["resident-rare-ji"].record
    assert shown == [record]
    assert (card["name"], card["number"], card["address"]) == (record.name, record.number, record.address)
    assert (card["kind"], card["birth"], card["valid_until"]) == ("resident_id", "1979-09-26", "2034-10-08")
    assert (card["photo"], card["warnings"]) == (0, [])


def test_what_cannot_be_put_on_record_is_not_shown() -> None:
    def refuse(_: CardRecord) -> None:
        raise Failure("SETTINGS-NOT-ENROLLED")

    out, err = StringIO(), StringIO()

    assert read_card(simulate="resident", reveal=refuse, out=out, err=err) == 2
    assert err.getvalue().startswith("SETTINGS-NOT-ENROLLED: ")
    assert out.getvalue() == ""


def test_a_long_term_card_has_no_last_day() -> None:
    out = StringIO()

    read_card(simulate="resident-long-term", as_json=True, out=out)

    card = json.loads(out.getvalue())
    assert (card["long_term"], card["valid_until"]) == (True, None)


def test_a_failure_is_a_code_and_a_sentence() -> None:
    reader = SimulatedReader(CARDS)
    reader.lay("resident", Fault.UNREADABLE)
    out, err = StringIO(), StringIO()

    assert read_card(reader=reader, language="en", out=out, err=err) == 2

    assert err.getvalue().startswith("CARD-UNREADABLE: The content of this card cannot be read. Wipe it")
    assert "status 6300" in err.getvalue()
    assert out.getvalue() == ""


def test_waiting_ends_with_what_is_missing() -> None:
    empty, unplugged = SimulatedReader(CARDS), SimulatedReader(CARDS)
    unplugged.unplug()
    for reader, code in ((empty, "CARD-NONE"), (unplugged, "CARD-NO-READER")):
        err = StringIO()
        assert read_card(reader=reader, seconds=0.2, err=err) == 2
        assert err.getvalue().startswith(f"{code}: ")


def test_an_unknown_sample_card_names_the_known_ones() -> None:
    err = StringIO()

    assert read_card(simulate="nobody", err=err) == 2
    assert "resident-long-term" in err.getvalue()


@pytest.mark.pcsc
def test_the_readers_of_this_machine(pcscd: Bench) -> None:
    pcscd.lay(CARDS["resident"].chip)
    out = StringIO()

    assert read_card(out=out) == 0
    assert "kind: resident_id" in out.getvalue()


@pytest.mark.pcsc
def test_a_machine_without_a_card_service(card_bench: Bench) -> None:
    err = StringIO()

    assert read_card(seconds=0.5, err=err) == 2
    assert err.getvalue().startswith("CARD-SERVICE-LOST: ")
