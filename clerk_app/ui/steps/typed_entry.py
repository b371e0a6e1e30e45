"""Entries for what no card says: a person typed with a reason, an organisation by its credit code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QLineEdit, QWidget

from clerk_app.domain.applicant import DocumentKind
from clerk_app.ui.pieces import ChoiceBox, KeyButton, column, label, on_click, row
from clerk_app.ui.words import tr

_REASONS = ("damaged", "lost", "reader", "no_chip", "other")
_KINDS = (
    None,
    DocumentKind.PASSPORT,
    DocumentKind.MAINLAND_TRAVEL_PERMIT,
    DocumentKind.TRAVEL_DOCUMENT,
)
_DAY = re.compile(r"([0-9]{4})[-/.]?([0-9]{1,2})[-/.]?([0-9]{1,2})")
_WHOLE = 6
"""Columns of the grid: a row of one, two or three lines shares them evenly."""


class _Entry(QFrame):
    """Labelled lines side by side, a button that gives them, one that closes. Enter goes to the next empty
    line, or gives.
    """

    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("piece", "row")
        self._lines: list[tuple[QLabel, QLineEdit | ChoiceBox, str]] = []
        self._left_out: list[QWidget] = []
        self._body = column(self, margin=12, gap=8)
        self._grid = QGridLayout()
        self._grid.setSpacing(8)
        self._problem = label(role="problem", wrap=True)
        self._give, self._close = KeyButton("primary"), KeyButton()
        self._body.addLayout(self._grid)
        self._body.addWidget(self._problem)
        foot = row()
        foot.addStretch()
        foot.addWidget(self._close)
        foot.addWidget(self._give)
        self._body.addLayout(foot)
        on_click(self._give, self.give)
        on_click(self._close, self.closed.emit)

    def add_line(self, words: str, editor: QLineEdit | ChoiceBox) -> None:
        title = label(role="label")
        self._lines.append((title, editor, words))
        if isinstance(editor, QLineEdit):
            editor.returnPressed.connect(self.give)
        self._place()

    def show_line(self, editor: QLineEdit | ChoiceBox, shown: bool) -> None:
        """Show or hide a line; the others close up."""
        if shown is not (editor in self._left_out):
            return
        if shown:
            self._left_out.remove(editor)
        else:
            self._left_out.append(editor)
        self._place()
        for title, other, _ in self._lines:
            if other is editor:
                title.setVisible(shown)
                other.setVisible(shown)

    def _place(self) -> None:
        """The lines that are shown, two or three in a row; those of a row share its width."""
        shown = []
        for title, editor, _ in self._lines:
            self._grid.removeWidget(title)
            self._grid.removeWidget(editor)
            if editor not in self._left_out:
                shown.append((title, editor))
        columns = 2 if len(shown) == 4 else 3
        for number, parts in enumerate(shown):
            line, place = divmod(number, columns)
            width = _WHOLE // min(len(shown) - line * columns, columns)
            for below, part in enumerate(parts):
                self._grid.addWidget(part, 2 * line + below, place * width, 1, width)
        for place in range(_WHOLE):
            self._grid.setColumnStretch(place, 1)

    def begin(self) -> None:
        """Start anew with the focus in the first line."""
        self.forget()
        self._lines[0][1].setFocus()

    def forget(self) -> None:
        """Nothing of whom it was typed for stays."""
        self._problem.hide()
        for _, editor, _ in self._lines:
            if isinstance(editor, QLineEdit):
                editor.clear()
            elif editor.isEditable():
                editor.setEditText(editor.itemText(editor.currentIndex()))  # a choice may serve all day

    def give(self) -> None:
        """Hand the values on when none is missing; else go to the first empty line and say so."""
        for _, editor, words in self._lines:
            text = editor.text() if isinstance(editor, QLineEdit) else editor.currentText()
            if editor not in self._left_out and not text.strip():
                self.tell_problem(tr("entry.missing", what=tr(words)), editor)
                return
        self._problem.hide()
        self.hand_on()

    def tell_problem(self, words: str, editor: QWidget) -> None:
        self._problem.setText(words)
        self._problem.show()
        editor.setFocus()

    def hand_on(self) -> None:
        raise NotImplementedError

    def retranslate(self) -> None:
        for title, editor, words in self._lines:
            title.setText(tr(words))
            editor.setAccessibleName(tr(words))
            if isinstance(editor, ChoiceBox) and (line := editor.lineEdit()) is not None:
                line.setAccessibleName(tr(words))
        self._give.tell(tr("entry.give"), "Enter")
        self._close.tell(tr("entry.close"), "Esc")


@dataclass(frozen=True, slots=True)
class TypedIdentity:
    """What was typed. `kind` is None for a number that says itself what it is; `birth` goes with a kind."""

    name: str
    number: str
    reason: str
    kind: DocumentKind | None = None
    birth: date | None = None


class TypedEntry(_Entry):
    """Signals: given(typed identity)."""

    given = Signal(TypedIdentity)

    def __init__(self) -> None:
        super().__init__()
        self._name, self._number, self._birth = QLineEdit(), QLineEdit(), QLineEdit()
        self._kind, self._reason = ChoiceBox(), ChoiceBox()
        self._number.setMaxLength(22)  # the longest of ICAO 9303-5
        self._reason.setEditable(True)
        for box in (self._kind, self._reason):
            box.shrink()
        self._kind.currentIndexChanged.connect(lambda _place: self._show_birth())
        self.add_line("entry.name", self._name)
        self.add_line("entry.number", self._number)
        self.add_line("entry.kind", self._kind)
        self.add_line("entry.birth", self._birth)
        self.add_line("entry.reason", self._reason)

    def forget(self) -> None:
        super().forget()
        self._kind.setCurrentIndex(0)

    @property
    def kind(self) -> DocumentKind | None:
        """The travel document chosen; None for identity numbers."""
        return _KINDS[max(self._kind.currentIndex(), 0)]

    def _show_birth(self) -> None:
        """Only the number of a travel document does not hold the birth date."""
        self.show_line(self._birth, self.kind is not None)

    def hand_on(self) -> None:
        kind, birth = self.kind, _day(self._birth.text())
        if kind is not None and birth is None:
            self.tell_problem(tr("field.date"), self._birth)
            return
        name, number, reason = (
            self._name.text().strip(),
            self._number.text().strip(),
            self._reason.currentText().strip(),
        )
        self.given.emit(TypedIdentity(name, number.upper(), reason, kind, birth if kind else None))

    def retranslate(self) -> None:
        super().retranslate()
        _say(self._kind, [tr(f"document.{kind}") if kind else tr("entry.identity_number") for kind in _KINDS])
        _say(self._reason, [tr(f"entry.because_{reason}") for reason in _REASONS])
        self._birth.setPlaceholderText(tr("entry.birth_hint"))
        self._show_birth()
        if (line := self._reason.lineEdit()) is not None:
            line.setCursorPosition(0)  # the beginning of a long reason, not its end


def _say(box: ChoiceBox, words: list[str]) -> None:
    """Name the choices in the language on screen; the one chosen stays."""
    place = max(box.currentIndex(), 0)
    box.blockSignals(True)
    box.clear()
    box.addItems(words)
    box.setCurrentIndex(place)
    box.blockSignals(False)


def _day(text: str) -> date | None:
    """A day typed as 1990-05-11, 1990/5/11, 1990.5.11 or 19900511."""
    found = _DAY.fullmatch(text.strip())
    try:
        return date(*(int(part) for part in found.groups())) if found else None
    except ValueError:
        return None


class OrganisationEntry(_Entry):
    """Signals: given(name, uscc)."""

    given = Signal(str, str)

    def __init__(self) -> None:
        super().__init__()
        self._name, self._uscc = QLineEdit(), QLineEdit()
        self._uscc.setMaxLength(18)
        self.add_line("entry.organisation", self._name)
        self.add_line("entry.uscc", self._uscc)

    def hand_on(self) -> None:
        self.given.emit(self._name.text().strip(), self._uscc.text().strip().upper())
