"""How typed letters are read: syllables, initials, slips of the finger, and sets of kinds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clerk_app.catalogue.bits import held_by_most, members, packed, unpacked
from clerk_app.catalogue.pinyin import FIRST_CODE, Sounds
from clerk_app.catalogue.slips import one_slip
from clerk_app.catalogue.text import LONGEST_QUERY, MOST_TERMS, fold, terms
from clerk_app.catalogue.transcribe import spell

SYLLABLES = (
    "an",
    "bao",
    "fang",
    "gan",
    "hui",
    "ka",
    "lu",
    "lv",
    "she",
    "sheng",
    "xi",
    "xian",
    "zhan",
    "zhang",
)


def code(syllable: str) -> str:
    return chr(FIRST_CODE + SYLLABLES.index(syllable))


SOUNDS = Sounds(SYLLABLES, {"社": code("she"), "保": code("bao")}.get)


def read(term: str) -> list[str]:
    """The ways to read `term`: syllables in capitals when whole, small when begun, characters as they are."""
    found = []
    for way in SOUNDS.ways(term):
        at, parts = 0, []
        for unit in way:
            length = unit.letters or 1
            typed = term[at : at + length]
            parts.append(typed.upper() if unit.whole and not unit.character else typed)
            at += length
        found.append(" ".join(parts))
    return found


@pytest.mark.parametrize(
    ("typed", "likeliest"),
    [
        ("shehui", "SHE HUI"),
        ("sheh", "SHE h"),
        ("sbk", "s b k"),
        ("shbk", "sh b k"),
        ("社bk", "社 b k"),
        ("社保", "社 保"),
        ("3bao", "3 BAO"),
    ],
)
def test_letters_are_cut_into_syllables_and_initials(typed, likeliest):
    assert read(typed)[0] == likeliest


def test_what_can_be_read_two_ways_is_read_both_ways():
    assert {"XIAN", "XI AN"} <= set(read("xian"))
    assert {"ZHAN", "zhan"} <= set(read("zhan"))
    assert {"FANG AN", "fan GAN"} >= set(read("fangan")[:1])


def test_lu_also_stands_for_the_u_with_dots():
    assert [way[0].codes for way in SOUNDS.ways("lu")][:1] == [code("lu") + code("lv")]
    assert [way[0].codes for way in SOUNDS.ways("lv")] == [code("lv")]


def test_letters_that_are_no_pinyin_have_no_reading():
    assert SOUNDS.ways("uvi") == ()


def test_pinyin_is_chosen_by_the_word():
    assert spell("银行旅行3c") == ["yin", "hang", "lv", "xing", "3", "c"]
    assert spell("") == []


def test_terms_are_parted_folded_and_bounded():
    assert terms("ＳＢＫ　补领，（社保）") == ("sbk", "补领", "社保")
    assert fold("许可（新办）") == ("许可新办", (0, 1, 3, 4))
    assert len("".join(terms("社" * 10_000))) == LONGEST_QUERY
    assert len(terms(" ".join(map(chr, range(0x4E00, 0x4F00))))) == MOST_TERMS


@pytest.mark.parametrize(
    ("typed", "same"),
    [
        ("baozhang", True),
        ("baozhnag", True),
        ("baoxhang", True),
        ("baohang", True),
        ("baozzhang", True),
        ("baoxxang", False),
        ("bozhnag", False),
    ],
)
def test_one_slip_is_forgiven_and_two_are_not(typed, same):
    assert one_slip(typed, "baozhang", 0) is same


@given(st.lists(st.sets(st.integers(0, 200)), max_size=9), st.integers(1, 9))
def test_kinds_are_counted_over_all_sets_at_once(sets, least):
    counts = {kind: sum(kind in each for each in sets) for kind in set().union(*sets)}
    found = list(held_by_most([unpacked(packed(each)) for each in sets], least))
    assert sorted(found) == sorted(kind for kind, count in counts.items() if count >= least)
    assert [counts[kind] for kind in found] == sorted((counts[kind] for kind in found), reverse=True)


@given(st.sets(st.integers(0, 5000)))
def test_a_set_comes_back_in_order(kinds):
    assert list(members(unpacked(packed(kinds)))) == sorted(kinds)
