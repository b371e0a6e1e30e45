"""Run the chaos: `python -m tests.chaos`. Writes `build/chaos.json`; 0 when the history holds, 1 when not."""

from __future__ import annotations

import argparse
import json
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

from tests.chaos.run import Result, run

OUT = Path(__file__).parents[2] / "build" / "chaos.json"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=60, help="at most, whatever the kills (default: 60)")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--windows", type=int, default=3)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--workers", type=int, default=None, help="of the office (default: 1, PostgreSQL: 2)")
    parser.add_argument(
        "--keep", action="store_true", help="leave the folder of the run, also without a finding"
    )
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args(arguments)
    seed = secrets.randbelow(1 << 31) if asked.seed is None else asked.seed
    workers = asked.workers or (2 if asked.database == "postgresql" else 1)
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    print(
        f"seed {seed}, {asked.database}, {asked.windows} windows, {workers} workers, in {folder}", flush=True
    )
    result = run(
        folder,
        kills=asked.kills,
        minutes=asked.minutes,
        seed=seed,
        windows=asked.windows,
        database=asked.database,
        workers=workers,
        say=lambda line: print(line, flush=True),
    )
    _publish(result, asked.out)
    if not (result.findings or asked.keep):
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if result.findings else 0


def _publish(result: Result, out: Path) -> None:
    print("\n| what | count |\n|---|---:|")
    for name, value in result.figures.items():
        print(f"| {name} | {value} |")
    for finding in result.findings:
        print(f"FOUND: {finding} (seed {result.seed})")
    print(f"{len(result.findings)} findings in {result.seconds:.0f} s, seed {result.seed}", flush=True)
    out.parent.mkdir(exist_ok=True)
    runs = json.loads(out.read_text()) if out.is_file() else []
    runs.append(
        {
            "seed": result.seed,
            "database": result.database,
            "seconds": round(result.seconds),
            "findings": result.findings,
            "figures": result.figures,
        }
    )
    out.write_text(json.dumps(runs, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
