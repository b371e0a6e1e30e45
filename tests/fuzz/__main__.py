"""Fuzz the targets: guided by coverage where atheris is there, else by mutation of the corpus from a seed."""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import secrets
import subprocess
import sys
import time
from pathlib import Path
from random import Random

from tests.fuzz import judging, mutation

FOLDER = Path("build/fuzz")


def main(arguments: list[str] | None = None) -> int:
    """0 without a finding, 1 with one; every finding is saved in `build/fuzz` as its input."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="name of a target or its beginning")
    parser.add_argument("--seconds", type=float, default=60.0, help="for all targets together")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--plain", action="store_true", help="mutation only, also where atheris is there")
    options = parser.parse_args(arguments)
    targets = judging.chosen(options.targets, judging.targets())
    seed = secrets.randbelow(1 << 31) if options.seed is None else options.seed
    guided = not options.plain and importlib.util.find_spec("atheris") is not None
    each = options.seconds / len(targets)
    print(f"{len(targets)} targets, {each:.0f} s each, seed {seed}, {'guided' if guided else 'by mutation'}")
    FOLDER.mkdir(parents=True, exist_ok=True)
    bad = 0
    for name, target in targets.items():
        if finding := _corpus_finding(name, target):
            bad += 1
            _save(finding)
        elif guided:
            bad += not _guided(name, each, seed)
        else:
            bad += not mutated(name, target, each, seed)
    print(f"{bad} of {len(targets)} targets with a finding" if bad else "no finding")
    return 1 if bad else 0


def mutated(name: str, target: judging.Target, seconds: float, seed: int) -> bool:
    """Fuzz one target by mutation; whether it passed. Says how to get the same inputs again."""
    random = Random(f"{name} {seed}")
    seeds = judging.corpus(name)
    end = time.monotonic() + seconds
    runs = 0
    while time.monotonic() < end:
        runs += 1
        if finding := judging.judge(name, target, mutation.fresh(random, seeds)):
            print(f"{name}: a finding after {runs} runs, seed {seed}")
            _save(judging.smaller(finding, target))
            return False
    print(f"{name}: {runs} runs")
    return True


def _corpus_finding(name: str, target: judging.Target) -> judging.Finding | None:
    found = (judging.judge(name, target, data) for data in judging.corpus(name))
    return next((finding for finding in found if finding), None)


def _guided(name: str, seconds: float, seed: int) -> bool:
    process = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.fuzz.guided",
            name,
            f"{max(1, round(seconds))}",
            f"{seed}",
            f"{FOLDER}",
        ],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    last = [line for line in process.stderr.splitlines() if line.startswith("Done ") or "cov: " in line]
    print(f"{name}: {last[-1] if last else 'no run'}")
    if process.returncode:
        print(process.stdout[-4000:], process.stderr[-4000:], sep="\n")
    return process.returncode == 0


def _save(finding: judging.Finding) -> None:
    digest = hashlib.sha256(finding.data).hexdigest()[:12]
    path = FOLDER / f"{finding.target}-{digest}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(finding.data)
    print(f"{finding.target}: {finding.what}\n  {path}: {finding.data[:200]!r}\n{finding.trace}")


if __name__ == "__main__":
    sys.exit(main())
