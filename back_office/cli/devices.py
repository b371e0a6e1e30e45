"""Workstations: `enrol-code`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from back_office.cli.common import write_in_hall

if TYPE_CHECKING:
    from back_office.cli.common import Commands


def add_to(commands: Commands) -> None:
    code = commands.add_parser("enrol-code", help="a code that enrols one workstation, shown once")
    code.add_argument("--window", default="1", help="the number or name of the window, for example 12")
    code.add_argument("--queue", default="A")
    code.add_argument("--device", help="enrol this device again: a new epoch, the old one is fenced")
    code.add_argument("--hall")
    code.set_defaults(run=_enrol_code)


def _enrol_code(asked: argparse.Namespace) -> None:
    from back_office import enrolment

    print(
        write_in_hall(
            asked, lambda tx, hall: enrolment.new_code(tx, hall, asked.window, asked.queue, asked.device)
        )
    )
