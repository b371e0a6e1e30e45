"""The machine-readable zone: the specimens of Doc 9303, and every way a zone can be wrong."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clerk_app.domain import mrz
from clerk_app.domain.applicant import DocumentKind, EntrySource, Sex
from clerk_app.failures import Failure

TODAY = date(2026, 11, 20)
# Specimens of Doc 9303 parts 4 and 5: Anna Maria Eriksson of Utopia.
TD3 = (
    "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
    "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
)
TD1 = (
    "I<UTOD231458907<<<<<<<<<<<<<<<",
    "7408122F1204159UTO<<<<<<<<<<<6",
    "ERIKSSON<<ANNA<MARIA<<<<<<<<<<",
)
_CUT = ("MRZ-NAME-CUT",)
LONG = ("I<UTOD23145890<7349<<<<<<<<<<<", TD1[1], TD1[2])  # Doc 9303-5, 4.2.2.1: a number of twelve


def passport(
    name: str = "ERIKSSON<<ANNA<MARIA",
    number: str = "L898902C3",
    birth: str = "740812",
    sex: str = "F",
    expiry: str = "320415",
    *,
    head: str = "P<UTO",
    nationality: str = "UTO",
    personal: str = "ZE184226B",
) -> str:
    """A TD3 zone with the right check digits."""
    line = f"{number:<<9}"
    line += mrz.check_digit(line) + nationality
    line += birth + mrz.check_digit(birth) + sex + expiry + mrz.check_digit(expiry)
    optional = f"{personal:<<14}"
    line += optional + mrz.check_digit(optional)
    return f"{head}{name:<<39}" + line + mrz.check_digit(line[:10] + line[13:20] + line[21:43])


def card(
    number: str = "D23145890",
    birth: str = "740812",
    expiry: str = "320415",
    *,
    head: str = "I<UTO",
    name: str = "ERIKSSON<<ANNA<MARIA",
) -> str:
    """A TD1 zone with the right check digits; numbers of more than nine characters go on behind."""
    digit = mrz.check_digit(f"{number:<<9}")
    stem = f"{number:<<9}" + digit if len(number) <= 9 else f"{number[:9]}<{number[9:]}{digit}"
    first = head + f"{stem:<<25}"
    second = birth + mrz.check_digit(birth) + "F" + expiry + mrz.check_digit(expiry) + "UTO<<<<<<<<<<<"
    whole = mrz.check_digit(first[5:] + second[:7] + second[8:15] + second[18:29])
    return first + second + whole + f"{name:<<30}"


def code(zone: str) -> str:
    with pytest.raises(Failure) as failed:
        mrz.parse(zone, TODAY)
    return failed.value.code


def test_the_specimen_passport() -> None:
    document = mrz.parse("".join(TD3), TODAY)
    assert document.kind is DocumentKind.PASSPORT
    assert (document.name, document.surname, document.given) == (
        "ERIKSSON ANNA MARIA",
        "ERIKSSON",
        "ANNA MARIA",
    )
    assert (document.number, document.issuer, document.nationality) == ("L898902C3", "UTO", "UTO")
    assert (document.birth, document.sex) == (date(1974, 8, 12), Sex.FEMALE)
    assert document.valid_until == date(2012, 4, 15)
    assert document.warnings == ()


def test_the_specimen_card() -> None:
    document = mrz.parse("".join(TD1), TODAY)
    assert document.kind is DocumentKind.TRAVEL_DOCUMENT
    assert (document.name, document.number) == ("ERIKSSON ANNA MARIA", "D23145890")
    assert (document.birth, document.valid_until) == (date(1974, 8, 12), date(2012, 4, 15))


def test_a_number_longer_than_its_field_goes_on_behind() -> None:
    zone = card("D23145890734")
    assert zone[:30] == LONG[0]
    assert mrz.parse(zone, TODAY).number == "D23145890734"
    assert code(zone.replace("7349", "7348", 1)) == "MRZ-NUMBER"


@pytest.mark.parametrize("between", ["", "\r\n", "\n", "\r", "\t", "  ", "\r\n\r\n"])
@pytest.mark.parametrize("lines", [TD3, TD1], ids=["td3", "td1"])
def test_whatever_the_reader_puts_between_the_lines(lines: tuple[str, ...], between: str) -> None:
    plain = mrz.parse("".join(lines), TODAY)
    assert mrz.parse(between + between.join(lines) + between, TODAY) == plain
    assert mrz.parse(between.join(lines).lower(), TODAY) == plain


def test_a_pair_of_fillers_may_come_as_a_quotation_mark() -> None:
    text = "\n".join(TD3)
    plain = mrz.parse(text, TODAY)
    assert mrz.parse(text.replace("<<", "\N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK}"), TODAY) == plain
    full = text.translate({ord(char): chr(ord(char) + 0xFEE0) for char in set(text) - {"\n"}})
    assert mrz.parse(full, TODAY) == plain


@pytest.mark.parametrize("lines", [TD3, TD1], ids=["td3", "td1"])
def test_no_single_wrong_digit_passes(lines: tuple[str, ...]) -> None:
    """Every character under a check digit, replaced by the next one."""
    zone = "".join(lines)
    under = (
        [*range(44, 54), *range(57, 64), *range(65, 88)] if lines is TD3 else [*range(5, 37), *range(38, 45)]
    )
    for place in under:
        wrong = "1" if zone[place] == "<" else str((int(zone[place], 36) + 1) % 10)
        assert code(zone[:place] + wrong + zone[place + 1 :]).startswith("MRZ-"), place


@pytest.mark.parametrize(
    ("zone", "failure"),
    [
        ("", "MRZ-SHAPE"),
        ("".join(TD3)[:-1], "MRZ-SHAPE"),
        ("".join(TD3) + "<", "MRZ-SHAPE"),
        ("".join(TD3).replace("ANNA", "ANN?"), "MRZ-CHARACTERS"),
        ("V" + passport()[1:], "MRZ-VISA"),
        ("".join(TD3).replace("L898902C36", "L898902C35"), "MRZ-NUMBER"),
        (passport(number=""), "MRZ-NUMBER"),
        ("".join(TD3).replace("7408122F", "7408121F"), "MRZ-BIRTH"),
        (passport(birth="740230"), "MRZ-BIRTH"),
        (passport(birth="74AB12"), "MRZ-BIRTH"),
        (passport(birth="<<0812"), "MRZ-BIRTH"),
        ("".join(TD3).replace("1204159", "1204158"), "MRZ-EXPIRY"),
        (passport(expiry="321340"), "MRZ-EXPIRY"),
        (passport(expiry="3204<<"), "MRZ-EXPIRY"),
        ("".join(TD3)[:-2] + "00", "MRZ-CHECK"),
        ("".join(TD3)[:-1] + "1", "MRZ-CHECK"),
        (passport(sex="Q"), "MRZ-CHARACTERS"),
        (passport(nationality="1TO"), "MRZ-CHARACTERS"),
        (passport(name="ERIKSS0N<<ANNA"), "MRZ-NAME"),
        (passport(name=""), "MRZ-NAME"),
    ],
)
def test_each_fault_has_its_code(zone: str, failure: str) -> None:
    assert code(zone) == failure


@pytest.mark.parametrize(
    ("birth", "day", "year"),
    [
        ("261120", date(2026, 11, 20), 2026),  # born today
        ("261121", date(1926, 11, 21), 1926),  # would be tomorrow: a hundred years ago
        ("000229", date(2000, 2, 29), 2000),
        ("7408<<", None, 1974),
        ("27<<<<", None, 1927),
        ("<<<<<<", None, None),
    ],
)
def test_nobody_is_born_in_the_future(birth: str, day: date | None, year: int | None) -> None:
    document = mrz.parse(passport(birth=birth), TODAY)
    assert (document.birth, document.birth_year) == (day, year)
    assert ("MRZ-BIRTH-PART" in document.warnings) == (day is None)


@pytest.mark.parametrize(
    ("expiry", "day"),
    [
        ("361120", date(2036, 11, 20)),
        ("760101", date(2076, 1, 1)),
        ("770101", date(1977, 1, 1)),
        ("991231", date(1999, 12, 31)),
    ],
)
def test_the_century_of_expiry(expiry: str, day: date) -> None:
    assert mrz.parse(passport(expiry=expiry), TODAY).valid_until == day


def test_a_document_without_a_day_of_expiry() -> None:
    zone = card(expiry="<<<<<<")
    document = mrz.parse(zone, TODAY)
    assert (document.valid_until, document.warnings) == (None, ("MRZ-NO-EXPIRY",))
    assert zone[30:60][14] == "0"


@pytest.mark.parametrize(
    ("name", "shown", "warnings"),
    [
        ("OCONNOR<<SEAN", "OCONNOR SEAN", ()),
        ("VAN<DER<BERG<<JAN<PIET", "VAN DER BERG JAN PIET", ()),
        ("ARKFREITH", "ARKFREITH", ()),
        ("MUELLER<<JOERG", "MUELLER JOERG", ()),  # the issuer's transliteration stays
        ("NILAVADHANANANDA<<CHAYAPA<DEJTHAMRONG<K", "NILAVADHANANANDA CHAYAPA DEJTHAMRONG K", _CUT),
    ],
)
def test_names(name: str, shown: str, warnings: tuple[str, ...]) -> None:
    document = mrz.parse(passport(name=name), TODAY)
    assert document.name == shown
    assert document.warnings == warnings


@pytest.mark.parametrize(
    ("zone", "kind"),
    [
        (passport(head="PDUTO"), DocumentKind.PASSPORT),
        (passport(head="PMCHN", number="E12345678", nationality="CHN"), DocumentKind.PASSPORT),
        (card("H12345678", head="CRCHN"), DocumentKind.MAINLAND_TRAVEL_PERMIT),
        (card("HA1234567", head="CRCHN"), DocumentKind.MAINLAND_TRAVEL_PERMIT),
        (card("12345678", head="CTCHN"), DocumentKind.MAINLAND_TRAVEL_PERMIT),
        (card("H12345678", head="C<UTO"), DocumentKind.TRAVEL_DOCUMENT),
        (card("T2200012", head="IDD<<"), DocumentKind.TRAVEL_DOCUMENT),
    ],
)
def test_kinds(zone: str, kind: DocumentKind) -> None:
    document = mrz.parse(zone, TODAY)
    assert document.kind is kind
    assert ("MRZ-LATIN-NAME" in document.warnings) == (document.issuer == "CHN")


def test_the_person_is_known_by_the_zone() -> None:
    person = mrz.person(mrz.parse("".join(TD3), TODAY))
    assert person.source is EntrySource.MRZ
    assert (person.kind, person.nationality, person.typed_reason) == (DocumentKind.PASSPORT, "UTO", "")


def test_what_is_meant_as_a_zone() -> None:
    assert mrz.looks_like("".join(TD3)) and mrz.looks_like("".join(TD1))
    assert mrz.looks_like("".join(TD3)[:-1])  # badly read, and told so
    assert mrz.begins(TD3[0]) and mrz.begins(TD1[0]) and mrz.begins(TD1[0] + TD1[1])
    assert not mrz.looks_like("MY0100001207R")
    assert not mrz.begins("MY0100001207R") and not mrz.begins("")


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<", min_size=88, max_size=90) | st.text(max_size=100))
def test_any_text_gives_a_document_or_a_failure(text: str) -> None:
    try:
        mrz.parse(text, TODAY)
    except Failure as failure:
        assert failure.code.startswith("MRZ-")
        assert not any(part in failure.detail for part in text.split() if len(part) > 12)
