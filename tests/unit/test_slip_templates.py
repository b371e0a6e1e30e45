"""Templates that a hall edits: every mistake is named with its line, none stops a slip, no rule goes."""

from __future__ import annotations

import os
import re
import sys
import time
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from slip_samples import (
    CLOSING,
    EVERY,
    MATERIAL_LIST,
    PICK_UP,
    RECEIPT,
    SHIFT,
    TEST,
    TICKET,
    VOID,
)

from clerk_app.cli import _parser
from clerk_app.devices.printer import slips
from clerk_app.devices.printer.columns import columns, wrap
from clerk_app.devices.printer.layout import (
    ROLLS,
    Barcode,
    Cut,
    Drawer,
    Line,
    Picture,
    QrCode,
    as_text,
)
from clerk_app.devices.printer.sample_slips import KINDS, sample
from clerk_app.devices.printer.templates.loading import Templates, built_in, source
from clerk_app.devices.printer.templates.parser import MAX_LINES, parse
from clerk_app.devices.printer.templates.words import FORMATS, VOCABULARY, Kind
from clerk_app.devices.printer.wording import Language
from clerk_app.domain.documents import ReceiptSlip, TicketSlip
from clerk_app.failures import Failure

WIDE, NARROW = ROLLS[80], ROLLS[58]
WORDS = VOCABULARY[ReceiptSlip]
GOOD = """\
centre {number}
field 申请人 || Applicant = {applicant}
field 事项 = {item}
field 时间 = {received_at}
for materials
row {place} | {material} | {handed}
end
if typed_identity
left 人工录入
end
statement
"""


def wrong(text: str, words=WORDS, missing=lambda _: ()) -> str:
    with pytest.raises(Failure) as caught:
        parse(text, words, missing)
    assert caught.value.code == "PRINTER-TEMPLATE"
    return caught.value.detail


def printed(text: str, slip=RECEIPT, roll=WIDE, language=Language.ZH, **marks) -> str:
    """`slip` by a hall's template of this text."""
    elements = page(text, slip, roll, language, **marks)
    return as_text(elements, roll)


def page(text: str, slip=RECEIPT, roll=WIDE, language=Language.ZH, **marks):
    class Own(Templates):
        def of(self, slip):
            return parse(text, VOCABULARY[type(slip)])

    return slips.page(slip, roll, language=language, templates=Own(), **marks)


# --- mistakes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("center {number}", "unknown directive center"),
        ("标题 {number}", "no directive"),
        ("centre {aplicant}", "unknown placeholder {aplicant}"),
        ("centre {material}", "unknown placeholder {material}"),
        ("centre {applicant", "a brace without its other half"),
        ("centre applicant}", "a brace without its other half"),
        ("centre {received_at:year}", "unknown format {received_at:year}"),
        ("centre {applicant:date}", "unknown format {applicant:date}"),
        ("centre {offline}", "{offline} has no text"),
        ("centre a || b || c", "more than one ||"),
        ("centre", "centre without a text"),
        ("centre(loud) x", "unknown style loud"),
        ("left(largest) x", "largest is for centre alone"),
        ("rule(bold) -", "rule takes nothing in parentheses"),
        ("rule ==", "rule takes one sign"),
        ("rule ─", "rule takes one sign"),
        ("rule \x1b", "rule takes one sign"),
        ("centre 受理通知书", "受理 stands only inside: if accepted_at"),
        ("centre x || Accepted", "accept stands only inside: if accepted_at"),
        ("field 受理时间 = {accepted_at}", "受理 stands only inside: if accepted_at"),
        ("centre 准予行政许可决定书", "this slip is no 决定书"),
        ("space much", "space takes a number from 1 to 200"),
        ("space 0", "space takes a number from 1 to 200"),
        ("space 99999999999", "space takes a number from 1 to 200"),
        ("space ٣", "space takes a number from 1 to 200"),
        ("field 申请人 {applicant}", "a field is: field label = value"),
        ("field 申请人 =", "a field without a value"),
        ("field {item} = {applicant}", "a label cannot hold a placeholder"),
        ("field 申请人的姓名或名称 = {applicant}", "too wide: a label of 18 columns"),
        ("row {place} | {place}", "a row is: row number | text | detail"),
        ("row {applicant} | a | b", "the first cell of a row is for a number"),
        ("row 第十二十二号 | a | b", "too wide: a first cell of 12 columns"),
        ("barcode {applicant}", "a barcode cannot hold {applicant}"),
        ("barcode 编号", "a barcode holds Latin letters"),
        ("barcode", "a barcode of nothing"),
        ("barcode(9) {number}", "barcode takes a number from 24 to 200"),
        ("barcode https://hall.example/{number}", "too wide: a barcode of 36 characters"),
        ("qr " + "x" * 121, "too wide: a QR code holds 120"),
        ("qr {body}", "a QR code cannot hold {body}"),
        ("logo big", "logo stands alone"),
        ("else", "else without if or for"),
        ("end", "end without if or for"),
        ("end if", "end stands alone"),
        ("if", "if needs a name"),
        ("if sunshine", "unknown name sunshine"),
        ("for applicant", "applicant is no list"),
        ("statement now", "statement stands alone"),
    ],
)
def test_every_mistake_names_its_file_and_line(line: str, what: str) -> None:
    assert wrong(f"# 抬头\n\n{line}\n{GOOD}").startswith(f"receipt.slip:3: {what}")


