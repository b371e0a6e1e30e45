"""Tickets at the command line: `ticket issue`, `ticket void`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from back_office.cli.common import write_in_hall

if TYPE_CHECKING:
    from back_office.cli.common import Commands


def add_to(commands: Commands) -> None:
    acts = commands.add_parser("ticket", help="tickets").add_subparsers(required=True, metavar="act")
    issue = acts.add_parser("issue", help="issue the next ticket of a series")
    issue.add_argument("--series", default="A")
    issue.add_argument("--hall")
    issue.set_defaults(run=_issue)
    void = acts.add_parser("void", help="withdraw a ticket of today that nobody has called")
    void.add_argument("number", help="as printed, for example A037")
    void.add_argument("--reason", choices=("not_printed", "not_needed"), default="not_needed")
    void.add_argument("--hall")
    void.set_defaults(run=_void)


def _issue(asked: argparse.Namespace) -> None:
    from back_office import queues

    print(write_in_hall(asked, lambda tx, hall: queues.issue(tx, hall, asked.series)).number)


def _void(asked: argparse.Namespace) -> None:
    from back_office import queues

    voided = write_in_hall(asked, lambda tx, hall: queues.void_number(tx, hall, asked.number, asked.reason))
    print(voided.number)
