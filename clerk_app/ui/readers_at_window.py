"""How the readers of this window stand, and for whom the cards on them were laid.

Several readers are one to the clerk. A card belongs to the visit in which it was read, or to the one called
next when it was laid between two; left behind it is nobody else's, however often it is read again: because a
card on the other reader is, because the machine slept, because the service came back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from clerk_app.desk.ports import CardRead, ReaderState, ReaderStatus

BETWEEN = ""
"""In place of a visit: somebody is signed in, nobody is at the window."""

_GONE = (ReaderState.NO_READER, ReaderState.SERVICE_LOST)
_FIRST = (ReaderState.READING, ReaderState.PRESENT, ReaderState.EMPTY)


@dataclass(frozen=True, slots=True)
class _Lying:
    """A card that was read and not taken away since: a hash of whose it is, and the visit it was read in."""

    digest: int
    visit: str | None


class ReadersAtWindow:
    """What was heard of the readers so far."""

    def __init__(self) -> None:
        self._states: dict[str, ReaderState] = {}
        self._lying: dict[str, _Lying] = {}
        self._begun: dict[str, str | None] = {}  # reader -> the visit in which the reading under way began

    def hear(self, status: ReaderStatus, visit: str | None = None) -> ReaderStatus:
        """Take note of a status during `visit` (as in `take`); returns what the window shows of all readers:
        the busiest one.
        """
        if status.state in _GONE:
            self._states.clear()
            self._begun.clear()
            # Who was next may have gone with his card meanwhile; what was left behind stays so.
            self._lying = {name: card for name, card in self._lying.items() if card.visit != BETWEEN}
            return status
        self._states[status.reader] = status.state
        if status.state is ReaderState.READING:
            self._begun[status.reader] = visit
        elif status.state is ReaderState.EMPTY:
            self._begun.pop(status.reader, None)
            self._lying.pop(status.reader, None)
        name = min(self._states, key=lambda name: _FIRST.index(self._states[name]))
        return ReaderStatus(self._states[name], name)

    def take(self, event: CardRead, visit: str | None) -> bool:
        """Whether a card that was read belongs to `visit` (BETWEEN two, None when nobody is signed in).

        It does not when it lies there since an earlier one, nor when that one ended while it was read: a
        slow reader takes seconds.
        """
        record, begun = event.record, self._begun.pop(event.reader, visit)
        card = _Lying(hash((record.kind, record.number, record.name)), visit)
        if begun not in (None, BETWEEN, visit):
            self._lying[event.reader] = replace(card, visit=begun)
            return False
        before = self._lying.get(event.reader)
        if before is not None and before.digest == card.digest and before.visit not in (BETWEEN, visit):
            return False
        self._lying[event.reader] = card
        return True

    def call(self, visit: str) -> bool:
        """Somebody was called to `visit`: whether a card was laid for them already."""
        early = [name for name, card in self._lying.items() if card.visit == BETWEEN]
        for name in early:
            self._lying[name] = replace(self._lying[name], visit=visit)
        return bool(early)
