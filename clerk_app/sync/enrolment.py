"""Making this workstation a device of the office, by a one-time code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

import keyring
import keyring.errors

from clerk_app import failures
from clerk_app.desk.ports import Device
from clerk_app.failures import Failure
from clerk_app.sync.client import OfficeClient
from clerk_app.sync.protocol import EnrolAnswer, EnrolRequest
from clerk_app.sync.transport import OfficeFailure


class TokenKeeper(Protocol):
    """Where the device's token lives: never in a file of ours. Failure: SYNC-NO-KEYRING."""

    def save(self, device_id: str, token: str) -> None: ...
    def load(self, device_id: str) -> str | None: ...
    def forget(self, device_id: str) -> None: ...


class KeyringTokens:
    """Device tokens in the keyring of the operating system; `service` keeps practice and real apart."""

    def __init__(self, service: str = "clerk-app device token") -> None:
        self._service = service

    def save(self, device_id: str, token: str) -> None:
        try:
            keyring.set_password(self._service, device_id, token)
        except keyring.errors.KeyringError as error:
            raise Failure("SYNC-NO-KEYRING", type(error).__name__) from error

    def load(self, device_id: str) -> str | None:
        try:
            return keyring.get_password(self._service, device_id)
        except keyring.errors.KeyringError as error:
            raise Failure("SYNC-NO-KEYRING", type(error).__name__) from error

    def forget(self, device_id: str) -> None:
        try:
            keyring.delete_password(self._service, device_id)
        except keyring.errors.PasswordDeleteError:
            return  # it was not there
        except keyring.errors.KeyringError as error:
            raise Failure("SYNC-NO-KEYRING", type(error).__name__) from error


_PROBE = "probe"


def enrol(
    url: str,
    code: str,
    machine: str,
    keeper: TokenKeeper,
    *,
    epoch: int = 0,
    ca: Path | None = None,
    certificate: Path | None = None,
) -> EnrolAnswer:
    """Spend the one-time `code` at the office; the token is in the keyring when this returns.

    The keyring is tried first, so that a workstation without one does not spend the code. `machine` names
    the workstation in IT's list, `epoch` is the last one it had. Failures: SYNC-CODE for a wrong or used
    code, SYNC-NO-OFFICE when nobody answers, SYNC-NO-KEYRING, and those of `transport`.
    """
    probe(keeper)
    with closing(OfficeClient(url, ca=ca, certificate=certificate)) as client, one_time_code():
        answer = client.enrol(EnrolRequest(code.strip(), machine, epoch))
    keeper.save(answer.device, answer.token)
    return answer


@contextmanager
def one_time_code() -> Iterator[None]:
    """What the office says about a one-time code, in its own words where this program knows them."""
    try:
        yield
    except OfficeFailure as failure:
        if failure.problem is not None and failure.problem.code in failures.codes():
            raise Failure(failure.problem.code, failure.detail) from failure
        if failure.code in ("SYNC-RIGHTS", "SYNC-REJECTED"):
            raise Failure("SYNC-CODE", failure.detail) from failure
        if failure.code in ("SYNC-OFFLINE", "SYNC-SLOW"):  # their texts are for a clerk who goes on working
            raise Failure("SYNC-NO-OFFICE", failure.detail) from failure
        raise


def probe(keeper: TokenKeeper) -> None:
    """See that the keyring keeps what it is given, before a one-time code is spent."""
    keeper.save(_PROBE, _PROBE)
    keeper.forget(_PROBE)


def device_of(answer: EnrolAnswer) -> Device:
    """The workstation as its store remembers it."""
    return Device(
        id=answer.device,
        epoch=answer.epoch,
        hall_code=answer.hall_code,
        hall_name=answer.hall_name,
        hall_name_en=answer.hall_name_en,
        region=answer.region,
        window=answer.window,
        queue=answer.queue,
        practice=answer.practice,
        offline_series=answer.offline_series,
        seal_key=answer.seal_key,
        export_key=answer.export_key,
    )
