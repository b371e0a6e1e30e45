"""The office itself: `init`, `serve`, `restored`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from back_office.cli.common import note, settings, write

if TYPE_CHECKING:
    from back_office.cli.common import Commands
    from back_office.office import Transaction

METRICS_VARIABLE = "BACK_OFFICE_METRICS_TOKEN"


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
    serve.add_argument("--workers", type=int, default=1, help="processes behind the port (default: 1)")
    serve.add_argument("--tls-certificate", type=Path, help="PEM, with its chain: serve https")
    serve.add_argument("--tls-key", type=Path, help="PEM, unless the key is in the certificate's file")
    serve.add_argument(
        "--client-ca", type=Path, help="PEM: only clients with a certificate of this authority"
    )
    serve.add_argument(
        "--metrics-token",
        default=os.environ.get(METRICS_VARIABLE, ""),
        help=f"opens /metrics to other machines (default: ${METRICS_VARIABLE}; without it this machine only)",
    )
    serve.set_defaults(run=_serve)

    restored = commands.add_parser(
        "restored",
        help="run once after restoring a backup by hand: nothing is given out twice",
    )
    restored.set_defaults(run=_restored)


def _init(asked: argparse.Namespace) -> None:
    from back_office.embedded import HallSetup, prepare

    hall = HallSetup(
        asked.hall_code, asked.hall_name, asked.region, name_en=asked.hall_name_en, practice=asked.practice
    )
    prepare(settings(asked), hall).close()
    print(f"{asked.hall_code} {asked.hall_name}: {asked.data}")


def _serve(asked: argparse.Namespace) -> None:
    from back_office import serving
    from back_office.embedded import Tls

    tls = None
    if asked.tls_certificate is not None:
        tls = Tls(asked.tls_certificate, asked.tls_key, asked.client_ca)
    office = settings(asked, metrics_token=asked.metrics_token)
    serving.serve(office, serving.Listening(asked.host, asked.port, max(1, asked.workers), tls))


def _restored(asked: argparse.Namespace) -> None:
    from back_office import restoring

    def say(tx: Transaction) -> None:
        restoring.restored(tx)
        note(tx, "restored", "")

    write(asked, say)
    print("new generation of the feed; numbers that may have been given out since the backup are passed over")
