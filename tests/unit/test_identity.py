"""Identity numbers: the standards' rules, and the valid numbers that other checkers refuse."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from clerk_app.domain import identity
from clerk_app.domain.applicant import DocumentKind, Sex

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def person_number(division: str, birth: str, sequence: str) -> str:
    first17 = division + birth + sequence
    return first17 + identity.check_digit(first17)


divisions = st.integers(100_000, 999_999).map(str)
births = st.dates(date(1900, 1, 1), date(2099, 12, 31))
people = st.builds(
    person_number,
    divisions,
    births.map(lambda day: day.strftime("%Y%m%d")),
    st.integers(0, 999).map("{:03d}".format),
)
credit_codes = st.text(USCC_ALPHABET, min_size=17, max_size=17).map(
    lambda first17: first17 + identity.uscc_check_character(first17)
)


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        # The example of GB 11643-1999 itself, with the check character X.
        ("11010519491231002X", DocumentKind.RESIDENT_ID),
        ("440524188001010014", None),  # the standard's other example: born in 1880, too old to stand here
        (person_number("440311", "19900307", "101"), DocumentKind.RESIDENT_ID),  # a division founded in 2018
        (person_number("510724", "19560229", "002"), DocumentKind.RESIDENT_ID),  # abolished, and a leap day
        (person_number("810000", "19850514", "003"), DocumentKind.RESIDENCE_PERMIT),
        (person_number("820000", "19850514", "014"), DocumentKind.RESIDENCE_PERMIT),
        (person_number("830000", "19850514", "025"), DocumentKind.RESIDENCE_PERMIT),
        ("931586198001010028", DocumentKind.FOREIGN_PR_2023),  # the published specimen, Pakistan
        (
            "CAN110081080319",
            DocumentKind.FOREIGN_PR_2017,
        ),  # a specimen with a bad check digit
        ("91110000600037341L", DocumentKind.USCC),
        ("91110000100000000" + identity.uscc_check_character("91110000100000000"), DocumentKind.USCC),
    ],
)
def test_numbers_that_must_be_taken(number: str, kind: DocumentKind | None) -> None:
    if kind is None:
        assert identity.problem(number) == "ID-DATE"
        return
    assert identity.classify(number) is kind
    assert identity.problem(number) is None
    assert identity.problem(number, kind) is None


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("", "ID-LENGTH"),
        ("5107041990030712", "ID-LENGTH"),
        ("510704900307123", "ID-FIRST-GENERATION"),
        ("5107041990O307123X", "ID-CHARACTERS"),
        ("51070419900230123X", "ID-DATE"),
        ("51070418991231123X", "ID-DATE"),
        ("110105194912310020", "ID-CHECK-DIGIT"),
        ("91110000600037341M", "ID-CHECK-DIGIT"),
        ("9111000060003734IL", "ID-CHARACTERS"),
        ("CAN110081130319", "ID-DATE"),
        ("CAN11008108031", "ID-LENGTH"),
    ],
)
def test_each_problem_has_its_code(number: str, code: str) -> None:
    assert identity.problem(number) == code


def test_a_field_for_one_kind_refuses_another() -> None:
    permit = person_number("810000", "19850514", "003")

    assert identity.problem(permit, DocumentKind.RESIDENT_ID) == "ID-KIND"
    assert identity.problem("91110000600037341L", DocumentKind.RESIDENT_ID) == "ID-CHARACTERS"
    assert identity.problem(permit, DocumentKind.FOREIGN_PR_2017) == "ID-LENGTH"
    assert identity.problem("110105194912310", DocumentKind.FOREIGN_PR_2017) == "ID-CHARACTERS"
    assert identity.problem("CAN110081080319", DocumentKind.USCC) == "ID-LENGTH"


def test_a_credit_code_that_looks_like_a_person_is_taken_in_its_own_field() -> None:
    first17 = "91512019900101123"
    code = first17 + identity.uscc_check_character(first17)

    assert identity.classify(code) is not DocumentKind.USCC
    assert identity.problem(code, DocumentKind.USCC) is None


def test_nobody_is_born_tomorrow() -> None:
    number = person_number("510704", "20260521", "101")

    assert identity.problem(number, today=date(2026, 5, 21)) is None
    assert identity.problem(number, today=date(2026, 5, 20)) == "ID-DATE"


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (" 11010519491231002x ", "11010519491231002X"),
        ("１１０１０５ １９４９１２３１ ００２Ｘ", "11010519491231002X"),
        ("110105-19491231-002X", "11010519491231002X"),
        ("91110000 600037341l", "91110000600037341L"),
    ],
)
def test_normalise_takes_what_people_type(typed: str, stored: str) -> None:
    assert identity.normalise(typed) == stored


def test_birth_and_sex_are_in_the_number() -> None:
    assert identity.birth_date("11010519491231002X") == date(1949, 12, 31)
    assert identity.sex("11010519491231002X") is Sex.FEMALE
    assert identity.sex(person_number("510704", "19900307", "101")) is Sex.MALE


@pytest.mark.parametrize("number", ["CAN110081080319", "91110000600037341L", "51070419900230123X", "", "甲"])
def test_numbers_without_a_birth_say_so(number: str) -> None:
    assert identity.birth_date(number) is None
    assert identity.sex(number) is Sex.UNKNOWN


def test_the_2017_number_follows_from_the_2023_card() -> None:
    former = identity.former_number("931586198001010028", "PAK", "012")

    assert former[:14] == "PAK31018001012"
    assert identity.problem(former) is None
    assert identity.former_check_digit("CAN11008108031") == "0"  # the specimen prints 9
    assert identity.former_number("931586198001010028", "PAK", "") == ""
    assert identity.former_number("931586198001010028", "", "012") == ""


@given(people)
def test_a_correct_person_number_has_no_problem(number: str) -> None:
    assert identity.problem(number) is None
    assert identity.classify(number) is not DocumentKind.USCC


@given(people, st.integers(0, 17), st.sampled_from("0123456789XABQ"))
def test_every_single_wrong_character_is_found(number: str, place: int, char: str) -> None:
    assume(number[place] != char)
    wrong = number[:place] + char + number[place + 1 :]

    assert identity.classify(wrong) is not DocumentKind.USCC
    assert identity.problem(wrong) is not None


@given(people, st.integers(0, 16))
def test_every_swap_of_neighbours_is_found(number: str, place: int) -> None:
    assume(number[place] != number[place + 1])
    wrong = number[:place] + number[place + 1] + number[place] + number[place + 2 :]

    assert identity.problem(wrong, identity.classify(number)) is not None


@given(credit_codes)
def test_a_correct_credit_code_has_no_problem_in_its_field(code: str) -> None:
    assert identity.problem(code, DocumentKind.USCC) is None


@given(credit_codes, st.integers(0, 17), st.sampled_from(USCC_ALPHABET))
def test_every_single_wrong_character_of_a_credit_code_is_found(code: str, place: int, char: str) -> None:
    assume(code[place] != char)

    wrong = code[:place] + char + code[place + 1 :]

    assert identity.problem(wrong, DocumentKind.USCC) == "ID-CHECK-DIGIT"


@given(births, st.integers(0, 999))
def test_birth_and_sex_come_back_out(day: date, sequence: int) -> None:
    number = person_number("510704", day.strftime("%Y%m%d"), f"{sequence:03d}")

    assert identity.birth_date(number) == day
    assert identity.sex(number) is (Sex.MALE if sequence % 2 else Sex.FEMALE)
    assert identity.problem(number, today=day - timedelta(days=1)) == "ID-DATE"


@given(people | credit_codes)
def test_a_stored_number_is_stored_as_it_is(number: str) -> None:
    assert identity.normalise(number.lower()) == number


@given(st.text(max_size=24))
def test_any_text_gets_an_answer(text: str) -> None:
    number = identity.normalise(text)

    assert isinstance(identity.classify(number), DocumentKind)
    assert (identity.problem(number) or "ID-").startswith("ID-")


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("L898902C3", DocumentKind.PASSPORT),
        ("E12345678", DocumentKind.PASSPORT),
        ("H12345678", DocumentKind.MAINLAND_TRAVEL_PERMIT),
        ("M1234567801", DocumentKind.MAINLAND_TRAVEL_PERMIT),
        ("HA1234567", DocumentKind.MAINLAND_TRAVEL_PERMIT),
        ("12345678", DocumentKind.MAINLAND_TRAVEL_PERMIT),
        ("D23145890734", DocumentKind.TRAVEL_DOCUMENT),
    ],
)
def test_travel_documents_are_judged_by_their_shape(number: str, kind: DocumentKind) -> None:
    assert identity.problem(number, kind) is None
    assert identity.birth_date(number) is None
    assert identity.problem(number) is not None  # nothing in the number names its kind
    assert identity.problem(number + "#", kind) == "ID-DOCUMENT-NUMBER"
    assert identity.problem("", kind) == "ID-DOCUMENT-NUMBER"
    assert identity.problem(person_number("510704", "19900307", "123"), kind) in (
        ["ID-DOCUMENT-NUMBER", None] if kind is DocumentKind.TRAVEL_DOCUMENT else ["ID-DOCUMENT-NUMBER"]
    )
