"""A slip printer on the network, and the one question that matters: did it reach the paper?

The rule: *printed* is what the printer itself confirmed after the last byte. Whatever went wrong before the
first byte of the slip left is *failed* and may be tried again. Whatever went wrong afterwards is *unknown*: a
person looks at the paper, and a second try is marked 补打.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from clerk_app.desk.ports import PaperState, Preview, PrinterStatus, PrintOutcome, PrintResult
from clerk_app.devices.printer import preview as previewing
from clerk_app.devices.printer import slips, status
from clerk_app.devices.printer.encoder import Encoding, encode, missing
from clerk_app.devices.printer.layout import ROLLS, Roll
from clerk_app.devices.printer.transport import TcpLine
from clerk_app.devices.printer.wording import Language
from clerk_app.domain.documents import Slip
from clerk_app.failures import Failure

_SILENT = PrinterStatus(PaperState.UNKNOWN, "PRINTER-SILENT")


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds to wait: for connection, one status answer, sending, confirmation, and between two looks."""

    connect: float = 3.0
    answer: float = 3.0
    send: float = 5.0
    confirm: float = 5.0
    look: float = 0.5


LIMITS = Limits()


class TcpPrinter:
    """The `Printer` port over TCP: one job, one connection, because cheap printers drop idle ones.

    `buffered_answer` says whether the model answers GS r, which it does only after working through all that
    came before. Without it a printer confirms by DLE EOT that it is well and has everything, not that it has
    printed it: set it to False only for models that never answer GS r.
    """

    def __init__(
        self,
        host: str,
        port: int = 9100,
        *,
        roll: Roll = ROLLS[80],
        encoding: Encoding = Encoding.GB18030,
        language: Language = Language.ZH,
        buffered_answer: bool = True,
        limits: Limits = LIMITS,
    ) -> None:
        self._host, self._port = host, port
        self._roll = roll
        self._encoding = encoding
        self._language = language
        self._buffered_answer = buffered_answer
        self._limits = limits

    def status(self) -> PrinterStatus:
        """Ask the printer how it is. Unreachable, silent and broken lines are states, not exceptions."""
        try:
            with self._line() as line:
                return self._ask(line)
        except Failure as failure:
            return PrinterStatus(PaperState.UNKNOWN, failure.code)

    def print(self, slip: Slip, *, reprint: int = 0) -> PrintResult:
        """Print `slip`; never raises for what the world does, see the outcomes in the module's rule."""
        sent = False
        try:
            elements = slips.page(slip, self._roll, reprint=reprint, language=self._language)
            job = encode(elements, self._roll, self._encoding)
            with self._line() as line:
                before = self._ask(line)
                if before.code and before.code != _SILENT.code:
                    return PrintResult(PrintOutcome.FAILED, before.code)
                sent = True
                line.send(job)
                return self._confirm(line)
        except Failure as failure:
            outcome = PrintOutcome.UNKNOWN if sent else PrintOutcome.FAILED
            return PrintResult(outcome, failure.code, failure.detail)

    def preview(self, slip: Slip, *, reprint: int = 0) -> Preview:
        """The paper `print` would give, drawn by the simulated printer from the same bytes."""
        elements = slips.page(slip, self._roll, reprint=reprint, language=self._language)
        return previewing.preview(elements, self._roll, self._encoding)

    def missing(self, text: str) -> tuple[str, ...]:
        """The characters of `text` that neither the printer nor a font of this machine can write."""
        return missing(text, self._encoding)

    def _line(self) -> TcpLine:
        limits = self._limits
        return TcpLine(self._host, self._port, connect_limit=limits.connect, send_limit=limits.send)

    def _ask(self, line: TcpLine) -> PrinterStatus:
        """DLE EOT 1 to 4. A printer that leaves one unanswered is silent; a healthy one may still print."""
        answers: dict[int, int] = {}
        for question in status.QUESTIONS:
            asked = status.real_time_question(question)
            answer = line.ask(asked, status.Kind.REAL_TIME, self._limits.answer)
            if answer is None:
                return _SILENT
            answers[question] = answer
        return status.read_status(answers)

    def _confirm(self, line: TcpLine) -> PrintResult:
        """What the printer says after the last byte.

        While the buffered answer is awaited, the printer is looked at now and then: paper that runs out in
        the middle of the slip stops the buffer, and the clerk need not wait for the limit to hear of it.
        """
        if self._buffered_answer:
            line.send(status.BUFFERED_QUESTION)
            end = time.monotonic() + self._limits.confirm
            while line.wait_for(status.Kind.BUFFERED, self._limits.look) is None:
                if (now := self._ask(line)).code:
                    return PrintResult(PrintOutcome.UNKNOWN, now.code)
                if time.monotonic() >= end:
                    return PrintResult(PrintOutcome.UNKNOWN, "PRINTER-UNCONFIRMED")
        after = self._ask(line)
        return PrintResult(PrintOutcome.UNKNOWN if after.code else PrintOutcome.PRINTED, after.code)


def printer_from_url(
    url: str,
    *,
    width: int = 80,
    encoding: str = Encoding.GB18030,
    language: str = Language.ZH,
    buffered_answer: bool = True,
    limits: Limits = LIMITS,
) -> TcpPrinter:
    """The printer at `tcp://host:port` (port 9100 when left out) with paper of `width` millimetres.

    Raises Failure("PRINTER-SETTING") when the setting names no printer this program can drive.
    """
    try:
        host, port = _address(url)
        return TcpPrinter(
            host,
            port,
            roll=ROLLS[width],
            encoding=Encoding(encoding),
            language=Language(language),
            buffered_answer=buffered_answer,
            limits=limits,
        )
    except (KeyError, ValueError) as error:
        raise Failure("PRINTER-SETTING", str(error)) from error


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    if parts.scheme != "tcp" or not parts.hostname or parts.path not in {"", "/"}:
        raise ValueError(f"not tcp://host:port: {url}")
    return parts.hostname, parts.port or 9100
