"""No printer at all: slips wait, and every look says why."""

from __future__ import annotations

from clerk_app.desk.ports import Preview, PrinterSetup, PrinterStatus, PrintOutcome, PrintResult
from clerk_app.domain.documents import Slip
from clerk_app.failures import Failure


class NoPrinter:
    """The printer port of a workstation whose settings name none."""

    setup = PrinterSetup("", 80, "gb18030")

    def preview(self, slip: Slip, *, reprint: int = 0) -> Preview:
        raise Failure("PRINTER-NOT-SET")

    def missing(self, text: str) -> tuple[str, ...]:
        return ()

    def status(self) -> PrinterStatus:
        return PrinterStatus(code="PRINTER-NOT-SET")

    def print(self, slip: Slip, *, reprint: int = 0) -> PrintResult:
        return PrintResult(PrintOutcome.FAILED, "PRINTER-NOT-SET")
