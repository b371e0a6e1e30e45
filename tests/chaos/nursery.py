"""Where processes are born: a mother with everything imported forks each, so that a kill costs no start.

The mother is a process of its own without threads. She is told what to bear as a line of JSON and tells each
birth and each death as one.
"""

from __future__ import annotations

import json
import os
import queue
import select
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
BROKEN_OFF = "a life ended by an error"


class Nursery:
    """The runner's side. `log` gets what the children write on their standard error."""

    def __init__(self, log: Path) -> None:
        with log.open("ab") as errors:
            self._mother = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.nursery"],
                cwd=ROOT,
                env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,  # Ctrl+C is for the runner, which then ends its children
            )
        self._born: queue.Queue[int] = queue.Queue()
        self._news = threading.Condition()
        self._ended: dict[int, int] = {}
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def bear(self, what: str, **told: Any) -> int:
        """Start a child; its process id."""
        assert self._mother.stdin is not None
        self._mother.stdin.write(json.dumps({"what": what, "told": told}) + "\n")
        self._mother.stdin.flush()
        return self._born.get(timeout=PATIENCE)

    def status(self, pid: int) -> int | None:
        """How it ended (negative: by that signal); None while it lives."""
        with self._news:
            return self._ended.get(pid)

    def wait(self, pid: int, seconds: float = PATIENCE) -> int | None:
        with self._news:
            self._news.wait_for(lambda: pid in self._ended, seconds)
            return self._ended.get(pid)

    def kill(self, pid: int) -> bool:
        """kill -9; whether it was still alive. Returns when it is gone. 0 is nobody, not our own group."""
        alive = pid > 0 and self.status(pid) is None
        if alive:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                alive = False
            self.wait(pid)
        return alive

    def close(self) -> None:
        """End the mother; children that live are killed by her."""
        assert self._mother.stdin is not None
        assert self._mother.stdout is not None
        self._mother.stdin.close()
        self._mother.wait(PATIENCE)
        self._listener.join(5)
        self._mother.stdout.close()

    def _listen(self) -> None:
        assert self._mother.stdout is not None
        for line in self._mother.stdout:
            told = json.loads(line)
            if "born" in told:
                with self._news:
                    self._ended.pop(told["born"], None)  # the number of somebody who died long ago
                self._born.put(told["born"])
                continue
            with self._news:
                self._ended[told["died"]] = told["status"]
                self._news.notify_all()


def _kinds() -> dict[str, Callable[[dict[str, Any]], None]]:
    """Everything a child may be, imported once."""
    import escpos.printer  # noqa: F401  the printer's lane would import it in each window
    import uvicorn  # noqa: F401

    import back_office.app
    import back_office.serving  # noqa: F401
    from tests.chaos import office, window
    from tests.fault_proxy import child

    return {"window": window.live, "office": office.live, "proxy": child}


def _say(**told: int) -> None:
    os.write(1, (json.dumps(told) + "\n").encode())


def _bear(kinds: dict[str, Callable[[dict[str, Any]], None]], order: dict[str, Any]) -> int:
    child = os.fork()
    if child:
        return child
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)  # the mother's orders and answers are hers
        os.dup2(2, 1)
        kinds[order["what"]](order["told"])
    except SystemExit as end:
        os._exit(int(end.code or 0))
    except BaseException:
        traceback.print_exc()
        sys.stderr.write(f"{BROKEN_OFF}: {order['what']}\n")
        sys.stderr.flush()
        os._exit(70)
    os._exit(0)


def main() -> None:
    kinds = _kinds()
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    living: set[int] = set()
    pending = b""
    while True:
        ready, _, _ = select.select([0, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            for pid in tuple(living):
                gone, status = os.waitpid(pid, os.WNOHANG)
                if gone:
                    living.discard(pid)
                    _say(died=pid, status=os.waitstatus_to_exitcode(status))
        if 0 in ready:
            piece = os.read(0, 1 << 16)
            if not piece:
                break
            *lines, pending = (pending + piece).split(b"\n")
            for line in lines:
                child = _bear(kinds, json.loads(line))
                living.add(child)
                _say(born=child)
    for pid in living:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
