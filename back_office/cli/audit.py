"""The audit: `audit verify`, `audit search`."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from back_office.cli.common import note, write
from clerk_app.domain.hall_time import HALL_TIME
from clerk_app.failures import Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from back_office.audit_reading import Asked, Found
    from back_office.cli.common import Commands
    from back_office.office import Transaction

MOST = 1_000_000_000


def add_to(commands: Commands) -> None:
    acts = commands.add_parser("audit", help="who did what").add_subparsers(required=True, metavar="act")
    verify = acts.add_parser("verify", help="compute every chain anew; ends with 1 when one does not hold")
    verify.add_argument("--device", help="of this workstation only")
    verify.set_defaults(run=_verify)
    search = acts.add_parser("search", help="acts of the workstations and of the office, oldest first")
    search.add_argument(
        "--since", type=_moment, help="a day or a moment of the hall's clock: 2026-11-22T08:30"
    )
    search.add_argument("--until", type=_end, help="the same: a day to its end, a moment not included")
    search.add_argument("--actor", default="", help="staff number, os:ACCOUNT or device:ID")
    search.add_argument("--act", dest="what", default="", metavar="ACT", help="for example card-reveal")
    search.add_argument("--subject", default="", help="case number, ticket, staff number, device id")
    search.add_argument(
        "--device", default="", help="id of a workstation; default: all, and the office itself"
    )
    search.add_argument("--hall", default="", help="default: every hall")
    search.add_argument("--limit", type=_count, default=1000, help="the oldest so many (default: 1000)")
    search.add_argument("--json", action="store_true", help="print one JSON object a line")
    search.set_defaults(run=_search)


def _moment(text: str, later: timedelta = timedelta()) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=HALL_TIME)) + later
        moment.astimezone(
            UTC
        )  # as the database compares it: the first and the last day of time are none there
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError("a day such as 2026-11-22, or 2026-11-22T08:30") from None
    return moment


def _end(text: str) -> datetime:
    """Who names a day means all of it."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return _moment(text)
    return _moment(text, timedelta(days=1))


def _count(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= MOST:
        raise argparse.ArgumentTypeError(f"a number from 1 to {MOST}")
    return int(text)


def _verify(asked: argparse.Namespace) -> None:
    from back_office import audit_reading

    def look(tx: Transaction) -> list[audit_reading.Verdict]:
        note(tx, "audit-verify", asked.device or "")
        return audit_reading.verify(tx, asked.device)

    broken = 0
    for one in write(asked, look):
        broken += bool(one.trouble) and not one.practice
        whose = one.device or "office"
        waits = f"{one.uncovered} heads without their links yet" if one.uncovered else ""
        verdict = f"{one.trouble} (practice)" if one.trouble and one.practice else one.trouble or "ok"
        print(whose, one.chain, one.links, one.head, verdict, waits, sep="\t")
    if broken:
        raise Failure("OFFICE-AUDIT-BROKEN", f"{broken} chains")


def _search(asked: argparse.Namespace) -> None:
    from back_office import audit_reading

    wanted = audit_reading.Asked(
        asked.since,
        asked.until,
        asked.hall,
        asked.device,
        asked.actor,
        asked.what,
        asked.subject,
        asked.limit,
    )

    def look(tx: Transaction) -> Sequence[Found]:
        found = audit_reading.search(tx, wanted)
        note(tx, "audit-search", asked.subject or asked.device, _told(wanted), hall=asked.hall)
        return found

    found = write(asked, look)
    for one in found:
        if asked.json:
            print(json.dumps(asdict(one), ensure_ascii=False))
        else:
            whose = one.device or "office"
            print(one.at, one.hall, whose, one.actor, one.act, one.subject, one.detail, sep="\t")
    if len(found) == wanted.limit:
        print(f"{wanted.limit} shown, there may be more: --limit", file=sys.stderr)


def _told(wanted: Asked) -> str:
    """What was looked for, as it stands in the audit."""
    fields = {name: str(value) for name, value in asdict(wanted).items() if value}
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
