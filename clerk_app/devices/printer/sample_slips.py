"""One invented slip of each kind, marked for practice so that nobody takes it for a real one."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from clerk_app.devices.printer.templates.words import VOCABULARY
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
from clerk_app.domain.hall_time import HALL_TIME
from clerk_app.domain.numbering import case_number

_HALL, _WINDOW, _CLERK = "样例政务服务中心", "综合窗口 12", "样例 0000"
_ITEM, _BODY, _PERSON = "社会保障卡补领", "样例市人力资源和社会保障局", "样例·䶮㐱"
_MORNING = datetime(2026, 3, 2, 10, 39, tzinfo=HALL_TIME)
_EVENING = _MORNING.replace(hour=17, minute=5)
_NUMBER = case_number("YB00", 1)
_MATERIALS = (
    SlipMaterial("居民身份证", "seen", originals=1),
    SlipMaterial("社会保障卡补领申请表", "paper", originals=1, copies=1),
    SlipMaterial("授权委托书", "deferred", due=date(2026, 3, 9)),
)
_ALL: tuple[Slip, ...] = (
    TicketSlip("A037", _HALL, "综合业务", _MORNING, ahead=6, practice=True),
    ReceiptSlip(
        number=_NUMBER,
        hall=_HALL,
        window=_WINDOW,
        operator=_CLERK,
        item=_ITEM,
        body=_BODY,
        applicant=_PERSON,
        identity="510704********0000",
        materials=_MATERIALS,
        received_at=_MORNING,
        accepted_at=_MORNING + timedelta(minutes=2),
        due=date(2026, 3, 13),
        advice_phone="12333",
        supervision_phone="12345",
        practice=True,
    ),
    VoidSlip(_NUMBER, _HALL, _WINDOW, _CLERK, _ITEM, _MORNING, "样例：申请人撤回", practice=True),
    MaterialListSlip(
        number=_NUMBER,
        hall=_HALL,
        window=_WINDOW,
        operator=_CLERK,
        item=_ITEM,
        body=_BODY,
        applicant=_PERSON,
        materials=_MATERIALS,
        received_at=_MORNING,
        printed_at=_MORNING + timedelta(minutes=3),
        practice=True,
    ),
    PickUpSlip(
        number=_NUMBER,
        hall=_HALL,
        window=_WINDOW,
        operator=_CLERK,
        item=_ITEM,
        body=_BODY,
        applicant="样***",
        result="社会保障卡",
        printed_at=_MORNING + timedelta(minutes=4),
        ready=date(2026, 3, 13),
        place="样例路 1 号 2 楼 D 区",
        hours="工作日 9:00–17:00",
        advice_phone="12333",
        practice=True,
    ),
    ShiftSlip(
        hall=_HALL,
        window=_WINDOW,
        operator=_CLERK,
        began_at=_MORNING.replace(hour=8, minute=55),
        ended_at=_EVENING,
        visits=31,
        no_shows=2,
        received=28,
        accepted=25,
        voided=1,
        reprints=3,
        unsent=0,
        items=((_ITEM, 16), ("居住证办理", 12)),
        practice=True,
    ),
    ClosingSlip(
        hall=_HALL,
        window=_WINDOW,
        operator=_CLERK,
        day=_EVENING.date(),
        closed_at=_EVENING,
        visits=31,
        received=28,
        accepted=25,
        registered=27,
        refused=0,
        first_number=_NUMBER,
        last_number=case_number("YB00", 28),
        voided=(case_number("YB00", 9),),
        unsent=0,
        not_printed=0,
        audit_links=214,
        audit_head="6f1ed002ab5595859014ebf0951522d9e3b0c44298fc1c149afbf4c8996fb924",
        practice=True,
    ),
    TestSlip(_HALL, _WINDOW, _MORNING, "", 80, "gb18030", practice=True),
)
_BY_KIND = {VOCABULARY[type(slip)].file: slip for slip in _ALL}

KINDS = tuple(_BY_KIND)
"""The names of the kinds: those of the template files."""


def sample(kind: str) -> Slip:
    """The sample of `kind`, one of KINDS. The applicant's name is rare."""
    return _BY_KIND[kind]