def test_acceptance_is_spoken_of_only_where_the_case_is_accepted() -> None:
    said = "centre 受理后三个工作日内办结 || after acceptance"
    parse(f"{GOOD}if accepted_at\n{said}\nend\n", VOCABULARY[ReceiptSlip])
    parse(f"{GOOD}if not accepted_at\nelse\n{said}\nend\n", VOCABULARY[ReceiptSlip])
    for block in (f"if not accepted_at\n{said}\nend", f"if accepted_at\nelse\n{said}\nend"):
        assert "受理 stands only inside" in wrong(f"{GOOD}{block}\n")
    assert "no 通知书" in wrong(f"{GOOD}if accepted_at\ncentre 通知书\nend\n")


def test_a_time_of_day_alone_does_not_tell_the_day() -> None:
    assert "{received_at} must be printed" in wrong(GOOD.replace("{received_at}", "{received_at:time}"))


def test_a_block_left_open_is_told_by_the_line_it_begins_in() -> None:
    assert (
        wrong(f"{GOOD}if agent\nleft x\nif offline\nleft y\nend\n") == "receipt.slip:12: if without its end"
    )
    assert wrong(f"{GOOD}for materials\n") == "receipt.slip:12: for without its end"


def test_blocks_are_few_and_a_list_is_gone_through_once() -> None:
    assert "a for inside a for" in wrong("for materials\nfor materials\nend\nend\n")
    assert "blocks in each other" in wrong("if agent\n" * 8)
    assert "a second else" in wrong("if agent\nelse\nelse\nend\n")
    assert f":{MAX_LINES + 1}: more than" in wrong("\n" * (MAX_LINES + 5))


def test_a_character_that_cannot_be_printed_is_a_mistake_of_its_line() -> None:
    def missing(text: str) -> tuple[str, ...]:
        return tuple(sign for sign in text if sign == "☃")

    assert wrong(f"left 请留意 ☃\n{GOOD}", missing=missing).startswith("receipt.slip:1: neither the printer")
    assert wrong(f"field ☃ = {{item}}\n{GOOD}", missing=missing).startswith("receipt.slip:1: neither")


# --- what must be there -----------------------------------------------------------------------------------


@pytest.mark.parametrize("slip", EVERY, ids=lambda slip: type(slip).__name__)
def test_what_a_slip_must_say_cannot_be_left_out_or_made_conditional(slip) -> None:
    words = VOCABULARY[type(slip)]
    text = source(words.file)
    for name in words.required:
        if name in words.words and words.words[name].kind is Kind.FLAG:
            without = text.replace(f"if {name}", "if offline")
        else:
            without = re.sub(rf"^.*\{{{name}(?::\w+)?\}}.*$", "", text, flags=re.MULTILINE)
        assert "must be printed" in wrong(without, words), name


