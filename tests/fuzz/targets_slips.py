"""Slip templates, which a hall's IT writes: any file is a template that prints, or fails as one."""

from __future__ import annotations

from datetime import UTC, datetime

from clerk_app.devices.printer import slips
from clerk_app.devices.printer.layout import ROLLS, Line
from clerk_app.devices.printer.templates.loading import Templates
from clerk_app.devices.printer.templates.parser import parse
from clerk_app.devices.printer.templates.words import VOCABULARY
from clerk_app.devices.printer.wording import Language
from clerk_app.domain.documents import ReceiptSlip, Slip, SlipMaterial, TicketSlip
from clerk_app.domain.numbering import case_number

_AT = datetime(2026, 3, 2, 10, 39, tzinfo=UTC)
_SLIPS: tuple[Slip, ...] = (
    ReceiptSlip(
        number=case_number("YB00", 1),
        hall="样例政务服务中心",
        window="12",
        operator="0000",
        item="样例事项",
        body="样例局",
        applicant="样例",
        identity="510704********0000",
        materials=(SlipMaterial("样例材料", "paper", 1, 1),),
        received_at=_AT,
    ),
    TicketSlip("A037", "样例政务服务中心", "综合业务", _AT, ahead=6),
)


class _Own(Templates):
    """One text as the template of whatever is printed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def of(self, slip):
        return parse(self._text, VOCABULARY[type(slip)])


def fuzz_template(data: bytes) -> None:
    slip = _SLIPS[data[0] % 2 if data else 0]
    own = _Own(data[1:].decode("utf-8", "replace"))
    for roll in ROLLS.values():
        for language in Language:
            elements = slips.page(slip, roll, language=language, templates=own)
            assert all(line.columns <= roll.columns for line in elements if isinstance(line, Line))
