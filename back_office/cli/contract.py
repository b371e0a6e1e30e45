"""The contract with the windows: `openapi`, `conformance`."""

from __future__ import annotations

import argparse
import json
import shlex
import ssl
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from back_office.cli.common import password
from clerk_app.failures import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from back_office.cli.common import Commands
    from back_office.conformance import Access, Result


def add_to(commands: Commands) -> None:
    openapi = commands.add_parser("openapi", help="print the OpenAPI document; needs no office")
    openapi.set_defaults(run=_openapi)

    tried = commands.add_parser(
        "conformance",
        help="try the promises of docs/protocol.md against an office that is being served; ends with 1 when "
        "one is broken. For a hall made for trying: it files cases of invented people",
    )
    tried.add_argument("--url", help="for example https://office.example")
    tried.add_argument("--staff-no", help="a clerk with every right; the password as for `user add`")
    tried.add_argument("--enrol-codes", metavar="CODE,CODE", help="for two windows of one hall and queue")
    tried.add_argument(
        "--renew-command",
        default="",
        help="prints a code for the next epoch of {device}, tried too where given: "
        "'back-office enrol-code --window 12 --device {device}'",
    )
    tried.add_argument("--ca", type=Path, help="PEM: the authority of the office's certificate")
    tried.add_argument(
        "--client-certificate", type=Path, help="PEM, with its key, for an office that wants one"
    )
    tried.add_argument("--only", default="", metavar="NAME,NAME", help="these promises alone")
    tried.add_argument("--any-hall", action="store_true", help="also in a hall that is not for practice")
    tried.add_argument("--json", action="store_true", help="print one JSON array")
    tried.add_argument("--list", action="store_true", help="print the promises and try none")
    tried.set_defaults(run=_conformance)


def _openapi(_asked: argparse.Namespace) -> None:
    from back_office.app import paths

    print(json.dumps(paths().openapi(), ensure_ascii=False, indent=2))


def _conformance(asked: argparse.Namespace) -> None:
    from back_office import conformance

    if asked.list:
        for promise in conformance.promises():
            print(promise.name, promise.sentence, sep="\t")
        return
    only = frozenset(filter(None, asked.only.split(",")))
    unknown = only - {promise.name for promise in conformance.promises()}
    if unknown:
        raise Failure("OFFICE-NOT-TRIED", f"no promise {', '.join(sorted(unknown))}")
    results = []
    for result in conformance.run(_access(asked), only, any_hall=asked.any_hall):
        results.append(result)
        if not asked.json:
            _tell(result)
    if asked.json:
        print(json.dumps([asdict(one) for one in results], ensure_ascii=False, indent=1))
    counts = {kind: sum(one.outcome == kind for one in results) for kind in ("kept", "broken", "skipped")}
    print(", ".join(f"{number} {kind}" for kind, number in counts.items()), file=sys.stderr)
    if counts["broken"]:
        raise Failure("OFFICE-CONFORMANCE", f"{counts['broken']} of {len(results)}")


def _tell(result: Result) -> None:
    print(
        f"{result.outcome:<8} {result.name:<20} {result.seconds:6.2f} s  {result.detail}".rstrip(), flush=True
    )
    if result.outcome == "broken":
        print(f'{"":<9}docs/protocol.md: "{result.sentence}"', flush=True)


def _access(asked: argparse.Namespace) -> Access:
    """Raises Failure("OFFICE-NOT-TRIED") for what is missing."""
    from back_office.conformance import Access, Line

    codes = [code.strip() for code in (asked.enrol_codes or "").split(",") if code.strip()]
    if not asked.url or not asked.staff_no or len(codes) != 2:
        raise Failure("OFFICE-NOT-TRIED", "--url, --staff-no and two --enrol-codes are needed")
    _check_certificates(asked.ca, asked.client_certificate)
    certificate = str(asked.client_certificate) if asked.client_certificate else None
    line = Line(asked.url.rstrip("/"), str(asked.ca) if asked.ca else True, certificate)
    renew = _renewed_by(asked.renew_command) if asked.renew_command else None
    return Access(line, asked.staff_no, password(), (codes[0], codes[1]), renew)


def _check_certificates(ca: Path | None, own: Path | None) -> None:
    """Before a password is asked for or a code used. Raises Failure("OFFICE-NOT-TRIED")."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    file = ca
    try:
        if ca is not None:
            context.load_verify_locations(ca)
        file = own
        if own is not None:
            context.load_cert_chain(own, password="")
    except (OSError, ValueError) as error:
        told = error.strerror if isinstance(error, OSError) else None
        raise Failure("OFFICE-NOT-TRIED", f"{file}: {told or 'no usable PEM'}") from None


def _renewed_by(command: str) -> Callable[[str], str]:
    """A code is the last word of what the command prints."""

    def new_code(device: str) -> str:
        words = [word.replace("{device}", device) for word in shlex.split(command)]
        try:
            printed = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)  # noqa: S603
        except OSError as error:
            raise Failure("OFFICE-NOT-TRIED", f"--renew-command: {words[0]}: {error.strerror}") from None
        except subprocess.SubprocessError as error:
            raise Failure("OFFICE-NOT-TRIED", f"--renew-command: {type(error).__name__}") from None
        return printed.stdout.split()[-1] if printed.stdout.split() else ""

    return new_code