def test_a_required_name_inside_a_condition_on_another_does_not_count() -> None:
    inside = GOOD.replace("centre {number}", "if agent\ncentre {number}\nend")
    assert "{number} must be printed" in wrong(inside)
    refused = GOOD.replace("centre {number}", "if not number\ncentre {number}\nend")
    assert "{number} must be printed" in wrong(refused)
    other = GOOD.replace("centre {number}", "if number\nelse\ncentre {number}\nend")
    assert "{number} must be printed" in wrong(other)
    english = GOOD.replace("centre {number}", "centre 编号 || {number}")
    assert "{number} must be printed" in wrong(english), "the English is not on every slip"
    row = "row {place} | {material} | {handed}"
    assert "must be printed" in wrong(GOOD.replace(row, f"if until\n{row}\nend")), "not every material"
    assert parse(
        GOOD.replace("for materials", "if materials\nfor materials").replace("\nend", "\nend\nend", 1), WORDS
    )
    assert parse(GOOD.replace("centre {number}", "if number\ncentre {number}\nend"), WORDS)


def test_a_typed_identity_is_said_and_not_only_asked_for() -> None:
    assert "{typed_identity} must be" in wrong(GOOD.replace("left 人工录入\n", ""))
    assert "{typed_identity} must be" in wrong(GOOD.replace("if typed_identity", "if not typed_identity"))


def test_the_statement_of_the_law_cannot_be_left_out_hidden_or_reworded() -> None:
    assert wrong(GOOD.replace("statement\n", "")).endswith("statement is missing")
    assert "outside every condition" in wrong(GOOD.replace("statement", "if offline\nstatement\nend"))
    assert "this slip has no statement" in wrong("statement\n", VOCABULARY[TicketSlip])
    received = printed(GOOD, replace(RECEIPT, accepted_at=None))
    assert "本凭证不代表受理" in received
    assert "已于 10:41 受理" in printed(GOOD)


def test_a_provisional_day_is_never_printed_as_certain() -> None:
    own = GOOD + "field 期限 = {due}\nfield 期限 = {due:chinese}\n"
    assert "预计 2026-12-05" in printed(own)
    assert "预计 2026年12月5日" in printed(own)
    assert "预计" not in printed(own, replace(RECEIPT, due_provisional=False))
    assert "期限" not in printed(own, replace(RECEIPT, accepted_at=None)), "no limit before acceptance"


def test_practice_bars_and_marks_stand_on_every_piece_of_paper() -> None:
    own = f"cut\n{GOOD}cut\ncut\nleft 撕下留存 {{number}}\ncut\n"
    slip = replace(RECEIPT, practice=True)
    text = printed(own, slip, reprint=2, copy=2)
    pieces = text.split("[cut]\n")
    assert pieces.pop() == ""
    assert len(pieces) == 3, "cuts with nothing between them are one; the last is the program's own"
    for piece in pieces:
        assert piece.count("练习专用，不具效力") == 2
        assert piece.index("★ 练习 ★") < piece.index("补打 第2次") < piece.index("存根")


# --- what a template can do -------------------------------------------------------------------------------


def test_values_stand_where_their_names_do_and_braces_can_be_written() -> None:
    text = printed(GOOD + "left {{x}} {received_at:date} {received_at:time} {received_at:chinese}\n")
    assert "{x} 2026-11-20 10:39 2026年11月20日 10:39" in text
    assert "MY01-00001207-6" in text
    assert "MY01000012076" not in text


def test_text_of_a_slip_is_never_read_as_a_template() -> None:
    slip = replace(RECEIPT, applicant="{number} || = | # cut", item="end\nstatement")
    assert "{number} || = | # cut" in printed(GOOD, slip)


def test_an_empty_value_takes_its_field_and_its_line_away() -> None:
    own = GOOD + "field 代理人 = {agent}\ncentre {advice_phone}\n"
    text = printed(own, replace(RECEIPT, agent="", advice_phone=""))
    assert "代理人" not in text
    assert text.endswith("受理通知书另行出具\n[cut]\n")


