"""Clerks: `user add`, `password`, `rights`, `enable`, `disable`, `list`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from back_office.cli.common import PASSWORD_VARIABLE, hour, note, password, write_in_hall

if TYPE_CHECKING:
    from collections.abc import Callable

    from back_office.cli.common import Commands
    from back_office.office import Transaction

_SECRET = f"the password comes from ${PASSWORD_VARIABLE}, standard input or a prompt"
_NUMBER = "the staff number the clerk signs in with, without white space"
_RIGHTS = "accept (file cases), call (call and serve tickets), issue (issue tickets), void (void a case)"
_HALL = "code of the hall (default: the only one)"


def add_to(commands: Commands) -> None:
    acts = commands.add_parser("user", help="clerks").add_subparsers(required=True, metavar="act", dest="act")
    add = acts.add_parser("add", help=f"add a clerk; {_SECRET}")
    add.add_argument("staff_no", help=_NUMBER)
    add.add_argument("--name", required=True, help="as it stands on slips and screens")
    add.add_argument("--name-en", default="", help="the same in English (default: none)")
    add.add_argument("--rights", help=f"comma-separated, of {_RIGHTS} (default: all)")
    add.add_argument("--hall", help=_HALL)
    add.set_defaults(run=_add)
    rights = acts.add_parser("rights", help="other rights from now on, comma-separated; '' for none")
    rights.add_argument("staff_no", help=_NUMBER)
    rights.add_argument(
        "rights", help=f"comma-separated, of {_RIGHTS}; '' for none. They replace the old ones"
    )
    rights.add_argument("--hall", help=_HALL)
    rights.set_defaults(run=_rights)
    texts = {
        "password": (f"another password, open sessions end; {_SECRET}", _password),
        "enable": ("sign-in as before; a lock after wrong passwords ends too", _enable),
        "disable": ("no sign-in from now on", _disable),
    }
    for name, (text, run) in texts.items():
        act = acts.add_parser(name, help=text)
        act.add_argument("staff_no", help=_NUMBER)
        act.add_argument("--hall", help=_HALL)
        act.set_defaults(run=run)
    everybody = acts.add_parser("list", help="number, name, rights, and what keeps a clerk out")
    everybody.add_argument("--hall", help=_HALL)
    everybody.set_defaults(run=_list)


def _add(asked: argparse.Namespace) -> None:
    from back_office import accounts

    verifier = accounts.verifier_of(password())
    rights = accounts.RIGHTS if asked.rights is None else _listed(asked.rights)

    def add(tx: Transaction, hall: str) -> None:
        names = {"name_en": asked.name_en, "rights": rights}
        accounts.add_user(tx, hall, asked.staff_no, asked.name, verifier, **names)
        note(tx, "user-add", asked.staff_no, ",".join(rights), hall=hall)

    write_in_hall(asked, add)
    print(asked.staff_no)


def _rights(asked: argparse.Namespace) -> None:
    from back_office import accounts

    rights = _listed(asked.rights)

    def change(tx: Transaction, hall: str) -> None:
        accounts.set_rights(tx, hall, asked.staff_no, rights)
        note(tx, "user-rights", asked.staff_no, ",".join(rights), hall=hall)

    write_in_hall(asked, change)
    print(asked.staff_no)


def _listed(rights: str) -> tuple[str, ...]:
    return tuple(filter(None, map(str.strip, rights.split(","))))


def _password(asked: argparse.Namespace) -> None:
    from back_office import accounts

    verifier = accounts.verifier_of(password())
    _changed(asked, lambda tx, hall: accounts.set_password(tx, hall, asked.staff_no, verifier))


def _enable(asked: argparse.Namespace) -> None:
    from back_office import accounts

    _changed(asked, lambda tx, hall: accounts.enable_user(tx, hall, asked.staff_no))


def _disable(asked: argparse.Namespace) -> None:
    from back_office import accounts

    _changed(asked, lambda tx, hall: accounts.disable_user(tx, hall, asked.staff_no))


def _changed(asked: argparse.Namespace, change: Callable[[Transaction, str], None]) -> None:
    def work(tx: Transaction, hall: str) -> None:
        change(tx, hall)
        note(tx, f"user-{asked.act}", asked.staff_no, hall=hall)

    write_in_hall(asked, work)
    print(asked.staff_no)


def _list(asked: argparse.Namespace) -> None:
    from back_office import accounts

    for clerk in write_in_hall(asked, lambda tx, hall: accounts.listed(tx.connection, hall)):
        out = [f"disabled {hour(clerk.disabled_at)}"] if clerk.disabled_at else []
        out += [f"locked until {hour(clerk.locked_until)}"] if clerk.locked_until else []
        print(clerk.staff_no, clerk.name, ",".join(clerk.rights), "; ".join(out), sep="\t")
