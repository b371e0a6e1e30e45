"""The contract with the windows: `openapi`."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from back_office.cli.common import Commands


def add_to(commands: Commands) -> None:
    openapi = commands.add_parser("openapi", help="print the OpenAPI document; needs no office")
    openapi.set_defaults(run=_openapi)


def _openapi(_asked: argparse.Namespace) -> None:
    from back_office.app import paths

    print(json.dumps(paths().openapi(), ensure_ascii=False, indent=2))
