"""What answers at the office's address: whatever it says, it is decoded or refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from clerk_app.failures import Failure
from clerk_app.sync import messages, protocol
from clerk_app.sync.transport import LONGEST_WAIT, _decode, _refusal

ANSWERS = (
    protocol.EnrolAnswer,
    protocol.SessionAnswer,
    protocol.PushAnswer,
    protocol.ChangesAnswer,
    protocol.WaitAnswer,
    protocol.SnapshotAnswer,
    protocol.CatalogueInfo,
    protocol.BlockAnswer,
    protocol.CallAnswer,
    protocol.TimeAnswer,
)


def _response(status: int, headers: dict[str, str]) -> Any:
    return SimpleNamespace(status_code=status, ok=status < 400, headers=headers)


def fuzz_office_answer(data: bytes) -> None:
    """The body of an answer, decoded as each thing a window asks for, down to the facts it would store."""
    for answer in ANSWERS:
        try:
            told = _decode(_response(200, {"Content-Type": "application/json"}), data, answer, "/fuzz")
        except Failure as failure:
            assert failure.code == "SYNC-NOT-OFFICE"
        else:
            _facts(told)


def _facts(told: object) -> None:
    if isinstance(told, protocol.ChangesAnswer | protocol.SnapshotAnswer):
        for change in told.changes:
            messages.fact(change)


def fuzz_office_refusal(data: bytes) -> None:
    """Status, headers and body of a refusal: the first two bytes are the status, a line each a header."""
    status = 400 + int.from_bytes(data[:2], "big") % 200
    head, _, body = data[2:].partition(b"\n\n")
    lines = [line.partition(b":") for line in head.split(b"\n")]
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, _, value in lines}
    failure = _refusal(_response(status, headers | {"Content-Type": "application/json"}), body, "/fuzz")
    assert failure.retry_after is None or 0 <= failure.retry_after <= LONGEST_WAIT
