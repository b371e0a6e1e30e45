"""Invented people and cases for the store's tests. Check digits are valid; nobody bears these numbers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from typing import Any

from clerk_app.desk.ports import Device, Transaction
from clerk_app.domain.applicant import Applicant, DocumentKind, EntrySource, Person, Sex
from clerk_app.domain.case import (
    Case,
    FiledItem,
    HandedMaterial,
    LegalState,
    MaterialMode,
    SyncState,
    TimelineEvent,
    TimelineKind,
)
from clerk_app.domain.documents import ReceiptSlip, SlipMaterial
from clerk_app.domain.ids import uuid7
from clerk_app.domain.numbering import NumberBlock, case_number

CST = timezone(timedelta(hours=8))
NOW = datetime(2026, 11, 23, 9, 12, 30, 250_000, CST)
NAME = "欧阳测试"
IDENTITY = "510704199001010015"

DEVICE = Device("dev-1", 1, "MY01", "绵阳市政务服务中心", "Mianyang Hall", "510700", "07", "general")
PERSON = Person(
    NAME, IDENTITY, DocumentKind.RESIDENT_ID, EntrySource.CARD, Sex.MALE, date(1990, 1, 1), "01", "测试路1号"
)
ITEM = FiledItem(
    "1151070000I-01", "000120001", "食品经营许可", "11510700MB0001", "市场监管局", 3, 20, 5, "working"
)


def block(low: int = 1, high: int = 500, epoch: int = 1, next_: int | None = None) -> NumberBlock:
    return NumberBlock(f"block-{low}", low, high, next_ or low, epoch)


def sample_case(serial: int = 1, **changes: Any) -> Case:
    case = Case(
        id=uuid7(),
        number=case_number("MY01", serial),
        visit_id="visit-1",
        item=ITEM,
        applicant=Applicant(PERSON),
        situations={"agent": "no"},
        form={"shop": "测试小店", "phone": "13800000000"},
        materials=(HandedMaterial("id", "身份证", MaterialMode.SEEN, originals=1),),
        legal_state=LegalState.RECEIVED,
        sync_state=SyncState.HERE,
        operator="1007",
        received_at=NOW,
        due=date(2026, 11, 30),
    )
    return replace(case, **changes)


def slip_of(case: Case) -> ReceiptSlip:
    return ReceiptSlip(
        case.number, "绵阳市政务服务中心", "07", case.operator, case.item.name, case.item.body_name,
        case.applicant.name, "510704********0015", (SlipMaterial("身份证", "seen", 1),), case.received_at,
    )  # fmt: skip


def enrol(tx: Transaction, *blocks: NumberBlock) -> None:
    tx.meta.set_device(DEVICE)
    for leased in blocks or (block(),):
        tx.numbers.add(leased)


def file_case(tx: Transaction) -> Case:
    """What accepting does: a number, the case, the command, the audit link, a line and a slip at once."""
    case = sample_case(tx.numbers.take())
    tx.cases.add(case)
    tx.outbox.add("case.file", case.id, {"number": case.number}, at=NOW, operator=case.operator)
    tx.audit.add(at=NOW, actor=case.operator, act="case.file", subject=case.number)
    tx.timeline.add(TimelineEvent(NOW, TimelineKind.RECEIVED, case.number, case.visit_id, case.id))
    tx.print_jobs.add(slip_of(case), case_id=case.id, at=NOW)
    return case