def test_else_holds_where_the_condition_does_not_and_where_a_list_is_empty() -> None:
    own = GOOD.replace("row {place}", "row {place}.").replace(
        "\nend\nif", "\nelse\nleft 没有材料\nend\nif", 1
    )
    own += "if not agent\nleft 本人办理\nelse\nleft 委托办理\nend\n"
    assert "没有材料" in printed(own, replace(RECEIPT, materials=()))
    assert "委托办理" in printed(own)
    assert "本人办理" in printed(own, replace(RECEIPT, agent=""))


def test_english_stands_where_the_hall_prints_both() -> None:
    both = printed(GOOD + "left 完 || end of it\n", language=Language.ZH_EN)
    assert "申请人 Applicant" in both
    assert "完 end of it" in both
    assert "Applicant" not in printed(GOOD)


def test_codes_are_as_large_as_the_paper_allows() -> None:
    own = GOOD + "barcode {number:code}\nqr https://hall.example/progress?case={number:code}\n"
    for roll in (WIDE, NARROW):
        elements = page(own, roll=roll)
        (bars,) = [e for e in elements if isinstance(e, Barcode)]
        (squares,) = [e for e in elements if isinstance(e, QrCode)]
        assert bars.data == RECEIPT.number
        assert bars.module >= 2
        assert squares.data.endswith(RECEIPT.number)
        assert 4 <= squares.module <= 8


def test_the_drawer_opens_once_and_never_for_a_reprint() -> None:
    own = GOOD + "drawer\n"
    assert any(isinstance(e, Drawer) for e in page(own))
    assert not any(isinstance(e, Drawer) for e in page(own, copy=2))
    assert not any(isinstance(e, Drawer) for e in page(own, reprint=1))


def test_the_offices_copy_says_so_and_is_else_the_same() -> None:
    first, second = (as_text(slips.page(RECEIPT, WIDE, copy=n), WIDE) for n in (1, 2))
    assert second.splitlines()[0].strip() == "存根"
    assert second.split("=" * 48 + "\n", 1)[1] == first
    assert "存根 Office copy" in as_text(slips.page(RECEIPT, WIDE, copy=2, language=Language.ZH_EN), WIDE)


# --- files of the hall ------------------------------------------------------------------------------------


def test_a_halls_template_is_used_and_read_again_when_it_changes(tmp_path: Path) -> None:
    own = Templates(tmp_path)
    assert own.of(RECEIPT) == built_in("receipt"), "no file, no change"
    file = tmp_path / "receipt.slip"
    file.write_bytes(b"\xef\xbb\xbf" + f"left 大厅一\r\n{GOOD}".replace("\n", "\r\n").encode())
    assert "大厅一" in as_text(slips.page(RECEIPT, WIDE, templates=own), WIDE), "as Notepad writes it"
    file.write_text(f"left 大厅之二\n{GOOD}", encoding="utf-8")
    assert "大厅之二" in as_text(slips.page(RECEIPT, WIDE, templates=own), WIDE)
    assert own.problems() == ()
    file.unlink()
    assert own.of(RECEIPT) == built_in("receipt")


def test_a_broken_template_falls_back_and_says_why(tmp_path: Path) -> None:
    own = Templates(tmp_path)
    (tmp_path / "receipt.slip").write_text(f"{GOOD}left {{aplicant}}\n", encoding="utf-8")
    assert slips.page(RECEIPT, WIDE, templates=own) == slips.page(RECEIPT, WIDE)
    assert own.problem(RECEIPT) == "receipt.slip:12: unknown placeholder {aplicant}"
    assert own.problem(VOID) == ""
    assert own.problems() == ("receipt.slip:12: unknown placeholder {aplicant}",)


def test_whatever_is_wrong_with_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "ticket.slip").write_bytes("centre {number}\nleft 你好\n".encode("gb18030"))
    (tmp_path / "void.slip").mkdir()
    (tmp_path / "shift.slip").write_text("#" * 70_000, encoding="utf-8")
    (tmp_path / "recipt.slip").write_text(GOOD, encoding="utf-8")
    (tmp_path / "logo.png").write_text("no picture", encoding="utf-8")
    own = Templates(tmp_path, tmp_path / "logo.png")
    assert own.problems() == (
        "recipt.slip: no slip of this name",
        "ticket.slip:2: not UTF-8",
        "void.slip:1: IsADirectoryError",
        "shift.slip:1: larger than 64 KiB",
        "logo.png: UnidentifiedImageError",
    )
    for slip in EVERY:
        assert slips.page(slip, WIDE, templates=own) == slips.page(slip, WIDE), "no slip is stopped"
    assert Templates(tmp_path / "none").problems() == ("none: no such folder",)


