"""The audit chain travels: links the office does not hold yet go with the pushes, or alone.

What the office confirms it countersigns; from then on a chain cut or rewritten here does not match what the
office holds. Cases come first: on a slow link fewer links go along, and a link the office does not take never
holds up a command.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import msgspec

from clerk_app.desk.ports import AuditRecord, Device, Transaction
from clerk_app.domain.ids import uuid7
from clerk_app.failures import Failure
from clerk_app.sync.protocol import MAX_AUDIT, AuditMessage, PushAnswer, Sealed
from clerk_app.sync.seals import read_seal

_log = logging.getLogger(__name__)

CHAIN_KEY = "audit_chain"
"""Meta: the id of this cache's chain."""
THROUGH_KEY = "audit_through"
"""Meta: the last link the office holds."""
COUNTERSIGN_KEY = "audit_countersign"
"""Meta: the office's signed word on that, as JSON."""

MAX_BYTES = 128 * 1024
"""Links of one push; the rest of the room is for commands."""
REFUSED_SECONDS = 3600.0
"""How long nothing is sent after links were not taken: the office has seen them, and marked the chain."""


class AuditTrail:
    """Which links go next. Remembers only that the office did not take some."""

    def __init__(self, device: Device, monotonic: Callable[[], float]) -> None:
        self._device = device
        self._monotonic = monotonic
        self._not_before = 0.0

    def chain(self, tx: Transaction) -> str:
        """The id of this cache's chain; "" until the first link is about to leave (see `begin`)."""
        return tx.meta.get(CHAIN_KEY) or ""

    def begin(self, tx: Transaction) -> None:
        """Give the chain its id, once a cache."""
        if not tx.meta.get(CHAIN_KEY):
            tx.meta.set(CHAIN_KEY, uuid7())

    def through(self, tx: Transaction) -> int:
        """The last link the office holds, as it has told."""
        return int(tx.meta.get(THROUGH_KEY) or 0)

    def waiting(self, tx: Transaction, share: float) -> Sequence[AuditRecord]:
        """The next links to send; `share` of what a good link carries."""
        if self._monotonic() < self._not_before:
            return ()
        found = tx.audit.after(self.through(tx), max(1, int(MAX_AUDIT * share)))
        room, sent = int(MAX_BYTES * share), 0
        for record in found:
            room -= len(msgspec.json.encode(record)) + 1
            if sent and room < 0:
                break
            sent += 1
        return found[:sent]

    def answered(self, tx: Transaction, sent: Sequence[AuditRecord], answer: PushAnswer) -> None:
        """Note how far the office holds the chain.

        An office restored from a backup holds less than before and gets the rest again.
        """
        through = answer.audit_through
        if not sent:
            if through < self.through(tx):
                tx.meta.set(THROUGH_KEY, str(through))
            return
        if through > sent[-1].n:  # this cache was restored; a chain shorter than the office's is its to judge
            if through > tx.audit.links():
                self._not_before = self._monotonic() + REFUSED_SECONDS
                _log.error("the office holds more audit links than this workstation")
            tx.meta.set(THROUGH_KEY, str(through))
            return
        if through < sent[0].n:
            # Either it went back, or it does not take these: told apart by what it said last.
            if through >= self.through(tx):
                self._not_before = self._monotonic() + REFUSED_SECONDS
                _log.error("the office did not take audit links from %d on", sent[0].n)
                return
            tx.meta.set(THROUGH_KEY, str(through))
            return
        tx.meta.set(THROUGH_KEY, str(through))
        self._keep_countersign(tx, sent[through - sent[0].n], answer.countersign)

    def _keep_countersign(self, tx: Transaction, last: AuditRecord, countersign: Sealed | None) -> None:
        """Only a word that is the office's, on this chain and this link, is kept."""
        if countersign is None or not self._device.seal_key:
            return
        try:
            told = read_seal(self._device.seal_key, countersign)
        except Failure as failure:
            _log.error("countersign of the audit chain: %s", failure)
            return
        meant = {"what": "head", "device": self._device.id, "chain": self.chain(tx)}
        if {key: told.get(key) for key in meant} != meant or told.get("head") != last.hash:
            _log.error("the office countersigned another audit chain than it was sent")
            return
        tx.meta.set(COUNTERSIGN_KEY, msgspec.json.encode(countersign).decode())


def message(record: AuditRecord) -> AuditMessage:
    return AuditMessage(
        record.n, record.at, record.actor, record.act, record.subject, record.detail, record.hash
    )
