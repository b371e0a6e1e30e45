"""Step 3: the questions whose answers choose the materials."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QButtonGroup, QRadioButton, QWidget

from clerk_app.desk.views import SituationView
from clerk_app.ui.flow import FlowLayout
from clerk_app.ui.pieces import clear, column, label
from clerk_app.ui.steps.step_card import StepCard
from clerk_app.ui.words import either, tr


class SituationStep(StepCard):
    """Signals: answered(situation, choice), finished (Enter on an answer)."""

    answered = Signal(str, str)
    finished = Signal()

    def __init__(self) -> None:
        super().__init__(3, "step.situation")
        self._asked: tuple[SituationView, ...] = ()
        self._has_item = False
        self._groups: dict[str, QButtonGroup] = {}
        self._questions = column(gap=10)
        self.body.addLayout(self._questions)

    def show_situations(self, situations: tuple[SituationView, ...], *, has_item: bool) -> None:
        same_questions = [_shape(s) for s in situations] == [_shape(s) for s in self._asked]
        self._asked, self._has_item = situations, has_item
        if same_questions and self._groups:
            self._tell_answers()
            self.tell_head()
        else:
            self.retranslate()

    def focus_first(self) -> None:
        for situation in self._asked:
            if situation.answer is None and self._groups[situation.key].buttons():
                self._groups[situation.key].buttons()[0].setFocus()
                return
        super().focus_first()

    def retranslate(self) -> None:
        clear(self._questions)
        for group in self._groups.values():
            group.deleteLater()
        self._groups = {}
        if not self._asked:
            self._questions.addWidget(
                label(tr("situation.none" if self._has_item else "step.after_item"), "muted")
            )
        for situation in self._asked:
            self._questions.addWidget(self._question(situation))
        self._tell_answers()
        super().retranslate()

    def _question(self, situation: SituationView) -> QWidget:
        block = QWidget()
        lines = column(block, gap=6)
        title = either(situation.label, situation.label_en)
        lines.addWidget(label(title, "label"))
        choices = QWidget()
        flow = FlowLayout(choices)
        group = QButtonGroup(self)
        self._groups[situation.key] = group
        for choice in situation.choices:
            button = QRadioButton(either(choice.label, choice.label_en))
            button.setAccessibleName(f"{title}: {button.text()}")
            button.setProperty("choice", choice.key)
            button.installEventFilter(self)
            group.addButton(button)
            flow.addWidget(button)
            button.clicked.connect(lambda _on=False, s=situation.key, c=choice.key: self.answered.emit(s, c))
        lines.addWidget(choices)
        return block

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        enter = (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.KeyPress
            and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        )
        if enter and isinstance(watched, QRadioButton):
            watched.click()
            self.finished.emit()
            return True
        return super().eventFilter(watched, event)

    def _tell_answers(self) -> None:
        for situation in self._asked:
            group = self._groups[situation.key]
            group.setExclusive(False)
            for button in group.buttons():
                button.setChecked(button.property("choice") == situation.answer)
            group.setExclusive(True)

    def summary(self) -> str:
        if not self._has_item:
            return tr("step.after_item")
        if not self._asked:
            return tr("situation.none")
        said = [
            either(choice.label, choice.label_en)
            for situation in self._asked
            for choice in situation.choices
            if choice.key == situation.answer
        ]
        return "  ·  ".join(said) if said else tr("situation.open", count=len(self._asked))


def _shape(situation: SituationView) -> tuple[str, tuple[str, ...]]:
    return situation.key, tuple(choice.key for choice in situation.choices)
