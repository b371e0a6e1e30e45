"""Slips as bytes: what a printer's own letters write, what is drawn, what is refused unsent."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from slip_samples import RECEIPT, TICKET

from clerk_app.devices.printer import slips
from clerk_app.devices.printer.columns import clean
from clerk_app.devices.printer.dots import line_dots, logo, raster
from clerk_app.devices.printer.encoder import PROLOGUE, Encoding, encode
from clerk_app.devices.printer.layout import (
    BOLD,
    PLAIN,
    ROLLS,
    TITLE,
    Align,
    Barcode,
    Cut,
    Drawer,
    Line,
    Picture,
    QrCode,
    Run,
    Space,
    Style,
)
from clerk_app.devices.printer.simulator.interpreter import Interpreter
from clerk_app.failures import Failure

WIDE, NARROW = ROLLS[80], ROLLS[58]
REAL_TIME = re.compile(rb"\x10[\x04\x05\x14]")


def body(*elements, encoding=Encoding.GBK, roll=WIDE) -> bytes:
    """The job after its prologue."""
    job = encode(elements, roll, encoding)
    assert job.startswith(PROLOGUE)
    return job[len(PROLOGUE) :]


def line(text: str, style: Style = PLAIN, align: Align = Align.LEFT) -> Line:
    return Line((Run(text, style),), align)


def drawn(data: bytes) -> bool:
    return b"\x1dv0\x00" in data


def test_a_job_begins_by_initialising_and_choosing_chinese() -> None:
    assert bytes.fromhex("1b40 1c26 1c530000 1d6100") == PROLOGUE


def test_plain_text_is_gbk_with_its_line_pitch() -> None:
    assert body(line("朝阳区A001号")) == bytes.fromhex("1b3320") + "朝阳区A001号\n".encode("gbk")


def test_punctuation_without_hanzi_is_punctuation() -> None:
    assert body(line("，。《》")).endswith(bytes.fromhex("a3ac a1a3 a1b6 a1b7 0a"))


def test_the_yen_sign_is_the_full_width_one() -> None:
    assert body(line(clean("¥10元"))).endswith(bytes.fromhex("a3a4 3130 d4aa 0a"))


def test_sizes_are_said_once_for_latin_and_once_for_hanzi() -> None:
    assert body(line("收件", TITLE)) == bytes.fromhex(
        "1b3338 1b2138 1b2d00 1c5701 1c210c 1c2d00 1d2111 1d4200 cad5bcfe 0a"
    )
    assert body(line("A", Style(underline=True))) == bytes.fromhex(
        "1b3320 1b2180 1b2d01 1c5700 1c2180 1c2d01 1d2100 1d4200 41 0a"
    )
    assert body(line("A", Style(reverse=True))) == bytes.fromhex(
        "1b3320 1b2100 1b2d00 1c5700 1c2100 1c2d00 1d2100 1d4201 41 0a"
    )


def test_settings_are_sent_when_they_change_and_not_again() -> None:
    data = body(line("A", BOLD, Align.CENTRE), line("B", BOLD, Align.CENTRE), line("C"))
    assert data == bytes.fromhex(
        "1b6101 1b3320 1b2108 1b2d00 1c5700 1c2100 1c2d00 1d2100 1d4200 410a 420a"
        "1b6100 1b2100 1b2d00 1c5700 1c2100 1c2d00 1d2100 1d4200 430a"
    )


def test_space_and_cut() -> None:
    assert body(Space(24), Cut()) == bytes.fromhex("1b4a18 1d564218")


def test_a_qr_code_is_model_2_with_correction_m() -> None:
    assert body(QrCode("MY0100001207", 8)) == bytes.fromhex("1b6101") + bytes.fromhex(
        "1d286b0400314132001d286b03003143081d286b03003145311d286b0f00315030"
    ) + b"MY0100001207" + bytes.fromhex("1d286b0300315130")


def test_a_barcode_is_code128_in_set_b() -> None:
    assert body(Barcode("A037", 3, 64)) == bytes.fromhex("1b6101 1d6840 1d7703 1d4800 1d6b49 06") + b"{BA037"


def test_a_number_with_1604_in_it_does_not_become_a_command() -> None:
    """In set C, digit pairs travel as values: 16 04 would be DLE EOT."""
    assert not REAL_TIME.search(body(Barcode("MY0116041620X", 2)))


@pytest.mark.parametrize(
    ("text", "gb18030", "gbk", "gb2312"),
    [
        ("李晓明", "letters", "letters", "letters"),
        ("·—…“”①", "letters", "letters", "letters"),
        ("镕", "letters", "letters", "dots"),
        ("〇", "letters", "letters", "dots"),
        ("䶮", "letters", "dots", "dots"),  # FE9F: two bytes, but beyond GBK
        ("㐱", "dots", "dots", "dots"),  # 8139F338: declared by GB 18030, drawn by few printers
        ("𠮷", "dots", "dots", "dots"),
        ("ǹ", "dots", "dots", "dots"),  # two bytes for one column: would push its line out of place
        ("Ørsted", "dots", "dots", "dots"),
    ],
)
def test_only_what_the_printer_declares_is_sent_as_text(text, gb18030, gbk, gb2312) -> None:
    assert drawn(body(line(text), encoding=Encoding.GB18030)) == (gb18030 == "dots")
    assert drawn(body(line(text), encoding=Encoding.GBK)) == (gbk == "dots")
    assert drawn(body(line(text), encoding=Encoding.GB2312)) == (gb2312 == "dots")


def test_hanzi_beyond_double_size_are_drawn_because_fs_cannot_say_it() -> None:
    assert drawn(body(line("综", Style(3, 3))))
    assert not drawn(body(line("A", Style(3, 3))))


def test_a_drawn_line_is_as_wide_as_the_paper_and_keeps_its_columns() -> None:
    picture = line_dots(Line((Run("申请人    "), Run("𠮷", BOLD))), NARROW)
    assert picture.size == (384, 32)
    left, _, right, _ = picture.crop((96, 0, 384, 32)).getbbox()
    assert 24 <= left < right <= 48, "the name begins in column 10 and is two wide"


def test_a_drawn_line_follows_its_alignment() -> None:
    left, _, right, _ = line_dots(line("𠮷", align=Align.CENTRE), WIDE).getbbox()
    assert 276 <= left < right <= 300
    left, _, right, _ = line_dots(line("𠮷", align=Align.RIGHT), WIDE).getbbox()
    assert 552 <= left < right <= 576


def test_reverse_and_underline_are_drawn_too() -> None:
    reverse = line_dots(line("𠮷", Style(reverse=True)), WIDE)
    assert reverse.getpixel((0, 0)) == 255
    underlined = line_dots(line("𠮷 ", Style(underline=True)), WIDE)
    assert underlined.getpixel((30, 23)) == 255


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("王\ue5e5", "U+E5E5"),  # private use, though GB 18030 has two bytes for it
        ("王\U0002fa1e", "U+2FA1E"),  # not assigned
        ("王\U000f0001", "U+F0001"),
    ],
)
def test_a_character_nobody_can_draw_is_named_before_anything_is_sent(text, named) -> None:
    with pytest.raises(Failure) as caught:
        encode([line(text)], WIDE, Encoding.GB18030)
    assert caught.value.code == "PRINTER-NO-GLYPH"
    assert caught.value.detail == named


def test_a_line_wider_than_the_paper_is_a_bug() -> None:
    with pytest.raises(ValueError, match="49 columns"):
        encode([line("x" * 49)], WIDE, Encoding.GBK)


def test_dots_never_spell_a_real_time_command() -> None:
    """DLE EOT, DLE ENQ and DLE DC4 are obeyed in the middle of a picture; one more dot prevents them."""
    rows = bytes.fromhex("1004 0000 0010 0500 1010 1400")
    picture = Image.frombytes("1", (16, 6), rows).convert("L")
    assert raster(picture)[8:] == bytes.fromhex("1804 0000 0018 0500 1018 1400")


@given(
    st.text(st.sampled_from("𠮷䶮㐱〇镕李晓明·ABC 0123456789"), max_size=20),
    st.sampled_from(list(Encoding)),
    st.sampled_from([WIDE, NARROW]),
)
@settings(max_examples=60, deadline=None)
def test_no_job_ever_holds_a_real_time_command(name, encoding, roll) -> None:
    for slip in (replace(RECEIPT, applicant=name, item=name), replace(TICKET, queue=name)):
        assert not REAL_TIME.search(encode(slips.page(slip, roll), roll, encoding))


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=30), st.sampled_from(list(Encoding)))
@settings(max_examples=100, deadline=None)
def test_any_text_is_encoded_or_refused_with_its_code(text, encoding) -> None:
    try:
        job = encode(slips.page(replace(RECEIPT, item=text), NARROW), NARROW, encoding)
    except Failure as failure:
        assert failure.code == "PRINTER-NO-GLYPH"
        assert re.fullmatch(r"U\+[0-9A-F]{4,6}( U\+[0-9A-F]{4,6})*", failure.detail)
    else:
        assert job.endswith(b"\x1dVB\x18")


# --- UTF-8, raster, pictures -------------------------------------------------------------------------------


def test_utf8_sends_what_such_fonts_hold_and_draws_the_rest() -> None:
    assert body(line("综A，"), encoding=Encoding.UTF8).endswith("综A，\n".encode())
    assert not drawn(body(line("䶮〇￥"), encoding=Encoding.UTF8))
    assert drawn(body(line("㐱"), encoding=Encoding.UTF8)), "four bytes in GB 18030: in few fonts"
    for sign in "é·“—①":
        assert drawn(body(line(sign), encoding=Encoding.UTF8)), "some take it from a Latin font, half as wide"


def test_raster_sends_nothing_but_dots_feeds_and_cuts() -> None:
    data = body(
        line("A"), QrCode("A", 4), Barcode("A037", 2), line(" "), Space(8), Cut(), encoding=Encoding.RASTER
    )
    assert data.count(b"\x1dv0\x00") == 3
    assert data.endswith(bytes.fromhex("1b4a20 1b4a08 1d564218")), "a blank line is fed, not drawn"
    assert b"\x1d(k" not in data
    assert b"\x1dk" not in data


def test_a_picture_is_centred_in_bands_a_printer_can_hold() -> None:
    picture = Picture(16, b"\xff\xff" * 300)
    data = body(picture)
    assert data.startswith(bytes.fromhex("1b6101 1d763000 0200 f000"))
    assert data[len(bytes.fromhex("1b6101 1d763000 0200 f000")) + 480 :].startswith(
        bytes.fromhex("1d763000 0200 3c00")
    )
    with pytest.raises(ValueError, match="400 dots"):
        body(Picture(400, bytes(50)), roll=NARROW)


def test_the_drawer_is_opened() -> None:
    assert body(Drawer()) == bytes.fromhex("1b7000 19fa")


@pytest.mark.parametrize(("size", "fits"), [((1200, 300), (576, 144)), ((100, 40), (104, 40))])
def test_a_logo_is_made_to_fit_the_paper(size, fits, tmp_path) -> None:
    Image.new("L", size, 0).save(tmp_path / "logo.png")
    picture = logo(tmp_path / "logo.png", WIDE)
    assert (picture.width, picture.height) == fits
    assert len(picture.rows) == picture.width // 8 * picture.height


def test_a_logo_keeps_white_white_and_sees_through_what_is_transparent(tmp_path) -> None:
    seen = Image.new("RGBA", (16, 2), (0, 0, 0, 0))
    seen.paste((0, 0, 0, 255), (0, 0, 8, 2))
    seen.save(tmp_path / "logo.png")
    assert logo(tmp_path / "logo.png", WIDE).rows == b"\xff\x00\xff\x00"


@pytest.mark.parametrize("content", [None, b"", b"no picture", b"\x89PNG\r\n\x1a\n" + bytes(40)])
def test_a_logo_that_cannot_be_opened_is_told(content, tmp_path) -> None:
    if content is not None:
        (tmp_path / "logo.png").write_bytes(content)
    with pytest.raises(Failure) as caught:
        logo(tmp_path / "logo.png", WIDE)
    assert caught.value.code == "PRINTER-LOGO"


@pytest.mark.parametrize("scaled_by", ["FS !", "FS W", "GS !", "ESC !"])
def test_hanzi_are_doubled_and_underlined_on_each_kind_of_clone(scaled_by) -> None:
    """One printer ignores GS ! for hanzi, the next FS !: all must scale the title, and scale it back."""
    papers = []
    printer = Interpreter(WIDE.dots, "gbk", papers.append, lambda: None, scaled_by=scaled_by)
    for byte in encode([line("收件", TITLE), line("凭证", Style(underline=True))], WIDE, Encoding.GBK):
        printer.take(byte)
    picture = printer.strip._bands
    assert [band.height for band in picture] == [56, 32]
    left, _, right, _ = picture[0].getbbox()
    assert right - left > 72, "two hanzi of 48 dots"
    assert picture[1].getpixel((40, 23)) == 255, "the line below"
    assert picture[1].getbbox()[2] == 48
    assert printer.unknown == []
