"""Clerks: `user add`, `user disable`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from back_office.cli.common import PASSWORD_VARIABLE, password, write_in_hall

if TYPE_CHECKING:
    from back_office.cli.common import Commands


def add_to(commands: Commands) -> None:
    acts = commands.add_parser("user", help="clerks").add_subparsers(required=True, metavar="act")
    add = acts.add_parser(
        "add", help=f"add a clerk; the password comes from ${PASSWORD_VARIABLE}, standard input or a prompt"
    )
    add.add_argument("staff_no")
    add.add_argument("--name", required=True)
    add.add_argument("--name-en", default="")
    add.add_argument("--rights", help="comma-separated; default: all of a window clerk")
    add.add_argument("--hall")
    add.set_defaults(run=_add)
    disable = acts.add_parser("disable", help="no sign-in from now on")
    disable.add_argument("staff_no")
    disable.add_argument("--hall")
    disable.set_defaults(run=_disable)


def _add(asked: argparse.Namespace) -> None:
    from back_office import accounts

    verifier = accounts.verifier_of(password())
    rights = accounts.RIGHTS if asked.rights is None else tuple(filter(None, asked.rights.split(",")))
    write_in_hall(
        asked,
        lambda tx, hall: accounts.add_user(
            tx, hall, asked.staff_no, asked.name, verifier, name_en=asked.name_en, rights=rights
        ),
    )
    print(asked.staff_no)


def _disable(asked: argparse.Namespace) -> None:
    from back_office import accounts

    write_in_hall(asked, lambda tx, hall: accounts.disable_user(tx, hall, asked.staff_no))
    print(asked.staff_no)
