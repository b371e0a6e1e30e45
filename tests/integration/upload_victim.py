"""A window that is killed (-9) in the middle of an upload. Run as a process by `test_sync_uploads`."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from sync_window import KEY, RealClock

from clerk_app.desk.ports import Attachment, Changed, Device
from clerk_app.store.cache import SqlStore
from clerk_app.sync.client import OfficeClient
from clerk_app.sync.uploads import Uploader


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class MortalClient(OfficeClient):
    point = ""
    pieces = 0

    def begin_page(self, page: Attachment) -> int:
        have = super().begin_page(page)
        if self.point == "begun":
            die()
        return have

    def send_piece(self, page: Attachment, offset: int, piece: bytes) -> int:
        have = super().send_piece(page, offset, piece)
        self.pieces += 1
        if self.point == f"piece-{self.pieces}" or (self.point == "piece-4" and have == page.size):
            die()
        return have


def main(url: str, token: str, device: str, folder: str, point: str) -> None:
    assert Device(**json.loads(device)).id
    store = SqlStore.open(Path(folder), KEY)
    client = MortalClient(url, token=token)
    client.point = point

    def changed(_: Changed) -> None:
        if point == "uploaded":
            die()

    Uploader(store, RealClock(), lambda: client, on_changed=changed).run()
    sys.exit("the upload ended although it should have been killed")


if __name__ == "__main__":
    main(*sys.argv[1:])
