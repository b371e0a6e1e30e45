"""Numbering, masking, working days, form values: the small rules everybody leans on."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clerk_app.domain import form, masking, numbering
from clerk_app.domain.applicant import (
    Applicant,
    CardRecord,
    DocumentKind,
    Organisation,
    Sex,
    age,
    person_from_card,
)
from clerk_app.domain.catalogue import FieldKind, FormField
from clerk_app.domain.ethnicity import ethnic_group
from clerk_app.domain.working_days import WorkingCalendar

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SERIALS = st.integers(1, 99_999_999)


# --- numbering -------------------------------------------------------------------------------------------


def test_the_check_character_follows_the_standard() -> None:
    # The worked example of ISO 7064 MOD 37,36 in public use (Global Release Identifier).
    assert numbering.check_character("A12425GABC1234002") == "M"


@given(SERIALS)
def test_a_number_reads_back_printed_typed_and_scanned(serial: int) -> None:
    number = numbering.case_number("MY01", serial)
    shown = numbering.printed(number)
    assert numbering.parse(shown) == numbering.parse(f" {shown.lower()} ") == number


@given(SERIALS, st.integers(0, 12), st.sampled_from(ALPHABET))
def test_every_single_wrong_character_is_found(serial: int, place: int, wrong: str) -> None:
    number = numbering.case_number("MY01", serial)
    if number[place] == wrong:
        return
    with pytest.raises(ValueError, match="not a case number"):
        numbering.parse(number[:place] + wrong + number[place + 1 :])


def test_of_a_hundred_swaps_of_neighbours_at_least_ninety_nine_are_found() -> None:
    """MOD 37,36 finds every wrong character and nearly every swap: a few pairs share their character."""
    swaps = found = 0
    for serial in range(1, 100_000, 37):
        number = numbering.case_number("MY01", serial)
        for place in range(12):
            swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
            if swapped == number:
                continue
            swaps += 1
            try:
                numbering.parse(swapped)
            except ValueError:
                found += 1
    assert swaps > 10_000
    assert found / swaps > 0.99


@pytest.mark.parametrize(("hall", "serial"), [("MY1", 1), ("my01", 1), ("MY01", 0), ("MY01", 100_000_000)])
def test_what_cannot_be_numbered_is_refused(hall: str, serial: int) -> None:
    with pytest.raises(ValueError, match=r"hall code|serial"):
        numbering.case_number(hall, serial)


# --- masking -----------------------------------------------------------------------------------------------


def test_what_a_log_might_show_of_a_person_is_masked() -> None:
    born = date(1989, 6, 4)
    record = CardRecord(DocumentKind.RESIDENT_ID, "李晓明", "51070419890604123X", Sex.MALE, born, photo=b"\1")
    applicant = Applicant(person_from_card(record), agent=person_from_card(record))
    for shown in (repr(record), repr(applicant), str(record), f"{applicant.party}"):
        assert "510704********123X" in shown
        assert not any(part in shown for part in ("李", "19890604", "photo", "1989"))


@pytest.mark.parametrize(
    ("mask", "value", "shown"),
    [
        (masking.number, "51070419890604123X", "510704********123X"),
        (masking.number, "CAN110081080319", "CAN110*****0319"),
        (masking.reason, " 51070419890604123X 撤回 ", "510704********123X 撤回"),
        (masking.reason, "证件号51070419890604123x，写错", "证件号510704********123x，写错"),
        (masking.reason, "另立 MY01-00001207-6，2026-11-20 10:42", "另立 MY01-00001207-6，2026-11-20 10:42"),
        (masking.number, "H12345678", "*****5678"),
        (masking.number, "1234", "1234"),
        (masking.name, "李晓明", "李**"),
        (masking.name, "𠮷田", "𠮷*"),
        (masking.name, "SMITH JOHN", "S**** J***"),
        (masking.name, "", ""),
        (masking.phone, "13800001234", "138****1234"),
        (masking.phone, "0816-1234", "*****1234"),
    ],
)
def test_masking(mask: object, value: str, shown: str) -> None:
    assert mask(value) == shown  # type: ignore[operator]


@given(st.text(ALPHABET, min_size=11, max_size=30))
def test_a_mask_keeps_ten_characters_and_the_length(value: str) -> None:
    shown = masking.number(value)
    assert len(shown) == len(value)
    assert sum(character != "*" for character in shown) == 10


# --- working days --------------------------------------------------------------------------------------

CALENDAR = WorkingCalendar(
    years=frozenset({2026}),
    holidays=frozenset(date(2026, 10, day) for day in (1, 2, 5, 6, 7)),
    make_up_days=frozenset({date(2026, 9, 20), date(2026, 10, 10)}),
)


@pytest.mark.parametrize(
    ("start", "days", "unit", "due"),
    [
        (date(2026, 9, 30), 1, "working", date(2026, 10, 8)),  # over the golden week
        (date(2026, 9, 30), 3, "working", date(2026, 10, 10)),  # a working Saturday counts
        (date(2026, 9, 18), 1, "working", date(2026, 9, 20)),  # a working Sunday
        (date(2026, 11, 20), 5, "working", date(2026, 11, 27)),  # the day of receipt does not count
        (date(2026, 11, 20), 0, "working", date(2026, 11, 20)),
        (date(2026, 9, 30), 3, "calendar", date(2026, 10, 3)),
    ],
)
def test_due_dates(start: date, days: int, unit: str, due: date) -> None:
    found = CALENDAR.due(start, days, unit)
    assert (found.day, found.provisional) == (due, False)


def test_beyond_the_calendar_a_due_date_is_provisional_never_refused() -> None:
    found = CALENDAR.due(date(2026, 12, 30), 5)
    assert found.provisional
    assert WorkingCalendar().due(date(2026, 11, 20), 1).provisional
    with pytest.raises(ValueError, match="unit"):
        CALENDAR.due(date(2026, 1, 1), 1, "moons")


@given(st.dates(date(2026, 1, 1), date(2026, 6, 30)), st.integers(1, 60))
def test_a_due_day_is_a_working_day_and_the_count_is_right(start: date, days: int) -> None:
    due = CALENDAR.due(start, days).day
    between = (start + timedelta(days=n) for n in range(1, (due - start).days + 1))
    assert CALENDAR.is_working(due)
    assert sum(CALENDAR.is_working(day) for day in between) == days


# --- people and forms ----------------------------------------------------------------------------------


def test_age_changes_on_the_birthday() -> None:
    born = date(2008, 11, 21)
    assert age(born, date(2026, 11, 20)) == 17
    assert age(born, date(2026, 11, 21)) == 18
    assert age(date(2008, 2, 29), date(2026, 2, 28)) == 17


def test_ethnic_groups() -> None:
    assert (ethnic_group("01"), ethnic_group("33"), ethnic_group("56")) == ("汉族", "羌族", "基诺族")
    assert (ethnic_group("98"), ethnic_group("57"), ethnic_group("")) == ("外国血统中国籍人士", "", "")


PERSON = Applicant(
    person_from_card(
        CardRecord(
            kind=DocumentKind.RESIDENT_ID,
            name="李晓明",
            number="51070419890604123X",
            sex=Sex.MALE,
            birth=date(1989, 6, 4),
            ethnicity="33",
            address="样例路 9 号",
            long_term=True,
        )
    )
)


@pytest.mark.parametrize(
    ("fill", "value"),
    [
        ("name", "李晓明"),
        ("number", "51070419890604123X"),
        ("sex", "男"),
        ("birth", "1989-06-04"),
        ("ethnicity", "羌族"),
        ("address", "样例路 9 号"),
        ("valid_until", "长期"),
        ("shoe_size", ""),
        ("", ""),
    ],
)
def test_the_card_fills_the_form(fill: str, value: str) -> None:
    assert form.known(FormField("f", "f", fill=fill), PERSON) == value
    assert form.known(FormField("f", "f", fill=fill), None) == ""


def test_a_credit_code_fills_what_it_says_and_nothing_of_a_person() -> None:
    body = Applicant(Organisation("示例公司", "91110000600037341L"))
    assert form.known(FormField("f", "f", fill="uscc"), body) == "91110000600037341L"
    assert form.known(FormField("f", "f", fill="sex"), body) == ""


@pytest.mark.parametrize(
    ("kind", "value", "problem"),
    [
        (FieldKind.TEXT, "", "field.required"),
        (FieldKind.TEXT, "任意", ""),
        (FieldKind.PHONE, "13800001234", ""),
        (FieldKind.PHONE, "0816-2345678", ""),
        (FieldKind.PHONE, "12345", "field.phone"),
        (FieldKind.NUMBER, "12.50", ""),
        (FieldKind.NUMBER, "十二", "field.number"),
        (FieldKind.DATE, "2026-11-21", ""),
        (FieldKind.DATE, "长期", ""),
        (FieldKind.DATE, "2026-02-30", "field.date"),
        (FieldKind.CHOICE, "甲", ""),
        (FieldKind.CHOICE, "丙", "field.choice"),
    ],
)
def test_what_is_wrong_with_a_value(kind: FieldKind, value: str, problem: str) -> None:
    field = FormField("f", "f", kind=kind, required=True, choices=("甲", "乙"))
    assert form.problem(field, value) == problem


def test_an_optional_field_may_stay_empty() -> None:
    assert form.problem(FormField("f", "f", kind=FieldKind.PHONE), " ") == ""
