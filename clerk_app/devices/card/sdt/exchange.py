"""Speak SDT with a reader: one command and its answer, and the order in which a card is read.

Order is mandatory: find, select, read, and from the beginning for every read. The time-outs are those public
implementations use; finding and selecting (0.1 s there) are given more, because silence costs nothing while
the reader answers, and a busy computer must not look like a dead reader. Source: GA 467-2013 and GA/T 450 as
implemented by several readers.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from clerk_app.devices.card.layouts import KINDS, LAYOUTS, PHOTO_LENGTH, TEXT_LENGTH, TYPE_OFFSET
from clerk_app.devices.card.parser import parse
from clerk_app.devices.card.reading import PULLED
from clerk_app.devices.card.sdt.codes import DONE, FOUND, NO_SUCH_ITEM, NONE, failure
from clerk_app.devices.card.sdt.frames import Damage, FrameReader, encode
from clerk_app.devices.card.sdt.lines import Line
from clerk_app.domain.applicant import CardRecord, DocumentKind
from clerk_app.failures import Failure

MOVED = "CARD-MOVED"
LINE = "CARD-LINE"
TIME_OUT = "CARD-TIMEOUT"

_AGAIN = frozenset({LINE, TIME_OUT, MOVED})  # worth a second attempt at once
_SLICE = 0.05  # seconds; how often a wait looks whether it is still wanted
_QUIET = 0.2  # a line that says nothing for so long after its last byte has finished
_LONGEST = 5.0  # a line may chatter without end
_FINGERPRINTS = (0, 512, 1024)  # none, one, two templates
_ADDRESS_LENGTH = 70


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` is SW1 SW2 SW3; the last is the security module's own code, the others the card's."""

    status: bytes
    data: bytes

    @property
    def code(self) -> int:
        return self.status[2]

    def failure(self) -> Failure:
        """What the code means to the clerk. Its detail holds the status only."""
        return failure(self.code, f"status {self.status.hex(' ').upper()}")


@dataclass(frozen=True, slots=True)
class Command:
    """One request. An answer to it that says `success` has a number of data bytes in `sizes`."""

    content: bytes
    seconds: float
    sizes: range
    success: int = DONE

    def fits(self, answer: Answer) -> bool:
        """Whether `answer` can be to this command. One that came too late for the command before cannot."""
        if answer.code == self.success:
            return len(answer.data) in self.sizes
        return answer.code not in {DONE, FOUND}


_FEW = range(17)
STATUS = Command(bytes.fromhex("11FF"), 1.0, _FEW)
SAM_ID = Command(bytes.fromhex("12FF"), 1.0, range(16, 17))
FIND = Command(bytes.fromhex("2001"), 0.5, _FEW, FOUND)
SELECT = Command(bytes.fromhex("2002"), 0.5, _FEW)
READ = Command(bytes.fromhex("3001"), 2.0, range(4 + TEXT_LENGTH, 4 + TEXT_LENGTH + PHOTO_LENGTH + 1))
READ_FINGERPRINT = Command(
    bytes.fromhex("3010"), 3.0, range(6 + TEXT_LENGTH, 6 + TEXT_LENGTH + PHOTO_LENGTH + 1024 + 1)
)
READ_ADDRESS = Command(bytes.fromhex("3003"), 1.5, range(_ADDRESS_LENGTH + 1))


