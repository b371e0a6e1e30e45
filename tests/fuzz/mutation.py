"""Inputs from a seed: pieces of the corpus, bent in the ways that parsers break on."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

MOST_BYTES = 4096
_SIZES = (0, 1, 2, 3, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 255, 256, 257, 1023, 1024)
_BYTES = (0x00, 0x01, 0x09, 0x0A, 0x10, 0x1B, 0x1D, 0x20, 0x22, 0x5C, 0x7F, 0x80, 0xAA, 0xFE, 0xFF)
_WORDS = (
    b"\xaa\xaa\xaa\x96\x69",
    b"\x90\x00",
    b"\xff\xff\xff\xff",
    b"\x00\x00\x00\x00",
    b"\xed\xa0\x80",  # a lone surrogate, as UTF-8 must not say it
    b"\xf0\xa0\xae\xb7",  # U+20BB7
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\x81\x30\x81\x30",  # four bytes of GB18030
    b"1" * 400,
    b"-1",
    b"1e999",
    b"9999-12-31",
    b"0000-00-00",
    b"{" * 40,
    b"[" * 40,
    b"]",
    b'"',
    b"||",
    b"\r\n",
    b"NaN",
    b"null",
)


def fresh(random: Random, corpus: Sequence[bytes]) -> bytes:
    """One input: a member of `corpus` with a few changes, now and then a heap of bytes."""
    if random.random() < 0.05:
        return random.randbytes(random.choice(_SIZES))
    data = bytearray(random.choice(corpus))
    for _ in range(random.choice((1, 1, 2, 3, 5, 8))):
        _bend(random, data, corpus)
    return bytes(data[:MOST_BYTES])


def _bend(random: Random, data: bytearray, corpus: Sequence[bytes]) -> None:
    place = random.randrange(len(data) + 1)
    length = min(random.choice(_SIZES), len(data) - place)
    match random.randrange(9):
        case 0 if place < len(data):
            data[place] ^= 1 << random.randrange(8)
        case 1 if place < len(data):
            data[place] = random.choice(_BYTES)
        case 2:
            data[place:place] = random.randbytes(random.choice((1, 2, 4, 16)))
        case 3:
            del data[place : place + length]
        case 4:
            data[place:place] = data[place : place + length] * random.choice((1, 2, 20))
        case 5:
            data[place:place] = random.choice(_WORDS)
        case 6:
            other = random.choice(corpus)
            start = random.randrange(len(other) + 1)
            data[place:place] = other[start : start + random.choice(_SIZES)]
        case 7:
            del data[place:]
        case _ if place < len(data):
            data[place] = random.randrange(256)
