"""A few service items as the window meets them: a small one, a long form, one no window may accept."""

from __future__ import annotations

from clerk_app.domain.catalogue import (
    Audience,
    Choice,
    Faq,
    FieldKind,
    FormField,
    Implementation,
    ItemKind,
    ItemType,
    Material,
    OfflineRule,
    ServiceItem,
    Situation,
)

BODY = "11510700MB0000001X"

CARD = ItemKind(
    code="511600001000",
    name="社会保障卡补领",
    name_en="Social security card: replacement",
    type=ItemType.PUBLIC_SERVICE,
    audience=Audience.PERSON,
    department="人社",
    conditions="本市参保或持有本市户籍，原卡遗失或损坏。",
    process="受理 → 审核 → 制卡 → 领取",
    legal_basis="《社会保障卡管理办法》第十六条",
    legal_days=20,
    promised_days=0,
    result="社会保障卡",
    offline=OfflineRule.ACCEPT,
    situations=(
        Situation(
            "agent",
            "由谁办理",
            (Choice("no", "本人办理", "In person"), Choice("yes", "委托他人", "By an agent")),
            "Who applies",
        ),
    ),
    fields=(
        FormField("name", "姓名", "Name", required=True, fill="name"),
        FormField("number", "证件号码", "Document number", required=True, fill="number"),
        FormField("address", "住址", "Address", required=True, fill="address"),
        FormField("phone", "联系电话", "Phone", kind=FieldKind.PHONE, required=True),
        FormField(
            "bank",
            "合作银行",
            "Partner bank",
            kind=FieldKind.CHOICE,
            required=True,
            choices=("绵阳市商业银行（示例）", "示例农村信用社"),
        ),
        FormField("remark", "备注", "Remark", kind=FieldKind.LONG_TEXT),
    ),
    materials=(
        Material(
            "id", "居民身份证", "Resident ID card", originals=1, check_only=True, basis="原件核验后退还"
        ),
        Material("form", "社会保障卡补领申请表", "Application form", originals=1),
        Material(
            "letter", "授权委托书", "Letter of authority", originals=1, when="agent=yes", deferrable=True
        ),
        Material("photo", "近期免冠照片", "Recent photograph", originals=1, required=False, promise=True),
    ),
    faq=(Faq("补领期间能否就医结算？", "可以使用电子社保卡。"),),
)
LOST = ItemKind(
    code="511600002000",
    name="社会保障卡挂失",
    name_en="Social security card: report of loss",
    type=ItemType.PUBLIC_SERVICE,
    audience=Audience.PERSON,
    department="人社",
    legal_days=1,
    offline=OfflineRule.NOTHING,
)
HOUSING = ItemKind(
    code="511600003000",
    name="住房公积金提取（购买自住住房）",
    name_en="Housing fund withdrawal: buying a home",
    type=ItemType.PUBLIC_SERVICE,
    audience=Audience.PERSON,
    department="公积金",
    legal_days=20,
    promised_days=3,
    fields=tuple(
        FormField(f"f{i:02d}", f"申报项 {i}", f"Entry {i}", required=i % 3 == 0, kind=FieldKind.TEXT)
        for i in range(1, 61)
    ),
    materials=(Material("contract", "购房合同", "Purchase contract", originals=1, copies=1),),
)
FINE = ItemKind(
    code="510200004000",
    name="社会保险稽核处罚",
    name_en="Fine after a social insurance audit",
    type=ItemType.PENALTY,
    audience=Audience.ORGANISATION,
    department="人社",
)
LICENCE = ItemKind(
    code="510100005000",
    name="食品经营许可核发",
    name_en="Food business licence",
    type=ItemType.LICENCE,
    audience=Audience.ORGANISATION,
    department="市场监管",
    legal_days=20,
    promised_days=5,
    fee="",
)

BODIES = (
    ("510700", "绵阳市人力资源和社会保障局", "city"),
    ("510703", "绵阳市涪城区人力资源和社会保障局", "county"),
    ("510704", "绵阳市游仙区人力资源和社会保障局", "county"),
)


def _of(kind: ItemKind, place: int, body: tuple[str, str, str]) -> ServiceItem:
    region, name, level = body
    return ServiceItem(
        kind,
        Implementation(
            code=f"{BODY}{place}{kind.code}",
            kind=kind.code,
            body_code=BODY,
            body_name=name,
            region=region,
            level=level,
            version=3,
            advice_phone="0816-12333",
            supervision_phone="0816-0000000",
            address="绵阳市政务服务中心 2 楼 C 区",
            hours="工作日 9:00–17:00",
            window_decides=kind is CARD and place == 1,
        ),
    )


def items() -> dict[str, ServiceItem]:
    """By implementation code; the first body of a kind is the proposed one."""
    made = [_of(CARD, n, body) for n, body in enumerate(BODIES, start=1)]
    made += [_of(LOST, n, body) for n, body in enumerate(BODIES[:2], start=1)]
    made += [_of(kind, 1, BODIES[0]) for kind in (HOUSING, FINE, LICENCE)]
    return {item.implementation.code: item for item in made}
