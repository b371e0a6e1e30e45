"""Every slip as the paper shows it, at 48 columns (80 mm) and 32 (58 mm), and what holds for all slips."""

import re
from collections import Counter
from dataclasses import fields, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slip_samples import BEIJING, RECEIPT, REPRINT, TICKET, VOID

from clerk_app.devices.printer import slips
from clerk_app.devices.printer.columns import clean
from clerk_app.devices.printer.layout import ROLLS, Cut, Line, Page, QrCode, Roll, Space, as_text
from clerk_app.devices.printer.wording import Language
from clerk_app.domain.documents import ReceiptSlip, SlipMaterial, TicketSlip, VoidSlip

WIDE, NARROW = ROLLS[80], ROLLS[58]


def text_of(slip: ReceiptSlip | VoidSlip | TicketSlip, roll: Roll = WIDE, reprint: int = 0) -> str:
    return as_text(slips.page(slip, roll, reprint=reprint), roll)


RECEIPT_48 = """\
               绵阳市政务服务中心
                收件凭证
================================================
         MY01-00001207-6
[CODE128 MY01000012076]
------------------------------------------------
申请人    李晓明
证件号码  510704********1234
代理人    张建国
办理事项  社会保障卡补领（成年人，委托他人办理）
实施机关  绵阳市人力资源和社会保障局
收件时间  2026-11-20 10:39
------------------------------------------------
材料清单（共 5 项）
1. 居民身份证               原件核验 原件1
2. 社会保障卡补换领申请表   收取纸质 原件1 复印2
   （含个人承诺书）
3. 授权委托书               容缺后补
   须于 2026-12-01 前补交
4. 户籍证明                 告知承诺
5. 营业执照                 电子证照
------------------------------------------------
      已于 10:41 受理，受理通知书另行出具
办结期限  预计 2026-12-05
          预计日期以公布的工作日历为准
            离线办理，联网后自动上报
[QR MY01000012076]
            凭编号或扫码查询办理进度
------------------------------------------------
咨询电话  0816-2222222
监督电话  0816-12345
办理窗口  综合窗口 12
经办人    王芳 1024
[cut]
"""
RECEIPT_32 = """\
       绵阳市政务服务中心
        收件凭证
================================
 MY01-00001207-6
[CODE128 MY01000012076]
--------------------------------
申请人    李晓明
证件号码  510704********1234
代理人    张建国
办理事项  社会保障卡补领（成年
          人，委托他人办理）
实施机关  绵阳市人力资源和社会保
          障局
收件时间  2026-11-20 10:39
--------------------------------
材料清单（共 5 项）
1. 居民身份证
   原件核验 原件1
2. 社会保障卡补换领申请表（含个
   人承诺书）
   收取纸质 原件1 复印2
3. 授权委托书
   容缺后补
   须于 2026-12-01 前补交
4. 户籍证明
   告知承诺
5. 营业执照
   电子证照
--------------------------------
       已于 10:41 受理，
       受理通知书另行出具
办结期限  预计 2026-12-05
  预计日期以公布的工作日历为准
    离线办理，联网后自动上报
[QR MY01000012076]
    凭编号或扫码查询办理进度
--------------------------------
咨询电话  0816-2222222
监督电话  0816-12345
办理窗口  综合窗口 12
经办人    王芳 1024
[cut]
"""
REPRINT_48 = """\
       ★ 练习 ★
               练习专用，不具效力
              补打 第2次
================================================
               绵阳市政务服务中心
                收件凭证
================================================
         MY01-00001207-6
[CODE128 MY01000012076]
------------------------------------------------
申请人    李晓明
证件号码  510704********1234
          人工录入，未读卡
办理事项  社会保障卡补领（成年人，委托他人办理）
实施机关  绵阳市人力资源和社会保障局
收件时间  2026-11-20 10:39
------------------------------------------------
                   未收取材料
------------------------------------------------
                本凭证不代表受理
[QR MY01000012076]
            凭编号或扫码查询办理进度
------------------------------------------------
咨询电话  0816-2222222
监督电话  0816-12345
办理窗口  综合窗口 12
经办人    王芳 1024
       ★ 练习 ★
               练习专用，不具效力
[cut]
"""
REPRINT_32 = """\
   ★ 练习 ★
       练习专用，不具效力
      补打 第2次
================================
       绵阳市政务服务中心
        收件凭证
================================
 MY01-00001207-6
[CODE128 MY01000012076]
--------------------------------
申请人    李晓明
证件号码  510704********1234
          人工录入，未读卡
办理事项  社会保障卡补领（成年
          人，委托他人办理）
实施机关  绵阳市人力资源和社会保
          障局
收件时间  2026-11-20 10:39
--------------------------------
           未收取材料
--------------------------------
        本凭证不代表受理
[QR MY01000012076]
    凭编号或扫码查询办理进度
--------------------------------
咨询电话  0816-2222222
监督电话  0816-12345
办理窗口  综合窗口 12
经办人    王芳 1024
   ★ 练习 ★
       练习专用，不具效力
[cut]
"""
VOID_48 = """\
               绵阳市政务服务中心
          作废
         MY01-00001207-6
[CODE128 MY01000012076]
------------------------------------------------
办理事项  社会保障卡补领
作废时间  2026-11-20 11:02
作废原因  申请人撤回，改日再办
办理窗口  综合窗口 12
经办人    王芳 1024
------------------------------------------------
          原收件凭证同时作废，请勿再用
[cut]
"""
VOID_32 = """\
       绵阳市政务服务中心
      作废
 MY01-00001207-6
[CODE128 MY01000012076]
--------------------------------
办理事项  社会保障卡补领
作废时间  2026-11-20 11:02
作废原因  申请人撤回，改日再办
办理窗口  综合窗口 12
经办人    王芳 1024
--------------------------------
  原收件凭证同时作废，请勿再用
[cut]
"""
TICKET_48 = """\
               绵阳市政务服务中心
                  取号票
------------------------------------------------
          A037
------------------------------------------------
业务      综合业务（社保、医保、公积金）
前面等待  6 人
取号时间  2026-11-20 09:01
[CODE128 A037]
              请留意叫号屏幕和语音
[cut]
"""
TICKET_32 = """\
       绵阳市政务服务中心
          取号票
--------------------------------
  A037
--------------------------------
业务      综合业务（社保、医保、
          公积金）
前面等待  6 人
取号时间  2026-11-20 09:01
[CODE128 A037]
      请留意叫号屏幕和语音
[cut]
"""

