"""Reported lost identity cards: `lost-card add`, `remove`, `list`."""

from __future__ import annotations

import argparse
from datetime import date
from typing import TYPE_CHECKING

from back_office.cli.common import note, secret, write
from clerk_app.domain.hall_time import HALL_TIME

if TYPE_CHECKING:
    from back_office.cli.common import Commands
    from back_office.office import Transaction


def add_to(commands: Commands) -> None:
    lost = commands.add_parser("lost-card", help="reported lost identity cards")
    acts = lost.add_subparsers(required=True, metavar="act")
    report = acts.add_parser(
        "add", help="report a card lost; its number comes from standard input or a prompt, not as an argument"
    )
    report.add_argument(
        "--issued", type=_day, help="first day of validity on the card, 2016-05-11; without it every card"
    )
    report.set_defaults(run=_add)
    found = acts.add_parser("remove", help="take a report back: the card was found")
    found.add_argument("report_id", help="as `add` printed it, or `list`")
    found.set_defaults(run=_remove)
    acts.add_parser("list", help="the reports in force, without numbers").set_defaults(run=_list)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("a day such as 2016-05-11") from None


def _add(asked: argparse.Namespace) -> None:
    from back_office import lost_cards

    number = secret("Number of the card: ")

    def add(tx: Transaction) -> str:
        report = lost_cards.add(tx, number, asked.issued)
        note(tx, "lost-card-add", report)
        return report

    print(write(asked, add))


def _remove(asked: argparse.Namespace) -> None:
    from back_office import lost_cards

    def remove(tx: Transaction) -> None:
        lost_cards.remove(tx, asked.report_id)
        note(tx, "lost-card-remove", asked.report_id)

    write(asked, remove)
    print(asked.report_id)


def _list(asked: argparse.Namespace) -> None:
    from back_office import lost_cards

    for report in write(asked, lambda tx: lost_cards.listed(tx.connection)):
        day = report.issued.isoformat() if report.issued else "every card"
        print(
            report.id, report.reported_at.astimezone(HALL_TIME).isoformat(timespec="minutes"), day, sep="\t"
        )
