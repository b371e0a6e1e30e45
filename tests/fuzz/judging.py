"""Which targets there are, and what one input comes to."""

from __future__ import annotations

import importlib
import signal
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from clerk_app.failures import Failure

Target = Callable[[bytes], object]

CORPUS = Path(__file__).with_name("corpus")
CPU_SECONDS = 2.0
"""A run that computes for longer hangs. Time of the process: a busy machine makes no finding."""
WALL_SECONDS = 20.0
"""The same for a run that waits for something instead of computing."""


class Hang(BaseException):
    """Not an Exception: no target may catch it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`what` is the kind of exception and where it came from: the same bug has the same words."""

    target: str
    data: bytes
    what: str
    trace: str = ""


def targets(package: str = "tests.fuzz", folder: Path = Path(__file__).parent) -> dict[str, Target]:
    """Every `fuzz_*` function of the modules `targets_*.py`, by its name without `fuzz_`."""
    found: dict[str, Target] = {}
    for path in sorted(folder.glob("targets_*.py")):
        module = importlib.import_module(f"{package}.{path.stem}")
        for name, value in vars(module).items():
            if name.startswith("fuzz_") and callable(value):
                assert name.removeprefix("fuzz_") not in found, f"two targets are called {name}"
                found[name.removeprefix("fuzz_")] = value
    return found


def corpus(target: str) -> tuple[bytes, ...]:
    """The inputs to begin with: invented, small, and every finding there ever was."""
    return (b"", *(path.read_bytes() for path in sorted((CORPUS / target).glob("*"))))


def judge(name: str, target: Target, data: bytes) -> Finding | None:
    """Run `target` on `data`; None when it did what it may do."""
    try:
        with _limited():
            target(data)
    except Failure:
        return None
    except Hang:
        return Finding(name, data, f"no end within {CPU_SECONDS:g} s", traceback.format_exc())
    except Exception as error:  # whatever it is, it is the finding
        frames = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in frames if "clerk_app" in frame.filename or "back_office" in frame.filename]
        place = (ours or frames)[-1]
        where = f"{Path(place.filename).name}:{place.name}"
        return Finding(name, data, f"{type(error).__name__} in {where}", traceback.format_exc())
    return None


def smaller(finding: Finding, target: Target, seconds: float = 5.0) -> Finding:
    """The same finding with as few bytes as can be had by leaving pieces out."""
    end = time.monotonic() + seconds
    piece = max(1, len(finding.data) // 2)
    while piece and time.monotonic() < end:
        for start in range(0, len(finding.data), piece):
            less = finding.data[:start] + finding.data[start + piece :]
            again = judge(finding.target, target, less)
            if again is not None and again.what == finding.what:
                finding = again
                break
            if time.monotonic() >= end:
                break
        else:
            piece //= 2
    return finding


@contextmanager
def _limited() -> Iterator[None]:
    """Raise Hang in a block that goes on for too long. POSIX and the main thread only."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise Hang

    before = [(name, signal.signal(name, stop)) for name in (signal.SIGVTALRM, signal.SIGALRM)]
    signal.setitimer(signal.ITIMER_VIRTUAL, CPU_SECONDS)
    old = signal.setitimer(signal.ITIMER_REAL, WALL_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.setitimer(signal.ITIMER_REAL, *old)  # somebody else's limit goes on
        for name, handler in before:
            signal.signal(name, handler)


def chosen(names: list[str], all_targets: Mapping[str, Target]) -> dict[str, Target]:
    """The targets asked for by name or its beginning; all of them without names. Raises KeyError."""
    if not names:
        return dict(all_targets)
    picked = {name: each for name, each in all_targets.items() if name.startswith(tuple(names))}
    if not picked:
        raise KeyError(", ".join(names))
    return picked