GOLDEN = [
    (RECEIPT, 0, WIDE, RECEIPT_48),
    (RECEIPT, 0, NARROW, RECEIPT_32),
    (REPRINT, 2, WIDE, REPRINT_48),
    (REPRINT, 2, NARROW, REPRINT_32),
    (VOID, 0, WIDE, VOID_48),
    (VOID, 0, NARROW, VOID_32),
    (TICKET, 0, WIDE, TICKET_48),
    (TICKET, 0, NARROW, TICKET_32),
]


@pytest.mark.parametrize(("slip", "reprint", "roll", "expected"), GOLDEN)
def test_a_slip_is_laid_out_as_agreed(slip, reprint, roll, expected) -> None:
    assert text_of(slip, roll, reprint) == expected


def test_a_received_case_never_reads_as_accepted() -> None:
    received = text_of(replace(RECEIPT, accepted_at=None))
    assert "本凭证不代表受理" in received
    assert "办结期限" not in received, "no due date before acceptance"
    assert "本凭证不代表受理" not in text_of(RECEIPT)


def test_acceptance_on_another_day_is_printed_with_its_date() -> None:
    later = replace(RECEIPT, accepted_at=datetime(2026, 11, 23, 9, 5, tzinfo=BEIJING))
    assert "已于 2026-11-23 09:05 受理" in text_of(later)


def test_a_certain_due_date_is_not_called_provisional() -> None:
    assert "预计" not in text_of(replace(RECEIPT, due_provisional=False))


def test_a_reprint_says_so_before_anything_else() -> None:
    assert text_of(RECEIPT, reprint=3).strip().startswith("补打 第3次")
    assert "补打" not in text_of(RECEIPT)


