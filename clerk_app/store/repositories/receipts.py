"""The index of cases that have left this workstation: what a receipt in somebody's hand still says here."""

from __future__ import annotations

from sqlalchemy import insert, select

from clerk_app.desk.ports import Receipt
from clerk_app.store.repositories.rows import Statements, columns, one, values
from clerk_app.store.tables import receipts

_ALL = select(*columns(receipts, Receipt))


class SqlReceipts:
    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    def add(self, receipt: Receipt) -> None:
        self._sql.execute(insert(receipts), values(receipt))

    def by_number(self, number: str) -> Receipt | None:
        return one(Receipt, self._sql.execute(_ALL.where(receipts.c.number == number)))
