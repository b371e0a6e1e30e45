"""Sets of kinds as whole numbers: bit n stands for the kind with index n, the most used kinds lowest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence


def packed(members: Iterable[int]) -> bytes:
    """The set of `members` as it is stored: little-endian, bit 0 first."""
    buffer = bytearray()
    for member in members:
        if member >> 3 >= len(buffer):
            buffer.extend(bytes((member >> 3) + 1 - len(buffer)))
        buffer[member >> 3] |= 1 << (member & 7)
    return bytes(buffer)


def unpacked(stored: bytes) -> int:
    """A stored set."""
    return int.from_bytes(stored, "little")


def members(bits: int) -> Iterator[int]:
    """The members, lowest first."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def held_by_most(sets: Sequence[int], least: int) -> Iterator[int]:
    """The members of at least `least` of `sets`, those of most sets first.

    Counts for all kinds at once: plane i of the counter holds bit i of every kind's count.
    """
    planes: list[int] = []
    for carry in sets:
        for i, plane in enumerate(planes):
            planes[i], carry = plane ^ carry, plane & carry  # noqa: PLW2901 - the carry ripples up
        if carry:
            planes.append(carry)
    for count in range(min(len(sets), (1 << len(planes)) - 1), least - 1, -1):
        exact = -1
        for i, plane in enumerate(planes):
            exact &= plane if count >> i & 1 else ~plane
        if exact > 0:
            yield from members(exact)
