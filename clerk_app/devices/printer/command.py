"""`clerk-app print-sample`: one invented slip on a real printer, and a plain answer whether it got there."""

from __future__ import annotations

import sys
from datetime import date, datetime, timedelta, timezone
from typing import Literal

from clerk_app import failures
from clerk_app.desk.ports import PrintOutcome, PrintResult
from clerk_app.devices.printer.printer import printer_from_url
from clerk_app.domain.documents import ReceiptSlip, Slip, SlipMaterial, TicketSlip, VoidSlip
from clerk_app.domain.numbering import case_number
from clerk_app.failures import Failure

SampleKind = Literal["ticket", "receipt", "void"]
_EXIT = {PrintOutcome.PRINTED: 0, PrintOutcome.FAILED: 2, PrintOutcome.UNKNOWN: 3}
_WORDS = {
    "zh": {"printed": "已打印", "failed": "未打印", "unknown": "不确定"},
    "en": {"printed": "printed", "failed": "not printed", "unknown": "not certain"},
}
_SAMPLE_TIME = datetime(2026, 3, 2, 10, 39, tzinfo=timezone(timedelta(hours=8)))
_NUMBER = case_number("YB00", 1)


def sample(kind: SampleKind) -> Slip:
    """An invented slip, marked for practice so that nobody takes it for a real one; its name is rare."""
    if kind == "ticket":
        return TicketSlip("A037", "样例政务服务中心", "综合业务", _SAMPLE_TIME, ahead=6, practice=True)
    if kind == "void":
        return VoidSlip(
            _NUMBER,
            "样例政务服务中心",
            "综合窗口 12",
            "样例 0000",
            "社会保障卡补领",
            _SAMPLE_TIME,
            "样例：申请人撤回",
            practice=True,
        )
    return ReceiptSlip(
        number=_NUMBER,
        hall="样例政务服务中心",
        window="综合窗口 12",
        operator="样例 0000",
        item="社会保障卡补领",
        body="样例市人力资源和社会保障局",
        applicant="样例·䶮㐱",
        identity="510704********0000",
        materials=(
            SlipMaterial("居民身份证", "seen", originals=1),
            SlipMaterial("社会保障卡补领申请表", "paper", originals=1, copies=1),
            SlipMaterial("授权委托书", "deferred", due=date(2026, 3, 9)),
        ),
        received_at=_SAMPLE_TIME,
        accepted_at=_SAMPLE_TIME + timedelta(minutes=2),
        due=date(2026, 3, 13),
        advice_phone="12333",
        supervision_phone="12345",
        practice=True,
    )


def print_sample(
    kind: SampleKind,
    printer_url: str,
    width: int = 80,
    encoding: str = "gb18030",
    *,
    slip_language: str = "zh",
    language: str = "zh",
    reprint: int = 0,
) -> int:
    """Print the sample and say outcome, code and action in `language`.

    Returns the exit code: 0 printed, 2 failed, 3 unknown.
    """
    try:
        printer = printer_from_url(printer_url, width=width, encoding=encoding, language=slip_language)
        result = printer.print(sample(kind), reprint=reprint)
    except Failure as failure:
        result = PrintResult(PrintOutcome.FAILED, failure.code, failure.detail)
    sys.stdout.write(_told(result, language))
    return _EXIT[result.outcome]


def _told(result: PrintResult, language: str) -> str:
    lines = [_WORDS[language][result.outcome]]
    if result.code:
        text = failures.text(result.code, language)
        lines += [f"{result.code} {result.detail}".rstrip(), text.sentence, text.action]
    return "\n".join([*lines, ""])
