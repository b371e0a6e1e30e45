"""A slip printer, and the one question that matters: did it reach the paper?

The rule: *printed* is what the printer itself confirmed after the last byte. Whatever went wrong before the
first byte of the slip left is *failed* and may be tried again. Whatever went wrong afterwards is *unknown*: a
person looks at the paper, and a second try is marked 补打. A line without answers (spoolers, one-way files)
never gives more than *unknown*.

What cannot be known: a printer that answers GS r without having printed, or that has `buffered_answer` off
and says it is well while its head stands still, is believed.
"""

from __future__ import annotations

import contextlib
import re
import time
from dataclasses import dataclass, replace
from pathlib import Path

from clerk_app.desk.ports import (
    PaperState,
    Preview,
    PrinterSetup,
    PrinterStatus,
    PrintOutcome,
    PrintResult,
)
from clerk_app.devices.printer import preview as previewing
from clerk_app.devices.printer import slips, status
from clerk_app.devices.printer.dots import longest_command
from clerk_app.devices.printer.encoder import Encoding, encode, missing, reporting
from clerk_app.devices.printer.layout import ROLLS, Drawer, Element, Roll
from clerk_app.devices.printer.lines.addresses import LineFactory, line_factory
from clerk_app.devices.printer.lines.line import Line
from clerk_app.devices.printer.templates.loading import Templates
from clerk_app.devices.printer.wording import Language
from clerk_app.domain.documents import ReceiptSlip, Slip
from clerk_app.failures import Failure
from clerk_app.settings import PrinterSettings

_SILENT = PrinterStatus(PaperState.UNKNOWN, "PRINTER-SILENT")
_NOT_TAKEN = "PRINTER-SPOOLER"  # a spooler refused the job: the one failure of sending that is certain


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds to wait: for connection, one status answer, sending, confirmation, and between two looks."""

    connect: float = 3.0
    answer: float = 3.0
    send: float = 5.0
    confirm: float = 5.0
    look: float = 0.5


LIMITS = Limits()


class EscPosPrinter:
    """The `Printer` port for ESC/POS: one job, one connection, because cheap printers drop idle ones.

    `line` opens the connection of a job. Of a receipt voucher `copies` are printed, each cut off by itself;
    with `drawer` the cash drawer opens when it is printed the first time.

    `buffered_answer` says whether the model answers GS r, which it does only after working through all that
    came before. Without it a printer confirms by DLE EOT that it is well and has everything, not that it has
    printed it: set it to False only for models that never answer GS r.
    """

    def __init__(
        self,
        line: LineFactory,
        *,
        roll: Roll = ROLLS[80],
        encoding: Encoding = Encoding.GB18030,
        language: Language = Language.ZH,
        buffered_answer: bool = True,
        limits: Limits = LIMITS,
        address: str = "",
        templates: Templates | None = None,
        copies: int = 1,
        drawer: bool = False,
    ) -> None:
        self._line = line
        self._roll = roll
        self._encoding = encoding
        self._language = language
        self._buffered_answer = buffered_answer
        self._limits = limits
        self._address = address
        self.templates = templates or Templates()
        self._copies = copies
        self._drawer = drawer
        self._broken_off = 0  # bytes a printer may still wait for since a line broke

    @property
    def setup(self) -> PrinterSetup:
        shown = re.sub("//[^/@]*@", "//", self._address)  # it is printed on test pages
        return PrinterSetup(shown, self._roll.millimetres, self._encoding)

    def status(self) -> PrinterStatus:
        """Ask the printer how it is. Unreachable, silent and broken lines are states, not exceptions.

        Of a printer behind a one-way line nothing is known but what the line itself can tell.
        """
        try:
            with self._line() as line:
                return self._ask(line) if line.two_way else PrinterStatus(code=line.refusal())
        except Failure as failure:
            return PrinterStatus(PaperState.UNKNOWN, failure.code)

    def print(self, slip: Slip, *, reprint: int = 0) -> PrintResult:
        """Print `slip`; never raises for what the world does, see the outcomes in the module's rule."""
        sent = False
        try:
            job = encode(self._elements(slip, reprint), self._roll, self._encoding)
            with self._line() as line:
                before = self._ask(line).code if line.two_way else line.refusal()
                if before and before != _SILENT.code:
                    return PrintResult(PrintOutcome.FAILED, before)
                sent = True
                if not line.two_way:
                    line.send(job)
                    return PrintResult(PrintOutcome.UNKNOWN, "PRINTER-SPOOLED")
                # A line that broke inside a picture leaves a printer that takes the next slip, its 补打 mark
                # first, for the rest of the picture. To one that waits for nothing zeros are nothing.
                longest = longest_command(job)
                rest = max(self._broken_off, longest if reprint else 0)
                self._broken_off = longest
                line.send(bytes(rest) + reporting(job))
                result = self._confirm(line, rest + len(job))
                if result.outcome is PrintOutcome.PRINTED:
                    self._broken_off = 0
                return result
        except Failure as failure:
            certain = not sent or failure.code == _NOT_TAKEN
            outcome = PrintOutcome.FAILED if certain else PrintOutcome.UNKNOWN
            return PrintResult(outcome, failure.code, failure.detail)

    def preview(self, slip: Slip, *, reprint: int = 0) -> Preview:
        """The paper `print` would give, one copy, drawn by the simulated printer from the same bytes."""
        shown = previewing.preview(self._page(slip, reprint), self._roll, self._encoding)
        return replace(shown, problem=self.templates.problem(slip))

    def _elements(self, slip: Slip, reprint: int) -> tuple[Element, ...]:
        """Everything `print` puts into the job of `slip`."""
        elements = self._page(slip, reprint)
        if isinstance(slip, ReceiptSlip):
            for copy in range(2, self._copies + 1):
                elements += self._page(slip, reprint, copy)
            if self._drawer and not reprint and Drawer() not in elements:
                elements += (Drawer(),)
        return elements

    def _page(self, slip: Slip, reprint: int, copy: int = 1) -> tuple[Element, ...]:
        return slips.page(
            slip,
            self._roll,
            reprint=reprint,
            language=self._language,
            copy=copy,
            templates=self.templates,
        )

    def missing(self, text: str) -> tuple[str, ...]:
        """The characters of `text` that neither the printer nor a font of this machine can write."""
        return missing(text, self._encoding)

    def _ask(self, line: Line) -> PrinterStatus:
        """DLE EOT 1 to 4. A printer that leaves one unanswered is silent; a healthy one may still print."""
        answers: dict[int, int] = {}
        for question in status.QUESTIONS:
            asked = status.real_time_question(question)
            answer = line.ask(asked, status.Kind.REAL_TIME, self._limits.answer)
            if answer is None:
                return _SILENT
            answers[question] = answer
        return status.read_status(answers)

    def _confirm(self, line: Line, size: int) -> PrintResult:
        """What the printer says after the last byte of `size`.

        While the buffered answer is awaited, the printer is looked at now and then: paper that runs out in
        the middle of the slip stops the buffer, and the clerk need not wait for the limit to hear of it. A
        printer that reports by itself is heard at once.
        """
        if self._buffered_answer:
            line.answers.forget(status.Kind.BUFFERED)
            line.send(status.BUFFERED_QUESTION)
            end = time.monotonic() + self._limits.confirm + line.seconds_for(size)
            while line.wait_for(status.Kind.BUFFERED, self._limits.look) is None:
                if stopped := line.answers.trouble or self._ask(line).code:
                    return PrintResult(PrintOutcome.UNKNOWN, stopped)
                if time.monotonic() >= end:
                    return PrintResult(PrintOutcome.UNKNOWN, "PRINTER-UNCONFIRMED")
        after = self._ask(line)
        with contextlib.suppress(Failure):  # it has said what it had to say
            line.send(status.REPORTS_OFF)
        return PrintResult(PrintOutcome.UNKNOWN if after.code else PrintOutcome.PRINTED, after.code)


