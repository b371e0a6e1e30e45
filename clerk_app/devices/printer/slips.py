"""Each slip as a page: what a citizen reads first stands first and largest.

A ticket holds no personal data. A receipt voucher never looks like a notice of acceptance, and a practice
slip never like a real one: it begins and ends with a black bar.
"""

from __future__ import annotations

import re

from clerk_app.devices.printer.columns import clean, columns
from clerk_app.devices.printer.layout import (
    BOLD,
    PLAIN,
    TITLE,
    Barcode,
    Cut,
    Element,
    Page,
    QrCode,
    Roll,
    Style,
)
from clerk_app.devices.printer.wording import ENGLISH, MODES, Language, ordinal_mark
from clerk_app.domain import numbering
from clerk_app.domain.documents import ReceiptSlip, Slip, SlipMaterial, TicketSlip, VoidSlip

_LABEL = 10  # four hanzi and a gap
_INDENT = 2
_QUIET = 32  # dots above and below a QR code: four modules, or readers do not find it


def page(
    slip: Slip, roll: Roll, *, reprint: int = 0, language: Language = Language.ZH
) -> tuple[Element, ...]:
    """The elements of `slip` on `roll`, from its practice bar to the cut."""
    writer = _Writer(roll, language)
    writer.practice_bar(slip.practice)
    if reprint:
        writer.page.centred(ordinal_mark(reprint), TITLE)
        writer.page.rule("=")
    match slip:
        case TicketSlip():
            _ticket(slip, writer)
        case ReceiptSlip():
            _receipt(slip, writer)
        case VoidSlip():
            _void(slip, writer)
    writer.practice_bar(slip.practice)
    writer.page.add(Cut())
    return writer.page.elements


class _Writer:
    """A page in one or two languages."""

    def __init__(self, roll: Roll, language: Language) -> None:
        self.page = Page(roll)
        self.english = language is Language.ZH_EN

    def title(self, hall: str, name: str) -> None:
        self.page.centred(hall, BOLD)
        self.page.space(8)
        self.page.centred(name, TITLE)
        if self.english:
            self.page.centred(ENGLISH[name])

    def number(self, number: str) -> None:
        """The case number as large as its line holds, hyphens included."""
        self.page.space(8)
        self.page.centred(numbering.printed(number), TITLE)
        self.page.space(8)

    def field(self, label: str, value: str, style: Style = PLAIN) -> None:
        """Label and value on one line; with English both labels above, the value below them."""
        if not value:
            return
        if self.english:
            self.page.line(f"{label} {ENGLISH[label]}")
            self.page.field("", value, _INDENT, style)
        else:
            self.page.field(label, value, _LABEL, style)

    def sentence(self, text: str, style: Style = BOLD, english: str = "") -> None:
        """A centred sentence; where the paper is too narrow for it, each clause has its own line."""
        fits = columns(text) <= self.page.roll.columns
        for clause in (text,) if fits else re.split("(?<=，)", text):
            self.page.centred(clause, style)
        if self.english:
            self.page.centred(english or ENGLISH[text])

    def title_if_short(self, value: str) -> Style:
        """Twice the size for a value that stays on one line so, else bold."""
        room = self.page.roll.columns - (_INDENT if self.english else _LABEL)
        return TITLE if columns(clean(value)) * TITLE.width <= room else BOLD

    def practice_bar(self, practice: bool) -> None:
        if not practice:
            return
        self.page.space(12)
        self.page.banner(f"★ {self.both('练习')} ★")
        self.page.banner("练习专用，不具效力", BOLD)
        if self.english:
            self.page.banner(ENGLISH["练习专用，不具效力"], BOLD)
        self.page.space(12)

    def both(self, text: str) -> str:
        return f"{text} {ENGLISH[text]}" if self.english else text


def _ticket(slip: TicketSlip, writer: _Writer) -> None:
    page = writer.page
    writer.title(slip.hall, "取号票")
    page.rule()
    page.space(16)
    page.centred(slip.number, _largest(slip.number, page.roll))
    page.space(24)
    page.rule()
    writer.field("业务", slip.queue, BOLD)
    page.space(8)
    writer.field("前面等待", f"{slip.ahead} 人", TITLE)
    page.space(8)
    writer.field("取号时间", f"{slip.issued_at:%Y-%m-%d %H:%M}")
    page.space(12)
    page.add(_barcode(slip.number, page.roll, height=64))
    page.space(12)
    writer.sentence("请留意叫号屏幕和语音", PLAIN)