@pytest.mark.parametrize("slip", [RECEIPT, VOID, TICKET])
def test_a_practice_slip_is_black_at_both_ends_and_a_real_one_nowhere_but_void(slip) -> None:
    def bars(practice: bool) -> list[int]:
        elements = slips.page(replace(slip, practice=practice), NARROW)
        lines = [element for element in elements if isinstance(element, Line)]
        reverse = [i for i, line in enumerate(lines) if all(run.style.reverse for run in line.runs)]
        assert all(lines[i].columns == NARROW.columns for i in reverse), "from edge to edge"
        return [i - len(lines) if i > len(lines) // 2 else i for i in reverse]

    assert {0, 1, -2, -1} <= set(bars(practice=True))
    assert len(bars(practice=False)) == (1 if isinstance(slip, VoidSlip) else 0)


def test_a_ticket_number_is_as_large_as_the_paper_allows() -> None:
    for number, roll, size in (("A037", WIDE, 7), ("A037", NARROW, 7), ("YY-10037", NARROW, 3)):
        page = slips.page(replace(TICKET, number=number), roll)
        (line,) = [e for e in page if isinstance(e, Line) and e.text == number]
        assert line.runs[0].style.width == size


@pytest.mark.parametrize("roll", [WIDE, NARROW])
def test_a_qr_code_has_four_modules_of_quiet_above_and_below(roll) -> None:
    page = slips.page(RECEIPT, roll)
    (place,) = [i for i, element in enumerate(page) if isinstance(element, QrCode)]
    above, code, below = page[place - 1 : place + 2]
    assert isinstance(above, Space)
    assert isinstance(below, Space)
    assert min(above.dots, below.dots) >= 4 * code.module


def test_english_stands_beside_the_chinese_where_asked_for() -> None:
    text = as_text(slips.page(RECEIPT, NARROW, language=Language.ZH_EN), NARROW)
    for words in ("收件凭证", "Voucher of Receipt", "申请人 Applicant", "Accepted at 10:41"):
        assert words in text


NAMES = st.text(
    st.one_of(
        st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5),
        st.sampled_from("㐱䶮𠮷·（）()，。-0123456789ABCxyz "),
        st.characters(exclude_categories=("Cs", "Cn", "Co")),
    ),
    max_size=70,
)
TIMES = st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)).map(lambda t: t.replace(tzinfo=BEIJING))
MATERIALS = st.builds(
    SlipMaterial,
    NAMES,
    st.sampled_from(["seen", "paper", "licence", "deferred", "promise"]),
    st.integers(0, 99),
    st.integers(0, 99),
    st.one_of(st.none(), st.dates()),
)
RECEIPTS = st.builds(
    ReceiptSlip,
    number=st.just(RECEIPT.number),
    hall=NAMES,
    window=NAMES,
    operator=NAMES,
    item=NAMES,
    body=NAMES,
    applicant=NAMES,
    identity=NAMES,
    materials=st.lists(MATERIALS, max_size=4).map(tuple),
    received_at=TIMES,
    accepted_at=st.one_of(st.none(), TIMES),
    due=st.one_of(st.none(), st.dates()),
    due_provisional=st.booleans(),
    agent=NAMES,
    offline=st.booleans(),
    advice_phone=NAMES,
    supervision_phone=NAMES,
    typed_identity=st.booleans(),
    practice=st.booleans(),
)
VOIDS = st.builds(
    VoidSlip, st.just(RECEIPT.number), NAMES, NAMES, NAMES, NAMES, TIMES, NAMES, practice=st.booleans()
)
TICKETS = st.builds(TicketSlip, st.just("A037"), NAMES, NAMES, TIMES, st.integers(0, 500))
ROLL = st.sampled_from([WIDE, NARROW])
LANGUAGE = st.sampled_from(list(Language))


def bare(text: str) -> str:
    return re.sub(r"\s", "", text)


@given(st.one_of(RECEIPTS, VOIDS, TICKETS), ROLL, LANGUAGE, st.integers(0, 3))
def test_no_line_is_wider_than_the_paper_and_every_word_is_on_it(slip, roll, language, reprint) -> None:
    page = slips.page(slip, roll, reprint=reprint, language=language)
    assert isinstance(page[-1], Cut)
    assert all(line.columns <= roll.columns for line in page if isinstance(line, Line))
    paper = bare("".join(line.text for line in page if isinstance(line, Line)))
    for field in fields(slip):
        value = getattr(slip, field.name)
        if isinstance(value, str) and field.name != "number":
            assert bare(clean(value)) in paper, field.name
    materials = "".join(m.name for m in getattr(slip, "materials", ()))
    assert not Counter(bare(clean(materials))) - Counter(paper)


@given(TICKETS, st.integers(0, 59))
def test_a_ticket_shows_its_minute_and_who_is_ahead(slip, minute) -> None:
    slip = replace(slip, issued_at=slip.issued_at.replace(minute=minute) + timedelta(seconds=59))
    text = text_of(slip)
    assert f"{slip.issued_at:%Y-%m-%d %H:%M}" in text
    assert f"{slip.ahead} 人" in text


def test_a_row_without_a_detail_has_the_whole_line() -> None:
    page = Page(NARROW)
    page.table([("1.", "申请表", "原件1"), ("", "须于 2026-12-01 前补交的", "")])
    assert as_text(page.elements, NARROW).splitlines() == [
        "1. 申请表                  原件1",
        "   须于 2026-12-01 前补交的",
    ]
