"""`python -m bench`: measures every claim and writes `docs/evidence.md`.

    python -m bench [NAME …]

Each claim is measured in a process of its own, one after the other; with names only those, and nothing is
written.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

from bench.report import Claim, published, table
from clerk_app.domain.hall_time import HALL_TIME

NAMES = (
    "start",
    "search",
    "accept",
    "card",
    "slip",
    "ui_gap",
    "first_sync",
    "meanwhile",
    "drain",
    "parked",
    "calling",
    "growth",
)
EVIDENCE = Path(__file__).parents[1] / "docs" / "evidence.md"
FAULTS = EVIDENCE.with_suffix("") / "faults.md"
"""Written by hand, the last part of the page."""

HEAD = """# Evidence

What the product claims, measured beside a reference in the same run on the same machine. Run it yourself:
`make bench`. Machines are noisy: read the ratios, not the absolute times.

Last run: {day}, Python {python}, {cores} cores, {system}. {met} of {all} goals met.

"""


def main(names: Sequence[str]) -> int:
    """Measure, print, and when nothing was left out write the evidence."""
    claims = [measure(name) for name in names or NAMES]
    if not names:
        EVIDENCE.write_text(page(claims, datetime.now(HALL_TIME).date()), encoding="utf-8")
    return 0


def measure(name: str) -> Claim:
    """The claim of `bench.<name>`, measured in a process of its own."""
    print(f"--- {name}", flush=True)
    command = [sys.executable, "-m", f"bench.{name}"]
    printed = subprocess.run(command, stdout=subprocess.PIPE, text=True, encoding="utf-8", check=True).stdout
    claim = published(printed)
    print(table(claim), flush=True)
    return claim


def page(claims: Sequence[Claim], day: date) -> str:
    """The evidence as Markdown: the same claims on the same day give the same page."""
    head = HEAD.format(
        day=day.isoformat(),
        python=platform.python_version(),
        cores=os.cpu_count(),
        system=platform.system(),
        met=sum(claim.met for claim in claims),
        all=len(claims),
    )
    return head + "\n".join(table(claim) for claim in claims) + "\n" + FAULTS.read_text(encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
