"""A mirror that is not what the office has is found by its digest, fetched anew and told; once."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

import pytest
from sync_hall import DEVICE, NOW, HandClock, PaperOffice, file_case, no_beat, open_store

from clerk_app.desk.ports import LostCard
from clerk_app.domain.ticket import Ticket, TicketState
from clerk_app.sync.alarms import ALARM_KEY
from clerk_app.sync.digests import of_mirror
from clerk_app.sync.exchange import Exchange
from clerk_app.sync.protocol import LOST_CARDS, scope_digest
from clerk_app.sync.transport import OfficeFailure

QUEUE = "queue:general"


class Window:
    def __init__(self) -> None:
        self.store = open_store()
        self.office = PaperOffice()
        self.clock = HandClock()
        self.exchange = Exchange(
            self.store,
            DEVICE,
            self.clock,
            wall=self.clock.now,
            on_items=lambda items: None,
            on_changed=lambda changed: None,
        )
        self.asked: list[str] = []
        self.office.before = self.asked.append

    def cycle(self) -> None:
        self.asked.clear()
        self.exchange.cycle(self.office, no_beat)

    def tomorrow(self) -> None:
        self.clock.wall += timedelta(days=1)
        self.cycle()

    def spoil(self) -> None:
        """A row of the mirror is not what the feed said."""
        self.store.write(lambda tx: tx.tickets.put((a_ticket("A009"),)))

    def waiting(self) -> list[str]:
        return [ticket.number for ticket in self.store.read(lambda tx: tx.tickets.waiting())]

    def alarm(self) -> str | None:
        return self.store.read(lambda tx: tx.meta.get(ALARM_KEY))


def a_ticket(number: str, version: int = 1) -> Ticket:
    return Ticket(f"t-{number}", number, "A", TicketState.WAITING, NOW, version)


def data(number: str) -> dict[str, object]:
    return {
        "id": f"t-{number}",
        "number": number,
        "series": "A",
        "state": "waiting",
        "issued_at": NOW.isoformat(),
        "version": 1,
    }


@pytest.fixture
def window():
    window = Window()
    window.office.publish(QUEUE, "ticket", "t-A001", data("A001"))
    window.office.publish(QUEUE, "ticket", "t-A002", data("A002"))
    window.office.publish(LOST_CARDS, "lost_card_salt", "salt", {"salt": "of the office"})
    window.office.publish(LOST_CARDS, "lost_card", "l-1", {"digest": "a" * 32})
    window.office.publish(LOST_CARDS, "lost_card", "l-2", {"digest": "b" * 32})
    window.cycle()
    yield window
    window.store.close()


def test_mirrors_that_followed_the_feed_agree(window):
    window.office.publish(QUEUE, "ticket", "t-A001", {}, op="del")
    window.office.publish(LOST_CARDS, "lost_card", "l-1", {}, op="del")
    window.tomorrow()
    assert {f"digest {QUEUE}", f"digest {LOST_CARDS}"} <= set(window.asked)
    assert window.alarm() is None
    assert len(window.office.snapshots) == 5  # of the first cycle


def test_a_mirror_that_differs_is_fetched_anew_and_told_once(window, caplog):
    file_case(window.store, 1)
    window.spoil()
    window.tomorrow()
    assert window.waiting() == ["A001", "A002"]
    assert window.alarm().startswith("SYNC-MISMATCH ")
    assert window.office.snapshots.count(QUEUE) == 2
    acts = window.store.read(lambda tx: tx.audit.after(0, 9))
    assert [(record.act, record.subject) for record in acts] == [("sync-alarm", "SYNC-MISMATCH")]
    assert len(window.office.applied) == 1  # the outbox went its own way


def test_a_changed_version_is_found_too(window):
    window.store.write(lambda tx: tx.lost_cards.put((LostCard("l-1", "c" * 32, 7),)))
    window.tomorrow()
    assert window.alarm() is not None
    assert window.store.read(lambda tx: tx.lost_cards.holds(("a" * 32,)))


def test_an_office_whose_digest_never_fits_is_not_asked_in_a_ring(window, caplog):
    window.office._digest = lambda changes: "0-never"
    window.tomorrow()
    snapshots = list(window.office.snapshots)
    window.cycle()
    assert window.office.snapshots == snapshots
    assert not any(name.startswith("digest") for name in window.asked)


def test_a_day_is_compared_once(window):
    window.cycle()
    assert not any(name.startswith("digest") for name in window.asked)


def test_a_ticket_that_came_directly_is_no_alarm(window):
    """The answer to a call is in the mirror before the feed tells of it."""
    window.store.write(lambda tx: tx.tickets.put((a_ticket("A001", 2),)))
    honest, told = window.office.digest, []

    def digest(scope: str):
        if not told:
            told.append(scope)
            answer = honest(scope)
            window.office.publish(QUEUE, "ticket", "t-A001", data("A001") | {"version": 2})
            return answer
        return honest(scope)

    window.office.digest = digest
    window.tomorrow()
    assert window.alarm() is None


def test_an_older_office_without_digests_is_no_trouble(window):
    def unknown(scope: str):
        raise OfficeFailure("SYNC-NO-CALL")

    window.office.digest = unknown
    window.tomorrow()
    assert window.alarm() is None


def test_a_mirror_from_before_the_salt_was_noted_agrees(window):
    window.store.write(lambda tx: tx.meta.set("lost_cards_salt_fact", "1 salt"))
    noted = window.store.read(lambda tx: of_mirror(tx, LOST_CARDS))
    assert noted == window.office.digest(LOST_CARDS).digest


def test_a_digest_is_computed_as_the_protocol_says():
    """Another program's office has to come to the same: an example worked out by hand."""
    heads = [int(sha256(f"ticket\0{n}\0{n}".encode()).hexdigest()[:16], 16) for n in range(1, 9)]
    assert sum(heads) > 2**64, "the sum wraps around"
    facts = [("ticket", str(n), n) for n in (3, 1, 2, 8, 7, 6, 5, 4)]
    assert scope_digest(facts) == f"8-{sum(heads) % 2**64:016x}"
    assert scope_digest([]) == "0-0000000000000000"
