"""Social security cards: three versions, every way a card hands its records out, and odd cards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clerk_app.devices.card import social_security as ssc
from clerk_app.devices.card.apdu import ask
from clerk_app.devices.card.chips import SOCIAL_SECURITY_ATR, SocialSecurityChip, StorageChip
from clerk_app.devices.card.choice import DRIVERS, read_with
from clerk_app.devices.card.encoder import social_security_records
from clerk_app.devices.card.social_security import SocialSecurityCard, parse, records
from clerk_app.domain import identity
from clerk_app.domain.applicant import CardRecord, DocumentKind, Sex
from clerk_app.failures import Failure

RECORD = CardRecord(
    kind=DocumentKind.SOCIAL_SECURITY,
    name="李晓明",
    number="51070419900307123X",
    sex=Sex.MALE,
    birth=date(1990, 3, 7),
    ethnicity="01",
    valid_from=date(2018, 5, 2),
    valid_until=date(2028, 5, 2),
)
LONG = replace(RECORD, name="阿依古丽·买买提艾力·吐尔逊江·阿卜杜热西")  # 38 bytes: cut inside a character
PLAYS = [
    {"by": by, "short": short, "t0": t0}
    for by in ("tag", "number")
    for short in (True, False)
    for t0 in (True, False)
]


def read(transmit: Callable[[bytes], bytes]) -> CardRecord:
    return SocialSecurityCard().read(transmit)


@pytest.mark.parametrize("version", ["1.00", "2.00", "3.00"])
@pytest.mark.parametrize("plays", PLAYS)
def test_every_version_is_read_in_every_way(version: str, plays: dict[str, Any]) -> None:
    chip = SocialSecurityChip(social_security_records(RECORD, version), **plays)

    assert read(chip.transmit) == RECORD


@pytest.mark.parametrize("plays", PLAYS)
def test_a_name_of_two_records(plays: dict[str, Any]) -> None:
    assert read(SocialSecurityChip(social_security_records(LONG, "2.00"), **plays).transmit) == LONG


def test_the_commands_are_those_of_the_rules() -> None:
    chip = SocialSecurityChip(social_security_records(RECORD), t0=True)
    sent: list[str] = []

    def transmit(command: bytes) -> bytes:
        sent.append(command.hex(" ").upper())
        return chip.transmit(command)

    read(transmit)

    assert sent == [
        "00 A4 04 00 0F 73 78 31 2E 73 68 2E C9 E7 BB E1 B1 A3 D5 CF",
        "00 C0 00 00 13",
        "00 B2 03 28 06",
        "00 B2 05 28 06",
        "00 B2 06 28 06",
        "00 B2 08 30 14",
        "00 B2 09 30 20",
        "00 B2 4E 30 16",
        "00 B2 0A 30 03",
        "00 B2 0B 30 03",
        "00 B2 0D 30 06",
    ]


def test_a_card_that_wants_exact_lengths() -> None:
    chip = SocialSecurityChip(social_security_records(RECORD, "1.00"), by="number")

    def transmit(command: bytes) -> bytes:
        answer = chip.transmit(command)
        exact = command[1] != 0xB2 or len(answer) == 2 or command[4] == len(answer) - 2
        return answer if exact else b"\x67\x00"

    assert read(transmit) == RECORD


def test_a_card_that_answers_with_another_record_is_read_by_number() -> None:
    chip = SocialSecurityChip(social_security_records(RECORD, "1.00"), by="number")

    def transmit(command: bytes) -> bytes:
        if command[1] == 0xB2 and command[3] & 7 == 0:
            command = b"\x00\xb2\x01" + bytes((command[3] | 4,)) + command[4:]
        return chip.transmit(command)

    assert read(transmit) == RECORD


def test_the_bank_side_of_a_card_is_never_asked_for() -> None:
    sent: list[bytes] = []
    chip = SocialSecurityChip(social_security_records(RECORD))

    def transmit(command: bytes) -> bytes:
        sent.append(command)
        return chip.transmit(command)

    read(transmit)

    assert not any(b"\xa0\x00\x00\x03\x33" in command for command in sent)
    assert {command[1] for command in sent} <= {0xA4, 0xB2, 0xC0}
    assert {command[3] >> 3 for command in sent if command[1] == 0xB2} == {5, 6}


@pytest.mark.parametrize("word", ["6A82", "6D00", "6E00", "6A81", "6A86", "6999", "6985", "6700"])
def test_a_card_without_the_application_is_another_card(word: str) -> None:
    with pytest.raises(Failure, match=f"CARD-UNKNOWN: .*ATR 3B6D.*SSSE: status {word}"):
        read_with(DRIVERS, SOCIAL_SECURITY_ATR, lambda _: bytes.fromhex(word))


@pytest.mark.parametrize(
    ("word", "code"), [("6283", "CARD-BLOCKED"), ("6400", "CARD-MOVED"), ("6300", "CARD-UNREADABLE")]
)
def test_an_application_that_cannot_be_used_says_why(word: str, code: str) -> None:
    with pytest.raises(Failure, match=code):
        read(lambda _: bytes.fromhex(word))


def test_a_refusal_in_the_middle_is_that_refusal() -> None:
    chip = SocialSecurityChip(social_security_records(RECORD))

    def transmit(command: bytes) -> bytes:
        return b"\x69\x82" if command[1:4] == b"\xb2\x09\x30" else chip.transmit(command)

    with pytest.raises(Failure, match="CARD-REFUSED: EF06 tag 09: status 6982"):
        read(transmit)


def test_a_card_with_empty_files() -> None:
    def transmit(command: bytes) -> bytes:
        return b"\x90\x00" if command[1] == 0xA4 else b"\x6a\x83"

    with pytest.raises(Failure, match="CARD-NO-DATA"):
        read(transmit)


def test_an_identity_card_in_a_reader_of_another_make_is_no_social_security_card() -> None:
    with pytest.raises(Failure, match="CARD-UNKNOWN"):
        read(StorageChip(bytes(1284)).transmit)


# --- values ------------------------------------------------------------------------------------------------


def values(record: CardRecord = RECORD, **changes: bytes) -> Mapping[int, bytes]:
    named = {name: getattr(ssc, name) for name in changes}
    return {**records(social_security_records(record)), **{named[k]: v for k, v in changes.items()}}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"SEX": b"2"}, {"sex": Sex.FEMALE, "warnings": ("CARD-NUMBER-ODD",)}),
        ({"SEX": b"\xff"}, {"sex": Sex.UNKNOWN}),
        ({"ETHNICITY": b"\x56"}, {"ethnicity": "56"}),
        ({"ETHNICITY": b"\xff"}, {"ethnicity": ""}),
        ({"ETHNICITY": b"\x00"}, {"ethnicity": ""}),
        ({"BIRTH": b"\xff\xff\xff\xff"}, {}),  # the number tells
        ({"BIRTH": b"\x19\x91\x03\x07"}, {"birth": date(1991, 3, 7), "warnings": ("CARD-NUMBER-ODD",)}),
        ({"EXPIRES": bytes(4)}, {"valid_until": None, "warnings": ("CARD-NO-EXPIRY",)}),
        (
            {"EXPIRES": b"\x20\x01\x01\x01"},
            {"valid_until": date(2001, 1, 1), "warnings": ("CARD-DATES-ODD",)},
        ),
        ({"ISSUED": b"\xff\xff\xff\xff"}, {"valid_from": None}),
        ({"NUMBER": b"51070419900307123x"}, {}),
        (
            {"NUMBER": b"510704199003071231"},
            {"number": "510704199003071231", "warnings": ("CARD-CHECK-DIGIT",)},
        ),
        ({"NAME": "李晓明".encode("gbk") + b"\xff" * 24}, {}),
        ({"NAME": "李晓明".encode("gbk") + b" " * 24}, {}),
        ({"NAME": "苏〇".encode("gbk")}, {"name": "苏〇"}),
        ({"NAME": "王𠮷".encode("gb18030")}, {"name": "王𠮷"}),
        ({"NAME": b"\xc0\xee\x07"}, {"name": "李\ufffd", "warnings": ("CARD-TEXT-ODD",)}),
        ({"NAME": b"\xc0\xee\x81"}, {"name": "李\ufffd", "warnings": ("CARD-TEXT-ODD",)}),
        ({"NAME_MORE": b"LI XIAOMING"}, {}),  # behind a name that ended it is not the name
    ],
)
def test_a_value_as_the_card_writes_it(changes: dict[str, bytes], expected: dict[str, Any]) -> None:
    assert parse(values(**changes)) == replace(RECORD, **expected)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"NUMBER": b"5107041990030712"}, "number: ID-LENGTH"),
        ({"NUMBER": b"USA12345678901234A"}, "number: ID-CHARACTERS"),
        ({"NUMBER": b""}, "number: ID-LENGTH"),
        ({"NAME": bytes(30)}, "name"),
        ({"BIRTH": b"\x19\x91\x13\x07"}, "birth: no such day"),
        ({"BIRTH": b"\x19\x91\x0a\x07"}, "birth: not a date"),
        ({"BIRTH": b"", "NUMBER": b"510704199013071231"}, "birth: missing"),
    ],
)
def test_a_card_that_names_nobody_is_unreadable(changes: dict[str, bytes], field: str) -> None:
    with pytest.raises(Failure) as raised:
        parse(values(**changes))
    assert (raised.value.code, raised.value.detail) == ("CARD-UNREADABLE", field)


@pytest.mark.parametrize(
    "number", ["51070419900307123X", "81000019930711024X", "951586198703250177"], ids=["here", "permit", "pr"]
)
def test_whoever_has_a_number_of_these_rules_may_have_the_card(number: str) -> None:
    assert identity.problem(number, DocumentKind.SOCIAL_SECURITY) is None


@given(st.dictionaries(st.integers(0, 255), st.binary(max_size=60)))
def test_any_values_are_a_record_or_a_failure(found: dict[int, bytes]) -> None:
    try:
        record = parse({**values(), **found})
    except Failure as failure:
        assert failure.code == "CARD-UNREADABLE"
    else:
        assert record.name
        assert record.kind is DocumentKind.SOCIAL_SECURITY


@given(st.lists(st.binary(max_size=40), max_size=60))
def test_any_answers_are_a_card_or_a_failure(answers: list[bytes]) -> None:
    given_out = iter(answers)
    try:
        read(lambda _: next(given_out, b"\x6a\x82"))
    except Failure as failure:
        assert failure.code.startswith("CARD-")


def test_a_card_that_always_has_more_is_not_asked_for_ever() -> None:
    asked = []

    def transmit(command: bytes) -> bytes:
        asked.append(command)
        return b"x" * 16 + b"\x61\x10"

    data, status = ask(transmit, b"\x00\xb2\x01\x04\x00")

    assert (len(asked), status) == (9, b"\x61\x10")
    assert len(data) == 9 * 16


def test_a_name_that_does_not_fit_is_a_mistake_of_the_sample() -> None:
    with pytest.raises(ValueError, match="thirty"):
        social_security_records(LONG, "1.00")
    with pytest.raises(ValueError, match="fifty"):
        social_security_records(replace(RECORD, name="阿" * 26))
