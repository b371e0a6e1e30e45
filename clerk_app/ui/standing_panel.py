"""What works at this moment and what does not, and why: in words, above what waits to be sent."""

from __future__ import annotations

from datetime import date, datetime

from PySide6.QtWidgets import QGridLayout, QWidget

from clerk_app import failures
from clerk_app.desk.ports import LinkState, LinkStatus, PrinterStatus
from clerk_app.desk.views import CheckState, StandingView, WorkingLine
from clerk_app.ui import theme
from clerk_app.ui.moments import moment
from clerk_app.ui.pieces import IconLabel, clear, column, label, row
from clerk_app.ui.words import language, sentences, tr

_LOOKS = {
    CheckState.OK: ("ok", "ok"),
    CheckState.WARN: ("warn", "warn"),
    CheckState.WAIT: ("info", "muted"),
    CheckState.BAD: ("bad", "bad"),
}
_LINK = {
    LinkState.ONLINE: ("link_online", "ok"),
    LinkState.SLOW: ("link_slow", "warn"),
    LinkState.OFFLINE: ("link_offline", "warn"),
}
_SKEW_SECONDS = 2
"""A difference of the clocks below this says nothing."""


class StandingPanel(QWidget):
    """The link with its reason, the parts of the work line by line, and the counts."""

    def __init__(self) -> None:
        super().__init__()
        self._standing: StandingView | None = None
        self._printer = PrinterStatus()
        body = column(self, gap=8)
        head = row(gap=8)
        self._icon, self._link = IconLabel(size=20), label(role="title", wrap=True)
        head.addWidget(self._icon)
        head.addWidget(self._link, 1)
        body.addLayout(head)
        self._why = label(wrap=True)
        self._tried = label(role="muted", wrap=True)
        body.addWidget(self._why)
        body.addWidget(self._tried)
        self._lines = QGridLayout()
        self._lines.setVerticalSpacing(3)
        self._lines.setHorizontalSpacing(10)
        self._lines.setColumnStretch(2, 1)
        body.addLayout(self._lines)
        self._counts = label(role="title", wrap=True)
        self._rest = label(role="muted", wrap=True)
        body.addWidget(self._counts)
        body.addWidget(self._rest)

    def show_standing(self, standing: StandingView | None) -> None:
        self._standing = standing
        self.retranslate()

    def show_printer(self, printer: PrinterStatus) -> None:
        self._printer = printer
        self.retranslate()

    def retranslate(self) -> None:
        standing = self._standing
        self.setVisible(standing is not None)
        if standing is None:
            return
        icon, ink = _LINK[standing.link.state]
        self._icon.show_icon(icon, ink)
        self._link.setText(_told_link(standing.link, standing.today))
        why = reason(standing.link.code)
        self._why.setText(why)
        self._why.setVisible(bool(why))
        tried = _tried(standing.link, standing.today)
        self._tried.setText(tried)
        self._tried.setVisible(bool(tried))
        self._tell_lines(standing)
        self._tell_counts(standing)
        self.setAccessibleName(self.words)

    @property
    def words(self) -> str:
        """All of it in one text, for the screen reader."""
        standing = self._standing
        if standing is None:
            return ""
        lines = [_told_line(line, standing.today) for line in self._all(standing)]
        link = _told_link(standing.link, standing.today)
        return "\n".join([link, *(f"{tr(what)}: {words}" for what, _, words in lines)])

    def _all(self, standing: StandingView) -> tuple[WorkingLine, ...]:
        return (*standing.lines[:3], _printing(self._printer), *standing.lines[3:])

    def _tell_lines(self, standing: StandingView) -> None:
        clear(self._lines)
        for place, line in enumerate(self._all(standing)):
            what, state, words = _told_line(line, standing.today)
            icon, ink = _LOOKS[state]
            self._lines.addWidget(IconLabel(icon, ink, 16), place, 0)
            name = label(tr(what), "label")
            name.setMinimumWidth(theme.current().px(96))
            self._lines.addWidget(name, place, 1)
            self._lines.addWidget(label(words, wrap=True), place, 2)

    def _tell_counts(self, standing: StandingView) -> None:
        if standing.oldest_unsent:
            time = moment(standing.oldest_unsent, standing.today)
            self._counts.setText(tr("standing.unsent_since", count=standing.unsent, time=time))
        else:
            self._counts.setText(tr("standing.unsent", count=standing.unsent))
        counts = (
            ("standing.tasks", standing.tasks),
            ("standing.held", standing.held),
            ("standing.pages", standing.pages),
        )
        rest = " · ".join(tr(words, count=count) for words, count in counts if count)
        self._rest.setText(rest)
        self._rest.setVisible(bool(rest))


def reason(code: str) -> str:
    """Why the link is as it is, what to do now, and the code; empty when nothing is wrong."""
    if not code:
        return ""
    try:
        text = failures.text(code, language())
    except KeyError:
        return code
    return f"{sentences(text.sentence, text.action)} {code}"


def _told_link(link: LinkStatus, today: date) -> str:
    if link.state is LinkState.OFFLINE and link.since:
        return tr("link.offline_since", time=moment(link.since, today))
    return tr(f"link.{link.state.value}")


def _tried(link: LinkStatus, today: date) -> str:
    """Last full sync, last try, next try, and how far this computer's clock is off."""
    told = []
    moments = (("standing.synced", link.synced_at), ("standing.tried", link.tried_at))
    for words, at in (*moments, ("standing.next", link.next_at)):
        if at is not None:
            told.append(tr(words, time=moment(at, today)))
    if abs(link.skew_seconds) >= _SKEW_SECONDS:
        slow = link.skew_seconds > 0
        words = "standing.clock_slow" if slow else "standing.clock_fast"
        told.append(tr(words, seconds=round(abs(link.skew_seconds))))
    return " · ".join(told)


def _told_line(line: WorkingLine, today: date) -> tuple[str, CheckState, str]:
    values = {
        name: moment(value, today) if isinstance(value, datetime) else value for name, value in line.values
    }
    return line.what, line.state, tr(line.words, **values)


def _printing(printer: PrinterStatus) -> WorkingLine:
    if printer.code:
        return WorkingLine("standing.printing", CheckState.WARN, "standing.no_printing")
    return WorkingLine("standing.printing", CheckState.OK, "standing.works")
