"""Logs as JSON lines: what happened, where, how long. Never what was sent, so never who it was about."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Of the request that is being served here; every line written for it carries it."""

_log = logging.getLogger("back_office")
_log.addHandler(logging.NullHandler())  # a command tells in its own words


class JsonLines(logging.Formatter):
    """One JSON object a line: time in UTC, level, event and its fields."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = getattr(record, "fields", {})
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"at": at, "level": record.levelname.lower(), "event": record.getMessage(), **fields}
        if request_id.get():
            line["request"] = request_id.get()
        return json.dumps(line, ensure_ascii=False)


def to_stderr() -> None:
    """Write the office's log to standard error, for `serve`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    _log.addHandler(handler)
    _log.setLevel(logging.INFO)
    _log.propagate = False


def info(event: str, **fields: str | int | float) -> None:
    _log.info(event, extra={"fields": fields})


def alarm(event: str, **fields: str | int | float) -> None:
    """Something IT must look at, though nothing failed just now."""
    _log.error(event, extra={"fields": fields})


def error(event: str, cause: BaseException, **fields: str | int) -> None:
    """A failure of ours: its type and the lines it passed. Its message may quote data, so it stays out."""
    frames = traceback.extract_tb(cause.__traceback__)
    places = [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in frames[-8:]]
    _log.error(event, extra={"fields": {"error": type(cause).__name__, "places": places, **fields}})
