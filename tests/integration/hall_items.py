"""A small catalogue for the end-to-end tests: one item a rule of what may be done offline."""

from __future__ import annotations

from office_hall import BODY

from clerk_app.domain.catalogue import (
    Audience,
    Choice,
    FieldKind,
    FormField,
    Implementation,
    ItemKind,
    ItemType,
    Material,
    OfflineRule,
    Situation,
)

FIELDS = (
    FormField("name", "姓名", required=True, fill="name"),
    FormField("number", "证件号码", required=True, fill="number"),
    FormField("phone", "联系电话", kind=FieldKind.PHONE, required=True),
    FormField("address", "邮寄地址"),
)
MATERIALS = (
    Material("id", "居民身份证", originals=1, check_only=True),
    Material("form", "申请表", originals=1),
    Material("letter", "授权委托书", originals=1, when="agent=yes", deferrable=True),
)
AGENT = Situation("agent", "办理方式", (Choice("no", "本人办理"), Choice("yes", "委托他人")))


def _kind(code: str, name: str, offline: OfflineRule) -> ItemKind:
    return ItemKind(
        code=code,
        name=name,
        type=ItemType.PUBLIC_SERVICE,
        audience=Audience.PERSON,
        legal_days=20,
        promised_days=3,
        offline=offline,
        situations=(AGENT,),
        fields=FIELDS,
        materials=MATERIALS,
    )


KINDS = (
    _kind("512014001000", "社会保障卡补领", OfflineRule.ACCEPT),
    _kind("512014002000", "失业登记", OfflineRule.RECEIVE),
    _kind("512014003000", "社会保险费补缴", OfflineRule.NOTHING),
)


def _item(kind: ItemKind) -> Implementation:
    code = f"{BODY}3{kind.code}"
    return Implementation(code, kind.code, BODY, "绵阳市人力资源和社会保障局", "510700", "city")


ITEMS = tuple(_item(kind) for kind in KINDS)
ACCEPTED_OFFLINE, RECEIVED_OFFLINE, NEVER_OFFLINE = (item.code for item in ITEMS)
