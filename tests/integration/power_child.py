"""Files cases at a window's cache and says each number once it is committed: power_child.py FOLDER KEY COUNT.

What it said is in the file `told` beside the cache, in the order in which the disk was asked for everything.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from store_samples import block, enrol, file_case

from clerk_app.domain.case import SyncState
from clerk_app.store.cache import SqlStore
from clerk_app.store.vault import GivenKey


def main(folder: Path, key: str, count: int) -> None:
    told = os.open(folder / "told", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    store = SqlStore.open(folder / "cache", GivenKey(bytes.fromhex(key)))
    store.write(lambda tx: enrol(tx, block(high=count)))
    for number in range(count):
        case = store.write(file_case)
        os.write(told, f"{case.number}\n".encode())
        if number % 3 == 0:
            sent = [(case.id, SyncState.SENT)]
            store.write(lambda tx, sent=sent: tx.cases.sent([case_id for case_id, _ in sent]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
