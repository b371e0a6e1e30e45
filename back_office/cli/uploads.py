"""Pages of materials on their way: `uploads list`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from back_office.cli.common import hour, write

if TYPE_CHECKING:
    from back_office.cli.common import Commands


def add_to(commands: Commands) -> None:
    uploads = commands.add_parser("uploads", help="scanned pages the windows send")
    acts = uploads.add_subparsers(required=True, metavar="act")
    acts.add_parser("list", help="those that have begun and not ended").set_defaults(run=_list)


def _list(asked: argparse.Namespace) -> None:
    from back_office import resuming

    for one in write(asked, lambda tx: resuming.unfinished(tx.connection)):
        so_far = f"{one.received} of {one.size}"
        print(hour(one.begun_at), one.hall, one.device, one.case_id, one.id, so_far, sep="\t")
