"""An office's life: `back-office serve`, as the administrator starts it, until somebody ends it."""

from __future__ import annotations

import os
import sys
from typing import Any

from tests.chaos import points


def live(told: dict[str, Any]) -> None:
    """`data`, `database` (""  for SQLite), `port`, `workers` and the `point` to die at."""
    from back_office.cli import main

    os.environ["BACK_OFFICE_DATABASE"] = told["database"]
    points.arm(told["point"])
    serve = ["serve", "--port", str(told["port"]), "--workers", str(told["workers"])]
    sys.exit(main(["--data", told["data"], *serve]))