def endless(path: Path) -> None:
    """A file of a terabyte of nothing."""
    path.touch()
    os.truncate(path, 1 << 40)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (os.mkfifo, "not a file"),
        (lambda path: path.symlink_to("/dev/zero"), "not a file"),
        (lambda path: path.symlink_to(path.with_name("gone")), "FileNotFoundError"),
        (lambda path: path.symlink_to(path), "OSError"),
        (endless, "larger than 64 KiB"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="no pipes and links among its files")
def test_what_is_no_file_of_text_neither_holds_a_slip_up_nor_goes_unseen(tmp_path: Path, make, why) -> None:
    make(tmp_path / "ticket.slip")
    own = Templates(tmp_path)
    assert own.of(TICKET) is built_in("ticket")
    assert own.problems() == (f"ticket.slip:1: {why}",)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (os.mkfifo, "not a file"),
        (endless, "larger than 8 MiB"),
        (lambda path: Image.new("1", (6000, 6000)).save(path, "png"), "more than 25000000 points"),
        (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + b"\xff" * 40), ""),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="no pipes among its files")
def test_whatever_the_logo_is_no_slip_stops_for_it(tmp_path: Path, make, why) -> None:
    make(tmp_path / "logo")
    own = Templates(None, tmp_path / "logo")
    assert own.logo(WIDE) is None
    assert own.problems()[0].startswith(f"logo: {why}")


def test_a_line_without_end_takes_no_time() -> None:
    began = time.perf_counter()
    for endless in ("a", "，", "中"):
        assert len(wrap(endless * 60_000, 48)) >= 60_000 // 48
    assert time.perf_counter() - began < 5


def test_a_number_that_no_code_holds_is_left_to_its_letters() -> None:
    ticket = replace(TICKET, number="综A001")
    text = as_text(slips.page(ticket, WIDE), WIDE)
    assert "综A001" in text
    assert "CODE128" not in text
    codes = "qr {first_number}\nbarcode {first_number}\n" + source("closing")
    assert "[QR" in printed(codes, CLOSING)
    quiet = printed(codes, replace(CLOSING, first_number=""))
    assert "[QR" not in quiet
    assert "[CODE128" not in quiet


def test_a_logo_stands_at_the_head_and_fits_the_paper(tmp_path: Path) -> None:
    Image.new("1", (900, 120), 0).save(tmp_path / "logo.png")
    own = Templates(None, tmp_path / "logo.png")
    for roll in (WIDE, NARROW):
        for slip in (RECEIPT, TICKET, VOID, MATERIAL_LIST, PICK_UP, TEST):
            elements = slips.page(slip, roll, templates=own)
            assert isinstance(elements[0], Picture)
            assert elements[0].width <= roll.dots
        assert not any(isinstance(e, Picture) for e in slips.page(RECEIPT, roll))


# --- the built-in templates -------------------------------------------------------------------------------


@pytest.mark.parametrize("slip", EVERY, ids=lambda slip: type(slip).__name__)
@pytest.mark.parametrize("roll", [WIDE, NARROW], ids=["80", "58"])
@pytest.mark.parametrize("language", list(Language))
def test_every_slip_prints_on_every_paper_in_every_language(slip, roll, language) -> None:
    elements = slips.page(slip, roll, language=language, reprint=1, copy=2)
    assert all(line.columns <= roll.columns for line in elements if isinstance(line, Line))
    assert isinstance(elements[-1], Cut)


