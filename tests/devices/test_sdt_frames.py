"""Frames byte by byte, and finding them in streams as serial lines deliver them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clerk_app.devices.card.sdt.frames import (
    LARGEST,
    PREAMBLE,
    SMALLEST_REQUEST,
    TIME_OUT_FRAME,
    Damage,
    FrameReader,
    encode,
    frame_length,
)

NO_CARD = bytes.fromhex("AAAAAA9669 0004 000080 84")
FOUND = bytes.fromhex("AAAAAA9669 0008 00009F 00000000 97")


@pytest.mark.parametrize(
    ("content", "frame"),
    [
        ("10FF", "AAAAAA9669000310FFEC"),
        ("11FF", "AAAAAA9669000311FFED"),
        ("12FF", "AAAAAA9669000312FFEE"),
        ("2001", "AAAAAA96690003200122"),
        ("2002", "AAAAAA96690003200221"),
        ("3001", "AAAAAA96690003300132"),
        ("3010", "AAAAAA96690003301023"),
        ("3003", "AAAAAA96690003300330"),
        ("6000", "AAAAAA96690003600063"),
        ("61FF50", "AAAAAA9669000461FF50CA"),
        ("00009F00000000", FOUND.hex()),
        ("000080", NO_CARD.hex()),
        ("0000900000000000000000", "AAAAAA9669000C00009000000000000000009C"),
    ],
)
def test_frames_as_readers_have_them(content: str, frame: str) -> None:
    assert encode(bytes.fromhex(content)) == bytes.fromhex(frame)
    assert FrameReader(SMALLEST_REQUEST).feed(bytes.fromhex(frame)) == (bytes.fromhex(content),)


@pytest.mark.parametrize("length", [1, LARGEST])
def test_no_frame_holds_that(length: int) -> None:
    with pytest.raises(ValueError, match="content of"):
        encode(bytes(length))


def test_two_frames_in_one_read_and_noise_around_them() -> None:
    stream = b"\0\xaa\xaa" + NO_CARD + b"\xff\xaa\xaa\xaa" + FOUND + b"\xaa"

    assert FrameReader().feed(stream) == (NO_CARD[7:-1], FOUND[7:-1])


def test_a_wrong_check_byte_is_damage_and_the_next_frame_is_found() -> None:
    assert FrameReader().feed(NO_CARD[:-1] + b"\0" + FOUND) == (Damage.CHECK, FOUND[7:-1])


@pytest.mark.parametrize("length", [0, 3, LARGEST + 1, 0xFFFF])
def test_a_length_no_frame_has_is_damage_at_once(length: int) -> None:
    stream = PREAMBLE + length.to_bytes(2, "big") + FOUND

    assert FrameReader().feed(stream) == (Damage.LENGTH, FOUND[7:-1])


def test_half_a_frame_does_not_swallow_the_whole_one_behind_it() -> None:
    reader = FrameReader()

    assert reader.feed(FOUND[:9] + NO_CARD) == (Damage.CHECK, NO_CARD[7:-1])

    half = encode(bytes(1000))[:50]
    assert reader.feed(half + FOUND + NO_CARD) == ()  # it still waits for its rest
    assert reader.give_up() == (Damage.LENGTH, FOUND[7:-1], NO_CARD[7:-1])
    assert reader.feed(NO_CARD) == (NO_CARD[7:-1],)


def test_giving_up_on_a_piece_of_a_preamble_is_no_damage() -> None:
    reader = FrameReader()
    reader.feed(PREAMBLE[:4])

    assert reader.give_up() == ()
    assert reader.feed(PREAMBLE[4:] + NO_CARD) == (NO_CARD[7:-1],)


def test_a_preamble_inside_a_frame_is_its_content() -> None:
    content = bytes(3) + PREAMBLE + NO_CARD

    assert FrameReader().feed(encode(content)) == (content,)


def test_the_malformed_time_out_frame_is_known_without_waiting_for_its_rest() -> None:
    assert FrameReader().feed(TIME_OUT_FRAME) == (Damage.TIME_OUT,)
    assert FrameReader().feed(TIME_OUT_FRAME + FOUND) == (Damage.TIME_OUT, FOUND[7:-1])


contents = st.binary(min_size=SMALLEST_REQUEST, max_size=200)
# Noise that holds a whole preamble can claim bytes of the frame behind it; that is tested above.
noise = st.binary(max_size=30).filter(lambda data: PREAMBLE[-1] not in data) | st.sampled_from(
    [PREAMBLE[:n] for n in range(len(PREAMBLE))]
)


@given(st.lists(st.tuples(noise, contents), max_size=6), st.lists(st.integers(1, 40), min_size=1))
def test_any_cutting_of_frames_with_noise_between_gives_the_same_frames(
    parts: list[tuple[bytes, bytes]], cuts: list[int]
) -> None:
    stream = b"".join(rubbish + encode(content) for rubbish, content in parts)
    reader, found = FrameReader(), []
    while stream:
        size = cuts[len(stream) % len(cuts)]
        found += reader.feed(stream[:size])
        stream = stream[size:]

    wanted = [content for _, content in parts]
    assert found == [each if encode(each)[:10] != TIME_OUT_FRAME else Damage.TIME_OUT for each in wanted]


@given(st.lists(st.binary(max_size=60) | st.sampled_from([PREAMBLE, TIME_OUT_FRAME, FOUND, NO_CARD[:8]])))
def test_any_bytes_end_in_outcomes_and_little_is_kept(pieces: list[bytes]) -> None:
    reader, whole = FrameReader(), FrameReader()
    found = [outcome for piece in pieces for outcome in reader.feed(piece)]

    assert tuple(found) == whole.feed(b"".join(pieces))
    assert len(reader._kept) < len(PREAMBLE) + 2 + LARGEST
    reader.give_up()
    assert reader._kept == b""


def test_a_stream_without_end_is_not_kept() -> None:
    reader = FrameReader()
    for _ in range(100):
        reader.feed(bytes(1000) + PREAMBLE[:2])
    assert len(reader._kept) < len(PREAMBLE)
    for _ in range(100):
        reader.feed(bytes(1000) + PREAMBLE)

    assert len(reader._kept) < len(PREAMBLE) + 2 + LARGEST


@pytest.mark.parametrize("kept", [7, 100, 1295])
def test_the_beginning_of_a_frame_tells_how_long_it_is(kept: int) -> None:
    assert frame_length(encode(bytes(1287))[:kept]) == 1295


@pytest.mark.parametrize(
    "beginning", [b"", PREAMBLE + b"\x05", b"\0" + encode(b"abc"), TIME_OUT_FRAME, PREAMBLE + b"\xff\xff\0"]
)
def test_no_length_is_made_up(beginning: bytes) -> None:
    assert frame_length(beginning) == 0
