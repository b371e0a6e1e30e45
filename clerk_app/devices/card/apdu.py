"""One command to a card and its whole answer, whatever the transmission protocol makes of it."""

from __future__ import annotations

from collections.abc import Callable

Transmit = Callable[[bytes], bytes]  # command APDU -> response with its two status bytes

_MORE = 0x61  # so many bytes wait (T=0)
_WRONG_LENGTH = 0x6C  # it says what it has
_GET_RESPONSE = bytes.fromhex("00C00000")
_PIECES = 8  # more than any answer of ours has; a card that always has more does not hold us up


def ask(transmit: Transmit, command: bytes) -> tuple[bytes, bytes]:
    """Data and status of `command`, a case 1 to 3 APDU whose last byte is Le where data is expected.

    61 xx is followed by GET RESPONSE, 6C xx by the same command with that length (ISO/IEC 7816-3). A response
    without a status gives an empty one. What `transmit` raises goes through.
    """
    answer = transmit(command)
    if len(answer) == 2 and answer[0] == _WRONG_LENGTH:
        answer = transmit(command[:4] + answer[1:])
    data, status = answer[:-2], answer[-2:]
    for _ in range(_PIECES):
        if len(status) < 2 or status[0] != _MORE:
            break
        answer = transmit(_GET_RESPONSE + status[1:])
        data, status = data + answer[:-2], answer[-2:]
    return (data, status) if len(status) == 2 else (b"", b"")
