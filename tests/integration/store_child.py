"""What the store's tests do in a process of its own: hold a cache, fill a disk, die in the middle of a write.

python store_child.py open FOLDER KEY        tell how opening ended: "open" or the failure's code
python store_child.py hold FOLDER KEY        the same, and keep it open until stdin ends
python store_child.py fill FOLDER KEY        file cases until the disk is full, free it, go on; JSON
python store_child.py kill FOLDER KEY SEED   file cases in processes that are killed; JSON
python store_child.py keyring FOLDER         open, write and open again with the user's keyring; JSON
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from store_samples import DEVICE, block, enrol, file_case

from clerk_app.desk.ports import Transaction
from clerk_app.failures import Failure
from clerk_app.store.cache import SqlStore
from clerk_app.store.vault import GivenKey, KeyringKey, KeySource

KILLS = 40


def say(words: str) -> None:
    print(words, flush=True)


def outcome(folder: Path, key: KeySource) -> str:
    try:
        SqlStore.open(folder, key).close()
    except Failure as failure:
        return failure.code
    return "open"


def hold(folder: Path, key: KeySource) -> None:
    store = SqlStore.open(folder, key)
    say("open")
    sys.stdin.read()
    store.close()


def fill(folder: Path, key: KeySource) -> None:
    """On a small disk of its own: a ballast file leaves room for some cases, then for none, then for more."""
    store = SqlStore.open(folder, key)
    store.write(enrol)
    ballast = folder.parent / "ballast"
    ballast.write_bytes(bytes(400_000))
    filed, codes = [], []
    while len(codes) < 3:
        try:
            filed.append(store.write(file_case).number)
        except Failure as failure:
            codes.append(failure.code)
    before = state(store)
    ballast.unlink()
    filed.append(store.write(file_case).number)
    after = state(store)
    store.close()
    say(json.dumps({"codes": codes, "before": before, "after": after, "filed": filed}))


def state(store: SqlStore) -> dict[str, object]:
    """What a transaction writes together, counted apart: all counts must be the same."""

    def look(tx: Transaction) -> dict[str, object]:
        cases = tx.cases.recent(100_000)
        return {
            "numbers": sorted(case.number for case in cases),
            "used": sum(b.next - b.low for b in tx.numbers.blocks()),
            "seqs": [command.seq for command in tx.outbox.pending()],
            "links": tx.audit.verify(),
            "slips": sum(len(tx.print_jobs.of_case(case.id)) for case in cases),
            "lines": sum(len(tx.timeline.of_case(case.id)) for case in cases),
        }

    return store.read(look)


def kill(folder: Path, key: KeySource, seed: str) -> None:
    """Fork a writer, read what it says was committed, kill it at a random moment after; many times."""
    chance = random.Random(seed)
    acked: list[str] = []
    for _ in range(KILLS):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            write_until_killed(folder, key, writing)
        os.close(writing)
        with os.fdopen(reading) as answers:
            acked += [answers.readline().strip() for _ in range(chance.randrange(12))]
            until = time.perf_counter() + chance.random() * 0.004
            while time.perf_counter() < until:
                pass  # a kill lands anywhere in a write, which takes about a millisecond
            os.kill(child, signal.SIGKILL)
            acked += [line.strip() for line in answers if line.endswith("\n")]
        os.waitpid(child, 0)
    store = SqlStore.open(folder, key)
    found = state(store)
    store.close()
    say(json.dumps({"acked": acked, **found}))


def write_until_killed(folder: Path, key: KeySource, answers: int) -> None:
    store = SqlStore.open(folder, key)

    def begin(tx: Transaction) -> None:
        tx.meta.set_device(DEVICE)
        tx.numbers.add(block(1, 99_999_999))

    store.write(begin)
    while True:
        os.write(answers, f"{store.write(file_case).number}\n".encode())


def with_keyring(folder: Path) -> None:
    key = KeyringKey("clerk-app test", "cache")
    store = SqlStore.open(folder, key)
    store.write(lambda tx: tx.meta.set("kept", "yes"))
    store.close()
    again = SqlStore.open(folder, key)
    kept = again.read(lambda tx: tx.meta.get("kept"))
    again.close()
    say(json.dumps({"kept": kept, "lost": outcome(folder, KeyringKey("clerk-app test", "other"))}))


def main(verb: str, folder: str, *rest: str) -> None:
    key = GivenKey(bytes.fromhex(rest[0])) if rest else None
    match verb, key:
        case "open", GivenKey():
            say(outcome(Path(folder), key))
        case "hold", GivenKey():
            hold(Path(folder), key)
        case "fill", GivenKey():
            fill(Path(folder), key)
        case "kill", GivenKey():
            kill(Path(folder), key, rest[1])
        case "keyring", None:
            with_keyring(Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
