"""The text block of the chip: four layouts, odd chips, and any bytes at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clerk_app.devices.card.encoder import encode
from clerk_app.devices.card.layouts import LAYOUTS
from clerk_app.devices.card.parser import parse
from clerk_app.domain import identity
from clerk_app.domain.applicant import CardRecord, DocumentKind, Sex
from clerk_app.failures import Failure, text


def numbered(first17: str) -> str:
    return first17 + identity.check_digit(first17)


def chip(*fields: tuple[int, str]) -> bytes:
    """A text block laid out by hand, (offset, text) each: independent of the encoder under test."""
    block = bytearray(" ".encode("utf-16-le") * 128)
    for offset, content in fields:
        coded = content.encode("utf-16-le")
        block[offset : offset + len(coded)] = coded
    return bytes(block)


RESIDENT = (
    (0, "李晓明"),
    (30, "1"),
    (32, "01"),
    (36, "19900307"),
    (52, "四川省绵阳市涪城区长虹大道８号１单元２０３"),
    (122, numbered("51070319900307123")),
    (158, "绵阳市公安局涪城分局"),
    (188, "20160518"),
    (204, "20360518"),
)
PERMIT = (
    *(field for field in RESIDENT if field[0] not in {32, 122}),
    (122, numbered("81000019900307123")),
    (220, "H01234567"),
    (238, "02"),
    (248, "J"),
)
FOREIGN_2017 = (
    (0, "BERG, LENA MARIA"),
    (120, "2"),
    (122, "CAN110081080319"),
    (152, "CAN"),
    (158, "白莲"),
    (188, "20170616"),
    (204, "20270616"),
    (220, "19810803"),
    (236, "01"),
    (240, "1100"),
    (248, "I"),
)
FOREIGN_2023 = (
    (0, "伊姆兰"),
    (30, "2"),
    (32, "01"),
    (36, "19800101"),
    (52, "KHAN AFRIDI, IMRANA BEGUM NOOR ZAHR"),
    (122, "931586198001010028"),
    (188, "20240105"),
    (204, "20340105"),
    (220, "A GUL JAHAN"),
    (242, "PAK"),
    (248, "Y"),
    (250, "012"),
)


def test_resident_card() -> None:
    record = parse(chip(*RESIDENT), b"wlt")

    assert record == CardRecord(
        kind=DocumentKind.RESIDENT_ID,
        name="李晓明",
        number=numbered("51070319900307123"),
        sex=Sex.MALE,
        birth=date(1990, 3, 7),
        ethnicity="01",
        address="四川省绵阳市涪城区长虹大道８号１单元２０３",
        authority="绵阳市公安局涪城分局",
        valid_from=date(2016, 5, 18),
        valid_until=date(2036, 5, 18),
        photo=b"wlt",
    )


def test_residence_permit_has_a_travel_permit_and_no_ethnicity() -> None:
    record = parse(chip(*PERMIT, (32, "01")))

    assert record.kind is DocumentKind.RESIDENCE_PERMIT
    assert (record.travel_permit, record.issue_count, record.ethnicity) == ("H01234567", "02", "")
    assert record.warnings == ()


def test_foreign_card_of_2017() -> None:
    record = parse(chip(*FOREIGN_2017))

    assert record.kind is DocumentKind.FOREIGN_PR_2017
    assert (record.name, record.latin_name) == ("白莲", "BERG, LENA MARIA")
    assert (record.number, record.nationality, record.authority) == ("CAN110081080319", "CAN", "1100")
    assert (record.birth, record.sex) == (date(1981, 8, 3), Sex.FEMALE)
    assert record.warnings == ("CARD-CHECK-DIGIT",)  # the public specimen breaks its own check digit


def test_foreign_card_of_2023_joins_its_name_and_names_its_predecessor() -> None:
    record = parse(chip(*FOREIGN_2023))

    assert record.kind is DocumentKind.FOREIGN_PR_2023
    assert record.latin_name == "KHAN AFRIDI, IMRANA BEGUM NOOR ZAHRA GUL JAHAN"
    assert record.former_number.startswith("PAK31018001012")
    assert (record.issue_count, record.nationality, record.warnings) == ("01", "PAK", ())


def test_a_foreigner_without_a_chinese_name_is_called_by_the_latin_one() -> None:
    assert parse(chip(*FOREIGN_2017[:4], *FOREIGN_2017[5:])).name == "BERG, LENA MARIA"


@pytest.mark.parametrize("name", ["䶮㐱", "𠮷田花子", "阿卜杜拉·买买提江", "𠮷" * 7])
def test_rare_characters_survive(name: str) -> None:
    record = parse(chip(*RESIDENT[1:], (0, name)))

    assert record.name == name
    assert record.warnings == ()


def test_long_term_is_no_date() -> None:
    record = parse(chip(*RESIDENT, (204, "长期      ")))

    assert (record.long_term, record.valid_until, record.warnings) == (True, None, ())


def test_nul_pads_like_space() -> None:
    assert parse(chip(*RESIDENT).replace(b" \0", b"\0\0")) == parse(chip(*RESIDENT))


@pytest.mark.parametrize(
    ("odd", "warning"),
    [
        ((248, "Q"), "CARD-TYPE-UNKNOWN"),
        ((122, "510703199003071230"), "CARD-CHECK-DIGIT"),
        ((122, numbered("51070319900308123")), "CARD-NUMBER-ODD"),
        ((122, numbered("51070319900230123")), "CARD-NUMBER-ODD"),
        ((30, "2"), "CARD-NUMBER-ODD"),
        ((122, numbered("83000019900307123")), "CARD-NUMBER-ODD"),
        ((204, " " * 8), "CARD-NO-EXPIRY"),
        ((188, "20370518"), "CARD-DATES-ODD"),
        ((188, "19890518"), "CARD-DATES-ODD"),
        ((0, "李\x1b@明"), "CARD-TEXT-ODD"),
        ((0, "李\u202e明明"), "CARD-TEXT-ODD"),
        ((158, "\ufffd"), "CARD-TEXT-ODD"),
    ],
)
def test_an_odd_chip_is_read_with_a_warning(odd: tuple[int, str], warning: str) -> None:
    record = parse(chip(*RESIDENT, odd))

    assert record.kind is DocumentKind.RESIDENT_ID
    assert warning in record.warnings
    assert text(warning).action
    assert not {"\x1b", "\u202e"} & set(record.name)


def test_a_foreign_number_of_2017_that_is_not_the_holders() -> None:
    assert "CARD-NUMBER-ODD" in parse(chip(*FOREIGN_2017, (220, "19810804"))).warnings


def test_an_unknown_division_is_no_reason_to_warn() -> None:
    record = parse(chip(*RESIDENT, (122, numbered("44031119900307123"))))

    assert record.warnings == ()


@pytest.mark.parametrize(
    ("broken", "field"),
    [
        ((0, " " * 15), "name"),
        ((36, " " * 8), "birth"),
        ((36, "19900230"), "birth"),
        ((36, "１９９００３０７"), "birth"),
        ((188, "2016-5-1"), "valid_from"),
        ((204, "20360000"), "valid_until"),
        ((204, "永久      "), "valid_until"),
        ((122, " " * 18), "number"),
        ((122, "51070319900307123"), "number"),
        ((122, "5107031990030712AB"), "number"),
    ],
)
def test_what_would_show_a_wrong_person_is_a_failure(broken: tuple[int, str], field: str) -> None:
    with pytest.raises(Failure) as caught:
        parse(chip(*(item for item in RESIDENT if item[0] != broken[0]), broken))

    assert caught.value.code == "CARD-UNREADABLE"
    assert field in caught.value.detail
    assert "199003" not in caught.value.detail


@pytest.mark.parametrize("length", [0, 255, 257])
def test_a_block_of_the_wrong_length_is_unreadable(length: int) -> None:
    with pytest.raises(Failure, match="CARD-UNREADABLE"):
        parse(b" \0" * (length // 2) + b" " * (length % 2))


def test_the_encoder_writes_what_was_laid_out_by_hand() -> None:
    for fields in (RESIDENT, PERMIT, FOREIGN_2017, FOREIGN_2023):
        block = chip(*(field for field in fields if field[0] != 236))  # the version of the 2017 card
        assert encode(parse(block)) == block


def test_the_encoder_refuses_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="name needs 32 bytes"):
        encode(replace(parse(chip(*RESIDENT)), name="名" * 16))


han = st.sampled_from("李王张䶮㐱〇𠮷·明晓")
days = st.dates(date(1900, 1, 1), date(2099, 12, 31))


@st.composite
def records(draw: st.DrawFn) -> CardRecord:
    """Records as a sound card has them, of every kind."""
    kind = draw(st.sampled_from(list(LAYOUTS)))
    birth, start, end = sorted((draw(days), draw(days), draw(days)))
    sequence = draw(st.integers(0, 999))
    foreign = kind in {DocumentKind.FOREIGN_PR_2017, DocumentKind.FOREIGN_PR_2023}
    nationality = draw(st.sampled_from(["CAN", "PAK", "DEU"])) if foreign else ""
    prefix = {DocumentKind.RESIDENCE_PERMIT: "820000", DocumentKind.FOREIGN_PR_2023: "951276"}
    number = numbered(f"{prefix.get(kind, '510704')}{birth:%Y%m%d}{sequence:03d}")
    former = ""
    if kind is DocumentKind.FOREIGN_PR_2017:
        first14 = f"{nationality}5107{birth:%y%m%d}{sequence % 10}"
        number = first14 + identity.former_check_digit(first14)
    elif kind is DocumentKind.FOREIGN_PR_2023:
        former = identity.former_number(number, nationality, draw(st.sampled_from(["", "071"])))
    long_term = draw(st.booleans())
    lengths = {DocumentKind.FOREIGN_PR_2017: 60, DocumentKind.FOREIGN_PR_2023: 46}
    latin = st.text("ABCXYZ, -'", min_size=1, max_size=lengths.get(kind, 1)).map(str.strip).filter(bool)
    local = draw(st.text(han, min_size=1, max_size=7))
    resident = kind is DocumentKind.RESIDENT_ID
    permit = kind is DocumentKind.RESIDENCE_PERMIT
    return CardRecord(
        kind=kind,
        name=local,
        number=number,
        sex=Sex.UNSPECIFIED
        if kind is DocumentKind.FOREIGN_PR_2017
        else (Sex.MALE if sequence % 2 else Sex.FEMALE),
        birth=birth,
        ethnicity=draw(st.sampled_from(["", "01", "97"])) if resident else "",
        address="" if foreign else draw(st.text(han, max_size=17)),
        authority={DocumentKind.FOREIGN_PR_2017: "5107", DocumentKind.FOREIGN_PR_2023: ""}.get(kind, local),
        valid_from=start,
        valid_until=None if long_term else end,
        long_term=long_term,
        latin_name=draw(latin) if foreign else "",
        nationality=nationality,
        travel_permit="M87654321" if permit else "",
        issue_count="03" if permit or kind is DocumentKind.FOREIGN_PR_2023 else "",
        former_number=former,
    )


@given(records())
def test_what_was_encoded_is_read_back(record: CardRecord) -> None:
    assert parse(encode(record)) == record


@given(st.binary(min_size=256, max_size=256))
def test_any_bytes_are_a_record_or_a_failure(block: bytes) -> None:
    try:
        record = parse(block)
    except Failure as failure:
        assert failure.code == "CARD-UNREADABLE"
    else:
        assert record.name
        assert identity.classify(record.number)


@given(
    st.sampled_from([RESIDENT, PERMIT, FOREIGN_2017, FOREIGN_2023]),
    st.lists(st.tuples(st.integers(0, 255), st.integers(0, 255)), max_size=6),
)
def test_a_damaged_chip_is_a_record_or_a_failure(
    fields: tuple[tuple[int, str], ...], damage: list[tuple[int, int]]
) -> None:
    block = bytearray(chip(*fields))
    for place, value in damage:
        block[place] = value
    try:
        assert parse(bytes(block)).name
    except Failure as failure:
        assert failure.code == "CARD-UNREADABLE"
