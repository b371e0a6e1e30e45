"""Invented slips, one of each kind, with everything on them that a slip can carry."""

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

from clerk_app.domain.documents import ReceiptSlip, SlipMaterial, TicketSlip, VoidSlip
from clerk_app.domain.numbering import case_number

BEIJING = timezone(timedelta(hours=8))
NUMBER = case_number("MY01", 1207)

RECEIPT = ReceiptSlip(
    number=NUMBER,
    hall="绵阳市政务服务中心",
    window="综合窗口 12",
    operator="王芳 1024",
    item="社会保障卡补领（成年人，委托他人办理）",
    body="绵阳市人力资源和社会保障局",
    applicant="李晓明",
    identity="510704********1234",
    materials=(
        SlipMaterial("居民身份证", "seen", originals=1),
        SlipMaterial("社会保障卡补换领申请表（含个人承诺书）", "paper", originals=1, copies=2),
        SlipMaterial("授权委托书", "deferred", due=date(2026, 12, 1)),
        SlipMaterial("户籍证明", "promise"),
        SlipMaterial("营业执照", "licence"),
    ),
    received_at=datetime(2026, 11, 20, 10, 39, tzinfo=BEIJING),
    accepted_at=datetime(2026, 11, 20, 10, 41, tzinfo=BEIJING),
    due=date(2026, 12, 5),
    due_provisional=True,
    agent="张建国",
    offline=True,
    advice_phone="0816-2222222",
    supervision_phone="0816-12345",
)

# The other half of what may be said: received only, typed in, practice.
REPRINT = replace(
    RECEIPT, accepted_at=None, agent="", offline=False, typed_identity=True, materials=(), practice=True
)

VOID = VoidSlip(
    number=NUMBER,
    hall="绵阳市政务服务中心",
    window="综合窗口 12",
    operator="王芳 1024",
    item="社会保障卡补领",
    voided_at=datetime(2026, 11, 20, 11, 2, tzinfo=BEIJING),
    reason="申请人撤回，改日再办",
)

TICKET = TicketSlip(
    number="A037",
    hall="绵阳市政务服务中心",
    queue="综合业务（社保、医保、公积金）",
    issued_at=datetime(2026, 11, 20, 9, 1, tzinfo=BEIJING),
    ahead=6,
)
