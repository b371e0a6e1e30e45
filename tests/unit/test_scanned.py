"""What a scan is, whatever the scanner makes of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clerk_app.domain import numbering
from clerk_app.domain.scanned import ScanKind, Scanned, read

CASE = numbering.case_number("MY01", 1207)
TD3 = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")
TD1 = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")


@pytest.mark.parametrize(
    "text",
    [
        CASE,
        numbering.printed(CASE),
        CASE.lower(),
        f" {CASE}\r\n",
        "".join(chr(ord(char) + 0xFEE0) for char in CASE),
    ],
)
def test_a_case_number(text: str) -> None:
    assert read(text) == Scanned(ScanKind.CASE, CASE)


@pytest.mark.parametrize("text", ["A037", "a037", "A-037", " A037 ", "YB12"])
def test_a_ticket_number(text: str) -> None:
    assert read(text).kind is ScanKind.TICKET


def test_a_case_number_with_a_wrong_check_character_is_nothing() -> None:
    wrong = CASE[:-1] + ("0" if CASE[-1] != "0" else "1")
    assert read(wrong) == Scanned(ScanKind.UNKNOWN, wrong)


@pytest.mark.parametrize("lines", [TD3, TD1], ids=["td3", "td1"])
def test_a_zone_at_once_and_line_by_line(lines: tuple[str, ...]) -> None:
    assert read("\r\n".join(lines)) == Scanned(ScanKind.MRZ, "".join(lines))
    for count in range(1, len(lines)):
        assert read("".join(lines[:count])).kind is ScanKind.MRZ_PART


def test_a_zone_read_badly_is_still_a_zone() -> None:
    assert read("".join(TD3)[:-3]).kind is ScanKind.MRZ


@pytest.mark.parametrize(
    "text", ["", "13812345678", "51070419890604123X", "https://example.org/?id=1", "91510700MA6200001X", "好"]
)
def test_what_is_not_ours(text: str) -> None:
    assert read(text).kind is ScanKind.UNKNOWN


@given(st.text(max_size=120))
def test_any_text_is_something(text: str) -> None:
    assert isinstance(read(text), Scanned)


@given(st.integers(1, 99_999_999), st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=4, max_size=4))
def test_every_number_that_can_be_printed_is_known(serial: int, hall: str) -> None:
    number = numbering.case_number(hall, serial)
    assert read(numbering.printed(number)) == Scanned(ScanKind.CASE, number)
