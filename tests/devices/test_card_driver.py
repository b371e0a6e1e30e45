"""The pseudo-APDU driver and the monitor's decisions, without a reader."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clerk_app.devices.card.monitor import Move, moves
from clerk_app.devices.card.pseudo_apdu import IdentityCard, PseudoApduTable, read_stream, table_from_settings
from clerk_app.devices.card.status_words import PERHAPS_PULLED
from clerk_app.failures import Failure

TEXT = bytes(range(256))
PHOTO = bytes(reversed(range(256))) * 4
STREAM = bytes.fromhex("01000400") + TEXT + PHOTO


class StorageCard:
    """Answers READ BINARY by offset and keeps the commands it got."""

    def __init__(self, stream: bytes = STREAM, *, padded: bool = False) -> None:
        self.commands: list[bytes] = []
        self._stream = stream + bytes(256) * padded

    def __call__(self, command: bytes) -> bytes:
        self.commands.append(command)
        offset = int.from_bytes(command[2:4], "big")
        return self._stream[offset : offset + (command[4] or 256)] + b"\x90\x00"


def test_six_pages_by_byte_offset() -> None:
    card = StorageCard()

    assert read_stream(card, PseudoApduTable()) == (TEXT, PHOTO)
    assert [command.hex(" ").upper() for command in card.commands] == [
        "FF B0 00 00 00",
        "FF B0 01 00 00",
        "FF B0 02 00 00",
        "FF B0 03 00 00",
        "FF B0 04 00 00",
        "FF B0 05 00 00",
    ]


@given(st.integers(1, 256), st.booleans())
def test_any_page_length_reads_the_same(page: int, padded: bool) -> None:
    assert read_stream(StorageCard(padded=padded), PseudoApduTable(page=page)) == (TEXT, PHOTO)


def test_a_card_without_a_photo() -> None:
    assert read_stream(StorageCard(STREAM[:260] + bytes(1024)), PseudoApduTable()) == (TEXT, None)


def test_a_reader_that_names_the_length_it_has_is_asked_for_that() -> None:
    card = StorageCard()

    def transmit(command: bytes) -> bytes:
        if command[2] == 5 and command[4] == 0:
            return b"\x6c\x04"
        return card(command)

    assert read_stream(transmit, PseudoApduTable()) == (TEXT, PHOTO)
    assert card.commands[-1] == bytes.fromhex("FFB0050004")


def test_a_reader_that_warns_of_the_end_is_believed() -> None:
    card = StorageCard()

    assert read_stream(lambda command: card(command)[:-2] + b"\x62\x82", PseudoApduTable())[0] == TEXT


@given(st.lists(st.binary(max_size=300), min_size=12, max_size=12))
def test_any_answers_are_a_card_or_a_failure(answers: list[bytes]) -> None:
    try:
        text, _ = read_stream(lambda _: answers.pop(), PseudoApduTable())
    except Failure as failure:
        assert failure.code in PERHAPS_PULLED
    else:
        assert len(text) == 256


def test_the_table_comes_from_the_settings() -> None:
    settings = {"cla": 0x80, "page": 128, "atr_mark": "AA BB", "atr_mark_offset": 4, "header": ""}

    table = table_from_settings(settings)

    assert table == PseudoApduTable(cla=0x80, page=128, atr_mark=b"\xaa\xbb", atr_mark_offset=4, header=b"")
    assert table_from_settings({}) == PseudoApduTable()
    assert read_stream(StorageCard(TEXT + PHOTO), table) == (TEXT, PHOTO)
    assert table.recognises(bytes.fromhex("3B000000AABB"))
    assert not table.recognises(bytes.fromhex("3B0000AABB00"))
    assert not table.recognises(b"")


@pytest.mark.parametrize(("step", "page", "last"), [(4, 16, 321 // 4 * 4), (128, 128, 10), (1, 240, 1200)])
def test_an_offset_in_units_of_the_reader(step: int, page: int, last: int) -> None:
    asked: list[int] = []

    def transmit(command: bytes) -> bytes:
        asked.append(int.from_bytes(command[2:4], "big"))
        return STREAM[asked[-1] * step :][: command[4]].ljust(page, b"\0") + b"\x90\x00"

    table = table_from_settings({"offset_step": step, "page": page})

    assert read_stream(transmit, table) == (TEXT, PHOTO)
    assert asked[-1] == last


@pytest.mark.parametrize(
    ("settings", "stream", "expected"),
    [
        ({"stream_length": 260}, STREAM[:260], (TEXT, None)),  # a reader that hands out no photo
        ({"stream_length": 1000}, STREAM[:1000], (TEXT, None)),  # or only a part of one
        (
            {"stream_length": 2310, "header_length": 6},
            STREAM[:4] + b"\4\0" + STREAM[4:] + PHOTO,
            (TEXT, PHOTO),
        ),
        ({"header": "", "header_length": 7}, b"variant" + STREAM[4:], (TEXT, PHOTO)),
    ],
)
def test_a_stream_of_another_shape(
    settings: dict[str, Any], stream: bytes, expected: tuple[bytes, bytes | None]
) -> None:
    assert read_stream(StorageCard(stream), table_from_settings(settings)) == expected


def test_a_card_without_a_mark_that_refuses_the_command_is_another_card() -> None:
    for word in ("6D00", "6E00"):
        with pytest.raises(Failure, match="CARD-UNKNOWN"):
            IdentityCard(PseudoApduTable(atr_mark=b"")).read(lambda _, word=word: bytes.fromhex(word))
    with pytest.raises(Failure, match="CARD-COMMAND"):
        IdentityCard().read(lambda _: bytes.fromhex("6D00"))  # marked: the table is wrong


@pytest.mark.parametrize(
    "settings",
    [
        {"port": 1},
        {"cla": 256},
        {"ins": -1},
        {"page": 0},
        {"page": 257},
        {"page": True},
        {"page": "256"},
        {"atr_mark": "9"},
        {"atr_mark": 9000},
        {"atr_mark_offset": 33},
    ],
)
def test_settings_that_cannot_be_meant(settings: dict[str, Any]) -> None:
    with pytest.raises(Failure, match=f"SETTINGS-INVALID.*reader.{next(iter(settings))}"):
        table_from_settings(settings)


EMPTY, PRESENT, IN_USE = 0x10, 0x20, 0x122


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (0, EMPTY, (Move.TAKEN,)),
        (0, 0x30000 | PRESENT, (Move.LAID,)),
        (EMPTY, 0x10000 | PRESENT, (Move.LAID,)),
        (0x10000 | PRESENT, 0x20000 | EMPTY, (Move.TAKEN,)),
        (0x10000 | PRESENT, 0x10000 | IN_USE, ()),
        (0x10000 | PRESENT, 0x30000 | PRESENT, (Move.TAKEN, Move.LAID)),  # swapped between two looks
        (0x20000 | EMPTY, 0x40000 | EMPTY, (Move.LAID, Move.TAKEN)),  # laid and taken between two looks
        (0xFFFF0000 | EMPTY, 0x0 | PRESENT, (Move.LAID,)),  # the counter starts again
    ],
)
def test_what_happened_between_two_looks(before: int, now: int, expected: tuple[Move, ...]) -> None:
    assert moves(before, now) == expected
