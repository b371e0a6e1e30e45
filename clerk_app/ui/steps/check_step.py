"""Step 6: what was checked, what waits for the office, what stops the case."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from clerk_app.desk.views import CaseRow, CheckState, CheckView
from clerk_app.ui.flow import FlowLayout
from clerk_app.ui.pieces import Chip, clear, column, label
from clerk_app.ui.steps.step_card import StepCard
from clerk_app.ui.words import tr

_LOOKS = {
    CheckState.OK: ("ok", "ok"),
    CheckState.WARN: ("warn", "warn"),
    CheckState.WAIT: ("wait", "warn"),
    CheckState.BAD: ("bad", "bad"),
}


class CheckStep(StepCard):
    def __init__(self) -> None:
        super().__init__(6, "step.check")
        self._checks: tuple[CheckView, ...] = ()
        self._same: tuple[CaseRow, ...] = ()
        self._list = column(gap=8)
        self.body.addLayout(self._list)

    def show_checks(self, checks: tuple[CheckView, ...], same: tuple[CaseRow, ...]) -> None:
        if (checks, same) != (self._checks, self._same):
            self._checks, self._same = checks, same
            self.retranslate()
        else:
            self.tell_head()

    def retranslate(self) -> None:
        clear(self._list)
        if not self._checks:
            self._list.addWidget(label(tr("check.none"), "muted", wrap=True))
        place = QWidget()
        flow = FlowLayout(place)
        for check in self._checks:
            flow.addWidget(_chip(check))
        self._list.addWidget(place)
        for case in self._same:
            words = tr(
                "check.same_open_line",
                number=case.number,
                item=case.item,
                date=f"{case.received_at:%Y-%m-%d}",
            )
            line = label(words, wrap=True)
            line.setProperty("tone", "warn")
            self._list.addWidget(line)
        super().retranslate()

    def summary(self) -> str:
        if not self._checks:
            return tr("check.none")
        counts = {state: sum(c.state is state for c in self._checks) for state in CheckState}
        return "  ·  ".join(
            tr(f"check.count_{state.value}", count=count) for state, count in counts.items() if count
        )


def _chip(check: CheckView) -> Chip:
    icon, tone = _LOOKS[check.state]
    words = tr("check.line", what=tr(check.key, detail=check.detail), state=tr(f"check.{check.state.value}"))
    chip = Chip(icon, words, tone)
    chip.setToolTip(check.detail)
    return chip
