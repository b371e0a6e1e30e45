"""Service items: `catalogue import`, `catalogue retire`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from back_office.cli.common import note, settings, write
from clerk_app.failures import Failure

if TYPE_CHECKING:
    from back_office.cli.common import Commands
    from back_office.office import Transaction


def add_to(commands: Commands) -> None:
    acts = commands.add_parser("catalogue", help="service items").add_subparsers(required=True, metavar="act")
    load = acts.add_parser("import", help="put a catalogue in force: .jsonl or .csv")
    load.add_argument("file", type=Path)
    load.add_argument("--skip-bad", action="store_true", help="leave out rows with problems")
    load.add_argument("--version")
    load.set_defaults(run=_import)
    retire = acts.add_parser("retire", help="end one item from this moment")
    retire.add_argument("item_code")
    retire.set_defaults(run=_retire)


def _import(asked: argparse.Namespace) -> None:
    from back_office.catalogue import put_in_force
    from back_office.office import open_office
    from clerk_app.catalogue.records import read_csv, read_jsonl

    read = read_csv if asked.file.suffix.lower() == ".csv" else read_jsonl
    reading = read(asked.file)
    for problem in (*reading.problems, *reading.warnings):
        print(problem, file=sys.stderr)
    left_out = len({problem.line for problem in reading.problems})
    if left_out and not asked.skip_bad:
        raise Failure("OFFICE-IMPORT-BAD-ROWS", f"{left_out} rows")
    office = open_office(settings(asked))
    try:
        info = put_in_force(office, reading.kinds, reading.items, asked.version)
        office.write(lambda tx: note(tx, "catalogue-import", info.version, f"sha256 {info.sha256}"))
    finally:
        office.close()
    print(f"{info.version}: {info.items} items, {left_out} rows left out, sha256 {info.sha256}")


def _retire(asked: argparse.Namespace) -> None:
    from back_office import catalogue

    def retire(tx: Transaction) -> None:
        catalogue.retire(tx, asked.item_code)
        note(tx, "item-retire", asked.item_code)

    write(asked, retire)
    print(asked.item_code)
