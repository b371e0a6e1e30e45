"""Workstations: `enrol-code`, `device list`, `revoke`, `recovery-code`."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from back_office.cli.common import hour, note, write, write_in_hall

if TYPE_CHECKING:
    from collections.abc import Sequence

    from back_office.cli.common import Commands
    from back_office.office import Transaction


def add_to(commands: Commands) -> None:
    code = commands.add_parser("enrol-code", help="a code that enrols one workstation, shown once")
    code.add_argument("--window", default="1", help="the number or name of the window, for example 12")
    code.add_argument("--queue", default="A", help="the queue it calls from (default: A)")
    code.add_argument("--device", help="enrol this device again: a new epoch, the old one is fenced")
    code.add_argument("--hall", help="its code; needed where there are several")
    code.set_defaults(run=_enrol_code)

    acts = commands.add_parser("device", help="workstations").add_subparsers(required=True, metavar="act")
    every = acts.add_parser("list", help="every workstation: id, window, epoch, last command, last seen")
    every.add_argument("--hall", help="default: every hall")
    every.add_argument("--json", action="store_true", help="print JSON")
    every.set_defaults(run=_list)
    revoke = acts.add_parser("revoke", help="refuse every call of a workstation from now on")
    revoke.add_argument("device", help="its id, as in `device list`")
    revoke.add_argument("--reason", required=True, help="for the audit: stolen, sold, …")
    revoke.set_defaults(run=_revoke)
    recovery = acts.add_parser(
        "recovery-code", help="a code for a workstation whose keyring was lost, shown once"
    )
    recovery.add_argument("device", help="its id, as in `device list`")
    recovery.set_defaults(run=_recovery_code)


def _enrol_code(asked: argparse.Namespace) -> None:
    from back_office import enrolment

    def new(tx: Transaction, hall: str) -> str:
        code = enrolment.new_code(tx, hall, asked.window, asked.queue, asked.device)
        note(tx, "enrol-code", asked.device or asked.window, hall=hall)
        return code

    print(write_in_hall(asked, new))


def _list(asked: argparse.Namespace) -> None:
    from back_office import devices, halls

    def look(tx: Transaction) -> Sequence[devices.Listed]:
        hall = None if asked.hall is None else halls.the_hall(tx, asked.hall)
        return devices.listed(tx.connection, hall)

    found = write(asked, look)
    if asked.json:
        print(json.dumps([asdict(one) for one in found], ensure_ascii=False, indent=1, default=hour))
        return
    for one in found:
        state = (
            f"revoked {hour(one.revoked_at)}" if one.revoked_at else f"seen {hour(one.seen_at) or 'never'}"
        )
        place = (one.id, one.hall, one.window, one.queue, one.machine)
        print(*place, f"epoch {one.epoch}", f"seq {one.last_seq}", state, sep="\t")


def _revoke(asked: argparse.Namespace) -> None:
    from back_office import devices

    def end(tx: Transaction) -> None:
        hall = devices.revoke(tx, asked.device)
        note(tx, "device-revoke", asked.device, asked.reason, hall=hall)

    write(asked, end)
    print(asked.device)


def _recovery_code(asked: argparse.Namespace) -> None:
    from back_office import devices

    def new(tx: Transaction) -> str:
        code, hall = devices.new_recovery_code(tx, asked.device)
        note(tx, "recovery-code", asked.device, hall=hall)
        return code

    print(write(asked, new))