def printer_from_url(
    url: str,
    *,
    width: int = 80,
    encoding: str = Encoding.GB18030,
    language: str = Language.ZH,
    buffered_answer: bool = True,
    limits: Limits = LIMITS,
    templates: Templates | None = None,
    copies: int = 1,
    drawer: bool = False,
) -> EscPosPrinter:
    """The printer at `url` (see `transports`) with paper of `width` millimetres. Nothing is opened yet.

    Raises Failure("PRINTER-SETTING") when the setting names no printer this program can drive.
    """
    try:
        return EscPosPrinter(
            line_factory(url, connect_limit=limits.connect, send_limit=limits.send),
            roll=ROLLS[width],
            encoding=Encoding(encoding),
            language=Language(language),
            buffered_answer=buffered_answer,
            limits=limits,
            address=url,
            templates=templates,
            copies=copies,
            drawer=drawer,
        )
    except (KeyError, ValueError) as error:
        raise Failure("PRINTER-SETTING", str(error)) from error


def printer_from_settings(told: PrinterSettings) -> EscPosPrinter:
    """The printer of the settings file. Raises Failure("PRINTER-SETTING")."""
    return printer_from_url(
        told.url,
        width=told.width,
        encoding=told.encoding,
        language=told.language,
        buffered_answer=told.confirms,
        templates=templates_from_settings(told),
        copies=told.copies,
        drawer=told.drawer,
    )


def templates_from_settings(told: PrinterSettings) -> Templates:
    """The hall's own templates and its logo, as the settings name them."""
    folder, logo = (Path(given) if given else None for given in (told.templates, told.logo))
    return Templates(folder, logo, lambda text: missing(text, Encoding(told.encoding)))
