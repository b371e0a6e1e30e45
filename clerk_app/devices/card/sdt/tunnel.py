"""SDT frames through PC/SC: a control code of the reader carries a request and returns the answer.

The function number is 1 on pcsc-lite (`IOCTL_SMARTCARD_VENDOR_IFD_EXCHANGE` of its CCID driver) and 3500 on
Windows (the escape code of Microsoft's CCID driver). Both refuse until told otherwise: bit 1 of
`ifdDriverOptions` in `/etc/libccid_Info.plist`, the registry value `EscapeCommandEnable` of the device.
"""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack

from smartcard import scard

from clerk_app.devices.card import pcsc
from clerk_app.devices.card.sdt.frames import frame_length
from clerk_app.failures import Failure

USUAL_CODE = 3500 if sys.platform == "win32" else 1

_CODES = {
    scard.SCARD_E_NO_SERVICE: "CARD-SERVICE-LOST",
    scard.SCARD_E_SERVICE_STOPPED: "CARD-SERVICE-LOST",
    scard.SCARD_F_COMM_ERROR: "CARD-SERVICE-LOST",
    scard.SCARD_E_INVALID_HANDLE: "CARD-SERVICE-LOST",
    scard.SCARD_E_SYSTEM_CANCELLED: "CARD-SERVICE-LOST",
    scard.SCARD_E_UNKNOWN_READER: "CARD-NO-READER",
    scard.SCARD_E_READER_UNAVAILABLE: "CARD-NO-READER",
    scard.SCARD_E_NO_READERS_AVAILABLE: "CARD-NO-READER",
    scard.SCARD_E_SHARING_VIOLATION: "CARD-BUSY",
    scard.SCARD_E_NOT_TRANSACTED: "CARD-TIMEOUT",  # the driver had no answer from the reader
    scard.SCARD_E_UNSUPPORTED_FEATURE: "CARD-ESCAPE",
    1: "CARD-ESCAPE",  # ERROR_INVALID_FUNCTION and ERROR_NOT_SUPPORTED of Windows
    50: "CARD-ESCAPE",
}


class TunnelLine:
    """A `Line` through the first PC/SC reader whose name contains `name`; no card need lie on it."""

    def __init__(self, name: str, code: int = 0) -> None:
        self._code = scard.SCARD_CTL_CODE(code or USUAL_CODE)
        self._answer = b""
        with ExitStack() as opened:
            try:
                context = opened.enter_context(pcsc.open_context())
                fitting = [reader for reader in pcsc.readers(context) if name in reader]
            except pcsc.PcscError as error:
                raise _explained(error.code) from error
            if not fitting:
                raise Failure("CARD-NO-READER", "no PC/SC reader has the name in reader.port")
            result, self._handle, _ = scard.SCardConnect(
                context, fitting[0], scard.SCARD_SHARE_DIRECT, scard.SCARD_PROTOCOL_UNDEFINED
            )
            if result != scard.SCARD_S_SUCCESS:
                raise _explained(result)
            opened.callback(scard.SCardDisconnect, self._handle, scard.SCARD_LEAVE_CARD)
            self._opened = opened.pop_all()

    def write(self, data: bytes) -> None:
        """Carry a request. The driver waits for the answer, as long as it likes.

        CARD-LINE when it hands out the beginning of an answer only: no public source has a way to ask for
        the rest, and the answer to READ is longer (1295 bytes) than some drivers carry.
        """
        result, answer = scard.SCardControl(self._handle, self._code, list(data))
        if result != scard.SCARD_S_SUCCESS:
            raise _explained(result)
        self._answer = bytes(value & 0xFF for value in answer)
        if len(self._answer) < (whole := frame_length(self._answer)):
            raise Failure("CARD-LINE", f"the driver gave {len(self._answer)} of {whole} bytes of an answer")

    def read(self, seconds: float) -> bytes:
        """The answer of the last request, once; nothing more can come."""
        answer, self._answer = self._answer, b""
        if not answer:
            time.sleep(seconds)
        return answer

    def discard(self) -> None:
        self._answer = b""

    def close(self) -> None:
        self._opened.close()


def _explained(code: int) -> Failure:
    return Failure(_CODES.get(code, "CARD-READER-ERROR"), str(pcsc.PcscError(code)))
