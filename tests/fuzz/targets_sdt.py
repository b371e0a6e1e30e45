"""Readers that speak SDT: the stream they answer with, the stream they are asked with, where they are."""

from __future__ import annotations

from clerk_app.devices.card.sdt.exchange import Talk, Wanted, read_found
from clerk_app.devices.card.sdt.frames import LARGEST, Damage, FrameReader, encode
from clerk_app.devices.card.sdt.lines import port
from clerk_app.devices.card.sdt.simulator import SdtModule
from clerk_app.failures import Failure

_CHIP = b"\x01\x00\x04\x00" + bytes(256 + 1024)


class _Tape:
    """A line that says what is on it, a piece a look, whatever it is asked; then the reader has gone."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def write(self, data: bytes) -> None: ...

    def read(self, seconds: float) -> bytes:
        if not self._data:
            raise Failure("CARD-NO-READER", "the tape is over")
        size = 1 + self._data[0]
        piece, self._data = self._data[:size], self._data[size:]
        return piece

    def discard(self) -> None: ...

    def close(self) -> None: ...


def fuzz_sdt_frames(data: bytes) -> None:
    """However a stream is cut, the same comes out, and little is kept."""
    pieces = FrameReader()
    size = 1 + (data[0] if data else 0)
    found = [outcome for at in range(0, len(data), size) for outcome in pieces.feed(data[at : at + size])]
    assert tuple(found) == FrameReader().feed(data)
    assert len(pieces._kept) <= LARGEST + 7
    found.extend(pieces.give_up())
    for outcome in found:
        assert isinstance(outcome, Damage) or encode(outcome) in data


def fuzz_sdt_exchange(data: bytes) -> None:
    """The first byte says what is wanted; a card, or a failure."""
    told = data[0] if data else 0
    talk = Talk(_Tape(data[1:]))
    talk.check_module()
    if talk.find():
        talk.sam_id()
        read_found(talk, Wanted(bool(told & 1), bool(told & 2), bool(told & 4)))


def fuzz_sdt_requests(data: bytes) -> None:
    """What the simulated reader is asked."""
    module = SdtModule()
    module.lay(_CHIP)
    for piece in module.receive(data):
        assert piece


def fuzz_sdt_port(data: bytes) -> None:
    port(data.decode("utf-8", errors="replace"))
