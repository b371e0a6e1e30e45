"""Service items: the kind (基本目录) that every body shares and the item (实施清单) one body implements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class ItemType(StrEnum):
    """GB/T 39046 A.1 by name; codes are mapped at adapters because national tables disagree."""

    LICENCE = "licence"  # 01 行政许可
    PENALTY = "penalty"  # 02 行政处罚
    COERCION = "coercion"  # 03 行政强制
    LEVY = "levy"  # 04 行政征收
    PAYMENT = "payment"  # 05 行政给付
    INSPECTION = "inspection"  # 06 行政检查
    CONFIRMATION = "confirmation"  # 07 行政确认
    REWARD = "reward"  # 08 行政奖励
    ADJUDICATION = "adjudication"  # 09 行政裁决
    OTHER_POWER = "other_power"  # 10 其他行政权力
    PUBLIC_SERVICE = "public_service"  # 20 公共服务


ON_APPLICATION = frozenset(
    {
        ItemType.LICENCE,
        ItemType.PAYMENT,
        ItemType.CONFIRMATION,
        ItemType.REWARD,
        ItemType.ADJUDICATION,
        ItemType.OTHER_POWER,
        ItemType.PUBLIC_SERVICE,
    }
)
"""Types filed on application (依申请): the only ones a window accepts. The rest are ex officio."""


class Audience(StrEnum):
    """Whom an item serves, coarse as the window needs it (GB/T 39046 A.4 has six)."""

    PERSON = "person"
    ORGANISATION = "organisation"
    BOTH = "both"


class OfflineRule(StrEnum):
    """What a window may do with the item while the office is out of reach."""

    ACCEPT = "accept"
    RECEIVE = "receive"
    NOTHING = "nothing"


class ItemStatus(StrEnum):
    PUBLISHED = "published"
    RETIRED = "retired"


class FieldKind(StrEnum):
    TEXT = "text"
    PHONE = "phone"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"
    LONG_TEXT = "long_text"


@dataclass(frozen=True, slots=True)
class FormField:
    """One field of the form. `fill` names what the card or applicant already says ("name", "address", …)."""

    key: str
    label: str
    label_en: str = ""
    kind: FieldKind = FieldKind.TEXT
    required: bool = False
    choices: tuple[str, ...] = ()
    fill: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Material:
    """One material the guide asks for. `when` names the situation answers that need it ("agent=yes")."""

    key: str
    name: str
    name_en: str = ""
    originals: int = 0
    copies: int = 0
    check_only: bool = False  # 原件核验: seen and given back
    required: bool = True
    deferrable: bool = False  # 可容缺
    promise: bool = False  # 可告知承诺
    when: str = ""
    basis: str = ""  # 受理标准: what makes it acceptable
    source: str = ""  # 来源渠道


@dataclass(frozen=True, slots=True)
class Choice:
    key: str
    label: str
    label_en: str = ""


@dataclass(frozen=True, slots=True)
class Situation:
    """One situation question (情形); its answer chooses materials."""

    key: str
    label: str
    choices: tuple[Choice, ...]
    label_en: str = ""


@dataclass(frozen=True, slots=True)
class Faq:
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class ItemKind:
    """What all implementing bodies share. `code` is the basic code (基本编码), TEXT, never truncated."""

    code: str
    name: str
    type: ItemType
    audience: Audience
    name_en: str = ""
    department: str = ""  # short name of the line of work: 人社, 公安, 市场监管
    aliases: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    legal_basis: str = ""
    conditions: str = ""
    process: str = ""
    legal_days: int = 0
    promised_days: int = 0  # 0: decided on the spot (即办件)
    day_unit: str = "working"
    fee: str = ""
    result: str = ""
    visits: int = 1  # 到办事现场次数
    offline: OfflineRule = OfflineRule.RECEIVE
    situations: tuple[Situation, ...] = ()
    fields: tuple[FormField, ...] = ()
    materials: tuple[Material, ...] = ()
    faq: tuple[Faq, ...] = ()
    visits_reason: str = ""  # 必须现场办理原因, due when visits > 0


@dataclass(frozen=True, slots=True)
class Implementation:
    """One body's item. `region` is a GB/T 2260 code, or the code of a park that has none."""

    code: str  # 实施编码
    kind: str
    body_code: str  # USCC of the body
    body_name: str
    region: str
    level: str  # "city", "county", "park", "town"
    status: ItemStatus = ItemStatus.PUBLISHED
    version: int = 1
    valid_from: date | None = None
    valid_to: date | None = None
    promised_days: int | None = None  # None: as the kind says
    advice_phone: str = ""
    supervision_phone: str = ""
    address: str = ""
    hours: str = ""
    window_decides: bool = False  # 授权到位: the window may decide on the spot


@dataclass(frozen=True, slots=True)
class ServiceItem:
    """What the window works with: one body's implementation of one kind."""

    kind: ItemKind
    implementation: Implementation

    @property
    def promised_days(self) -> int:
        own = self.implementation.promised_days
        return self.kind.promised_days if own is None else own

    def acceptable_on(self, day: date) -> bool:
        """Filed on application, published and in force on `day`."""
        it = self.implementation
        return (
            self.kind.type in ON_APPLICATION
            and it.status is ItemStatus.PUBLISHED
            and (it.valid_from is None or it.valid_from <= day)
            and (it.valid_to is None or day <= it.valid_to)
        )


def materials_for(kind: ItemKind, situations: dict[str, str]) -> tuple[Material, ...]:
    """The materials the given situation answers ask for, in the guide's order.

    `when` is empty (always) or "question=answer" terms joined by "&"; all must hold.
    """

    def asked(material: Material) -> bool:
        terms = [term.split("=", 1) for term in material.when.split("&") if term]
        return all(situations.get(question) == answer for question, answer in terms)

    return tuple(material for material in kind.materials if asked(material))
