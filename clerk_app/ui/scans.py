"""What a scan leads to, from anywhere in the window: its case, its ticket, or the applicant it names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QLineEdit, QPlainTextEdit, QWidget
from shiboken6 import isValid

from clerk_app.desk.views import ReceiptRow
from clerk_app.domain import masking, mrz, numbering
from clerk_app.domain.scanned import ScanKind, Scanned, read
from clerk_app.domain.ticket import TicketState
from clerk_app.ui.banner import Answer, Message
from clerk_app.ui.keys import Key
from clerk_app.ui.words import tr

if TYPE_CHECKING:
    from clerk_app.ui.counter import Counter

_SECONDS = 15
_NEXT_LINE_MS = 1500
"""How long the first line of a zone waits for the others: the citizen's passport is pulled through again."""
_TICKETS = {
    TicketState.CALLED: "scan.ticket_called",
    TicketState.SERVING: "scan.ticket_serving",
    TicketState.DONE: "scan.ticket_done",
    TicketState.NO_SHOW: "scan.ticket_no_show",
    TicketState.VOID: "scan.ticket_void",
}


def is_known(text: str) -> bool:
    """Whether a scanned text is of ours or names a person."""
    return read(text).kind is not ScanKind.UNKNOWN


class ScansAtWindow:
    """Leads each scan where it belongs; what is none of ours is said so and harms nothing."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._lines = ""  # of a zone whose other lines are still to come
        self._of = ""  # the visit they were scanned in
        self._next_line = QTimer(counter, singleShot=True, interval=_NEXT_LINE_MS)
        self._next_line.timeout.connect(self._take_lines)

    def take(self, text: str) -> None:
        """A text was scanned, wherever the focus was."""
        scan = self._joined(text)
        counter = self._counter
        counter.steps.form.flush()
        match scan.kind:
            case ScanKind.MRZ_PART:
                self._lines, self._of = scan.text, self._visit
                self._next_line.start()
            case ScanKind.MRZ:
                counter.card.scanned(scan.text, counter.shown.visit, counter.shown.draft)
            case ScanKind.CASE:
                counter.start(self._case(scan.text), counter.steps.banner, "scan")
            case ScanKind.TICKET:
                self._ticket(scan.text)
            case ScanKind.UNKNOWN:
                self._unknown(scan.text)

    def _joined(self, text: str) -> Scanned:
        """What was scanned, with the lines that came before it."""
        lines, self._lines = self._lines, ""
        self._next_line.stop()
        if self._of != self._visit:
            lines = ""  # of whoever was here before
        whole = read(lines + mrz.normalise(text))
        return whole if lines and whole.kind in (ScanKind.MRZ, ScanKind.MRZ_PART) else read(text)

    def _take_lines(self) -> None:
        """The other lines never came: the zone is told to be incomplete."""
        lines, self._lines = self._lines, ""
        if self._of != self._visit:
            return
        self._counter.card.scanned(lines, self._counter.shown.visit, self._counter.shown.draft)

    @property
    def _visit(self) -> str:
        visit = self._counter.shown.visit
        return visit.id if visit is not None else ""

    # --- a case ----------------------------------------------------------------------------------------

    async def _case(self, number: str) -> None:
        counter = self._counter
        case = await counter.acts.find_case(number)
        if case is not None:
            counter.steps.banner.withdraw()
            counter.side.show_page(1)
            counter.side.cases.choose(case.id)
            counter.side.cases.focus_first()
            return
        if (left := await counter.acts.find_receipt(number)) is not None:
            counter.steps.banner.tell(_left(left))
            return
        here = number[:4] == counter.acts.hall
        words = "scan.case_elsewhere" if here else "scan.case_other_hall"
        values: dict[str, object] = {"number": numbering.printed(number)}
        counter.steps.banner.tell(Message("warn", words, values, seconds=_SECONDS))

    # --- a ticket --------------------------------------------------------------------------------------

    def _ticket(self, number: str) -> None:
        counter, visit = self._counter, self._counter.shown.visit
        place = counter.ticket.banner
        if visit is not None:
            here = visit.ticket_number == number
            values: dict[str, object] = {"ticket": number, "serving": visit.ticket_number}
            place.tell(
                Message("primary", "scan.ticket_here" if here else "scan.busy", values, seconds=_SECONDS)
            )
        elif counter.ticket.takes_paper:
            counter.start(counter.acts.serve_paper(number), place, "paper")
        else:
            counter.start(self._tell_ticket(number), place, "scan")

    async def _tell_ticket(self, number: str) -> None:
        sight = await self._counter.acts.find_ticket(number)
        values: dict[str, object] = {"ticket": number, "paper": Key.PAPER}
        if sight is None:
            words = "scan.ticket_unknown"
        elif sight.place:
            words = "scan.ticket_waiting"
            values |= {"place": sight.place, "key": Key.CALL}
        else:
            words = _TICKETS.get(sight.state, "scan.ticket_unknown")
        self._counter.ticket.banner.tell(Message("primary", words, values, seconds=_SECONDS))

    # --- anything else ---------------------------------------------------------------------------------

    def _unknown(self, text: str) -> None:
        """Told with stars, because it may be anybody's number; the field that had the focus can have it.

        A password, from a badge or a key that types it, goes where it is asked for and is told with nothing.
        """
        place, field = self._counter.steps.banner, _field()
        if isinstance(field, QLineEdit) and field.echoMode() is not QLineEdit.EchoMode.Normal:
            _write(field, text)
            return
        answers = () if field is None else (Answer("scan.into_field", lambda: into(field), primary=True),)

        def into(field: QLineEdit | QPlainTextEdit) -> None:
            place.withdraw()
            if isValid(field):
                field.setFocus()
                _write(field, text)

        values: dict[str, object] = {"text": masking.number(text[:40])}
        place.tell(Message("primary", "scan.unknown", values, answers=answers, seconds=_SECONDS))


def _left(case: ReceiptRow) -> Message:
    """A case that retention took from here: the office has it, under its official number."""
    values: dict[str, object] = {
        "number": case.number,
        "item": case.item,
        "state": tr(f"legal.{case.legal_state.value}"),
        "official": case.official_number or "–",
        "date": f"{case.left_at:%Y-%m-%d}",
    }
    return Message("primary", "scan.case_left", values)


def _field() -> QLineEdit | QPlainTextEdit | None:
    """The field that has the focus, if something can be written in it."""
    field: QWidget | None = QApplication.focusWidget()
    writable = isinstance(field, QLineEdit | QPlainTextEdit) and not field.isReadOnly()
    return field if writable and isinstance(field, QLineEdit | QPlainTextEdit) else None


def _write(field: QLineEdit | QPlainTextEdit, text: str) -> None:
    if isinstance(field, QLineEdit):
        field.insert(text)
    else:
        field.insertPlainText(text)
