"""Commands of the window: `clerk-app run | enrol | demo | card | print-sample | outbox | recover | doctor`.

Heavy imports happen inside the command that needs them, so that `--help` and `--version` answer at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from clerk_app import __version__, failures
from clerk_app.failures import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from clerk_app.desk.ports import CardReader
    from clerk_app.domain.applicant import CardRecord


def main(argv: list[str] | None = None) -> int:
    """Run one command; its exit code (0 done, 2 a failure with a code on standard error, 130 Ctrl+C)."""
    arguments = _parser().parse_args(argv)
    try:
        code = int(arguments.command(arguments))
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has seen enough; the interpreter would flush once more at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:  # at a prompt or in a wait; the number shells give it
        print(file=sys.stderr)
        return 130
    except Failure as failure:
        told = failures.text(failure.code, "en")
        print(f"{failure.code}: {told.sentence} {told.action}", file=sys.stderr)
        if failure.detail:
            print(f"  {failure.detail}", file=sys.stderr)
        return 2
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="clerk-app", description="The window of a government service hall.")
    parser.add_argument("--version", action="version", version=f"clerk-app {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="open the window of this workstation")
    run.add_argument("--folder", type=Path, help="data folder (default: of this account)")
    run.add_argument("--verbose", action="store_true", help="log to standard error too")
    run.set_defaults(command=_run)

    enrol = commands.add_parser("enrol", help="enrol this workstation with a one-time code")
    enrol.add_argument("url", type=_office_address, help="address of the back office, with https://")
    enrol.add_argument("--folder", type=Path)
    enrol.add_argument("--ca", type=_file, help="certificate file of a private authority")
    enrol.add_argument(
        "--certificate",
        type=_file,
        help="this computer's own certificate with its key, where the office wants one",
    )
    enrol.set_defaults(command=_enrol)

    demo = commands.add_parser("demo", help="practise in a whole hall on this machine")
    demo.add_argument("--tour", type=Path, metavar="DIR", help="drive the window off-screen, pictures to DIR")
    demo.add_argument("--templates", type=Path, metavar="DIR", help="try the slip templates in DIR")
    demo.set_defaults(command=_demo)

    card = commands.add_parser("card", help="identity cards").add_subparsers(required=True, metavar="ACT")
    read = card.add_parser("read", help="read the card on the reader")
    read.add_argument("--json", action="store_true", help="print JSON")
    read.add_argument(
        "--reveal",
        type=_reason,
        metavar="REASON",
        help="print names and numbers in full; the reason goes into the audit",
    )
    read.add_argument("--simulate", metavar="CARD", help="read a practice card instead")
    read.add_argument("--wait", type=float, default=20.0, metavar="SECONDS")
    read.set_defaults(command=_card_read)

    sample = commands.add_parser("print-sample", help="print a sample slip")
    kinds = ["ticket", "receipt", "void", "material-list", "pick-up", "shift", "closing", "test"]
    sample.add_argument("kind", choices=kinds)
    sample.add_argument(
        "--printer", required=True, metavar="URL", help="tcp://HOST:PORT, serial:///dev/ttyS0, …"
    )
    sample.add_argument("--width", type=int, choices=[80, 58], default=80)
    encodings = ["gb18030", "gbk", "gb2312", "utf8", "raster"]
    sample.add_argument("--encoding", choices=encodings, default="gb18030")
    sample.set_defaults(command=_print_sample)

    _outbox_parser(commands)
    recover = commands.add_parser("recover", help="bring back a cache whose key or file was lost")
    recover.add_argument("--salvage", action="store_true", help="rescue what a damaged cache still holds")
    recover.add_argument("--folder", type=Path)
    recover.set_defaults(command=_recover)

    doctor = commands.add_parser(
        "doctor", help="look at readers, printer, database, network and say what is wrong"
    )
    doctor.add_argument("--json", action="store_true", help="print JSON")
    doctor.add_argument("--card", action="store_true", help="wait up to 20 s for a card and read it")
    doctor.add_argument("--print", action="store_true", dest="test_page", help="print a test page")
    doctor.add_argument("--language", choices=["zh", "en"], help="of the report (default: the window's)")
    doctor.add_argument("--folder", type=Path)
    doctor.set_defaults(command=_doctor)
    return parser


def _outbox_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    outbox = commands.add_parser("outbox", help="what the office has not got yet; close the window first")
    acts = outbox.add_subparsers(required=True, metavar="ACT")
    listed = acts.add_parser("list", help="what waits, was refused or is held; nobody is named")
    listed.add_argument("--json", action="store_true", help="print JSON")
    listed.set_defaults(command=_outbox_list)
    export = acts.add_parser("export", help="write it into a file that only the office can read")
    export.add_argument("file", type=Path)
    export.add_argument(
        "--all", action="store_true", help="with what was answered too, for an office that was restored"
    )
    export.set_defaults(command=_outbox_export)
    carry = acts.add_parser("carry", help="bring another workstation's export to the office")
    carry.add_argument("file", type=Path)
    carry.set_defaults(command=_outbox_carry)
    for act in (listed, export, carry):
        act.add_argument("--folder", type=Path)


def _run(arguments: argparse.Namespace) -> int:
    from clerk_app.application import run

    return run(arguments.folder, verbose=arguments.verbose)


def _office_address(text: str) -> str:
    """Plain HTTP to this machine only: for practice and for trying out."""
    try:
        address = urlsplit(text)
        host, _ = address.hostname, address.port
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text}: {error}") from error
    plain_allowed = address.scheme == "http" and host in ("127.0.0.1", "::1", "localhost")
    if not host or not (address.scheme == "https" or plain_allowed):
        raise argparse.ArgumentTypeError(f"the office needs an address with https://: {text}")
    return text


def _file(text: str) -> Path:
    if not Path(text).is_file():
        raise argparse.ArgumentTypeError(f"no such file: {text}")
    return Path(text)


def _enrol(arguments: argparse.Namespace) -> int:
    from clerk_app.bootstrap import enrol

    code = _asked("Enrolment code: ")
    device = enrol(arguments.folder, arguments.url, code, arguments.ca, arguments.certificate)
    print(f"Enrolled as {device.window} of {device.hall_name}.")
    return 0


def _demo(arguments: argparse.Namespace) -> int:
    try:
        from practice import demo
    except ModuleNotFoundError as error:
        print(f"The practice hall needs the back office: pip install clerk-app[back-office] ({error.name})")
        return 2
    if arguments.tour:
        return demo.tour(arguments.tour, arguments.templates)
    return demo.run(arguments.templates)


def _card_read(arguments: argparse.Namespace) -> int:
    from clerk_app import logs
    from clerk_app.devices.card.command import read_card

    logs.start(None)  # what is wrong is in the answer, once
    return read_card(
        reveal=_reveal(arguments),
        as_json=arguments.json,
        simulate=arguments.simulate,
        seconds=arguments.wait,
        reader=None if arguments.simulate else _reader_of_the_settings(),
    )


def _reveal(arguments: argparse.Namespace) -> Callable[[CardRecord], None] | None:
    """What makes it right to show a card in full; None when nobody asked. A practice card is nobody's."""
    if arguments.reveal is None:
        return None

    def record(card: CardRecord) -> None:
        from clerk_app.bootstrap import record_reveal

        if not arguments.simulate:
            record_reveal(None, card.number, arguments.reveal)

    return record