def _largest(text: str, roll: Roll) -> Style:
    """The largest size up to seven times that keeps `text` on one line with a margin."""
    size = max(1, min(7, (roll.columns - 4) // columns(clean(text))))
    return Style(size, size, bold=True)


def _receipt(slip: ReceiptSlip, writer: _Writer) -> None:
    page = writer.page
    writer.title(slip.hall, "收件凭证")
    page.rule("=")
    writer.number(slip.number)
    page.add(_barcode(slip.number, page.roll, height=72))
    page.space(12)
    page.rule()
    page.space(4)
    writer.field("申请人", slip.applicant, writer.title_if_short(slip.applicant))
    page.space(8)
    writer.field("证件号码", slip.identity)
    if slip.typed_identity:
        page.field("", "人工录入，未读卡", _INDENT if writer.english else _LABEL, BOLD)
        if writer.english:
            page.field("", ENGLISH["人工录入，未读卡"], _INDENT)
    writer.field("代理人", slip.agent)
    writer.field("办理事项", slip.item, BOLD)
    writer.field("实施机关", slip.body)
    writer.field("收件时间", f"{slip.received_at:%Y-%m-%d %H:%M}", BOLD)
    page.rule()
    _materials(slip.materials, writer)
    page.rule()
    _standing(slip, writer)
    page.space(_QUIET)
    page.add(QrCode(slip.number, module=8 if page.roll.columns >= 48 else 7))
    page.space(_QUIET)
    writer.sentence("凭编号或扫码查询办理进度", PLAIN)
    page.rule()
    writer.field("咨询电话", slip.advice_phone)
    writer.field("监督电话", slip.supervision_phone)
    writer.field("办理窗口", slip.window)
    writer.field("经办人", slip.operator)


def _standing(slip: ReceiptSlip, writer: _Writer) -> None:
    """Whether the case is accepted and when it is due: nothing uncertain is printed as certain."""
    page = writer.page
    page.space(4)
    if slip.accepted_at is None:
        writer.sentence("本凭证不代表受理")
    else:
        same_day = slip.accepted_at.date() == slip.received_at.date()
        at = f"{slip.accepted_at:%H:%M}" if same_day else f"{slip.accepted_at:%Y-%m-%d %H:%M}"
        writer.sentence(
            f"已于 {at} 受理，受理通知书另行出具",
            english=f"Accepted at {at}; the notice of acceptance follows",
        )
        if slip.due:
            page.space(8)
            writer.field("办结期限", f"{'预计 ' if slip.due_provisional else ''}{slip.due:%Y-%m-%d}", BOLD)
            if slip.due_provisional:
                writer.sentence("预计日期以公布的工作日历为准", PLAIN)
    if slip.offline:
        page.space(8)
        writer.sentence("离线办理，联网后自动上报")


def _materials(materials: tuple[SlipMaterial, ...], writer: _Writer) -> None:
    page = writer.page
    if not materials:
        writer.sentence("未收取材料", PLAIN)
        return
    heading = f"材料清单（共 {len(materials)} 项）"
    page.line(f"{heading} {ENGLISH['材料清单']}" if writer.english else heading, BOLD)
    rows: list[tuple[str, str, str]] = []
    for place, material in enumerate(materials, 1):
        rows.append((f"{place}.", material.name, _handed(material)))
        if material.due:
            rows.append(("", f"须于 {material.due:%Y-%m-%d} 前补交", ""))
    page.table(rows)


def _handed(material: SlipMaterial) -> str:
    """Form and count: `收取纸质 原件1 复印2`. A count of none is left out."""
    words = [MODES[material.mode][0]]
    if material.originals:
        words.append(f"原件{material.originals}")
    if material.copies:
        words.append(f"复印{material.copies}")
    return " ".join(words)


def _void(slip: VoidSlip, writer: _Writer) -> None:
    page = writer.page
    page.centred(slip.hall, BOLD)
    page.space(8)
    page.banner(writer.both("作废"))
    writer.number(slip.number)
    page.add(_barcode(slip.number, page.roll, height=72))
    page.space(12)
    page.rule()
    writer.field("办理事项", slip.item, BOLD)
    writer.field("作废时间", f"{slip.voided_at:%Y-%m-%d %H:%M}", BOLD)
    writer.field("作废原因", slip.reason)
    writer.field("办理窗口", slip.window)
    writer.field("经办人", slip.operator)
    page.rule()
    page.space(4)
    writer.sentence("原收件凭证同时作废，请勿再用")


def _barcode(data: str, roll: Roll, *, height: int) -> Barcode:
    """CODE128 in set B with the widest bars, up to 3 dots, that leave the line its quiet zones.

    Start, check and each character are 11 modules wide, the stop 13. On 58 mm a case number has 2 dots a
    module; the quiet zone then reaches into the unprinted margin of the paper.
    """
    modules = 11 * (len(data) + 2) + 13
    return Barcode(data, max(1, min(3, roll.dots // modules)), height)
