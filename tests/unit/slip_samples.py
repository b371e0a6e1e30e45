"""Invented slips, one of each kind, with everything on them that a slip can carry."""

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

from clerk_app.domain.documents import (
    ClosingSlip,
    MaterialListSlip,
    PickUpSlip,
    ReceiptSlip,
    ShiftSlip,
    Slip,
    SlipMaterial,
    TestSlip,
    TicketSlip,
    VoidSlip,
)
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

MATERIAL_LIST = MaterialListSlip(
    number=NUMBER,
    hall="绵阳市政务服务中心",
    window="综合窗口 12",
    operator="王芳 1024",
    item=RECEIPT.item,
    body=RECEIPT.body,
    applicant="李晓明",
    materials=RECEIPT.materials,
    received_at=RECEIPT.received_at,
    printed_at=datetime(2026, 11, 20, 10, 45, tzinfo=BEIJING),
)

PICK_UP = PickUpSlip(
    number=NUMBER,
    hall="绵阳市政务服务中心",
    window="综合窗口 12",
    operator="王芳 1024",
    item=RECEIPT.item,
    body=RECEIPT.body,
    applicant="李**",
    result="社会保障卡",
    printed_at=datetime(2026, 11, 20, 10, 46, tzinfo=BEIJING),
    ready=date(2026, 12, 5),
    ready_provisional=True,
    place="绵阳市涪城区样例路 1 号 2 楼 D 区",
    hours="工作日 9:00–17:00",
    advice_phone="0816-2222222",
)

SHIFT = ShiftSlip(
    hall="绵阳市政务服务中心",
    window="综合窗口 12",
    operator="王芳 1024",
    began_at=datetime(2026, 11, 20, 8, 55, tzinfo=BEIJING),
    ended_at=datetime(2026, 11, 20, 17, 3, tzinfo=BEIJING),
    visits=31,
    no_shows=2,
    received=28,
    accepted=25,
    voided=1,
    reprints=3,
    unsent=0,
    items=(("社会保障卡补领", 12), ("城乡居民基本养老保险参保登记（含转移接续）", 9), ("居住证办理", 7)),
)

CLOSING = ClosingSlip(
    hall="绵阳市政务服务中心",
    window="综合窗口 12",
    operator="王芳 1024",
    day=date(2026, 11, 20),
    closed_at=datetime(2026, 11, 20, 17, 5, tzinfo=BEIJING),
    visits=31,
    received=28,
    accepted=25,
    registered=26,
    refused=1,
    first_number=case_number("MY01", 1180),
    last_number=NUMBER,
    voided=(case_number("MY01", 1190), case_number("MY01", 1201)),
    unsent=1,
    not_printed=1,
    audit_links=4711,
    audit_head="6f1ed002ab5595859014ebf0951522d9e3b0c44298fc1c149afbf4c8996fb924",
    oldest_unsent=datetime(2026, 11, 20, 16, 58, tzinfo=BEIJING),
)

TEST = TestSlip(
    hall="绵阳市政务服务中心",
    window="综合窗口 12",
    printed_at=datetime(2026, 11, 20, 8, 30, tzinfo=BEIJING),
    printer="tcp://192.0.2.10:9100",
    width=80,
    encoding="gb18030",
)

EVERY: tuple[Slip, ...] = (RECEIPT, VOID, TICKET, MATERIAL_LIST, PICK_UP, SHIFT, CLOSING, TEST)
