"""`python -m bench`: runs every claim and writes `docs/evidence.md`."""

from __future__ import annotations

import importlib
import os
import platform
import sys
from datetime import datetime
from pathlib import Path

from bench.report import Claim, table
from clerk_app.domain.hall_time import HALL_TIME

NAMES = ("start", "search", "accept", "slip", "drain", "ui_gap")
EVIDENCE = Path(__file__).parents[1] / "docs" / "evidence.md"

HEAD = """# Evidence

What the product claims, measured beside a reference in the same run on the same machine. Run it yourself:
`make bench`. Machines are noisy: read the ratios, not the absolute times.

Last run: {day}, Python {python}, {cores} cores, {system}.

"""


def main(names: list[str]) -> int:
    claims: list[Claim] = []
    for name in names or NAMES:
        print(f"--- {name}", flush=True)
        claim = importlib.import_module(f"bench.{name}").run()
        print(table(claim), flush=True)
        claims.append(claim)
    if not names:
        head = HEAD.format(
            day=datetime.now(HALL_TIME).date().isoformat(),
            python=platform.python_version(),
            cores=len(os.sched_getaffinity(0)),
            system=platform.system(),
        )
        EVIDENCE.write_text(head + "\n".join(table(claim) for claim in claims), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
