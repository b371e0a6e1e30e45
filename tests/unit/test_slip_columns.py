"""Columns and line breaks: what every line of every slip is built from."""

import re

from hypothesis import given
from hypothesis import strategies as st

from clerk_app.devices.printer.columns import balanced, clean, clusters, columns, tidy, wrap

TEXT = st.text(st.characters(exclude_categories=("Cs", "Cn", "Co")), max_size=80)
HALL_TEXT = st.lists(
    st.sampled_from(
        [
            "社会保障卡",
            "补领",
            "2026-11-20",
            "10:39",
            "MY01-00001207-6",
            "，",
            "。",
            "（",
            "）",
            " ",
            "15个工作日",
        ]
    ),
    max_size=25,
).map("".join)


def test_centred_lines_are_of_much_the_same_length() -> None:
    assert balanced("All lines clear and the ruler from edge to edge", 45) == [
        "All lines clear and the",
        "ruler from edge to edge",
    ]
    assert balanced("一二三四五六七", 12) == ["一二三四", "五六七"]
    assert balanced("一二三", 12) == ["一二三"]


def test_no_hanzi_is_left_alone_on_the_last_line() -> None:
    assert wrap("一二三四五六七八九十一", 20)[-1] == "一"
    assert tidy("一二三四五六七八九十一", 20) == ["一二三四五六", "七八九十一"]
    assert tidy("一二三四五六七八九十一二", 20) == ["一二三四五六七八九十", "一二"]


@given(HALL_TEXT, st.integers(8, 48))
def test_balancing_adds_no_line_and_loses_nothing(text: str, width: int) -> None:
    lines = balanced(text, width)
    assert len(lines) == len(wrap(text, width))
    assert all(columns(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_hanzi_and_full_width_signs_take_two_columns_latin_one_and_marks_none() -> None:
    assert columns("李晓明") == 6
    assert columns("，（￥") == 6
    assert columns("A037") == 4
    assert columns("·—“") == 6, "GB 18030 draws ambiguous signs in a full cell"
    assert columns("𠮷") == 2
    assert columns("e\u0323\u0302") == 1


def test_nothing_a_printer_would_obey_survives_cleaning() -> None:
    assert clean("李\x10\x04\x01明\x1b@") == "李明@"
    assert clean("一\n二\t三\u3000四") == "一 二 三 四"
    assert clean("王\u200b芳\u202e") == "王芳", "width and direction marks are invisible"
    assert clean("葛\U000e0100") == "葛"


def test_cleaning_composes_letters_but_leaves_compatibility_hanzi_of_names_alone() -> None:
    assert clean("e\u0301") == "é"
    assert clean("郎") == "郎", "U+F92C stays what the card says"


def test_closing_punctuation_never_begins_a_line_and_opening_never_ends_one() -> None:
    assert wrap("一二三四五，六", 10) == ["一二三四", "五，六"]
    assert wrap("一二三四（五六）", 10) == ["一二三四", "（五六）"]
    assert wrap("一二三四五……", 12) == ["一二三四", "五……"]


def test_a_number_is_never_cut() -> None:
    assert wrap("编号 MY01-00001207-6 收好", 16) == ["编号", "MY01-00001207-6", "收好"]
    assert wrap("电话0816-2222222", 14) == ["电话", "0816-2222222"]
    assert wrap("共需要等待15个工作日", 12) == ["共需要等待", "15个工作日"]


def test_what_is_wider_than_the_paper_is_cut_at_a_hyphen_rather_than_lost() -> None:
    code = "511A0138000000-511602000000-000-115113010833722043"
    assert wrap(code, 32) == ["511A0138000000-511602000000-000-", "115113010833722043"]
    assert wrap("9" * 20, 8) == ["9" * 8, "9" * 8, "9" * 4]


def test_no_text_is_one_empty_line() -> None:
    assert wrap("", 10) == [""]
    assert wrap("   ", 10) == [""]


@given(TEXT.map(clean), st.integers(4, 48))
def test_no_line_is_wider_than_asked_and_no_character_is_lost(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert all(columns(line) <= width for line in lines)
    assert re.sub(r"\s", "", "".join(lines)) == re.sub(r"\s", "", text)


@given(HALL_TEXT, st.integers(20, 48))
def test_hall_sentences_keep_their_numbers_whole(text: str, width: int) -> None:
    lines = wrap(text, width)
    for number in re.findall(r"[!-~]+", text):
        if columns(number) < 16:
            assert any(number in line for line in lines)


@given(TEXT)
def test_clusters_are_the_text_in_pieces(text: str) -> None:
    assert "".join(clusters(text)) == text
