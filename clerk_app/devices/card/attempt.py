"""One attempt to read the card on a PC/SC reader, and what PC/SC's own errors mean for the clerk."""

from __future__ import annotations

from collections.abc import Sequence

from smartcard import scard

from clerk_app.devices.card import pcsc, status_words
from clerk_app.devices.card.choice import CardDriver, fitting, read_with
from clerk_app.devices.card.reading import PULLED
from clerk_app.domain.applicant import CardRecord
from clerk_app.failures import Failure

BUSY = "CARD-BUSY"

_CODES = {
    scard.SCARD_W_REMOVED_CARD: PULLED,
    scard.SCARD_E_NO_SMARTCARD: PULLED,
    scard.SCARD_E_SHARING_VIOLATION: BUSY,
    scard.SCARD_W_RESET_CARD: BUSY,
    scard.SCARD_W_UNRESPONSIVE_CARD: status_words.UNREADABLE,
    scard.SCARD_W_UNPOWERED_CARD: status_words.UNREADABLE,
    scard.SCARD_W_UNSUPPORTED_CARD: status_words.UNREADABLE,
    scard.SCARD_E_PROTO_MISMATCH: status_words.UNREADABLE,
    scard.SCARD_E_NOT_TRANSACTED: status_words.UNREADABLE,
    scard.SCARD_F_COMM_ERROR: status_words.UNREADABLE,
}
_NOTICE_SECONDS = 0.6  # pcscd polls its drivers every 0.4 s


def read_card(reader: str, counter: int, drivers: Sequence[CardDriver]) -> CardRecord:
    """The card on `reader` by the first of `drivers` that knows it. Raises Failure with a CARD-… code.

    `counter` is that of the moment the card was laid. It is compared before and after: a record never comes
    from two cards, nor from the next one. A card pulled in the middle looks as if it refused until the
    service notices that it has gone.
    """
    try:
        with pcsc.open_context() as context:
            try:
                return _exchange(context, reader, counter, drivers)
            except (Failure, pcsc.PcscError) as error:
                failure = _explained(error)
                if failure.code in status_words.PERHAPS_PULLED and pcsc.counter_moves(
                    context, reader, counter, _NOTICE_SECONDS
                ):
                    failure = Failure(PULLED, failure.detail)
                raise failure from error
    except pcsc.PcscError as error:
        raise _explained(error) from error


def _explained(error: Failure | pcsc.PcscError) -> Failure:
    if isinstance(error, Failure):
        return error
    return Failure(_CODES.get(error.code, "CARD-READER-ERROR"), str(error))


def _exchange(context: pcsc.Context, reader: str, counter: int, drivers: Sequence[CardDriver]) -> CardRecord:
    now = pcsc.look(context, reader)
    if now.counter != counter:
        raise Failure(PULLED, "gone before the exchange")
    fitting(drivers, now.atr)  # or the card is not touched
    with pcsc.connect(context, reader) as card:
        record = read_with(drivers, now.atr, card.transmit)
    if pcsc.look(context, reader).counter != counter:
        raise Failure(PULLED, "changed during the exchange")
    return record
