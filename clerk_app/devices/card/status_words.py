"""What the two status bytes of a card's answer mean for the clerk: one table for every PC/SC driver.

Source: ISO/IEC 7816-4, table 5 and following, and PC/SC part 3 for readers that play a storage card. The more
exact entry wins: a whole status word before its first byte.
"""

from __future__ import annotations

from collections.abc import Mapping

from clerk_app.failures import Failure

UNREADABLE = "CARD-UNREADABLE"
MOVED = "CARD-MOVED"
CHIP = "CARD-CHIP"
BLOCKED = "CARD-BLOCKED"
REFUSED = "CARD-REFUSED"
NO_DATA = "CARD-NO-DATA"
COMMAND = "CARD-COMMAND"

# What a card that has just been taken away may look like, until the service notices.
PERHAPS_PULLED = frozenset({UNREADABLE, MOVED, CHIP, BLOCKED, REFUSED, NO_DATA, COMMAND})

_WORDS: Mapping[int, str] = {
    0x6283: BLOCKED,  # the file or application chosen is invalidated
    0x6285: BLOCKED,  # it is terminated
    0x63C0: BLOCKED,  # no attempt is left
    0x6581: CHIP,  # its memory failed
    0x6981: NO_DATA,  # the command does not fit this kind of file
    0x6982: REFUSED,  # security status not satisfied
    0x6983: BLOCKED,  # authentication blocked
    0x6984: BLOCKED,  # reference data unusable
    0x6985: REFUSED,  # conditions of use not satisfied
    0x6A80: COMMAND,  # parameters in the data field
    0x6A81: COMMAND,  # function not supported
    0x6A82: NO_DATA,  # file or application not found
    0x6A83: NO_DATA,  # record not found
    0x6A86: COMMAND,  # parameters P1 P2
    0x6A88: NO_DATA,  # data not found
}
_CLASSES: Mapping[int, str] = {
    0x62: UNREADABLE,  # warning, nothing changed: what was returned may be corrupted
    0x63: UNREADABLE,  # warning; 6300 is what storage-card readers answer for a chip that does not
    0x64: MOVED,  # execution failed, nothing changed: the field broke off, or the chip was mute
    0x65: CHIP,  # execution failed, memory changed
    0x66: REFUSED,  # a matter of security
    0x67: COMMAND,  # length
    0x68: COMMAND,  # functions of the class byte
    0x69: REFUSED,  # command not allowed
    0x6A: COMMAND,
    0x6B: COMMAND,  # an offset outside the file
    0x6C: COMMAND,  # length, though it was repeated with the one asked for
    0x6D: COMMAND,  # instruction unknown
    0x6E: COMMAND,  # class unknown
    0x6F: UNREADABLE,  # no precise diagnosis
}
_DONE = frozenset({b"\x90\x00", b"\x62\x82"})  # the second: the file ended before the length asked for


def done(status: bytes) -> bool:
    """Whether the command was carried out and its data can be used."""
    return status in _DONE


def code(status: bytes) -> str:
    """The failure code of a status word that is not `done`; an unknown or missing one is CARD-UNREADABLE."""
    if len(status) != 2:
        return UNREADABLE
    word = int.from_bytes(status, "big")
    if status[0] == 0x63 and 0xC1 <= status[1] <= 0xCF:
        return REFUSED  # a PIN is asked for; so many attempts are left
    return _WORDS.get(word) or _CLASSES.get(status[0], UNREADABLE)


def failure(where: str, status: bytes) -> Failure:
    """The failure to raise; `where` is for IT and names the command, never what the card says."""
    return Failure(code(status), f"{where}: status {status.hex().upper() or 'missing'}")
