"""Coverage-guided fuzzing of one target, where atheris is installed; a process of its own, it never returns.

Started by `tests.fuzz.__main__`: `python -m tests.fuzz.guided TARGET SECONDS SEED FOLDER`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

from clerk_app.failures import Failure
from tests.fuzz import judging, mutation


def main(name: str, seconds: str, seed: str, folder: str) -> None:
    with atheris.instrument_imports(include=["clerk_app", "back_office"]):
        target = judging.targets()[name]

    def one(data: bytes) -> None:
        try:
            target(data)
        except Failure:
            return

    seeds = Path(folder) / f"{name}-seeds"
    seeds.mkdir(parents=True, exist_ok=True)
    options = [
        f"-max_total_time={seconds}",
        f"-seed={seed}",
        f"-timeout={judging.CPU_SECONDS:g}",
        f"-max_len={mutation.MOST_BYTES}",
        "-rss_limit_mb=1024",
        f"-artifact_prefix={folder}/{name}-",
    ]
    given = [str(judging.CORPUS / name)] if (judging.CORPUS / name).is_dir() else []
    atheris.Setup([sys.argv[0], *options, str(seeds), *given], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