def _reason(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("say why")
    return text.strip()


def _reader_of_the_settings() -> CardReader:
    from clerk_app import settings
    from clerk_app.devices.card.drivers import reader_from_settings

    return reader_from_settings(settings.load().readers)


def _print_sample(arguments: argparse.Namespace) -> int:
    from clerk_app.devices.printer.command import print_sample

    return print_sample(arguments.kind, arguments.printer, width=arguments.width, encoding=arguments.encoding)


def _outbox_list(arguments: argparse.Namespace) -> int:
    from clerk_app import upkeep

    found = upkeep.upkeep(arguments.folder).outbox()
    if arguments.json:
        print(upkeep.as_json(found))
        return 0
    for command in found.commands:
        line = f"{command.seq:>6}  {command.state:<8} {command.at:%Y-%m-%d %H:%M}  {command.type:<14}"
        print(f"{line} {upkeep.subject(command)} {command.code}".rstrip())
    state = found.state
    print(f"{found.device.window} ({found.device.id}, epoch {found.device.epoch}):", end=" ")
    print(f"{state.unsent} unsent, {state.tasks} refused, {state.held} held, {state.pages} pages to upload")
    return 0


def _outbox_export(arguments: argparse.Namespace) -> int:
    from clerk_app.upkeep import upkeep

    done = upkeep(arguments.folder).export(arguments.file, everything=arguments.all)
    if not done.parts:
        print("Nothing to export: the office has answered everything. No file was written.")
        return 0
    print(f"{done.commands} commands and {done.pages} pages in {arguments.file}. On another workstation:")
    print(f"  clerk-app outbox carry {arguments.file.name}")
    print("File no more cases here: once it is carried, this workstation must be enrolled again.")
    return 0


def _outbox_carry(arguments: argparse.Namespace) -> int:
    from clerk_app.upkeep import upkeep

    done = upkeep(arguments.folder).carry(arguments.file)
    print(f"Device {done.device}: {done.applied} applied, {done.refused} refused, {done.held} held.")
    print("The file is of no more use: delete it. That device must be enrolled again.")
    return 0


def _recover(arguments: argparse.Namespace) -> int:
    from clerk_app.upkeep import upkeep

    here = upkeep(arguments.folder)
    if not arguments.salvage:
        found = here.recover(_asked("Recovery code: "))
        print(f"Recovered {found.device.window}: {found.state.unsent} unsent commands are here.")
        return 0
    done = here.salvage()
    if done is None:
        print("The cache is not damaged. Nothing was done.")
        return 0
    print(f"Rescued {done.rows['cases']} cases and {done.rows['outbox']} commands.")
    if done.partly:
        print(f"Not read to the end: {', '.join(done.partly)}. How many rows are missing there is not known.")
    if done.cases_missing:
        print(f"Case numbers given out here whose cases are missing: {done.cases_missing}.")
    if done.new_audit_chain:
        print("The audit of this workstation begins anew; the office has what it was sent.")
    print(f"The damaged file is kept as {done.kept_as}.")
    if done.enrol_again:
        print("Enrol this workstation again before it is used: `clerk-app enrol`.")
    return 0


def _asked(prompt: str) -> str:
    """A code from the terminal or a pipe, never from argv, where every account of the machine sees it."""
    import getpass

    try:
        return getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().strip()
    except EOFError:  # Ctrl+D gives up, too
        raise KeyboardInterrupt from None


def _doctor(arguments: argparse.Namespace) -> int:
    from clerk_app import bootstrap, logs, settings
    from clerk_app.doctor.report import examine

    logs.start(None)  # what is wrong is in the report, once
    try:
        language = settings.load(arguments.folder).window.language
    except Failure:  # a line of the report
        language = "zh"
    return examine(
        bootstrap.doctor(arguments.folder),
        as_json=arguments.json,
        language=arguments.language or language,
        card=arguments.card,
        test_page=arguments.test_page,
        say=print,
    )


if __name__ == "__main__":
    sys.exit(main())
