"""The doctor: looks at everything a window needs and says of each part how it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"  # the window works, but not for long, or not with everything
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """How one part is. Never with personal data.

    `key` names the part ("printer"), `said` the words for its state when it is well ("off"; empty: the usual
    ones), `code` the failure when it is not. `values` fill the words; `detail` is for IT.
    """

    key: str
    level: Level = Level.OK
    code: str = ""
    said: str = ""
    values: tuple[tuple[str, str | int | float], ...] = ()
    detail: str = ""


class Doctor(Protocol):
    """Looks at this workstation. Any thread but the window's: a look takes seconds."""

    def run(self, report: Callable[[Check], None], *, card: bool = False, test_page: bool = False) -> None:
        """Report every check as it ends, on this thread or others, and return when all are told.

        A part that does not answer in its time is told as DOCTOR-NO-ANSWER. `card` waits for a card, up to
        20 s; `test_page` prints one.
        """

    @property
    def keys(self) -> tuple[str, ...]:
        """The parts that are looked at, in the order they are shown."""