@pytest.mark.parametrize("slip", EVERY, ids=lambda slip: type(slip).__name__)
def test_every_word_of_a_slip_is_on_its_built_in_paper(slip) -> None:
    paper = re.sub(r"\s", "", as_text(slips.page(slip, WIDE), WIDE))
    for field in fields(slip):
        value = getattr(slip, field.name)
        if isinstance(value, str):
            shown = (
                value
                if not field.name.endswith("number") or len(value) < 13
                else f"{value[:4]}-{value[4:12]}"
            )
            assert re.sub(r"\s", "", shown) in paper, field.name


def test_the_closing_sheet_shows_the_head_of_the_audit_in_groups() -> None:
    text = as_text(slips.page(CLOSING, WIDE), WIDE)
    groups = [CLOSING.audit_head[at : at + 8] for at in range(0, 64, 8)]
    assert " ".join(groups[:5]) + "\n" + " ".join(groups[5:]) in text
    assert "作废编号（共 2 个）" in text
    assert "未出单据  1" in text


def test_the_shift_report_lists_items_and_no_person() -> None:
    text = as_text(slips.page(SHIFT, NARROW), NARROW)
    assert "社会保障卡补领" in text
    assert "12 件" in text


def test_a_ticket_template_has_no_name_to_put_a_person_on_it() -> None:
    told = {"number", "hall", "queue", "issued_at", "ahead", "offline"}
    assert set(VOCABULARY[TicketSlip].words) == told


# --- anything whatever ------------------------------------------------------------------------------------

DIRECTIVES = [
    *(
        "left",
        "centre(largest)",
        "right(wide)",
        "banner(double,fit)",
        "field",
        "row",
        "qr",
        "barcode",
        "rule",
    ),
    *("space", "logo", "if", "for", "else", "end", "cut", "drawer", "ruler", "statement"),
]
LINES = st.one_of(
    st.sampled_from([line for slip in EVERY for line in source(VOCABULARY[type(slip)].file).splitlines()]),
    st.builds("{} {}".format, st.sampled_from(DIRECTIVES), st.text(max_size=60)),
    st.text(max_size=40),
)


@given(
    st.sampled_from(EVERY),
    st.one_of(st.text(), st.lists(LINES, max_size=40).map("\n".join)),
    st.sampled_from([WIDE, NARROW]),
    st.sampled_from(list(Language)),
)
def test_any_text_is_a_template_that_prints_or_fails_as_one(slip, text, roll, language) -> None:
    own = source(VOCABULARY[type(slip)].file)
    for tried in (text, f"{own}\n{text}"):
        try:
            elements = page(tried, slip, roll, language)
        except Failure as failure:
            assert failure.code == "PRINTER-TEMPLATE"
            assert re.match(rf"{VOCABULARY[type(slip)].file}\.slip:\d+: ", failure.detail)
        else:
            assert all(line.columns <= roll.columns for line in elements if isinstance(line, Line))
            assert all(columns(line.text) < 500 for line in elements if isinstance(line, Line))
            assert isinstance(elements[-1], Cut)


# --- the manual -------------------------------------------------------------------------------------------


def test_the_manual_names_every_placeholder_format_and_directive() -> None:
    manual = (Path(__file__).parents[2] / "docs" / "slips.md").read_text(encoding="utf-8")
    for words in VOCABULARY.values():
        part = manual.split(f"### `{words.file}.slip`", 1)[1].split("\n#", 1)[0]
        inside = {name for word in words.words.values() for name in word.inside}
        assert set(re.findall(r"`(\w+)`", part)) == set(words.words) | inside, words.file
        must = part.split("Must be there:", 1)[1].split("\n\n", 1)[0] if words.required else ""
        assert set(re.findall(r"`(\w+)`", must)) == set(words.required), words.file
    for format_ in {name for names in FORMATS.values() for name in names}:
        assert f":{format_}}}`" in manual
    for directive in DIRECTIVES:
        name = directive.split("(")[0]
        assert re.search(rf"^\| .*`{name}\b", manual, re.MULTILINE), name


def test_there_is_a_sample_of_every_slip_and_a_command_for_it() -> None:
    assert {type(sample(kind)) for kind in KINDS} == set(VOCABULARY)
    assert all(sample(kind).practice for kind in KINDS)
    for kind in KINDS:
        assert _parser().parse_args(["print-sample", kind, "--printer", "tcp://h"]).kind == kind
