"""A simulated SDT reader with its security module: requests in, answers out, with everything that goes wrong.

The tests use it, and so does IT to try a configuration without hardware:

    python -m clerk_app.devices.card.sdt.simulator --tcp 9000     then port = "tcp://127.0.0.1:9000"
    python -m clerk_app.devices.card.sdt.simulator --pty          then the serial:// address it prints

Orders on standard input, one a line: `lay resident` (a sample card), `take`, `quit`.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TextIO

from clerk_app.devices.card.layouts import PHOTO_LENGTH, TEXT_LENGTH
from clerk_app.devices.card.samples import sample_cards
from clerk_app.devices.card.sdt import codes
from clerk_app.devices.card.sdt.frames import (
    SMALLEST_REQUEST,
    TIME_OUT_FRAME,
    Damage,
    FrameReader,
    encode,
)

RESET, STATUS, SAM_ID = b"\x10\xff", b"\x11\xff", b"\x12\xff"
FIND, SELECT = b"\x20\x01", b"\x20\x02"
READ, READ_FINGERPRINT, READ_ADDRESS = b"\x30\x01", b"\x30\x10", b"\x30\x03"

_STREAM_HEADER = 4  # the two lengths before text and photo in a chip's stream
_NOISE = bytes.fromhex("00 FF AA AA 96 AA AA AA 96 69 00 02 AA AA AA")  # bits of preambles among it
_MODULE = bytes.fromhex("05 00 03 00") + b"".join(n.to_bytes(4, "little") for n in (20261121, 42, 4711))
_WRONG_COMMAND, _NO_CARD, _NOT_SELECTED, _NOT_READ = 0x21, 0x80, 0x81, 0x41


class Fault(Enum):
    """What can happen to an answer. An `int` in its place is the code the module answers instead."""

    NOISE = "noise"  # rubbish before it, a bit of a preamble among it
    CHECK = "check"  # a wrong check byte
    CUT_OFF = "cut off"  # its second half is missing
    TOO_LONG = "too long"  # a length no frame has
    SILENCE = "silence"
    SLOW = "slow"  # byte by byte
    PULLED = "pulled"  # the card is taken away now
    TIME_OUT = "time-out"  # the malformed time-out frame


@dataclass(frozen=True, slots=True)
class LaidCard:
    """A card on the reader: the stream of its chip (1284 bytes), and what else it holds."""

    chip: bytes
    fingerprint: bytes = b""
    address: str = ""
    serial: bytes = b""


class SdtModule:
    """The reader and its module. `finds_again`: a card that was read is found while it lies there.

    Any thread may lay and take cards; `receive` belongs to the one that serves the line.
    """

    def __init__(self, *, finds_again: bool = True) -> None:
        self._finds_again = finds_again
        self._lock = threading.Lock()
        self._requests = FrameReader(SMALLEST_REQUEST)
        self._card: LaidCard | None = None
        self._found = self._selected = self._spent = False
        self._faults: dict[bytes, deque[Fault | int]] = {}
        self._always: dict[bytes, Fault | int] = {}
        self.asked: list[bytes] = []

    def lay(
        self, chip: bytes, *, fingerprint: bytes = b"", address: str = "", serial: bytes | None = None
    ) -> None:
        """Lay a card, in place of one that lies there; its serial number is made from its content."""
        told = hashlib.sha256(chip).digest()[:8] if serial is None else serial
        with self._lock:
            self._put(LaidCard(chip, fingerprint, address, told))

    def take(self) -> None:
        """Take the card away; faults of every answer end with it."""
        with self._lock:
            self._put(None)
            self._always.clear()

    def fail(self, command: bytes, fault: Fault | int, *, times: int = 1) -> None:
        """Have the next `times` answers to `command` go wrong; 0 means every one until the card is taken."""
        with self._lock:
            if times == 0:
                self._always[command] = fault
            self._faults.setdefault(command, deque()).extend([fault] * times)

    def receive(self, data: bytes) -> Iterator[bytes]:
        """The pieces of the answers to what `data` completes; pieces go out one by one."""
        for request in self._requests.feed(data):
            if not isinstance(request, Damage):
                with self._lock:
                    pieces = self._answer(request)
                yield from pieces

    def _put(self, card: LaidCard | None) -> None:
        self._card = card
        self._found = self._selected = self._spent = False

    def _answer(self, request: bytes) -> Sequence[bytes]:
        self.asked.append(request)
        waiting = self._faults.get(request)
        fault = waiting.popleft() if waiting else self._always.get(request)
        if isinstance(fault, int):
            self._found = self._selected = False
            return [_frame(fault)]
        if fault is Fault.PULLED:
            self._put(None)
        return _spoiled(self._frame(request), fault)

    def _frame(self, request: bytes) -> bytes:
        if request in {RESET, STATUS}:
            return _frame(codes.DONE)
        if request == SAM_ID:
            return _frame(codes.DONE, _MODULE)
        if request == FIND:
            self._found = self._card is not None and not (self._spent and not self._finds_again)
            self._selected = False
            return _frame(codes.FOUND, bytes(4)) if self._found else _frame(_NO_CARD)
        if request == SELECT:
            self._found, self._selected = False, self._found
            if self._card is None or not self._selected:
                return _frame(_NOT_SELECTED)
            return _frame(codes.DONE, self._card.serial)
        if request in {READ, READ_FINGERPRINT, READ_ADDRESS}:
            return self._read(request)
        return _frame(_WRONG_COMMAND)

    def _read(self, request: bytes) -> bytes:
        card = self._card
        if card is None or not self._selected:
            return _frame(_NOT_READ)
        if request == READ_ADDRESS:
            text = card.address.encode("utf-16-le")
            return (
                _frame(codes.DONE, text + b" \0" * ((70 - len(text)) // 2))
                if text
                else _frame(codes.NO_SUCH_ITEM)
            )
        self._spent = True
        lengths = TEXT_LENGTH.to_bytes(2, "big") + PHOTO_LENGTH.to_bytes(2, "big")
        content = card.chip[_STREAM_HEADER:]
        if request == READ:
            return _frame(codes.DONE, lengths + content)
        return _frame(
            codes.DONE, lengths + len(card.fingerprint).to_bytes(2, "big") + content + card.fingerprint
        )


def _frame(code: int, data: bytes = b"") -> bytes:
    return encode(bytes((0, 0, code)) + data)


def _spoiled(frame: bytes, fault: Fault | None) -> Sequence[bytes]:
    match fault:
        case Fault.NOISE:
            return [_NOISE, frame]
        case Fault.CHECK:
            return [frame[:-1] + bytes((frame[-1] ^ 0x55,))]
        case Fault.CUT_OFF:
            return [frame[: len(frame) // 2 + 1]]
        case Fault.TOO_LONG:
            return [frame[:5] + b"\xff\xff" + frame[7:]]
        case Fault.SILENCE:
            return []
        case Fault.SLOW:
            return [frame[at : at + 1] for at in range(len(frame))]
        case Fault.TIME_OUT:
            return [TIME_OUT_FRAME]
        case _:
            return [frame]


def main(
    arguments: Sequence[str] | None = None, orders: TextIO | None = None, out: TextIO | None = None
) -> int:
    """Serve one simulated reader until `quit` or the end of the orders."""
    from clerk_app.devices.card.sdt.peer import pty_peer, tcp_peer

    orders, out = orders or sys.stdin, out or sys.stdout
    parser = argparse.ArgumentParser(description="A simulated identity-card reader with SDT frames.")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--tcp", type=int, metavar="PORT", help="listen on 127.0.0.1; 0 chooses a free port")
    where.add_argument("--pty", action="store_true", help="a pseudo terminal, not on Windows")
    parser.add_argument("--once", action="store_true", help="find each card only once")
    told = parser.parse_args(arguments)
    cards = sample_cards()
    module = SdtModule(finds_again=not told.once)
    with pty_peer(module) if told.pty else tcp_peer(module, told.tcp) as url:
        out.write(f'port = "{url}"\n{", ".join(cards)}\n')
        out.flush()
        for line in orders:
            match line.split():
                case ["lay", card_id] if card_id in cards:
                    module.lay(cards[card_id].chip)
                case ["take"]:
                    module.take()
                case ["quit"]:
                    return 0
                case []:
                    continue
                case _:
                    out.write("? lay CARD, take, quit\n")
                    out.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