class Talk:
    """Commands over one line, one at a time. `stopped` ends a wait early."""

    def __init__(self, line: Line, stopped: Callable[[], bool] = lambda: False) -> None:
        self._line = line
        self._stopped = stopped

    def ask(self, command: Command) -> Answer:
        """The answer to `command`, whatever its code.

        Raises Failure: CARD-TIMEOUT for silence and for the module's own time-out frame, CARD-LINE for
        damage, and what the line raises when the reader has gone.
        """
        self._line.discard()  # an answer that came too late
        self._line.write(encode(command.content))
        begun = time.monotonic()
        deadline = begun + command.seconds
        stream, trouble = FrameReader(), Failure(TIME_OUT, f"no answer to {command.content.hex()}")
        while (left := deadline - time.monotonic()) > 0:
            if self._stopped():
                raise Failure(TIME_OUT, "stopped")
            data = self._line.read(min(left, _SLICE))
            if not data:
                continue
            for outcome in stream.feed(data):
                if (answer := _answer(outcome, command)) is not None:
                    return answer
                if isinstance(outcome, Damage):  # an answer of another command is passed over
                    deadline = 0
                trouble = _trouble(outcome)
            deadline = _extended(deadline, begun + command.seconds + _LONGEST)
        for outcome in stream.give_up():
            if (answer := _answer(outcome, command)) is not None:
                return answer
            trouble = _trouble(outcome)
        raise trouble

    def find(self) -> bool:
        """Whether a card is found. A module that does not answer properly is asked once more."""
        try:
            return self._find()
        except Failure as failure:
            if failure.code not in _AGAIN or self._stopped():
                raise
        return self._find()

    def select(self) -> bytes:
        """Select the card that was found; returns what the reader calls its serial number."""
        return self._done(SELECT).data

    def sam_id(self) -> str:
        """The security module's number, for display: readers pad its parts differently."""
        told = self._done(SAM_ID).data
        parts = (int.from_bytes(told[at : at + 4], "little") for at in (4, 8, 12))
        date, *rest = parts
        return "-".join((f"{told[0]:02d}.{told[2]:02d}", f"{date:08d}", *(f"{part:010d}" for part in rest)))

    def check_module(self) -> None:
        """Raise Failure when the security module cannot work. One that does not know the question can."""
        answer = self.ask(STATUS)
        if answer.code != DONE and (trouble := answer.failure()).code != "CARD-COMMAND":
            raise trouble

    def content(self, *, fingerprint: bool) -> tuple[bytes, bytes | None]:
        """Text block and photo block (None when there is none) of the selected card.

        A fingerprint is left behind here: nothing in the hall needs it. Raises Failure CARD-UNREADABLE when
        the parts do not add up.
        """
        data = self._done(READ_FINGERPRINT if fingerprint else READ).data
        header = 6 if fingerprint else 4
        sizes = [int.from_bytes(data[at : at + 2], "big") for at in range(0, header, 2)]
        if (
            sizes[0] != TEXT_LENGTH
            or sizes[1] not in {0, PHOTO_LENGTH}
            or (fingerprint and sizes[2] not in _FINGERPRINTS)
            or header + sum(sizes) != len(data)
        ):
            raise Failure("CARD-UNREADABLE", f"parts of {sizes} bytes in {len(data)}")
        text, photo = data[header:][:TEXT_LENGTH], data[header + TEXT_LENGTH :][: sizes[1]]
        return text, photo if any(photo) else None

    def appended_address(self) -> bytes | None:
        """The newest address written to the card after it was made (70 bytes UTF-16LE), None without one."""
        answer = self.ask(READ_ADDRESS)
        if answer.code == NO_SUCH_ITEM:
            return None
        if answer.code != DONE:
            raise answer.failure()
        padded = answer.data + b" \0" * ((_ADDRESS_LENGTH - len(answer.data)) // 2)
        if len(padded) != _ADDRESS_LENGTH:
            raise Failure("CARD-UNREADABLE", f"address of {len(answer.data)} bytes")
        return padded if padded.decode("utf-16-le", errors="replace").strip(" \0") else None

    def _find(self) -> bool:
        answer = self.ask(FIND)
        if answer.code in NONE:
            return False
        if answer.code != FOUND:
            raise answer.failure()
        return True

    def _done(self, command: Command) -> Answer:
        answer = self.ask(command)
        if answer.code != command.success:
            raise answer.failure()
        return answer


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a card is read. `finds_again`: the reader finds a card that lies there after it was read."""

    fingerprint: bool = False
    address: bool = True
    finds_again: bool = True


def read_found(talk: Talk, wanted: Wanted, serial: bytes | None = None) -> tuple[bytes, CardRecord]:
    """Read the card that was just found, or just selected with its `serial`: its serial and what it says.

    A damaged or missing answer and a card that moved are worth one more attempt, from finding on and without
    a pause. A card that is not found then has been pulled; but of a reader that shows each card only once
    that can be said after a failed read only, not after an answer that was lost on its way. Raises Failure.
    """
    try:
        return _read(talk, wanted, serial)
    except Failure as failure:
        if failure.code not in _AGAIN:
            raise
        first = failure
    sure = wanted.finds_again or first.code == MOVED
    if not talk.find():
        raise Failure(PULLED, first.detail) if sure else first
    try:
        return _read(talk, wanted, None)
    except Failure as second:
        if second.code == MOVED and not talk.find():
            raise Failure(PULLED, second.detail) from second
        raise


def _read(talk: Talk, wanted: Wanted, serial: bytes | None) -> tuple[bytes, CardRecord]:
    if serial is None:
        serial = talk.select()
    text, photo = talk.content(fingerprint=wanted.fingerprint)
    kind = KINDS.get(
        text[TYPE_OFFSET : TYPE_OFFSET + 2].decode("utf-16-le", "replace"), DocumentKind.RESIDENT_ID
    )
    place = LAYOUTS[kind].get("address")
    if place is None or not wanted.address:
        return serial, parse(text, photo)
    try:
        newest = talk.appended_address()
    except Failure:  # the card itself has been read: the clerk asks for the address
        record = parse(text, photo)
        return serial, replace(record, warnings=(*record.warnings, "CARD-ADDRESS-UNSURE"))
    if newest is not None:
        text = text[: place[0].start] + newest + text[place[0].stop :]
    return serial, parse(text, photo)


def _extended(deadline: float, latest: float) -> float:
    """While bytes keep coming there is more to wait for, and after damage a quiet line."""
    return min(max(deadline, time.monotonic() + _QUIET), latest)


def _answer(outcome: bytes | Damage, command: Command) -> Answer | None:
    if outcome is Damage.TIME_OUT:
        raise Failure(TIME_OUT, "the module's own time-out")
    if isinstance(outcome, Damage):
        return None
    answer = Answer(outcome[:3], outcome[3:])
    return answer if command.fits(answer) else None


def _trouble(outcome: bytes | Damage) -> Failure:
    if isinstance(outcome, Damage):
        return Failure(LINE, f"frame damaged: {outcome.value}")
    return Failure(
        LINE, f"answer to something else: status {outcome[:3].hex(' ').upper()}, {len(outcome)} bytes"
    )
