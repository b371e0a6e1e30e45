"""The keyring, the encrypted cache and its SQLite, and whether this workstation is enrolled."""

from __future__ import annotations

from collections.abc import Callable

from clerk_app.desk.ports import Check, Device, Level
from clerk_app.doctor.rounds import Look, Tell, failed, not_checked
from clerk_app.failures import Failure

KEYRING, SQLITE, DATABASE, ENROLMENT = "keyring", "sqlite", "database", "enrolment"

_SECONDS = 8.0
_WITH_THE_OFFICE = 14.0
_NOT_ENROLLED = "SETTINGS-NOT-ENROLLED"


def keyring_look(check: Callable[[], str]) -> Look:
    """`check` gives the keyring's name or raises STORE-NO-KEYRING, STORE-KEYRING-LOCKED."""

    def look(tell: Tell) -> None:
        tell(Check(KEYRING, values=(("keyring", check()),)))

    return Look((KEYRING,), _SECONDS, look)


def no_keyring_look() -> Look:
    """Practice keeps its key nowhere."""

    def look(tell: Tell) -> None:
        tell(Check(KEYRING, said="unused"))

    return Look((KEYRING,), _SECONDS, look)


def sqlite_look(version: str, check: Callable[[], None]) -> Look:
    """`check` raises STORE-OLD-SQLITE for a library that can lose a committed transaction."""

    def look(tell: Tell) -> None:
        check()
        tell(Check(SQLITE, values=(("version", version),)))

    return Look((SQLITE,), _SECONDS, look)


def database_look(
    open_: Callable[[], tuple[bool, Device | None]],
    token_of: Callable[[Device], str | None],
    against: Callable[[str], Failure | None],
) -> Look:
    """`open_` tells whether there is a cache and the device in it; it raises STORE-… like opening it.

    `against` asks the office what it has against the device with that token, None for nothing.

    A cache that a window has open is well, as far as it can be known from outside; the enrolment in it cannot
    be seen then.
    """

    def look(tell: Tell) -> None:
        try:
            exists, device = open_()
        except Failure as failure:
            if failure.code != "STORE-IN-USE":
                raise
            tell(Check(DATABASE, said="in_use"))
            tell(not_checked(ENROLMENT, "the open window has the cache"))
            return
        tell(Check(DATABASE, said="" if exists else "none"))
        if device is None:
            tell(Check(ENROLMENT, Level.FAIL, _NOT_ENROLLED))
            return
        try:
            token = token_of(device)
        except Failure as failure:
            tell(failed(ENROLMENT, failure))
            return
        if token is None:
            tell(Check(ENROLMENT, Level.FAIL, _NOT_ENROLLED, detail="no device token in the keyring"))
        elif refused := against(token):
            tell(failed(ENROLMENT, refused))
        else:
            tell(Check(ENROLMENT, values=(("hall", device.hall_name), ("window", device.window))))

    return Look((DATABASE, ENROLMENT), _WITH_THE_OFFICE, look)
