"""What is asked of an SDT reader, in which order, and what each of its answers comes to."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import pytest

from clerk_app import failures
from clerk_app.devices.card.samples import sample_cards
from clerk_app.devices.card.sdt import codes, exchange
from clerk_app.devices.card.sdt.exchange import Command, Talk, Wanted, read_found
from clerk_app.devices.card.sdt.frames import encode
from clerk_app.devices.card.sdt.simulator import (
    FIND,
    READ,
    READ_ADDRESS,
    READ_FINGERPRINT,
    SAM_ID,
    SELECT,
    STATUS,
    Fault,
    SdtModule,
)
from clerk_app.failures import Failure

CARDS = sample_cards()
RESIDENT = CARDS["resident"]


class Wire:
    """A line in memory with a clock of its own: silence takes no time."""

    def __init__(self, module: SdtModule) -> None:
        self.module = module
        self.now = 0.0
        self.coming: deque[bytes] = deque()
        self.waited = 0.0
        self.byte_seconds = 0.0

    def monotonic(self) -> float:
        return self.now

    def write(self, data: bytes) -> None:
        self.coming.extend(self.module.receive(data))

    def read(self, seconds: float) -> bytes:
        if not self.coming:
            self.now += seconds
            self.waited += seconds
            return b""
        self.now += self.byte_seconds
        return self.coming.popleft()

    def discard(self) -> None:
        self.coming.clear()

    def close(self) -> None: ...


@pytest.fixture
def module() -> SdtModule:
    return SdtModule()


@pytest.fixture
def wire(module: SdtModule, monkeypatch: pytest.MonkeyPatch) -> Wire:
    made = Wire(module)
    monkeypatch.setattr(exchange, "time", SimpleNamespace(monotonic=made.monotonic))
    return made


@pytest.fixture
def talk(wire: Wire) -> Talk:
    return Talk(wire)


def read(talk: Talk, wanted: Wanted | None = None) -> object:
    assert talk.find()
    return read_found(talk, wanted or Wanted())[1]


def code_of(ask: Callable[[], object]) -> str:
    with pytest.raises(Failure) as raised:
        ask()
    assert failures.text(raised.value.code).action
    return raised.value.code


def test_the_order_is_find_select_read(module: SdtModule, talk: Talk) -> None:
    module.lay(RESIDENT.chip)

    assert read(talk) == RESIDENT.record
    assert module.asked == [FIND, SELECT, READ, READ_ADDRESS]


def test_without_a_card(talk: Talk) -> None:
    assert not talk.find()


def test_the_photo_is_passed_on_and_an_empty_one_is_none(module: SdtModule, talk: Talk) -> None:
    photo = bytes(range(256)) * 4
    module.lay(RESIDENT.chip[: 4 + 256] + photo)

    assert read(talk) == replace(RESIDENT.record, photo=photo)


@pytest.mark.parametrize("templates", [0, 1, 2])
def test_a_fingerprint_of_any_length_is_left_behind(module: SdtModule, talk: Talk, templates: int) -> None:
    module.lay(RESIDENT.chip, fingerprint=b"\xf1" * 512 * templates)

    assert read(talk, Wanted(fingerprint=True)) == RESIDENT.record
    assert READ_FINGERPRINT in module.asked
    assert READ not in module.asked


@pytest.mark.parametrize(
    "content",
    [
        "0100 0400" + "20" * 300,  # shorter than its parts
        "0080 0400" + "20" * 1152,  # another text length
        "0100 0200" + "20" * 768,  # another photo length
    ],
)
def test_parts_that_do_not_add_up_are_no_card(wire: Wire, talk: Talk, content: str) -> None:
    wire.write = lambda _: wire.coming.append(encode(bytes.fromhex("000090" + content)))  # type: ignore[method-assign]

    assert code_of(lambda: talk.content(fingerprint=False)) == "CARD-UNREADABLE"


def test_a_fingerprint_of_another_length_is_no_card(module: SdtModule, talk: Talk) -> None:
    module.lay(RESIDENT.chip, fingerprint=bytes(100))

    assert code_of(lambda: read(talk, Wanted(fingerprint=True))) == "CARD-UNREADABLE"


def test_an_appended_address_replaces_the_printed_one(module: SdtModule, talk: Talk) -> None:
    module.lay(RESIDENT.chip, address="明县新城路九号")

    assert read(talk) == replace(RESIDENT.record, address="明县新城路九号")
    module.asked.clear()
    assert read(talk, Wanted(address=False)) == RESIDENT.record
    assert READ_ADDRESS not in module.asked


def test_an_appended_address_of_blanks_is_none(module: SdtModule, talk: Talk) -> None:
    module.lay(RESIDENT.chip, address="  ")

    assert read(talk) == RESIDENT.record


def test_the_longest_appended_address(module: SdtModule, talk: Talk) -> None:
    longest = "明" * 35
    module.lay(RESIDENT.chip, address=longest)

    assert read(talk) == replace(RESIDENT.record, address=longest)


def test_a_foreign_card_has_no_address_to_append(module: SdtModule, talk: Talk) -> None:
    module.lay(CARDS["foreign-2023"].chip, address="明县新城路九号")

    assert read(talk) == CARDS["foreign-2023"].record
    assert READ_ADDRESS not in module.asked


@pytest.mark.parametrize("fault", [Fault.SILENCE, Fault.CHECK, 0x21, 0x41])
def test_a_card_whose_newest_address_is_unknown_says_so(
    module: SdtModule, talk: Talk, fault: Fault | int
) -> None:
    module.lay(RESIDENT.chip)
    module.fail(READ_ADDRESS, fault)

    assert read(talk) == replace(RESIDENT.record, warnings=("CARD-ADDRESS-UNSURE",))


def test_the_module_tells_its_number_and_its_state(module: SdtModule, talk: Talk) -> None:
    assert talk.sam_id() == "05.03-20261121-0000000042-0000004711"
    talk.check_module()
    module.fail(STATUS, 0x21)
    talk.check_module()  # it does not know the question
    module.fail(STATUS, 0x66)
    assert code_of(talk.check_module) == "CARD-SAM-UNAUTHORISED"
    module.fail(STATUS, 0x60)
    assert code_of(talk.check_module) == "CARD-SAM-BROKEN"
    assert module.asked == [SAM_ID, STATUS, STATUS, STATUS, STATUS]


# Code of the module -> what the clerk is told when reading ends with it, the card still lying there.
TOLD = {
    0x01: "CARD-NO-READER",
    0x02: "CARD-TIMEOUT",
    0x03: "CARD-LINE",
    0x05: "CARD-NO-READER",
    0x10: "CARD-LINE",
    0x11: "CARD-LINE",
    0x21: "CARD-COMMAND",
    0x23: "CARD-COMMAND",
    0x24: "CARD-READER-ERROR",
    0x31: "CARD-REFUSED",
    0x32: "CARD-REFUSED",
    0x33: "CARD-CONTENT",
    0x34: "CARD-NONE",
    0x37: "CARD-CONTENT",
    0x3F: "CARD-UNREADABLE",
    0x40: "CARD-UNKNOWN",
    0x41: "CARD-MOVED",
    0x47: "CARD-MOVED",
    0x60: "CARD-SAM-BROKEN",
    0x66: "CARD-SAM-UNAUTHORISED",
    0x80: "CARD-NONE",
    0x81: "CARD-MOVED",
    0x91: "CARD-NO-DATA",
    0x77: "CARD-READER-ERROR",  # in no table
}


def test_every_code_has_a_meaning() -> None:
    assert {code: codes.failure(code).code for code in TOLD} == TOLD
    assert codes.MEANINGS.keys() == TOLD.keys() - {0x77}


@pytest.mark.parametrize("code", TOLD)
def test_every_code_becomes_a_failure_with_a_sentence(module: SdtModule, talk: Talk, code: int) -> None:
    module.lay(RESIDENT.chip)
    for command in (SELECT, READ):
        module.fail(command, code, times=2)
        assert talk.find()
        assert code_of(lambda: read_found(talk, Wanted())) == TOLD[code]
        module.lay(RESIDENT.chip)
        module._faults.clear()
    assert read(talk) == RESIDENT.record


def test_a_code_that_is_not_about_a_found_card(module: SdtModule, talk: Talk) -> None:
    for code in (0x80, 0x34):
        module.fail(FIND, code)
        assert not talk.find()
    module.fail(FIND, 0x60)
    assert code_of(talk.find) == "CARD-SAM-BROKEN"


PASSING = [Fault.CHECK, Fault.CUT_OFF, Fault.TOO_LONG, Fault.SILENCE, Fault.TIME_OUT, 0x10, 0x11, 0x41, 0x81]
LASTING = [
    (Fault.CHECK, "CARD-LINE"),
    (Fault.CUT_OFF, "CARD-LINE"),
    (Fault.TOO_LONG, "CARD-LINE"),
    (Fault.SILENCE, "CARD-TIMEOUT"),
    (Fault.TIME_OUT, "CARD-TIMEOUT"),
]


@pytest.mark.parametrize("command", [FIND, SELECT, READ])
@pytest.mark.parametrize("fault", PASSING)
def test_one_disturbance_is_read_over_from_finding_on(
    module: SdtModule, talk: Talk, fault: Fault | int, command: bytes
) -> None:
    module.lay(RESIDENT.chip)
    module.fail(command, fault)

    assert read(talk) == RESIDENT.record
    assert module.asked[-4:] == [FIND, SELECT, READ, READ_ADDRESS]
    assert module.asked.count(command) == 2


@pytest.mark.parametrize("command", [FIND, SELECT, READ])
@pytest.mark.parametrize(("fault", "code"), LASTING)
def test_two_disturbances_are_a_failure(
    module: SdtModule, talk: Talk, fault: Fault, code: str, command: bytes
) -> None:
    module.lay(RESIDENT.chip)
    module.fail(command, fault, times=2)

    assert code_of(lambda: read(talk)) == code


@pytest.mark.parametrize("fault", [Fault.NOISE, Fault.SLOW])
def test_noise_and_slowness_are_no_disturbance(
    module: SdtModule, wire: Wire, talk: Talk, fault: Fault
) -> None:
    wire.byte_seconds = 0.002  # 1,300 bytes: longer than the time-out
    module.lay(RESIDENT.chip)
    for command in (FIND, SELECT, READ):
        module.fail(command, fault)

    assert read(talk) == RESIDENT.record
    assert module.asked == [FIND, SELECT, READ, READ_ADDRESS]


def test_a_line_that_chatters_without_end_is_given_up(wire: Wire, talk: Talk) -> None:
    class Chatter(deque[bytes]):
        def popleft(self) -> bytes:
            return b"\xaa"

        def clear(self) -> None: ...

    wire.byte_seconds = 0.01
    wire.coming = Chatter([b"\xaa"])

    assert code_of(lambda: talk.ask(exchange.FIND)) == "CARD-TIMEOUT"
    assert wire.now < 6


def test_the_second_attempt_follows_without_a_pause(module: SdtModule, wire: Wire, talk: Talk) -> None:
    module.lay(RESIDENT.chip)
    module.fail(READ, 0x41)
    module.fail(SELECT, Fault.TIME_OUT)

    assert code_of(lambda: read(talk)) == "CARD-MOVED"
    assert wire.waited == 0


@pytest.mark.parametrize("command", [exchange.FIND, exchange.SELECT, exchange.READ, exchange.READ_ADDRESS])
def test_silence_is_waited_for_as_long_as_the_command_may_take(
    module: SdtModule, wire: Wire, talk: Talk, command: Command
) -> None:
    module.fail(command.content, Fault.SILENCE)

    assert code_of(lambda: talk.ask(command)) == "CARD-TIMEOUT"
    assert wire.waited == pytest.approx(command.seconds)


def test_the_times_readers_need() -> None:
    """Of public implementations: reading 2.0 s, with fingerprint 3.0 s, address 1.5 s, others 0.1 s."""
    assert exchange.READ.seconds == 2.0
    assert exchange.READ_FINGERPRINT.seconds == 3.0
    assert exchange.READ_ADDRESS.seconds == 1.5
    assert exchange.FIND.seconds == exchange.SELECT.seconds == 0.5


def test_the_modules_own_time_out_is_not_waited_out(module: SdtModule, wire: Wire, talk: Talk) -> None:
    module.fail(READ, Fault.TIME_OUT)

    assert code_of(lambda: talk.ask(exchange.READ)) == "CARD-TIMEOUT"
    assert wire.waited == 0


@pytest.mark.parametrize("fault", [Fault.CHECK, Fault.TOO_LONG])
def test_a_damaged_answer_is_not_waited_out(module: SdtModule, wire: Wire, talk: Talk, fault: Fault) -> None:
    module.fail(READ, fault)

    assert code_of(lambda: talk.ask(exchange.READ)) == "CARD-LINE"
    assert wire.waited < 0.3  # until the line is quiet


def test_an_answer_that_comes_too_late_is_not_taken_for_the_next(
    module: SdtModule, wire: Wire, talk: Talk
) -> None:
    module.lay(RESIDENT.chip)
    wire.coming.append(encode(bytes.fromhex("000080")))  # before the question: thrown away
    assert talk.find()

    late = encode(bytes.fromhex("00009F00000000"))
    answers = wire.write

    def write(data: bytes) -> None:  # after the question: does not fit
        wire.coming.append(late)
        answers(data)

    wire.write = write  # type: ignore[method-assign]
    assert read_found(talk, Wanted())[1] == RESIDENT.record


def test_only_answers_to_something_else(wire: Wire, talk: Talk) -> None:
    wire.write = lambda _: wire.coming.append(encode(bytes.fromhex("000090")))  # type: ignore[method-assign]

    assert code_of(lambda: talk.ask(exchange.READ)) == "CARD-LINE"


@pytest.mark.parametrize("command", [SELECT, READ])
@pytest.mark.parametrize("finds_again", [True, False])
def test_a_card_pulled_while_it_is_read(wire: Wire, talk: Talk, command: bytes, finds_again: bool) -> None:
    wire.module = module = SdtModule(finds_again=finds_again)
    module.lay(RESIDENT.chip)
    module.fail(command, Fault.PULLED)

    assert code_of(lambda: read(talk, Wanted(finds_again=finds_again))) == "CARD-PULLED"


@pytest.mark.parametrize("command", [SELECT, READ])
def test_a_card_pulled_in_the_second_attempt(module: SdtModule, talk: Talk, command: bytes) -> None:
    module.lay(RESIDENT.chip)
    module.fail(command, Fault.CHECK)
    module.fail(command, Fault.PULLED)

    assert code_of(lambda: read(talk)) == "CARD-PULLED"


def test_a_lost_answer_of_a_reader_that_finds_once_is_not_a_pulled_card(wire: Wire, talk: Talk) -> None:
    wire.module = module = SdtModule(finds_again=False)
    module.lay(RESIDENT.chip)
    module.fail(READ, Fault.CHECK)

    assert code_of(lambda: read(talk, Wanted(finds_again=False))) == "CARD-LINE"

    wire.module = module = SdtModule()  # one that finds again: then it is
    module.lay(RESIDENT.chip)
    module.fail(READ, Fault.CHECK)
    assert talk.find()
    module.fail(FIND, 0x80)
    assert code_of(lambda: read_found(talk, Wanted())) == "CARD-PULLED"


def test_failures_hold_no_personal_data(module: SdtModule, talk: Talk) -> None:
    module.lay(RESIDENT.chip)
    for fault in (*PASSING, 0x33):
        module.fail(READ, fault, times=2)
        with pytest.raises(Failure) as raised:
            read(talk)
        assert RESIDENT.record.name not in str(raised.value)
        assert RESIDENT.record.number not in str(raised.value)
        assert len(raised.value.detail) < 80
