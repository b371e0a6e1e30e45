"""The back office: whether it answers, how the clocks differ, how long its certificate is good for."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.x509 import load_pem_x509_certificate

from clerk_app.clock import wall
from clerk_app.desk.ports import Check, Level
from clerk_app.doctor.rounds import Look, Tell, failed, not_checked
from clerk_app.failures import Failure
from clerk_app.settings import file_of
from clerk_app.sync.client import OfficeClient
from clerk_app.sync.transport import TimeOuts

OFFICE, CERTIFICATE, CLOCK = "office", "certificate", "clock"

MOST_SKEW = 120.0
"""Seconds. The window corrects for it, but a log and a paper of another program then tell another time."""
LEAST_DAYS = 30
"""A certificate takes a hall some weeks to renew."""

_AGAINST_US = frozenset({"SYNC-RIGHTS", "SYNC-REVOKED", "SYNC-FENCED"})

_SECONDS = 12.0
_PATIENCE = TimeOuts(connect=3.05, read=6.0)
_DAY = 86_400


def look(url: str, ca: str, now: Callable[[], datetime] = wall, *, own: str = "") -> Look:
    """Ask the office at `url` for its time.

    `ca` is the file of a private authority, `own` of this computer's certificate with its key, or empty.
    """

    def look(tell: Tell) -> None:
        if not url:
            tell(Check(OFFICE, Level.FAIL, "SETTINGS-NOT-ENROLLED", detail="no address of an office"))
            tell(not_checked(CERTIFICATE))
            tell(not_checked(CLOCK))
            return
        for name, file in (("ca", ca), ("certificate", own)):
            if file and not Path(file).is_file():
                raise Failure("SETTINGS-INVALID", f"office.{name}: no such file: {file}")
        _ask(url, ca, own, now, tell)
        tell(_certificate(url, ca, own))

    return Look((OFFICE, CLOCK, CERTIFICATE), _SECONDS, look)


def against(url: str, ca: str, own: str, token: str) -> Failure | None:
    """Why the office takes nothing from the device with `token`: SYNC-RIGHTS, SYNC-REVOKED or SYNC-FENCED.

    None also when it cannot be asked: that is told as the state of the office.
    """
    if not url:
        return None
    try:
        with closing(
            OfficeClient(url, token=token, ca=file_of(ca), certificate=file_of(own), time_outs=_PATIENCE)
        ) as client:
            client.device()
    except Failure as failure:
        return failure if failure.code in _AGAINST_US else None
    return None


def _ask(url: str, ca: str, own: str, now: Callable[[], datetime], tell: Tell) -> None:
    client = OfficeClient(url, ca=file_of(ca), certificate=file_of(own), time_outs=_PATIENCE)
    before, begun = now(), time.monotonic()
    try:
        answer = client.time()
    except Failure as failure:
        tell(failed(OFFICE, failure))
        tell(not_checked(CLOCK))
        return
    finally:
        client.close()
    took = time.monotonic() - begun
    tell(Check(OFFICE, values=(("milliseconds", round(took * 1000)),)))
    skew = round((answer.now - before).total_seconds() - took / 2, 1)
    values = (("seconds", skew),)
    if abs(skew) > MOST_SKEW:
        way = "ahead" if skew > 0 else "behind"
        tell(
            Check(
                CLOCK,
                Level.WARN,
                "DOCTOR-CLOCK",
                values=values,
                detail=f"the office is {abs(skew):g} s {way}",
            )
        )
    else:
        tell(Check(CLOCK, values=values))


def _certificate(url: str, ca: str, own: str) -> Check:
    """The chain as this program checks it; the nearest end of what it hangs on, our own certificate too."""
    address = urlsplit(url)
    if address.scheme != "https" or not address.hostname:
        return Check(CERTIFICATE, said="none")
    try:
        context = ssl.create_default_context(cafile=ca or _authorities())
        if own:
            context.load_cert_chain(own)
        with (
            socket.create_connection((address.hostname, address.port or 443), _PATIENCE.connect) as line,
            context.wrap_socket(line, server_hostname=address.hostname) as secure,
        ):
            ends = [("certificate", _end(secure.getpeercert()))]
    except ssl.SSLCertVerificationError as error:
        return Check(CERTIFICATE, Level.FAIL, "SYNC-TLS", detail=error.verify_message)
    except ssl.SSLError as error:
        return Check(CERTIFICATE, Level.FAIL, "SYNC-TLS", detail=error.reason or type(error).__name__)
    except OSError as error:
        return not_checked(CERTIFICATE, type(error).__name__)
    if ca:
        ends += [("authority", _end(each)) for each in context.get_ca_certs()]
    if own:
        mine = load_pem_x509_certificate(Path(own).read_bytes())
        ends.append(("certificate of this computer", mine.not_valid_after_utc.timestamp()))
    what, end = min(ends, key=lambda pair: pair[1])
    days = int((end - datetime.now(UTC).timestamp()) // _DAY)
    values = (("days", days), ("until", f"{datetime.fromtimestamp(end, UTC):%Y-%m-%d}"))
    if days < LEAST_DAYS:
        detail = f"the {what} ends on {values[1][1]}, in {days} days"
        return Check(CERTIFICATE, Level.WARN, "DOCTOR-CERTIFICATE-ENDS", values=values, detail=detail)
    return Check(CERTIFICATE, values=values)


def _authorities() -> str:
    """The public authorities that `requests` trusts, whatever the account's variables say."""
    import certifi

    return certifi.where()


def _end(certificate: object) -> float:
    assert isinstance(certificate, dict)
    return ssl.cert_time_to_seconds(str(certificate["notAfter"]))
