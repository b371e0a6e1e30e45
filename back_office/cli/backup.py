"""`backup` and `restore`: the whole office in one file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from back_office.cli.common import note, settings

if TYPE_CHECKING:
    from back_office.cli.common import Commands


def add_to(commands: Commands) -> None:
    make = commands.add_parser("backup", help="write a backup of the whole office, while it serves")
    make.add_argument("target", type=Path, help="a new file, or a folder where it gets a name with the time")
    make.set_defaults(run=_backup)
    back = commands.add_parser("restore", help="restore a backup into an empty folder and database")
    back.add_argument("file", type=Path, help="what `backup` wrote")
    back.set_defaults(run=_restore)


def _backup(asked: argparse.Namespace) -> None:
    from back_office import backup
    from back_office.office import open_office

    office = open_office(settings(asked))
    try:
        made = backup.back_up(office, asked.target)
        office.write(lambda tx: note(tx, "backup", "", f"{made.rows} rows"))
    finally:
        office.close()
    print(f"{made.file}: {made.rows} rows, {made.files} files, {made.size} bytes")


def _restore(asked: argparse.Namespace) -> None:
    from back_office import backup

    told = backup.restore(settings(asked), asked.file, lambda tx: note(tx, "restored", "", "backup"))
    print(f"restored the office of {told.made_at}: {told.rows} rows, {told.files} files")
    print("what windows had sent since then comes again by itself")
