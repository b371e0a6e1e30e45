"""Invented people and the small catalogue of a run."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from clerk_app.domain import identity
from clerk_app.domain.applicant import Applicant, DocumentKind, EntrySource, Person
from clerk_app.domain.catalogue import Audience, Implementation, ItemKind, ItemType, OfflineRule, ServiceItem

BODY = "11510700008400000A"


def items() -> list[ServiceItem]:
    """Three items; the last may not be accepted without the office, only received."""
    return [
        _item("510114001000", "社会保障卡补领", OfflineRule.ACCEPT),
        _item("510114002000", "失业登记", OfflineRule.ACCEPT),
        _item("510114003000", "居住证签注", OfflineRule.RECEIVE),
    ]


def _item(kind: str, name: str, offline: OfflineRule) -> ServiceItem:
    what = ItemKind(
        kind, name, ItemType.PUBLIC_SERVICE, Audience.PERSON, legal_days=20, promised_days=3, offline=offline
    )
    return ServiceItem(what, Implementation(f"{BODY}3{kind}", kind, BODY, "绵阳市样例局", "510700", "city"))


def next_version(item: ServiceItem) -> ServiceItem:
    return replace(item, implementation=replace(item.implementation, version=item.implementation.version + 1))


def applicant(number: int) -> Applicant:
    """The `number`-th invented person; the identity number has a valid check digit."""
    first = f"510704{1950 + number % 50}{1 + number % 12:02}{1 + number % 28:02}{number % 1000:03}"
    signs = "甲乙丙丁戊己庚辛壬癸"
    name = "试" + signs[number // 100 % 10] + signs[number // 10 % 10] + signs[number % 10]
    person = Person(
        name,
        first + identity.check_digit(first),
        DocumentKind.RESIDENT_ID,
        EntrySource.CARD,
        birth=date(int(first[6:10]), int(first[10:12]), int(first[12:14])),
        valid_until=date(2040, 1, 1),
    )
    return Applicant(person)
