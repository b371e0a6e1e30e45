"""The command line of the office. Heavy imports happen inside the command that needs them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import date
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from clerk_app import failures
from clerk_app.domain.hall_time import HALL_TIME
from clerk_app.failures import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from back_office.office import Transaction

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

T = TypeVar("T")

PASSWORD_VARIABLE = "BACK_OFFICE_PASSWORD"  # noqa: S105  the name of a variable, not a password
DATA_VARIABLE = "BACK_OFFICE_DATA"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns 0, or 1 after telling a known failure on standard error."""
    asked = _parser().parse_args(arguments)
    try:
        asked.run(asked)
    except Failure as failure:
        text = failures.text(failure.code, "en")
        print(f"{failure.code}: {text.sentence} {text.action}", file=sys.stderr)
        if failure.detail:
            print(failure.detail, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="back-office", description="The central back office of the halls.")
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get(DATA_VARIABLE, "back-office-data")),
        help=f"folder of the database and the catalogue (default: ${DATA_VARIABLE} or ./back-office-data)",
    )
    commands = parser.add_subparsers(required=True, metavar="command")

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

    user = commands.add_parser("user", help="clerks").add_subparsers(required=True, metavar="act")
    add = user.add_parser(
        "add", help=f"add a clerk; the password comes from ${PASSWORD_VARIABLE}, standard input or a prompt"
    )
    add.add_argument("staff_no")
    add.add_argument("--name", required=True)
    add.add_argument("--name-en", default="")
    add.add_argument("--rights", help="comma-separated; default: all of a window clerk")
    add.add_argument("--hall")
    add.set_defaults(run=_user_add)
    disable = user.add_parser("disable", help="no sign-in from now on")
    disable.add_argument("staff_no")
    disable.add_argument("--hall")
    disable.set_defaults(run=_user_disable)

    code = commands.add_parser("enrol-code", help="a code that enrols one workstation, shown once")
    code.add_argument("--window", default="1", help="the number or name of the window, for example 12")
    code.add_argument("--queue", default="A")
    code.add_argument("--device", help="enrol this device again: a new epoch, the old one is fenced")
    code.add_argument("--hall")
    code.set_defaults(run=_enrol_code)

    catalogue = commands.add_parser("catalogue", help="service items")
    acts = catalogue.add_subparsers(required=True, metavar="act")
    load = acts.add_parser("import", help="put a catalogue in force: .jsonl or .csv")
    load.add_argument("file", type=Path)
    load.add_argument("--skip-bad", action="store_true", help="leave out rows with problems")
    load.add_argument("--version")
    load.set_defaults(run=_catalogue_import)
    retire = acts.add_parser("retire", help="end one item from this moment")
    retire.add_argument("item_code")
    retire.set_defaults(run=_catalogue_retire)

    _ticket_parser(commands)
    _lost_card_parser(commands)

    restored = commands.add_parser(
        "restored", help="run once after restoring a backup: every window takes the feed anew"
    )
    restored.set_defaults(run=_restored)
    return parser


def _ticket_parser(commands: Commands) -> None:
    acts = commands.add_parser("ticket", help="tickets").add_subparsers(required=True, metavar="act")
    issue = acts.add_parser("issue", help="issue the next ticket of a series")
    issue.add_argument("--series", default="A")
    issue.add_argument("--hall")
    issue.set_defaults(run=_ticket_issue)
    void = acts.add_parser("void", help="withdraw a ticket of today that nobody has called")
    void.add_argument("number", help="as printed, for example A037")
    void.add_argument("--reason", choices=("not_printed", "not_needed"), default="not_needed")
    void.add_argument("--hall")
    void.set_defaults(run=_ticket_void)


def _lost_card_parser(commands: Commands) -> None:
    lost = commands.add_parser("lost-card", help="reported lost identity cards")
    acts = lost.add_subparsers(required=True, metavar="act")
    report = acts.add_parser(
        "add", help="report a card lost; its number comes from standard input or a prompt, not as an argument"
    )
    report.add_argument(
        "--issued", type=date.fromisoformat, help="first day of validity on the card; without it every card"
    )
    report.set_defaults(run=_lost_card_add)
    found = acts.add_parser("remove", help="take a report back: the card was found")
    found.add_argument("report_id")
    found.set_defaults(run=_lost_card_remove)
    acts.add_parser("list", help="the reports in force, without numbers").set_defaults(run=_lost_card_list)


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


