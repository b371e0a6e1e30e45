"""Texts a scanner sends: machine-readable zones, and whatever else is held under it."""

from __future__ import annotations

from datetime import date

from clerk_app.domain import identity, mrz, numbering, ticket
from clerk_app.domain.scanned import ScanKind, read

_TODAY = date(2026, 11, 20)


def fuzz_mrz(data: bytes) -> None:
    document = mrz.parse(data.decode("utf-8", "replace"), _TODAY)
    assert document.birth is None or document.birth <= _TODAY
    assert document.number and document.name
    mrz.person(document)


def fuzz_scanned(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    scan = read(text)
    if scan.kind is ScanKind.CASE:
        assert numbering.parse(numbering.printed(scan.text)) == scan.text
    elif scan.kind is ScanKind.TICKET:
        assert ticket.parse(scan.text) == scan.text
    number = identity.normalise(text)
    identity.problem(number, identity.classify(number), today=_TODAY)
    for kind in identity.TRAVEL_KINDS:
        identity.problem(number, kind)
