"""The office itself: `init`, `serve`, `restored`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from back_office.cli.common import write

if TYPE_CHECKING:
    from back_office.cli.common import Commands


def add_to(commands: Commands) -> None:
    init = commands.add_parser("init", help="make or upgrade the database and open a hall")
    init.add_argument("--hall-code", default="MY01", help="four capitals or digits")
    init.add_argument("--hall-name", default="绵阳市民中心（示例）")
    init.add_argument("--hall-name-en", default="Mianyang Citizens' Centre (sample)")
    init.add_argument("--region", default="510700", help="GB/T 2260 code")
    init.add_argument("--practice", action="store_true", help="a hall of invented people")
    init.set_defaults(run=_init)

    serve = commands.add_parser("serve", help="serve the windows")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8720)
    serve.set_defaults(run=_serve)

    restored = commands.add_parser(
        "restored", help="run once after restoring a backup: every window takes the feed anew"
    )
    restored.set_defaults(run=_restored)


def _init(asked: argparse.Namespace) -> None:
    from back_office.embedded import HallSetup, prepare

    hall = HallSetup(
        asked.hall_code, asked.hall_name, asked.region, name_en=asked.hall_name_en, practice=asked.practice
    )
    prepare(asked.data, hall).close()
    print(f"{asked.hall_code} {asked.hall_name}: {asked.data}")


def _serve(asked: argparse.Namespace) -> None:
    from back_office import logs
    from back_office.app import create_app
    from back_office.embedded import Server
    from back_office.settings import Settings

    logs.to_stderr()
    Server(create_app(Settings(asked.data)), asked.host, asked.port).run()


def _restored(asked: argparse.Namespace) -> None:
    from back_office import feed

    write(asked, lambda tx: feed.new_generations(tx.connection))
    print("new generation of the feed")
