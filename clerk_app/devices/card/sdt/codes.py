"""What the codes of the security module mean to the clerk.

The third status byte of an answer, and the codes of the computer's side of the exchange (01, 02, 03, 05),
which are never on the wire but come out of vendors' libraries. Source: GA 467-2013, as several readers have
it.
"""

from __future__ import annotations

from collections.abc import Mapping

from clerk_app.failures import Failure

DONE = 0x90
NO_SUCH_ITEM = 0x91
FOUND = 0x9F
NONE = frozenset({0x80, 0x34})  # no card found; no card found yet

MEANINGS: Mapping[int, str] = {
    0x01: "CARD-NO-READER",  # port error
    0x02: "CARD-TIMEOUT",  # nothing received in time
    0x03: "CARD-LINE",  # transfer error
    0x05: "CARD-NO-READER",  # the module's port cannot be opened
    0x10: "CARD-LINE",  # the module received a wrong check byte
    0x11: "CARD-LINE",  # the module received a wrong length
    0x21: "CARD-COMMAND",  # unknown command or parameter
    0x23: "CARD-COMMAND",  # not permitted
    0x24: "CARD-READER-ERROR",  # unknown error
    0x31: "CARD-REFUSED",  # the card refused the module
    0x32: "CARD-REFUSED",  # the module refused the card
    0x33: "CARD-CONTENT",  # information did not pass its verification
    0x34: "CARD-NONE",  # no card found yet
    0x37: "CARD-CONTENT",  # fingerprints did not pass their verification
    0x3F: "CARD-UNREADABLE",  # wrong length of information
    0x40: "CARD-UNKNOWN",  # a card of another type
    0x41: "CARD-MOVED",  # reading failed
    0x47: "CARD-MOVED",  # the card gave no random number
    0x60: "CARD-SAM-BROKEN",  # self-test failed, no commands accepted
    0x66: "CARD-SAM-UNAUTHORISED",
    0x80: "CARD-NONE",  # finding failed
    0x81: "CARD-MOVED",  # selecting failed
    0x91: "CARD-NO-DATA",  # the card has no such item
}


def failure(code: int, detail: str = "") -> Failure:
    """The failure a code means; one not in the table is an error of the reader."""
    return Failure(MEANINGS.get(code, "CARD-READER-ERROR"), detail or f"code {code:02X}")
