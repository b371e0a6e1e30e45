"""The command line of the office: one module a group of verbs, each adds its own parsers with `add_to`.

Heavy imports happen inside the command that needs them.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from back_office.cli import (
    audit,
    backup,
    catalogue,
    contract,
    devices,
    held,
    lost_cards,
    office,
    tickets,
    uploads,
    users,
)
from clerk_app import __version__, failures
from clerk_app.failures import Failure

DATA_VARIABLE = "BACK_OFFICE_DATA"
DATABASE_VARIABLE = "BACK_OFFICE_DATABASE"

INTERRUPTED = 130
"""128 and the number of SIGINT, as shells have it."""

GROUPS = (office, users, devices, held, uploads, audit, catalogue, tickets, lost_cards, backup, contract)
"""In the order of the help."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns 0, 1 after telling a known failure on standard error, or 130 for Ctrl+C; `serve` ends with 0 then.
    """
    asked = _parser().parse_args(arguments)
    try:
        asked.run(asked)
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has seen enough; the interpreter would flush once more at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Failure as failure:
        text = failures.text(failure.code, "en")
        print(f"{failure.code}: {text.sentence} {text.action}", file=sys.stderr)
        if failure.detail:
            print(failure.detail, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(file=sys.stderr)  # the shell's prompt begins a line of its own
        return INTERRUPTED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="back-office", description="The central back office of the halls.")
    parser.add_argument("--version", action="version", version=f"back-office {__version__}")
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get(DATA_VARIABLE, "back-office-data")),
        help=f"folder of the database and the catalogue (default: ${DATA_VARIABLE} or ./back-office-data)",
    )
    parser.add_argument(
        "--database",
        default=os.environ.get(DATABASE_VARIABLE, ""),
        help=f"postgresql://… instead of the SQLite file in the folder (default: ${DATABASE_VARIABLE}; "
        "an address with a password belongs there, arguments are seen by everybody on the machine)",
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    for group in GROUPS:
        group.add_to(commands)
    return parser
