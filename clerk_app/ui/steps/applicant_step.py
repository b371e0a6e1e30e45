"""Step 1: who applies. A card or a scanned zone does it; typing needs a reason; an agent stands in."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from clerk_app.desk.views import ApplicantView, PersonView
from clerk_app.ui.flow import FlowLayout
from clerk_app.ui.keys import Key
from clerk_app.ui.pieces import Chip, ElidedLabel, IconLabel, KeyButton, clear, column, label, on_click, row
from clerk_app.ui.portraits import Portraits
from clerk_app.ui.steps import person as people
from clerk_app.ui.steps import portrait
from clerk_app.ui.steps.step_card import StepCard
from clerk_app.ui.steps.typed_entry import OrganisationEntry, TypedEntry, TypedIdentity
from clerk_app.ui.words import tr


class ApplicantStep(StepCard):
    """Signals: typed(identity, role), organisation(name, uscc), cleared(role).

    `awaits` is the role the next card is read for: "party" or "agent".
    """

    typed = Signal(TypedIdentity, str)
    organisation = Signal(str, str)
    cleared = Signal(str)

    def __init__(self) -> None:
        super().__init__(1, "step.applicant")
        self._who: ApplicantView | None = None
        self._portraits: Portraits | None = None
        self.awaits = "party"
        self._name = ElidedLabel(role="name", least=140)
        self._number = label(role="number")
        self._source, self._alarm = Chip(), Chip()
        for part in (self._name, self._number, self._source, self._alarm):
            self.head_line.addWidget(part)
        self._shown = column(gap=8)
        self._typed = TypedEntry()
        self._organisation = OrganisationEntry()
        self._typed_key, self._agent_key, self._organisation_key, self._clear_key = (
            KeyButton("link") for _ in range(4)
        )
        self._typed.given.connect(lambda identity: self.typed.emit(identity, self.awaits))
        self._organisation.given.connect(self.organisation)
        for entry in (self._typed, self._organisation):
            entry.closed.connect(self._put_entries_away)
            entry.hide()
        on_click(self._typed_key, self.ask_typed)
        on_click(self._agent_key, self.ask_agent)
        on_click(self._organisation_key, self.ask_organisation)
        on_click(self._clear_key, self.clear)
        self.body.addLayout(self._shown)
        self.body.addWidget(self._typed)
        self.body.addWidget(self._organisation)
        keys = QWidget()
        line = FlowLayout(keys, gap=4, spread=True)
        for button in (self._typed_key, self._agent_key, self._organisation_key, self._clear_key):
            line.addWidget(button)
        self.body.addWidget(keys)

    def show_portraits_of(self, portraits: Portraits) -> None:
        """Show the pictures of cards beside their people, also one that comes later."""
        self._portraits = portraits
        portraits.changed.connect(self.retranslate)

    def show_applicant(self, who: ApplicantView | None) -> None:
        if who != self._who:
            self._put_entries_away()
            self.awaits = "party"
            if who is not None and who.organisation and who.agent is None:
                self.awaits = "agent"
        self._who = who
        self.retranslate()

    def forget(self) -> None:
        """The visit has ended: nothing typed and nobody awaited is left for the next one."""
        for entry in (self._typed, self._organisation):
            entry.forget()
        self.show_applicant(None)
        self.awaits = "party"
        self._put_entries_away()
        self.retranslate()

    def ask_typed(self) -> None:
        """Open the entry for a person whose card cannot be read."""
        self._organisation.hide()
        self._typed.show()
        self.retranslate()
        self._typed.begin()

    def ask_organisation(self) -> None:
        self._typed.hide()
        self._organisation.show()
        self.retranslate()
        self._organisation.begin()

    def ask_agent(self) -> None:
        """The person at the window acts for the applicant: the next card is the agent's."""
        self.awaits = "agent"
        self.retranslate()
        self._typed_key.setFocus()

    def close_entries(self) -> bool:
        """Put away an open entry; whether there was one."""
        was_open = not self._typed.isHidden() or not self._organisation.isHidden() or self._waits_for_agent()
        self._put_entries_away()
        if self._who is not None and not self._who.organisation:
            self.awaits = "party"
        self.retranslate()
        return was_open

    def _put_entries_away(self) -> None:
        self._typed.hide()
        self._organisation.hide()

    def _waits_for_agent(self) -> bool:
        return self.awaits == "agent" and self._who is not None and self._who.agent is None

    def clear(self) -> None:
        """Take the agent away, or else the applicant; undo gives them back."""
        if self._who is not None:
            self.cleared.emit("agent" if self._who.agent else "party")

    def focus_first(self) -> None:
        if self._typed_key.isHidden():
            super().focus_first()
        else:
            self._typed_key.setFocus()

    def retranslate(self) -> None:
        self._tell_person()
        clear(self._shown)
        if self._who is None and self._typed.isHidden() and self._organisation.isHidden():
            self._shown.addWidget(self._lay_card_here("applicant.lay_card"))
        elif self._who is not None:
            self._show_who(self._who)
        has_party = self._who is not None
        self._typed_key.tell(tr("applicant.type"), Key.TYPED, "typed", "primary")
        self._typed_key.setVisible(not has_party or self._waits_for_agent())
        self._agent_key.tell(tr("applicant.for_other"), Key.AGENT, "agent", "primary")
        self._agent_key.setVisible(has_party and self._who is not None and self._who.agent is None)
        self._organisation_key.tell(tr("applicant.organisation"), Key.ORGANISATION, "organisation", "primary")
        self._organisation_key.setVisible(not has_party)
        agent = self._who is not None and self._who.agent is not None
        self._clear_key.tell(tr("applicant.clear_agent" if agent else "applicant.clear"), Key.CLEAR, "close")
        self._clear_key.setVisible(has_party)
        self._typed.retranslate()
        self._organisation.retranslate()
        super().retranslate()

    @property
    def titles_itself(self) -> bool:
        return self._who is not None

    def _tell_person(self) -> None:
        who = self._who
        party = who.party if who else None
        for part in (self._name, self._number):
            part.setVisible(who is not None)
        self._source.setVisible(party is not None)
        alarm = people.alarm_chip(party) if party is not None else None
        self._alarm.setVisible(alarm is not None)
        if who is None:
            return
        self._name.set_whole(party.name if party else who.organisation)
        self._number.setText(party.number if party else who.uscc)
        if party is not None:
            card = people.source_chip(party)
            self._source.tell(*card.told)
        if alarm is not None:
            self._alarm.tell(*alarm.told)
            self._alarm.setToolTip(alarm.toolTip())

    def summary(self) -> str:
        who = self._who
        if who is None:
            return tr("applicant.waiting")
        if who.agent:
            return tr("applicant.by_agent", name=who.agent.name)
        if who.party:
            return people.validity(who.party)
        return tr("applicant.needs_agent")

    def _show_who(self, who: ApplicantView) -> None:
        if who.party:
            place, said = portrait.beside(who.party, self._portraits)
            said.addWidget(label(people.facts(who.party), "muted", wrap=True))
            for line in people.notes(who.party):
                said.addWidget(line)
            said.addStretch()
            self._shown.addWidget(place)
        else:
            self._shown.addWidget(label(tr("document.uscc"), "muted"))
        if who.agent:
            self._shown.addWidget(self._agent_block(who.agent))
        elif self._waits_for_agent():
            self._shown.addWidget(self._lay_card_here("applicant.lay_agent_card"))

    def _agent_block(self, agent: PersonView) -> QWidget:
        place, said = portrait.beside(agent, self._portraits)
        said.addWidget(people.person_block(tr("applicant.agent"), agent))
        said.addStretch()
        return place

    def _lay_card_here(self, words: str) -> QWidget:
        place = QWidget()
        line = row(place, gap=12)
        line.setContentsMargins(0, 4, 0, 4)
        line.addWidget(IconLabel("card", "primary", 34))
        texts = column(gap=2)
        texts.addWidget(label(tr(words), "title"))
        texts.addWidget(label(tr("applicant.card_hint"), "muted", wrap=True))
        line.addLayout(texts, 1)
        return place
