"""The body of `clerk-app card read`: wait for one card and print what it says, masked unless told."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from queue import Empty, SimpleQueue
from typing import Any, TextIO

from clerk_app import failures
from clerk_app.desk.ports import CardEvent, CardFailed, CardRead, CardReader, ReaderState, ReaderStatus
from clerk_app.devices.card.simulator import SimulatedReader
from clerk_app.domain import masking
from clerk_app.domain.applicant import CardRecord
from clerk_app.failures import Failure

_NUMBERS = ("number", "travel_permit", "former_number")
_NAMES = ("name", "latin_name")
_STATES = {ReaderState.SERVICE_LOST: "CARD-SERVICE-LOST", ReaderState.NO_READER: "CARD-NO-READER"}


def read_card(
    *,
    reveal: Callable[[CardRecord], None] | None = None,
    as_json: bool = False,
    simulate: str | None = None,
    seconds: float = 30.0,
    language: str = "zh",
    reader: CardReader | None = None,
    out: TextIO | None = None,
    err: TextIO | None = None,
) -> int:
    """Read one card; 0 with its fields on `out`, or 2 with failure code, sentence and action on `err`.

    Names and numbers are masked unless there is `reveal`: it is called before anything is shown in full, to
    put that on record, and raises Failure when it cannot. Then nothing is shown at all.
    `simulate` lays that sample card on a simulated reader; `reader` replaces the PC/SC readers. After
    `seconds` without a card the answer is what keeps it away: no service, no reader, or no card.
    """
    out, err = out or sys.stdout, err or sys.stderr
    if simulate is not None:
        simulated = SimulatedReader()
        if simulate not in simulated.cards:
            err.write(f"{simulate}: {', '.join(simulated.cards)}\n")
            return 2
        simulated.lay(simulate)
        reader = simulated
    outcome = _first_outcome(reader or _readers_of_this_machine(), seconds)
    if isinstance(outcome, CardRead) and reveal is not None:
        try:
            reveal(outcome.record)
        except Failure as failure:
            outcome = CardFailed(failure.code, detail=failure.detail)
    if isinstance(outcome, CardFailed):
        text = failures.text(outcome.code, language)
        err.write(f"{outcome.code}: {text.sentence}{'' if language == 'zh' else ' '}{text.action}\n")
        if outcome.detail:
            err.write(f"  {outcome.detail}\n")
        return 2
    fields = _fields(outcome.record, reveal=reveal is not None)
    if as_json:
        out.write(json.dumps(fields, ensure_ascii=False, indent=2) + "\n")
    else:
        out.writelines(
            f"{field}: {value}\n" for field, value in fields.items() if value not in ("", None, [])
        )
    return 0


def _readers_of_this_machine() -> CardReader:
    from clerk_app.devices.card.monitor import PcscReader  # needs the PC/SC library

    return PcscReader()


def _first_outcome(reader: CardReader, seconds: float) -> CardRead | CardFailed:
    events: SimpleQueue[CardEvent] = SimpleQueue()
    missing = "CARD-NONE"
    deadline = time.monotonic() + seconds
    reader.start(events.put)
    try:
        while True:
            event = events.get(timeout=max(deadline - time.monotonic(), 0))
            if not isinstance(event, ReaderStatus):
                return event
            missing = _STATES.get(event.state, "CARD-NONE")
    except Empty:
        return CardFailed(missing)
    finally:
        reader.stop()


def _fields(record: CardRecord, *, reveal: bool) -> dict[str, Any]:
    """The record as plain values, the photo as its length; unless revealed, names and numbers are masked.

    An address and a birth date point at a person too: unless revealed they stay out.
    """
    fields = asdict(record)
    fields["photo"] = len(record.photo) if record.photo else 0
    fields["warnings"] = list(record.warnings)
    for field in ("birth", "valid_from", "valid_until"):
        day = fields[field]
        fields[field] = day.isoformat() if day else None
    if not reveal:
        for field in _NUMBERS:
            fields[field] = masking.number(fields[field])
        for field in _NAMES:
            fields[field] = masking.name(fields[field])
        del fields["address"], fields["birth"]
    return fields
