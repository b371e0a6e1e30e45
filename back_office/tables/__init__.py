"""Tables of the office. Unique keys carry the hall; a device belongs to one hall for the life of its epoch.

Texts named `answer`, `data`, `rights`, `flags` and `filing` hold JSON as it was written: answers are replayed
byte for byte, so they never pass through a JSON type that may write them anew.
"""

from back_office.tables.access import (
    attempt,
    device,
    device_token,
    enrol_code,
    hall,
    recovery_code,
    secret,
    session,
    staff,
)
from back_office.tables.base import Instant, metadata
from back_office.tables.cases import catalogue, item, registered_case, upload
from back_office.tables.commands import audit_chain, audit_head, audit_record, carried, command, delivery
from back_office.tables.feed import change, lost_card, lost_card_salt, scope
from back_office.tables.numbers import block, doubled_block, gap, official_serial, restoration, void_numbers
from back_office.tables.queues import paper_visit, queue, request, series, ticket

__all__ = [
    "Instant",
    "attempt",
    "audit_chain",
    "audit_head",
    "audit_record",
    "block",
    "carried",
    "catalogue",
    "change",
    "command",
    "delivery",
    "device",
    "device_token",
    "doubled_block",
    "enrol_code",
    "gap",
    "hall",
    "item",
    "lost_card",
    "lost_card_salt",
    "metadata",
    "official_serial",
    "paper_visit",
    "queue",
    "recovery_code",
    "registered_case",
    "request",
    "restoration",
    "scope",
    "secret",
    "series",
    "session",
    "staff",
    "ticket",
    "upload",
    "void_numbers",
]
