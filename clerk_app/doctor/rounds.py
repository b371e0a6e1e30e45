"""The round of the doctor: every look on a thread of its own, each with its time, none waiting for another.

A look that hangs (a keyring that asks nobody, a driver that waits for ever) is told as DOCTOR-NO-ANSWER and
left behind; what it says later is not heard. A bug in a look is a line too: the others still help.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from clerk_app.desk.ports import Check, Level
from clerk_app.failures import Failure

_log = logging.getLogger(__name__)

Tell = Callable[[Check], None]

NOT_CHECKED = "DOCTOR-NOT-CHECKED"
NO_ANSWER = "DOCTOR-NO-ANSWER"
BUG = "DOCTOR-BUG"


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for beyond the usual: to wait for a card, to print a test page."""

    card: bool = False
    test_page: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the parts `keys`, each told once, within `seconds`.

    `look` may raise Failure: that is the state of the first part it has not told; those after it could then
    not be looked at.
    """

    keys: tuple[str, ...]
    seconds: float
    look: Callable[[Tell], None]


class Rounds:
    """Implements `desk.ports.Doctor` over the looks that `looks` gives for what was asked."""

    def __init__(self, looks: Callable[[Asked], Sequence[Look]]) -> None:
        self._looks = looks

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(key for look in self._looks(Asked()) for key in look.keys)

    def run(self, report: Tell, *, card: bool = False, test_page: bool = False) -> None:
        """Make the round; returns when every part is told, each exactly once."""
        news: SimpleQueue[tuple[Look, Check | None]] = SimpleQueue()
        looks = self._looks(Asked(card, test_page))
        begun = time.monotonic()
        untold = {look.keys: list(look.keys) for look in looks}
        for look in looks:
            threading.Thread(
                target=_do, args=(look, news), name=f"doctor-{look.keys[0]}", daemon=True
            ).start()
        going = list(looks)
        while going:
            nearest = min(look.seconds for look in going)
            try:
                look, check = news.get(timeout=max(0.0, begun + nearest - time.monotonic()))
            except Empty:
                late = next(look for look in going if look.seconds == nearest)
                for key in untold[late.keys]:
                    report(Check(key, Level.WARN, NO_ANSWER, detail=f"no answer in {late.seconds:g} s"))
                going.remove(late)
                continue
            if look not in going:
                continue  # too late: it was given up
            if check is None:
                going.remove(look)
            elif check.key in untold[look.keys]:
                untold[look.keys].remove(check.key)
                report(check)


def _do(look: Look, news: SimpleQueue[tuple[Look, Check | None]]) -> None:
    left = list(look.keys)

    def tell(check: Check) -> None:
        left.remove(check.key)
        news.put((look, check))

    try:
        look.look(tell)
    except Failure as failure:
        if left:
            tell(failed(left[0], failure))
        for key in tuple(left):
            tell(not_checked(key))
    except Exception as error:  # a bug of ours; its message may quote what it looked at
        _log.error("a bug in a look at %s: %s\n%s", look.keys[0], type(error).__name__, _where(error))
        for key in tuple(left):
            tell(Check(key, Level.FAIL, BUG, detail=type(error).__name__))
    news.put((look, None))


def failed(key: str, failure: Failure, level: Level = Level.FAIL) -> Check:
    return Check(key, level, failure.code, detail=failure.detail)


def not_checked(key: str, why: str = "") -> Check:
    """A part that could not be looked at because of another one that is told as well."""
    return Check(key, Level.WARN, NOT_CHECKED, detail=why)


def _where(error: Exception) -> str:
    return "".join(traceback.format_tb(error.__traceback__))
