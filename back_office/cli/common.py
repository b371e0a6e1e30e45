"""What the groups of verbs share: the transaction of a command, and how a secret comes in."""

from __future__ import annotations

import argparse
import os
import sys
from getpass import getpass, getuser
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from back_office.office import Transaction
    from back_office.settings import Settings

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

T = TypeVar("T")

PASSWORD_VARIABLE = "BACK_OFFICE_PASSWORD"  # noqa: S105  the name of a variable, not a password


def settings(asked: argparse.Namespace, *, metrics_token: str = "") -> Settings:
    """The office of `--data` and `--database`."""
    from back_office.settings import Settings

    return Settings(asked.data, postgresql=asked.database, metrics_token=metrics_token)


def write(asked: argparse.Namespace, work: Callable[[Transaction], T]) -> T:
    """One transaction on the office of `--data`, beside a server that may be running there."""
    from back_office import embedded

    return embedded.write(settings(asked), work)


def write_in_hall(asked: argparse.Namespace, work: Callable[[Transaction, str], T]) -> T:
    """The same in the hall named by --hall, or the only one."""
    from back_office import halls

    return write(asked, lambda tx: work(tx, halls.the_hall(tx, asked.hall)))


def account() -> str:
    """Who runs the command, for the audit: the account of this machine."""
    try:
        return f"os:{getuser()}"
    except (KeyError, OSError):  # an account without a name
        return "os:?"


def note(tx: Transaction, act: str, subject: str, detail: str = "", *, hall: str = "") -> None:
    """Put what this command does into the audit, in its own transaction."""
    from back_office import audit

    audit.note(tx, account(), act, subject, detail, hall=hall)


def hour(moment: datetime | None) -> str:
    """As the hall's clock showed it, to the minute; empty for never."""
    from clerk_app.domain.hall_time import HALL_TIME

    return "" if moment is None else moment.astimezone(HALL_TIME).isoformat(timespec="minutes")


def password() -> str:
    """Never from the command line: arguments are seen by everybody on the machine."""
    if PASSWORD_VARIABLE in os.environ:
        return os.environ[PASSWORD_VARIABLE]
    return secret("Password: ")


def secret(prompt: str) -> str:
    """From the terminal, unseen, or the next line of standard input. Ctrl+D gives up as Ctrl+C does."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    try:
        return getpass(prompt)
    except EOFError:
        raise KeyboardInterrupt from None
