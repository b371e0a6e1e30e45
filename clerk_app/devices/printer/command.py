"""`clerk-app print-sample`: one invented slip on a real printer, and a plain answer whether it got there."""

from __future__ import annotations

import sys
from dataclasses import replace

from clerk_app import failures
from clerk_app.desk.ports import Printer, PrintOutcome, PrintResult
from clerk_app.devices.printer.printer import printer_from_url
from clerk_app.devices.printer.sample_slips import sample
from clerk_app.domain.documents import Slip, TestSlip
from clerk_app.failures import Failure

_EXIT = {PrintOutcome.PRINTED: 0, PrintOutcome.FAILED: 2, PrintOutcome.UNKNOWN: 3}
_WORDS = {
    "zh": {"printed": "已打印", "failed": "未打印", "unknown": "不确定"},
    "en": {"printed": "printed", "failed": "not printed", "unknown": "not certain"},
}


def print_sample(
    kind: str,
    printer_url: str,
    width: int = 80,
    encoding: str = "gb18030",
    *,
    slip_language: str = "zh",
    language: str = "zh",
    reprint: int = 0,
) -> int:
    """Print the sample and say outcome, code and action in `language`.

    `kind` is one of `sample_slips.KINDS`. Returns the exit code: 0 printed, 2 failed, 3 unknown.
    """
    try:
        printer = printer_from_url(printer_url, width=width, encoding=encoding, language=slip_language)
        result = printer.print(_of_this_printer(sample(kind), printer), reprint=reprint)
    except Failure as failure:
        result = PrintResult(PrintOutcome.FAILED, failure.code, failure.detail)
    sys.stdout.write(_told(result, language))
    return _EXIT[result.outcome]


def _of_this_printer(slip: Slip, printer: Printer) -> Slip:
    """A test page tells how the printer is set up, and holds no character that keeps it from printing."""
    if not isinstance(slip, TestSlip):
        return slip
    setup, lacking = printer.setup, printer.missing(slip.rare)
    return replace(
        slip,
        printer=setup.address,
        width=setup.width,
        encoding=setup.encoding,
        rare="".join(sign for sign in slip.rare if sign not in lacking),
    )


def _told(result: PrintResult, language: str) -> str:
    lines = [_WORDS[language][result.outcome]]
    if result.code:
        text = failures.text(result.code, language)
        lines += [f"{result.code} {result.detail}".rstrip(), text.sentence, text.action]
    return "\n".join([*lines, ""])
