"""PC/SC as we need it: contexts, reader states and one connected card, with errors as exceptions.

A thin layer over `smartcard.scard`, the raw interface of pyscard: its high-level card monitor ends silently
when the service goes away or an observer raises. Nothing here keeps state; a context belongs to one thread.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from smartcard import scard

UNAWARE: int = scard.SCARD_STATE_UNAWARE
PLUG_AND_PLAY = r"\\?PnP?\Notification"  # a pseudo reader whose state changes when readers come or go

Context = Any  # an opaque handle of the service

_NO_CHANGE = frozenset({scard.SCARD_E_TIMEOUT, scard.SCARD_E_CANCELLED})
_PROTOCOLS = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
_COUNTER_SHIFT = 16


class PcscError(Exception):
    """PC/SC said no; `code` is its SCARD_E_… value, the message is PC/SC's own."""

    def __init__(self, code: int) -> None:
        super().__init__(f"{scard.SCardGetErrorMessage(code)} ({code & 0xFFFFFFFF:08X})")
        self.code = code


@dataclass(frozen=True, slots=True)
class ReaderNow:
    """A reader at one moment: its state word and the ATR of the card on it, if any."""

    state: int
    atr: bytes

    @property
    def counter(self) -> int:
        return counter(self.state)


@contextmanager
def open_context() -> Iterator[Context]:
    """A context of the service, released at the end."""
    code, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    _check(code)
    try:
        yield context
    finally:
        scard.SCardReleaseContext(
            context
        )  # fails when the service has gone; then there is nothing to release


def readers(context: Context) -> tuple[str, ...]:
    """Names of the readers, the pseudo reader not among them."""
    code, names = scard.SCardListReaders(context, [])
    if code == scard.SCARD_E_NO_READERS_AVAILABLE:
        return ()
    _check(code)
    return tuple(names)


def wait(context: Context, known: Mapping[str, int], seconds: float) -> Mapping[str, ReaderNow]:
    """Wait until a reader's state differs from the `known` one; empty when none did or `cancel` came.

    A reader that vanished meanwhile is SCARD_E_UNKNOWN_READER: list again.
    """
    code, states = scard.SCardGetStatusChange(context, int(seconds * 1000), list(known.items()))
    if code in _NO_CHANGE:
        return {}
    _check(code)
    return {name: ReaderNow(state & ~scard.SCARD_STATE_CHANGED, bytes(atr)) for name, state, atr in states}


def look(context: Context, reader: str) -> ReaderNow:
    """The reader as it is now."""
    return wait(context, {reader: UNAWARE}, 0)[reader]


def counter_moves(context: Context, reader: str, since: int, seconds: float) -> bool:
    """Whether a card came or went after counter `since`; the service has `seconds` to notice."""
    deadline = time.monotonic() + seconds
    now = look(context, reader)
    while now.counter == since and (left := deadline - time.monotonic()) > 0:
        now = wait(context, {reader: now.state}, left).get(reader, now)
    return now.counter != since


def cancel(context: Context) -> None:
    """End a `wait` on `context` from another thread. One that has not begun yet is not ended."""
    scard.SCardCancel(context)


def counter(state: int) -> int:
    """How often a card came or went: the service counts in the upper half of the state word."""
    return state >> _COUNTER_SHIFT


def present(state: int) -> bool:
    return bool(state & scard.SCARD_STATE_PRESENT)


def exclusive(state: int) -> bool:
    """Whether a program holds the card for itself alone."""
    return bool(state & scard.SCARD_STATE_EXCLUSIVE)


class Card:
    """A connected card inside a transaction."""

    def __init__(self, handle: Any, protocol: int) -> None:
        self._handle = handle
        self._protocol = scard.SCARD_PCI_T0 if protocol == scard.SCARD_PROTOCOL_T0 else scard.SCARD_PCI_T1

    def transmit(self, command: bytes) -> bytes:
        code, response = scard.SCardTransmit(self._handle, self._protocol, list(command))
        _check(code)
        return bytes(value & 0xFF for value in response)


@contextmanager
def connect(context: Context, reader: str) -> Iterator[Card]:
    """The card on `reader`, ours alone until the end; left as it is, or reset when the body raises."""
    code, handle, protocol = scard.SCardConnect(context, reader, scard.SCARD_SHARE_SHARED, _PROTOCOLS)
    _check(code)
    ending = scard.SCARD_RESET_CARD
    try:
        _check(scard.SCardBeginTransaction(handle))
        yield Card(handle, protocol)
        ending = scard.SCARD_LEAVE_CARD
    finally:
        scard.SCardEndTransaction(handle, scard.SCARD_LEAVE_CARD)
        scard.SCardDisconnect(handle, ending)


def _check(code: int) -> None:
    if code != scard.SCARD_S_SUCCESS:
        raise PcscError(code)
