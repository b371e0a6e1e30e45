"""The office itself: `init`, `serve`, `restored`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from back_office.cli.common import note, settings, write
from clerk_app.failures import Failure

if TYPE_CHECKING:
    from back_office.cli.common import Commands
    from back_office.embedded import Tls
    from back_office.office import Transaction

METRICS_VARIABLE = "BACK_OFFICE_METRICS_TOKEN"


class NewHall(NamedTuple):
    code: str
    name: str
    region: str
    name_en: str


SAMPLE = NewHall("MY01", "绵阳市民中心（示例）", "510700", "Mianyang Citizens' Centre (sample)")
"""What `init --practice` opens where nothing else is named."""


def add_to(commands: Commands) -> None:
    init = commands.add_parser("init", help="make or upgrade the database and open a hall")
    init.add_argument("--hall-code", help="four capitals or digits; left out, the halls that are there stay")
    init.add_argument("--hall-name", help="of a new hall, as it stands on slips and screens")
    init.add_argument("--hall-name-en", default="", help="the same in English (default: none)")
    init.add_argument("--region", help="of a new hall: GB/T 2260 code, six digits")
    init.add_argument(
        "--practice",
        action="store_true",
        help=f"a new hall is one of invented people (default: {SAMPLE.code} {SAMPLE.name}, {SAMPLE.region})",
    )
    init.set_defaults(run=_init)

    serve = commands.add_parser("serve", help="serve the windows")
    serve.add_argument(
        "--host",
        default="127.0.0.1",
        help="address of this machine to listen on; 0.0.0.0 for all of them (default: 127.0.0.1)",
    )
    serve.add_argument("--port", type=int, default=8720, help="0 for one the system chooses (default: 8720)")
    serve.add_argument("--workers", type=_workers, default=1, help="processes behind the port (default: 1)")
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


def _workers(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number of processes; at least 1")
    return int(text)


def _init(asked: argparse.Namespace) -> None:
    from back_office import embedded, halls
    from back_office.office import has_database

    place = settings(asked)
    halls.check(asked.hall_code, asked.hall_name, asked.region)
    embedded.make_folder(place)
    if not has_database(place):
        _new_hall(asked)  # what is missing is told before there is a database
    embedded.make_database(place)
    for line in embedded.write(place, lambda tx: _opened(tx, asked)):
        print(line)


def _opened(tx: Transaction, asked: argparse.Namespace) -> list[str]:
    """Open the hall that is named, or the first one. Returns what to print of it, or of what was there."""
    from back_office import halls

    there = halls.names(tx.connection)
    meant = [code for code in there if asked.hall_code in (None, code)]
    if meant:
        return [f"{code} {there[code]}: {asked.data} (there already, unchanged)" for code in meant]
    new = _new_hall(asked)
    halls.add_hall(tx, new.code, new.name, new.region, name_en=new.name_en, practice=asked.practice)
    return [f"{new.code} {new.name}: {asked.data}"]


def _new_hall(asked: argparse.Namespace) -> NewHall:
    """The hall asked for. Raises Failure("OFFICE-HALL-NEW"): its code is for ever, so nobody guesses it."""
    given = {"--hall-code": asked.hall_code, "--hall-name": asked.hall_name, "--region": asked.region}
    missing = [option for option, value in given.items() if value is None]
    if missing and not asked.practice:
        raise Failure("OFFICE-HALL-NEW", f"missing: {', '.join(missing)}")
    name_en = asked.hall_name_en or (SAMPLE.name_en if asked.hall_name is None else "")
    code, name, region = (value or usual for value, usual in zip(given.values(), SAMPLE[:3], strict=True))
    return NewHall(code, name, region, name_en)


def _serve(asked: argparse.Namespace) -> None:
    from back_office import serving

    office = settings(asked, metrics_token=asked.metrics_token)
    serving.serve(office, serving.Listening(asked.host, asked.port, asked.workers, _tls(asked)))


def _tls(asked: argparse.Namespace) -> Tls | None:
    """Raises Failure("OFFICE-TLS") for a half of it: without the certificate everybody would be let in."""
    from back_office.embedded import Tls

    if asked.tls_certificate is not None:
        return Tls(asked.tls_certificate, asked.tls_key, asked.client_ca)
    halves = {"--tls-key": asked.tls_key, "--client-ca": asked.client_ca}
    for option, file in halves.items():
        if file is not None:
            raise Failure("OFFICE-TLS", f"{option} needs --tls-certificate; without it the office has no TLS")
    return None


def _restored(asked: argparse.Namespace) -> None:
    from back_office import restoring

    def say(tx: Transaction) -> None:
        restoring.restored(tx)
        note(tx, "restored", "")

    write(asked, say)
    print("new generation of the feed; numbers that may have been given out since the backup are passed over")