def _write(asked: argparse.Namespace, work: Callable[[Transaction, str], T]) -> T:
    """One transaction in the hall named by --hall, or the only one."""
    from back_office import embedded, halls

    return embedded.write(asked.data, lambda tx: work(tx, halls.the_hall(tx, asked.hall)))


def _password() -> str:
    """Never from the command line: arguments are seen by everybody on the machine."""
    if PASSWORD_VARIABLE in os.environ:
        return os.environ[PASSWORD_VARIABLE]
    if sys.stdin.isatty():
        return getpass("Password: ")
    return sys.stdin.readline().rstrip("\r\n")


def _user_add(asked: argparse.Namespace) -> None:
    from back_office import accounts

    verifier = accounts.verifier_of(_password())
    rights = accounts.RIGHTS if asked.rights is None else tuple(filter(None, asked.rights.split(",")))
    _write(
        asked,
        lambda tx, hall: accounts.add_user(
            tx, hall, asked.staff_no, asked.name, verifier, name_en=asked.name_en, rights=rights
        ),
    )
    print(asked.staff_no)


def _user_disable(asked: argparse.Namespace) -> None:
    from back_office import accounts

    _write(asked, lambda tx, hall: accounts.disable_user(tx, hall, asked.staff_no))
    print(asked.staff_no)


def _enrol_code(asked: argparse.Namespace) -> None:
    from back_office import enrolment

    print(
        _write(asked, lambda tx, hall: enrolment.new_code(tx, hall, asked.window, asked.queue, asked.device))
    )


def _catalogue_import(asked: argparse.Namespace) -> None:
    from back_office.catalogue import put_in_force
    from back_office.office import open_office
    from back_office.settings import Settings
    from clerk_app.catalogue.records import read_csv, read_jsonl

    read = read_csv if asked.file.suffix.lower() == ".csv" else read_jsonl
    reading = read(asked.file)
    for problem in (*reading.problems, *reading.warnings):
        print(problem, file=sys.stderr)
    left_out = len({problem.line for problem in reading.problems})
    if left_out and not asked.skip_bad:
        raise Failure("OFFICE-IMPORT-BAD-ROWS", f"{left_out} rows")
    office = open_office(Settings(asked.data))
    try:
        info = put_in_force(office, reading.kinds, reading.items, asked.version)
    finally:
        office.close()
    print(f"{info.version}: {info.items} items, {left_out} rows left out, sha256 {info.sha256}")


def _catalogue_retire(asked: argparse.Namespace) -> None:
    from back_office import catalogue, embedded

    embedded.write(asked.data, lambda tx: catalogue.retire(tx, asked.item_code))
    print(asked.item_code)


def _ticket_issue(asked: argparse.Namespace) -> None:
    from back_office import queues

    print(_write(asked, lambda tx, hall: queues.issue(tx, hall, asked.series)).number)


def _ticket_void(asked: argparse.Namespace) -> None:
    from back_office import queues

    print(_write(asked, lambda tx, hall: queues.void_number(tx, hall, asked.number, asked.reason)).number)


def _lost_card_add(asked: argparse.Namespace) -> None:
    from back_office import embedded, lost_cards

    number = getpass("Number of the card: ") if sys.stdin.isatty() else sys.stdin.readline()
    print(embedded.write(asked.data, lambda tx: lost_cards.add(tx, number, asked.issued)))


def _lost_card_remove(asked: argparse.Namespace) -> None:
    from back_office import embedded, lost_cards

    embedded.write(asked.data, lambda tx: lost_cards.remove(tx, asked.report_id))
    print(asked.report_id)


def _lost_card_list(asked: argparse.Namespace) -> None:
    from back_office import embedded, lost_cards

    for report in embedded.write(asked.data, lambda tx: lost_cards.listed(tx.connection)):
        day = report.issued.isoformat() if report.issued else "every card"
        print(
            report.id, report.reported_at.astimezone(HALL_TIME).isoformat(timespec="minutes"), day, sep="\t"
        )


def _restored(asked: argparse.Namespace) -> None:
    from back_office import embedded, feed

    embedded.write(asked.data, lambda tx: feed.new_generations(tx.connection))
    print("new generation of the feed")
