"""Logs for IT: what happened, never to whom. Personal data is not logged at any level."""

from __future__ import annotations

import logging
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

_FORMAT = "%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s"


def start(folder: Path | None, *, verbose: bool = False) -> None:
    """Log to `folder`/clerk-app.log (five files of 2 MB) and, when `verbose`, to standard error."""
    handlers: list[logging.Handler] = []
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = RotatingFileHandler(
            folder / "clerk-app.log", maxBytes=2_000_000, backupCount=5, encoding="utf-8"
        )
        handlers.append(file)
    if verbose:
        handlers.append(logging.StreamHandler(sys.stderr))
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO,
        format=_FORMAT,
        handlers=handlers or [logging.NullHandler()],
        force=True,
    )
    # Their debug output would carry request bodies.
    for noisy in ("urllib3", "qasync", "PIL"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
