"""Colours that can be read, sizes that can be read, and a style sheet that is whole."""

from __future__ import annotations

import re

import pytest

from clerk_app.ui import theme

ON_SURFACES = ("text", "muted", "faint", "primary", "ok", "warn", "bad")
SURFACES = ("bg", "surface", "sunken")
PAIRS = [
    *((ink, ground) for ink in ON_SURFACES for ground in SURFACES),
    *((ink, "hover") for ink in ("text", "muted", "primary")),
    *((ink, "primary_soft") for ink in ("text", "muted", "primary", "ok", "warn", "bad")),
    ("ok", "ok_soft"),
    ("text", "ok_soft"),
    ("muted", "ok_soft"),
    ("warn", "warn_soft"),
    ("text", "warn_soft"),
    ("bad", "bad_soft"),
    ("text", "bad_soft"),
    ("on", "primary"),
    ("on", "primary_strong"),
    ("header_text", "header"),
    ("header_text", "header_soft"),
    ("header_muted", "header"),
    ("practice_text", "practice"),
    ("practice", "practice_text"),
    ("mark_text", "mark"),
]


@pytest.mark.parametrize("name", theme.THEMES)
def test_every_text_can_be_read(name: str) -> None:
    least = 7.0 if name == "contrast" else 4.5
    colours = theme.theme(name, 100).colours
    faint = {
        f"{ink} on {ground}": round(ratio, 2)
        for ink, ground in PAIRS
        if (ratio := theme.contrast(colours[ink], colours[ground])) < least
    }
    assert faint == {}


@pytest.mark.parametrize("name", theme.THEMES)
def test_the_practice_header_is_deep_in_every_theme(name: str) -> None:
    colours = theme.theme(name, 100).colours
    assert theme.contrast(colours["practice"], "#FFFFFF") >= 6.5, "it would glare in a dark hall"


@pytest.mark.parametrize("name", theme.THEMES)
def test_controls_and_focus_stand_out(name: str) -> None:
    colours = theme.theme(name, 100).colours
    for line in ("edge", "primary", "bad"):
        assert theme.contrast(colours[line], colours["surface"]) >= 3.0, line


def test_contrast_is_the_formula_of_wcag() -> None:
    assert theme.contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert theme.contrast("#767676", "#FFFFFF") == pytest.approx(4.54, abs=0.01)


def test_the_themes_have_the_same_tokens() -> None:
    names = [set(theme.tokens()[name]) for name in theme.THEMES]
    assert names[0] == names[1] == names[2]


@pytest.mark.parametrize("name", theme.THEMES)
@pytest.mark.parametrize("scale", theme.SCALES)
def test_the_style_sheet_is_filled_in(name: str, scale: int) -> None:
    sheet = theme.stylesheet(name, scale)
    assert "@" not in sheet
    assert "px(" not in sheet


def test_no_text_is_smaller_than_thirteen_pixels() -> None:
    sizes = [int(size) for size in re.findall(r"font-size: (\d+)px", theme.stylesheet("light", 100))]
    assert min(sizes) == 13
    assert {22, 44} <= set(sizes)


def test_lengths_grow_with_the_scale() -> None:
    assert [theme.theme("light", scale).px(44) for scale in theme.SCALES] == [44, 55, 66]
    with pytest.raises(ValueError, match="scale"):
        theme.theme("light", 90)
