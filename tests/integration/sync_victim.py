"""A window that is killed (-9) at a named point of a cycle. Run as a process by `test_sync_killed`."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from sync_window import KEY, RealClock

from clerk_app.desk.ports import Device
from clerk_app.store.cache import SqlStore
from clerk_app.sync.client import OfficeClient
from clerk_app.sync.exchange import Exchange


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class MortalClient(OfficeClient):
    point = ""

    def push(self, request):
        if self.point == "marked":
            die()
        answer = super().push(request)
        if self.point == "answered":
            die()
        return answer

    def block(self, request):
        answer = super().block(request)
        if self.point == "leased":
            die()
        return answer

    def changes(self, *asked):
        if self.point == "settled":
            die()
        page = super().changes(*asked)
        if self.point == "fetched":
            die()
        return page


class MortalStore:
    """Dies after the n-th write of the cycle has been committed."""

    def __init__(self, store: SqlStore, writes: int) -> None:
        self.read = store.read
        self._store = store
        self._left = writes

    def write(self, work):
        result = self._store.write(work)
        self._left -= 1
        if self._left == 0:
            die()
        return result


def main(url: str, token: str, device: str, folder: str, point: str) -> None:
    store = SqlStore.open(Path(folder), KEY)
    clock = RealClock()
    used = MortalStore(store, int(point[6:])) if point.startswith("write-") else store
    exchange = Exchange(
        used,
        Device(**json.loads(device)),
        clock,
        wall=clock.now,
        on_items=lambda items: None,
        on_changed=lambda changed: None,
    )
    client = MortalClient(url, token=token)
    client.point = point
    exchange.cycle(client, lambda: None)
    sys.exit("the cycle ended although it should have been killed")


if __name__ == "__main__":
    main(*sys.argv[1:])
