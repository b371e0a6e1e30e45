"""Answers the office owes the windows: `held list`, `held retry`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from back_office.cli.common import hour, note, settings, write

if TYPE_CHECKING:
    from back_office.cli.common import Commands


def add_to(commands: Commands) -> None:
    held = commands.add_parser("held", help="commands the office could not apply and owes an answer")
    acts = held.add_subparsers(required=True, metavar="act")
    acts.add_parser("list", help="since when, what, why; nothing of the contents").set_defaults(run=_list)
    again = acts.add_parser("retry", help="try each once more now; `serve` does so by itself")
    again.set_defaults(run=_retry)


def _list(asked: argparse.Namespace) -> None:
    from back_office import held

    for one in write(asked, lambda tx: held.listed(tx.connection)):
        print(hour(one.since), one.device, one.type, one.aggregate, one.code, one.id, sep="\t")


def _retry(asked: argparse.Namespace) -> None:
    from back_office import held
    from back_office.office import open_office

    office = open_office(settings(asked))
    try:
        tally = held.retry(office)
        told = f"{tally.applied} applied, {tally.refused} refused, {tally.held} still held"
        office.write(lambda tx: note(tx, "held-retry", "", told))
    finally:
        office.close()
    print(told)
